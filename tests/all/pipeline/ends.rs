//! How a pipeline ends, by itself or not, and the pulse that tells whether it lives.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_recording_gives_every_event_and_then_ends_the_pipeline() {
    let millivolts: Vec<f64> = heart(BEN, 2).take(60 * 250).collect();
    let (events, mut said) = mpsc::channel(1);
    let settings = Settings { telemetry: Telemetry::Wait, ..settings() };
    let replay = Replay::from_millivolts(&millivolts, FS, None);
    let cancel = CancellationToken::new();
    let running = tokio::spawn(pipeline::run(replay, settings, Shape, gallery(), events, Pulse::default(), cancel));
    let mut all = Vec::new();
    while let Some(event) = said.recv().await {
        all.push((0.0, event));
    }
    running.await.unwrap().unwrap();
    assert_eq!(states(&all), [STARTS, COLLECTS, verified("ben"), STOPS]);
    let seconds: Vec<u64> = all
        .iter()
        .filter_map(|(_, event)| if let Event::Signal(signal) = event { Some(signal.sample_index) } else { None })
        .collect();
    assert_eq!(seconds[..60], (1..=60).map(|second| second * 250).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_hangs_cannot_hold_the_end_beyond_its_deadline() {
    let (events, _never_read) = mpsc::channel(1);
    let replay = Replay::from_millivolts(&vec![0.0; 250_000], FS, Some(1.0));
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    tokio::spawn(async move {
        sleep(Duration::from_secs(10)).await;
        stop.cancel();
    });
    let started = Instant::now();
    let ended = pipeline::run(replay, settings(), Shape, gallery(), events, Pulse::default(), cancel).await;
    assert!(matches!(ended, Err(PipelineError::Deadline)), "{ended:?}");
    assert!((started.elapsed().as_secs_f64() - 15.0).abs() < 0.1);
}

#[tokio::test(start_paused = true)]
async fn a_rate_that_the_signal_path_does_not_take_ends_the_pipeline_with_the_reason() {
    let (events, _said) = mpsc::channel(64);
    let replay = Replay::from_millivolts(&[0.0; 100], 50.0, None);
    let ended =
        pipeline::run(replay, settings(), Shape, gallery(), events, Pulse::default(), CancellationToken::new()).await;
    assert!(matches!(ended, Err(PipelineError::Path(_))), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn both_ends_of_the_pulse_move_with_and_without_a_board() {
    let pulse = Pulse::default();
    let (plug, streams) = mpsc::channel(1);
    let source = Link::new(Plug(streams), ByteDecoder::new(DecodeOptions::default()));
    let (events, _said) = mpsc::channel(256);
    let cancel = CancellationToken::new();
    tokio::spawn(pipeline::run(source, settings(), Shape, gallery(), events, pulse.clone(), cancel.clone()));
    for _ in 0..4 {
        let before = pulse.read();
        sleep(Duration::from_secs(5)).await;
        assert!(pulse.read().moved_since(before), "no board: it is looked for");
    }
    tokio::spawn(play(vec![Scene::Sits(ANNA, 30.0)], plug));
    sleep(Duration::from_secs(5)).await;
    for _ in 0..4 {
        let before = pulse.read();
        sleep(Duration::from_secs(5)).await;
        assert!(pulse.read().moved_since(before), "a board: its samples arrive at the decision");
    }
    cancel.cancel();
}
