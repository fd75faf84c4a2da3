//! Which patterns of differences mean what (Lipponen and Tarvainen 2019, figures 1 and 2).
//!
//! Must not know where thresholds come from, or what is done about an artefact.

use super::Artefact;

/// Slope and offset of the lines that set ectopic beats apart.
const ECTOPIC: (f64, f64) = (0.13, 0.17);
/// Deviation from the median, in thresholds, from which an interval is long or short.
const FAR: f64 = 3.0;

/// What is known of an interval. Differences and deviations are in units of their thresholds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Measure {
    /// From the interval before; 0 where none is before.
    pub(super) difference: f64,
    /// From the median; below it counted twice.
    pub(super) deviation: f64,
    /// Length, ms.
    pub(super) length: f64,
    /// Median of the neighbourhood, ms.
    pub(super) median: f64,
    /// Threshold of the deviation, ms.
    pub(super) far: f64,
}

/// An artefact and the interval whose end it stands at.
pub(super) type Found = (usize, Artefact);

/// All artefacts of a row.
pub(super) fn search(row: &[Measure]) -> Vec<Found> {
    let mut found = Vec::new();
    let mut k = 0;
    while k < row.len() {
        let here = Neighbours::of(row, k);
        if let Some(artefact) = here.artefact() {
            found.push((k, artefact));
            // The interval after an extra beat is the rest of this one.
            k += usize::from(artefact == Artefact::Extra);
        } else if here.may_hide_next() && Neighbours::of(row, k + 1).is_far() {
            k += 1;
            found.push((k, Artefact::LongOrShort));
        }
        k += 1;
    }
    found
}

/// An interval with those that its pattern is made of; beyond the ends nothing differs.
pub(super) struct Neighbours {
    pub(super) before: Measure,
    pub(super) here: Measure,
    pub(super) next: Measure,
    pub(super) after: Measure,
}

impl Neighbours {
    pub(super) fn of(row: &[Measure], k: usize) -> Self {
        let at = |k: Option<usize>| k.and_then(|k| row.get(k)).copied().unwrap_or_default();
        Self { before: at(k.checked_sub(1)), here: at(Some(k)), next: at(Some(k + 1)), after: at(Some(k + 2)) }
    }

    /// What is wrong at the end of the interval. An ectopic beat is told by the interval after it, at whose beginning it
    /// stands; it is reported there.
    pub(super) fn artefact(&self) -> Option<Artefact> {
        let d = self.here.difference;
        if is_ectopic(self.before.difference, d, self.next.difference) {
            return Some(Artefact::Ectopic);
        }
        // The first half of an ectopic pattern is no artefact of its own.
        if d.abs() <= 1.0 || is_ectopic(d, self.next.difference, self.after.difference) {
            return None;
        }
        // Everything is turned so that the interval is longer than the one before.
        let turned = |measure: &Measure| d.signum() * measure.difference;
        let back = turned(&self.next).min(turned(&self.after)) < -1.0;
        if !back && !self.is_far() {
            return None;
        }
        let Measure { length, median, far, .. } = self.here;
        if d < 0.0 && back && (length + self.next.length - median).abs() < far {
            return Some(Artefact::Extra);
        }
        if d > 0.0 && back && (length / 2.0 - median).abs() < far {
            return Some(Artefact::Missed);
        }
        Some(Artefact::LongOrShort)
    }

    /// The jump that is seen here may be that of the next interval.
    fn may_hide_next(&self) -> bool {
        self.here.difference.abs() > 1.0 && self.next.difference.abs() < self.after.difference.abs()
    }

    fn is_far(&self) -> bool {
        self.here.deviation.abs() > FAR
    }
}

/// Three differences in a row that change their sign twice, the middle one large.
fn is_ectopic(before: f64, here: f64, next: f64) -> bool {
    let beside = (here.signum() * before).max(here.signum() * next);
    here.abs() > 1.0 && beside < -ECTOPIC.0 * here.abs() - ECTOPIC.1
}
