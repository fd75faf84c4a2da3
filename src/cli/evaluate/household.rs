//! What the decision over time makes of the probes: every person once as a member of a household, once as a stranger.
//!
//! Single comparisons tell what a network is worth; this tells what a listener hears. A household is a gallery of a few
//! persons; each probe is heard by the household that its person belongs to, and by one that it does not belong to.

use ecg_identity::{Decider, DecisionConfig, Reference, State};
use serde::Serialize;

use super::protocol::{Probe, Trial};

/// Shares are of the probes whose person has a reference; a probe that was refused is undecided.
#[derive(Debug, Clone, Serialize)]
pub struct Household {
    /// Persons enrolled.
    size: usize,
    /// Share of strangers to be accepted that the decision was set to; `None` where it has one threshold.
    false_positive_rate: Option<f64>,
    /// Score from which a comparison of one full average of beats matches.
    threshold: f64,
    /// Probes, each heard twice.
    probes: usize,
    /// Members who were verified as themselves and as nobody else.
    member_verified: usize,
    /// Members who were verified as another person at any time.
    member_mistaken: usize,
    /// Members who were never verified and ended as unknown.
    member_unknown: usize,
    /// Strangers who were verified as anybody at any time.
    stranger_accepted: usize,
    /// Strangers who ended as unknown.
    stranger_unknown: usize,
    /// From the start of the probe to the event, seconds: median over the members who were verified.
    median_seconds_to_verified: Option<f64>,
}

/// How one probe ended.
struct Outcome {
    verified: Vec<String>,
    first_verified_s: Option<f64>,
    state: State,
}

/// Runs every probe with a reference of its own through the decision, as a member and as a stranger.
#[must_use]
pub fn household(trial: &Trial, config: &DecisionConfig, size: usize) -> Household {
    let mut persons: Vec<&str> = trial.references.iter().map(|r| r.subject.as_str()).collect();
    persons.dedup();
    let size = size.min(persons.len().saturating_sub(1)).max(1);
    let mut result = Household {
        size,
        false_positive_rate: config.calibrated.as_ref().map(|c| c.false_positive_rate),
        threshold: config.threshold(config.beats_averaged(), size),
        probes: 0,
        member_verified: 0,
        member_mistaken: 0,
        member_unknown: 0,
        stranger_accepted: 0,
        stranger_unknown: 0,
        median_seconds_to_verified: None,
    };
    let mut seconds = Vec::new();
    for probe in &trial.probes {
        let Some(own) = persons.iter().position(|person| *person == probe.subject) else { continue };
        let gallery = |first: usize| -> Vec<Reference> {
            let members: Vec<&str> = persons.iter().cycle().skip(first).take(size).copied().collect();
            trial.references.iter().filter(|r| members.contains(&r.subject.as_str())).cloned().collect()
        };
        result.probes += 1;
        let member = hear(probe, config, gallery(own));
        let mistaken = member.verified.iter().any(|s| *s != probe.subject);
        result.member_mistaken += usize::from(mistaken);
        result.member_verified += usize::from(!mistaken && !member.verified.is_empty());
        result.member_unknown += usize::from(member.verified.is_empty() && member.state == State::Unknown);
        seconds.extend(member.first_verified_s.filter(|_| !mistaken));
        let stranger = hear(probe, config, gallery(own + 1));
        result.stranger_accepted += usize::from(!stranger.verified.is_empty());
        result.stranger_unknown += usize::from(stranger.verified.is_empty() && stranger.state == State::Unknown);
    }
    seconds.sort_by(f64::total_cmp);
    result.median_seconds_to_verified = seconds.get(seconds.len() / 2).copied();
    result
}

fn hear(probe: &Probe, config: &DecisionConfig, gallery: Vec<Reference>) -> Outcome {
    let mut decider = Decider::new(config.clone(), gallery);
    let mut outcome = Outcome { verified: Vec::new(), first_verified_s: None, state: State::NoSignal };
    for (at_s, embedding) in &probe.timeline {
        let decision = decider.push(*at_s, embedding);
        outcome.state = decision.state;
        if let Some(subject) = &decision.subject {
            outcome.first_verified_s.get_or_insert(*at_s);
            if !outcome.verified.contains(subject) {
                outcome.verified.push(subject.clone());
            }
        }
    }
    outcome
}

impl std::fmt::Display for Household {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let share = |n: usize| 100.0 * n as f64 / self.probes.max(1) as f64;
        write!(f, "decision over time, households of {}, ", self.size)?;
        match self.false_positive_rate {
            Some(rate) => write!(f, "set to {:.1} % of strangers", 100.0 * rate)?,
            None => write!(f, "threshold {:.3}", self.threshold)?,
        }
        writeln!(f, ", {} probes:", self.probes)?;
        writeln!(
            f,
            "  members   {:.1} % verified, {:.1} % verified as another, {:.1} % unknown",
            share(self.member_verified),
            share(self.member_mistaken),
            share(self.member_unknown)
        )?;
        writeln!(
            f,
            "  strangers {:.1} % unknown, {:.1} % verified as somebody",
            share(self.stranger_unknown),
            share(self.stranger_accepted)
        )?;
        match self.median_seconds_to_verified {
            Some(seconds) => writeln!(f, "  verified after {seconds:.1} s (median)"),
            None => Ok(()),
        }
    }
}
