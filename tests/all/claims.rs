//! Signed claims, as doors check them: the bytes that are signed, and a story of honest and dishonest messages that the
//! door of this repository and the one in Python must judge alike.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use data_encoding::{BASE64, HEXLOWER};
use ecgid::event::IdentityState;
use ecgid::publish::challenge::{self, Desk, Question, Reply};
use ecgid::publish::claim::door::{ANSWER_WITHIN, Door, MAX_AGE, TIED_FOR};
use ecgid::publish::claim::{self, Claim};
use ecgid::publish::{Signer, new_boot_id};

#[path = "claims/story.rs"]
mod story;

use story::{Gateway, event, signer, story};

/// The first line: whom the door believes.
fn heading() -> serde_json::Value {
    serde_json::json!({
        "public_key": BASE64.encode(signer().public_key()),
        "gateway": "home",
        "device": "ecg0",
        "answer_within_ms": ANSWER_WITHIN.as_millis() as u64,
        "max_age_ms": MAX_AGE.as_millis() as u64,
        "tied_for_ms": TIED_FOR.as_millis() as u64,
    })
}

fn golden() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/claims.jsonl")
}

#[test]
fn a_door_refuses_what_is_replayed_altered_expired_reordered_or_of_a_wrong_clock() {
    let mut door = Door::new(signer().public_key(), "home", "ecg0");
    for step in story() {
        let now = Duration::from_millis(step.at_ms);
        let judged = match step.what.as_str() {
            "ask" => {
                door.ask(&step.text, now);
                "-".to_owned()
            }
            what => {
                let judged = if what == "told" {
                    door.told(step.text.as_bytes(), now)
                } else {
                    door.answered(step.text.as_bytes(), now)
                };
                match judged {
                    Ok(it) => format!("{} for {}", it.subject.as_deref().unwrap_or("nobody"), it.valid_for.as_millis()),
                    Err(refusal) => refusal.to_string(),
                }
            }
        };
        assert_eq!(judged, step.expect, "{}: {} at {}", step.note, step.what, step.at_ms);
    }
}

#[test]
fn the_story_that_other_verifiers_are_tested_with_is_the_one_of_this_door() {
    let mut text = heading().to_string() + "\n";
    for step in story() {
        text += &(serde_json::to_string(&step).unwrap() + "\n");
    }
    if std::env::var_os("ECGID_REGENERATE").is_some() {
        std::fs::write(golden(), &text).unwrap();
    }
    assert!(std::fs::read_to_string(golden()).unwrap() == text, "ECGID_REGENERATE=1 cargo test claims writes it anew");
}

#[test]
fn the_door_in_python_judges_the_same_story_alike() {
    let Some(python) = std::env::var_os("ECGID_PYTHON") else {
        skipped!("SKIPPED: ECGID_PYTHON names no Python, so its door is not tested");
        return;
    };
    let has_cryptography = Command::new(&python).args(["-c", "import cryptography"]).output().unwrap();
    if !has_cryptography.status.success() {
        skipped!("SKIPPED: this Python has no package `cryptography`, so its door is not tested");
        return;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/verify-claim/test_verify_claim.py");
    let output = Command::new(&python).arg(&script).arg(golden()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains(&format!("{} steps", story().len())), "{said}");
    let door = script.with_file_name("verify_claim.py");
    let output = Command::new(&python).arg(door).args(["--key", "AAAA"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains("--key is no public key"), "{said}");
}

#[test]
fn the_bytes_that_are_signed_are_those_of_the_documentation() {
    let record = Gateway::new().record(2_020, 5_000, Some("nonce-number-0000"));
    let text = Claim::of(&record).canonical().unwrap();
    let document = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/doors.md")).unwrap();
    assert!(document.contains(&text), "docs/doors.md does not show\n{text}");
    assert!(document.contains(record.signature.as_ref().unwrap()), "{}", record.signature.unwrap());
    assert!(document.contains(&BASE64.encode(signer().public_key())), "{}", BASE64.encode(signer().public_key()));
    assert_eq!(record.key_id.as_deref(), Some(signer().key_id()));
    assert_eq!(signer().key_id(), claim::key_id(signer().public_key()));
    // RFC 8032, section 7.1, test 1.
    let seed = HEXLOWER.decode(b"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").unwrap();
    let signer = Signer::from_seed(&seed.try_into().unwrap());
    let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    assert_eq!(HEXLOWER.encode(signer.public_key()), public);
}

#[test]
fn no_two_claims_have_the_same_bytes() {
    let record = Gateway::new().record(2_020, 5_000, Some("nonce-number-0000"));
    let base = Claim::of(&record);
    let others = [
        Claim { gateway: "homeec", device: "g0", ..base },
        Claim { subject: None, ..base },
        Claim { subject: Some("ad"), ..base },
        Claim { score: None, ..base },
        Claim { score: Some(0.0), ..base },
        Claim { score: Some(-0.751_235), ..base },
        Claim { score: Some(0.751_236), ..base },
        Claim { nonce: None, ..base },
        Claim { state: IdentityState::Uncertain, ..base },
        Claim { seq: 1, ..base },
        Claim { uptime_ms: 202, ..base },
    ];
    let mut texts: Vec<_> = others.iter().chain([&base]).map(|claim| claim.canonical().unwrap()).collect();
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), 12);
    for subject in ["a\nb", "a=b", "ä", "a b", "a\0"] {
        assert_eq!(Claim { subject: Some(subject), ..base }.canonical(), None, "{subject:?}");
    }
    for score in [f64::NAN, f64::INFINITY, 1e9] {
        assert_eq!(Claim { score: Some(score), ..base }.canonical(), None);
    }
    let mut unsignable = record;
    unsignable.event.subject = Some("a\nb".into());
    signer().sign(&mut unsignable);
    assert_eq!((unsignable.signature, unsignable.key_id), (None, None));
}

#[test]
fn a_signer_says_nothing_of_its_key() {
    let said = format!("{:?}", Signer::from_seed(&[0x5a; 32]));
    assert!(said.contains("key_id") && !said.contains("5a5a") && !said.contains("90, 90"), "{said}");
}

fn asked<'a>(payload: &'a str, to: Option<&'a str>) -> Question<'a> {
    Question { payload: payload.as_bytes(), retained: false, response_topic: to, correlation: Some(b"c") }
}

#[test]
fn answers_go_below_one_topic_and_nowhere_else() {
    let mut desk = Desk::new("ecgid/home/ecg0/answer");
    let good = r#"{"nonce":"0123456789abcdef"}"#;
    let mut now = Duration::ZERO;
    let mut take = |question: &Question<'_>| {
        now += Duration::from_secs(1);
        desk.take(question, now)
    };
    let claim = |to: &str| Reply::Claim { nonce: "0123456789abcdef".into(), to: to.into(), correlation: b"c".to_vec() };
    for to in ["ecgid/home/ecg0/answer/front", "ecgid/home/ecg0/answer/house/front-door"] {
        assert_eq!(take(&asked(good, Some(to))), claim(to));
    }
    let below = "ecgid/home/ecg0/answer";
    let long = format!("{below}/{}", "x".repeat(300));
    let wildcards = [
        format!("{below}/+"),
        format!("{below}/#"),
        format!("{below}/a\0b"),
        format!("{below}/"),
        format!("{below}//x"),
    ];
    let elsewhere =
        ["ecgid/home/ecg0/event", "ecgid/home/ecg0/answerer/x", below, "homeassistant/x", "", "$SYS/x", &long];
    for to in elsewhere.into_iter().chain(wildcards.iter().map(String::as_str)) {
        let Reply::Error { to: answered, .. } = take(&asked(good, Some(to))) else { panic!("{to:?} is answered") };
        assert_eq!(answered, "ecgid/home/ecg0/answer/error", "{to:?}");
    }
    assert_eq!(take(&Question { retained: true, ..asked(good, Some("ecgid/home/ecg0/answer/front")) }), Reply::Silence);
    let front = Some("ecgid/home/ecg0/answer/front");
    let too_much = [0; 129];
    for correlation in [None, Some(&too_much[..])] {
        let Reply::Error { correlation, .. } = take(&Question { correlation, ..asked(good, front) }) else {
            panic!("must be refused")
        };
        assert_eq!(correlation, None);
    }
    let long = format!("{{\"nonce\":\"{}\"}}", "a".repeat(65));
    let many = format!("{}{good}", " ".repeat(300));
    for payload in [&long, &many, r#"{"nonce":"0123456789abcdef","x":1}"#, r#"{"nonce":"0123456789abcde"}"#, "[]"] {
        assert!(matches!(take(&asked(payload, front)), Reply::Error { .. }), "{payload}");
    }
}

#[test]
fn questions_beyond_the_bound_get_silence_and_the_bound_recovers() {
    let mut desk = Desk::new("a");
    let mut answered = |now_ms: u64, count: u32| {
        let question = asked(r#"{"nonce":"0123456789abcdef"}"#, Some("a/x"));
        let take = |_| desk.take(&question, Duration::from_millis(now_ms)) != Reply::Silence;
        (0..count).map(take).filter(|answered| *answered).count()
    };
    assert_eq!(answered(1_000_000, 100), 20);
    assert_eq!(answered(1_000_199, 100), 0);
    assert_eq!(answered(1_000_200, 100), 1);
    assert_eq!(answered(1_001_200, 100), 5);
    assert_eq!(answered(9_000_000, 100), 20);
}

#[test]
fn an_answer_is_no_older_than_the_window() {
    let standing = event(IdentityState::Verified);
    let window = Duration::from_secs(5);
    assert_eq!(challenge::standing_now(&standing, window, window), standing);
    let silent = challenge::standing_now(&standing, window + Duration::from_millis(1), window);
    assert_eq!((silent.state, silent.subject, silent.score), (IdentityState::NoSignal, None, None));
}

#[test]
fn every_start_has_a_name_of_its_own() {
    assert_ne!(new_boot_id(), new_boot_id());
}
