//! How long after R a beat is decided, over the beats of one or more records.

use serde::Serialize;

use crate::recording::Passage;

/// Later than the path's own delay by more than this is search-back, seconds: R lies within the integrator's half
/// width of where the detector's clock for it begins.
const SLACK_S: f64 = 0.1;

/// Delays from R to the decision, seconds. `None` without such a beat.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Decisions {
    /// Beats decided as they come, how many of them within 0.8 s, and the longest delay among them. And how many of the
    /// later ones have their segment cut behind R, where the lead's other beats have theirs, which comes that much later.
    in_time: usize,
    within_800_ms: usize,
    later_cut_behind_r: usize,
    max_s: Option<f64>,
    /// Beats that a later one brought to light (or a new start, where the level had fallen), and the longest delay.
    search_back: usize,
    search_back_max_s: Option<f64>,
    /// Beats held until the detector had learned how high a beat is in this lead, and the longest delay among them.
    learning: usize,
    learning_max_s: Option<f64>,
}

impl Decisions {
    /// Of one passage; `fs` is the source's sampling frequency in hertz.
    #[must_use]
    pub fn of(passage: &Passage, fs: f64) -> Self {
        let mut decisions = Self::default();
        let usual_s = passage.delay.r_to_segment_ms / 1000.0 + SLACK_S;
        // All that was held while it learned is decided with the same sample.
        let learned_at = passage.beats.first().map(|beat| beat.decided_at);
        for beat in &passage.beats {
            let delay_s = (beat.decided_at as f64 - beat.r_peak) / fs;
            let (count, longest) = if delay_s <= usual_s {
                (&mut decisions.in_time, &mut decisions.max_s)
            } else if Some(beat.decided_at) == learned_at {
                (&mut decisions.learning, &mut decisions.learning_max_s)
            } else {
                (&mut decisions.search_back, &mut decisions.search_back_max_s)
            };
            *count += 1;
            decisions.within_800_ms += usize::from(delay_s <= 0.8);
            decisions.later_cut_behind_r +=
                usize::from(delay_s > 0.8 && delay_s <= usual_s && beat.realigned_by_ms > 0.0);
            *longest = later(*longest, Some(delay_s));
        }
        decisions
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            in_time: self.in_time + other.in_time,
            within_800_ms: self.within_800_ms + other.within_800_ms,
            later_cut_behind_r: self.later_cut_behind_r + other.later_cut_behind_r,
            max_s: later(self.max_s, other.max_s),
            search_back: self.search_back + other.search_back,
            search_back_max_s: later(self.search_back_max_s, other.search_back_max_s),
            learning: self.learning + other.learning,
            learning_max_s: later(self.learning_max_s, other.learning_max_s),
        }
    }
}

fn later(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    a.into_iter().chain(b).max_by(f64::total_cmp)
}

impl std::fmt::Display for Decisions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let show = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| format!("{v:.3} s"));
        write!(
            f,
            "from R to the beat: {} beats as they come, at most {} ({} of them within 0.8 s; of the \
             others {} have their segment cut behind R); {} by search-back, at most {}; {} held while learning, at most {}",
            self.in_time,
            show(self.max_s),
            self.within_800_ms,
            self.later_cut_behind_r,
            self.search_back,
            show(self.search_back_max_s),
            self.learning,
            show(self.learning_max_s)
        )
    }
}
