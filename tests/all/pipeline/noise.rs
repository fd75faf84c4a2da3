//! A signal that cannot be used although a heart shows in it now and then.

use super::*;

/// A fifth of the beats is accepted between the noise; the signal is not usable all the same, and is said to be so once.
#[tokio::test(start_paused = true)]
async fn a_heart_that_shows_between_noise_makes_no_storm_of_events() {
    let mut random = fastrand::Rng::with_seed(1);
    let mut noise = |n: usize| if n > 20 * 250 && n % 1050 > 430 { 2.0 * (random.f64() - 0.5) } else { 0.0 };
    let millivolts: Vec<f64> = heart(ANNA, 1).take(80 * 250).enumerate().map(|(n, x)| x + noise(n)).collect();
    let (events, mut said) = mpsc::channel(256);
    let (replay, cancel) = (Replay::from_millivolts(&millivolts, FS, Some(1.0)), CancellationToken::new());
    let settings = tap::from_the_first_beat(Tap::default());
    tokio::spawn(pipeline::run(replay, settings, Shape, gallery(), events, Pulse::default(), cancel));
    let (mut identities, mut accepted) = (Vec::new(), 0);
    while let Some(event) = said.recv().await {
        match event {
            Event::Identity(identity) => identities.push((identity.state, identity.reason)),
            Event::Signal(signal) => accepted += usize::from(signal.reason.is_some() && signal.quality > 0.1),
            _ => {}
        }
    }
    assert!(accepted > 10, "beats are accepted while the signal is not usable: {accepted}");
    let expected = [
        (NoSignal, Reason::Starting),
        (Acquiring, Reason::Collecting),
        (Verified, Reason::ScoreAboveThreshold),
        (Acquiring, Reason::PersonChanged),
        (NoSignal, Reason::Noise),
        (NoSignal, Reason::Stopping),
    ];
    assert_eq!(identities, expected);
}
