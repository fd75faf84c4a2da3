//! The signals that ask a program to end.

use std::future::pending;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What ends the program in order: Ctrl-C, systemd, a window that is closed.
pub(in crate::cli) struct Ending {
    interrupt: Signal,
    terminate: Signal,
    /// `None` under `nohup`, which promises that a closed window ends nothing.
    hangup: Option<Signal>,
}

impl Ending {
    /// Listens, within a runtime; from now on none of them ends the program by itself.
    pub(in crate::cli) fn listen() -> std::io::Result<Self> {
        // Asked before listening, which would answer the question.
        let ignored = std::fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores_hangup(&status));
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: if ignored { None } else { Some(signal(SignalKind::hangup())?) },
        })
    }

    /// Comes back when one of them has come.
    pub(in crate::cli) async fn asked(&mut self) {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = hangup => {}
        }
    }
}

/// Whether a process with this `/proc/PID/status` ignores SIGHUP, signal 1: the lowest bit of a hexadecimal mask.
fn ignores_hangup(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nohup_is_seen() {
        let status = |mask: &str| format!("Name:\tecgid\nSigBlk:\t0000000000000001\nSigIgn:\t{mask}\n");
        assert!(ignores_hangup(&status("0000000000001001")));
        assert!(!ignores_hangup(&status("0000000000001000")));
        assert!(!ignores_hangup(&status("no mask")) && !ignores_hangup(""));
    }
}
