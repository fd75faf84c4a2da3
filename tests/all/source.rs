//! Sources against simulated boards: bytes in memory under a paused clock, a real pseudo-terminal, a real socket.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use ecg_signal::PathInput;
use ecg_wire::{Encoder, Format};
use ecgid::board::terminal::Terminal;
use ecgid::pipeline::flow::{Flow, ProblemKind, SourceItem, SourceSample};
use ecgid::pipeline::pulse::Pulse;
use ecgid::source::backoff::Backoff;
use ecgid::source::decode::{ByteDecoder, DecodeOptions};
use ecgid::source::link::{Connector, Link};
use ecgid::source::replay::Replay;
use ecgid::source::serial::SerialConnector;
use ecgid::source::tcp::TcpConnector;
use ecgid::source::{Source, SourceSender, WhenFull};
use tokio::io::{AsyncWriteExt, DuplexStream, duplex};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

#[path = "source/links.rs"]
mod links;
#[path = "source/rates.rs"]
mod rates;

/// A board that counts its samples up from 1000 in steps of `STEP` codes, so that each can be told from the others.
struct CountingBoard {
    encoder: Encoder,
    next: i32,
}

const STEP: i32 = 10;

impl CountingBoard {
    fn new(format: Format) -> Self {
        Self { encoder: Encoder::new(format), next: 1_000 }
    }

    fn frames(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        for _ in 0..count {
            self.encoder.encode(self.next, 0, false, &mut bytes);
            self.next += STEP;
        }
        bytes
    }

    /// Frames that are made and never arrive.
    fn lose(&mut self, count: u32) {
        self.encoder.skip(count);
        self.next += STEP * i32::try_from(count).unwrap();
    }
}

/// The counts behind the millivolts of a `cwxs-bin` board.
fn counts(block: &[SourceSample]) -> Vec<i32> {
    let spec = Format::CwxsBin.spec();
    let scale = ecg_wire::millivolts_per_code(spec.gain, spec.vref_volts, spec.code_shift);
    block.iter().map(|sample| (sample.ecg.millivolts / scale).round() as i32).collect()
}

/// Blocks joined, gaps by their size, the rest by name: what a reader of the queue can rely on.
#[derive(Debug, PartialEq)]
enum Told {
    Samples(Vec<i32>),
    Gap(u64),
    Refused(u64),
    Online(String),
    Offline,
    Problem(ProblemKind),
}

fn tell(items: impl IntoIterator<Item = SourceItem>) -> Vec<Told> {
    let mut told: Vec<Told> = Vec::new();
    for item in items {
        match item {
            SourceItem::Samples(Flow::Block(block)) => match told.last_mut() {
                Some(Told::Samples(before)) => before.extend(counts(&block)),
                _ => told.push(Told::Samples(counts(&block))),
            },
            SourceItem::Samples(Flow::Gap { missing }) => told.push(Told::Gap(missing)),
            SourceItem::Refused { frames } => told.push(Told::Refused(frames)),
            SourceItem::Online(front_end) => told.push(Told::Online(front_end.format)),
            SourceItem::Offline { .. } => told.push(Told::Offline),
            SourceItem::Problem(problem) => told.push(Told::Problem(problem.kind)),
        }
    }
    told
}

fn range(from: i32, count: i32) -> Vec<i32> {
    (0..count).map(|i| from + STEP * i).collect()
}

fn decode(decoder: &mut ByteDecoder, bytes: &[u8], at: Duration) -> Vec<Told> {
    let mut items = Vec::new();
    decoder.push(bytes, at, &mut items);
    tell(items)
}

const NOW: Duration = Duration::ZERO;

#[test]
fn the_respiration_channel_arrives_in_codes_where_the_format_has_one() {
    for (format, expected) in [(Format::CwxsBin, Some(-1_234.0)), (Format::Ov8a, Some(-1_234.0)), (Format::Ov8b, None)]
    {
        let (mut encoder, mut bytes, mut items) = (Encoder::new(format), Vec::new(), Vec::new());
        (0..20).for_each(|_| encoder.encode(5_000, -1_234, false, &mut bytes));
        ByteDecoder::new(DecodeOptions { format: Some(format), ..DecodeOptions::default() })
            .push(&bytes, NOW, &mut items);
        let heard: Vec<_> = items
            .into_iter()
            .filter_map(|item| if let SourceItem::Samples(Flow::Block(block)) = item { Some(block) } else { None })
            .flatten()
            .collect();
        assert!(heard.len() >= 19 && heard.iter().all(|sample| sample.respiration == expected), "{format}");
    }
}

#[test]
fn a_format_is_recognised_behind_boot_text_and_no_sample_of_it_is_lost() {
    let mut board = CountingBoard::new(Format::CwxsBin);
    let mut decoder = ByteDecoder::new(DecodeOptions::default());
    let mut stream = b"ID register = 0x73\r\nInitiliziation is done\r\n".to_vec();
    stream.extend(board.frames(250));
    let mut told = Vec::new();
    for chunk in stream.chunks(14) {
        let mut items = Vec::new();
        decoder.push(chunk, NOW, &mut items);
        told.extend(items);
    }
    assert_eq!(decoder.format(), Some(Format::CwxsBin));
    let told = tell(told);
    assert_eq!(told[0], Told::Online("cwxs-bin".to_owned()));
    assert_eq!(told[1], Told::Samples(range(1_000, 250)), "{told:?}");
    assert_eq!(told.len(), 2);
}

#[test]
fn another_gain_or_reference_voltage_is_another_front_end() {
    let spec = Format::CwxsBin.spec();
    let scale = |gain, vref_volts| {
        let options = DecodeOptions { format: Some(Format::CwxsBin), gain, vref_volts, ..DecodeOptions::default() };
        let mut items = Vec::new();
        ByteDecoder::new(options).push(&CountingBoard::new(Format::CwxsBin).frames(100), NOW, &mut items);
        let online = items.into_iter().find_map(|item| match item {
            SourceItem::Online(front_end) => Some(front_end.scale),
            _ => None,
        });
        online.expect("the board is recognised")
    };
    assert_eq!([scale(None, None), scale(Some(spec.gain), Some(spec.vref_volts))], [1.0, 1.0]);
    assert_eq!([scale(Some(2.0 * spec.gain), None), scale(None, Some(2.0 * spec.vref_volts))], [0.5, 2.0]);
}

#[test]
fn a_long_boot_message_only_delays_the_recognition() {
    let mut decoder = ByteDecoder::new(DecodeOptions::default());
    let text = "register dump: 0x40 0x02 0xa0 0x10\r\n".repeat(60);
    assert_eq!(decode(&mut decoder, text.as_bytes(), NOW), []);
    let told = decode(&mut decoder, &CountingBoard::new(Format::CwxsBin).frames(400), NOW);
    assert!(matches!(&told[1], Told::Samples(samples) if samples.ends_with(&[1_000 + STEP * 399])), "{told:?}");
}

fn pinned() -> (CountingBoard, ByteDecoder) {
    let mut board = CountingBoard::new(Format::CwxsBin);
    let options = DecodeOptions { format: Some(Format::CwxsBin), ..DecodeOptions::default() };
    let mut decoder = ByteDecoder::new(options);
    let first = decode(&mut decoder, &board.frames(100), NOW);
    assert_eq!(first, [Told::Online("cwxs-bin".to_owned()), Told::Samples(range(1_000, 100))]);
    (board, decoder)
}

#[test]
fn frames_that_never_arrive_are_a_gap_of_exactly_their_number() {
    let (mut board, mut decoder) = pinned();
    board.lose(37);
    let told = decode(&mut decoder, &board.frames(10), NOW);
    assert_eq!(told, [Told::Gap(37), Told::Samples(range(1_000 + STEP * 137, 10))]);
}

#[test]
fn garbage_between_frames_is_refused_and_ends_the_history_without_a_missing_sample() {
    let (mut board, mut decoder) = pinned();
    let mut bytes = board.frames(5);
    bytes.extend([0x00, 0x11, 0x22, 0x33, 0x44]);
    bytes.extend(board.frames(5));
    let told = decode(&mut decoder, &bytes, NOW);
    let [Told::Refused(1), Told::Samples(before), Told::Gap(0), Told::Samples(after)] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!((before, after), (&range(2_000, 5), &range(2_050, 5)));
}

#[test]
fn a_corrupted_frame_is_one_missing_sample() {
    let (mut board, mut decoder) = pinned();
    let mut bytes = board.frames(10);
    bytes[14 * 4 + 7] ^= 0x10;
    let told = decode(&mut decoder, &bytes, NOW);
    assert!(matches!(&told[0], Told::Refused(n) if *n >= 1), "{told:?}");
    assert!(told.contains(&Told::Samples(range(2_000, 4))), "{told:?}");
    assert!(told.contains(&Told::Samples(range(2_050, 5))), "{told:?}");
    let missing: u64 = told.iter().map(|t| if let Told::Gap(missing) = t { *missing } else { 0 }).sum();
    assert_eq!(missing, 1, "{told:?}");
}

#[test]
fn another_format_after_the_pinned_one_is_a_fault_and_its_samples_are_refused() {
    let (mut board, mut decoder) = pinned();
    let mut other = CountingBoard::new(Format::Ov9);
    let mut told = Vec::new();
    for _ in 0..40 {
        told.extend(decode(&mut decoder, &other.frames(10), NOW));
    }
    let faults = told.iter().filter(|t| **t == Told::Problem(ProblemKind::FrontEndChanged)).count();
    assert_eq!(faults, 1, "said once: {told:?}");
    assert!(!told.iter().any(|t| matches!(t, Told::Samples(_))), "{told:?}");
    assert_eq!(decoder.format(), Some(Format::CwxsBin));
    let back = decode(&mut decoder, &board.frames(50), NOW);
    assert!(matches!(back.last(), Some(Told::Samples(samples)) if samples.len() >= 49), "{back:?}");
}

#[test]
fn bytes_in_no_format_are_a_problem_that_is_said_once() {
    let mut decoder = ByteDecoder::new(DecodeOptions::default());
    let mut random = fastrand::Rng::with_seed(7);
    let told: Vec<Told> = (0..200)
        .flat_map(|_| {
            let noise: Vec<u8> = (0..100).map(|_| random.u8(..)).collect();
            decode(&mut decoder, &noise, NOW)
        })
        .collect();
    assert_eq!(told, [Told::Problem(ProblemKind::UnknownFormat)]);
}

#[test]
fn without_a_counter_the_rate_tells_of_a_loss() {
    let mut board = CountingBoard::new(Format::Ov8a);
    let options = DecodeOptions { format: Some(Format::Ov8a), ..DecodeOptions::default() };
    let mut decoder = ByteDecoder::new(options);
    let mut gaps = Vec::new();
    for tenth in 0..300_u32 {
        let bytes = board.frames(if tenth % 2 == 0 { 12 } else { 13 });
        if (100..120).contains(&tenth) {
            continue; // Two seconds on which the line was dead.
        }
        let told = decode(&mut decoder, &bytes, Duration::from_millis(100) * tenth);
        gaps.extend(told.into_iter().filter_map(|t| if let Told::Gap(missing) = t { Some(missing) } else { None }));
    }
    // The decoder may refuse the jump as well; what counts is that the loss is seen, and nearly in full.
    let missing: u64 = gaps.iter().sum();
    assert!((235..=265).contains(&missing), "{gaps:?}");
}

fn block(count: usize) -> Vec<SourceSample> {
    vec![PathInput { millivolts: 0.0, clipped: false, lead_off: None }.into(); count]
}

#[tokio::test(start_paused = true)]
async fn what_a_live_source_cannot_hand_over_becomes_a_gap_of_its_size() {
    let (out, mut queue) = SourceSender::with_capacity(2, Pulse::default());
    let mut out = out.when_full(WhenFull::DropAfter(Duration::from_secs(1)));
    for size in [1, 2, 30, 40] {
        out.samples(block(size)).await.unwrap();
    }
    assert!(matches!(queue.recv().await, Some(SourceItem::Samples(Flow::Block(b))) if b.len() == 1));
    assert!(matches!(queue.recv().await, Some(SourceItem::Samples(Flow::Block(b))) if b.len() == 2));
    out.samples(block(5)).await.unwrap();
    assert!(matches!(queue.recv().await, Some(SourceItem::Samples(Flow::Gap { missing: 70 }))));
    assert!(matches!(queue.recv().await, Some(SourceItem::Samples(Flow::Block(b))) if b.len() == 5));
}

#[tokio::test(start_paused = true)]
async fn a_short_stall_of_the_pipeline_loses_nothing() {
    let (mut out, mut queue) = SourceSender::with_capacity(2, Pulse::default());
    let writer = tokio::spawn(async move {
        for _ in 0..10 {
            out.samples(block(5)).await.unwrap();
        }
    });
    sleep(Duration::from_millis(1_500)).await;
    let mut samples = 0;
    while let Some(item) = queue.recv().await {
        let SourceItem::Samples(Flow::Block(block)) = item else { panic!("{item:?}") };
        samples += block.len();
    }
    writer.await.unwrap();
    assert_eq!(samples, 50);
}
