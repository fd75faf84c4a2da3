//! From a column of times to a sampling frequency, and to the places where samples were lost.
//!
//! The unit is that of the header. Where it has none it is told from the values: repeated whole numbers are Unix seconds
//! (a few hundred rows share one), fractions are seconds, other whole numbers are milliseconds.
//! Must not know of signals.

/// Sampling frequencies of boards, in hertz. An estimate near one is that one: the board's crystal is better than its
/// time stamps.
const USUAL_FS: [f64; 10] = [100.0, 125.0, 128.0, 200.0, 250.0, 256.0, 360.0, 500.0, 1000.0, 2000.0];
/// What a file without times is taken for: the rate of the boards whose text this is.
const DEFAULT_FS: f64 = 250.0;
/// A step of this many periods is a loss; less is the jitter of a board's loop.
const LOSS_PERIODS: f64 = 2.5;
/// Longer steps are a clock that was set, not samples that were lost.
const LONGEST_LOSS_S: f64 = 3600.0;

/// Samples that were lost before a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    pub(super) row: usize,
    pub(super) missing: usize,
}

/// What the times say.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Timing {
    pub(super) fs: f64,
    pub(super) gaps: Vec<Gap>,
    pub(super) warnings: Vec<String>,
}

/// Reads a column of times, in units of `unit_s` seconds where that is known; empty for a file without one.
pub(super) fn of(times: &[f64], unit_s: Option<f64>) -> Result<Timing, String> {
    let mut timing = Timing { fs: DEFAULT_FS, gaps: Vec::new(), warnings: Vec::new() };
    let (Some(first), Some(last)) = (times.first(), times.last()) else {
        timing.warnings.push(format!("no time column: {DEFAULT_FS} Hz assumed"));
        return Ok(timing);
    };
    let whole = times.iter().all(|t| t.fract() == 0.0);
    let repeats = times.windows(2).filter(|pair| pair[0] == pair[1]).count();
    if whole && repeats * 2 > times.len() && unit_s.is_none_or(|unit_s| unit_s == 1.0) {
        whole_seconds(times, &mut timing);
    } else if last > first {
        stamped(times, unit_s.unwrap_or(if whole { 1e-3 } else { 1.0 }), &mut timing);
    } else {
        timing.warnings.push(format!("the time does not advance: {DEFAULT_FS} Hz assumed"));
    }
    let filled: usize = timing.gaps.iter().map(|gap| gap.missing).sum();
    let allowed = 10 * times.len() + (600.0 * timing.fs) as usize;
    if filled > allowed {
        return Err(format!("{filled} samples are missing between {} rows: split the file at its pauses", times.len()));
    }
    Ok(timing)
}

/// Whole seconds: their only use is to count rows a second, and to see that some were skipped.
fn whole_seconds(times: &[f64], timing: &mut Timing) {
    let seconds: Vec<&[f64]> = times.chunk_by(|a, b| a == b).collect();
    // The first and the last second are cut by the recording.
    let mut counts: Vec<usize> = seconds.iter().skip(1).map(|rows| rows.len()).collect();
    counts.pop();
    counts.sort_unstable();
    match counts.get(counts.len() / 2) {
        Some(&rows) if counts.len() >= 3 => match nearest_usual(rows as f64, 0.1) {
            Some(fs) => timing.fs = fs,
            None => timing.warnings.push(format!("{rows} rows a second is no board's rate: {DEFAULT_FS} Hz assumed")),
        },
        _ => {}
    }
    // Rows that came late share a later stamp; then nothing is missing, and the seconds beside are overfull.
    let overfull = |rows: &[f64]| rows.len() as f64 > 1.2 * timing.fs;
    let mut row = 0;
    for pair in seconds.windows(2) {
        row += pair[0].len();
        let step = pair[1][0] - pair[0][0];
        if !(0.0..=LONGEST_LOSS_S).contains(&step) {
            timing.gaps.push(clock_set(row, step, timing.fs, &mut timing.warnings));
        } else if step > 1.5 && !overfull(pair[0]) && !overfull(pair[1]) {
            let missing = ((step - 1.0) * timing.fs).round() as usize;
            timing.warnings.push(format!("about {missing} samples are missing before row {}", row + 1));
            timing.gaps.push(Gap { row, missing });
        }
    }
}

/// A time for each row.
fn stamped(times: &[f64], unit_s: f64, timing: &mut Timing) {
    let mut steps: Vec<f64> = times.windows(2).map(|pair| (pair[1] - pair[0]) * unit_s).collect();
    let ordered = {
        let mut ordered = steps.clone();
        ordered.sort_unstable_by(f64::total_cmp);
        ordered
    };
    let median = ordered[ordered.len() / 2];
    if median <= 0.0 {
        let span = (times[times.len() - 1] - times[0]) * unit_s;
        timing.fs = nearest_usual(steps.len() as f64 / span, 0.1).unwrap_or(DEFAULT_FS);
        timing.warnings.push(format!("rows come in bursts of one time each: {} Hz taken from the whole", timing.fs));
        return;
    }
    // The mean of the ordinary steps: a median of whole milliseconds would make 333 Hz of 360.
    let ordinary = |step: &&f64| (0.0..=LOSS_PERIODS * median).contains(*step);
    let (count, sum) = steps.iter().filter(ordinary).fold((0.0, 0.0), |(n, sum), step| (n + 1.0, sum + step));
    let estimate = count / sum;
    timing.fs = nearest_usual(estimate, 0.02).unwrap_or(estimate);
    for (index, step) in steps.drain(..).enumerate() {
        let row = index + 1;
        if !(0.0..=LONGEST_LOSS_S).contains(&step) {
            timing.gaps.push(clock_set(row, step, timing.fs, &mut timing.warnings));
        } else if step * timing.fs > LOSS_PERIODS.max(LOSS_PERIODS * median * timing.fs) {
            let missing = (step * timing.fs).round() as usize - 1;
            timing.warnings.push(format!("{missing} samples are missing before row {}", row + 1));
            timing.gaps.push(Gap { row, missing });
        }
    }
}

/// How much was lost is unknown; a second of invalid samples keeps the beats on both sides apart.
fn clock_set(row: usize, step: f64, fs: f64, warnings: &mut Vec<String>) -> Gap {
    warnings.push(format!("the time jumps by {step:.0} s before row {}: marked by a second without signal", row + 1));
    Gap { row, missing: fs.ceil().min(1e5) as usize }
}

fn nearest_usual(fs: f64, tolerance: f64) -> Option<f64> {
    let near = |usual: &f64| (fs - usual).abs() <= tolerance * usual;
    let distance = |usual: &f64| (fs - usual).abs();
    USUAL_FS.into_iter().filter(near).min_by(|a, b| distance(a).total_cmp(&distance(b)))
}

/// A column with what was lost filled in.
pub(super) fn fill<T: Copy>(column: &[T], gaps: &[Gap], missing: T) -> Vec<T> {
    let mut filled = Vec::with_capacity(column.len() + gaps.iter().map(|gap| gap.missing).sum::<usize>());
    let mut done = 0;
    for gap in gaps {
        filled.extend_from_slice(&column[done..gap.row]);
        filled.resize(filled.len() + gap.missing, missing);
        done = gap.row;
    }
    filled.extend_from_slice(&column[done..]);
    filled
}
