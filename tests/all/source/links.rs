//! Sources over links that are unplugged, found again and closed: scripts under a paused clock, a real pseudo-terminal, a
//! real socket, a recording.

use super::*;

/// Hands out prepared connections, or refuses.
struct Script(VecDeque<io::Result<DuplexStream>>);

impl Connector for Script {
    type Stream = DuplexStream;

    fn name(&self) -> String {
        "script".to_owned()
    }

    async fn connect(&mut self) -> io::Result<DuplexStream> {
        match self.0.pop_front() {
            Some(prepared) => prepared,
            None => std::future::pending().await,
        }
    }
}

/// A script whose connections can be set in another way, as a serial port can.
struct Tunable(Script);

impl Connector for Tunable {
    type Stream = DuplexStream;

    fn name(&self) -> String {
        self.0.name()
    }

    async fn connect(&mut self) -> io::Result<DuplexStream> {
        self.0.connect().await
    }

    fn retune(&mut self, _stream: &mut DuplexStream) -> Option<String> {
        Some("another speed".to_owned())
    }
}

/// What is said within a minute.
async fn a_minute(mut running: Running) -> Vec<Told> {
    sleep(Duration::from_secs(60)).await;
    running.cancel.cancel();
    let mut items = Vec::new();
    while let Some(item) = running.queue.recv().await {
        items.push(item);
    }
    tell(items)
}

struct Running {
    queue: mpsc::Receiver<SourceItem>,
    cancel: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

fn start<S: Source>(source: S) -> Running {
    let (out, queue) = SourceSender::channel(Pulse::default());
    let cancel = CancellationToken::new();
    let task = tokio::spawn(source.run(out, cancel.clone()));
    Running { queue, cancel, task }
}

impl Running {
    /// Everything until `enough` says so, or panic.
    async fn until(&mut self, enough: impl Fn(&[Told]) -> bool) -> Vec<Told> {
        let mut items = Vec::new();
        let collecting = async {
            loop {
                items.push(self.queue.recv().await.expect("the source goes on"));
                if enough(&tell(items.clone())) {
                    return;
                }
            }
        };
        let in_time = timeout(Duration::from_secs(20), collecting).await;
        let told = tell(items);
        assert!(in_time.is_ok(), "only {told:?}");
        told
    }

    async fn stop(self) {
        self.cancel.cancel();
        timeout(Duration::from_secs(2), self.task).await.expect("stops when asked").unwrap();
    }
}

fn samples_in(told: &[Told]) -> usize {
    told.iter().map(|t| if let Told::Samples(samples) = t { samples.len() } else { 0 }).sum()
}

fn pinned_decoder() -> ByteDecoder {
    ByteDecoder::new(DecodeOptions { format: Some(Format::CwxsBin), ..DecodeOptions::default() })
}

#[tokio::test(start_paused = true)]
async fn an_unplugged_board_is_told_and_tried_again_for_ever() {
    let (mut first, one) = duplex(4096);
    let (mut second, two) = duplex(4096);
    let missing = || Err(io::Error::from(io::ErrorKind::NotFound));
    let script = Script([missing(), Ok(one), missing(), missing(), Ok(two)].into());
    let mut running = start(Link::new(script, pinned_decoder()).with_backoff(Backoff::seeded(3)));
    let mut board = CountingBoard::new(Format::CwxsBin);

    first.write_all(&board.frames(50)).await.unwrap();
    let told = running.until(|told| samples_in(told) >= 50).await;
    assert_eq!(told, [Told::Offline, Told::Online("cwxs-bin".to_owned()), Told::Samples(range(1_000, 50))]);

    drop(first);
    second.write_all(&board.frames(50)).await.unwrap();
    let told = running.until(|told| samples_in(told) >= 50).await;
    let [Told::Offline, Told::Offline, Told::Offline, Told::Online(_), Told::Gap(missing), Told::Samples(after)] =
        &told[..]
    else {
        panic!("{told:?}")
    };
    assert_eq!(after, &range(1_500, 50));
    // Half a second, one and two, each within a fifth: the absence in samples at 250 Hz.
    assert!((700..=1_060).contains(missing), "{missing}");
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_frame_cut_by_the_unplugging_is_not_joined_to_the_next_connection() {
    let (mut first, one) = duplex(4096);
    let (mut second, two) = duplex(4096);
    let mut running = start(Link::new(Script([Ok(one), Ok(two)].into()), pinned_decoder()));
    let mut board = CountingBoard::new(Format::CwxsBin);
    let bytes = board.frames(20);
    first.write_all(&bytes[..bytes.len() - 6]).await.unwrap();
    drop(first);
    second.write_all(&board.frames(20)).await.unwrap();
    let told = running.until(|told| samples_in(told) >= 39).await;
    assert!(told.contains(&Told::Samples(range(1_000, 19))) && told.contains(&Told::Samples(range(1_200, 20))));
    assert!(!told.iter().any(|t| matches!(t, Told::Refused(_))), "{told:?}");
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_brings_no_sample_is_complained_of_once() {
    let (_silent, one) = duplex(4096);
    let running = start(Link::new(Script([Ok(one)].into()), pinned_decoder()));
    assert_eq!(a_minute(running).await, [Told::Problem(ProblemKind::NoSamples)]);

    let (mut noisy, one) = duplex(4096);
    noisy.write_all(&[0x55; 3_000]).await.unwrap();
    let running = start(Link::new(Script([Ok(one)].into()), pinned_decoder()));
    assert_eq!(a_minute(running).await, [Told::Problem(ProblemKind::NoSamples)]);
}

#[tokio::test(start_paused = true)]
async fn slow_text_in_no_format_is_told_though_one_line_speed_after_the_other_is_tried() {
    let (mut board, one) = duplex(4096);
    tokio::spawn(async move {
        while board.write_all(b"ECG is 1234, RESP is 5\r\n").await.is_ok() {
            sleep(Duration::from_millis(100)).await;
        }
    });
    let decoder = ByteDecoder::new(DecodeOptions::default());
    let told = a_minute(start(Link::new(Tunable(Script([Ok(one)].into())), decoder))).await;
    // By its time, and once more by its number of bytes: the words are the same.
    assert!(!told.is_empty() && told.len() <= 2, "{told:?}");
    assert!(told.iter().all(|told| *told == Told::Problem(ProblemKind::UnknownFormat)), "{told:?}");
}

#[tokio::test]
async fn a_serial_port_is_read_lost_and_found_again_under_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let port = folder.path().join("ttyECG");
    let mut board = CountingBoard::new(Format::CwxsBin);
    let connector = SerialConnector::new(&port, None);
    let mut running = start(Link::new(connector, ByteDecoder::new(DecodeOptions::default())));
    running.until(|told| told.contains(&Told::Offline)).await;

    let terminal = Terminal::open(Some(&port)).unwrap();
    terminal.wait_reader().await;
    // 0x03, 0x11 and 0x13 are among these bytes: a terminal that is not raw would swallow them.
    terminal.send(&board.frames(2_000)).await.unwrap();
    let told = running.until(|told| samples_in(told) >= 2_000).await;
    assert_eq!(told, [Told::Online("cwxs-bin".to_owned()), Told::Samples(range(1_000, 2_000))]);

    drop(terminal);
    assert!(!port.exists(), "the name goes with the cable");
    running.until(|told| told.contains(&Told::Offline)).await;

    let terminal = Terminal::open(Some(&port)).unwrap();
    terminal.wait_reader().await;
    terminal.send(&board.frames(100)).await.unwrap();
    let told = running.until(|told| samples_in(told) >= 100).await;
    assert!(matches!(told[..], [.., Told::Online(_), Told::Gap(1..), Told::Samples(_)]), "{told:?}");
    running.stop().await;
    assert!(!terminal.has_reader(), "the port is closed when the source ends");
}

#[tokio::test]
async fn a_serial_port_is_open_for_one_reader_and_keeps_the_board_running_when_closed() {
    let terminal = Terminal::open(None).unwrap();
    let mut connector = SerialConnector::new(terminal.path(), Some(115_200));
    let stream = connector.connect().await.unwrap();
    let port = std::fs::File::options().read(true).write(true).open(terminal.path());
    // Root may open an exclusive port all the same; our own opener must still refuse it.
    let error = SerialConnector::new(terminal.path(), Some(115_200)).connect().await.unwrap_err();
    assert!(error.to_string().contains("another program"), "{error}");
    if let Ok(port) = port {
        let modes = rustix::termios::tcgetattr(&port).unwrap().control_modes;
        assert!(!modes.contains(rustix::termios::ControlModes::HUPCL));
    }
    drop(stream);
}

#[tokio::test]
async fn a_serial_server_is_read_over_tcp_and_found_again_after_a_restart() {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap().to_string();
    let connector = TcpConnector { address };
    let mut running = start(Link::new(connector, ByteDecoder::new(DecodeOptions::default())));
    let mut board = CountingBoard::new(Format::CwxsBin);

    let (mut connection, _) = server.accept().await.unwrap();
    connection.write_all(&board.frames(500)).await.unwrap();
    running.until(|told| samples_in(told) >= 500).await;

    drop(connection);
    let (mut connection, _) = server.accept().await.unwrap();
    connection.write_all(&board.frames(500)).await.unwrap();
    let told = running.until(|told| samples_in(told) >= 500).await;
    assert!(matches!(told[..], [Told::Offline, Told::Online(_), Told::Gap(1..), Told::Samples(_)]), "{told:?}");
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_recording_waits_for_its_reader_and_ends() {
    let millivolts: Vec<f64> = (0..100_000).map(f64::from).collect();
    let mut running = start(Replay::from_millivolts(&millivolts, 360.0, None));
    sleep(Duration::from_secs(60)).await;
    let mut seen = Vec::new();
    while let Some(item) = running.queue.recv().await {
        match item {
            SourceItem::Online(front_end) => {
                assert_eq!((front_end.format.as_str(), front_end.fs_hz), ("record", 360.0))
            }
            SourceItem::Samples(Flow::Block(block)) => {
                seen.extend(block.into_iter().map(|sample| sample.ecg.millivolts))
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(seen, millivolts);
}

#[tokio::test(start_paused = true)]
async fn a_recording_at_twice_its_speed_takes_half_its_time() {
    let started = tokio::time::Instant::now();
    let mut running = start(Replay::from_millivolts(&vec![0.0; 2_500], 250.0, Some(2.0)));
    while running.queue.recv().await.is_some() {}
    assert!((started.elapsed().as_secs_f64() - 5.0).abs() < 0.05, "{:?}", started.elapsed());
}
