//! What a decoder says of time: another rate than the configured one, and a board that was away. And what a code is
//! worth to it.

use super::*;

/// Feeds a board of `format` for so long, `frames_of(i)` in the `i`th tenth of a second; what is said besides samples.
fn feed(
    decoder: &mut ByteDecoder,
    format: Format,
    seconds: u32,
    frames_of: impl Fn(u32, &mut CountingBoard) -> usize,
) -> Vec<SourceItem> {
    let (mut board, mut items) = (CountingBoard::new(format), Vec::new());
    for tenth in 0..10 * seconds {
        let frames = frames_of(tenth, &mut board);
        decoder.push(&board.frames(frames), Duration::from_millis(100) * tenth, &mut items);
    }
    items.retain(|item| !matches!(item, SourceItem::Samples(_)));
    items
}

fn decoder(format: Format) -> ByteDecoder {
    ByteDecoder::new(DecodeOptions { format: Some(format), ..DecodeOptions::default() })
}

fn rates(items: &[SourceItem]) -> Vec<&str> {
    let mut told = Vec::new();
    for item in items {
        if let SourceItem::Problem(problem) = item
            && problem.kind == ProblemKind::Rate
        {
            told.push(&*problem.text);
        }
    }
    told
}

#[test]
fn a_rate_that_no_board_usually_has_is_told_once_and_again_after_a_reconnection() {
    for (format, frames, told) in
        [(Format::CwxsBin, 18, "at 180 Hz, not at 250 Hz"), (Format::Ov9, 10, "at 100 Hz, not at 125 Hz")]
    {
        let mut decoder = decoder(format);
        for _ in 0..2 {
            let items = feed(&mut decoder, format, 60, |_, _| frames);
            let rates = rates(&items);
            assert!(rates.len() == 1 && rates[0].contains(told), "{format}: {rates:?}");
            decoder.interrupted();
        }
    }
}

#[test]
fn a_rate_that_cannot_be_configured_is_told_without_that_advice() {
    let items = feed(&mut decoder(Format::CwxsBin), Format::CwxsBin, 30, |_, _| 6);
    assert!(rates(&items)[0].contains("100 to 2000 Hz") && !rates(&items)[0].contains("set source.fs_hz"), "{items:?}");
}

#[test]
fn a_line_that_loses_frames_and_one_that_stutters_have_no_other_rate() {
    let loses = |_, board: &mut CountingBoard| {
        board.lose(4);
        21
    };
    assert_eq!(rates(&feed(&mut decoder(Format::CwxsBin), Format::CwxsBin, 60, loses)), [""; 0]);
    let stutters = |tenth, _: &mut CountingBoard| if tenth % 70 < 35 { 25 } else { 0 };
    assert_eq!(rates(&feed(&mut decoder(Format::CwxsBin), Format::CwxsBin, 60, stutters)), [""; 0]);
}

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
