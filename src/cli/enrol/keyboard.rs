//! Lines that somebody types, where there is a terminal. One reader for all of them: two would steal each other's lines.

use std::io::{BufRead, IsTerminal, Write as _};

use tokio::sync::mpsc;

/// Lines that wait to be read; more are typed in impatience.
const LINES: usize = 8;

/// The keyboard; without a terminal, or where nobody is to be asked, it is silent.
pub(super) struct Keyboard(Option<mpsc::Receiver<String>>);

impl Keyboard {
    /// Listens where standard input is a terminal and `ask` is true.
    pub(super) fn new(ask: bool) -> Self {
        if !ask || !std::io::stdin().is_terminal() {
            return Self(None);
        }
        let (lines, typed) = mpsc::channel(LINES);
        // A thread of its own: it may wait for ever, and must not hold the runtime up at the end.
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines().map_while(Result::ok) {
                if lines.blocking_send(line).is_err() {
                    return;
                }
            }
        });
        Self(Some(typed))
    }

    /// The next line; waits for ever where there is no terminal.
    pub(super) async fn line(&mut self) -> String {
        match &mut self.0 {
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
        let typed = self.0.as_mut()?;
        while typed.try_recv().is_ok() {}
        let _nobody_listens = write!(std::io::stderr(), "{question} [y/N] ");
        let Some(answer) = typed.recv().await else {
            note!("");
            return Some(false);
        };
        Some(matches!(answer.trim(), "y" | "Y" | "yes"))
    }
}
