//! A stream with known beats, what may be done to it, and what the path made of it: one row of a table.
//!
//! A row says how many of the true beats were found before, during and after the disturbance, what was found that is no
//! beat, and how long after its end the path took to recover. Every number that the path gives is looked at on the way:
//! none of them may be a NaN or infinite.

use std::ops::Range;
use std::sync::Mutex;

use ecg_data::heart::{HeartParams, Noise, SyntheticHeart};
use ecg_signal::{Beat, Hertz, Mains, PathConfig, PathInput, SignalPath, SignalState};

/// A beat is found within this of its place: EC57 allows 150 ms, but a third of that tells R from a P wave.
pub(crate) const MATCH_S: f64 = 0.05;

/// Length of a synthetic stream.
pub(crate) const SECONDS: f64 = 60.0;

/// Samples of one source, where its beats are, and where samples are missing.
#[derive(Clone)]
pub(crate) struct Stream {
    pub(crate) fs: f64,
    pub(crate) mains: Mains,
    pub(crate) samples: Vec<PathInput>,
    /// Before which sample how many samples are said to be missing.
    pub(crate) gaps: Vec<(usize, u64)>,
    /// Places of the true beats, in samples of the source, missing ones counted.
    pub(crate) truth: Vec<f64>,
}

impl Stream {
    /// A minute of a synthetic person at rest, with 10 µV of muscle noise and 50 Hz mains of 30 µV. Made once.
    pub(crate) fn person(seed: u64, fs: f64) -> Self {
        static MADE: Mutex<Vec<(u64, f64, Stream)>> = Mutex::new(Vec::new());
        let mut made = MADE.lock().expect("no test panics here");
        if let Some((_, _, stream)) = made.iter().find(|(s, f, _)| (*s, *f) == (seed, fs)) {
            return stream.clone();
        }
        let stream = Self::synthetic(seed, fs);
        made.push((seed, fs, stream.clone()));
        stream
    }

    fn synthetic(seed: u64, fs: f64) -> Self {
        let person = HeartParams::from_seed(seed);
        let mut heart = SyntheticHeart::new(&person, fs, seed).expect("a heart").with_noise(Noise::at_rest());
        let mut stream = Self::of(fs, Vec::new(), Vec::new());
        for _ in 0..(SECONDS * fs) as usize {
            let sample = heart.step();
            stream.samples.push(PathInput::of(sample.millivolts));
            stream.truth.extend(sample.r_peak);
        }
        stream
    }

    pub(crate) fn of(fs: f64, millivolts: Vec<f64>, truth: Vec<f64>) -> Self {
        let samples = millivolts.into_iter().map(PathInput::of).collect();
        Self { fs, mains: Mains::Hz50, samples, gaps: Vec::new(), truth }
    }

    /// Sample index of a time.
    pub(crate) fn at(&self, seconds: f64) -> usize {
        ((seconds * self.fs) as usize).min(self.samples.len())
    }

    /// Changes the millivolts of a stretch; the closure is given the time in seconds.
    pub(crate) fn change(mut self, seconds: Range<f64>, mut change: impl FnMut(f64, f64) -> f64) -> Self {
        let (fs, stretch) = (self.fs, self.at(seconds.start)..self.at(seconds.end));
        for n in stretch {
            self.samples[n].millivolts = change(n as f64 / fs, self.samples[n].millivolts);
        }
        self
    }

    /// The converter's rails at ± `rail`: what lies beyond is cut, and marked where the board `says` so.
    pub(crate) fn clipped_at(mut self, rail: f64, says: bool) -> Self {
        for sample in &mut self.samples {
            sample.clipped = says && sample.millivolts.abs() >= rail;
            sample.millivolts = sample.millivolts.clamp(-rail, rail);
        }
        self
    }

    /// Takes a stretch out, as a source does that loses samples; the gap says `told` times as many as were lost.
    pub(crate) fn lose(mut self, seconds: Range<f64>, told: f64) -> Self {
        let stretch = self.at(seconds.start)..self.at(seconds.end);
        let (start, lost) = (stretch.start, stretch.len());
        self.samples.drain(stretch);
        let missing = (lost as f64 * told) as u64;
        let (from, to) = (start as f64, (start + lost) as f64);
        self.truth.retain(|beat| !(from..to).contains(beat));
        let moved = missing as f64 - lost as f64;
        self.truth.iter_mut().filter(|beat| **beat >= to).for_each(|beat| *beat += moved);
        self.gaps.push((start, missing));
        self
    }

    pub(crate) fn beats_between(&self, seconds: &Range<f64>) -> impl Iterator<Item = f64> {
        let range = seconds.start * self.fs..seconds.end * self.fs;
        self.truth.iter().copied().filter(move |beat| range.contains(beat))
    }

    /// Runs the whole path over the stream, and looks at every number that it gives.
    pub(crate) fn run(&self) -> Passage {
        let config = PathConfig { fs: Hertz(self.fs), mains: self.mains };
        let mut path = SignalPath::new(&config).expect("a legal configuration");
        let mut beats: Vec<Beat> = Vec::new();
        let mut gaps = self.gaps.iter().peekable();
        for (n, &sample) in self.samples.iter().enumerate() {
            while let Some(&(_, missing)) = gaps.next_if(|gap| gap.0 == n) {
                path.gap(missing, &mut |beat| beats.push(beat));
            }
            path.push(sample, &mut |beat| beats.push(beat));
            if n % 97 == 0 {
                assert_state_is_finite(&path.signal_state());
            }
        }
        path.flush(&mut |beat| beats.push(beat));
        beats.iter().for_each(assert_is_finite);
        assert!(beats.windows(2).all(|pair| pair[0].r_peak < pair[1].r_peak), "beats come in order of time");
        let end = self.samples.len() as f64 + self.gaps.iter().map(|gap| gap.1 as f64).sum::<f64>();
        assert!(beats.iter().all(|beat| (0.0..end).contains(&beat.r_peak)), "no beat lies outside the stream");
        Passage { fs: self.fs, beats }
    }
}

fn assert_is_finite(beat: &Beat) {
    let quality = &beat.quality;
    let mut numbers = vec![beat.r_peak, beat.amplitude_mv, beat.rr_ms.unwrap_or(0.0), quality.score];
    numbers.extend([quality.noise_ratio, quality.noise_state, quality.spread, quality.shape, quality.peak_to_peak_mv]);
    numbers.push(quality.correlation.unwrap_or(0.0));
    numbers.extend(beat.segment);
    assert!(numbers.iter().all(|x| x.is_finite()), "{beat:?}");
}

fn assert_state_is_finite(state: &SignalState) {
    assert!(state.heart_rate_bpm.unwrap_or(0.0).is_finite(), "{state:?}");
    assert!((0.0..=1.0).contains(&state.accepted_share), "{state:?}");
}

/// What the path made of a stream.
pub(crate) struct Passage {
    fs: f64,
    pub(crate) beats: Vec<Beat>,
}

/// Beats of one stretch.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) marked: usize,
    pub(crate) found: usize,
    /// Found where no true beat is, and accepted among them.
    pub(crate) invented: usize,
    pub(crate) accepted_inventions: usize,
}

impl Tally {
    /// Share of the true beats that were found, in per cent; 100 where there are none.
    pub(crate) fn sensitivity(&self) -> f64 {
        if self.marked == 0 { 100.0 } else { 100.0 * self.found as f64 / self.marked as f64 }
    }

    pub(crate) fn add(&mut self, other: &Tally) {
        self.marked += other.marked;
        self.found += other.found;
        self.invented += other.invented;
        self.accepted_inventions += other.accepted_inventions;
    }
}

impl Passage {
    /// Compares beats and truth within a stretch: a beat belongs to a true one within `match_s` of it.
    pub(crate) fn tally(&self, stream: &Stream, seconds: &Range<f64>, match_s: f64) -> Tally {
        let mut tally = Tally::default();
        let truth: Vec<f64> = stream.beats_between(seconds).collect();
        tally.marked = truth.len();
        tally.found = truth.iter().filter(|&&beat| self.nearest_s(beat) <= match_s).count();
        let range = seconds.start * self.fs..seconds.end * self.fs;
        for beat in self.beats.iter().filter(|beat| range.contains(&beat.r_peak)) {
            if stream.truth.iter().all(|truth| (truth - beat.r_peak).abs() > match_s * self.fs) {
                tally.invented += 1;
                tally.accepted_inventions += usize::from(beat.quality.verdict.is_accepted());
            }
        }
        tally
    }

    fn nearest_s(&self, place: f64) -> f64 {
        self.beats.iter().map(|beat| (beat.r_peak - place).abs() / self.fs).fold(f64::INFINITY, f64::min)
    }

    /// The largest distance in seconds between a true beat and the one found for it; 0 without one.
    pub(crate) fn off_s(&self, stream: &Stream, match_s: f64) -> f64 {
        let near = stream.truth.iter().map(|&beat| self.nearest_s(beat)).filter(|off| *off <= match_s);
        near.fold(0.0, f64::max)
    }

    /// Seconds from `end_s` to the last beat that was missed or invented within `horizon_s` after it; 0 without one.
    pub(crate) fn settled_s(&self, stream: &Stream, end_s: f64, horizon_s: f64) -> f64 {
        let seconds = end_s..end_s + horizon_s;
        let missed = stream.beats_between(&seconds).filter(|&beat| self.nearest_s(beat) > MATCH_S);
        let range = seconds.start * self.fs..seconds.end * self.fs;
        let invented = self.beats.iter().map(|beat| beat.r_peak).filter(|beat| {
            range.contains(beat) && stream.truth.iter().all(|truth| (truth - beat).abs() > MATCH_S * self.fs)
        });
        missed.chain(invented).map(|place| place / self.fs - end_s).fold(0.0, f64::max)
    }

    /// Seconds from `end_s` to the first accepted beat after it.
    pub(crate) fn accepted_after_s(&self, end_s: f64) -> f64 {
        let accepted = self.beats.iter().filter(|beat| beat.quality.verdict.is_accepted());
        accepted.map(|beat| beat.r_peak / self.fs - end_s).find(|after| *after >= 0.0).unwrap_or(f64::INFINITY)
    }

    /// Seconds from `end_s` until the first true beat after it was given out.
    pub(crate) fn heard_after_s(&self, stream: &Stream, end_s: f64) -> f64 {
        let after = |beat: &&Beat| beat.r_peak >= end_s * self.fs;
        let true_beat =
            |beat: &&Beat| stream.truth.iter().any(|truth| (truth - beat.r_peak).abs() <= MATCH_S * self.fs);
        let decided = self.beats.iter().filter(after).find(true_beat).map(|beat| beat.decided_at as f64);
        decided.map_or(f64::INFINITY, |at| at / self.fs - end_s)
    }
}
