//! Persons who do not exist: the beats of a real one with waves of other proportions, always the same ones.
//!
//! Persons with recordings of two days are few, and a network that has seen few hearts takes strangers who are unlike all
//! of them for each other. A virtual person is a class of its own: QRS wider or narrower, T later, P and T higher or lower
//! than in the real person, by factors that are drawn once. What differs between sessions, boards and beats of the real
//! person differs between those of the virtual one.
//!
//! Input and output are z-scored 175-sample beats, the middle of the QRS at index 62, called R here. Knows no record and no network.

use std::collections::{BTreeMap, BTreeSet};

use ecg_signal::{SEGMENT_R_INDEX, SEGMENT_SAMPLES, cubic};

use crate::augment::z_score;
use crate::random::{normal, stream};
use crate::split::Person;

/// R, samples from the beginning.
const R: f64 = SEGMENT_R_INDEX as f64;
/// Where the QRS begins and ends, samples from R: 32 ms before, 52 ms after.
const QRS: (f64, f64) = (-8.0, 13.0);
/// Samples before R between which the shift of P fades out towards the QRS.
const PR: (f64, f64) = (-14.0, -8.0);
/// The level that gains leave where it is: the PR segment, samples from R.
const LEVEL: std::ops::Range<i64> = -11..-7;
/// Middle and softness (samples) of the border between P and QRS, and between QRS and T.
const P_BORDER: (f64, f64) = (-11.0, 1.5);
const T_BORDER: (f64, f64) = (16.0, 2.0);

/// Deviations of the logarithms of the factors, and of the shift of P in samples. Far wider than what one person changes
/// by from day to day (`augment`: 4 % of the ST-T stretch): hearts of another board are farther away than those of another
/// person (ADR 30).
const QRS_STRETCH: f64 = 0.18;
const ST_STRETCH: f64 = 0.12;
const P_SHIFT: f64 = 3.0;
const QRS_GAIN: f64 = 0.38;
const P_GAIN: f64 = 0.5;
const T_GAIN: f64 = 0.5;

/// Which stream of the seed draws virtual persons: batches take the first, recordings those of their numbers, and the last
/// of all leaves the seed unmixed.
const STREAM: u64 = u64::MAX - 1;

/// How one virtual person differs from the real one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VirtualPerson {
    qrs_stretch: f64,
    st_stretch: f64,
    p_shift: f64,
    qrs_gain: f64,
    p_gain: f64,
    t_gain: f64,
}

/// The virtual persons of everybody who is trained on, equally many each.
#[derive(Clone, Debug, Default)]
pub struct Cast(BTreeMap<Person, Vec<VirtualPerson>>);

impl Cast {
    /// Draws `each` of everybody, by `seed`.
    pub fn draw(persons: &BTreeSet<Person>, each: usize, seed: u64) -> Self {
        let mut rng = stream(seed, STREAM);
        let mut own = || (0..each).map(|_| VirtualPerson::draw(&mut rng)).collect();
        Self(persons.iter().map(|person| (person.clone(), own())).collect())
    }

    /// Those that were made of `person`.
    pub fn of(&self, person: &Person) -> &[VirtualPerson] {
        self.0.get(person).map_or(&[], Vec::as_slice)
    }
}

impl VirtualPerson {
    /// One more.
    pub fn draw(rng: &mut fastrand::Rng) -> Self {
        let mut factor = |deviation: f64| (deviation * normal(rng)).exp();
        Self {
            qrs_stretch: factor(QRS_STRETCH),
            st_stretch: factor(ST_STRETCH),
            qrs_gain: factor(QRS_GAIN),
            p_gain: factor(P_GAIN),
            t_gain: factor(T_GAIN),
            p_shift: P_SHIFT * normal(rng),
        }
    }

    /// A beat of the real person as this one would have had it, z-scored again.
    pub fn beat(&self, real: &[f32; SEGMENT_SAMPLES]) -> [f32; SEGMENT_SAMPLES] {
        let stretched: [f64; SEGMENT_SAMPLES] = std::array::from_fn(|i| cubic(real, R + self.source(i as f64 - R)));
        let level: Vec<f64> = LEVEL.map(|offset| stretched[(SEGMENT_R_INDEX as i64 + offset) as usize]).collect();
        let level = level.iter().sum::<f64>() / level.len() as f64;
        let shaped = std::array::from_fn(|i| level + self.gain(i as f64 - R) * (stretched[i] - level));
        z_score(&shaped)
    }

    /// From where in the real beat the sample at `at` comes; both from R, in samples.
    fn source(&self, at: f64) -> f64 {
        let (begin, end) = QRS;
        let warped = if at < begin {
            begin * self.qrs_stretch + (at - begin)
        } else if at > end {
            end * self.qrs_stretch + (at - end) * self.st_stretch
        } else {
            at * self.qrs_stretch
        };
        let fade = ((PR.1 - at) / (PR.1 - PR.0)).clamp(0.0, 1.0);
        warped + fade * self.p_shift
    }

    /// Gain at `at` samples from R.
    fn gain(&self, at: f64) -> f64 {
        let rises = |(middle, softness): (f64, f64)| 1.0 / (1.0 + ((middle - at) / softness).exp());
        let (p, t) = (1.0 - rises(P_BORDER), rises(T_BORDER));
        p * self.p_gain + t * self.t_gain + (1.0 - p) * (1.0 - t) * self.qrs_gain
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::stream;

    const SAME: VirtualPerson =
        VirtualPerson { qrs_stretch: 1.0, st_stretch: 1.0, p_shift: 0.0, qrs_gain: 1.0, p_gain: 1.0, t_gain: 1.0 };

    /// P, R, S and T as bumps.
    fn beat() -> [f32; SEGMENT_SAMPLES] {
        let bump = |at: f64, middle: f64, width: f64, height: f64| height * (-((at - middle) / width).powi(2)).exp();
        let raw = std::array::from_fn(|i| {
            let at = i as f64 - R;
            bump(at, -35.0, 8.0, 0.15) + bump(at, 0.0, 3.0, 1.0) - bump(at, 6.0, 3.0, 0.2) + bump(at, 60.0, 15.0, 0.3)
        });
        z_score(&raw)
    }

    fn peak(beat: &[f32], range: std::ops::Range<usize>) -> (usize, f32) {
        let base = beat[SEGMENT_R_INDEX - 9];
        let highest = range.max_by(|&a, &b| beat[a].total_cmp(&beat[b])).unwrap();
        (highest, beat[highest] - base)
    }

    #[test]
    fn without_a_difference_the_beat_stays_as_it_is() {
        let real = beat();
        let same = SAME.beat(&real);
        assert!(real.iter().zip(&same).all(|(a, b)| (a - b).abs() < 1e-5));
    }

    #[test]
    fn waves_move_and_grow_where_they_are_told_to_and_r_stays() {
        let real = beat();
        let (t, p) = (90..170, 10..45);
        let later = VirtualPerson { st_stretch: 0.9, p_shift: 3.0, ..SAME }.beat(&real);
        // The T wave lay 47 samples after the QRS: now 47 / 0.9. P comes 3 samples earlier.
        assert_eq!((peak(&later, t.clone()).0, peak(&later, p.clone()).0), (62 + 13 + 52, 62 - 35 - 3));
        assert_eq!(peak(&later, 50..75).0, SEGMENT_R_INDEX);
        let higher = VirtualPerson { t_gain: 1.5, p_gain: 0.5, ..SAME }.beat(&real);
        let share = |beat: &[f32; SEGMENT_SAMPLES], of: std::ops::Range<usize>| peak(beat, of).1 / peak(beat, 50..75).1;
        assert!((share(&higher, t.clone()) / share(&real, t) - 1.5).abs() < 0.02);
        assert!((share(&higher, p.clone()) / share(&real, p) - 0.5).abs() < 0.02);
    }

    #[test]
    fn every_one_drawn_is_another_and_gives_finite_z_scored_beats() {
        let real = beat();
        let mut rng = stream(1, 0);
        let drawn: Vec<_> = (0..50).map(|_| VirtualPerson::draw(&mut rng)).collect();
        assert!(drawn.windows(2).all(|pair| pair[0] != pair[1]));
        for person in &drawn {
            let beat = person.beat(&real);
            let mean = beat.iter().sum::<f32>() / 175.0;
            let square = beat.iter().map(|x| x * x).sum::<f32>() / 175.0;
            assert!(mean.abs() < 1e-4 && (square - 1.0).abs() < 1e-3, "{person:?}");
        }
    }
}
