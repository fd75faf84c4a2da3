//! Times every HRV figure of a text file of intervals (ms, one a line) on one core; `scripts/bench_hrv.py` runs it beside
//! the Python libraries. `cargo run --release -p ecg-signal --example hrv_time -- FILE [REPEATS]`

use std::time::Instant;

use ecg_signal::RrInterval;
use ecg_signal::hrv::dfa::{ALPHA1_SCALES, ALPHA2_SCALES, alpha};
use ecg_signal::hrv::entropy::Entropy;
use ecg_signal::hrv::frequency::Welch;
use ecg_signal::hrv::poincare::Poincare;
use ecg_signal::hrv::time::TimeDomain;
use ecg_signal::hrv::{Analyser, Correction, NnSeries, lomb_scargle, two_sided};

/// Median seconds of a computation.
#[expect(clippy::disallowed_methods, reason = "what takes how long is all that this program says")]
fn time<T>(repeats: usize, run: impl Fn() -> T) -> f64 {
    let once = || {
        let begin = Instant::now();
        std::hint::black_box(run());
        begin.elapsed().as_secs_f64()
    };
    let mut times: Vec<f64> = (0..repeats).map(|_| once()).collect();
    times.sort_by(f64::total_cmp);
    times[repeats / 2]
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let text = std::fs::read_to_string(arguments.next().ok_or("a file of intervals is missing")?)?;
    let repeats = arguments.next().map_or(Ok(5), |repeats| repeats.parse())?.max(1);
    let mut now = 0.0;
    let mut row = Vec::new();
    for line in text.lines() {
        let rr_ms: f64 = line.trim().parse()?;
        now += rr_ms / 1000.0;
        row.push(RrInterval { end_s: now, rr_ms, follows: !row.is_empty() });
    }
    let series = NnSeries::of(&row);
    let (analyser, welch) = (Analyser::new(), Welch::new());
    let all = |row: &[RrInterval]| analyser.corrected(&two_sided(row), Correction::TwoSided);
    let alphas = || (alpha(&series, ALPHA1_SCALES), alpha(&series, ALPHA2_SCALES));
    for (name, seconds) in [
        ("all_corrected", time(repeats, || all(&row))),
        ("all", time(repeats, || analyser.nn(&series))),
        ("correction", time(repeats, || two_sided(&row))),
        ("time", time(repeats, || TimeDomain::of(&series))),
        ("poincare", time(repeats, || Poincare::of(&series))),
        ("welch", time(repeats, || welch.spectrum(&series))),
        ("lomb", time(repeats, || lomb_scargle::density(&series))),
        ("entropies", time(repeats, || Entropy::of(&series))),
        ("dfa", time(repeats, alphas)),
    ] {
        println!("{name} {:.6}", seconds * 1000.0);
    }
    Ok(())
}
