//! What is said over MQTT of an enrolment without being asked: every step, and now and then how far it is.

use tokio::sync::watch;

use super::answer::Answer;
use super::status::Status;

/// So many good beats are worth a message: one every five seconds or so.
const BEATS: usize = 5;

/// The news of enrolments, oldest first; what a slow reader has not taken is replaced by what is newer.
#[derive(Debug)]
pub struct News {
    status: Option<watch::Receiver<Status>>,
    said: Status,
}

impl News {
    /// News of `status`; none at all without it.
    pub(super) fn new(mut status: Option<watch::Receiver<Status>>) -> Self {
        let said = status.as_mut().map_or_else(Status::idle, |status| status.borrow_and_update().clone());
        Self { status, said }
    }

    /// Waits for the next news: the answer that `enrol/status` would get. Losing the future loses nothing.
    pub async fn next(&mut self) -> Vec<u8> {
        if let Some(status) = &mut self.status {
            while status.changed().await.is_ok() {
                let now = status.borrow_and_update().clone();
                if is_news(&self.said, &now) {
                    let answer = Answer { outcome: Ok(now.to_value()), transaction: None };
                    self.said = now;
                    return answer.to_json();
                }
            }
        }
        std::future::pending().await
    }
}

fn is_news(said: &Status, now: &Status) -> bool {
    if (said.state, said.number) != (now.state, now.number) {
        return true;
    }
    match (&said.progress, &now.progress) {
        (Some(said), Some(now)) => {
            let further = now.good_beats.abs_diff(said.good_beats) >= BEATS;
            now.is_news_after(said) || now.advice != said.advice || further
        }
        (said, now) => said.is_some() != now.is_some(),
    }
}
