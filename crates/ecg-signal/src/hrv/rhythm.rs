//! Whether the intervals are those of a rhythm from the sinus node at all.
//!
//! In atrial fibrillation each interval is nearly independent of the one before. The coefficient of sample entropy (Lake
//! and Moorman 2011, American Journal of Physiology 300:H319) says so from a minute of beats: sample entropy with m = 1 and
//! r = 30 ms, plus ln(2r), less ln of the mean interval. Must not know about clean time or correction.

use super::series::NnSeries;

/// Tolerance of a match in milliseconds (Lake and Moorman 2011).
const R_MS: f64 = 30.0;
/// Intervals that are judged together, about a minute.
const BLOCK: usize = 60;
/// Shorter ends of a run are not judged.
const FEWEST: usize = 30;
/// Fewest matches that are counted with: fewer are taken for so many, which bounds the entropy where nothing matches.
const MATCHES: usize = 5;
/// From here on a block is irregular. Lake and Moorman 2011 take −1.4 for twelve beats; over a minute a strong sinus
/// arrhythmia comes as far (MIT-BIH 115), and fibrillation (201, 203) lies above −1.3 in three quarters of its minutes.
pub const IRREGULAR_FROM: f64 = -1.3;
/// Share of irregular blocks above which the figures are not believed, per cent: more than one minute in ten.
pub const MOST_IRREGULAR_PERCENT: f64 = 10.0;

/// Share of the blocks with an irregular rhythm, per cent; `None` where no run is long enough to judge.
pub fn irregular_percent(series: &NnSeries) -> Option<f64> {
    let blocks = series.runs().flat_map(|run| run.chunks(BLOCK)).filter(|block| block.len() >= FEWEST);
    let (count, irregular) = blocks.fold((0usize, 0usize), |(count, irregular), block| {
        (count + 1, irregular + usize::from(coefficient(block) >= IRREGULAR_FROM))
    });
    (count > 0).then(|| 100.0 * irregular as f64 / count as f64)
}

/// The coefficient of sample entropy of one block, natural logarithm; −∞ for fewer than two intervals.
pub fn coefficient(block: &[f64]) -> f64 {
    if block.len() < 2 {
        return f64::NEG_INFINITY;
    }
    let (mut single, mut double) = (0usize, 0usize);
    for i in 1..block.len() - 1 {
        for j in 0..i {
            let near = (block[i] - block[j]).abs() <= R_MS;
            single += usize::from(near);
            double += usize::from(near && (block[i + 1] - block[j + 1]).abs() <= R_MS);
        }
    }
    let mean = block.iter().sum::<f64>() / block.len() as f64;
    (single.max(MATCHES) as f64 / double.max(MATCHES) as f64).ln() + (2.0 * R_MS / mean).ln()
}
