//! The protocols: which records of a person are enrolled, which are probes, and through which board these go.

use super::Embedded;

/// What is enrolled and what is compared with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// First record of each person; all other records.
    Records,
    /// First session; second session.
    SecondSession,
    /// First session; all later ones.
    LaterSessions,
    /// First two sessions; third session, whatever was done in it.
    TwoSessions,
    /// First two sessions; Heartprint's `Session-3R`.
    Resting,
    /// First session as recorded; second session through the slow board that training never draws.
    SlowBoard,
    /// The same through the coarse board.
    CoarseBoard,
}

/// How Heartprint calls the session years later in which the persons rested, as in the first two; in the other one they
/// read. Where there is no session of this name the protocol has no figures.
const RESTING: &str = "Session-3R";

impl Protocol {
    /// Every protocol.
    pub const ALL: [Self; 7] = [
        Self::Records,
        Self::SecondSession,
        Self::LaterSessions,
        Self::TwoSessions,
        Self::Resting,
        Self::SlowBoard,
        Self::CoarseBoard,
    ];

    /// As the card calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Records => "first record, other records",
            Self::SecondSession => "first session, second session",
            Self::LaterSessions => "first session, later sessions",
            Self::TwoSessions => "first two sessions, third session",
            Self::Resting => "first two sessions, Session-3R",
            Self::SlowBoard => "second session on a slow board",
            Self::CoarseBoard => "second session on a coarse board",
        }
    }

    /// Which of [`FrontEnd::unseen`](crate::front_end::FrontEnd::unseen) the probes go through.
    pub(super) fn board(self) -> Option<usize> {
        match self {
            Self::SlowBoard => Some(0),
            Self::CoarseBoard => Some(1),
            _ => None,
        }
    }

    /// Whether the record at `position` among the person's, in session number `session` of this name, is enrolled, probed
    /// or left.
    fn role(self, position: usize, session: usize, name: &str) -> Role {
        let enrolled = match self {
            Self::Records => position == 0,
            Self::TwoSessions | Self::Resting => session < 2,
            _ => session == 0,
        };
        let probed = match self {
            Self::Records | Self::LaterSessions => true,
            Self::TwoSessions => session <= 2,
            Self::Resting => name == RESTING,
            Self::SecondSession | Self::SlowBoard | Self::CoarseBoard => session <= 1,
        };
        match (enrolled, probed) {
            (true, _) => Role::Enrol,
            (false, true) => Role::Probe,
            (false, false) => Role::Leave,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Enrol,
    Probe,
    Leave,
}

/// Roles of one person's records, which are in the order of the collection; sessions count as they first appear.
pub(super) fn roles<'e, 'a>(records: &[&'e Embedded<'a>], protocol: Protocol) -> Vec<(&'e Embedded<'a>, Role)> {
    let mut sessions: Vec<&str> = Vec::new();
    let mut roles = Vec::with_capacity(records.len());
    for (position, record) in records.iter().enumerate() {
        let name = record.record.session.as_str();
        let session = sessions.iter().position(|known| *known == name).unwrap_or_else(|| {
            sessions.push(name);
            sessions.len() - 1
        });
        roles.push((*record, protocol.role(position, session, name)));
    }
    roles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_the_part_that_the_protocol_gives_to_its_session() {
        let parts = |protocol: Protocol| {
            let sessions = [(0, "a"), (0, "a"), (1, "b"), (2, "c"), (3, RESTING)];
            let mut position = 0;
            sessions.map(|(session, name)| {
                position += 1;
                protocol.role(position - 1, session, name)
            })
        };
        use Role::{Enrol, Leave, Probe};
        assert_eq!(parts(Protocol::Records), [Enrol, Probe, Probe, Probe, Probe]);
        assert_eq!(parts(Protocol::SecondSession), [Enrol, Enrol, Probe, Leave, Leave]);
        assert_eq!(parts(Protocol::LaterSessions), [Enrol, Enrol, Probe, Probe, Probe]);
        assert_eq!(parts(Protocol::TwoSessions), [Enrol, Enrol, Enrol, Probe, Leave]);
        assert_eq!(parts(Protocol::Resting), [Enrol, Enrol, Enrol, Leave, Probe]);
    }
}
