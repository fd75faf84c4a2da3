//! Damaged bytes: what is refused, and what goes through unseen.

use super::board;
use ecg_wire::{Decoded, Decoder, Format, Options, Refusal, millivolts_per_code};

#[test]
fn every_flipped_bit_of_a_checksummed_frame_is_refused() {
    let codes = board::codes(Format::CwxsBin, 3);
    let (_, frames) = board::frames(Format::CwxsBin, &codes);
    for bit in 0..frames[1].len() * 8 {
        let mut frames = frames.clone();
        frames[1][bit / 8] ^= 1 << (bit % 8);
        let said = board::decode(Format::CwxsBin, &frames.concat());
        let [Decoded::Sample(first), Decoded::Refused(reason), Decoded::Missing { frames: 1 }, Decoded::Sample(last)] =
            said[..]
        else {
            panic!("bit {bit}: {said:?}")
        };
        assert_eq!((first.ecg, last.ecg), (codes[0], codes[2]));
        assert_eq!(reason, if bit < 16 { Refusal::Garbage } else { Refusal::Checksum }, "bit {bit}");
    }
}

#[test]
fn a_field_that_the_firmware_could_not_send_is_refused() {
    for (format, high_byte) in [(Format::Ov8a, 8), (Format::Ov8a, 12), (Format::Ov8b, 12), (Format::Ov7, 10)] {
        let mut bytes = board::line(format, 3);
        let len = format.frame_len().unwrap_or_default();
        bytes[len + high_byte] ^= 0x40;
        let said = board::decode(format, &bytes);
        assert_eq!(said[1..3], [Decoded::Refused(Refusal::Range), Decoded::Missing { frames: 1 }], "{format}");
        assert_eq!(said.len(), 4, "{format}");
    }
}

/// One row of the table: how a format fares when each byte is replaced by another with probability 1e-3.
#[derive(Default)]
struct Row {
    frames: usize,
    damaged: usize,
    /// Samples whose ECG is not what was sent.
    wrong: usize,
    /// Of those, the ones that are off by more than the gate's 5 mV.
    spikes: usize,
    /// Undamaged frames that were not believed.
    good_lost: usize,
}

/// Sends `count` frames, each damaged apart, and compares each sample with the frame that completed it.
fn measure(format: Format, options: Options, count: usize) -> Row {
    let codes = board::codes(format, count);
    let sent = board::transmitted(format, &codes);
    let (head, frames) = board::frames(format, &codes);
    let spec = format.spec();
    let step = millivolts_per_code(spec.gain, spec.vref_volts, spec.code_shift);
    let mut random = fastrand::Rng::with_seed(42);
    let mut decoder = Decoder::new(format, options);
    decoder.push(&head, &mut |_| {});
    let mut row = Row { frames: count, ..Row::default() };
    let mut delivered = vec![false; count];
    let mut damaged = vec![false; count];
    for (n, frame) in frames.iter().enumerate() {
        let mut frame = frame.clone();
        for byte in &mut frame {
            if random.f64() < 1e-3 {
                *byte ^= random.u8(1..);
                damaged[n] = true;
            }
        }
        let mut now = Vec::new();
        decoder.push(&frame, &mut |decoded| {
            if let Decoded::Sample(sample) = decoded {
                now.push(sample.ecg);
            }
        });
        for (back, ecg) in now.into_iter().rev().enumerate() {
            // A frame that waited for the next one came out together with it.
            let of = n.saturating_sub(back);
            delivered[of] = true;
            row.wrong += usize::from(ecg != sent[of]);
            row.spikes += usize::from(f64::from(ecg.abs_diff(sent[of])) * step > 5.0);
        }
    }
    row.damaged = damaged.iter().filter(|&&damaged| damaged).count();
    row.good_lost = delivered.iter().zip(&damaged).filter(|&(&delivered, &damaged)| !delivered && !damaged).count();
    row
}

/// Prints the table: `cargo test -p ecg-wire --test all damage -- --nocapture`.
#[test]
fn what_damaged_bytes_do_to_each_format() {
    const FRAMES: usize = 20_000;
    eprintln!("byte error 1e-3, {FRAMES} frames each; shares of all frames");
    eprintln!("format            damaged   wrong ECG accepted    off by > 5 mV       good frames lost");
    eprintln!("                            no gate     gate      no gate     gate     no gate     gate");
    for format in Format::ALL {
        let open = measure(format, Options { outlier_gate: false, ..Options::default() }, FRAMES);
        let gated = measure(format, Options::default(), FRAMES);
        let percent = |n: usize| 100.0 * n as f64 / FRAMES as f64;
        eprintln!(
            "{:16} {:7.2} % {:9.3} % {:7.3} % {:9.3} % {:7.3} % {:8.3} % {:7.3} %",
            format.name(),
            percent(gated.damaged),
            percent(open.wrong),
            percent(gated.wrong),
            percent(open.spikes),
            percent(gated.spikes),
            percent(open.good_lost),
            percent(gated.good_lost),
        );
        assert!(gated.damaged * 100 > gated.frames / 2, "{format}: the test damages something");
        assert!(gated.wrong <= open.wrong && gated.spikes <= open.spikes, "{format}");
        if format == Format::CwxsBin {
            assert_eq!(gated.wrong, 0, "nothing wrong passes the checksum");
        } else {
            assert!(gated.spikes * 1_000 <= gated.frames, "{format}: {} spikes", gated.spikes);
            assert!(gated.good_lost * 100 <= gated.frames, "{format}: {} good frames lost", gated.good_lost);
        }
    }
}

#[test]
fn a_step_of_300_millivolts_costs_one_sample_and_no_more() {
    for format in Format::ALL {
        let spec = format.spec();
        let level = (300.0 / millivolts_per_code(spec.gain, spec.vref_volts, 0)) as i32 / 2;
        let codes: Vec<i32> = (0..200).map(|n| if n < 100 { -level } else { level }).collect();
        let (head, frames) = board::frames(format, &codes);
        let said = board::decode(format, &[head, frames.concat()].concat());
        let expected = if format == Format::CwxsBin { 200 } else { 199 };
        // Gain 12 has rails at ±202 mV: the step fits.
        assert_eq!(board::samples(&said).len(), expected, "{format}");
    }
}

#[test]
fn no_beat_of_a_tall_heart_is_refused() {
    for format in Format::ALL {
        let codes: Vec<i32> = board::codes(format, 5_000).iter().map(|code| code * 4).collect();
        let (head, frames) = board::frames(format, &codes);
        let said = board::decode(format, &[head, frames.concat()].concat());
        assert_eq!(board::samples(&said).len(), 5_000, "{format}: an R wave of 4.8 mV");
    }
}

#[test]
fn the_gate_follows_the_gain_that_the_configuration_names() {
    // At gain 1 a step of 3000 codes of 16 bits is 222 mV, at a made-up gain of 1000 a fifth of a millivolt.
    let codes: Vec<i32> = (0..60).map(|n| if n == 30 { 3_000 << 8 } else { 0 }).collect();
    let (_, frames) = board::frames(Format::Ov9, &codes);
    for (gain, delivered) in [(1.0, 59), (1_000.0, 60)] {
        let step = millivolts_per_code(gain, 2.42, 8);
        let options = Options { millivolts_per_code: Some(step), ..Options::default() };
        let said = board::decode_with(Format::Ov9, options, &frames.concat());
        assert_eq!(board::samples(&said).len(), delivered, "gain {gain}");
    }
}
