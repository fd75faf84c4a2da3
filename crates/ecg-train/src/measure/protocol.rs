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
    /// First two sessions; third session.
    TwoSessions,
    /// First session as recorded; second session through the slow board that training never draws.
    SlowBoard,
    /// The same through the coarse board.
    CoarseBoard,
}

impl Protocol {
    /// Every protocol.
    pub const ALL: [Self; 6] = [
        Self::Records,
        Self::SecondSession,
        Self::LaterSessions,
        Self::TwoSessions,
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

    /// Whether the record at `position` among the person's, in session number `session`, is enrolled, probed or left.
    fn role(self, position: usize, session: usize) -> Role {
        let enrolled = match self {
            Self::Records => position == 0,
            Self::TwoSessions => session < 2,
            _ => session == 0,
        };
        let last = match self {
            Self::Records | Self::LaterSessions => usize::MAX,
            Self::TwoSessions => 2,
            Self::SecondSession | Self::SlowBoard | Self::CoarseBoard => 1,
        };
        match (enrolled, session <= last) {
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
        roles.push((*record, protocol.role(position, session)));
    }
    roles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_the_part_that_the_protocol_gives_to_its_session() {
        let parts = |protocol: Protocol| [(0, 0), (1, 0), (2, 1), (3, 2), (4, 3)].map(|(p, s)| protocol.role(p, s));
        use Role::{Enrol, Leave, Probe};
        assert_eq!(parts(Protocol::Records), [Enrol, Probe, Probe, Probe, Probe]);
        assert_eq!(parts(Protocol::SecondSession), [Enrol, Enrol, Probe, Leave, Leave]);
        assert_eq!(parts(Protocol::LaterSessions), [Enrol, Enrol, Probe, Probe, Probe]);
        assert_eq!(parts(Protocol::TwoSessions), [Enrol, Enrol, Enrol, Probe, Leave]);
    }
}
