//! The agenda's rules, one by one.

use super::super::payload::Payload;
use super::*;
use crate::event::{IdentityEvent, Reason};

const EXPIRY: Duration = Duration::from_secs(15);

fn at(s: f64) -> Duration {
    Duration::from_secs_f64(s)
}

fn record(state: IdentityState, seq: u64) -> IdentityRecord {
    IdentityRecord {
        schema: 1,
        id: format!("boot:{seq}"),
        boot_id: "boot".into(),
        seq,
        issued_at_unix_ms: 0,
        expires_at_unix_ms: 15_000,
        uptime_ms: 0,
        gateway: "home".into(),
        device: "ecg0".into(),
        event: IdentityEvent {
            state,
            subject: None,
            score: None,
            threshold: 0.5,
            quality: 1.0,
            reason: Reason::Collecting,
            model: "model".into(),
            template_revision: None,
            sample_index: seq,
        },
        nonce: None,
        key_id: None,
        signature: None,
    }
}

fn online() -> Message {
    Message::acknowledged("availability".into(), Payload::text("online")).retained()
}

fn up(agenda: &mut Agenda) {
    agenda.up(Connection { number: 1, max_packet: 1000 });
}

/// What is due, as a word; it is sent and acknowledged at once.
fn said(agenda: &mut Agenda, now: f64) -> Option<&'static str> {
    let (slot, word) = match agenda.next(at(now))? {
        Due::Identity { .. } => (Slot::Identity, "identity"),
        Due::Statement(message) => (Slot::Statement(message.topic), "statement"),
        Due::Move(message) => (Slot::Move(message.topic), "move"),
        Due::Answer(_) => (Slot::Answer, "answer"),
        Due::Event => return Some("event"),
    };
    agenda.sent(slot, at(now));
    agenda.acknowledged(at(now));
    Some(word)
}

#[test]
fn the_identity_goes_before_online_and_events_come_last() {
    let mut agenda = Agenda::new(EXPIRY);
    agenda.statements.set(online());
    agenda.hold(record(IdentityState::Verified, 1), at(0.0));
    assert_eq!(said(&mut agenda, 0.1), None, "there is no broker");
    up(&mut agenda);
    let order: Vec<_> = (0..3).map(|_| said(&mut agenda, 0.1).unwrap()).collect();
    assert_eq!(order, ["identity", "statement", "event"]);
    agenda.down();
    up(&mut agenda);
    let order: Vec<_> = (0..3).map(|_| said(&mut agenda, 0.2).unwrap()).collect();
    assert_eq!(order, ["identity", "statement", "event"], "a broker may have forgotten everything");
}

fn answer(text: &str) -> Message {
    Message::acknowledged("doors".into(), Payload::text(text))
}

/// So many that not all of them can wait.
fn ask_too_much(agenda: &mut Agenda) {
    for n in 0..20 {
        agenda.answer(answer(&n.to_string()));
    }
}

#[test]
fn an_answer_goes_before_statements_and_only_the_newest_sixteen_wait() {
    let mut agenda = Agenda::new(EXPIRY);
    agenda.statements.set(online());
    ask_too_much(&mut agenda);
    up(&mut agenda);
    let Some(Due::Answer(first)) = agenda.next(at(0.1)) else { panic!("an answer waits") };
    assert_eq!(first.payload.bytes, b"4");
    let mut waiting = 15;
    while let Some(word) = said(&mut agenda, 0.1) {
        waiting -= u32::from(word == "answer" || (word == "event" && agenda.instead_of_event().is_some()));
        if waiting == 0 {
            break;
        }
    }
    assert_eq!(agenda.instead_of_event(), None, "sixteen waited");
}

#[test]
fn a_flood_of_questions_keeps_neither_the_identity_back_nor_what_else_is_due() {
    let mut agenda = Agenda::new(EXPIRY);
    agenda.hold(record(IdentityState::Verified, 1), at(0.0));
    agenda.statements.set(online());
    up(&mut agenda);
    let flooded = |agenda: &mut Agenda| {
        ask_too_much(agenda);
        said(agenda, 0.1).unwrap()
    };
    let order: Vec<_> = (0..7).map(|_| flooded(&mut agenda)).collect();
    assert_eq!(order, ["identity", "answer", "statement", "answer", "event", "answer", "event"]);
    agenda.hold(record(IdentityState::Unknown, 2), at(0.1));
    let order: Vec<_> = (0..3).map(|_| flooded(&mut agenda)).collect();
    assert_eq!(order, ["identity", "answer", "event"], "a change of identity goes out at once");
    assert!(agenda.instead_of_event().is_some(), "an outbox that is empty leaves its turn to the next answer");
    assert_eq!(flooded(&mut agenda), "event", "that was an answer, too");
}

#[test]
fn what_moves_is_said_until_it_has_arrived_and_no_flood_of_questions_pushes_it_out() {
    let mut agenda = Agenda::new(EXPIRY);
    let moves = |topic: &str| Message::acknowledged(topic.into(), Payload::text("moves"));
    for topic in ["a", "b", "a"] {
        agenda.moves(moves(topic));
    }
    ask_too_much(&mut agenda);
    agenda.statements.set(online());
    up(&mut agenda);
    assert_eq!(said(&mut agenda, 0.1), Some("answer"));
    assert_eq!(agenda.next(at(0.1)), Some(Due::Move(moves("a"))));
    agenda.sent(Slot::Move("a".into()), at(0.1));
    agenda.down();
    up(&mut agenda);
    let order: Vec<_> = (0..5).map(|_| said(&mut agenda, 0.2).unwrap()).collect();
    assert_eq!(order, ["answer", "move", "answer", "move", "answer"]);
    assert_eq!(said(&mut agenda, 0.2), Some("statement"), "after what moves");
}

#[test]
fn one_acknowledged_message_is_on_its_way() {
    let mut agenda = Agenda::new(EXPIRY);
    up(&mut agenda);
    let event = Slot::Event(OutboxId(7));
    agenda.sent(event.clone(), at(0.0));
    assert_eq!(agenda.next(at(1.0)), None);
    assert_eq!(agenda.refused(at(1.0)), Some(event));
    assert_eq!(agenda.next(at(30.9)), None, "a refused event rests");
    assert_eq!(agenda.wakes_at(at(2.0)), at(31.0));
    assert_eq!(agenda.next(at(31.0)), Some(Due::Event));
}

#[test]
fn a_refused_statement_is_said_again_after_a_rest_on_the_same_connection() {
    let mut agenda = Agenda::new(EXPIRY);
    agenda.statements.set(online());
    up(&mut agenda);
    let Some(Due::Statement(message)) = agenda.next(at(0.0)) else { panic!("a statement is due") };
    let slot = Slot::Statement(message.topic);
    agenda.sent(slot.clone(), at(0.0));
    assert_eq!(agenda.refused(at(1.0)), Some(slot));
    assert!(!agenda.all_said(), "the broker has not taken it");
    assert_eq!(said(&mut agenda, 30.9), Some("event"));
    assert_eq!(agenda.wakes_at(at(2.0)), at(31.0));
    assert_eq!(said(&mut agenda, 31.0), Some("statement"));
    assert!(agenda.all_said());
}

#[test]
fn an_identity_is_repeated_with_the_pipelines_words_and_never_without() {
    let mut agenda = Agenda::new(EXPIRY);
    agenda.hold(record(IdentityState::Verified, 1), at(0.0));
    up(&mut agenda);
    assert_eq!(said(&mut agenda, 0.0), Some("identity"));
    for tenth in 0..=60 {
        let now = f64::from(tenth) / 10.0;
        agenda.turn(at(now));
        assert_ne!(said(&mut agenda, now), Some("identity"), "no word since");
    }
    agenda.alive(at(6.0));
    let Some(Due::Identity { age, .. }) = agenda.next(at(6.5)) else { panic!("a word, and it is time") };
    assert_eq!(age, at(0.5), "it is as old as the word");
    // A broker that comes back late is told nothing that would reach nobody in time.
    up(&mut agenda);
    assert_eq!(said(&mut agenda, 19.6), Some("event"));
    agenda.hold(record(IdentityState::NoSignal, 2), at(20.0));
    assert_eq!(said(&mut agenda, 20.0), Some("identity"));
    assert_eq!(said(&mut agenda, 300.0), Some("identity"), "no signal stays true in silence");
}

#[test]
fn what_a_stopped_process_finds_in_its_queue_is_not_taken_for_news() {
    let mut agenda = Agenda::new(EXPIRY);
    agenda.hold(record(IdentityState::Verified, 1), at(0.0));
    up(&mut agenda);
    agenda.turn(at(1.0));
    agenda.turn(at(61.0));
    agenda.alive(at(61.1));
    assert_eq!(said(&mut agenda, 61.2), Some("event"), "that word is from before");
    agenda.hold(record(IdentityState::Verified, 2), at(61.5));
    assert_eq!(said(&mut agenda, 61.6), Some("event"), "and so may this be");
    agenda.turn(at(62.1));
    agenda.alive(at(62.1));
    assert_eq!(said(&mut agenda, 62.1), Some("identity"));
}

#[test]
fn an_identity_that_was_held_on_its_way_is_replaced_by_a_fresh_one() {
    let mut agenda = Agenda::new(EXPIRY);
    agenda.hold(record(IdentityState::Verified, 1), at(0.0));
    up(&mut agenda);
    assert!(matches!(agenda.next(at(0.0)), Some(Due::Identity { .. })));
    agenda.sent(Slot::Identity, at(0.0));
    agenda.turn(at(2.0));
    agenda.alive(at(2.0));
    agenda.acknowledged(at(2.5));
    assert_eq!(said(&mut agenda, 2.5), Some("identity"));
    assert!(matches!(said(&mut agenda, 2.6), Some("event")));
}

#[test]
fn an_identity_of_the_shortest_life_leaves_room_for_events() {
    for state in [IdentityState::NoSignal, IdentityState::Verified] {
        let mut agenda = Agenda::new(Duration::from_secs(3));
        agenda.hold(record(state, 1), at(0.0));
        up(&mut agenda);
        let mut said_of_identity = 0;
        for tick in 0..1000 {
            let now = f64::from(tick) / 100.0;
            agenda.turn(at(now));
            agenda.alive(at(now));
            said_of_identity += u32::from(said(&mut agenda, now) == Some("identity"));
        }
        assert!((4..=20).contains(&said_of_identity), "{state:?}: {said_of_identity} times in ten seconds");
    }
}

/// Sends what is due, and the broker takes `latency` seconds to acknowledge it, while the pipeline speaks each second.
fn said_slowly(latency: f64, seconds: f64) -> Vec<&'static str> {
    let mut agenda = Agenda::new(EXPIRY);
    agenda.turn(at(0.0));
    agenda.hold(record(IdentityState::Verified, 1), at(0.0));
    agenda.statements.set(online());
    up(&mut agenda);
    let (mut now, mut spoken, mut said) = (0.0, 0.0, Vec::new());
    while now < seconds {
        agenda.turn(at(now));
        while spoken <= now {
            agenda.alive(at(spoken));
            spoken += 1.0;
        }
        let Some(due) = agenda.next(at(now)) else { break };
        let (slot, word) = match due {
            Due::Identity { .. } => (Slot::Identity, "identity"),
            Due::Statement(message) => (Slot::Statement(message.topic), "statement"),
            Due::Move(message) => (Slot::Move(message.topic), "move"),
            Due::Answer(_) => (Slot::Answer, "answer"),
            Due::Event => (Slot::Event(OutboxId(1)), "event"),
        };
        said.push(word);
        agenda.sent(slot, at(now));
        now += latency;
        agenda.acknowledged(at(now));
    }
    said
}

#[test]
fn a_slow_broker_hears_of_everything_and_of_the_identity_every_other_time() {
    for latency in [0.6, 1.5, 2.5] {
        let said = said_slowly(latency, 60.0);
        assert_eq!(&said[..3], ["identity", "identity", "statement"], "{latency} s");
        let count = |word: &str| said.iter().filter(|other| **other == word).count();
        assert!(count("event") * 3 > said.len(), "{latency} s: {said:?}");
        assert!(count("identity") * 3 > said.len(), "{latency} s: {said:?}");
    }
}
