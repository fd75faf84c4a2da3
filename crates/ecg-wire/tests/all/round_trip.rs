//! Every format, built and taken apart.

use super::board;
use ecg_wire::{Decoded, Decoder, EcgChannel, Encoder, Format, Options, Refusal};

const MAX: i32 = 0x7F_FFFF;
const MIN: i32 = -0x80_0000;

#[test]
fn every_format_gives_back_what_the_board_measured() {
    for format in Format::ALL {
        let codes = board::codes(format, 2_000);
        let said = board::decode(format, &board::line(format, 2_000));
        assert_eq!(board::ecg(&said), board::transmitted(format, &codes), "{format}");
        let head = usize::from(format.frame_len().is_none());
        assert_eq!(said.len(), 2_000 + head, "{format}: a clean line is samples, after at most one header");
    }
}

#[test]
fn the_whole_range_of_the_converter_survives_and_only_its_rails_are_clipping() {
    let options = Options { outlier_gate: false, ..Options::default() };
    for format in Format::ALL {
        let shift = format.spec().code_shift;
        let step = 1 << shift;
        let codes = [MIN, MIN + step, -step, -1, 0, 1, step, MAX - step, MAX];
        let mut encoder = Encoder::new(format);
        let mut bytes = Vec::new();
        for code in codes {
            encoder.encode(code, code, false, &mut bytes);
        }
        let samples = board::samples(&board::decode_with(format, options, &bytes));
        assert_eq!(samples.iter().map(|s| s.ecg).collect::<Vec<_>>(), board::transmitted(format, &codes), "{format}");
        let clipped: Vec<i32> = samples.iter().filter(|s| s.clipped).map(|s| s.ecg).collect();
        assert_eq!(clipped, [MIN >> shift, MAX >> shift], "{format}");
    }
}

/// A firmware that takes an offset off and sends the low bits of what is left.
#[test]
fn a_heart_on_a_baseline_at_the_edge_of_the_range_stays_whole() {
    for format in Format::ALL {
        let shift = format.spec().code_shift;
        for edge in [MAX, MIN] {
            let heart = board::codes(format, 1_000).into_iter().map(|code| code & (-1 << shift));
            let whole: Vec<i32> = heart.map(|code| edge - edge % 256 + code).collect();
            let sent: Vec<i32> = whole.iter().map(|code| (code << 8) >> 8).collect();
            assert!(sent.windows(2).any(|pair| pair[0].abs_diff(pair[1]) > 1 << 23), "{format}: it jumps on the line");
            let mut encoder = Encoder::new(format);
            let mut bytes = Vec::new();
            sent.iter().for_each(|&code| encoder.encode(code, 0, false, &mut bytes));
            let said = board::decode(format, &bytes);
            let start = (sent[0] - whole[0]) >> shift;
            let expected: Vec<i32> = whole.iter().map(|code| (code >> shift) + start).collect();
            assert_eq!(board::ecg(&said), expected, "{format}");
        }
    }
}

#[test]
fn codes_beyond_the_converter_are_sent_as_its_rails() {
    for format in Format::ALL {
        let mut encoder = Encoder::new(format);
        let mut bytes = Vec::new();
        encoder.encode(i32::MAX, i32::MIN, false, &mut bytes);
        encoder.encode(i32::MIN, i32::MAX, false, &mut bytes);
        let samples = board::samples(&board::decode(format, &bytes));
        assert!(samples.len() == 2 && samples.iter().all(|sample| sample.clipped), "{format}: {samples:?}");
    }
}

#[test]
fn the_other_channel_is_ecg_when_it_is_asked_for() {
    for format in Format::ALL {
        let usual = format.spec().ecg_channel;
        let other = if usual == 1 { EcgChannel::Two } else { EcgChannel::One };
        let mut encoder = Encoder::new(format);
        let mut bytes = Vec::new();
        for _ in 0..3 {
            encoder.encode(0x01_0000, 0x02_0000, false, &mut bytes);
        }
        let usual = board::samples(&board::decode(format, &bytes))[0];
        let swapped =
            board::samples(&board::decode_with(format, Options { ecg_channel: other, ..Options::default() }, &bytes))
                [0];
        match usual.respiration {
            None => assert_eq!(swapped, usual, "{format} has one channel, whatever is asked for"),
            Some(respiration) => {
                assert_eq!((swapped.ecg, swapped.respiration), (respiration, Some(usual.ecg)), "{format}");
                assert_eq!(usual.ecg, 0x01_0000 >> format.spec().code_shift, "{format}");
                assert_eq!(respiration, 0x02_0000 >> format.spec_for(other).code_shift, "{format}");
            }
        }
    }
}

#[test]
fn lead_off_is_said_where_the_board_can_say_it_and_nowhere_else() {
    for format in Format::ALL {
        let mut encoder = Encoder::new(format);
        let mut bytes = Vec::new();
        for lead_off in [false, true, true] {
            encoder.encode(50_000, 60_000, lead_off, &mut bytes);
        }
        let samples = board::samples(&board::decode(format, &bytes));
        let said: Vec<_> = samples.iter().map(|sample| sample.lead_off).collect();
        match format {
            Format::Ov20HealthyPi3 => {
                assert_eq!(said, [None, Some(true), Some(true)], "zeros instead of ECG are lead-off");
                assert_eq!(samples[1].ecg, 0);
            }
            _ if format.spec().has_lead_off => assert_eq!(said, [Some(false), Some(true), Some(true)], "{format}"),
            _ => assert_eq!(said, [None; 3], "{format}"),
        }
    }
}

#[test]
fn the_lead_off_of_a_bare_frame_is_that_of_the_ecg_channel() {
    // IN1P and IN1N off: LOFF_STAT bits 0 and 1, which straddle the first two bytes.
    let bytes = [0xC1, 0x80, 0, 0, 0, 1, 0, 0, 2].repeat(2);
    for (ecg_channel, expected) in [(EcgChannel::One, true), (EcgChannel::Two, false)] {
        let options = Options { ecg_channel, ..Options::default() };
        let samples = board::samples(&board::decode_with(Format::Raw9, options, &bytes));
        assert_eq!(samples[0].lead_off, Some(expected), "{ecg_channel:?}");
    }
}

#[test]
fn a_lead_off_bit_beside_an_ecg_is_no_lead_off() {
    let (_, mut frames) = board::frames(Format::Ov20HealthyPi3, &[50_000]);
    frames[0][24] = 0b01;
    assert_eq!(board::samples(&board::decode(Format::Ov20HealthyPi3, &frames[0]))[0].lead_off, None);
}

#[test]
fn a_line_that_is_too_long_is_refused_and_the_next_is_read() {
    let padded = format!("\n1,2,3,4\n1,2,3,4{}\n1,2,3,4\n", " ".repeat(300));
    let said = board::decode(Format::Columns(4), padded.as_bytes());
    assert_eq!(said[1..3], [Decoded::Refused(Refusal::Line), Decoded::Missing { frames: 1 }]);
    assert_eq!(board::samples(&said).len(), 2);
}

#[test]
fn frames_lost_on_the_way_are_counted_where_the_board_counts() {
    for format in Format::ALL {
        let mut encoder = Encoder::new(format);
        let mut bytes = Vec::new();
        let mut send = |encoder: &mut Encoder| encoder.encode(0, 0, false, &mut bytes);
        send(&mut encoder);
        encoder.skip(1_000);
        send(&mut encoder);
        send(&mut encoder);
        let said = board::decode(format, &bytes);
        let missing: u64 = said
            .iter()
            .filter_map(|decoded| match decoded {
                Decoded::Missing { frames } => Some(frames),
                _ => None,
            })
            .sum();
        let positions = missing + board::samples(&said).len() as u64;
        assert_eq!(positions, if format.spec().has_counter { 1_003 } else { 3 }, "{format}: {said:?}");
    }
}

#[test]
fn a_board_that_restarts_is_a_resync_and_no_gap() {
    for format in [Format::CwxsBin, Format::Ov8b] {
        let run = board::line(format, 100);
        let said = board::decode(format, &[run.clone(), run].concat());
        assert!(said.contains(&Decoded::Refused(Refusal::CounterReset)), "{format}");
        assert!(!said.iter().any(|decoded| matches!(decoded, Decoded::Missing { .. })), "{format}");
        assert!(board::samples(&said).len() >= 199, "{format}");
    }
}

#[test]
fn both_ends_of_the_early_2017_firmware_are_accepted() {
    let mut bytes = board::line(Format::Ov8a, 10);
    for frame in bytes.chunks_exact_mut(15) {
        frame[13] = 0x02;
    }
    assert_eq!(board::samples(&board::decode(Format::Ov8a, &bytes)).len(), 10);
    assert_eq!(board::samples(&board::decode(Format::Ov8b, &bytes)).len(), 0, "the firmware of ov8b never sent it");
}

#[test]
fn a_reset_decoder_is_a_new_decoder() {
    for format in Format::ALL {
        let bytes = board::line(format, 50);
        let mut decoder = Decoder::new(format, Options::default());
        decoder.push(&bytes[..bytes.len() / 2 + 3], &mut |_| {});
        decoder.reset();
        let mut said = Vec::new();
        decoder.push(&bytes, &mut |decoded| said.push(decoded));
        assert_eq!(said, board::decode(format, &bytes), "{format}");
    }
}

#[test]
fn the_sample_row_of_the_original_project_is_sign_extended() {
    let said = board::decode(Format::Csv, b"\n1767759832,128363,11421861,652\n");
    let [Decoded::Sample(sample)] = said[..] else { panic!("{said:?}") };
    assert_eq!((sample.ecg, sample.respiration), (128_363, Some(-5_355_355)));
}

#[test]
fn lines_are_read_with_quotes_spaces_and_other_separators_and_not_with_other_things() {
    let good =
        ["1,2,3,4", " 1 ; 2\t3 ,4 ", "\"1\",\"2\",\"3\",\"4\"", "1.5,2.0,3.,-4.25", "+1,-2,+3,4", "1,16777215,0,0"];
    let bad =
        ["", "1,2,3", "1,2,3,4,5", "1,2.5,3,4", "1,x,3,4", "1,16777216,3,4", "1,-8388609,3,4", "1,,3,4", "a,2,3,4"];
    for line in good {
        let said = board::decode(Format::Columns(4), format!("\n{line}\r\n").as_bytes());
        assert!(matches!(said[..], [Decoded::Sample(_)]), "{line}: {said:?}");
    }
    for line in bad {
        let said = board::decode(Format::Columns(4), format!("\n0,0,0,0\n{line}\n0,0,0,0\n").as_bytes());
        assert_eq!(board::samples(&said).len(), 2, "{line}: {said:?}");
        let refused = said.contains(&Decoded::Refused(Refusal::Line));
        assert_eq!(refused, !line.is_empty(), "{line}: an empty line is nothing, any other is refused");
    }
}
