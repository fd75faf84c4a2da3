//! A terminal that a test types at, for commands that ask.

use std::fs::File;
use std::io::{Read, Write};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// A terminal and the hands at its keyboard.
pub(crate) struct Typist {
    keyboard: File,
    terminal: File,
}

impl Typist {
    pub(crate) fn new() -> Self {
        let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&keyboard).unwrap();
        unlockpt(&keyboard).unwrap();
        let name = ptsname(&keyboard, Vec::new()).unwrap().into_string().unwrap();
        let terminal = File::options().read(true).write(true).open(name).unwrap();
        Self { keyboard: keyboard.into(), terminal }
    }

    /// The terminal, as standard input of a command.
    pub(crate) fn terminal(&self) -> File {
        self.terminal.try_clone().unwrap()
    }

    /// Types; a line ends with `\n`, and `\x04` is Ctrl-D.
    pub(crate) fn types(&self, text: &str) {
        (&self.keyboard).write_all(text.as_bytes()).unwrap();
    }

    /// Bytes of lines that were typed and that nobody has read.
    pub(crate) fn waiting(&self) -> u64 {
        rustix::io::ioctl_fionread(&self.terminal).unwrap()
    }
}

/// Reads what a command says until it asks; gives all of that.
pub(crate) fn until_asked(said: &mut impl Read) -> String {
    let mut told = Vec::new();
    while !told.ends_with(b"[y/N] ") {
        let mut byte = [0];
        assert_eq!(said.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&told));
        told.push(byte[0]);
    }
    String::from_utf8(told).unwrap()
}
