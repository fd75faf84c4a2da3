//! What the pipeline says besides identity: breathing and heart-rate variability.

use super::*;

#[tokio::test(start_paused = true)]
async fn breathing_is_told_by_the_channel_and_by_the_beats_and_taken_back_with_the_electrode() {
    let scenes = [Scene::Sits(ANNA, 73.0), Scene::ElectrodeOff(3.0), Scene::Sits(ANNA, 45.0)];
    let said = run(gallery(), scenes).await;
    let told: Vec<_> = said
        .iter()
        .filter_map(|(at, event)| if let Event::Signal(signal) = event { Some((*at, signal)) } else { None })
        .collect();
    let truth = 60.0 * HeartParams::from_seed(ANNA).in_session(2).respiration_hz;
    let mut rates = 0;
    for (at, signal) in told {
        let breathing = &signal.respiration;
        let rate = breathing.respiration_rate_per_min;
        assert_eq!(rate.is_none(), breathing.respiration_reason.is_some(), "at {at:.1} s: {breathing:?}");
        assert_eq!(rate.is_some(), breathing.respiration_source.is_some());
        let collecting = at < 30.0 || (73.2..106.0).contains(&at);
        match rate {
            Some(rate) => {
                rates += 1;
                assert!(!collecting && (rate - truth).abs() < 2.0, "{rate:.1} of {truth:.1} at {at:.1} s");
                assert_eq!(breathing.respiration_source, Some(RespirationFrom::Impedance));
            }
            None => assert!(collecting || !(40.0..=73.0).contains(&at), "at {at:.1} s: {breathing:?}"),
        }
        if let (Some(difference), Some(similarity)) =
            (breathing.respiration_difference_per_min, breathing.respiration_similarity)
        {
            let both = breathing.respiration_impedance_per_min.zip(breathing.respiration_ecg_per_min).unwrap();
            assert_eq!(difference, both.0 - both.1);
            assert!(difference.abs() < 1.0 && similarity > 0.7, "at {at:.1} s: {breathing:?}");
        }
    }
    assert!(rates > 45, "{rates} seconds with a rate");
}

#[tokio::test(start_paused = true)]
async fn hrv_comes_in_its_time_and_says_what_it_lacks() {
    let said = run(gallery(), [Scene::Sits(ANNA, 75.0)]).await;
    let hrv: Vec<_> =
        said.iter().filter_map(|(_, event)| if let Event::Hrv(hrv) = event { Some(hrv) } else { None }).collect();
    assert_eq!(hrv.len(), 7);
    assert!(hrv[0].figures.rmssd_ms.is_none() && hrv[0].reason.is_some());
    let truth = HeartParams::from_seed(ANNA).in_session(2).rate_bpm;
    let measured = hrv[6].figures.mean_hr_bpm.unwrap();
    assert!((measured / truth - 1.0).abs() < 0.1, "{measured:.1} of {truth:.1}");
    assert!(hrv[6].figures.rmssd_ms.is_some());
    assert_eq!(hrv[6].figures.correction, HrvCorrection::Causal);
    assert!(hrv[6].figures.lf_hf.is_none() && hrv[6].figures.missing["lf_hf"].contains("270 s needed"));
    let day = hrv[6].day.as_ref().unwrap();
    assert!(day.sdann_ms.is_none() && day.clean_s > 50.0 && day.hours.len() == 1);
}

#[tokio::test(start_paused = true)]
async fn a_front_end_without_a_respiration_channel_breathes_by_its_beats() {
    let millivolts: Vec<f64> = heart(BEN, 2).take(60 * 250).collect();
    let (events, mut said) = mpsc::channel(1);
    let settings = Settings { telemetry: Telemetry::Wait, ..settings() };
    let replay = Replay::from_millivolts(&millivolts, FS, None);
    let cancel = CancellationToken::new();
    tokio::spawn(pipeline::run(replay, settings, Shape, gallery(), events, Pulse::default(), cancel));
    let mut last = None;
    while let Some(event) = said.recv().await {
        if let Event::Signal(signal) = event {
            last = Some(signal.respiration);
        }
    }
    let breathing = last.unwrap();
    let truth = 60.0 * HeartParams::from_seed(BEN).in_session(2).respiration_hz;
    assert!((breathing.respiration_rate_per_min.unwrap() - truth).abs() < 2.0, "{breathing:?} of {truth:.1}");
    assert_eq!(breathing.respiration_rate_per_min, breathing.respiration_ecg_per_min);
    assert_eq!(breathing.respiration_source, Some(RespirationFrom::Ecg));
    assert_eq!((breathing.respiration_impedance_per_min, breathing.respiration_similarity), (None, None));
}
