//! Standard output and standard error of a command: that a reader has gone stops nothing, that a disk is full is an error
//! of what was to be printed.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write as _};
use std::sync::OnceLock;

/// The first reason why what was printed is not whole.
static BROKEN: OnceLock<io::Error> = OnceLock::new();

/// Prints one line; the macro `say!` calls it.
pub(crate) fn say(line: Arguments<'_>) {
    keep(writeln!(io::stdout(), "{line}"));
}

/// Prints one line on standard error; the macro `note!` calls it. Where that has gone nobody is left to be told.
pub(crate) fn note(line: Arguments<'_>) {
    let _nobody_listens = writeln!(io::stderr(), "{line}");
}

/// Keeps the reason why standard output is not whole, for the end of the command. A reader that has gone
/// (`ecgid subjects list | head -1`) has what it wanted.
pub(crate) fn keep(written: io::Result<()>) {
    if let Err(error) = written
        && error.kind() != ErrorKind::BrokenPipe
    {
        let _only_the_first = BROKEN.set(error);
    }
}

/// Why what was printed is not whole.
pub(crate) fn broken() -> Option<&'static io::Error> {
    BROKEN.get()
}
