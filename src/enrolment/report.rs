//! What is said of an enrolment that was stored.

use std::fmt;
use std::io::Write as _;

use serde::{Deserialize, Serialize};

/// What was stored, and what the person should know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) subject: String,
    pub(crate) revision: u32,
    pub(crate) front_end: String,
    pub(crate) model: String,
    /// Heartbeats that the templates rest on.
    pub(crate) beats: usize,
    /// Heartbeats that the quality gate refused.
    pub(crate) refused_beats: usize,
    /// Placements or recordings, a template each.
    pub(crate) takes: usize,
    /// Cosine of the least alike: two placements, or the halves of one.
    pub(crate) consistency: f64,
    /// Mean heart rate, beats a minute.
    pub(crate) heart_rate_bpm: Option<f64>,
    /// Days on which the templates that count now were made.
    pub(crate) days: usize,
    /// Other subjects on this front end whom the new templates resemble, most alike first.
    pub(crate) resembles: Vec<Like>,
    /// An update: how the new beats scored, and how near the template still is to what was enrolled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) update: Option<Updated>,
    /// What the person should know, in words.
    pub(crate) notes: Vec<String>,
}

/// Another subject, and the score with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Like {
    pub(crate) subject: String,
    pub(crate) score: f64,
}

/// What an update did.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Updated {
    pub(crate) score: f64,
    pub(crate) to_anchor: f64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = if self.update.is_some() { "updated" } else { "enrolled" };
        writeln!(f, "{done} {} (revision {})", self.subject, self.revision)?;
        let placements = if self.takes == 1 { "placement" } else { "placements" };
        writeln!(f, "  beats        {} good, {} refused, {} {placements}", self.beats, self.refused_beats, self.takes)?;
        writeln!(f, "  consistency  {:.2} (1: every part of the enrolment is alike)", self.consistency)?;
        if let Some(update) = &self.update {
            writeln!(f, "  update       score {:.2}, likeness to the original {:.2}", update.score, update.to_anchor)?;
        }
        if let Some(bpm) = self.heart_rate_bpm {
            writeln!(f, "  heart rate   {bpm:.0} bpm")?;
        }
        writeln!(f, "  days         {}", self.days)?;
        writeln!(f, "  front end    {}", self.front_end)?;
        writeln!(f, "  model        {}", self.model)
    }
}

impl Report {
    /// What the person should know, on standard error.
    pub(crate) fn tell_notes(&self) {
        for note in &self.notes {
            let _nobody_listens = writeln!(std::io::stderr(), "note: {note}");
        }
    }
}
