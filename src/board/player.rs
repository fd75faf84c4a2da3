//! Plays a heart or a recording through a simulated board into a terminal, in real time or a multiple of it.
//!
//! It knows no file and no option of a command line.

use std::io;
use std::time::Duration;

use ecg_data::SimulatedBoard;
use ecg_data::heart::{HeartSample, SyntheticHeart};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

use super::terminal::Terminal;

/// Time between two bursts on the line: a USB adapter delivers about so.
const BURST: Duration = Duration::from_millis(20);
/// Later than this a burst was held up by the reader, and not only by the scheduler.
const HELD_UP: Duration = Duration::from_millis(200);
/// Samples in a burst when there is no time to keep: the terminal's own room sets the pace.
const LARGE_BURST: usize = 64;

/// What is on the electrodes.
#[derive(Debug)]
pub enum Feed {
    /// A synthetic heart, without end.
    Heart(Box<SyntheticHeart>),
    /// Millivolts at the board's rate, once.
    Record(std::vec::IntoIter<f64>),
}

impl Iterator for Feed {
    type Item = HeartSample;

    fn next(&mut self) -> Option<HeartSample> {
        match self {
            Self::Heart(heart) => Some(heart.step()),
            Self::Record(samples) => {
                let millivolts = samples.next()?;
                Some(HeartSample { millivolts, respiration: 0.0, lead_off: false, r_peak: None })
            }
        }
    }
}

/// A board, what is on its electrodes, and how fast it runs.
#[derive(Debug)]
pub struct Player {
    /// What is on the electrodes; may be changed between two calls.
    pub feed: Feed,
    /// The board; faults may be injected between two calls.
    pub board: SimulatedBoard,
    /// Times real time; `None`: as fast as the reader takes it.
    pub speed: Option<f64>,
}

impl Player {
    /// Plays `seconds` of sample time, or all there is where `None`; false when the feed has ended.
    ///
    /// A slow reader slows it: a pseudo-terminal has nowhere to lose bytes. Without a reader the bytes are lost; with no
    /// time to keep it waits for one instead.
    ///
    /// # Errors
    /// The terminal is broken.
    pub async fn play(&mut self, terminal: &Terminal, seconds: Option<f64>) -> io::Result<bool> {
        let limit = seconds.map_or(u64::MAX, |seconds| (seconds * self.board.fs()).round() as u64);
        let rate = self.speed.map(|speed| speed * self.board.fs());
        let (mut played, mut bursts, mut bytes) = (0_u64, 0_u32, Vec::new());
        let mut started = Instant::now();
        while played < limit {
            bursts += 1;
            let size = match rate {
                Some(rate) => {
                    let due = started + BURST * bursts;
                    // A board that was held up by its reader goes on from there; it does not run after its own clock.
                    let late = Instant::now().saturating_duration_since(due);
                    started += if late > HELD_UP { late } else { Duration::ZERO };
                    sleep_until(due).await;
                    ((rate * BURST.as_secs_f64() * f64::from(bursts)) as u64).saturating_sub(played)
                }
                None => {
                    terminal.wait_reader().await;
                    LARGE_BURST as u64
                }
            };
            bytes.clear();
            let before = played;
            for sample in self.feed.by_ref().take(size.min(limit - played) as usize) {
                self.board.push_heart(&sample, &mut bytes);
                played += 1;
            }
            if size > 0 && played == before {
                return Ok(false);
            }
            terminal.send(&bytes).await?;
            // A reader that keeps up lets `send` return at once: whoever would stop this is to have a turn all the same.
            yield_now().await;
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use ecg_wire::Format;
    use rustix::fs::{Mode, OFlags, open};
    use tokio::time::timeout;

    use super::*;

    const FS: f64 = 250.0;

    fn fast(seconds: f64) -> Player {
        let feed = Feed::Record(vec![0.0; (seconds * FS) as usize].into_iter());
        Player { feed, board: SimulatedBoard::new(Format::CwxsBin, FS, 1), speed: None }
    }

    #[tokio::test]
    async fn without_a_reader_a_board_as_fast_as_its_reader_waits_and_can_be_stopped() {
        let terminal = Terminal::open(None).unwrap();
        let (mut player, wait) = (fast(60.0), Duration::from_millis(100));
        assert!(timeout(wait, player.play(&terminal, None)).await.is_err(), "it played to nobody");
        assert!(matches!(player.feed, Feed::Record(rest) if rest.len() == 60 * FS as usize), "nothing is lost");
    }

    #[tokio::test]
    async fn every_burst_leaves_a_turn_to_others() {
        let terminal = Terminal::open(None).unwrap();
        let _reader = open(terminal.path(), OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        let mut player = fast(60.0);
        tokio::select! {
            biased;
            _ = player.play(&terminal, Some(0.1)) => panic!("nobody else had a turn"),
            () = std::future::ready(()) => {}
        }
    }
}
