//! The lines of the table, and what is compared for them. Must not know where a signal comes from.

use ecg_signal::quality::BeatFeatures;
use ecg_signal::segment::Segment;
use ecg_signal::{Beat, Hertz, Mains, PathConfig, PathInput, SignalPath, Verdict};

/// What a line says of a beat beside what the path does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    /// Kind of signal: its lines together have one weight.
    pub(crate) kind: &'a str,
    /// Record, person or stretch of noise: what must not be on both sides of a fold.
    pub(crate) group: &'a str,
    /// It is a heartbeat, and its segment shows its shape.
    pub(crate) right: bool,
    /// Annotated symbol; `-` without one.
    pub(crate) symbol: char,
    /// Rate of the source in hertz.
    pub(crate) fs: f64,
}

/// The beats of a signal in millivolts.
pub(crate) fn beats(samples: &[f64], fs: f64, mains: Mains) -> Vec<Beat> {
    let mut path = SignalPath::new(&PathConfig { fs: Hertz(fs), mains }).expect("a legal rate");
    let inputs: Vec<PathInput> = samples.iter().map(|&millivolts| PathInput::of(millivolts)).collect();
    let mut beats = Vec::new();
    path.push_block(&inputs, &mut |beat| beats.push(beat));
    path.flush(&mut |beat| beats.push(beat));
    beats
}

/// The nearest of `truth` (ascending) within `reach` of `place`, with its distance.
pub(crate) fn near<T: Copy>(truth: &[(f64, T)], place: f64, reach: f64) -> Option<(f64, T)> {
    let first = truth.partition_point(|(at, _)| *at < place - reach);
    let within = truth[first..].iter().take_while(|(at, _)| *at <= place + reach);
    within.map(|&(at, what)| ((at - place).abs(), what)).min_by(|a, b| a.0.total_cmp(&b.0))
}

/// Pearson correlation of two segments.
pub(crate) fn likeness(a: &Segment, b: &Segment) -> f64 {
    let mean = |x: &Segment| x.iter().sum::<f64>() / x.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let sum = |f: &dyn Fn(f64, f64) -> f64| a.iter().zip(b).map(|(x, y)| f(x - mean_a, y - mean_b)).sum::<f64>();
    sum(&|x, y| x * y) / (sum(&|x, _| x * x) * sum(&|_, y| y * y)).sqrt().max(f64::MIN_POSITIVE)
}

/// Prints the names of the columns.
pub(crate) fn print_header() {
    println!("kind,group,right,symbol,at_s,verdict,score,{}", BeatFeatures::NAMES.join(","));
}

/// Prints the line of a beat.
pub(crate) fn print(row: &Row<'_>, beat: &Beat) {
    let verdict = match beat.quality.verdict {
        Verdict::Accepted => "accepted",
        Verdict::Refused(reason) => reason.name(),
    };
    let values: Vec<String> = beat.quality.features.values().iter().map(|value| format!("{value:.5}")).collect();
    println!(
        "{},{},{},{},{:.3},{verdict},{:.4},{}",
        row.kind,
        row.group,
        u8::from(row.right),
        row.symbol,
        beat.r_peak / row.fs,
        beat.quality.score,
        values.join(",")
    );
}
