//! The lane's last words when the daemon stops, each under a deadline of its own.

use std::time::Duration;

use tokio::time::timeout;

use super::{Lane, availability};
use crate::event::{IdentityEvent, IdentityState, Reason};
use crate::publish::disk::Disk;

/// How long what is left may take when the daemon stops.
const FLUSH: Duration = Duration::from_secs(3);

/// How long the goodbye may take after that.
const GOODBYE: Duration = Duration::from_secs(1);

impl<D: Disk> Lane<D> {
    /// The daemon stops: the identity is not known any more, what waits is handed over, then the gateway is offline.
    pub(super) async fn finish(mut self) {
        if let Some(record) = self.agenda.identity()
            && record.event.state != IdentityState::NoSignal
        {
            let stopping = IdentityEvent {
                state: IdentityState::NoSignal,
                reason: Reason::Stopping,
                subject: None,
                template_revision: None,
                score: None,
                ..record.event.clone()
            };
            self.take_identity(stopping).await;
        }
        self.agenda.statements.set(availability(self.topics.device_availability(), false));
        self.agenda.statements.remove(&self.topics.bridge_health());
        if timeout(FLUSH, self.flush()).await.is_err() {
            tracing::warn!("the broker did not take everything in time; identity events wait on disk");
        }
        if self.agenda.connection().is_none() || !self.say_offline().await {
            // Without a goodbye the broker publishes the last will: offline, too.
            return;
        }
        self.client.disconnect(GOODBYE).await;
    }

    /// Sends until nothing is due and nothing is on its way.
    async fn flush(&mut self) {
        loop {
            self.send_what_is_due().await;
            if self.agenda.is_idle() {
                return;
            }
            match self.client.next().await {
                Some(signal) => self.hear(signal).await,
                None => return,
            }
        }
    }

    /// True when the broker knows.
    async fn say_offline(&mut self) -> bool {
        self.agenda.statements.set(availability(self.topics.gateway_availability(), false));
        let say = async {
            while self.agenda.connection().is_some() {
                if self.agenda.is_idle() && self.agenda.statements.is_quiet(self.now()) {
                    return true;
                }
                self.send_what_is_due().await;
                match self.client.next().await {
                    Some(signal) => self.hear(signal).await,
                    None => return false,
                }
            }
            false
        };
        timeout(GOODBYE, say).await.unwrap_or(false)
    }
}
