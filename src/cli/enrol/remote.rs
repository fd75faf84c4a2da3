//! Enrolment in the running daemon, which holds the port: the same screens, from what it says of itself.
//!
//! It decides nothing. Whatever ends this program calls the enrolment off; without it that would go on, and be stored.

use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use hyper::Method;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::time::timeout;

use super::Args;
use super::keyboard::Keyboard;
use super::screen::Screen;
use crate::cli::daemon::{Daemon, has_gone};
use crate::cli::run::Ending;
use crate::control::{State, Status};
use crate::enrolment::{KeepError, Question, Report};

/// The enrolment.
const ENROL: &str = "/api/v1/enrol";

/// How often the daemon is asked how far it is: often enough for a bar that moves.
const EVERY: Duration = Duration::from_millis(250);

/// How long calling off may take: whoever has pressed Ctrl-C waits for it.
const CALLED_OFF_WITHIN: Duration = Duration::from_secs(5);

/// What is said where the daemon is there no more: it may have stored what it had.
const GONE: &str = "the daemon has ended meanwhile; ecgid subjects list shows whether anything is stored";

/// What the daemon wants next.
enum Turn {
    Stored(Report),
    /// It has ended otherwise, and why.
    Over(String),
    Asks(Question),
}

/// An enrolment in the daemon. Where this ends before it, in whatever way, it is called off.
struct Session<'a> {
    runtime: &'a Runtime,
    daemon: &'a Daemon,
    ending: Ending,
    /// Nobody has heard of its end.
    runs: bool,
}

impl<'a> Session<'a> {
    /// Begins; from then on signals end the program in order only.
    fn begin(runtime: &'a Runtime, daemon: &'a Daemon, wish: Value) -> anyhow::Result<(Self, Value)> {
        let ending = runtime.block_on(async { Ending::listen() }).context("cannot listen to signals")?;
        let begun = runtime.block_on(daemon.ask(Method::POST, ENROL, Some(wish)))?;
        Ok((Self { runtime, daemon, ending, runs: true }, begun))
    }

    /// Waits for the daemon or for the person; whoever asks the program to end meanwhile calls the enrolment off.
    fn wait<T>(&mut self, what: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
        let came = self.runtime.block_on(async {
            tokio::select! {
                came = what => Some(came),
                () = self.ending.asked() => None,
            }
        });
        let came = came.unwrap_or_else(|| {
            self.call_off()?;
            Err(anyhow!("called off: nothing is stored"))
        });
        came.map_err(|error| if has_gone(&error) { error.context(GONE) } else { error })
    }

    fn call_off(&mut self) -> anyhow::Result<()> {
        self.runs = false;
        let asked = async { timeout(CALLED_OFF_WITHIN, self.daemon.ask(Method::DELETE, ENROL, None)).await };
        let answered = self.runtime.block_on(asked);
        answered.context("the daemon does not say that it has called the enrolment off: it may go on")?.map(drop)
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        if self.runs {
            // What ended this is said already, or will be.
            let _nobody_to_tell = self.call_off();
        }
    }
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
    let (mut session, begun) = Session::begin(runtime, daemon, wish(args))?;
    let number = status(begun)?.number;
    let mut screen = Screen::new();
    screen.say("the daemon runs: it enrols from what it hears, and decides as usual meanwhile");
    loop {
        let turn = session.wait(follow(daemon, number, &mut screen, keyboard));
        screen.close();
        let question = match turn? {
            Turn::Asks(question) => question,
            Turn::Stored(report) => {
                session.runs = false;
                return Ok(report);
            }
            Turn::Over(why) => {
                session.runs = false;
                bail!(why);
            }
        };
        let answer = session.wait(async { Ok(super::confirmed(keyboard, &question).await) })?;
        let accept = matches!(answer, Ok(true));
        session.wait(daemon.ask(Method::POST, &format!("{ENROL}/confirm"), Some(json!({ "accept": accept }))))?;
        // A no has ended it.
        session.runs = accept;
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

/// Shows how far it is, until it has ended or asks something.
async fn follow(daemon: &Daemon, number: u64, screen: &mut Screen, keyboard: &mut Keyboard) -> anyhow::Result<Turn> {
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            _ = keyboard.line() => {
                // Pressed at another moment than the one that asks for it: nothing has to be said.
                let _not_now = daemon.ask(Method::POST, &format!("{ENROL}/moved"), None).await;
            }
            _ = tick.tick() => {}
        }
        let now = status(daemon.ask(Method::GET, ENROL, None).await?)?;
        if now.number != number {
            let why = "the daemon has been restarted, or has begun another enrolment: nothing is stored";
            return Ok(Turn::Over(why.to_owned()));
        }
        if let Some(progress) = &now.progress {
            screen.show(progress);
        }
        match now {
            Status { state: State::Done, report: Some(report), .. } => return Ok(Turn::Stored(report)),
            Status { state: State::Question, question: Some(question), .. } => return Ok(Turn::Asks(question)),
            Status { state: State::Cancelled, .. } => {
                let why = "somebody else has called it off, or the daemon stops: nothing is stored";
                return Ok(Turn::Over(why.to_owned()));
            }
            Status { state: State::Refused, problem, .. } => return Ok(Turn::Over(problem.unwrap_or_default())),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Shutdown, TcpListener};
    use std::sync::mpsc::sync_channel;

    use super::*;
    use crate::cli::run::runtime;
    use crate::http::access::{Access, Token};
    use crate::store::DaemonLock;

    /// Says yes to one request; gives its method and path.
    fn said_yes(listener: &TcpListener) -> String {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let length = stream.read(&mut request).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"data\":{}}").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let _rest = stream.read_to_end(&mut Vec::new());
        let request = String::from_utf8_lossy(&request[..length]);
        request.split(" HTTP/1.1").next().unwrap().to_owned()
    }

    #[test]
    fn a_program_that_dies_calls_its_enrolment_off() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("ecgid.sqlite");
        let _lock = DaemonLock::take(&database).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let access = Access { address: listener.local_addr().unwrap(), token: Token::new() };
        access.write(&Access::path(&database)).unwrap();
        let (to_test, asked) = sync_channel(3);
        std::thread::spawn(move || (0..3).try_for_each(|_| to_test.send(said_yes(&listener))));
        let runtime = runtime().ok().unwrap();
        let daemon = runtime.block_on(Daemon::of(&database)).unwrap().unwrap();
        let died = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let (mut session, _) = Session::begin(&runtime, &daemon, json!({})).unwrap();
            session.wait::<()>(async { panic!("a defect") })
        }));
        assert!(died.is_err());
        for request in ["GET /api/v1/health", "POST /api/v1/enrol", "DELETE /api/v1/enrol"] {
            assert_eq!(asked.recv_timeout(Duration::from_secs(20)).unwrap(), request);
        }
    }
}
