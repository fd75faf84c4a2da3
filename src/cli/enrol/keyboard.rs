//! Lines that somebody types, where there is a terminal. One reader for all of them: two would steal each other's lines.

use std::io::{BufRead, IsTerminal, Write as _};

use rustix::termios::{QueueSelector, tcflush};
use tokio::sync::mpsc;

/// Lines that wait to be read; more are typed in impatience.
const LINES: usize = 8;

/// The keyboard; without a terminal, or where nobody is to be asked, it is silent.
pub(super) enum Keyboard {
    Silent,
    /// Nobody has waited for a line yet: what is typed is the shell's, and a job in the background is not stopped.
    Unread,
    Read(mpsc::Receiver<String>),
}

impl Keyboard {
    /// Listens where standard input is a terminal and `ask` is true.
    pub(super) fn new(ask: bool) -> Self {
        if ask && std::io::stdin().is_terminal() { Self::Unread } else { Self::Silent }
    }

    /// The next line; waits for ever where there is no terminal.
    pub(super) async fn line(&mut self) -> String {
        match self.typed() {
            Some(typed) => match typed.recv().await {
                Some(line) => line,
                None => std::future::pending().await,
            },
            None => std::future::pending().await,
        }
    }

    /// Asks, and waits for the answer; the end of the input (Ctrl-D) is the usual one, no. `None` where there is nobody to
    /// ask. It does not block: whoever waits for it may wait for Ctrl-C, too.
    pub(super) async fn confirmed(&mut self, question: &str) -> Option<bool> {
        if matches!(self, Self::Unread) {
            // What was typed before is no answer.
            let _else_it_answers = tcflush(std::io::stdin(), QueueSelector::IFlush);
        }
        let typed = self.typed()?;
        while typed.try_recv().is_ok() {}
        let _nobody_listens = write!(std::io::stderr(), "{question} [y/N] ");
        let Some(answer) = typed.recv().await else {
            note!("");
            return Some(false);
        };
        Some(matches!(answer.trim(), "y" | "Y" | "yes"))
    }

    /// Lines as they are typed, from the first time that somebody waits for one.
    fn typed(&mut self) -> Option<&mut mpsc::Receiver<String>> {
        if matches!(self, Self::Unread) {
            *self = Self::Read(read());
        }
        match self {
            Self::Read(typed) => Some(typed),
            _ => None,
        }
    }
}

/// Reads in a thread of its own: it may wait for ever, and must not hold the runtime up at the end.
fn read() -> mpsc::Receiver<String> {
    let (lines, typed) = mpsc::channel(LINES);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if lines.blocking_send(line).is_err() {
                return;
            }
        }
    });
    typed
}
