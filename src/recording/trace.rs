//! The conditioned signal of a stretch of a recording, as segments are cut from it. Knows no beats.

use std::ops::Range;

use ecg_signal::{Mains, PathConfig, PathError, PathInput, SignalPath};

use super::Stream;

impl Stream {
    /// The conditioned signal of a part of the stream, heard from its very start so that the filters are as settled as
    /// in [`Stream::pass`]: positions in samples of the stream, fractional, every delay taken off, and millivolts.
    ///
    /// # Errors
    /// [`PathError`] where the path does not take this sampling frequency.
    pub fn conditioned(&self, part: Range<usize>, mains: Mains) -> Result<Vec<(f64, f64)>, PathError> {
        let mut path = SignalPath::new(&PathConfig { fs: self.fs, mains })?;
        let late = self.fs.samples(path.delay().r_to_segment_ms / 1000.0);
        let second = self.fs.samples(1.0).max(1);
        // Behind the end of the stream its last sample is held, as the path itself does when it is flushed.
        let held = self.samples.last().copied().unwrap_or(PathInput::of(0.0));
        let mut trace: Vec<(f64, f64)> = Vec::new();
        let end = part.end + late;
        for i in 0..end {
            path.push(self.samples.get(i).copied().unwrap_or(held), &mut |_| ());
            if i >= part.start && (i % second == 0 || i + 1 == end) {
                let after = trace.last().map_or(part.start as f64 - 0.5, |(at, _)| *at);
                trace.extend(path.conditioned(after));
            }
        }
        trace.retain(|(at, _)| *at < part.end as f64);
        Ok(trace)
    }
}

#[cfg(test)]
mod tests {
    use ecg_signal::Hertz;

    use super::*;

    /// Ten seconds of sharp bumps, one a second, at `fs`.
    fn stream(fs: f64) -> Stream {
        let bump = |i: usize| (-(((i as f64 / fs).rem_euclid(1.0) - 0.5) / 0.012).powi(2)).exp();
        let samples = (0..(10.0 * fs) as usize).map(|i| PathInput::of(bump(i))).collect();
        Stream { format: "record".into(), fs: Hertz(fs), samples, respiration: None }
    }

    #[test]
    fn a_part_is_whole_evenly_spaced_and_what_the_whole_stream_gives_there() {
        for fs in [125.0, 250.0, 360.0, 1000.0] {
            let (stream, second) = (stream(fs), fs as usize);
            let whole = stream.conditioned(0..10 * second, Mains::Hz50).unwrap();
            assert!((2499..=2501).contains(&whole.len()), "{} at {fs} Hz", whole.len());
            assert!(whole.windows(2).all(|w| (w[1].0 - w[0].0 - fs / 250.0).abs() < 1e-6));
            let part = stream.conditioned(3 * second..7 * second, Mains::Hz50).unwrap();
            let same: Vec<_> = whole.into_iter().filter(|(at, _)| *at >= 3.0 * fs && *at < 7.0 * fs).collect();
            assert_eq!(part, same);
        }
    }

    #[test]
    fn peaks_lie_where_they_are_in_the_stream() {
        for fs in [125.0, 250.0, 500.0] {
            let second = fs as usize;
            let trace = stream(fs).conditioned(4 * second..5 * second, Mains::None).unwrap();
            let peak = trace.iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
            assert!((peak.0 / fs - 4.5).abs() <= 0.004, "{} s at {fs} Hz", peak.0 / fs);
        }
    }

    #[test]
    fn the_segment_of_a_beat_is_a_piece_of_the_trace() {
        let stream = stream(250.0);
        let passage = stream.pass(0..stream.samples.len(), Mains::Hz50).unwrap();
        let trace = stream.conditioned(0..stream.samples.len(), Mains::Hz50).unwrap();
        let beat = &passage.beats[passage.beats.len() - 2];
        let first = beat.r_peak.round() as usize - ecg_signal::SEGMENT_R_INDEX;
        let piece: Vec<f64> = trace[first..first + ecg_signal::SEGMENT_SAMPLES].iter().map(|(_, mv)| *mv).collect();
        assert_eq!(piece, beat.segment);
    }
}
