//! One golden example for each kind of message and each way in which it can be empty, in both encodings.

use ecgid::config::{Config, Environment, PayloadFormat};
use ecgid::control::{Answer, ErrorCode};
use ecgid::event::{HrvEvent, SignalEvent, SourceEvent};
use ecgid::proto::v1;
use ecgid::publish::discovery::Announcer;
use ecgid::publish::payload::{BridgeRecord, Encoder, IdentityRecord, TelemetryRecord};
use ecgid::publish::topics::Topics;
use ecgid::publish::{Health, Info, Signer};
use prost::Message;
use serde::Serialize;
use serde_json::{Value, json};

use super::{below, files, pretty, read_json, schema, schema_of, stands_in};

const BOOT_ID: &str = "5c1d2f5e-7a43-4a0e-9d31-0f2b7a6c8e14";
const ISSUED_AT: u64 = 1_795_600_000_000;

struct Example {
    name: &'static str,
    json: Vec<u8>,
    binpb: Vec<u8>,
}

fn identity(name: &'static str, state: &str, subject: Option<&str>, score: Option<f64>, reason: &str) -> Example {
    let fields = json!({
        "schema": 1,
        "id": format!("{BOOT_ID}:7"),
        "boot_id": BOOT_ID,
        "seq": 7,
        "issued_at_unix_ms": ISSUED_AT,
        "expires_at_unix_ms": ISSUED_AT + 15_000,
        "gateway": "home",
        "device": "ecg0",
        "state": state,
        "subject": subject,
        "score": score,
        "threshold": 0.5625,
        "quality": 0.9375,
        "reason": reason,
        "model": "ecgid-1",
        "template_revision": subject.map(|_| 2),
        "sample_index": 184_320,
        "uptime_ms": 737_280,
    });
    let mut record: IdentityRecord = serde_json::from_value(fields).unwrap();
    signer().sign(&mut record);
    let encoded = |format| Encoder(format).identity(&record).bytes;
    Example { name, json: encoded(PayloadFormat::Json), binpb: encoded(PayloadFormat::Protobuf) }
}

/// A key that opens nothing.
fn signer() -> Signer {
    Signer::from_seed(&[7; 32])
}

fn telemetry<'a, E: Serialize>(event: &'a E) -> TelemetryRecord<'a, E> {
    let (gateway, device) = ("home", "ecg0");
    TelemetryRecord { schema: 1, boot_id: BOOT_ID, issued_at_unix_ms: ISSUED_AT, gateway, device, event }
}

fn signal(name: &'static str, fields: Value) -> Example {
    let event: SignalEvent = serde_json::from_value(fields).unwrap();
    let encoded = |format| Encoder(format).signal(&telemetry(&event)).bytes;
    Example { name, json: encoded(PayloadFormat::Json), binpb: encoded(PayloadFormat::Protobuf) }
}

fn signals() -> [Example; 2] {
    let full = json!({
        "lead_off": false, "quality": 0.9296875, "reason": "noise", "heart_rate_bpm": 61.75, "missing_samples": 12,
        "refused_frames": 3, "delay_ms": 768.0, "lead_inverted": false, "window_quality": 0.25,
        "window_reason": "high_frequency", "liveness": "replay_suspected", "liveness_suspicions": 1,
        "respiration_rate_per_min": 15.25, "respiration_source": "impedance", "respiration_impedance_per_min": 15.25,
        "respiration_ecg_per_min": 15.0, "respiration_difference_per_min": 0.25, "respiration_similarity": 0.875,
        "respiration_reason": "motion", "sample_index": 184_320,
    });
    let bare = json!({
        "lead_off": true, "quality": 0.0, "reason": null, "heart_rate_bpm": null, "missing_samples": 0,
        "refused_frames": 0, "delay_ms": 0.0, "sample_index": 0,
    });
    [signal("signal-full", full), signal("signal-bare", bare)]
}

fn source(name: &'static str, fields: Value) -> Example {
    let event: SourceEvent = serde_json::from_value(fields).unwrap();
    let encoded = |format| Encoder(format).source(&telemetry(&event)).bytes;
    Example { name, json: encoded(PayloadFormat::Json), binpb: encoded(PayloadFormat::Protobuf) }
}

/// Every optional figure has a value, or none has.
fn hrv(name: &'static str, full: bool) -> Example {
    let figures = schema::generated("hrv")["properties"].as_object().unwrap().clone();
    let mut fields = json!({
        "window_s": 300.0, "clean_s": 290.5, "intervals": 300, "spectrum_method": "Welch", "correction": "causal",
        "corrected_beats": 3, "corrected_percent": 1.0, "ectopic_beats": 1, "missed_beats": 1, "extra_beats": 1,
        "long_or_short_intervals": 0, "missing": {}, "reason": null, "day": null, "sample_index": 184_320,
    });
    if full {
        // Each another value, so that two that change places are seen; exact in binary and in decimal.
        for (n, (name, _)) in
            figures.iter().filter(|(_, schema)| schema["type"] == json!(["number", "null"])).enumerate()
        {
            fields[name] = json!(1.25 + f64::from(u32::try_from(n).unwrap()));
        }
        fields["rmssd_ms"] = json!(40.25);
        fields["reason"] = json!("4.9 min of clean time; 18 h are needed");
        fields["missing"] = json!({ "dfa_alpha2": "300 intervals; 256 are needed" });
        fields["day"] = json!({
            "clean_s": 72_000.5, "stretches": 230, "sdann_ms": 120.5, "sdnn_index_ms": 55.25, "reason": "an example",
            "hours": [{ "begin_s": 0.0, "clean_s": 3500.5, "mean_hr_bpm": 61.5, "mean_nn_ms": 975.5 }],
        });
    }
    let event: HrvEvent = serde_json::from_value(fields).unwrap();
    let encoded = |format| Encoder(format).hrv(&telemetry(&event)).bytes;
    Example { name, json: encoded(PayloadFormat::Json), binpb: encoded(PayloadFormat::Protobuf) }
}

fn all() -> Vec<Example> {
    let mut examples = vec![
        identity("identity-verified", "verified", Some("ada"), Some(0.8125), "score_above_threshold"),
        // Enrolled after the last announcement to Home Assistant.
        identity("identity-unlisted", "verified", Some("zoe"), Some(0.8125), "score_above_threshold"),
        identity("identity-unknown", "unknown", None, Some(0.125), "no_reference_matches"),
        identity("identity-no_signal", "no_signal", None, None, "lead_off"),
        identity("event-verified", "verified", Some("ada"), Some(0.8125), "score_above_threshold"),
        identity("event-unknown", "unknown", None, Some(0.125), "no_reference_matches"),
        source("source-full", json!({ "online": true, "format": "cwxs-bin", "fs_hz": 250.0, "problem": "an example" })),
        source("source-bare", json!({ "online": false, "format": null, "fs_hz": null, "problem": null })),
        hrv("hrv-full", true),
        hrv("hrv-bare", false),
    ];
    examples.extend(signals());
    examples
}

/// What is JSON in every configuration.
fn of_the_bridge() -> Vec<(&'static str, Vec<u8>)> {
    let well = Health {
        problem: None,
        uptime_s: 86_400,
        broker_connections: 1,
        outbox_waiting: 0,
        outbox_bytes: 0,
        dropped_events: 0,
        dropped_telemetry: 0,
        unsaved_events: 0,
        rss_bytes: Some(27_262_976),
    };
    let problem = Health {
        problem: Some("The disk of the database is full: free some space.".into()),
        outbox_waiting: 12,
        outbox_bytes: 8192,
        dropped_events: 3,
        dropped_telemetry: 64,
        unsaved_events: 2,
        rss_bytes: None,
        ..well.clone()
    };
    let health = |statement: &Health| {
        let record =
            BridgeRecord { schema: 1, boot_id: BOOT_ID, issued_at_unix_ms: ISSUED_AT, gateway: "home", statement };
        serde_json::to_vec(&record).unwrap()
    };
    let config = Config::default();
    let topics = Topics::new(config.mqtt.as_ref().unwrap(), &config.gateway, &config.device);
    let info = Info::new("home", "ecgid-1", &signer(), &topics);
    let (data, transaction) = (json!({ "subjects": [] }), Some("7".to_owned()));
    let done = Answer { outcome: Ok(data), transaction };
    let refused = Answer::refused(ErrorCode::NotPermitted, "subjects/delete is not permitted over MQTT");
    vec![
        ("health-well", health(&well)),
        ("health-problem", health(&problem)),
        ("info-full", serde_json::to_vec(&info).unwrap()),
        ("response-ok", done.to_json()),
        ("response-error", refused.to_json()),
    ]
}

#[test]
fn the_golden_examples_of_the_bridge_are_what_the_code_makes() {
    for (name, bytes) in of_the_bridge() {
        stands_in(&below(&format!("tests/golden/payloads/{name}.json")), &bytes);
    }
}

#[test]
fn the_golden_examples_are_what_the_code_makes() {
    for example in all() {
        stands_in(&below(&format!("tests/golden/payloads/{}.json", example.name)), &example.json);
        stands_in(&below(&format!("tests/golden/payloads/{}.binpb", example.name)), &example.binpb);
    }
}

#[test]
fn the_golden_discovery_messages_are_what_the_code_makes() {
    for style in ["device", "single"] {
        let overrides = [("homeassistant.discovery", style.to_owned())];
        let config = Config::load_in(None, &Environment::new(), &overrides).unwrap();
        let messages = Announcer::new(&config).unwrap().messages(&["ada".into(), "bob".into()]);
        let message = |m: &ecgid::publish::discovery::Announcement| json!({ "topic": m.topic, "payload": m.payload });
        let value = Value::from(messages.iter().map(message).collect::<Vec<_>>());
        stands_in(&below(&format!("tests/golden/payloads/discovery-{style}.json")), &pretty(&value));
    }
}

#[test]
fn every_golden_example_fits_its_schema() {
    let examples: Vec<_> = files("tests/golden/payloads", ".json")
        .into_iter()
        .filter(|path| !path.to_string_lossy().contains("discovery-"))
        .collect();
    assert!(examples.len() >= 14, "{}", examples.len());
    for path in examples {
        let problems = schema::problems(&schema_of(&path), &read_json(&path));
        assert!(problems.is_empty(), "{}: {problems:#?}", path.display());
    }
}

#[test]
fn a_subscriber_reads_the_golden_bytes_and_writes_them_again() {
    for example in all() {
        let path = below(&format!("tests/golden/payloads/{}", example.name));
        let (json, binpb) = (std::fs::read(path.with_extension("json")), std::fs::read(path.with_extension("binpb")));
        let (json, binpb) = (json.unwrap(), binpb.unwrap());
        let event: Value = serde_json::from_slice(&json).unwrap();
        let (json_again, binpb_again) = match example.name.split('-').next().unwrap() {
            "identity" | "event" => {
                let record: IdentityRecord = serde_json::from_slice(&json).unwrap();
                (serde_json::to_vec(&record), v1::IdentityEvent::decode(&binpb[..]).unwrap().encode_to_vec())
            }
            "signal" => {
                let event: SignalEvent = serde_json::from_value(event).unwrap();
                (serde_json::to_vec(&telemetry(&event)), v1::SignalStatus::decode(&binpb[..]).unwrap().encode_to_vec())
            }
            "hrv" => {
                let event: HrvEvent = serde_json::from_value(event).unwrap();
                (serde_json::to_vec(&telemetry(&event)), v1::HrvSummary::decode(&binpb[..]).unwrap().encode_to_vec())
            }
            "source" => {
                let event: SourceEvent = serde_json::from_value(event).unwrap();
                (serde_json::to_vec(&telemetry(&event)), v1::Availability::decode(&binpb[..]).unwrap().encode_to_vec())
            }
            kind => panic!("no reader for {kind}"),
        };
        assert!(json_again.unwrap() == json && binpb_again == binpb, "{}", example.name);
    }
}
