//! The requests: their names, which permission each needs, and their fields. Whatever has another field is refused.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::answer::{ErrorCode, Refusal};
use super::body::Fields;
use crate::config::Slug;

/// What a permission is given for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    Health,
    Enrol,
    Subjects,
}

/// Every request by its name. Over MQTT the name follows `bridge/request/`.
const REQUESTS: [(&str, Group); 10] = [
    ("enrol/start", Group::Enrol),
    ("enrol/cancel", Group::Enrol),
    ("enrol/status", Group::Enrol),
    ("enrol/moved", Group::Enrol),
    ("enrol/confirm", Group::Enrol),
    ("subjects/list", Group::Subjects),
    ("subjects/rename", Group::Subjects),
    ("subjects/delete", Group::Subjects),
    ("subjects/undo", Group::Subjects),
    ("health", Group::Health),
];

/// The names of all requests.
pub(crate) const NAMES: [&str; REQUESTS.len()] = {
    let mut names = [""; REQUESTS.len()];
    let mut n = 0;
    while n < REQUESTS.len() {
        names[n] = REQUESTS[n].0;
        n += 1;
    }
    names
};

/// A request whose fields are in order.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Request {
    EnrolStart(Box<Start>),
    EnrolCancel,
    EnrolStatus,
    /// The person says that the electrodes were taken off and put back.
    EnrolMoved,
    /// Whether it is another person whom the enrolment resembles.
    EnrolConfirm {
        accept: bool,
    },
    SubjectsList,
    SubjectsRename {
        from: Slug,
        to: Slug,
    },
    SubjectsDelete {
        subject: Slug,
    },
    SubjectsUndo {
        subject: Slug,
    },
    Health,
}

/// An enrolment that is asked for; what is `None` is as usual.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Start {
    pub(super) subject: Slug,
    /// Keep the earlier templates: another day.
    pub(super) add: bool,
    /// Blend into the nearest template.
    pub(super) update: bool,
    pub(super) placements: Option<usize>,
    pub(super) seconds: Option<f64>,
    pub(super) give_up_after_s: Option<f64>,
    /// Somebody else who is much alike is another person.
    pub(super) accept_resemblance: bool,
}

/// Which permission the request of this name needs.
pub(super) fn group(name: &str) -> Result<Group, Refusal> {
    REQUESTS.iter().find(|(known, _)| *known == name).map(|(_, group)| *group).ok_or_else(unknown)
}

fn unknown() -> Refusal {
    let message = format!("no such request; these are known: {}", NAMES.join(", "));
    Refusal::new(ErrorCode::UnknownRequest, message)
}

impl Request {
    /// The request of this name with these fields.
    pub(super) fn parse(name: &str, fields: Fields) -> Result<Self, Refusal> {
        let without_fields = |request| take::<Nothing>(name, fields.clone()).map(|Nothing {}| request);
        Ok(match name {
            "enrol/start" => Self::EnrolStart(Box::new(start(take(name, fields)?)?)),
            "enrol/cancel" => without_fields(Self::EnrolCancel)?,
            "enrol/status" => without_fields(Self::EnrolStatus)?,
            "enrol/moved" => without_fields(Self::EnrolMoved)?,
            "enrol/confirm" => {
                let Confirm { accept } = take(name, fields)?;
                Self::EnrolConfirm { accept }
            }
            "subjects/list" => without_fields(Self::SubjectsList)?,
            "subjects/rename" => {
                let Rename { from, to } = take(name, fields)?;
                Self::SubjectsRename { from: Slug::new(from)?, to: Slug::subject(to)? }
            }
            "subjects/delete" => Self::SubjectsDelete { subject: named(name, fields)? },
            "subjects/undo" => Self::SubjectsUndo { subject: named(name, fields)? },
            "health" => without_fields(Self::Health)?,
            _ => return Err(unknown()),
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Confirm {
    accept: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rename {
    from: String,
    to: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    subject: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StartFields {
    subject: String,
    #[serde(default)]
    add: bool,
    #[serde(default)]
    update: bool,
    /// For JSON 3.0 is a whole number.
    placements: Option<f64>,
    seconds: Option<f64>,
    give_up_after_s: Option<f64>,
    #[serde(default)]
    accept_resemblance: bool,
}

fn take<T: DeserializeOwned>(name: &str, fields: Fields) -> Result<T, Refusal> {
    serde_json::from_value(Value::Object(fields)).map_err(|error| Refusal::bad(format!("{name}: {error}")))
}

fn named(name: &str, fields: Fields) -> Result<Slug, Refusal> {
    let Named { subject } = take(name, fields)?;
    Ok(Slug::new(subject)?)
}

/// The same ranges as those of `ecgid enrol`.
fn start(fields: StartFields) -> Result<Start, Refusal> {
    if fields.add && fields.update {
        return Err(Refusal::bad("add keeps another day, update changes a template: ask for one of them"));
    }
    if fields.placements.is_some_and(|n| !(1.0..=10.0).contains(&n) || n.fract() != 0.0) {
        return Err(Refusal::bad("placements: a whole number from 1 to 10"));
    }
    for (key, seconds) in [("seconds", fields.seconds), ("give_up_after_s", fields.give_up_after_s)] {
        if seconds.is_some_and(|s| !(5.0..=3600.0).contains(&s)) {
            return Err(Refusal::bad(format!("{key}: 5 to 3600 seconds")));
        }
    }
    Ok(Start {
        subject: Slug::subject(fields.subject)?,
        add: fields.add,
        update: fields.update,
        placements: fields.placements.map(|n| n as usize),
        seconds: fields.seconds,
        give_up_after_s: fields.give_up_after_s,
        accept_resemblance: fields.accept_resemblance,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &str, body: Value) -> Result<Request, Refusal> {
        let Value::Object(fields) = body else { panic!("an object") };
        Request::parse(name, fields)
    }

    fn refusal(name: &str, body: Value) -> String {
        let refusal = parse(name, body).unwrap_err();
        assert_eq!(refusal.code, ErrorCode::BadRequest);
        refusal.message
    }

    #[test]
    fn every_name_is_a_request() {
        for name in NAMES {
            let body = match name {
                "enrol/start" | "subjects/delete" | "subjects/undo" => serde_json::json!({"subject": "anna"}),
                "enrol/confirm" => serde_json::json!({"accept": true}),
                "subjects/rename" => serde_json::json!({"from": "anna", "to": "ann"}),
                _ => serde_json::json!({}),
            };
            let request = parse(name, body).unwrap();
            assert_eq!(request == Request::Health, name == "health", "{name}");
        }
        let refusal = group("enrol/begin").unwrap_err();
        assert_eq!(refusal.code, ErrorCode::UnknownRequest);
        assert!(refusal.message.contains("enrol/start"), "{}", refusal.message);
    }

    #[test]
    fn a_whole_number_may_be_written_with_a_point() {
        let request = parse("enrol/start", serde_json::json!({"subject": "anna", "placements": 3.0})).unwrap();
        assert!(matches!(request, Request::EnrolStart(start) if start.placements == Some(3)));
    }

    #[test]
    fn an_unknown_field_is_refused_by_its_name() {
        let message = refusal("enrol/start", serde_json::json!({"subject": "anna", "ad": true}));
        assert!(message.contains("`ad`") && message.contains("`add`"), "{message}");
        let message = refusal("health", serde_json::json!({"verbose": true}));
        assert!(message.contains("`verbose`"), "{message}");
    }

    #[test]
    fn names_and_ranges_are_checked() {
        assert!(refusal("enrol/start", serde_json::json!({"subject": "Anna Smith"})).contains("not a valid name"));
        assert!(refusal("enrol/start", serde_json::json!({"subject": "unknown"})).contains("reserved"));
        assert!(refusal("subjects/rename", serde_json::json!({"from": "anna", "to": "none"})).contains("reserved"));
        assert!(refusal("subjects/delete", serde_json::json!({"subject": 3})).contains("string"));
        let start =
            |key: &str, value: Value| refusal("enrol/start", serde_json::json!({"subject": "anna", key: value}));
        assert!(start("placements", 0.into()).contains("1 to 10"));
        assert!(start("placements", 1.5.into()).contains("whole number"));
        assert!(start("seconds", 4.9.into()).contains("5 to 3600"));
        assert!(start("give_up_after_s", 1e9.into()).contains("5 to 3600"));
        let both = serde_json::json!({"subject": "anna", "add": true, "update": true});
        assert!(refusal("enrol/start", both).contains("one of them"));
    }
}
