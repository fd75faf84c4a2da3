//! The simulated board, heard by the decoders: what is sent arrives, and faults are what they say.

use ecg_data::heart::{Contact, HeartParams, SyntheticHeart};
use ecg_data::{Fault, SimulatedBoard};
use ecg_wire::{Decoded, Decoder, Format, Options, Sample, detect};

fn heart() -> SyntheticHeart {
    SyntheticHeart::new(&HeartParams::from_seed(3), 250.0, 3).unwrap()
}

fn hear(format: Format, bytes: &[u8]) -> Vec<Decoded> {
    let mut decoder = Decoder::new(format, Options::default());
    let mut heard = Vec::new();
    decoder.push(bytes, &mut |decoded| heard.push(decoded));
    heard
}

fn samples(heard: &[Decoded]) -> Vec<Sample> {
    heard.iter().filter_map(|d| if let Decoded::Sample(sample) = d { Some(*sample) } else { None }).collect()
}

fn missing(heard: &[Decoded]) -> u64 {
    heard.iter().map(|d| if let Decoded::Missing { frames } = d { *frames } else { 0 }).sum()
}

/// Ten good seconds with faults after the second one.
fn with_fault(format: Format, fault: Fault) -> Vec<Decoded> {
    let mut board = SimulatedBoard::new(format, 250.0, 1);
    let (mut heart, mut bytes) = (heart(), Vec::new());
    for index in 0..2500 {
        if index == 500 {
            board.inject(fault);
        }
        board.push_heart(&heart.step(), &mut bytes);
    }
    hear(format, &bytes)
}

#[test]
fn what_is_sent_arrives_in_every_format() {
    for format in Format::ALL {
        let mut board = SimulatedBoard::new(format, 250.0, 1);
        let sent: Vec<f64> = heart().take(1000).collect();
        let mut bytes = Vec::new();
        sent.iter().for_each(|&mv| board.push(mv, 0.0, false, &mut bytes));
        let heard = samples(&hear(format, &bytes));
        let spec = format.spec();
        let step = ecg_wire::millivolts_per_code(spec.gain, spec.vref_volts, spec.code_shift);
        // A text decoder never trusts the piece before the first end of line.
        let lost = sent.len() - heard.len();
        assert!(lost <= 1, "{format}: {lost} lost");
        for (sample, mv) in heard.iter().zip(&sent[lost..]) {
            assert!((f64::from(sample.ecg) * step - mv).abs() <= step, "{format}: {mv} mV");
            assert!(!sample.clipped);
        }
    }
}

#[test]
fn the_format_is_recognised_from_its_bytes() {
    for format in [Format::CwxsBin, Format::Ov9, Format::Raw9, Format::Csv] {
        let mut board = SimulatedBoard::new(format, 250.0, 1);
        let mut bytes = Vec::new();
        let mut heart = heart();
        (0..400).for_each(|_| board.push_heart(&heart.step(), &mut bytes));
        assert_eq!(detect(&bytes[..4096.min(bytes.len())]).map(|found| found.format), Some(format));
    }
}

#[test]
fn dropped_frames_are_missed_by_their_number() {
    let heard = with_fault(Format::CwxsBin, Fault::Drop { frames: 37 });
    assert_eq!((missing(&heard), samples(&heard).len()), (37, 2500 - 37));
}

#[test]
fn corrupted_frames_are_refused_and_missed() {
    let heard = with_fault(Format::CwxsBin, Fault::Corrupt { frames: 5 });
    assert_eq!(missing(&heard) as usize + samples(&heard).len(), 2500);
    assert!((5..=7).contains(&missing(&heard)), "{} missing", missing(&heard));
    assert!(heard.iter().any(|decoded| matches!(decoded, Decoded::Refused(_))));
}

#[test]
fn after_garbage_the_stream_goes_on() {
    let heard = with_fault(Format::CwxsBin, Fault::Garbage { bytes: 1000 });
    assert!(samples(&heard).len() >= 2498);
    assert!(heard.iter().any(|decoded| matches!(decoded, Decoded::Refused(_))));
}

#[test]
fn an_electrode_that_is_off_shows_as_rail_and_as_flag() {
    let heard = samples(&with_fault(Format::CwxsBin, Fault::LeadOff { frames: 250 }));
    assert!(heard[500..750].iter().all(|sample| sample.clipped && sample.lead_off == Some(true)));
    assert!(heard[..500].iter().chain(&heard[750..]).all(|sample| !sample.clipped && sample.lead_off == Some(false)));

    // The heart's own electrode, on a board that cannot tell.
    let (mut heart, mut bytes) = (heart(), Vec::new());
    let mut board = SimulatedBoard::new(Format::Ov9, 250.0, 1);
    heart.set_contact(Contact::LeadOff);
    (0..250).for_each(|_| board.push_heart(&heart.step(), &mut bytes));
    let heard = samples(&hear(Format::Ov9, &bytes));
    assert!(heard[50..].iter().all(|sample| sample.clipped && sample.lead_off.is_none()));
}

#[test]
fn a_sample_that_the_source_lacks_is_no_contact() {
    let mut bytes = Vec::new();
    SimulatedBoard::new(Format::CwxsBin, 250.0, 1).push(f64::NAN, f64::NAN, false, &mut bytes);
    assert_eq!(samples(&hear(Format::CwxsBin, &bytes))[0].lead_off, Some(true));
}

#[test]
fn equal_seeds_fail_alike() {
    assert_eq!(
        with_fault(Format::Ov9, Fault::Corrupt { frames: 300 }),
        with_fault(Format::Ov9, Fault::Corrupt { frames: 300 })
    );
}
