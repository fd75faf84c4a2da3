//! Events as readable lines for a terminal. Knows no topic and no broker.

use serde_json::Value;

use crate::event::{Event, HrvEvent, IdentityEvent, IdentityState, Reason, SignalEvent, SourceEvent};

/// A usable signal is mentioned once in so many signal events, which come once a second.
const MENTION_EVERY: u32 = 5;

/// Makes readable lines of events.
#[derive(Debug, Default)]
pub struct Narrator {
    unusable: Option<Reason>,
    quiet: u32,
}

impl Narrator {
    /// The line of an event; `None` for a signal event that says nothing new.
    pub fn line(&mut self, event: &Event) -> Option<String> {
        match event {
            Event::Identity(event) => Some(identity(event)),
            Event::Hrv(event) => Some(hrv(event)),
            Event::Source(event) => Some(source(event)),
            Event::Signal(event) => {
                let news = std::mem::replace(&mut self.unusable, event.reason) != event.reason;
                self.quiet = if news { 0 } else { (self.quiet + 1) % MENTION_EVERY };
                (news || (self.quiet == 0 && event.reason.is_none())).then(|| signal(event))
            }
        }
    }
}

/// A word of the published contract, for people: `score_above_threshold` becomes `score above threshold`.
#[must_use]
pub fn words(reason: Reason) -> String {
    match serde_json::to_value(reason) {
        Ok(Value::String(word)) => word.replace('_', " "),
        _ => format!("{reason:?}"),
    }
}

fn identity(event: &IdentityEvent) -> String {
    let who = match (event.state, &event.subject) {
        (IdentityState::Verified, Some(subject)) => format!("verified {subject}"),
        (IdentityState::Verified, None) => "verified".to_owned(),
        (IdentityState::NoSignal, _) => "no signal".to_owned(),
        (IdentityState::Acquiring, _) => "acquiring".to_owned(),
        (IdentityState::Unknown, _) => "unknown".to_owned(),
        (IdentityState::Uncertain, _) => "uncertain".to_owned(),
    };
    let score =
        event.score.map_or_else(String::new, |score| format!(", score {score:.3} against {:.3}", event.threshold));
    format!("identity  {who}{score} ({})", words(event.reason))
}

fn hrv(event: &HrvEvent) -> String {
    let figure = |value: Option<f64>, unit: &str| value.map_or_else(|| "-".to_owned(), |v| format!("{v:.0} {unit}"));
    let lacking = event.reason.as_ref().map_or_else(String::new, |reason| format!(" ({reason})"));
    format!(
        "hrv       heart rate {}, mean NN {}, SDNN {}, RMSSD {}, pNN50 {}{lacking}",
        figure(event.figures.mean_hr_bpm, "/min"),
        figure(event.figures.mean_nn_ms, "ms"),
        figure(event.figures.sdnn_ms, "ms"),
        figure(event.figures.rmssd_ms, "ms"),
        figure(event.figures.pnn50_percent, "%"),
    )
}

fn signal(event: &SignalEvent) -> String {
    match event.reason {
        Some(reason) => format!("signal    not usable: {}", words(reason)),
        None if event.heart_rate_bpm.is_none() && event.quality == 0.0 => "signal    waiting for beats".to_owned(),
        None => {
            let rate = event.heart_rate_bpm.map_or_else(|| "-".to_owned(), |rate| format!("{rate:.0} /min"));
            let breathing = event.respiration.respiration_rate_per_min;
            let breathing = breathing.map_or_else(String::new, |rate| format!(", breathing {rate:.0} /min"));
            let lead = if event.lead_inverted == Some(true) { ", lead probably inverted" } else { "" };
            format!(
                "signal    heart rate {rate}, {:.0} % of the beats accepted{breathing}{lead}",
                100.0 * event.quality
            )
        }
    }
}

fn source(event: &SourceEvent) -> String {
    let state = if event.online { "online" } else { "offline" };
    let format = event.format.as_ref().map_or_else(String::new, |format| format!(", {format}"));
    let rate = event.fs_hz.map_or_else(String::new, |fs| format!(" at {fs} Hz"));
    let problem = event.problem.as_ref().map_or_else(String::new, |problem| format!(": {problem}"));
    format!("source    {state}{format}{rate}{problem}")
}
