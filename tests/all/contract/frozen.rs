//! What subscribers were promised with version 1 of the contract, in `tests/golden/contract-1`, holds today.
//!
//! A field may be added where it may be null. One may not go, change its type, unit or range, or mean something else;
//! the words of its description stand for its meaning. A clearer wording of the same meaning is copied into the frozen
//! file by hand, in a commit of its own; anything else is version 2, beside version 1.

use std::collections::BTreeSet;

use ecgid::publish::payload::IdentityRecord;
use serde_json::{Value, json};

use super::descriptors::{Contract, Kind};
use super::{below, files, read_json, schema};

/// How `today` breaks what `frozen` promised.
fn breaks(frozen: &Value, today: &Value, at: &str, found: &mut Vec<String>) {
    for word in ["type", "x-unit", "minimum", "maximum", "contentEncoding", "description", "additionalProperties"] {
        if frozen.get(word) != today.get(word) {
            found.push(format!("{at}: {word} was {} and is {}", text(frozen, word), text(today, word)));
        }
    }
    let open = frozen.get("x-open").is_some();
    let values = |schema: &Value| schema["enum"].as_array().cloned().unwrap_or_default();
    let (before, now) = (values(frozen), values(today));
    let gone = before.iter().find(|value| !now.contains(value));
    let new = now.iter().find(|value| !before.contains(value) && !open);
    found.extend(gone.map(|value| format!("{at}: the word {value} is gone")));
    found.extend(new.map(|value| format!("{at}: subscribers do not know the word {value}")));
    for (name, before) in frozen["properties"].as_object().into_iter().flatten() {
        match today["properties"].get(name) {
            Some(now) => breaks(before, now, &format!("{at}/{name}"), found),
            None => found.push(format!("{at}/{name} is gone")),
        }
    }
    for (name, property) in today["properties"].as_object().into_iter().flatten() {
        let added = frozen["properties"].get(name).is_none();
        if added && !schema::types(&property["type"]).contains(&"null") {
            found.push(format!("{at}/{name} is new and cannot be null, as it is in older messages"));
        }
    }
    let required = |schema: &Value| schema["required"].as_array().cloned().unwrap_or_default();
    let kept = required(today);
    found.extend(
        required(frozen)
            .iter()
            .filter(|name| !kept.contains(name))
            .map(|name| format!("{at}: {name} may be absent now")),
    );
    if let (Some(before), Some(now)) = (frozen.get("items"), today.get("items")) {
        breaks(before, now, &format!("{at}[]"), found);
    }
}

fn text(schema: &Value, word: &str) -> String {
    schema.get(word).map_or_else(|| "nothing".to_owned(), Value::to_string)
}

fn broken(frozen: &Value, today: &Value) -> Vec<String> {
    let mut found = Vec::new();
    breaks(frozen, today, "", &mut found);
    found
}

/// One line for each field and each value of an enum: everything that bytes on the wire depend on.
fn numbers() -> BTreeSet<String> {
    let contract = Contract::read();
    let mut lines = BTreeSet::new();
    for message in contract.messages() {
        for field in contract.message(message).1 {
            let kind = match field.kind {
                Kind::Bool => "bool".to_owned(),
                Kind::Bytes => "bytes".to_owned(),
                Kind::Double => "double".to_owned(),
                Kind::Text => "string".to_owned(),
                Kind::Unsigned => "unsigned".to_owned(),
                Kind::Enum(name) | Kind::Message(name) => name,
            };
            let label = if field.repeated {
                "repeated"
            } else if field.optional {
                "optional"
            } else {
                "always"
            };
            lines.insert(format!("{message} {} {} {kind} {label}", field.number, field.name));
        }
    }
    for name in contract.enums() {
        lines.extend(contract.values(name).iter().map(|(value, number)| format!("{name} {number} {value}")));
    }
    lines
}

#[test]
fn every_schema_keeps_what_version_1_promised() {
    let frozen = files("tests/golden/contract-1", ".schema.json");
    assert!(frozen.len() >= 6, "{frozen:?}");
    for path in frozen {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let found = broken(&read_json(&path), &read_json(&below(&format!("schemas/{name}"))));
        assert!(found.is_empty(), "{name} breaks subscribers of version 1: {found:#?}");
    }
}

#[test]
fn every_number_of_the_proto_file_keeps_what_version_1_promised() {
    let frozen = std::fs::read_to_string(below("tests/golden/contract-1/numbers.txt")).unwrap();
    let (frozen, today): (BTreeSet<_>, _) = (frozen.lines().map(str::to_owned).collect(), numbers());
    assert!(frozen.len() > 100);
    let gone: Vec<_> = frozen.difference(&today).collect();
    assert!(gone.is_empty(), "subscribers of version 1 rely on {gone:#?}");
}

#[test]
fn a_record_that_an_older_version_left_on_disk_is_read() {
    let old = read_json(&below("tests/golden/contract-1/identity-verified.json"));
    let record: IdentityRecord = serde_json::from_value(old.clone()).unwrap();
    let again = serde_json::to_value(&record).unwrap();
    for (name, value) in old.as_object().unwrap() {
        assert_eq!(again[name], *value, "{name}");
    }
}

/// Something that happens to a schema.
type Change = fn(&mut Value);

#[test]
fn the_comparison_finds_every_kind_of_break_and_lets_additions_pass() {
    let frozen = read_json(&below("tests/golden/contract-1/signal.schema.json"));
    let breaks: [(&str, Change); 9] = [
        ("a field is gone", |s| drop(s["properties"].as_object_mut().unwrap().remove("quality"))),
        ("another type", |s| s["properties"]["quality"]["type"] = json!("string")),
        ("no null any more", |s| s["properties"]["heart_rate_bpm"]["type"] = json!("number")),
        ("another unit", |s| s["properties"]["delay_ms"]["x-unit"] = json!("s")),
        ("another range", |s| s["properties"]["quality"]["maximum"] = json!(100)),
        ("another meaning", |s| s["properties"]["quality"]["description"] = json!("Something else.")),
        ("a word is gone", |s| drop(s["properties"]["reason"]["enum"].as_array_mut().unwrap().remove(0))),
        ("a new word", |s| s["properties"]["respiration_source"]["enum"] = json!(["impedance", "ecg", null, "x"])),
        ("a new field that is always there", |s| s["properties"]["new"] = json!({ "type": "number" })),
    ];
    for (what, change) in breaks {
        let mut today = frozen.clone();
        change(&mut today);
        assert_eq!(broken(&frozen, &today).len(), 1, "{what}: {:?}", broken(&frozen, &today));
    }
    let mut today = frozen.clone();
    today["properties"]["new_ms"] = json!({ "type": ["number", "null"], "description": "New.", "x-unit": "ms" });
    today["properties"]["reason"]["enum"].as_array_mut().unwrap().push("new_reason".into());
    assert!(broken(&frozen, &today).is_empty(), "{:?}", broken(&frozen, &today));
    let mut required = frozen.clone();
    required["required"].as_array_mut().unwrap().remove(0);
    assert_eq!(broken(&frozen, &required).len(), 1);
}
