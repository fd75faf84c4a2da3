//! How far an enrolment is, in a form that a screen shows and that travels: to the command line, to a topic, to a page.

use ecg_identity::enrolment::{Advice, EnrolmentStatus, Step};
use serde::{Deserialize, Serialize};

use super::words;

/// How far an enrolment is. Words are for people and may change; the other fields are the contract.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// Where it is.
    #[serde(with = "StepName")]
    pub(crate) step: Step,
    /// The placement that is being collected or asked for, from 1.
    pub(crate) placement: usize,
    /// How many there will be.
    pub(crate) placements: usize,
    /// Good beats so far.
    pub(crate) good_beats: usize,
    /// Good beats that will be needed at this heart rate.
    pub(crate) needed_beats: usize,
    /// Seconds of good beats so far.
    pub(crate) good_s: f64,
    /// Seconds that are needed in all.
    pub(crate) needed_s: f64,
    /// Share of this placement's beats that were refused for a poor signal, 0…1.
    pub(crate) refused_share: f64,
    /// Good beats that were refused because the heart was not believed to beat now, since the enrolment began.
    #[serde(default)]
    pub(crate) doubted_beats: usize,
    /// Beats a minute; `None` until known.
    pub(crate) heart_rate_bpm: Option<f64>,
    /// What the person can do now.
    #[serde(with = "AdviceName")]
    pub(crate) advice: Advice,
    /// Why this placement is taken again, where it is; in words.
    pub(crate) again: Option<String>,
    /// The step in words.
    pub(crate) headline: String,
    /// How far it is and what to do now, in words.
    pub(crate) summary: String,
}

impl From<&EnrolmentStatus> for Progress {
    fn from(status: &EnrolmentStatus) -> Self {
        Self {
            step: status.step,
            placement: status.placement,
            placements: status.placements,
            good_beats: status.good_beats,
            needed_beats: status.needed_beats,
            good_s: status.good_s,
            needed_s: status.needed_s,
            refused_share: status.refused_share,
            doubted_beats: status.doubted_beats,
            heart_rate_bpm: status.heart_rate_bpm,
            advice: status.advice,
            again: status.again.as_ref().map(|why| words::refusal(why, "placement")),
            headline: words::step(status),
            summary: words::progress(status),
        }
    }
}

impl Progress {
    /// Something has changed that the person must hear of: another step, another placement, or one taken again, or for
    /// another reason.
    pub(crate) fn is_news_after(&self, earlier: &Self) -> bool {
        (self.step, self.placement, &self.again) != (earlier.step, earlier.placement, &earlier.again)
    }
}

/// `ecg-identity` depends on nothing, serde included: its names on the wire stand here.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Step", rename_all = "snake_case")]
enum StepName {
    PutOn,
    Collect,
    TakeOff,
    Done,
    GaveUp,
}

/// As [`StepName`].
#[derive(Serialize, Deserialize)]
#[serde(remote = "Advice", rename_all = "snake_case")]
enum AdviceName {
    PutOn,
    KeepStill,
    Wait,
    PressBoth,
    CheckCable,
    Moisten,
    Relax,
    HoldSteady,
    ReplaySuspected,
    RhythmTooRegular,
    TakeOff,
    TakeOffLonger,
    Nothing,
}
