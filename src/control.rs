//! Requests and their answers: one place for both ways in, MQTT (`publish`) and HTTP (`http`).
//!
//! A request has a name (`enrol/start`) and a JSON object; its answer is one, too, of the shape that Zigbee2MQTT made
//! usual: `data`, `status`, `error`, and the `transaction` that the request came with. What may be asked depends on the
//! way. No answer holds a template or a sample. It knows no topic and no route. Why so: `docs/adr/0024-requests.md`.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;

use crate::config::control::Permissions;
use crate::config::{Config, Slug};
use crate::event::Event;
use crate::inference::Model;
use crate::pipeline::Settings;
use crate::publish::Health;
use crate::store::{Store, StoreError};

mod answer;
mod body;
mod enrol;
mod health;
mod news;
mod request;
mod status;

pub use answer::{Answer, ErrorCode, Refusal};
pub(crate) use body::MAX_BODY;
pub use news::News;
#[cfg(test)]
pub(crate) use request::NAMES;
pub(crate) use status::{State, Status};

use enrol::{Enroller, Setting};
use health::Facts;
use request::{Group, Request};

/// Requests at work at a time; more are told to come again. Each may hold a thread that waits for the disk.
const AT_WORK: usize = 4;

/// One of the places for requests at work.
type Place = OwnedSemaphorePermit;

/// The way that a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Through the broker, which asks for no token of ours: only what the configuration permits.
    Mqtt,
    /// Over HTTP, with the token: everything.
    Http,
}

/// Answers requests; clones share the state.
#[derive(Debug, Clone)]
pub struct Control(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    mqtt: Permissions,
    enroller: Enroller,
    facts: Arc<Facts>,
    at_work: Arc<Semaphore>,
}

impl Control {
    /// The requests of one start of the daemon: `settings` are those of its pipeline; an enrolment ends with `cancel`.
    #[must_use]
    pub fn new(config: &Config, model: &Model, settings: &Settings, store: Store, cancel: CancellationToken) -> Self {
        let facts = Arc::new(Facts::new(config, model.id()));
        let setting = Setting {
            store: store.clone(),
            tap: settings.tap.clone(),
            facts: Arc::clone(&facts),
            source: config.source.clone(),
            model: model.id().to_owned(),
            cohort: model.cohort().cloned(),
            threshold: settings.decision.threshold,
            floor: settings.decision.threshold - settings.decision.margin,
            cancel,
        };
        let (mqtt, enroller) = (config.control.mqtt, Enroller::new(setting));
        Self(Arc::new(Inner { store, mqtt, enroller, facts, at_work: Arc::new(Semaphore::new(AT_WORK)) }))
    }

    /// Answers a request that came this way: the bytes of a JSON object. An empty body is an empty object.
    pub async fn answer(&self, request: &str, body: &[u8], way: Way) -> Vec<u8> {
        self.ask(request, body, way).await.to_json()
    }

    /// As [`Self::answer`], for a way that has codes of its own.
    pub async fn ask(&self, request: &str, body: &[u8], way: Way) -> Answer {
        let (fields, transaction) = match body::read(body) {
            Ok(read) => read,
            Err(refusal) => return Answer { outcome: Err(refusal), transaction: None },
        };
        Answer { outcome: self.outcome(request, fields, way).await, transaction }
    }

    /// What the pipeline has said, for those who ask how the daemon is.
    pub fn note(&self, event: &Event) {
        self.0.facts.note(event);
    }

    /// What was last published of the gateway's health.
    pub fn note_health(&self, health: Health) {
        self.0.facts.note_health(health);
    }

    /// What is to be said over MQTT of an enrolment without being asked; silent where that is not permitted.
    #[must_use]
    pub fn news(&self) -> News {
        News::new(self.0.mqtt.enrol.then(|| self.0.enroller.status()))
    }

    /// Where the enrolment stands, now and whenever that changes.
    pub(crate) fn enrolment(&self) -> watch::Receiver<Status> {
        self.0.enroller.status()
    }

    async fn outcome(&self, name: &str, fields: body::Fields, way: Way) -> Result<Value, Refusal> {
        let group = request::group(name)?;
        self.permit(group, way)?;
        let request = Request::parse(name, fields)?;
        let Ok(place) = Arc::clone(&self.0.at_work).try_acquire_owned() else {
            return Err(Refusal::new(
                ErrorCode::Busy,
                format!("{AT_WORK} requests are at work; ask again in a second"),
            ));
        };
        let enroller = &self.0.enroller;
        match request {
            Request::EnrolStart(start) => {
                let subject = start.subject.clone();
                let known = self.on_disk(place, move |store| store.subject_exists(&subject)).await?;
                enroller.start(*start, known).map(|status| status.to_value())
            }
            Request::EnrolStatus => Ok(enroller.status().borrow().to_value()),
            Request::EnrolCancel => enroller.cancel().await.map(|status| status.to_value()),
            Request::EnrolMoved => enroller.moved().await.map(|status| status.to_value()),
            Request::EnrolConfirm { accept } => enroller.confirm(accept).await.map(|status| status.to_value()),
            Request::SubjectsList => {
                let subjects = self.on_disk(place, Store::subjects).await?;
                Ok(serde_json::json!({ "subjects": subjects }))
            }
            Request::SubjectsRename { from, to } => {
                let said = serde_json::json!({ "from": from, "to": to });
                self.on_disk(place, changing(move |store| store.rename(&from, &to).map(|()| said))).await
            }
            Request::SubjectsDelete { subject } => {
                let said = serde_json::json!({ "subject": subject });
                self.on_disk(place, changing(move |store| store.delete(&subject).map(|()| said))).await
            }
            Request::SubjectsUndo { subject } => {
                self.on_disk(place, changing(move |store| undo(store, &subject))).await
            }
            Request::Health => {
                let waiting = self.on_disk(place, Store::pending_count).await?;
                Ok(self.0.facts.to_value(waiting))
            }
        }
    }

    fn permit(&self, group: Group, way: Way) -> Result<(), Refusal> {
        let Inner { mqtt, .. } = &*self.0;
        let (permitted, key) = match group {
            Group::Health => (mqtt.health, "mqtt_health"),
            Group::Enrol => (mqtt.enrol, "mqtt_enrol"),
            Group::Subjects => (mqtt.subjects, "mqtt_subjects"),
        };
        if way == Way::Http || permitted {
            return Ok(());
        }
        let message =
            format!("not permitted over MQTT; [control] {key} = true in the gateway's configuration permits it");
        Err(Refusal::new(ErrorCode::NotPermitted, message))
    }

    /// Runs a call that waits for the disk beside the async tasks. Its place is given back when it is done, though the
    /// asker may have gone before.
    async fn on_disk<T: Send + 'static>(
        &self,
        place: Place,
        call: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Refusal> {
        let store = self.0.store.clone();
        let work = move || {
            let _place = place;
            call(&store)
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|died| Refusal::failed("the request", &died))?.map_err(Refusal::from)
    }
}

fn undo(store: &Store, subject: &Slug) -> Result<Value, StoreError> {
    // Cannot fail: string keys.
    let mut said = serde_json::to_value(store.undo(subject)?).unwrap_or_default();
    said["subject"] = subject.as_str().into();
    Ok(said)
}

/// The same call, saying in its answer whether what it deleted is in no file any more.
fn changing(
    call: impl FnOnce(&Store) -> Result<Value, StoreError>,
) -> impl FnOnce(&Store) -> Result<Value, StoreError> {
    |store| {
        let mut said = call(store)?;
        // It is done, whatever the next query says.
        said["wiped"] = store.is_wiped().unwrap_or(false).into();
        Ok(said)
    }
}
