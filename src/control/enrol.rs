//! Enrolment in the running daemon: one at a time, beside the decision, from a tap on the live stream.
//!
//! What comes next is decided by `ecg_identity`'s [`Enrolment`]; this file starts it, takes what people say, and keeps
//! what everybody may read. It knows no way that a request came.

mod session;

use std::sync::{Arc, Mutex, PoisonError};

use ecg_identity::Cohort;
use ecg_identity::enrolment::Enrolment;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use self::session::Session;
use super::answer::{ErrorCode, Refusal};
use super::health::Facts;
use super::request::Start;
use super::status::{Kind, State, Status};
use crate::config::SourceConfig;
use crate::enrolment::{nothing_to_update, replaces};
use crate::pipeline::tap::Tap;
use crate::store::Store;

/// Commands that wait; one at a time is usual.
const COMMANDS: usize = 4;

/// What every enrolment of this start of the daemon needs.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) store: Store,
    pub(super) tap: Tap,
    pub(super) facts: Arc<Facts>,
    pub(super) source: SourceConfig,
    pub(super) model: String,
    pub(super) cohort: Option<Arc<Cohort>>,
    /// Score of a match.
    pub(super) threshold: f64,
    /// Below it nobody is alike.
    pub(super) floor: f64,
    pub(super) cancel: CancellationToken,
}

/// What somebody says to an enrolment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Cancel,
    /// The electrodes were taken off and put back.
    Moved,
    /// Whether it is another person whom the enrolment resembles.
    Confirm(bool),
}

/// A word, and where its effect is told.
type Said = (Word, oneshot::Sender<Result<(), Refusal>>);

/// Starts enrolments and speaks to the one that runs.
#[derive(Debug)]
pub(super) struct Enroller {
    setting: Arc<Setting>,
    status: watch::Sender<Status>,
    /// The way to the enrolment that runs; closed when it has ended.
    words: Mutex<Option<mpsc::Sender<Said>>>,
}

impl Enroller {
    pub(super) fn new(setting: Setting) -> Self {
        Self { setting: Arc::new(setting), status: watch::Sender::new(Status::idle()), words: Mutex::new(None) }
    }

    /// Where things stand, now and later.
    pub(super) fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// Begins, unless somebody is being enrolled. `known`: somebody is enrolled under this name.
    pub(super) fn start(&self, start: Start, known: bool) -> Result<Status, Refusal> {
        if let Some(message) = nothing_to_update(&start.subject, known, start.update) {
            return Err(Refusal::new(ErrorCode::NoSuchSubject, message));
        }
        let mut words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        if words.as_ref().is_some_and(|words| !words.is_closed()) {
            let subject = self.status.borrow().subject.clone().unwrap_or_default();
            let message = format!("{subject} is being enrolled; wait, or cancel that first (enrol/cancel)");
            return Err(Refusal::new(ErrorCode::AlreadyEnrolling, message));
        }
        let (to_session, heard_words) = mpsc::channel(COMMANDS);
        let note = replaces(&start.subject, known, start.add, start.update);
        let session = Session::new(Arc::clone(&self.setting), start, self.status.clone());
        let begun = Status { note, ..session.begun() };
        self.status.send_replace(begun.clone());
        tokio::spawn(session.run(heard_words));
        *words = Some(to_session);
        Ok(begun)
    }

    pub(super) async fn cancel(&self) -> Result<Status, Refusal> {
        self.say(Word::Cancel).await
    }

    pub(super) async fn moved(&self) -> Result<Status, Refusal> {
        self.say(Word::Moved).await
    }

    pub(super) async fn confirm(&self, accept: bool) -> Result<Status, Refusal> {
        self.say(Word::Confirm(accept)).await
    }

    /// Says a word to the enrolment that runs, and gives the status after it.
    async fn say(&self, word: Word) -> Result<Status, Refusal> {
        let nobody = || Refusal::new(ErrorCode::NotEnrolling, "nobody is being enrolled; enrol/start begins");
        let words = self.words.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or_else(nobody)?;
        let (done, effect) = oneshot::channel();
        let busy = |_full| Refusal::new(ErrorCode::Busy, "the enrolment is busy; ask again in a second");
        if let Err(error) = words.try_send((word, done)) {
            return Err(match error {
                mpsc::error::TrySendError::Closed(_) => nobody(),
                full @ mpsc::error::TrySendError::Full(_) => busy(full),
            });
        }
        effect.await.map_err(|_ended_meanwhile| nobody())??;
        Ok(self.status.borrow().clone())
    }
}

/// The status of an enrolment that begins.
fn begun(number: u64, start: &Start, enrolment: &Enrolment) -> Status {
    let kind = match (start.add, start.update) {
        (_, true) => Kind::Update,
        (true, false) => Kind::Add,
        (false, false) => Kind::Enrol,
    };
    Status {
        state: State::Collecting,
        number,
        subject: Some(start.subject.to_string()),
        kind: Some(kind),
        progress: Some((&enrolment.status()).into()),
        ..Status::idle()
    }
}
