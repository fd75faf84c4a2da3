//! No lost event: random sequences of faults at every point between an event and its removal from the disk, against the
//! real lane. A subscriber that keeps its session must see every event that was ever stored, in order, and twice only
//! with an equal id.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::Value;

use super::super::client::Signal;
use super::super::message::{Delivery, Message};
use super::disk::ModelDisk;
use super::rig::{Daemon, config, identity, in_virtual_time, pass};
use crate::config::Config;
use crate::event::IdentityState;

/// Something that happens.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// The pipeline issues an event.
    Issue,
    FullDisk,
    /// The disk takes everything again.
    HealedDisk,
    /// The disk stops each call before and after its effect.
    SlowDisk,
    FastDisk,
    /// A slow disk goes on by one step.
    DiskGoesOn,
    Connect,
    /// The broker has read what is on the wire.
    Take,
    /// The subscriber has what the broker took.
    SubscriberGets,
    /// The acknowledgement arrives.
    Acknowledge,
    Refuse,
    /// Whatever is no event gets through by itself, or has to be moved on like one.
    Brisk(bool),
    /// The connection is cut; what is on the wire arrives after all, or does not.
    Cut {
        wire_arrives: bool,
    },
    /// The broker restarts; what it took and has not delivered is in its session, or is forgotten.
    BrokerRestart {
        forgets: bool,
    },
    /// SIGKILL, or a power cut; then the next start.
    Crash {
        power: bool,
    },
    Wait {
        ms: u16,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => Just(Step::Issue),
        1 => Just(Step::FullDisk),
        2 => Just(Step::HealedDisk),
        2 => Just(Step::SlowDisk),
        2 => Just(Step::FastDisk),
        6 => Just(Step::DiskGoesOn),
        6 => Just(Step::Connect),
        8 => Just(Step::Take),
        8 => Just(Step::SubscriberGets),
        8 => Just(Step::Acknowledge),
        1 => Just(Step::Refuse),
        1 => any::<bool>().prop_map(Step::Brisk),
        2 => any::<bool>().prop_map(|wire_arrives| Step::Cut { wire_arrives }),
        1 => any::<bool>().prop_map(|forgets| Step::BrokerRestart { forgets }),
        2 => any::<bool>().prop_map(|power| Step::Crash { power }),
        2 => (1..5000_u16).prop_map(|ms| Step::Wait { ms }),
    ]
}

/// How far the one acknowledged message on its way has come.
#[derive(Debug)]
enum OnItsWay {
    Wire(Message),
    Taken(Message),
    Delivered,
}

struct World {
    config: Config,
    disk: ModelDisk,
    daemon: Daemon,
    boots: u32,
    issued: u64,
    connection: Option<u64>,
    connections: u64,
    on_its_way: Option<OnItsWay>,
    /// Only events have to be moved on.
    brisk: bool,
    /// What the broker took and keeps in the subscriber's session over a restart.
    session: Vec<Message>,
    /// Events in the order in which the subscriber got them.
    seen: Vec<Value>,
}

impl World {
    fn new(disk: ModelDisk) -> Self {
        // The shortest life: the identity is repeated as often as it can be, beside the events.
        let config = config(&[("mqtt.identity_expiry_s", "3")]);
        let daemon = Daemon::start("boot-1", disk.clone(), &config, || 0);
        Self {
            config,
            disk,
            daemon,
            boots: 1,
            issued: 0,
            connection: None,
            connections: 0,
            on_its_way: None,
            brisk: true,
            session: Vec::new(),
            seen: Vec::new(),
        }
    }

    async fn does(&mut self, step: Step) {
        match step {
            Step::Issue => {
                self.issued += 1;
                // The states differ in how they are repeated beside the events.
                let states = [IdentityState::NoSignal, IdentityState::Verified, IdentityState::Unknown];
                let state = states[usize::try_from(self.issued % 3).unwrap()];
                self.daemon.say(identity(state, self.issued));
            }
            Step::FullDisk => self.disk.refuse(true),
            Step::HealedDisk => self.disk.refuse(false),
            Step::SlowDisk => self.disk.go_stepwise(true),
            Step::FastDisk => self.disk.go_stepwise(false),
            Step::DiskGoesOn => self.disk.step(),
            Step::Connect => self.connect(),
            Step::Take => self.take(),
            Step::SubscriberGets => self.deliver(),
            Step::Acknowledge => {
                if let Some(OnItsWay::Delivered) = self.on_its_way {
                    self.on_its_way = None;
                    self.daemon.hear(Signal::Acknowledged);
                }
            }
            Step::Refuse => {
                if let Some(OnItsWay::Wire(_)) = self.on_its_way {
                    self.on_its_way = None;
                    self.daemon.hear(Signal::Refused { why: "rules".into() });
                }
            }
            Step::Brisk(brisk) => self.brisk = brisk,
            Step::Cut { wire_arrives } => self.cut(wire_arrives),
            Step::BrokerRestart { forgets } => {
                if let Some(OnItsWay::Taken(message)) = self.on_its_way.take()
                    && !forgets
                {
                    self.session.push(message);
                }
                self.cut(false);
                for message in std::mem::take(&mut self.session) {
                    self.see(&message);
                }
            }
            Step::Crash { power } => {
                self.cut(!power);
                self.boots += 1;
                self.disk.crash(power);
                let boot = format!("boot-{}", self.boots);
                self.daemon = Daemon::start(&boot, self.disk.clone(), &self.config, || 0);
            }
            Step::Wait { ms } => pass(Duration::from_millis(ms.into())).await,
        }
        loop {
            self.daemon.run();
            for message in self.daemon.handed_over(self.connection) {
                self.travels(message);
            }
            match &self.on_its_way {
                Some(OnItsWay::Wire(message)) if self.brisk && event_of(message).is_none() => {
                    self.on_its_way = None;
                    self.daemon.hear(Signal::Acknowledged);
                }
                _ => return,
            }
        }
    }

    fn connect(&mut self) {
        if self.connection.is_none() {
            self.connections += 1;
            self.connection = Some(self.connections);
            self.daemon.hear(Signal::Up { connection: self.connections, max_packet: 65536 });
        }
    }

    /// A message leaves the daemon.
    fn travels(&mut self, message: Message) {
        if message.delivery == Delivery::Unacknowledged {
            return;
        }
        assert!(self.on_its_way.is_none(), "one acknowledged message at a time");
        if let Some(event) = event_of(&message) {
            let (boot, seq) = name_of(&event);
            assert!(self.disk.has_stored(&boot, seq), "{boot}:{seq} is published before it is on the disk");
        }
        self.on_its_way = Some(OnItsWay::Wire(message));
    }

    fn take(&mut self) {
        if let Some(OnItsWay::Wire(message)) = self.on_its_way.take_if(|way| matches!(way, OnItsWay::Wire(_))) {
            self.on_its_way = Some(OnItsWay::Taken(message));
        }
    }

    fn deliver(&mut self) {
        if let Some(OnItsWay::Taken(message)) = self.on_its_way.take_if(|way| matches!(way, OnItsWay::Taken(_))) {
            self.see(&message);
            self.on_its_way = Some(OnItsWay::Delivered);
        }
    }

    fn see(&mut self, message: &Message) {
        if let Some(event) = event_of(message) {
            let (boot, seq) = name_of(&event);
            self.disk.delivered(&boot, seq);
            self.seen.push(event);
        }
    }

    fn cut(&mut self, wire_arrives: bool) {
        match self.on_its_way.take() {
            Some(OnItsWay::Wire(message)) if wire_arrives => self.see(&message),
            // The broker has it whatever becomes of the connection.
            Some(OnItsWay::Taken(message)) => self.see(&message),
            _ => {}
        }
        if self.connection.take().is_some() {
            self.daemon.hear(Signal::Down);
        }
    }

    /// Everything works again for long enough.
    async fn heals(&mut self) {
        for step in [Step::HealedDisk, Step::FastDisk, Step::Connect] {
            self.does(step).await;
        }
        // A refused event rests for half a minute; what the disk refused is tried every two seconds.
        for round in 0..40 {
            for _ in 0..10 * (self.disk.waiting() + 10) {
                for step in [Step::Take, Step::SubscriberGets, Step::Acknowledge] {
                    self.does(step).await;
                }
            }
            self.does(Step::Wait { ms: 2000 }).await;
            if round > 2 && self.disk.waiting() == 0 && self.on_its_way.is_none() {
                return;
            }
        }
    }

    fn judge(&self) {
        assert_eq!(self.disk.lost(), [], "removed from the disk though nobody has it");
        assert_eq!(self.disk.waiting(), 0, "everything is delivered in the end");
        let mut firsts: Vec<(String, u64)> = Vec::new();
        for (n, event) in self.seen.iter().enumerate() {
            let name = name_of(event);
            match self.seen[..n].iter().find(|earlier| name_of(earlier) == name) {
                Some(earlier) => assert_eq!(earlier, event, "twice, and not the same"),
                None => firsts.push(name),
            }
        }
        let mut stored = self.disk.stored();
        stored.dedup();
        assert_eq!(firsts, stored, "what was stored, in order, is what was seen");
        for boot in 1..=self.boots {
            let boot = format!("boot-{boot}");
            let seqs: Vec<u64> = firsts.iter().filter(|name| name.0 == boot).map(|name| name.1).collect();
            assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>(), "{boot} has no gap");
        }
    }
}

fn event_of(message: &Message) -> Option<Value> {
    message.topic.ends_with("/event").then(|| serde_json::from_slice(&message.payload.bytes).unwrap())
}

fn name_of(event: &Value) -> (String, u64) {
    (event["boot_id"].as_str().unwrap().to_owned(), event["seq"].as_u64().unwrap())
}

fn holds(disk: ModelDisk, steps: &[Step]) {
    in_virtual_time(async {
        let mut world = World::new(disk);
        for step in steps {
            world.does(*step).await;
        }
        world.heals().await;
        world.judge();
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_stored_event_arrives_in_order_whatever_fails(steps in prop::collection::vec(step(), 1..120)) {
        holds(ModelDisk::in_memory(), &steps);
    }
}

proptest! {
    // Each event costs a real sync.
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_event_stored_in_sqlite_arrives_in_order_whatever_fails(steps in prop::collection::vec(step(), 1..60)) {
        let directory = tempfile::tempdir().unwrap();
        holds(ModelDisk::in_sqlite(directory.path().join("ecgid.sqlite")), &steps);
    }
}
