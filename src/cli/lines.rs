//! Events as readable lines for a terminal. Knows no topic and no broker.

use serde_json::Value;

use crate::event::{Event, HrvEvent, IdentityEvent, IdentityState, Reason, SignalEvent, SourceEvent};

/// Writes events as readable lines with the time of their samples.
#[derive(Debug, Default)]
pub struct Narrator {
    fs_hz: Option<f64>,
    unusable: Option<Reason>,
}

impl Narrator {
    /// The line of an event; `None` for a signal event that says nothing new.
    pub fn line(&mut self, event: &Event) -> Option<String> {
        match event {
            Event::Identity(event) => Some(format!("{}  {}", self.time(event.sample_index), identity(event))),
            Event::Hrv(event) => Some(format!("{}  {}", self.time(event.sample_index), hrv(event))),
            Event::Source(event) => {
                self.fs_hz = event.fs_hz.or(self.fs_hz);
                Some(format!("          {}", source(event)))
            }
            Event::Signal(event) => {
                let news = std::mem::replace(&mut self.unusable, event.reason) != event.reason;
                news.then(|| format!("{}  {}", self.time(event.sample_index), signal(event)))
            }
        }
    }

    fn time(&self, index: u64) -> String {
        self.fs_hz.map_or_else(|| "       - ".to_owned(), |fs| format!("{:7.1} s", index as f64 / fs))
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
    format!(
        "hrv       heart rate {}, SDNN {}, RMSSD {}, pNN50 {} over {:.0} of {:.0} s",
        figure(event.mean_hr_bpm, "/min"),
        figure(event.sdnn_ms, "ms"),
        figure(event.rmssd_ms, "ms"),
        figure(event.pnn50_percent, "%"),
        event.clean_s,
        event.window_s,
    )
}

fn signal(event: &SignalEvent) -> String {
    match event.reason {
        Some(reason) => format!("signal    not usable: {}", words(reason)),
        None => format!("signal    usable, {:.0} % of the beats accepted", 100.0 * event.quality),
    }
}

fn source(event: &SourceEvent) -> String {
    let state = if event.online { "online" } else { "offline" };
    let format = event.format.as_ref().map_or_else(String::new, |format| format!(", {format}"));
    let rate = event.fs_hz.map_or_else(String::new, |fs| format!(" at {fs} Hz"));
    let problem = event.problem.as_ref().map_or_else(String::new, |problem| format!(": {problem}"));
    format!("source    {state}{format}{rate}{problem}")
}
