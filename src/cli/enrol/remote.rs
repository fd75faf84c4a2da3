//! Enrolment in the running daemon, which holds the port: the same screens, from what it says of itself.
//!
//! It decides nothing. Ctrl-C calls the enrolment off; without this program it would go on until it gives up.

use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use hyper::Method;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::Args;
use super::keyboard::Keyboard;
use super::screen::Screen;
use crate::cli::daemon::Daemon;
use crate::control::{State, Status};
use crate::enrolment::{KeepError, Question, Report};

/// The enrolment.
const ENROL: &str = "/api/v1/enrol";

/// How often the daemon is asked how far it is: often enough for a bar that moves.
const EVERY: Duration = Duration::from_millis(250);

/// What the daemon wants next.
enum Turn {
    Ended(Report),
    Asks(Question),
}

/// Enrols through the daemon.
pub(super) fn enrol(
    runtime: &Runtime,
    daemon: &Daemon,
    args: &Args,
    keyboard: &mut Keyboard,
) -> anyhow::Result<Report> {
    let listed = runtime.block_on(daemon.ask(Method::GET, "/api/v1/subjects", None))?;
    let known =
        listed["subjects"].as_array().is_some_and(|all| all.iter().any(|one| one["subject"] == args.name.as_str()));
    super::begin(args, known, keyboard, runtime)?;
    let begun = runtime.block_on(daemon.ask(Method::POST, ENROL, Some(wish(args))))?;
    let number = status(begun)?.number;
    let mut screen = Screen::new();
    screen.say("the daemon runs: it enrols from what it hears, and decides as usual meanwhile");
    loop {
        let turn = runtime.block_on(follow(daemon, number, &mut screen, keyboard));
        screen.close();
        let question = match turn? {
            Turn::Ended(report) => return Ok(report),
            Turn::Asks(question) => question,
        };
        let answered = async {
            tokio::select! {
                answer = super::confirmed(keyboard, &question) => Ok(answer),
                // It does not end the program by itself any more since it was first waited for.
                _ = tokio::signal::ctrl_c() => Err(call_off(daemon).await),
            }
        };
        let answer = runtime.block_on(answered)?;
        let accept = matches!(answer, Ok(true));
        runtime.block_on(daemon.ask(Method::POST, &format!("{ENROL}/confirm"), Some(json!({ "accept": accept }))))?;
        if !answer? {
            bail!(KeepError::Resembles(question));
        }
    }
}

/// What is asked for, as the daemon takes it.
fn wish(args: &Args) -> Value {
    json!({
        "subject": args.name.as_str(),
        "add": args.add,
        "update": args.update,
        "placements": args.placements,
        "seconds": args.seconds,
        "give_up_after_s": args.give_up_after,
        "accept_resemblance": args.accept_resemblance,
    })
}

fn status(data: Value) -> anyhow::Result<Status> {
    serde_json::from_value(data).context("the daemon is of another version than this program: restart it")
}

/// Calls the enrolment off; gives what is said of that.
async fn call_off(daemon: &Daemon) -> anyhow::Error {
    match daemon.ask(Method::DELETE, ENROL, None).await {
        Ok(_) => anyhow!("called off: nothing is stored"),
        Err(error) => error,
    }
}

/// Shows how far it is, until it has ended or asks something.
async fn follow(daemon: &Daemon, number: u64, screen: &mut Screen, keyboard: &mut Keyboard) -> anyhow::Result<Turn> {
    let mut tick = tokio::time::interval(EVERY);
    let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
    loop {
        tokio::select! {
            _ = &mut interrupted => return Err(call_off(daemon).await),
            _ = keyboard.line() => {
                // Pressed at another moment than the one that asks for it: nothing has to be said.
                let _not_now = daemon.ask(Method::POST, &format!("{ENROL}/moved"), None).await;
            }
            _ = tick.tick() => {}
        }
        let now = status(daemon.ask(Method::GET, ENROL, None).await?)?;
        if now.number != number {
            bail!("the daemon has been restarted, or has begun another enrolment: nothing is stored");
        }
        if let Some(progress) = &now.progress {
            screen.show(progress);
        }
        match now {
            Status { state: State::Done, report: Some(report), .. } => return Ok(Turn::Ended(report)),
            Status { state: State::Question, question: Some(question), .. } => return Ok(Turn::Asks(question)),
            Status { state: State::Cancelled, .. } => bail!("somebody else has called it off: nothing is stored"),
            Status { state: State::Refused, problem, .. } => bail!(problem.unwrap_or_default()),
            _ => {}
        }
    }
}
