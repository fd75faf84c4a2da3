//! Which part of the record is shown closely.

use std::ops::Range;

use ecg_signal::Beat;

/// Shown when nothing else is asked for, seconds.
const USUAL_S: f64 = 10.0;
/// Shortest and longest stretch that can be read, seconds: less than a beat says nothing, and beyond a minute marks meet.
const SHORTEST_S: f64 = 0.5;
const LONGEST_S: f64 = 60.0;
/// The detector has learned how tall a beat is, and the filters have forgotten the start, seconds.
const SETTLED_S: f64 = 3.0;
/// A refused beat so near to the stretch reaches into it, seconds.
const AROUND_S: f64 = 0.5;
/// The longest a good stretch may be without a beat, seconds: a heart slower than 24 a minute is no showpiece.
const PAUSE_S: f64 = 2.5;

/// The stretch that was asked for, seconds.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli::analyze) struct Asked {
    /// Its start.
    pub(in crate::cli::analyze) from_s: Option<f64>,
    /// Its length.
    pub(in crate::cli::analyze) for_s: Option<f64>,
}

/// Why a stretch cannot be shown.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli::analyze) enum StretchError {
    /// It begins outside the record.
    #[error("--from {from_s}: the record has {length_s:.1} s; a stretch begins at 0 or later and before its end")]
    From {
        /// What was asked for.
        from_s: f64,
        /// What there is.
        length_s: f64,
    },
    /// It is too short or too long.
    #[error("--for {0}: a stretch of {SHORTEST_S} to {LONGEST_S} s can be read")]
    For(f64),
}

/// A part of the record.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stretch {
    /// Samples of the record.
    pub(super) part: Range<usize>,
    /// How it came to be chosen.
    pub(super) words: &'static str,
}

impl Stretch {
    /// What was asked for, else the first ten seconds that show the record at its best: what is worse is on the
    /// overview, with its place. `beats` in order of R.
    pub(super) fn of(asked: Asked, beats: &[&Beat], samples: usize, fs: f64) -> Result<Self, StretchError> {
        let for_s = asked.for_s.unwrap_or(USUAL_S);
        if !(SHORTEST_S..=LONGEST_S).contains(&for_s) {
            return Err(StretchError::For(for_s));
        }
        let length = ((for_s * fs).round() as usize).min(samples);
        let Some(from_s) = asked.from_s else {
            return Ok(Self::best(beats, samples, length, fs));
        };
        let start = (from_s * fs).round();
        if !(start >= 0.0 && (start as usize) < samples) {
            return Err(StretchError::From { from_s, length_s: samples as f64 / fs });
        }
        let start = start as usize;
        Ok(Self { part: start..(start + length).min(samples), words: "as asked for" })
    }

    fn best(beats: &[&Beat], samples: usize, length: usize, fs: f64) -> Self {
        let latest = samples - length;
        let earliest = ((SETTLED_S * fs) as usize).min(latest);
        let around = ((AROUND_S * fs) as usize).min(earliest);
        let mut best = (0, earliest);
        for start in (earliest..=latest).step_by((fs as usize).max(1)) {
            let inside = within(beats, &(start..start + length));
            let around = within(beats, &(start - around..start + length + around));
            let accepted = inside.iter().filter(|beat| beat.quality.verdict.is_accepted()).count();
            let clean = around.iter().all(|beat| beat.quality.verdict.is_accepted());
            if accepted > 0 && clean && longest_pause(inside, start, start + length) <= PAUSE_S * fs {
                let words = "the first, after settling, whose beats are all accepted";
                return Self { part: start..start + length, words };
            }
            if accepted > best.0 {
                best = (accepted, start);
            }
        }
        let words = match best.0 {
            0 => "no beat is accepted anywhere",
            _ if latest == 0 => "the whole record",
            _ => "the one with most accepted beats",
        };
        Self { part: best.1..best.1 + length, words }
    }

    /// Start and end, seconds of the record.
    pub(super) fn ends_s(&self, fs: f64) -> (f64, f64) {
        (self.part.start as f64 / fs, self.part.end as f64 / fs)
    }

    /// The options that ask for it.
    pub(super) fn options(&self, fs: f64) -> String {
        let (start, end) = self.ends_s(fs);
        let short = |value: f64| {
            let text = format!("{value:.3}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        };
        format!("--from {} --for {}", short(start), short(end - start))
    }
}

/// The beats whose R lies in a part of the record; `beats` in order of R.
pub(super) fn within<'a, 'b>(beats: &'a [&'b Beat], part: &Range<usize>) -> &'a [&'b Beat] {
    let first = beats.partition_point(|beat| beat.r_peak < part.start as f64);
    let end = beats.partition_point(|beat| beat.r_peak < part.end as f64);
    &beats[first..end.max(first)]
}

/// The longest time without a beat, in samples.
fn longest_pause(beats: &[&Beat], start: usize, end: usize) -> f64 {
    let moments = beats.iter().map(|beat| beat.r_peak).chain([end as f64]);
    let step = |last: &mut f64, at: f64| Some(at - std::mem::replace(last, at));
    moments.scan(start as f64, step).fold(0.0, f64::max)
}

/// Runs of samples of `part` for which something holds.
pub(super) fn runs(part: Range<usize>, holds: impl Fn(usize) -> bool) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for i in part.filter(|i| holds(*i)) {
        match runs.last_mut() {
            Some(run) if run.end == i => run.end = i + 1,
            _ => runs.push(i..i + 1),
        }
    }
    runs
}
