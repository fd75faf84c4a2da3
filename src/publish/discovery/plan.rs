//! From what was announced last to what is wanted now, without losing what people have set on their entities.

use serde_json::json;

use super::Announcement;

/// One message of a plan, in the order of sending.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Not retained: the entity behind this topic is about to move to another one and keeps its settings.
    Move {
        /// Its present topic.
        topic: String,
    },
    /// Retained: here it is.
    Announce(Announcement),
    /// Retained and empty: nothing is here any more.
    Withdraw {
        /// The topic that becomes empty.
        topic: String,
    },
}

impl Step {
    /// Where it is sent.
    #[must_use]
    pub fn topic(&self) -> &str {
        match self {
            Self::Move { topic } | Self::Withdraw { topic } => topic,
            Self::Announce(announcement) => &announcement.topic,
        }
    }

    /// What is sent there.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        match self {
            Self::Move { .. } => json!({ "migr_discvry": true }).to_string().into_bytes(),
            Self::Announce(announcement) => announcement.payload.to_string().into_bytes(),
            Self::Withdraw { .. } => Vec::new(),
        }
    }

    /// Whether the broker is to keep it.
    #[must_use]
    pub fn is_retained(&self) -> bool {
        !matches!(self, Self::Move { .. })
    }
}

/// The way from the topics that were `announced` last to the messages that are `wanted`: entities that only change
/// topics are told so first, so that Home Assistant unloads them instead of forgetting them.
#[must_use]
pub fn plan(announced: &[String], wanted: Vec<Announcement>) -> Vec<Step> {
    let stale: Vec<_> =
        announced.iter().filter(|topic| wanted.iter().all(|wanted| wanted.topic != **topic)).cloned().collect();
    let moves = stale.iter().filter(|topic| wanted.iter().any(|wanted| same_device(&wanted.topic, topic)));
    let mut steps: Vec<_> = moves.map(|topic| Step::Move { topic: topic.clone() }).collect();
    steps.extend(wanted.into_iter().map(Step::Announce));
    steps.extend(stale.into_iter().map(|topic| Step::Withdraw { topic }));
    steps
}

/// Whether two discovery topics are about the same device: `<prefix>/device/<id>/config` and
/// `<prefix>/<platform>/<id>/<entity>/config`.
fn same_device(a: &str, b: &str) -> bool {
    let device = |topic: &str| {
        let levels: Vec<_> = topic.split('/').collect();
        match levels.as_slice() {
            [prefix @ .., "device", id, "config"] | [prefix @ .., _, id, _, "config"] => {
                Some((prefix.join("/"), (*id).to_owned()))
            }
            _ => None,
        }
    };
    device(a).is_some_and(|a| Some(a) == device(b))
}
