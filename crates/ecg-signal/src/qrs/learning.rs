//! Finding a signal level where no beat gives one: at the start, and when beats have stopped coming.
//!
//! Must not know what is done with the level. Pan and Tompkins learn for two seconds and give those beats away; here
//! candidates are held while learning and then go through the normal rules, so that no beat is lost.

use super::band::Band;
use super::features::Candidate;
use super::template::Template;
use crate::units::Hertz;

/// Candidates are held until so much time has passed …
const LEARNING_S: f64 = 2.4;
/// … and so many are there.
const LEARNING_CANDIDATES: usize = 3;
/// Beats are about a third of all candidates or more, T waves and noise the rest: the envelope above which 30 % lie is
/// that of a beat …
const PERCENTILE: f64 = 0.7;
/// … unless beats are rarer than that beside small noise; then a part of the largest is safer.
const LARGEST_SHARE: f64 = 0.4;
/// Candidates that a level is looked for in at most: 4 s of them.
const CAPACITY: usize = 24;

/// No beat for so long asks for a restart. 3 s scores the same and loses two beats more when the gain drops to 15 %.
pub(super) const RESTART_S: f64 = 2.0;
/// Candidates up to so old take part in one.
pub(super) const RESTART_MEMORY_S: f64 = 4.0;
/// What lies below this share of the signal level is a flat line or a rail, not a weaker heart.
pub(super) const RESTART_FLOOR: f64 = 0.08;
/// A restart lowers the level at most to this share of it at once.
const RESTART_STEP: f64 = 0.5;

/// No beat for so long, while candidates look like beats, says that the level is wrong altogether: it was learned from a
/// touch of the electrodes. Longer than any pause in which P waves go on alone and the patient is awake.
pub(super) const RELEARN_S: f64 = 5.0;
/// Median noise ratio below which candidates look like beats (99 % of true ones are below it, noise has 0.54).
const BEAT_LIKE: f64 = 0.3;

/// Two candidates repeat each other when they are alike in shape …
const ALIKE: f64 = 0.9;
/// … and in size, up to this factor, with none as large between them …
const SAME_SIZE: f64 = 1.5;
/// … stand in quiet surroundings (95 % of true beats, one candidate of noise in hundreds) …
const CLEAR: f64 = 0.2;
/// … and lie so far apart, in seconds: 200 and 30 beats a minute.
const APART_S: (f64, f64) = (0.3, 2.0);

/// The newest candidate, and before it the one that it repeats, both as seen in `band`: a heart repeats itself, noise
/// does not. `candidates` in order of time.
pub(super) fn repeated<'a>(
    candidates: impl DoubleEndedIterator<Item = &'a Candidate>,
    band: Band,
    template: &Template,
    fs: Hertz,
) -> Option<[&'a Candidate; 2]> {
    let mut candidates = candidates.rev().map(|candidate| (candidate, candidate.view(band)));
    let (newest, new) = candidates.next().filter(|(_, new)| new.noise_ratio < CLEAR)?;
    let (before, old) = candidates.find(|(_, old)| SAME_SIZE * old.envelope > new.envelope)?;
    let apart = (newest.peak - before.peak) as f64 / fs.0;
    let repeats = old.envelope < SAME_SIZE * new.envelope
        && old.noise_ratio < CLEAR
        && (APART_S.0..=APART_S.1).contains(&apart)
        && template.likeness_of(&new.shape, &old.shape) > ALIKE;
    repeats.then_some([before, newest])
}

/// Whether learning is over after `pushed` samples, with `held` candidates.
pub(super) fn is_over(pushed: i64, held: usize, fs: Hertz) -> bool {
    is_long(pushed, fs) && held >= LEARNING_CANDIDATES
}

/// Whether learning has lasted as long as it does where candidates come from the start.
pub(super) fn is_long(pushed: i64, fs: Hertz) -> bool {
    pushed >= fs.samples(LEARNING_S) as i64
}

/// The first signal level, from the envelopes of the candidates held; `None` where there are none.
pub(super) fn first_level(envelopes: impl Iterator<Item = f64> + Clone) -> Option<f64> {
    let largest = envelopes.clone().fold(0.0, f64::max);
    Some(upper_envelope(envelopes)?.max(LARGEST_SHARE * largest))
}

/// The level to go on with when no beat has come for a while, from the envelopes of the candidates since; `None` when
/// they show a flat line or nothing new.
pub(super) fn restart_level(level: f64, envelopes: impl Iterator<Item = f64>) -> Option<f64> {
    let found = upper_envelope(envelopes)?;
    (found > RESTART_FLOOR * level && found < level).then(|| found.max(RESTART_STEP * level))
}

/// The level to begin anew with when even a restart found only a "flat line", from the envelopes and noise ratios of the
/// candidates since; `None` unless they look like beats.
pub(super) fn relearned_level(level: f64, candidates: impl Iterator<Item = (f64, f64)> + Clone) -> Option<f64> {
    let (mut count, mut beat_like) = (0, 0);
    for (_, noise_ratio) in candidates.clone() {
        count += 1;
        beat_like += usize::from(noise_ratio < BEAT_LIKE);
    }
    let found = upper_envelope(candidates.map(|(envelope, _)| envelope))?;
    (found < level && count >= LEARNING_CANDIDATES && 2 * beat_like > count).then_some(found)
}

/// The 70th percentile (between two values: on the straight line).
fn upper_envelope(envelopes: impl Iterator<Item = f64>) -> Option<f64> {
    let mut sorted = [0.0; CAPACITY];
    let mut count = 0;
    for (slot, envelope) in sorted.iter_mut().zip(envelopes) {
        *slot = envelope;
        count += 1;
    }
    let sorted = &mut sorted[..count];
    sorted.sort_unstable_by(f64::total_cmp);
    let place = PERCENTILE * count.checked_sub(1)? as f64;
    let below = place as usize;
    let above = (below + 1).min(count - 1);
    Some(sorted[below] + (place - below as f64) * (sorted[above] - sorted[below]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_percentile_lies_on_the_line_between_its_neighbours() {
        let level = upper_envelope([4.0, 1.0, 3.0, 2.0].into_iter()).unwrap();
        assert!((level - 3.1).abs() < 1e-12);
        assert_eq!(upper_envelope(std::iter::once(5.0)), Some(5.0));
        assert_eq!(upper_envelope(std::iter::empty()), None);
    }

    #[test]
    fn a_flat_line_changes_no_level() {
        assert_eq!(restart_level(1.0, [0.05; 5].into_iter()), None);
        assert_eq!(restart_level(1.0, [1.5; 5].into_iter()), None);
        assert_eq!(restart_level(1.0, [0.15; 5].into_iter()), Some(0.5));
        assert_eq!(restart_level(1.0, [0.75; 5].into_iter()), Some(0.75));
    }
}
