//! Noise before and between frames: what is lost, what is said.

use super::board;
use ecg_wire::{Decoded, Decoder, Format, Options, Refusal};

/// What an Arduino prints when the port is opened.
const BOOT_TEXT: &[u8] = b"\r\n\xfeets Jul 29 2019 12:21:46\r\nrst:0x1 (POWERON_RESET)\r\nInitiliziation is done\r\n";

fn noise(random: &mut fastrand::Rng, len: usize) -> Vec<u8> {
    (0..len).map(|_| random.u8(..)).collect()
}

#[test]
fn after_noise_the_second_frame_is_the_latest_to_be_read() {
    for format in Format::ALL {
        let codes = board::codes(format, 20);
        let expected = board::transmitted(format, &codes);
        let (head, frames) = board::frames(format, &codes);
        for seed in 0..300 {
            let mut random = fastrand::Rng::with_seed(seed);
            let len = random.usize(1..400);
            let bytes = [head.clone(), frames.concat(), noise(&mut random, len), frames.concat()].concat();
            let ecg = board::ecg(&board::decode(format, &bytes));
            assert!(ecg.starts_with(&expected), "{format}, seed {seed}: what came before the noise");
            assert!(ecg.ends_with(&expected[1..]), "{format}, seed {seed}: what came after it");
            // At most one sample made of noise: a line of digits can always be one.
            assert!(ecg.len() <= 2 * expected.len() + 1, "{format}, seed {seed}");
        }
    }
}

#[test]
fn a_cut_first_frame_costs_only_itself() {
    for format in Format::ALL {
        let codes = board::codes(format, 20);
        let (_, frames) = board::frames(format, &codes);
        for cut in 1..frames[0].len() {
            let ecg = board::ecg(&board::decode(format, &frames.concat()[cut..]));
            assert_eq!(ecg, board::transmitted(format, &codes)[1..], "{format}, {cut} bytes cut");
        }
    }
}

#[test]
fn boot_text_is_garbage_once_and_costs_no_sample() {
    for format in Format::ALL {
        let bytes = [BOOT_TEXT, &board::line(format, 100)].concat();
        let said = board::decode(format, &bytes);
        assert_eq!(said[0], Decoded::Refused(Refusal::Garbage), "{format}");
        assert_eq!(board::samples(&said).len(), 100, "{format}");
        assert_eq!(said.len(), 101, "{format}: nothing else is said, and nothing is missing before the first frame");
    }
}

#[test]
fn a_lost_byte_is_one_lost_frame_and_the_position_holds() {
    for format in Format::ALL {
        let codes = board::codes(format, 60);
        let (head, frames) = board::frames(format, &codes);
        // Not the line end of a text: without it two lines are one.
        for lost in 0..frames[30].len() - 2 {
            let mut frames = frames.clone();
            frames[30].remove(lost);
            let said = board::decode(format, &[head.clone(), frames.concat()].concat());
            let (mut position, mut wrong) = (0, 0);
            for decoded in &said {
                match decoded {
                    Decoded::Missing { frames } => position += *frames as usize,
                    Decoded::Sample(sample) => {
                        wrong += usize::from(sample.ecg != board::transmitted(format, &codes)[position]);
                        position += 1;
                    }
                    Decoded::Refused(_) => {}
                }
            }
            assert_eq!(position, 60, "{format}, byte {lost}: {said:?}");
            // Bare frames and digits cannot know that one of them is short; the gate bounds by how much it is off.
            let can_know = !matches!(format, Format::Raw9 | Format::Csv | Format::Columns(_));
            assert!(wrong <= usize::from(!can_know), "{format}, byte {lost}: {wrong} wrong samples");
        }
    }
}

#[test]
fn a_megabyte_of_noise_is_few_words() {
    let mut random = fastrand::Rng::with_seed(1);
    let bytes = noise(&mut random, 1 << 20);
    for format in Format::ALL {
        let said = board::decode(format, &bytes).len();
        // 256-byte lines of text could be refused one by one; frames once a frame length at the very most.
        assert!(said < 8_000, "{format}: {said}");
    }
}

#[test]
fn syncs_without_frames_are_reported_once_a_frame_length_at_most() {
    let bytes = [0xA5, 0x5A].repeat(7_000);
    let said = board::decode(Format::CwxsBin, &[bytes.as_slice(), &[1]].concat());
    assert!(said.len() <= bytes.len() / 14 + 1, "{} words for {} bytes", said.len(), bytes.len());
}

#[test]
fn a_bare_frame_after_a_loss_of_sync_waits_for_the_next() {
    let one = board::line(Format::Raw9, 1);
    let mut decoder = Decoder::new(Format::Raw9, Options::default());
    let samples = |decoder: &mut Decoder, bytes: &[u8]| {
        let mut said = Vec::new();
        decoder.push(bytes, &mut |decoded| said.push(decoded));
        board::samples(&said).len()
    };
    assert_eq!(samples(&mut decoder, &one), 0, "at the start");
    assert_eq!(samples(&mut decoder, &one), 2);
    assert_eq!(samples(&mut decoder, &one), 1, "in sync it does not wait");
    assert_eq!(samples(&mut decoder, &[b"noise", one.as_slice()].concat()), 0, "after noise");
    decoder.reset();
    assert_eq!(samples(&mut decoder, &one), 0, "after a reset");
}

#[test]
fn a_few_unreadable_frames_are_counted_and_many_are_left_to_the_rate() {
    for (unreadable, expected) in [(1, Some(1)), (5, Some(5)), (16, Some(16)), (17, None), (100, None)] {
        let (_, mut frames) = board::frames(Format::Ov9, &vec![0; unreadable + 4]);
        for frame in &mut frames[2..2 + unreadable] {
            frame[15] = 0xFF;
        }
        let missing = board::decode(Format::Ov9, &frames.concat()).into_iter().find_map(|decoded| match decoded {
            Decoded::Missing { frames } => Some(frames),
            _ => None,
        });
        assert_eq!(missing, expected, "{unreadable} frames");
    }
}

#[test]
fn a_new_level_after_noise_is_believed_at_once() {
    for format in Format::ALL {
        let (head, low) = board::frames(format, &[-4_000_000; 20]);
        let (_, high) = board::frames(format, &[4_000_000; 20]);
        let bytes = [head, low.concat(), b"\nnoise\n".to_vec(), high.concat()].concat();
        let said = board::decode(format, &bytes);
        assert!(!said.contains(&Decoded::Refused(Refusal::Slew)), "{format}: {said:?}");
        assert!(board::samples(&said).len() >= 39, "{format}");
    }
}
