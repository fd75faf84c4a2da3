//! Events as JSON lines, for use without a broker: the same objects as on MQTT, each with the last level of its topic.

use std::io::Write;

use serde::Serialize;
use tokio::sync::mpsc;

use super::issue::Issuer;
use crate::config::Config;
use crate::event::Event;

/// A line: the topic's last level and the fields of the message.
#[derive(Serialize)]
struct Line<'a, R> {
    topic: &'a str,
    #[serde(flatten)]
    record: R,
}

/// Writes every event as one line until the channel closes or nobody reads any more. It waits for whoever reads: not for a
/// thread that does anything else.
///
/// # Errors
/// The output is closed or full.
pub fn run(
    boot_id: &str,
    mut events: mpsc::Receiver<Event>,
    config: &Config,
    out: &mut impl Write,
) -> std::io::Result<()> {
    let expiry = config.mqtt.as_ref().map_or(std::time::Duration::from_secs(15), |mqtt| mqtt.identity_expiry);
    let mut issuer = Issuer::new(boot_id, config, expiry, None);
    while let Some(event) = events.blocking_recv() {
        match event {
            Event::Identity(event) => line(out, "event", issuer.identity(event)),
            Event::Hrv(event) => line(out, "hrv", issuer.telemetry(&*event)),
            Event::Signal(event) => line(out, "signal", issuer.telemetry(&event)),
            Event::Source(event) => line(out, "source", issuer.telemetry(&event)),
        }?;
    }
    Ok(())
}

fn line(out: &mut impl Write, topic: &str, record: impl Serialize) -> std::io::Result<()> {
    serde_json::to_writer(&mut *out, &Line { topic, record })?;
    out.write_all(b"\n")?;
    out.flush()
}
