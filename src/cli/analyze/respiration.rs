//! The breathing of a whole record, summed up: rates by impedance and by ECG, and how far they agree.

use std::collections::BTreeMap;
use std::fmt;

use ecg_signal::{Breathing, NoRate, RespirationRate};
use serde::Serialize;

/// Estimates every five seconds over the last minute each, summed up.
#[derive(Debug, Serialize)]
pub(super) struct RespirationReport {
    /// By the respiration channel; `None` where the record has none.
    impedance: Option<Rates>,
    /// By the size of the QRS.
    ecg: Rates,
    agreement: Option<AgreementReport>,
}

/// The rates of one waveform.
#[derive(Debug, Serialize)]
struct Rates {
    /// Median of the estimates, breaths a minute; `None` where there is none.
    rate_per_min: Option<f64>,
    /// Lowest and highest estimate.
    range_per_min: Option<(f64, f64)>,
    /// Estimates that could be made, and those that gave a rate.
    estimates: usize,
    given: usize,
    /// Estimates without a rate, by reason.
    missing: BTreeMap<&'static str, usize>,
}

/// Where both waveforms gave a rate.
#[derive(Debug, Serialize)]
struct AgreementReport {
    estimates: usize,
    /// Median of the absolute difference, breaths a minute.
    difference_per_min: f64,
    /// Median likeness of the two waveforms, 0…1.
    similarity: f64,
}

impl RespirationReport {
    pub(super) fn of(breathing: &[Breathing]) -> Self {
        let absent = breathing.iter().all(|b| b.impedance == Err(NoRate::Absent));
        let agreements: Vec<_> = breathing.iter().filter_map(|b| b.agreement).collect();
        let difference = median(agreements.iter().map(|a| a.difference_per_min.abs()).collect());
        let similarity = median(agreements.iter().map(|a| a.similarity).collect());
        Self {
            impedance: (!absent).then(|| Rates::of(breathing.iter().map(|b| b.impedance))),
            ecg: Rates::of(breathing.iter().map(|b| b.ecg)),
            agreement: difference.zip(similarity).map(|(difference_per_min, similarity)| AgreementReport {
                estimates: agreements.len(),
                difference_per_min,
                similarity,
            }),
        }
    }
}

impl Rates {
    fn of(rates: impl Iterator<Item = Result<RespirationRate, NoRate>> + Clone) -> Self {
        let given: Vec<f64> = rates.clone().flatten().map(|rate| rate.per_min).collect();
        let mut missing = BTreeMap::new();
        for reason in rates.clone().filter_map(Result::err) {
            *missing.entry(reason.name()).or_insert(0) += 1;
        }
        let range = given.iter().fold((f64::MAX, f64::MIN), |(low, high), &rate| (low.min(rate), high.max(rate)));
        Self {
            estimates: rates.count(),
            given: given.len(),
            range_per_min: (!given.is_empty()).then_some(range),
            rate_per_min: median(given),
            missing,
        }
    }
}

pub(super) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let (low, high) = (values.get(values.len().saturating_sub(1) / 2)?, values.get(middle)?);
    Some((low + high) / 2.0)
}

impl fmt::Display for RespirationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(impedance) = &self.impedance {
            writeln!(f, "breathing  {impedance} by impedance")?;
        }
        writeln!(f, "breathing  {} by ECG", self.ecg)?;
        let Some(agreement) = &self.agreement else { return Ok(()) };
        let AgreementReport { difference_per_min, similarity, .. } = agreement;
        writeln!(f, "           the two differ by {difference_per_min:.1} /min and are alike to {similarity:.2}")
    }
}

impl fmt::Display for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { given, estimates, missing, .. } = self;
        let Some((rate, (low, high))) = self.rate_per_min.zip(self.range_per_min) else {
            let why = missing.iter().max_by_key(|(_, count)| **count).map_or("too short", |(reason, _)| reason);
            return write!(f, "- ({why})");
        };
        write!(f, "{rate:.1} /min ({low:.1} to {high:.1}; {given} of {estimates} estimates)")
    }
}
