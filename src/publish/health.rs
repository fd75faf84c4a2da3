//! How the gateway itself is: what waits, what was dropped, what is wrong and what to do. It decides when that is said.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use super::journal::Stock;

/// Longest time between two reports.
const EVERY: Duration = Duration::from_secs(60);

/// A report that was not renewed says nothing any more: two may be missed.
pub(super) const EXPIRY: Duration = Duration::from_secs(150);

/// The state of the gateway, as it is published below `bridge/health`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Health {
    /// What is wrong and what to do; `None` where nothing is.
    pub problem: Option<String>,
    /// Seconds since the daemon started.
    pub uptime_s: u64,
    /// Connections to the broker since then.
    pub broker_connections: u64,
    /// Identity events on the disk that no broker has acknowledged.
    pub outbox_waiting: u64,
    /// What they count for, bytes.
    pub outbox_bytes: u64,
    /// Identity events that were dropped undelivered, ever, on this database.
    pub dropped_events: u64,
    /// Telemetry messages that were dropped since the daemon started.
    pub dropped_telemetry: u64,
    /// Identity events that wait in memory for a disk that takes nothing.
    pub unsaved_events: u64,
    /// Memory of the daemon that is resident, bytes; `None` where the system does not say.
    pub rss_bytes: Option<u64>,
}

/// What is said at once when it changes.
type Alarming = (Option<String>, u64, u64, u64, bool);

/// Collects what is reported, and says when.
#[derive(Debug, Default)]
pub(super) struct Reporter {
    connections: u64,
    dropped_telemetry: u64,
    /// What the broker refuses on this connection, by topic, and why.
    refusals: BTreeMap<String, String>,
    /// Topics on which it has refused something since it is connected, whatever became of them.
    refused_before: BTreeSet<String>,
    /// What we may not listen to on this connection, and why.
    denied: BTreeMap<String, String>,
    /// Connections end early again and again.
    brief: bool,
    said: Option<(Duration, Alarming)>,
}

impl Reporter {
    /// A broker is there; what the last one refused may be allowed now.
    pub(super) fn connected(&mut self) {
        self.connections += 1;
        self.refusals.clear();
        self.refused_before.clear();
        self.denied.clear();
    }

    /// The broker does not let us listen to this filter.
    pub(super) fn denied(&mut self, filter: &str, why: &str) {
        tracing::error!(filter, why, "the broker denies a subscription; check its access rules for this user");
        self.denied.insert(filter.to_owned(), why.to_owned());
    }

    /// Connections end early again and again, or one lasts.
    pub(super) fn brief(&mut self, brief: bool) {
        self.brief = brief;
    }

    /// What is wrong with the broker; what hinders most comes first.
    fn at_the_broker(&self) -> Option<String> {
        if self.brief {
            return Some(
                "connections to the broker end within seconds: another client may use the same id; give every gateway an \
                 mqtt.client_id of its own, and look into the broker's log"
                    .to_owned(),
            );
        }
        let denied = self.denied.first_key_value().map(|(filter, why)| {
            format!(
                "the broker does not let this user listen to {filter} ({why}), and whoever asks there gets no answer; check \
                 its access rules"
            )
        });
        denied.or_else(|| self.refusal())
    }

    /// The broker does not want what is said on this topic. True the first time on this connection.
    pub(super) fn refused(&mut self, topic: &str, why: &str) -> bool {
        self.refusals.insert(topic.to_owned(), why.to_owned());
        self.refused_before.insert(topic.to_owned())
    }

    /// The broker has taken what is said on this topic.
    pub(super) fn accepted(&mut self, topic: &str) {
        self.refusals.remove(topic);
    }

    fn refusal(&self) -> Option<String> {
        let (topic, why) = self.refusals.first_key_value()?;
        let more = match self.refusals.len() {
            1 => String::new(),
            topics => format!(" and {} more topics", topics - 1),
        };
        Some(format!("the broker refuses {topic} ({why}){more}; check its access rules for this user"))
    }

    /// Telemetry was dropped.
    pub(super) fn dropped_telemetry(&mut self, messages: u64) {
        self.dropped_telemetry += messages;
    }

    /// The report, if it is due: on every change that somebody should know of, else once a minute.
    pub(super) fn take_due(&mut self, stock: Stock, now: Duration) -> Option<Health> {
        let problem = stock.problem.or_else(|| self.at_the_broker());
        let alarming = (problem.clone(), self.connections, stock.dropped, self.dropped_telemetry, stock.unsaved > 0);
        if self.said.as_ref().is_some_and(|(at, said)| *said == alarming && now.saturating_sub(*at) < EVERY) {
            return None;
        }
        self.said = Some((now, alarming));
        Some(Health {
            problem,
            uptime_s: now.as_secs(),
            broker_connections: self.connections,
            outbox_waiting: stock.waiting,
            outbox_bytes: stock.bytes,
            dropped_events: stock.dropped,
            dropped_telemetry: self.dropped_telemetry,
            unsaved_events: stock.unsaved,
            rss_bytes: None,
        })
    }
}

/// Resident memory of this process, bytes; `None` where there is no `/proc`. That is no disk: it does not block.
pub(crate) fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stock(dropped: u64, problem: Option<&str>) -> Stock {
        Stock { dropped, problem: problem.map(str::to_owned), ..Stock::default() }
    }

    #[test]
    fn health_is_said_on_a_change_and_else_once_a_minute() {
        let mut reporter = Reporter::default();
        let mut said_at = |s: u64, stock: Stock| reporter.take_due(stock, Duration::from_secs(s)).is_some();
        assert!(said_at(0, stock(0, None)));
        assert!(!said_at(2, stock(0, None)));
        assert!(!said_at(4, Stock { waiting: 3, ..stock(0, None) }), "events that wait a moment are no news");
        assert!(said_at(6, stock(1, None)));
        assert!(said_at(8, stock(1, Some("disk full"))));
        assert!(!said_at(67, stock(1, Some("disk full"))));
        assert!(said_at(68, stock(1, Some("disk full"))));
        assert!(EXPIRY > EVERY * 2);
    }

    #[test]
    fn a_refusal_is_a_problem_until_its_topic_is_taken_or_the_next_connection() {
        let mut reporter = Reporter::default();
        assert!(reporter.refused("home/event", "NotAuthorized"));
        assert!(reporter.refused("home/info", "NotAuthorized"));
        assert!(!reporter.refused("home/event", "NotAuthorized"), "it is known");
        let problem_of = |reporter: &mut Reporter| reporter.take_due(stock(0, None), Duration::ZERO).unwrap().problem;
        let problem = problem_of(&mut reporter).unwrap();
        assert!(problem.contains("home/event (NotAuthorized) and 1 more") && problem.contains("access rules"));
        reporter.accepted("home/event");
        assert!(problem_of(&mut reporter).unwrap().contains("refuses home/info (NotAuthorized);"));
        reporter.accepted("home/info");
        assert_eq!(problem_of(&mut reporter), None);
        assert!(!reporter.refused("home/info", "NotAuthorized"), "said once on a connection");
        reporter.connected();
        let health = reporter.take_due(stock(0, None), Duration::ZERO).unwrap();
        assert_eq!((health.problem, health.broker_connections), (None, 1));
    }

    #[test]
    fn what_may_not_be_heard_is_a_problem_on_that_connection_and_brief_ones_until_one_lasts() {
        let mut reporter = Reporter::default();
        let problem_of = |reporter: &mut Reporter| reporter.take_due(stock(0, None), Duration::ZERO).unwrap().problem;
        reporter.denied("home/challenge", "NotAuthorized");
        assert!(problem_of(&mut reporter).unwrap().contains("listen to home/challenge (NotAuthorized)"));
        reporter.brief(true);
        assert!(problem_of(&mut reporter).unwrap().contains("mqtt.client_id"));
        reporter.connected();
        assert!(problem_of(&mut reporter).unwrap().contains("mqtt.client_id"), "whether it lasts is not known yet");
        reporter.brief(false);
        assert_eq!(problem_of(&mut reporter), None);
    }

    #[test]
    fn resident_memory_is_that_of_this_process() {
        let bytes = resident_bytes().unwrap();
        assert!((1 << 20..1 << 34).contains(&bytes), "{bytes}");
    }
}
