//! One enrolment, from its start to what is stored of it. It ends by itself: complete, given up, or unanswered.

use std::sync::Arc;
use std::time::Duration;

use ecg_identity::enrolment::{Enrolment, EnrolmentConfig, Judged, Step};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};

use super::{Said, Setting, Word, begun};
use crate::control::answer::{ErrorCode, Refusal};
use crate::control::request::Start;
use crate::control::status::{State, Status};
use crate::enrolment::{
    Asked, KeepError, Offer, Progress, Question, Report, contact_of_second, fault_of, gave_up, keep, refusal,
};
use crate::pipeline::tap::{Heard, Signal};

/// How long a question waits for its answer: somebody who was asked is in front of a screen or a phone.
const ANSWER_WITHIN: Duration = Duration::from_secs(120);

/// The tap says something every second, in silence too; after so long the pipeline has gone.
const SILENCE: Duration = Duration::from_secs(30);

/// How an enrolment ends without a report.
enum End {
    /// Somebody waits to hear of it, unless the daemon stops.
    Cancelled(Option<Effect>),
    Refused(String),
}

/// Where the effect of a word is told.
type Effect = oneshot::Sender<Result<(), Refusal>>;

/// A person on the electrodes.
pub(super) struct Session {
    setting: Arc<Setting>,
    start: Start,
    plan: EnrolmentConfig,
    enrolment: Enrolment,
    signal: Option<Signal>,
    number: u64,
    status: watch::Sender<Status>,
}

impl Session {
    pub(super) fn new(setting: Arc<Setting>, start: Start, status: watch::Sender<Status>) -> Self {
        let asked = Asked {
            placements: start.placements,
            seconds: start.seconds,
            give_up_after_s: start.give_up_after_s,
            update: start.update,
        };
        let plan = asked.plan(&setting.source);
        let number = status.borrow().number + 1;
        Self { enrolment: Enrolment::new(plan.clone()), setting, start, plan, signal: None, number, status }
    }

    /// What is said first.
    pub(super) fn begun(&self) -> Status {
        begun(self.number, &self.start, &self.enrolment)
    }

    /// Runs to its end; `words` closes with it.
    pub(super) async fn run(mut self, mut words: mpsc::Receiver<Said>) {
        tracing::info!(number = self.number, "an enrolment begins");
        let ended = match self.collect(&mut words).await {
            Ok(judged) => self.store(judged, &mut words).await,
            Err(end) => Err(end),
        };
        tracing::info!(number = self.number, stored = ended.is_ok(), "the enrolment has ended");
        // Closed before the end is told: whoever reads of it may begin the next one.
        drop(words);
        let mut effect = None;
        self.status.send_modify(|status| {
            status.question = None;
            match ended {
                Ok(report) => (status.state, status.report) = (State::Done, Some(report)),
                Err(End::Cancelled(asker)) => (status.state, effect) = (State::Cancelled, asker),
                Err(End::Refused(why)) => (status.state, status.problem) = (State::Refused, Some(why)),
            }
        });
        if let Some(effect) = effect {
            let _asker_gone = effect.send(Ok(()));
        }
    }

    /// Collects what the plan asks for.
    async fn collect(&mut self, words: &mut mpsc::Receiver<Said>) -> Result<Judged, End> {
        let setting = Arc::clone(&self.setting);
        let mut heard = setting.tap.listen();
        while !self.enrolment.ended() {
            tokio::select! {
                () = setting.cancel.cancelled() => return Err(End::Cancelled(None)),
                came = timeout(SILENCE, heard.recv()) => match came {
                    Ok(Some(heard)) => self.take(heard)?,
                    Ok(None) => return Err(End::Refused("another enrolment has taken its place".to_owned())),
                    Err(_) => return Err(End::Refused("nothing comes from the signal path any more".to_owned())),
                },
                Some((word, effect)) = words.recv() => self.hear(word, effect)?,
            }
            self.tell_progress();
        }
        if self.enrolment.status().step == Step::GaveUp {
            let problem = setting.facts.source_problem();
            return Err(End::Refused(gave_up(&self.enrolment, self.plan.give_up_after_s, problem.as_deref())));
        }
        self.enrolment.finish().map_err(|why| End::Refused(refusal(&why, "placement")))
    }

    fn take(&mut self, heard: Heard) -> Result<(), End> {
        match heard {
            Heard::FrontEnd(signal) => self.front_end(signal)?,
            Heard::Accepted { rr_s } => self.enrolment.accepted(rr_s),
            Heard::Refused(why) => self.enrolment.refused(fault_of(why)),
            Heard::Doubted { suspicion, refused } => self.enrolment.doubted(suspicion, refused.map(fault_of)),
            Heard::Embedding(embedding) => self.enrolment.embedding(&embedding),
            Heard::Unusable(reason) => self.enrolment.contact(contact_of_second(Some(reason), None)),
            Heard::Second { unusable, heart_rate_bpm } => {
                self.enrolment.elapsed(1.0);
                self.enrolment.contact(contact_of_second(unusable, heart_rate_bpm));
            }
        }
        Ok(())
    }

    /// Templates belong to one front end.
    fn front_end(&mut self, signal: Signal) -> Result<(), End> {
        let other = self.signal.as_ref().is_some_and(|known| *known != signal);
        if other && self.enrolment.status().good_beats > 0 {
            let format = &signal.front_end.format;
            return Err(End::Refused(format!("the source has become another front end ({format}): enrol again")));
        }
        self.signal = Some(signal);
        Ok(())
    }

    fn hear(&mut self, word: Word, effect: Effect) -> Result<(), End> {
        let said = match word {
            Word::Cancel => return Err(End::Cancelled(Some(effect))),
            Word::Moved if self.enrolment.status().step == Step::TakeOff => {
                self.enrolment.moved();
                self.tell_progress();
                Ok(())
            }
            Word::Moved => Err(Refusal::new(ErrorCode::NotEnrolling, "the electrodes are not to be taken off now")),
            Word::Confirm(_) => Err(Refusal::new(ErrorCode::NotEnrolling, "nothing was asked")),
        };
        let _asker_gone = effect.send(said);
        Ok(())
    }

    fn tell_progress(&self) {
        let now = Progress::from(&self.enrolment.status());
        self.status.send_if_modified(|status| {
            let news = status.progress.as_ref() != Some(&now);
            status.progress = Some(now);
            news
        });
    }

    /// Stores what was collected; asks first where somebody else is much alike.
    async fn store(&mut self, judged: Judged, words: &mut mpsc::Receiver<Said>) -> Result<Report, End> {
        let Some(signal) = self.signal.take() else {
            return Err(End::Refused("no samples have come: nothing is stored".to_owned()));
        };
        let judged = Arc::new(judged);
        let mut accept = self.start.accept_resemblance;
        loop {
            match self.keep(&signal, Arc::clone(&judged), accept).await? {
                Ok(report) => return Ok(report),
                Err(KeepError::Resembles(question)) => self.ask(question, words).await?,
                Err(why) => return Err(End::Refused(why.to_string())),
            }
            accept = true;
        }
    }

    async fn keep(&self, signal: &Signal, judged: Arc<Judged>, accept: bool) -> Result<Result<Report, KeepError>, End> {
        let (setting, start) = (Arc::clone(&self.setting), self.start.clone());
        let front_end = signal.front_end.key(&signal.chain_id, &setting.model);
        let work = move || {
            let offer = Offer {
                subject: &start.subject,
                front_end: &front_end,
                model: &setting.model,
                cohort: setting.cohort.as_deref(),
                judged: &judged,
                threshold: setting.threshold,
                floor: setting.floor,
                add: start.add,
                update: start.update,
                accept_resemblance: accept,
            };
            keep(&setting.store, &offer)
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|died| End::Refused(Refusal::failed("storing the enrolment", &died).message))
    }

    /// Asks whether it is another person; comes back with a yes only.
    async fn ask(&mut self, question: Question, words: &mut mpsc::Receiver<Said>) -> Result<(), End> {
        let unanswered = format!("{}: nobody has answered, nothing is stored; {}", question.told, question.advice);
        let no = format!("nothing is stored; {}", question.advice);
        self.status.send_modify(|status| (status.state, status.question) = (State::Question, Some(question)));
        let mut patience = std::pin::pin!(sleep(ANSWER_WITHIN));
        loop {
            let (word, effect) = tokio::select! {
                () = self.setting.cancel.cancelled() => return Err(End::Cancelled(None)),
                () = &mut patience => return Err(End::Refused(unanswered)),
                Some(said) = words.recv() => said,
            };
            match word {
                Word::Cancel => return Err(End::Cancelled(Some(effect))),
                Word::Confirm(accept) => {
                    self.status.send_modify(|status| (status.state, status.question) = (State::Collecting, None));
                    let _asker_gone = effect.send(Ok(()));
                    return if accept { Ok(()) } else { Err(End::Refused(no)) };
                }
                Word::Moved => {
                    let message = "a question is to be answered first (enrol/confirm)";
                    let _asker_gone = effect.send(Err(Refusal::new(ErrorCode::NotEnrolling, message)));
                }
            }
        }
    }
}
