//! What a decoder says of time: another rate than the configured one, and a board that was away. And what a code is
//! worth to it.

use super::*;

#[test]
fn a_board_that_restarts_its_counter_after_a_silence_is_missed_for_as_long_as_it_was_silent() {
    let (_, mut decoder) = pinned();
    let told = decode(&mut decoder, &CountingBoard::new(Format::CwxsBin).frames(10), Duration::from_secs(4));
    assert_eq!(told, [Told::Refused(1), Told::Gap(990), Told::Samples(range(1_000, 10))]);
}

#[test]
fn what_is_a_jump_and_no_heart_is_told_in_millivolts_of_the_configured_gain() {
    // A firmware that prints the upper 16 bits of 24: a step is worth 256 times as much.
    let format = Format::Columns(2);
    let spike = |gain| {
        let mut decoder = ByteDecoder::new(DecodeOptions { format: Some(format), gain, ..DecodeOptions::default() });
        let (mut encoder, mut bytes) = (Encoder::new(format), Vec::new());
        (0..40).for_each(|n| encoder.encode(if n == 20 { 2_000 } else { 0 }, 0, false, &mut bytes));
        decode(&mut decoder, &bytes, NOW).contains(&Told::Refused(1))
    };
    assert_eq!([spike(None), spike(Some(12.0 / 256.0))], [false, true]);
}
