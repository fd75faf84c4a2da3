//! The announcements by themselves; what Home Assistant's own code says to them is in `scripts/validate_discovery.py`.

use std::collections::BTreeSet;

use super::*;
use crate::config::Environment;

fn announcer(more: &[(&str, &str)]) -> Announcer {
    let overrides: Vec<_> = more.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
    Announcer::new(&Config::load_in(None, &Environment::new(), &overrides).unwrap()).unwrap()
}

fn names(subjects: &[&str]) -> Vec<String> {
    subjects.iter().map(|subject| (*subject).to_owned()).collect()
}

fn single() -> Announcer {
    announcer(&[("homeassistant.discovery", "single")])
}

#[test]
fn the_device_is_one_message_and_the_single_style_one_for_each_entity_with_the_same_content() {
    let whole = announcer(&[]).messages(&names(&["ada"]));
    assert_eq!(whole.len(), 1);
    assert_eq!(whole[0].topic, "homeassistant/device/ecgid_home_ecg0/config");
    let components = whole[0].payload["cmps"].as_object().unwrap();
    let singles = single().messages(&names(&["ada"]));
    assert_eq!(singles.len(), components.len());
    for single in &singles {
        let levels: Vec<_> = single.topic.split('/').collect();
        let ["homeassistant", platform, "ecgid_home_ecg0", id, "config"] = levels[..] else { panic!("{levels:?}") };
        let mut expected = components[id].as_object().unwrap().clone();
        assert_eq!(expected.remove("p"), Some(platform.into()), "{id}");
        for (key, value) in whole[0].payload.as_object().unwrap() {
            if key != "cmps" && !expected.contains_key(key) {
                expected.insert(key.clone(), value.clone());
            }
        }
        assert_eq!(single.payload, Value::from(expected), "{id}");
    }
}

#[test]
fn every_entity_of_the_contract_is_there_before_anybody_was_seen() {
    let messages = announcer(&[]).messages(&[]);
    let components = messages[0].payload["cmps"].as_object().unwrap();
    let ids: BTreeSet<_> = components.keys().map(String::as_str).collect();
    let expected = "board contact dropped_events event heart_rate memory outbox_waiting person problem respiration_rate \
                    rmssd signal_quality unsaved_events verified";
    assert_eq!(ids, expected.split_whitespace().collect(), "an id that was published once stays");
    assert_eq!(components["person"]["ops"], json!(["none", "unknown"]));
    let types = json!(["no_signal", "acquiring", "verified", "unknown", "uncertain", "expired"]);
    assert_eq!(components["event"]["evt_typ"], types);
}

#[test]
fn ids_and_topics_hold_only_what_home_assistant_takes() {
    for announcement in single().messages(&names(&["ada"])) {
        for level in announcement.topic.split('/').skip(1) {
            assert!(level.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c)), "{}", announcement.topic);
        }
    }
}

#[test]
fn no_two_devices_share_an_id() {
    let pairs = [("a", "b_c"), ("a_b", "c"), ("a_", "b_c"), ("a", "b__c"), ("a__b", "c"), ("a-b", "c"), ("a", "b-c")];
    let ids: BTreeSet<_> = pairs.iter().map(|(gateway, device)| device_id(gateway, device)).collect();
    assert_eq!(ids.len(), pairs.len(), "{ids:?}");
}

#[test]
fn an_identity_is_shown_for_less_time_than_its_message_lives() {
    for (expiry_s, shown_s) in [("15", 10), ("3", 2), ("4", 3), ("3600", 2400)] {
        let messages = announcer(&[("mqtt.identity_expiry_s", expiry_s)]).messages(&[]);
        for id in ["verified", "person"] {
            assert_eq!(messages[0].payload["cmps"][id]["exp_aft"], shown_s, "{id} with {expiry_s} s");
        }
    }
}

#[test]
fn the_health_of_the_gateway_stays_visible_while_the_source_is_away() {
    let messages = announcer(&[]).messages(&[]);
    let both = json!([{ "t": "ecgid/home/availability" }, { "t": "ecgid/home/ecg0/availability" }]);
    assert_eq!((&messages[0].payload["avty"], &messages[0].payload["avty_mode"]), (&both, &json!("all")));
    for id in ["board", "problem", "outbox_waiting", "unsaved_events", "dropped_events", "memory"] {
        let own = &messages[0].payload["cmps"][id]["avty"];
        assert_eq!(*own, json!([{ "t": "ecgid/home/availability" }]), "{id}");
    }
}

#[test]
fn a_crowd_is_not_listed_and_the_message_stays_small() {
    let crowd: Vec<_> = (0..100).map(|n| format!("{n:032}")).collect();
    let listed = announcer(&[]).messages(&crowd);
    assert_eq!(listed[0].payload["cmps"]["person"]["ops"].as_array().unwrap().len(), 102);
    assert!(listed[0].payload.to_string().len() < 16 * 1024);
    let more: Vec<_> = (0..101).map(|n| format!("{n:032}")).collect();
    let person = &announcer(&[]).messages(&more)[0].payload["cmps"]["person"];
    assert!(person.get("ops").is_none() && person.get("dev_cla").is_none(), "plain text takes any name");
}

#[test]
fn nothing_is_announced_where_it_is_switched_off_or_could_not_be_read() {
    for off in [("homeassistant.enabled", "false"), ("mqtt.payload", "protobuf")] {
        let announcer = announcer(&[off]);
        assert_eq!(announcer.messages(&names(&["ada"])), []);
        assert_eq!(announcer.birth_topic(), None);
        assert_eq!(announcer.heard(b"online", 0.5), None);
    }
}

#[test]
fn a_birth_of_home_assistant_is_answered_after_a_jitter() {
    let announcer = announcer(&[]);
    assert_eq!(announcer.birth_topic(), Some("homeassistant/status"));
    assert_eq!(announcer.heard(b"online", 0.0), Some(Duration::from_millis(500)));
    assert_eq!(announcer.heard(b"online", 0.5), Some(Duration::from_millis(1750)));
    assert_eq!(announcer.heard(b"online", 1.0), Some(Duration::from_secs(3)));
    assert_eq!(announcer.heard(b"offline", 0.5), None);
}

#[test]
fn a_change_of_style_moves_the_entities_before_the_old_topics_are_emptied() {
    let old: Vec<_> = announcer(&[]).messages(&[]).into_iter().map(|message| message.topic).collect();
    let wanted = single().messages(&[]);
    let steps = plan(&old, wanted.clone());
    assert_eq!(steps[0], Step::Move { topic: old[0].clone() });
    assert_eq!((steps[0].body(), steps[0].is_retained()), (br#"{"migr_discvry":true}"#.to_vec(), false));
    let announced: Vec<_> = wanted.iter().cloned().map(Step::Announce).collect();
    assert_eq!(steps[1..=wanted.len()], announced);
    assert_eq!(steps[wanted.len() + 1..], [Step::Withdraw { topic: old[0].clone() }]);
    assert!(steps.last().unwrap().body().is_empty() && steps.last().unwrap().is_retained());

    let old: Vec<_> = wanted.into_iter().map(|message| message.topic).collect();
    let steps = plan(&old, announcer(&[]).messages(&[]));
    assert_eq!(steps.iter().filter(|step| matches!(step, Step::Move { .. })).count(), old.len());
    assert_eq!(steps.iter().filter(|step| matches!(step, Step::Withdraw { .. })).count(), old.len());
}

#[test]
fn what_is_switched_off_or_renamed_is_taken_back() {
    let old = names(&["homeassistant/device/ecgid_home_ecg0/config"]);
    assert_eq!(plan(&old, Vec::new()), [Step::Withdraw { topic: old[0].clone() }]);
    let renamed = announcer(&[("device", "ecg1")]).messages(&[]);
    let steps = plan(&old, renamed.clone());
    assert_eq!(steps, [Step::Announce(renamed[0].clone()), Step::Withdraw { topic: old[0].clone() }], "another device");
    let again = announcer(&[]).messages(&[]);
    assert_eq!(plan(&old, again.clone()), [Step::Announce(again[0].clone())], "nothing to take back");
}
