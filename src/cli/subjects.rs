//! `ecgid subjects`: who is enrolled and on which days; renaming, taking back, deleting.
//!
//! Where the daemon runs it is asked; otherwise the database is opened here. Both ways say the same.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use ecg_identity::enrolment::days;
use hyper::Method;
use serde_json::Value;

use super::daemon::Daemon;
use super::run::runtime;
use super::{Failure, date};
use crate::config::{Config, Slug};
use crate::store::{NOT_WIPED, Store, Subject, Template, Undone};

/// Arguments of `ecgid subjects`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Configuration file [default: /etc/ecgid/ecgid.toml where it exists, else the built-in defaults]
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Open the database here, though the daemon runs; it sees the change by itself
    #[arg(long, global = true)]
    direct: bool,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List everybody who is enrolled, on which front end and when, and who still lacks a second day
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Give a subject another name
    Rename {
        /// The present name
        from: Slug,
        /// The new name
        #[arg(value_parser = subject)]
        to: Slug,
    },
    /// Take the newest enrolment, added day or update of a subject back; what it replaced counts again
    ///
    /// The newest five changes of a subject on a front end can be taken back, one after the other. Taking the only
    /// enrolment back deletes the subject.
    Undo {
        /// The name
        name: Slug,
    },
    /// Delete a subject and everything of it; this cannot be undone
    Delete {
        /// The name
        name: Slug,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// A name that a subject may have.
pub(super) fn subject(text: &str) -> Result<Slug, String> {
    Slug::subject(text).map_err(|error| error.to_string())
}

/// Runs the command.
///
/// # Errors
/// Exit code 78 where the configuration or the database must be mended, 1 where the subject is not there or the name
/// is taken.
pub fn main(args: Args) -> Result<(), Failure> {
    let config = Config::load(args.config.as_deref(), &[]).map_err(Failure::config)?;
    let path = &config.store.path;
    if !path.exists() {
        // Looking must not make a database; renaming and deleting have nothing to work on.
        return match args.action {
            Action::List { json: true } => {
                say!("[]");
                Ok(())
            }
            _ => Err(anyhow!("nobody is enrolled: there is no database {}", path.display()).into()),
        };
    }
    if let Action::Delete { name, yes: false } = &args.action
        && !confirmed(name)?
    {
        return Err(anyhow!("nothing is deleted").into());
    }
    let runtime = runtime()?;
    match if args.direct { None } else { runtime.block_on(Daemon::of(path))? } {
        Some(daemon) => runtime.block_on(ask(&daemon, &args.action))?,
        None => open(&Store::open_with(path, &config.keys).map_err(Failure::config)?, &args.action)?,
    }
    Ok(())
}

/// In the database itself.
fn open(store: &Store, action: &Action) -> anyhow::Result<()> {
    match action {
        Action::List { json } => list(&store.subjects()?, *json)?,
        Action::Rename { from, to } => {
            store.rename(from, to)?;
            say_renamed(from, to);
        }
        Action::Undo { name } => say_undone(name, &store.undo(name)?),
        Action::Delete { name, .. } => {
            store.delete(name)?;
            say_deleted(name);
        }
    }
    let changed = !matches!(action, Action::List { .. });
    note_old_pages(!changed || store.is_wiped()?);
    Ok(())
}

/// Through the daemon.
async fn ask(daemon: &Daemon, action: &Action) -> anyhow::Result<()> {
    let path = |name: &Slug| format!("/api/v1/subjects/{name}");
    match action {
        Action::List { json } => {
            let mut data = daemon.ask(Method::GET, "/api/v1/subjects", None).await?;
            let subjects: Vec<Subject> = serde_json::from_value(data["subjects"].take())?;
            list(&subjects, *json)?;
        }
        Action::Rename { from, to } => {
            let said = daemon.ask(Method::PATCH, &path(from), Some(serde_json::json!({ "to": to }))).await?;
            say_renamed(from, to);
            note_old_pages(is_wiped(&said));
        }
        Action::Undo { name } => {
            let undone = daemon.ask(Method::POST, &format!("{}/undo", path(name)), None).await?;
            let wiped = is_wiped(&undone);
            say_undone(name, &serde_json::from_value(undone)?);
            note_old_pages(wiped);
        }
        Action::Delete { name, .. } => {
            let said = daemon.ask(Method::DELETE, &path(name), None).await?;
            say_deleted(name);
            note_old_pages(is_wiped(&said));
        }
    }
    Ok(())
}

/// What the daemon says of it; one of an earlier version says nothing where it has succeeded.
fn is_wiped(said: &Value) -> bool {
    said["wiped"].as_bool().unwrap_or(true)
}

fn note_old_pages(wiped: bool) {
    if !wiped {
        note!("note: it is done; {NOT_WIPED}");
    }
}

fn say_renamed(from: &Slug, to: &Slug) {
    say!("{from} is now {to}");
}

fn say_deleted(name: &Slug) {
    say!("{name} and everything of it is deleted");
}

fn say_undone(name: &Slug, undone: &Undone) {
    let back = match (undone.deleted, undone.restored) {
        (true, _) => "nothing else of it was left: it is deleted".to_owned(),
        (false, 0) => "the other enrolments stay as they are".to_owned(),
        (false, 1) => "1 template that it had replaced counts again".to_owned(),
        (false, count) => format!("{count} templates that it had replaced count again"),
    };
    say!("revision {} of {name} on {} is taken back; {back}", undone.revision, undone.front_end);
}

fn list(subjects: &[Subject], json: bool) -> anyhow::Result<()> {
    if json {
        say!("{}", serde_json::to_string_pretty(subjects)?);
        return Ok(());
    }
    if subjects.is_empty() {
        say!("nobody is enrolled");
    }
    for subject in subjects {
        say!("{}", subject.subject);
        for template in &subject.templates {
            say!("    {}", line(template));
        }
    }
    for subject in subjects {
        if let Some(moment) = only_day(&subject.templates) {
            let name = &subject.subject;
            say!("{name} has one day only ({}): ecgid enrol {name} --add on another day", date::utc(moment));
        }
    }
    Ok(())
}

fn line(template: &Template) -> String {
    let Template { revision, beats, front_end, model, .. } = template;
    let made = if template.updated { "updated" } else { "enrolled" };
    let day = date::utc(template.created_at_unix_ms);
    let rate = template.heart_rate_bpm.map_or_else(String::new, |bpm| format!(" at {bpm:.0} bpm"));
    format!("revision {revision}, {beats} beats, {front_end}, model {model}, {made} {day}{rate}")
}

/// The day of those who lack a second one on the front end that was used last, ms since 1970. An update is no day of its
/// own.
fn only_day(templates: &[Template]) -> Option<u64> {
    let newest = templates.iter().max_by_key(|t| t.created_at_unix_ms)?;
    let moments: Vec<f64> = templates
        .iter()
        .filter(|t| t.front_end == newest.front_end && t.model == newest.model)
        .map(|t| t.enrolled_at_unix_ms as f64 / 1000.0)
        .collect();
    (days(&moments) == 1).then_some(newest.enrolled_at_unix_ms)
}

/// Asks at the terminal; without one, somebody must have said `--yes`.
fn confirmed(name: &Slug) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Err(anyhow!("deleting {name} cannot be undone; add --yes"));
    }
    let mut out = std::io::stdout();
    write!(out, "Delete {name} and everything of it? This cannot be undone. [y/N] ")
        .and_then(|()| out.flush())
        .context("cannot ask whether it is to be deleted")?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).context("cannot read the answer")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_is_no_second_day() {
        let day = |created: u64, enrolled: u64| Template {
            front_end: "f".into(),
            model: "m".into(),
            revision: 1,
            beats: 20,
            heart_rate_bpm: None,
            updated: created != enrolled,
            created_at_unix_ms: created * 86_400_000,
            enrolled_at_unix_ms: enrolled * 86_400_000,
        };
        assert_eq!(only_day(&[day(1, 1)]), Some(86_400_000));
        assert_eq!(only_day(&[day(9, 1)]), Some(86_400_000));
        assert_eq!(only_day(&[day(1, 1), day(9, 1)]), Some(86_400_000));
        assert_eq!(only_day(&[day(9, 1), day(2, 2)]), None);
    }
}
