//! Reasons of refusal, each with a letter of its own, and the looks that every panel shares.

use ecg_signal::{Beat, Polarity, Verdict};

use ecg_plot::colours;

/// The reasons that occur in a record.
#[derive(Debug, Clone, Default)]
pub(super) struct Reasons {
    /// Word, letter and number of beats, the most frequent first.
    pub(super) found: Vec<(&'static str, char, usize)>,
}

impl Reasons {
    pub(super) fn of(beats: &[&Beat]) -> Self {
        let mut found: Vec<(&'static str, char, usize)> = Vec::new();
        for why in beats.iter().filter_map(|beat| refusal(beat)) {
            match found.iter_mut().find(|(name, ..)| *name == why) {
                Some((.., beats)) => *beats += 1,
                None => {
                    let free = |c: &char| !found.iter().any(|(_, letter, _)| letter == c);
                    let letter = why.chars().map(|c| c.to_ascii_uppercase()).find(free).unwrap_or('?');
                    found.push((why, letter, 1));
                }
            }
        }
        found.sort_by_key(|(.., beats)| std::cmp::Reverse(*beats));
        Self { found }
    }

    pub(super) fn letter(&self, why: &str) -> char {
        self.found.iter().find(|(name, ..)| *name == why).map_or('?', |(_, letter, _)| *letter)
    }
}

/// Why a beat was refused.
pub(super) fn refusal(beat: &Beat) -> Option<&'static str> {
    match beat.quality.verdict {
        Verdict::Accepted => None,
        Verdict::Refused(why) => Some(why.name()),
    }
}

/// A word of the JSON, for people.
pub(super) fn words(name: &str) -> String {
    name.replace('_', " ")
}

/// A triangle that stands on `(x, y)` with its tip and points the way R does.
pub(super) fn mark(polarity: Polarity, x: f64, y: f64) -> String {
    let away = if polarity == Polarity::Upright { -1.0 } else { 1.0 };
    let (near, far) = (y + 2.0 * away, y + 10.0 * away);
    format!("M{x:.1} {near:.1}L{:.1} {far:.1}L{:.1} {far:.1}Z", x - 4.5, x + 4.5)
}

/// Looks of marks and shades.
pub(super) fn accepted_look() -> String {
    format!("fill=\"{0}\" stroke=\"{0}\"", colours::BLACK)
}

pub(super) fn refused_look() -> String {
    format!("fill=\"white\" stroke=\"{}\" stroke-width=\"1.6\"", colours::VERMILLION)
}

pub(super) fn refused_shade() -> String {
    format!("fill=\"{}\" fill-opacity=\"0.16\"", colours::ORANGE)
}

pub(super) const OFF_SHADE: &str = "fill=\"url(#off)\" fill-opacity=\"0.8\"";
pub(super) const RAIL_SHADE: &str = "fill=\"url(#rail)\" fill-opacity=\"0.9\"";
