//! Converter codes that run over the edge of 24 bits: through the decoder, which joins them, and past it.

use ecg_signal::{Beat, PathInput, Refusal, Verdict};
use ecg_wire::{Decoded, Decoder, Encoder, Format, Options, millivolts_per_code};

use crate::stream::{MATCH_S, SECONDS, Stream};

/// The low 24 bits of a code, sign-extended: what a firmware sends that moves the code and does not look.
fn image(code: i32) -> i32 {
    (code << 8) >> 8
}

/// The person with an electrode offset at the edge of the converter's range, so that the baseline wanders over it, as
/// codes; and what one of them is worth in millivolts.
fn at_the_edge(format: Format, person: u64) -> (Stream, Vec<i32>, f64) {
    let spec = format.spec();
    let step = millivolts_per_code(spec.gain, spec.vref_volts, spec.code_shift);
    let stream = Stream::person(person, spec.fs_hz);
    let edge = f64::from(1 << 23) * step;
    let codes = stream.samples.iter().map(|x| image(((edge - 0.2 + x.millivolts) / step).round() as i32)).collect();
    (stream, codes, step)
}

/// All beats are found, none is invented, and nearly all are accepted.
fn assert_whole(stream: &Stream, name: &str) {
    let passage = stream.run();
    let tally = passage.tally(stream, &(0.0..SECONDS - 0.2), MATCH_S);
    // The last one may lie so near to the end that its segment is cut.
    let whole = |beat: &&Beat| beat.quality.verdict != Verdict::Refused(Refusal::Incomplete);
    let accepted = passage.beats.iter().filter(|beat| beat.quality.verdict.is_accepted()).count();
    let given = passage.beats.iter().filter(whole).count();
    println!("{name:24} {} of {} found, {} invented, {accepted} accepted", tally.found, tally.marked, tally.invented);
    assert_eq!((tally.found, tally.invented), (tally.marked, 0), "{name}");
    assert!(accepted + 4 >= given, "{name}: {accepted} of {given}");
}

#[test]
fn codes_that_run_over_24_bits_reach_the_path_whole() {
    let formats = Format::ALL.into_iter().filter(|format| format.spec().code_shift == 0);
    for (person, format) in (1..).zip(formats) {
        let (mut stream, codes, step) = at_the_edge(format, 1 + person % 6);
        let jumps = codes.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) > 1 << 23).count();
        assert!(jumps > 20, "{format:?}: {jumps} jumps of 800 mV");
        let (mut encoder, mut bytes) = (Encoder::new(format), Vec::new());
        codes.iter().for_each(|&code| encoder.encode(code, 0, false, &mut bytes));
        let mut samples = Vec::new();
        Decoder::new(format, Options::default()).push(&bytes, &mut |decoded| {
            if let Decoded::Sample(sample) = decoded {
                samples.push(sample);
            }
        });
        assert_eq!(samples.len(), codes.len(), "{format:?}");
        let steepest = samples.windows(2).map(|pair| step * f64::from(pair[0].ecg.abs_diff(pair[1].ecg)));
        let steepest = steepest.fold(0.0, f64::max);
        assert!(steepest < 2.0, "{format:?}: a jump of {steepest} mV");
        let input = |sample: &ecg_wire::Sample| PathInput {
            millivolts: f64::from(sample.ecg) * step,
            clipped: sample.clipped,
            lead_off: sample.lead_off,
        };
        stream.samples = samples.iter().map(input).collect();
        assert_whole(&stream, format.name());
    }
}

#[test]
fn a_path_that_is_given_such_codes_takes_the_jumps_away_itself() {
    for person in 1..=6 {
        let (mut stream, codes, step) = at_the_edge(Format::CwxsBin, person);
        stream.samples = codes.iter().map(|&code| PathInput::of(f64::from(code) * step)).collect();
        assert_whole(&stream, &format!("person {person}, not joined"));
    }
}
