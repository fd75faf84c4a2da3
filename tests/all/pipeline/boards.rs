//! Boards that are not what they should be: the wrong one, none that speaks, one at another rate.

use super::*;

/// A board of `format` that sends `hz` samples a second.
struct Board {
    board: SimulatedBoard,
    heart: SyntheticHeart,
    hz: f64,
}

impl Board {
    fn new(format: Format, hz: f64) -> Self {
        Self { board: SimulatedBoard::new(format, hz, 1), heart: heart(ANNA, 2), hz }
    }

    /// Sends for so many seconds, in blocks of 40 ms.
    async fn sends(&mut self, port: &mut DuplexStream, seconds: f64) {
        let mut sent = 0;
        for block in 1..=(seconds * 25.0) as u32 {
            let mut bytes = Vec::new();
            while f64::from(sent) < f64::from(block) * self.hz / 25.0 {
                self.board.push_heart(&self.heart.step(), &mut bytes);
                sent += 1;
            }
            sleep(Duration::from_millis(40)).await;
            let _lost = port.write_all(&bytes).await;
        }
    }
}

/// A cable into the daemon.
async fn cable(plug: &mpsc::Sender<DuplexStream>) -> DuplexStream {
    let (port, other) = duplex(4096);
    plug.send(other).await.unwrap();
    port
}

/// What was said of the source.
fn sources(said: &[Timed]) -> Vec<&SourceEvent> {
    said.iter().filter_map(|(_, event)| if let Event::Source(source) = event { Some(source) } else { None }).collect()
}

/// How often a complaint that holds these words was made of the source.
fn complaints(said: &[Timed], online: bool, words: &str) -> usize {
    let is_told =
        |source: &&SourceEvent| source.online == online && source.problem.iter().any(|told| told.contains(words));
    sources(said).into_iter().filter(is_told).count()
}

#[tokio::test(start_paused = true)]
async fn the_wrong_board_is_told_at_every_plugging_in_and_makes_no_storm_of_events() {
    let options = DecodeOptions { format: Some(Format::CwxsBin), ..DecodeOptions::default() };
    let said = run_boards(gallery(), options, |plug| async move {
        for _ in 0..2 {
            let mut port = cable(&plug).await;
            Board::new(Format::Ov9, 125.0).sends(&mut port, 6.0).await;
            drop(port);
            sleep(Duration::from_secs(12)).await;
        }
        cable(&plug).await
    })
    .await;
    let (changed, gone) = (lost(Reason::FrontEndChanged), lost(Reason::SourceLost));
    let states = states(&said);
    assert_eq!(states[states.len() - 5..], [changed, gone, changed, gone, STOPS], "{states:?}");
    assert!(states.len() <= 7, "{states:?}");
    assert_eq!(complaints(&said, false, "ov9 arrives where cwxs-bin was pinned"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_board_that_says_nothing_from_the_start_is_told() {
    let silent = |plug: mpsc::Sender<DuplexStream>| async move {
        let port = cable(&plug).await;
        sleep(Duration::from_secs(20)).await;
        port
    };
    let said = run_boards(gallery(), DecodeOptions::default(), silent).await;
    assert_eq!(complaints(&said, false, "nothing arrives: is the board powered"), 1);
    assert_eq!(states(&said), [STARTS, lost(Reason::SourceLost), STOPS]);
}

#[tokio::test(start_paused = true)]
async fn another_rate_is_told_and_the_complaint_stands_over_a_silence() {
    let slow = |plug: mpsc::Sender<DuplexStream>| async move {
        let mut port = cable(&plug).await;
        let mut board = Board::new(Format::CwxsBin, 180.0);
        board.sends(&mut port, 25.0).await;
        sleep(Duration::from_secs(3)).await;
        board.sends(&mut port, 5.0).await;
        port
    };
    let said = run_boards(gallery(), DecodeOptions::default(), slow).await;
    assert_eq!(complaints(&said, true, "at 180 Hz, not at 250 Hz"), 2, "{:?}", sources(&said));
    let last = sources(&said).last().copied().cloned().unwrap();
    assert!(last.online && last.problem.is_some(), "{last:?}");
}
