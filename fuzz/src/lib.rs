//! What must hold for any bytes in any decoder. Each target names the formats of one family.
//!
//! Must not know layouts: a property that needs one belongs to the tests of `ecg-wire`.

use ecg_wire::{Decoded, Decoder, EcgChannel, Format, Options, Refusal};

/// The largest gap that a counter may claim.
const MAX_MISSING: u64 = 1 << 20;

/// Decodes `data` as one of `formats` and checks what comes out.
///
/// The first byte picks the format and the channel, the second the length of the chunks; the rest is the line.
pub fn decode(formats: &[Format], data: &[u8]) {
    let [pick, chunk, line @ ..] = data else { return };
    let Some(&format) = formats.get(usize::from(pick & 0x3F) % formats.len().max(1)) else { return };
    let ecg_channel = match pick >> 6 {
        0 | 1 => EcgChannel::OfFormat,
        2 => EcgChannel::One,
        _ => EcgChannel::Two,
    };
    let options = Options { ecg_channel, ..Options::default() };
    let mut decoder = Decoder::new(format, options);

    let mut whole = Vec::new();
    decoder.push(line, &mut |decoded| whole.push(decoded));
    for decoded in &whole {
        check(format, *decoded);
    }
    let samples = whole.iter().filter(|decoded| matches!(decoded, Decoded::Sample(_))).count();
    assert!(samples * format.frame_len().unwrap_or(2) <= line.len(), "{samples} samples of {} bytes", line.len());

    decoder.reset();
    let mut chunked = Vec::new();
    for part in line.chunks(usize::from(*chunk).max(1)) {
        decoder.push(part, &mut |decoded| chunked.push(decoded));
    }
    assert_eq!(whole, chunked, "{format} in chunks of {chunk}, by a decoder that was reset");
}

fn check(format: Format, decoded: Decoded) {
    let in_range = |code: i32| (-0x80_0000..=0x7F_FFFF).contains(&code);
    // A code that ran over the edge of its range carries at most eight turns of it.
    let in_turns = |code: i32| (-17 * 0x80_0000..17 * 0x80_0000).contains(&code);
    match decoded {
        Decoded::Sample(sample) => {
            assert!(in_turns(sample.ecg) && sample.respiration.is_none_or(in_range), "{sample:?}");
            let says_contact = sample.lead_off == Some(false);
            assert!(format.spec().has_lead_off || !says_contact, "{format} cannot know of contact: {sample:?}");
        }
        Decoded::Missing { frames } => assert!((1..=MAX_MISSING).contains(&frames), "{frames} frames"),
        Decoded::Refused(reason) => assert!(Refusal::ALL.contains(&reason)),
    }
}
