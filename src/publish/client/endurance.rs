//! Whether connections last. Two clients with one id throw each other out of the broker for ever, each time with a
//! connection that looked like a success.

use std::time::Duration;

use tokio::time::Instant;

/// A connection that has stood so long works. One that was thrown out for another with its id ends before: the other waits
/// for at most six seconds.
const LASTS: Duration = Duration::from_secs(10);

/// Connections in a row that have not lasted before somebody is told; one or two are a broker that restarts.
const BRIEF_ONES: u32 = 3;

/// What is known of the last connections.
#[derive(Debug, Default)]
pub(super) struct Endurance {
    /// When the connection that stands began.
    since: Option<Instant>,
    /// Connections in a row that did not last.
    brief: u32,
}

/// How a connection was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Past {
    /// There was none.
    None,
    /// It worked.
    Lasted,
    /// It ended early.
    Brief,
    /// So did several before it: somebody should know.
    BriefAgain,
}

impl Endurance {
    pub(super) fn began(&mut self, now: Instant) {
        self.since = Some(now);
    }

    pub(super) fn ended(&mut self, now: Instant) -> Past {
        let Some(since) = self.since.take() else { return Past::None };
        if now.saturating_duration_since(since) >= LASTS {
            self.brief = 0;
            return Past::Lasted;
        }
        self.brief = self.brief.saturating_add(1);
        // Once: it is told again after one that has lasted.
        if self.brief == BRIEF_ONES { Past::BriefAgain } else { Past::Brief }
    }

    /// When it is to be told that the connection lasts; `None` where nobody was told the contrary.
    pub(super) fn lasts_at(&self) -> Option<Instant> {
        self.since.filter(|_| self.brief >= BRIEF_ONES).map(|since| since + LASTS)
    }

    /// That is told now.
    pub(super) fn lasts(&mut self) {
        self.brief = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_brief_connections_in_a_row_are_told_once_and_one_that_lasts_ends_that() {
        let mut endurance = Endurance::default();
        let mut now = Instant::now();
        let mut connects_for = |endurance: &mut Endurance, s: u64| {
            endurance.began(now);
            now += Duration::from_secs(s);
            endurance.ended(now)
        };
        assert_eq!(connects_for(&mut endurance, 1), Past::Brief);
        assert_eq!(connects_for(&mut endurance, 60), Past::Lasted);
        let past: Vec<_> = (0..4).map(|_| connects_for(&mut endurance, 5)).collect();
        assert_eq!(past, [Past::Brief, Past::Brief, Past::BriefAgain, Past::Brief]);
        assert_eq!((endurance.ended(now), endurance.lasts_at()), (Past::None, None));
        endurance.began(now);
        assert_eq!(endurance.lasts_at(), Some(now + LASTS));
        endurance.lasts();
        assert_eq!(endurance.lasts_at(), None);
    }
}
