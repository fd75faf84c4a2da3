//! The published contract: the committed code is what the `.proto` file gives.

use std::path::Path;

use ecgid::proto::v1;
use prost::Message;

/// First line of the committed file.
const HEAD: &str =
    "// @generated from proto/ecgid/v1/events.proto; ECGID_REGENERATE=1 cargo test proto writes it anew.\n";

fn generate() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("proto");
    let descriptors = protox::compile([root.join("ecgid/v1/events.proto")], [&root]).unwrap();
    let out = tempfile::tempdir().unwrap();
    prost_build::Config::new().out_dir(out.path()).compile_fds(descriptors).unwrap();
    HEAD.to_owned() + &std::fs::read_to_string(out.path().join("ecgid.v1.rs")).unwrap()
}

#[test]
fn the_committed_code_is_what_the_proto_file_gives() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/proto/ecgid.v1.rs");
    let generated = generate();
    if std::env::var_os("ECGID_REGENERATE").is_some() {
        std::fs::write(&path, &generated).unwrap();
    }
    assert!(std::fs::read_to_string(&path).unwrap() == generated, "{} is not up to date", path.display());
}

#[test]
fn every_message_field_and_value_of_the_contract_has_a_comment() {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("proto/ecgid/v1/events.proto"));
    let mut previous = String::new();
    for line in text.unwrap().lines().map(str::trim) {
        let declares = line.starts_with("message ") || line.starts_with("enum ") || line.contains(" = ");
        let is_code = declares && !line.starts_with("//") && !line.starts_with("syntax");
        assert!(!is_code || previous.starts_with("//"), "no comment above: {line}");
        previous = line.to_owned();
    }
}

#[test]
fn field_numbers_stay_what_they_are() {
    // Bytes written by hand after the numbers of the contract: changing one of them breaks every subscriber.
    let event = v1::IdentityEvent {
        schema: 1,
        id: "b:7".into(),
        boot_id: "b".into(),
        seq: 7,
        state: v1::IdentityState::Verified.into(),
        subject: Some("ada".into()),
        template_revision: Some(2),
        ..Default::default()
    };
    let expected = [
        &[0x08, 1][..],
        &[0x12, 3, b'b', b':', b'7'],
        &[0x1a, 1, b'b'],
        &[0x20, 7],
        &[0x48, 3],
        &[0x52, 3, b'a', b'd', b'a'],
        &[0x80, 0x01, 2],
    ]
    .concat();
    assert_eq!(event.encode_to_vec(), expected);
    let hrv = v1::HrvSummary {
        rmssd_ms: Some(2.0),
        lf_hf: Some(2.0),
        dfa_alpha2: Some(2.0),
        correction: v1::HrvCorrection::Causal.into(),
        corrected_beats: 5,
        missing: vec![v1::HrvMissing { figure: "a".into(), reason: "b".into() }],
        day: Some(v1::HrvDay { sdann_ms: Some(2.0), ..Default::default() }),
        ..Default::default()
    };
    let two = [0, 0, 0, 0, 0, 0, 0, 0x40];
    let expected_hrv = [
        &[0x61][..],
        &two,
        &[0xc1, 0x01],
        &two,
        &[0xd9, 0x02],
        &two,
        &[0x90, 0x03, 3],
        &[0x98, 0x03, 5],
        &[0xd2, 0x03, 6, 0x0a, 1, b'a', 0x12, 1, b'b'],
        &[0xda, 0x03, 9, 0x19],
        &two,
    ]
    .concat();
    assert_eq!(hrv.encode_to_vec(), expected_hrv);
    // What an older gateway sends is read by a newer subscriber, and the other way round.
    let old = [&[0x08, 1, 0x61][..], &two, &[0x78, 9]].concat();
    let read = v1::HrvSummary::decode(&old[..]).unwrap();
    assert_eq!((read.schema, read.rmssd_ms, read.lf_hf, read.sample_index), (1, Some(2.0), None, 9));
    let status = v1::SignalStatus {
        respiration_source: Some(v1::RespirationSource::Ecg.into()),
        respiration_reason: Some(v1::RespirationReason::Irregular.into()),
        ..Default::default()
    };
    assert_eq!(status.encode_to_vec(), [0xa8, 0x01, 2, 0xd0, 0x01, 4]);
    assert_eq!(v1::IdentityEvent::decode(&expected[..]).unwrap(), event);
}
