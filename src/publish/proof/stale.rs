//! No stale *verified*: random fault schedules against the real lane, with a broker that keeps what is retained for as
//! long as it is told. Readers look ten times a second, as if each had just subscribed.

use std::cell::Cell;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::Value;
use tokio::time::Instant;

use super::super::client::Signal;
use super::super::message::Message;
use super::disk::ModelDisk;
use super::faults::{Fault, fault};
use super::rig::{Daemon, config, identity, in_virtual_time, pass};
use crate::event::{Event, IdentityState, SourceEvent};

/// Life of an identity, as configured.
const EXPIRY: Duration = Duration::from_secs(15);

/// How finely the world moves.
const TICK: Duration = Duration::from_millis(100);

/// The client gives a connection up when an acknowledgement takes longer.
const ACK_TIMEOUT: Duration = Duration::from_secs(15);

/// A broker gives a silent client up after one and a half times its keep-alive of ten seconds.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What the daemon allows for the way to the broker; beyond that a message counts as held.
const TRANSIT: Duration = Duration::from_millis(500);

/// What the daemon allows a pipeline's word to wait for it.
const WORD: Duration = Duration::from_secs(3);

thread_local! {
    static BIRTH: Cell<Option<Instant>> = const { Cell::new(None) };
    static STEPPED_MS: Cell<i64> = const { Cell::new(0) };
}

/// True time since the world began.
fn now() -> Duration {
    BIRTH.get().unwrap().elapsed()
}

fn wall() -> u64 {
    let since = i64::try_from(now().as_millis()).unwrap();
    u64::try_from(1_000_000_000_000 + since + STEPPED_MS.get()).unwrap()
}

/// An identity on its way or at the broker.
#[derive(Debug, Clone)]
struct Claim {
    record: Value,
    /// True time of what it says.
    issued: Duration,
    left: Duration,
    /// What the broker is told of its life.
    life: Duration,
}

impl Claim {
    fn is_verified(&self) -> bool {
        self.record["state"] == "verified"
    }
}

#[derive(Default)]
struct Seen {
    readings: u64,
    verified: u64,
    oldest: Duration,
    oldest_held: Duration,
}

struct World {
    daemon: Option<Daemon>,
    disk: ModelDisk,
    boots: u32,
    connection: Option<u64>,
    connections: u64,
    /// What is on its way, when it arrives, and what of it is an identity.
    on_its_way: Option<(Duration, Option<Claim>)>,
    acknowledged_at: Option<Duration>,
    retained: Option<(Claim, Duration, Duration)>,
    latency: Duration,
    /// What the pipeline says now, and when it last said so.
    verified: bool,
    last_verified_word: Duration,
    next_word: Duration,
    n: u64,
    fault: Fault,
    seen: Seen,
}

impl World {
    fn new(latency: Duration) -> Self {
        BIRTH.set(Some(Instant::now()));
        STEPPED_MS.set(0);
        let mut world = Self {
            daemon: None,
            disk: ModelDisk::in_memory(),
            boots: 0,
            connection: None,
            connections: 0,
            on_its_way: None,
            acknowledged_at: None,
            retained: None,
            latency,
            verified: false,
            last_verified_word: Duration::ZERO,
            next_word: Duration::ZERO,
            n: 0,
            fault: Fault::Nothing,
            seen: Seen::default(),
        };
        world.boot();
        world
    }

    fn boot(&mut self) {
        self.boots += 1;
        self.daemon = Some(Daemon::start(&format!("boot-{}", self.boots), self.disk.clone(), &config(&[]), wall));
        self.verified = false;
        self.say_identity(IdentityState::NoSignal);
    }

    fn say(&mut self, event: Event) {
        if let Some(daemon) = &self.daemon {
            daemon.say(event);
            if self.verified {
                self.last_verified_word = now();
            }
        }
    }

    fn say_identity(&mut self, state: IdentityState) {
        self.n += 1;
        self.verified = state == IdentityState::Verified;
        self.say(identity(state, self.n));
    }

    /// The pipeline's word of this second.
    fn speak(&mut self) {
        let contact = self.fault != Fault::LeadOff;
        if now() < self.next_word || self.fault == Fault::PipelineHangs {
            return;
        }
        self.next_word = now() + Duration::from_secs(1);
        if contact != self.verified {
            self.say_identity(if contact { IdentityState::Verified } else { IdentityState::NoSignal });
        } else {
            self.say_something();
        }
    }

    fn say_something(&mut self) {
        self.say(Event::Source(SourceEvent { online: true, format: None, fs_hz: None, problem: None }));
    }

    fn connect(&mut self) {
        if let (None, Some(daemon)) = (self.connection, &self.daemon) {
            self.connections += 1;
            self.connection = Some(self.connections);
            daemon.hear(Signal::Up { connection: self.connections, max_packet: 65536 });
        }
    }

    /// The connection ends; what is on its way is lost, unless it is held somewhere and arrives later.
    fn disconnect(&mut self, held: bool) {
        if !held {
            self.on_its_way = None;
        }
        self.acknowledged_at = None;
        if let (Some(_), Some(daemon)) = (self.connection.take(), &self.daemon) {
            daemon.hear(Signal::Down);
        }
    }

    /// The client takes what the lane has handed over.
    fn leave(&mut self) {
        let Some(daemon) = &mut self.daemon else { return };
        for message in daemon.handed_over(self.connection) {
            let life = message.life_left_s(Instant::now());
            if life == Some(0) {
                daemon.hear(Signal::Late);
                continue;
            }
            let claim = claim(&message, life);
            if let Some(claim) = &claim
                && claim.is_verified()
            {
                let older = claim.issued.saturating_sub(self.last_verified_word);
                assert!(older <= WORD, "it claims to be {older:?} younger than the pipeline's word");
            }
            self.on_its_way = Some((now() + self.latency, claim));
        }
    }

    /// The broker reads what has arrived.
    fn arrive(&mut self) {
        let Some((at, _)) = &self.on_its_way else { return };
        if *at > now() || matches!(self.fault, Fault::Stall | Fault::BrokerAway { .. } | Fault::Partition) {
            return;
        }
        let Some((_, claim)) = self.on_its_way.take() else { return };
        self.acknowledged_at = self.connection.map(|_| now() + self.latency / 4);
        if let Some(claim) = claim {
            let (held, until) = (now().saturating_sub(claim.left), now() + claim.life);
            self.retained = Some((claim, held, until));
            self.read();
        }
    }

    fn acknowledge(&mut self) {
        if self.acknowledged_at.is_some_and(|at| at <= now())
            && let Some(daemon) = &self.daemon
        {
            self.acknowledged_at = None;
            daemon.hear(Signal::Acknowledged);
        }
    }

    /// Somebody subscribes.
    fn read(&mut self) {
        if matches!(self.fault, Fault::BrokerAway { .. }) {
            return;
        }
        self.seen.readings += 1;
        let Some((claim, held, until)) = self.retained.as_ref().filter(|(claim, ..)| claim.is_verified()) else {
            return;
        };
        if *until <= now() {
            return;
        }
        self.seen.verified += 1;
        let age = now().saturating_sub(claim.issued);
        let life_ms =
            claim.record["expires_at_unix_ms"].as_u64().unwrap() - claim.record["issued_at_unix_ms"].as_u64().unwrap();
        assert_eq!(u128::from(life_ms), EXPIRY.as_millis(), "who compares the claim with a clock sees when it ends");
        if *held <= TRANSIT {
            self.seen.oldest = self.seen.oldest.max(age);
            assert!(age <= EXPIRY, "verified, {age:?} old, under {:?}", self.fault);
        } else {
            // Nobody but the reader can know how long a network has held it: see the ADR.
            self.seen.oldest_held = self.seen.oldest_held.max(age);
            assert!(age <= EXPIRY + *held, "verified, {age:?} old, held for {held:?}");
        }
    }

    fn begins(&mut self, fault: Fault) {
        self.fault = fault;
        match fault {
            Fault::Kill => {
                self.daemon = None;
                self.disconnect(false);
                self.disk.crash(false);
            }
            Fault::Partition => self.disconnect(false),
            Fault::BrokerAway { forgets } => {
                if forgets {
                    self.retained = None;
                }
                self.disconnect(false);
            }
            Fault::ClockStep { forward } => {
                STEPPED_MS.set(STEPPED_MS.get() + if forward { 3_600_000 } else { -3_600_000 });
            }
            // The pipeline has just said a word that nobody has taken yet.
            Fault::Stop { .. } => self.say_something(),
            Fault::Nothing | Fault::LeadOff | Fault::PipelineHangs | Fault::Stall => {}
        }
    }

    fn ends(&mut self, since: Duration) {
        let lasted = now() - since;
        let fault = std::mem::replace(&mut self.fault, Fault::Nothing);
        match fault {
            Fault::Kill => self.boot(),
            Fault::Stop { .. } => {
                // The pipeline needs a moment to say anything new.
                self.next_word = now() + Duration::from_secs(1);
                if lasted > KEEP_ALIVE {
                    self.disconnect(false);
                }
            }
            Fault::Stall => {
                // First what was held, then what the daemon did meanwhile.
                self.arrive();
            }
            _ => {}
        }
    }

    fn tick(&mut self, since: Duration) {
        let stopped = matches!(self.fault, Fault::Stop { .. });
        if !stopped {
            self.speak();
        }
        self.arrive();
        self.acknowledge();
        if self.fault == Fault::Stall && self.connection.is_some() && now() - since > ACK_TIMEOUT {
            self.disconnect(true);
        }
        if !matches!(self.fault, Fault::Partition | Fault::Stall | Fault::BrokerAway { .. } | Fault::Stop { .. }) {
            self.connect();
        }
        if let Some(daemon) = &mut self.daemon
            && !stopped
        {
            daemon.run();
        }
        if !matches!(self.fault, Fault::Stop { before_it_left: true }) {
            self.leave();
        }
        self.read();
    }
}

/// What a message says of the identity, if it is its retained topic.
fn claim(message: &Message, life_s: Option<u32>) -> Option<Claim> {
    if !message.topic.ends_with("/identity") {
        return None;
    }
    let record: Value = serde_json::from_slice(&message.payload.bytes).unwrap();
    let issued_ms = i64::try_from(record["issued_at_unix_ms"].as_u64().unwrap()).unwrap();
    let issued = Duration::from_millis(u64::try_from(issued_ms - 1_000_000_000_000 - STEPPED_MS.get()).unwrap_or(0));
    assert!(message.retain, "a late subscriber reads it");
    let life = Duration::from_secs(life_s.expect("an identity is retained only with an expiry").into());
    Some(Claim { record, issued, left: now(), life })
}

fn play(schedule: &[(Fault, u64)], latency_ms: u64) -> Seen {
    in_virtual_time(async {
        let mut world = World::new(Duration::from_millis(latency_ms));
        let settled = [(Fault::Nothing, 30)];
        for (fault, ticks) in schedule.iter().flat_map(|fault| [*fault, settled[0]]) {
            let since = now();
            world.begins(fault);
            for _ in 0..ticks {
                pass(TICK).await;
                world.tick(since);
            }
            world.ends(since);
        }
        world.seen
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nobody_reads_verified_older_than_its_expiry(
        schedule in prop::collection::vec(fault(), 1..12),
        latency_ms in 0..400_u64,
    ) {
        play(&schedule, latency_ms);
    }
}

#[test]
fn the_readers_of_the_trace_do_see_verified_and_do_see_it_end() {
    let seen = play(&[(Fault::Nothing, 200)], 50);
    assert!(seen.verified * 10 > seen.readings * 9, "{} of {}", seen.verified, seen.readings);
    assert!(seen.oldest < Duration::from_millis(7000), "repeated while it is true: {:?}", seen.oldest);
    for fault in [Fault::PipelineHangs, Fault::Kill, Fault::Stop { before_it_left: false }, Fault::Partition] {
        let seen = play(&[(Fault::Nothing, 100), (fault, 400)], 50);
        // Thirteen seconds before the fault, at most fifteen after it, and a little of the time that follows.
        assert!((80..330).contains(&seen.verified), "{fault:?}: {}", seen.verified);
        assert!(seen.oldest > Duration::from_secs(13), "{fault:?}: it is read until its end: {:?}", seen.oldest);
    }
}
