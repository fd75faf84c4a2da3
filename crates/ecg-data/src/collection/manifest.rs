//! `manifest.csv` of a collection: `record,subject,session,date`.
//!
//! Must not know of sessions' order or of what lies in a record.

use std::collections::HashSet;
use std::path::Path;

use super::{Entry, locate};

/// Parses a manifest; the error is the line, counted from 1, and what is wrong with it.
pub(super) fn parse(dir: &Path, text: &str) -> Result<Vec<Entry>, (usize, String)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    let mut lines = lines.by_ref().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    let Some((number, header)) = lines.next() else {
        return Err((1, "empty; expected the header `record,subject,session,date`".into()));
    };
    let header = fields(header);
    let column = |name: &str| header.iter().position(|field| field.eq_ignore_ascii_case(name));
    let required = |name: &str| {
        column(name).ok_or_else(|| (number, format!("no column {name:?}; expected `record,subject,session,date`")))
    };
    let (record, subject) = (required("record")?, required("subject")?);
    let (session, date) = (column("session"), column("date"));
    let mut seen = HashSet::new();
    let mut entries = Vec::new();
    for (number, line) in lines {
        let fields = fields(line);
        let field = |at: usize| fields.get(at).map_or("", String::as_str);
        let optional = |at: Option<usize>| at.map_or("", field).to_owned();
        let (name, subject) = (field(record).to_owned(), field(subject).to_owned());
        if name.is_empty() || subject.is_empty() {
            return Err((number, "a record and a subject are needed in each line".into()));
        }
        let path = locate(dir, &name).ok_or_else(|| {
            (number, format!("record {name:?} is not there: neither {name}.hea nor {name}.csv exists"))
        })?;
        if !seen.insert(name.clone()) {
            return Err((number, format!("record {name:?} is listed twice")));
        }
        entries.push(Entry { record: name, path, subject, session: optional(session), date: optional(date) });
    }
    Ok(entries)
}

/// Fields of a line; quotes keep commas, two quotes in quotes are one.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                fields.last_mut().into_iter().for_each(|field| field.push('"'));
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            other => fields.last_mut().into_iter().for_each(|field| field.push(other)),
        }
    }
    fields.iter().map(|field| field.trim().to_owned()).collect()
}
