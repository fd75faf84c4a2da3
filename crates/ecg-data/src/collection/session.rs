//! Which sessions of a collection are meant: `first`, `rest`, a name, or several of them.
//!
//! Must not know of files.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::Entry;

/// A selection of sessions: `first`, `rest`, names from the manifest, or a list of these with commas.
///
/// `first` is for each subject the session of its earliest date (of one date, the one whose name sorts first; without
/// dates, by name alone); `rest` is every other session. A subject with one session has no `rest`.
///
/// ```
/// let selection: ecg_data::SessionSelection = "Session-2,Session-3R".parse().unwrap();
/// assert_eq!(selection.to_string(), "Session-2,Session-3R");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionSelection {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Term {
    First,
    Rest,
    Name(String),
}

/// A selection without a name in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} selects no session: give first, rest, a session of the manifest, or several with commas between")]
pub struct ParseSelectionError {
    /// What was given.
    pub text: String,
}

impl SessionSelection {
    /// Each subject's first session.
    pub fn first() -> Self {
        Self { terms: vec![Term::First] }
    }

    /// Each subject's sessions but the first.
    pub fn rest() -> Self {
        Self { terms: vec![Term::Rest] }
    }
}

impl std::str::FromStr for SessionSelection {
    type Err = ParseSelectionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let term = |name: &str| match name.trim() {
            "" => None,
            "first" => Some(Term::First),
            "rest" => Some(Term::Rest),
            name => Some(Term::Name(name.to_owned())),
        };
        let terms: Option<Vec<Term>> = text.split(',').map(term).collect();
        terms.map(|terms| Self { terms }).ok_or_else(|| ParseSelectionError { text: text.to_owned() })
    }
}

impl std::fmt::Display for SessionSelection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, term) in self.terms.iter().enumerate() {
            let name = match term {
                Term::First => "first",
                Term::Rest => "rest",
                Term::Name(name) => name,
            };
            write!(f, "{}{name}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

/// The entries of the selected sessions; the error is a name that fits none.
pub(super) fn select<'a>(entries: &'a [Entry], selection: &SessionSelection) -> Result<Vec<&'a Entry>, String> {
    for term in &selection.terms {
        if let Term::Name(name) = term
            && !entries.iter().any(|entry| entry.session == *name)
        {
            return Err(name.clone());
        }
    }
    let first = first_sessions(entries);
    let is_selected = |entry: &&Entry| {
        let is_first = first.get(entry.subject.as_str()).is_some_and(|session| *session == entry.session);
        selection.terms.iter().any(|term| match term {
            Term::First => is_first,
            Term::Rest => !is_first,
            Term::Name(name) => entry.session == *name,
        })
    };
    Ok(entries.iter().filter(is_selected).collect())
}

/// The first session of each subject.
fn first_sessions(entries: &[Entry]) -> HashMap<&str, &str> {
    let mut first: HashMap<&str, &Entry> = HashMap::new();
    for entry in entries {
        let known = first.entry(&entry.subject).or_insert(entry);
        if before(entry, known) {
            *known = entry;
        }
    }
    first.into_iter().map(|(subject, entry)| (subject, entry.session.as_str())).collect()
}

/// By date, then by name. A session without a date is never before one that has it.
fn before(a: &Entry, b: &Entry) -> bool {
    let dated = |entry: &Entry| entry.date.is_empty();
    let order = dated(a).cmp(&dated(b)).then_with(|| natural(&a.date, &b.date));
    order.then_with(|| natural(&a.session, &b.session)) == Ordering::Less
}

/// The sessions that there are, each once, in natural order.
pub(super) fn names(entries: &[Entry]) -> Vec<&str> {
    let mut names: Vec<&str> = entries.iter().map(|entry| entry.session.as_str()).filter(|n| !n.is_empty()).collect();
    names.sort_by(|a, b| natural(a, b));
    names.dedup();
    names
}

/// Compares so that `rec_2` comes before `rec_10`: runs of digits by their value.
pub(super) fn natural(a: &str, b: &str) -> Ordering {
    let (mut a_rest, mut b_rest) = (a, b);
    while let (Some(x), Some(y)) = (a_rest.chars().next(), b_rest.chars().next()) {
        if x.is_ascii_digit() && y.is_ascii_digit() {
            let (a_digits, a_after) = digits(a_rest);
            let (b_digits, b_after) = digits(b_rest);
            let order = a_digits.len().cmp(&b_digits.len()).then_with(|| a_digits.cmp(b_digits));
            if order != Ordering::Equal {
                return order;
            }
            (a_rest, b_rest) = (a_after, b_after);
        } else if x == y {
            (a_rest, b_rest) = (&a_rest[x.len_utf8()..], &b_rest[y.len_utf8()..]);
        } else {
            return x.cmp(&y);
        }
    }
    // `rec_01` and `rec_1` are equal so far; the plain order keeps the result total.
    a_rest.len().cmp(&b_rest.len()).then_with(|| a.cmp(b))
}

/// A run of digits without its leading zeros, and what follows.
fn digits(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (text[..end].trim_start_matches('0'), &text[end..])
}
