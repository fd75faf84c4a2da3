//! What systemd is told: READY when the pipeline runs, WATCHDOG while its sample path moves, STATUS, STOPPING.
//!
//! Without a notification socket every call here does nothing. It knows the pulse, not the samples.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::{MissedTickBehavior, interval};

use super::pulse::Pulse;

/// Feeds systemd's watchdog for ever, but only while both ends of the sample path move. The timer decides when to
/// look, not whether to feed: a path that stands still starves the dog and is restarted.
pub async fn feed(pulse: Pulse) {
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    let mut looks = interval((limit / 4).max(Duration::from_millis(100)));
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut before = pulse.read();
    loop {
        looks.tick().await;
        let now = pulse.read();
        if now.moved_since(before) {
            before = now;
            tell(&[NotifyState::Watchdog]);
        }
    }
}

/// The pipeline runs.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// One line for `systemctl status`.
pub fn status(text: &str) {
    tell(&[NotifyState::Status(text)]);
}

/// The daemon was asked to stop.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!("systemd was not told: {error}");
    }
}
