//! What an enrolment asks for, and what is said where it did not come about in time.

use ecg_identity::enrolment::{Enrolment, EnrolmentConfig};

use super::words;
use crate::config::{SourceConfig, SourceKind};

/// What somebody has asked for; `None` is as usual.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    /// Placements of the electrodes.
    pub(crate) placements: Option<usize>,
    /// Good heartbeats in all placements together, seconds.
    pub(crate) seconds: Option<f64>,
    /// When to give up, seconds.
    pub(crate) give_up_after_s: Option<f64>,
    /// It follows a template instead of making one.
    pub(crate) update: bool,
}

impl Asked {
    /// The plan on this source; from one whose electrodes nobody can take off, one placement.
    pub(crate) fn plan(self, source: &SourceConfig) -> EnrolmentConfig {
        let usual = EnrolmentConfig::default();
        let has_electrodes = matches!(source.kind, SourceKind::Serial { .. } | SourceKind::Tcp { .. });
        let several = has_electrodes && !self.update;
        let seconds = if self.update { usual.placement_s() } else { usual.seconds };
        EnrolmentConfig {
            placements: self.placements.unwrap_or(if several { usual.placements } else { 1 }),
            seconds: self.seconds.unwrap_or(seconds),
            give_up_after_s: self.give_up_after_s.unwrap_or(usual.give_up_after_s),
            ..usual
        }
    }
}

/// Why an enrolment was given up after so many seconds, and what to do. `problem` is why the source is not there.
pub(crate) fn gave_up(enrolment: &Enrolment, after_s: f64, problem: Option<&str>) -> String {
    if let Some(problem) = problem {
        return format!("gave up after {after_s:.0} s: {problem}");
    }
    let status = enrolment.status();
    let collected = format!(
        "gave up after {after_s:.0} s with {} good heartbeats in {} of {} placements, nothing is stored",
        status.good_beats,
        status.placement - 1,
        status.placements
    );
    if let Some(why) = &status.again {
        return format!("{collected}: {}", words::refusal(why, "placement"));
    }
    let reason = match enrolment.finish() {
        Err(refusal) => words::refusal(&refusal, "placement"),
        Ok(_) => "the other placements did not come about: take both electrodes off and put them back when asked; if \
                  the board cannot tell, press Enter once they are back (over MQTT or HTTP: enrol/moved), or begin again \
                  with --placements 1"
            .to_owned(),
    };
    format!("{collected}: {reason}")
}
