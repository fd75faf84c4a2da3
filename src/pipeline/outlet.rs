//! The way out of the pipeline: identity events wait for room, telemetry does not, unless the source can wait.

use tokio::sync::mpsc;

use crate::event::Event;

/// What happens to telemetry when the sinks have no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telemetry {
    /// It is not worth a lost sample: dropped. For live sources.
    Drop,
    /// It waits, so that the same recording always gives the same events.
    Wait,
}

/// The pipeline's end of the queue to the sinks.
#[derive(Debug, Clone)]
pub(super) struct Outlet {
    events: mpsc::Sender<Event>,
    telemetry: Telemetry,
}

impl Outlet {
    pub(super) fn new(events: mpsc::Sender<Event>, telemetry: Telemetry) -> Self {
        Self { events, telemetry }
    }

    /// Says something that must not be lost.
    pub(super) async fn say(&self, event: Event) {
        // A sink that has gone was told to; the pipeline ends by its source alone.
        let _nobody_listens = self.events.send(event).await;
    }

    /// Says something that the next second says again; false where it was dropped.
    pub(super) async fn mention(&self, event: Event) -> bool {
        match self.telemetry {
            Telemetry::Wait => self.events.send(event).await.is_ok(),
            Telemetry::Drop => self.events.try_send(event).is_ok(),
        }
    }
}
