//! The format of a line from 4 KiB of it.

use super::board;
use ecg_wire::{DETECTION_WINDOW, Encoder, Format, detect};

/// A window of a line, begun at any byte. Codes are the heart plus noise, as from electrodes.
fn window(format: Format, random: &mut fastrand::Rng, len: usize) -> Vec<u8> {
    let mut encoder = Encoder::new(format);
    encoder.skip(random.u32(..1 << 24));
    let mut bytes = Vec::new();
    let offset = random.i32(-3_000_000..3_000_000);
    for code in board::codes(format, 2_500) {
        let noise = random.i32(-2_000..2_000);
        encoder.encode(code + offset + noise, noise * 10 - offset, false, &mut bytes);
    }
    // Past the header of a text, which a board says only once.
    let start = random.usize(50..800);
    bytes[start..start + len].to_vec()
}

fn errors(len: usize, trials: u64) -> Vec<String> {
    let mut errors = Vec::new();
    for format in Format::ALL {
        for seed in 0..trials {
            let bytes = window(format, &mut fastrand::Rng::with_seed(seed), len);
            let found = detect(&bytes).map(|found| found.format);
            if found != Some(format) {
                errors.push(format!("{format}, seed {seed}: {found:?}"));
            }
        }
    }
    errors
}

#[test]
fn a_window_of_4096_bytes_is_always_recognised() {
    let errors = errors(DETECTION_WINDOW, 100);
    eprintln!("4096 bytes: {} errors in {} windows", errors.len(), 100 * Format::ALL.len());
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn a_window_of_1500_bytes_is_always_recognised() {
    let errors = errors(1_500, 100);
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn random_bytes_are_no_format() {
    for seed in 0..300 {
        let mut random = fastrand::Rng::with_seed(seed);
        let bytes: Vec<u8> = (0..DETECTION_WINDOW).map(|_| random.u8(..)).collect();
        assert_eq!(detect(&bytes), None, "seed {seed}");
    }
}

#[test]
fn bytes_read_at_a_wrong_line_speed_are_no_format() {
    // Half the speed: every other bit of the line, start and stop bits among them.
    for format in Format::ALL {
        let bits: Vec<bool> = board::line(format, 1_500)
            .iter()
            .flat_map(|&byte| [false].into_iter().chain((0..8).map(move |n| byte >> n & 1 == 1)).chain([true]))
            .collect();
        let halved: Vec<bool> = bits.into_iter().step_by(2).collect();
        let bytes: Vec<u8> = halved
            .chunks_exact(10)
            .map(|bits| bits[1..9].iter().enumerate().fold(0, |byte, (n, &bit)| byte | u8::from(bit) << n))
            .take(DETECTION_WINDOW)
            .collect();
        assert_eq!(detect(&bytes), None, "{format}");
    }
}

#[test]
fn formats_that_are_not_spoken_here_are_not_taken_for_one_that_is() {
    let mut random = fastrand::Rng::with_seed(7);
    let mut code = || random.i32(-200_000..200_000);
    let mut build = |frame: &mut dyn FnMut(&mut dyn FnMut() -> i32) -> Vec<u8>| -> Vec<u8> {
        (0..1_200).flat_map(|_| frame(&mut code)).take(DETECTION_WINDOW).collect()
    };
    let ano13 = build(&mut |code| {
        let mut frame = [&[0xAA, 0xAA, 0xF1, 0x08][..], &code().to_be_bytes(), &code().to_be_bytes()].concat();
        frame.push(frame.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte)));
        frame
    });
    let pairs = build(&mut |code| [code().to_le_bytes(), code().to_le_bytes()].concat());
    let labelled = build(&mut |code| format!("ECG:{},RESP:{},HR:72,RR:15\r\n", code(), code()).into_bytes());
    let packets_of_15 = build(&mut |code| {
        let mut frame = vec![0x0A, 0xFA, 135, 0, 2];
        for _ in 0..15 {
            frame.extend([0xC0, 0, 0]);
            frame.extend(&code().to_be_bytes()[1..]);
            frame.extend(&code().to_be_bytes()[1..]);
        }
        frame.extend([0, 0x0B]);
        frame
    });
    let long_numbers = build(&mut |code| format!("{}\r\n", i64::from(code()) * 1_000_000_007).into_bytes());
    for (name, bytes) in [
        ("ano13", ano13),
        ("pairs", pairs),
        ("labelled", labelled),
        ("packets of 15", packets_of_15),
        ("long numbers", long_numbers),
        ("one byte", vec![0; DETECTION_WINDOW]),
        ("line ends", b"\r\n".repeat(DETECTION_WINDOW / 2)),
        ("nothing", Vec::new()),
    ] {
        assert_eq!(detect(&bytes), None, "{name}");
    }
}

#[test]
fn a_boot_text_of_up_to_two_thirds_of_the_window_is_no_obstacle() {
    let text = b"rst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\nInitiliziation is done\r\n".repeat(40);
    for format in Format::ALL {
        for len in [1, 50, 150, 600, 1_500, 2_000, 2_700] {
            let bytes = [&text[..len], &board::line(format, 2_500)].concat();
            let found = detect(&bytes[..DETECTION_WINDOW]).map(|found| found.format);
            assert!(found == Some(format), "{format} after {len} bytes of text: {found:?}");
        }
    }
}

#[test]
fn the_time_tells_the_original_lines_from_other_lines_of_four_whatever_the_header() {
    let format = |bytes: &[u8]| detect(bytes).map(|found| found.format);
    for (kind, other_head) in [
        (Format::Columns(4), "timestamp,Channel 1,Channel 2,Channel 3\r\n"),
        (Format::Columns(4), "timestamp_ms,ecg,resp,status\r\n"),
        (Format::Csv, "ms,ecg,resp,status\r\n"),
    ] {
        let lines = board::line(kind, 500);
        let end_of_head = lines.iter().position(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let bytes = [other_head.as_bytes(), &lines[end_of_head..]].concat();
        for len in [1_024, DETECTION_WINDOW] {
            assert_eq!(format(&bytes[..len]), Some(kind), "{other_head} and {len} bytes");
            assert_eq!(format(&lines[end_of_head..end_of_head + len]), Some(kind), "no header and {len} bytes");
        }
    }
}

#[test]
fn of_a_few_lines_the_header_tells() {
    let rows: String = (0..12).map(|n| format!("17{n:08},128363,11421861,652\r\n")).collect();
    let format = |head: &str| detect(format!("{head}\r\n{rows}").as_bytes()).map(|found| found.format);
    assert_eq!(format("timestamp,a,b,c"), Some(Format::Csv));
    assert_eq!(format("timestamp_ms,a,b,c"), Some(Format::Columns(4)));
}

#[test]
fn a_damaged_byte_delays_recognition_and_does_not_prevent_it() {
    for format in Format::ALL {
        let mut recognised = 0;
        for seed in 0..60 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut bytes = window(format, &mut random, DETECTION_WINDOW);
            for byte in &mut bytes {
                if random.f64() < 1e-3 {
                    *byte = random.u8(..);
                }
            }
            let found = detect(&bytes).map(|found| found.format);
            assert!(found.is_none() || found == Some(format), "{format}, seed {seed}: {found:?}");
            recognised += usize::from(found.is_some());
        }
        assert!(recognised >= 12, "{format}: {recognised} of 60");
    }
}
