//! Standard output of a command: that its reader has gone is no error, that a disk is full is one.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write as _};
use std::sync::OnceLock;

/// The first reason why what was printed is not whole.
static BROKEN: OnceLock<io::Error> = OnceLock::new();

/// Prints one line; the macro `say!` calls it.
pub(crate) fn say(line: Arguments<'_>) {
    keep(writeln!(io::stdout(), "{line}"));
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
