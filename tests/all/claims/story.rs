//! A gateway whose clocks are ours to set, and the story of what a door hears of it: honest messages, and those of
//! somebody who has recorded, altered, held back and signed what they can.

use ecgid::event::{IdentityEvent, IdentityState, Reason};
use ecgid::publish::Signer;
use ecgid::publish::payload::{IdentityRecord, SCHEMA};

/// Wall time of the gateway when it starts in these tests.
const NOON: u64 = 1_764_158_400_000;

pub(super) fn signer() -> Signer {
    Signer::from_seed(&[7; 32])
}

pub(super) fn event(state: IdentityState) -> IdentityEvent {
    let verified = state == IdentityState::Verified;
    IdentityEvent {
        state,
        subject: verified.then(|| "ada".to_owned()),
        score: Some(0.751_235),
        threshold: 0.5,
        quality: 0.9,
        reason: if verified { Reason::ScoreAboveThreshold } else { Reason::NoReferenceMatches },
        model: "ecgid-1".into(),
        template_revision: verified.then_some(2),
        sample_index: 4711,
    }
}

/// A gateway whose clocks are ours to set.
#[derive(Clone)]
pub(super) struct Gateway {
    signer: Signer,
    name: &'static str,
    boot: &'static str,
    /// When it started, on the door's timer.
    started_ms: u64,
    /// What somebody has done to its calendar.
    wall_is_ahead_ms: i64,
    seq: u64,
    state: IdentityState,
}

impl Gateway {
    pub(super) fn new() -> Self {
        let boot = "0d9c1f3e-6c0b-4b53-9b1e-5d2c9c7a1f00";
        Self {
            signer: signer(),
            name: "home",
            boot,
            started_ms: 0,
            wall_is_ahead_ms: 0,
            seq: 17,
            state: IdentityState::Verified,
        }
    }

    pub(super) fn record(&self, at_ms: u64, life_ms: u64, nonce: Option<&str>) -> IdentityRecord {
        let issued = (NOON + at_ms).checked_add_signed(self.wall_is_ahead_ms).unwrap();
        let mut record = IdentityRecord {
            schema: SCHEMA,
            id: format!("{}:{}", self.boot, self.seq),
            boot_id: self.boot.to_owned(),
            seq: self.seq,
            issued_at_unix_ms: issued,
            expires_at_unix_ms: issued + life_ms,
            gateway: self.name.to_owned(),
            device: "ecg0".to_owned(),
            uptime_ms: at_ms - self.started_ms,
            event: event(self.state),
            nonce: nonce.map(str::to_owned),
            key_id: None,
            signature: None,
        };
        self.signer.sign(&mut record);
        record
    }

    /// What it says unasked.
    fn tells(&self, at_ms: u64) -> String {
        serde_json::to_string(&self.record(at_ms, 15_000, None)).unwrap()
    }

    fn answers(&self, at_ms: u64, nonce: &str) -> String {
        serde_json::to_string(&self.record(at_ms, 5_000, Some(nonce))).unwrap()
    }
}

/// One line of the story.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Step {
    pub(super) note: String,
    /// On the door's timer.
    pub(super) at_ms: u64,
    /// `ask`, `answered` or `told`.
    pub(super) what: String,
    /// The nonce of `ask`, the message of the others.
    pub(super) text: String,
    /// `-`, `ada for 4990`, `nobody for 15000`, or why it is refused.
    pub(super) expect: String,
}

#[derive(Default)]
struct Story(Vec<Step>);

impl Story {
    fn step(&mut self, note: &str, at_ms: u64, what: &str, text: &str, expect: &str) {
        let [note, what, text, expect] = [note, what, text, expect].map(str::to_owned);
        self.0.push(Step { note, at_ms, what, text, expect });
    }

    fn ask(&mut self, at_ms: u64, nonce: &str) {
        self.step("the door asks", at_ms, "ask", nonce, "-");
    }

    fn answered(&mut self, note: &str, at_ms: u64, text: &str, expect: &str) {
        self.step(note, at_ms, "answered", text, expect);
    }

    fn told(&mut self, note: &str, at_ms: u64, text: &str, expect: &str) {
        self.step(note, at_ms, "told", text, expect);
    }
}

const NONCES: [&str; 9] = [
    "nonce-number-0000",
    "nonce-number-0001",
    "nonce-number-0002",
    "nonce-number-0003",
    "nonce-number-0004",
    "nonce-number-0005",
    "nonce-number-0006",
    "nonce-number-0007",
    "nonce-number-0008",
];

const HOUR: u64 = 3_600_000;

pub(super) fn story() -> Vec<Step> {
    let mut story = Story::default();
    let mut gateway = Gateway::new();
    let first = gateway.tells(1_000);
    story.told("nothing is believed before a challenge", 1_010, &first, "not tied");
    story.answered("an answer to nothing", 1_020, &gateway.answers(1_015, NONCES[0]), "not asked for");
    story.ask(2_000, NONCES[0]);
    story.answered("another nonce", 2_010, &gateway.answers(2_005, NONCES[1]), "not asked for");
    story.answered("no nonce", 2_011, &gateway.tells(2_006), "not asked for");
    let answer = gateway.answers(2_020, NONCES[0]);
    altered(&mut story, &gateway, &answer, 2_030);
    story.answered("the honest answer", 2_100, &answer, "ada for 4900");
    story.answered("the same answer again", 2_110, &answer, "not asked for");

    story.told("said before the challenge", 2_200, &first, "replayed");
    let told = gateway.tells(5_000);
    story.told("what stands", 5_100, &told, "ada for 14880");
    story.told("replayed at once", 5_200, &told, "replayed");
    story.told("replayed an hour later", 5_000 + HOUR, &told, "not tied");
    story.told("an answer where nothing was asked", 5_300, &answer, "not asked for");
    let late = gateway.tells(6_000);
    let later = gateway.tells(7_000);
    story.told("the later one first", 7_050, &later, "ada for 14930");
    story.told("the earlier one after it", 7_060, &late, "replayed");
    let old = gateway.tells(8_000);
    story.told("held back until it has expired", 23_500, &old, "expired");
    let ahead = gateway.tells(40_000);
    story.told("of a moment that has not come", 24_000, &ahead, "ahead of time");

    gateway.seq = 18;
    gateway.state = IdentityState::Unknown;
    let before = Gateway { seq: 17, state: IdentityState::Verified, ..gateway.clone() };
    story.told("a stranger", 30_100, &gateway.tells(30_000), "nobody for 14880");
    story.told("the identity before, signed later", 30_300, &before.tells(30_200), "reordered");

    clock_steps(&mut story, gateway);
    story.0
}

/// Everything in an honest answer that somebody could change.
fn altered(story: &mut Story, gateway: &Gateway, answer: &str, at_ms: u64) {
    let changes = [
        ("another person", r#""subject":"ada""#, r#""subject":"eve""#, "bad signature"),
        ("another score", r#""score":0.751235"#, r#""score":0.951235"#, "bad signature"),
        ("another state", r#""state":"verified""#, r#""state":"unknown""#, "bad signature"),
        ("another number", r#""seq":17"#, r#""seq":18"#, "bad signature"),
        (
            "a longer life",
            r#""expires_at_unix_ms":1764158407020"#,
            r#""expires_at_unix_ms":1764158499020"#,
            "bad signature",
        ),
        (
            "a later time",
            r#""issued_at_unix_ms":1764158402020"#,
            r#""issued_at_unix_ms":1764158403020"#,
            "bad signature",
        ),
        ("another uptime", r#""uptime_ms":2020"#, r#""uptime_ms":2021"#, "bad signature"),
        ("another gateway", r#""gateway":"home""#, r#""gateway":"work""#, "bad signature"),
        ("another boot", r#""boot_id":"0d9c"#, r#""boot_id":"1d9c"#, "malformed"),
        ("a line within a value", r#""subject":"ada""#, r#""subject":"ada\nscore_millionths=1""#, "malformed"),
        ("a field twice", r#""subject":"ada""#, r#""subject":"ada","subject":"ada""#, "malformed"),
        ("a word where a number belongs", r#""seq":17"#, r#""seq":"17""#, "malformed"),
        ("an unknown state", r#""state":"verified""#, r#""state":"admitted""#, "malformed"),
        ("cut off", "}", "", "malformed"),
    ];
    for (note, from, to, expect) in changes {
        assert!(answer.contains(from), "{note}: {from} is not in {answer}");
        story.answered(note, at_ms, &answer.replacen(from, to, 1), expect);
    }
    let mut unsigned: serde_json::Value = serde_json::from_str(answer).unwrap();
    unsigned["signature"] = serde_json::Value::Null;
    story.answered("no signature", at_ms, &unsigned.to_string(), "bad signature");
    let forger = Gateway { signer: Signer::from_seed(&[8; 32]), ..gateway.clone() };
    story.answered("signed by another key", at_ms, &forger.answers(2_020, NONCES[0]), "bad signature");
    let neighbour = Gateway { name: "neighbour", ..gateway.clone() };
    story.answered("of another gateway with our key", at_ms, &neighbour.answers(2_020, NONCES[0]), "other device");
}

/// The gateway's calendar is set back and forth, the daemon restarts, and somebody has recorded everything.
fn clock_steps(story: &mut Story, mut gateway: Gateway) {
    gateway.seq = 19;
    gateway.state = IdentityState::Verified;
    gateway.wall_is_ahead_ms = 3_600_000;
    let of_the_future = gateway.tells(40_000);
    story.told("an hour ahead, and genuine", 40_100, &of_the_future, "ada for 14880");
    story.ask(41_000, NONCES[1]);
    story.answered("asked an hour ahead", 41_050, &gateway.answers(41_020, NONCES[1]), "ada for 4950");
    let recorded = gateway.tells(42_000);
    gateway.wall_is_ahead_ms = -3_600_000;
    story.ask(43_000, NONCES[2]);
    story.answered("asked an hour behind", 43_050, &gateway.answers(43_020, NONCES[2]), "ada for 4950");
    story.told("an hour behind, and genuine", 45_100, &gateway.tells(45_000), "ada for 14880");
    gateway.wall_is_ahead_ms = 0;
    story.ask(42_000 + HOUR, NONCES[3]);
    story.answered("asked an hour later", 42_050 + HOUR, &gateway.answers(42_020 + HOUR, NONCES[3]), "ada for 4950");
    story.told("recorded an hour ahead: its calendar says now", 42_100 + HOUR, &recorded, "replayed");

    // A restart; what the earlier start has said stays refused, whatever its calendar says.
    let earlier = gateway.clone();
    gateway.boot = "7b1d0a52-0f5e-4c3f-8f43-0a8f5b6c2d11";
    (gateway.started_ms, gateway.seq) = (50_000 + HOUR, 3);
    story.told("a start that nobody has asked", 51_100 + HOUR, &gateway.tells(51_000 + HOUR), "unknown boot");
    story.ask(52_000 + HOUR, NONCES[4]);
    let asked = gateway.answers(52_020 + HOUR, NONCES[4]);
    story.answered("the new start answers", 52_050 + HOUR, &asked, "ada for 4950");
    let left = earlier.tells(52_500 + HOUR);
    story.told("the start before, signed with the same key", 52_600 + HOUR, &left, "unknown boot");
    story.told("the new start", 53_100 + HOUR, &gateway.tells(53_000 + HOUR), "ada for 14880");

    story.ask(60_000 + HOUR, NONCES[5]);
    let slow = gateway.answers(60_020 + HOUR, NONCES[5]);
    story.answered("an answer that comes after five seconds", 65_001 + HOUR, &slow, "late");
    story.answered("and once more", 65_100 + HOUR, &slow, "not asked for");
    story.ask(66_000 + HOUR, NONCES[6]);
    story.ask(66_500 + HOUR, NONCES[7]);
    let forgotten = gateway.answers(66_020 + HOUR, NONCES[6]);
    story.answered("the answer to a question that was asked anew", 66_600 + HOUR, &forgotten, "not asked for");
    gateway.state = IdentityState::NoSignal;
    gateway.seq = 4;
    let nobody = gateway.answers(66_520 + HOUR, NONCES[7]);
    story.answered("nobody is there", 66_700 + HOUR, &nobody, "nobody for 4800");
    let mut deleted = gateway.record(67_000 + HOUR, 15_000, None);
    (deleted.event.state, deleted.event.subject) = (IdentityState::Verified, None);
    gateway.signer.sign(&mut deleted);
    let deleted = serde_json::to_string(&deleted).unwrap();
    story.told("verified, and the subject was deleted since", 67_050 + HOUR, &deleted, "nobody for 14930");
    let untied = gateway.tells(66_501 + HOUR + 600_000);
    story.told("asked too long ago", 66_501 + HOUR + 600_000, &untied, "not tied");
}
