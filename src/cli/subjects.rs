//! `ecgid subjects`: who is enrolled; renaming and deleting.
//!
//! It may run beside the daemon, which sees the change by itself.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use anyhow::{Context, anyhow};

use super::Failure;
use crate::config::{Config, Slug};
use crate::store::{Store, Subject};

/// Arguments of `ecgid subjects`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Configuration file [default: /etc/ecgid/ecgid.toml where it exists, else the built-in defaults]
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List everybody who is enrolled, and on which front end
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
fn subject(text: &str) -> Result<Slug, String> {
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
    let store = Store::open(path).map_err(Failure::config)?;
    match args.action {
        Action::List { json: true } => say!("{}", serde_json::to_string_pretty(&store.subjects()?)?),
        Action::List { json: false } => list(&store.subjects()?),
        Action::Rename { from, to } => {
            store.rename(&from, &to)?;
            say!("{from} is now {to}");
        }
        Action::Delete { name, yes } => {
            if !yes && !confirmed(&name)? {
                return Err(anyhow!("nothing is deleted").into());
            }
            store.delete(&name)?;
            say!("{name} and everything of it is deleted");
        }
    }
    Ok(())
}

fn list(subjects: &[Subject]) {
    if subjects.is_empty() {
        say!("nobody is enrolled");
    }
    for subject in subjects {
        say!("{}", subject.subject);
        for template in &subject.templates {
            let (front_end, model) = (&template.front_end, &template.model);
            say!("    revision {}, {} beats, {front_end}, model {model}", template.revision, template.beats);
        }
    }
}

/// Asks at the terminal; without one, somebody must have said `--yes`.
fn confirmed(name: &Slug) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Err(anyhow!("deleting {name} cannot be undone; add --yes"));
    }
    print!("Delete {name} and everything of it? This cannot be undone. [y/N] ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).context("cannot read the answer")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
