//! JSON schemas: those of the records are made from the `.proto` file, so that a field is described in one place; those
//! of topics that have no protobuf are written by hand. And a validator for the words that they use.
//!
//! The validator of the test is small on purpose; `scripts/validate_discovery.py` puts every schema and every example
//! before the `jsonschema` package as well.

use serde_json::{Map, Value, json};

use super::descriptors::{Contract, Field, Kind};
use super::{below, files, pretty, read_json, stands_in};

/// Schema, its message in the `.proto` file, and the topics that carry it.
const GENERATED: [(&str, &str, &str); 5] = [
    ("identity", "IdentityEvent", "<prefix>/<gateway>/<device>/identity"),
    ("event", "IdentityEvent", "<prefix>/<gateway>/<device>/event"),
    ("hrv", "HrvSummary", "<prefix>/<gateway>/<device>/hrv"),
    ("signal", "SignalStatus", "<prefix>/<gateway>/<device>/signal"),
    ("source", "Availability", "<prefix>/<gateway>/<device>/source"),
];

/// Closed ranges, where a name alone does not say them.
const RANGES: &[(&str, f64, f64)] = &[
    ("score", -1.0, 1.0),
    ("threshold", -1.0, 1.0),
    ("quality", 0.0, 1.0),
    ("window_quality", 0.0, 1.0),
    ("respiration_similarity", 0.0, 1.0),
    ("respiration_rate_per_min", 4.0, 40.0),
    ("respiration_impedance_per_min", 4.0, 40.0),
    ("respiration_ecg_per_min", 4.0, 40.0),
    ("schema", 1.0, 1.0),
];

/// What an ending of a name means.
const UNITS: &[(&str, &str)] = &[
    ("_unix_ms", "ms since 1970-01-01T00:00Z"),
    ("_ms2", "ms²"),
    ("_ms", "ms"),
    ("_percent", "%"),
    ("_bpm", "beats/min"),
    ("_per_min", "1/min"),
    ("_hz", "Hz"),
    ("_s", "s"),
    ("_nu", "%"),
];

/// Enums that may grow: a subscriber must take a word that it does not know for *another reason*.
const OPEN: [&str; 3] = ["Reason", "RespirationReason", "WindowReason"];

/// The schema of a record, as the `.proto` file has it.
pub(super) fn generated(name: &str) -> Value {
    let (_, message, topic) = GENERATED.iter().find(|(schema, _, _)| *schema == name).unwrap();
    let mut schema = object(&Contract::read(), message);
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["$id"] = format!("urn:ecgid:1:{name}").into();
    schema["title"] = (*topic).into();
    schema
}

fn object(contract: &Contract, message: &str) -> Value {
    let (comment, fields) = contract.message(message);
    let properties: Map<_, _> = fields.iter().map(|f| (f.name.clone(), property(contract, message, f))).collect();
    // Every field is always there; null stands for absent.
    let required: Vec<_> = fields.iter().map(|f| f.name.clone()).collect();
    json!({ "description": comment, "type": "object", "properties": properties, "required": required })
}

fn property(contract: &Contract, message: &str, field: &Field) -> Value {
    let mut schema = match &field.kind {
        // In JSON by their names.
        Kind::Message(name) if name == "HrvMissing" => {
            return json!({
                "description": field.comment, "type": "object", "additionalProperties": { "type": "string" },
            });
        }
        Kind::Message(name) => object(contract, name),
        Kind::Enum(name) => words(contract, name),
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Bytes => json!({ "type": "string", "contentEncoding": "base64" }),
        Kind::Double => json!({ "type": "number" }),
        Kind::Text => json!({ "type": "string" }),
        Kind::Unsigned => json!({ "type": "integer", "minimum": 0 }),
    };
    if let Some((_, low, high)) = RANGES.iter().find(|(name, _, _)| *name == field.name) {
        schema["minimum"] = number(*low);
        schema["maximum"] = number(*high);
    }
    let unit = UNITS.iter().find(|(ending, _)| field.name.ends_with(ending)).map(|(_, unit)| *unit);
    if let (Kind::Double | Kind::Unsigned, Some(unit)) = (&field.kind, unit) {
        schema["x-unit"] = unit.into();
    }
    if field.repeated {
        schema = json!({ "type": "array", "items": schema });
    } else if field.optional {
        schema["type"] = json!([schema["type"], "null"]);
        if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut) {
            values.push(Value::Null);
        }
    }
    assert!(!field.comment.is_empty(), "{message}.{} has no comment", field.name);
    schema["description"] = field.comment.clone().into();
    schema
}

fn words(contract: &Contract, name: &str) -> Value {
    let values = contract.values(name);
    let prefix = values[0].0.strip_suffix("UNSPECIFIED").unwrap();
    let words: Vec<_> = values[1..].iter().map(|(v, _)| v.strip_prefix(prefix).unwrap().to_lowercase()).collect();
    let mut schema = json!({ "type": "string", "enum": words });
    if OPEN.contains(&name) {
        schema["x-open"] = true.into();
    }
    schema
}

/// A whole number without a point.
#[expect(clippy::cast_possible_truncation, reason = "the ranges above are small whole numbers")]
fn number(value: f64) -> Value {
    json!(value as i64)
}

/// What in `value` is not as `schema` says, each with its place. Knows the words that our schemas use, and no other.
pub(super) fn problems(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    visit(schema, value, "", &mut found);
    found
}

fn visit(schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    const SILENT: [&str; 8] =
        ["$schema", "$id", "title", "description", "x-unit", "x-open", "contentEncoding", "contentMediaType"];
    for (word, rule) in schema.as_object().unwrap() {
        let holds = match word.as_str() {
            "type" => types(rule).iter().any(|name| is(name, value)),
            "enum" => rule.as_array().unwrap().contains(value),
            "minimum" => value.as_f64().is_none_or(|v| v >= rule.as_f64().unwrap()),
            "maximum" => value.as_f64().is_none_or(|v| v <= rule.as_f64().unwrap()),
            "minLength" => value.as_str().is_none_or(|v| v.len() as u64 >= rule.as_u64().unwrap()),
            "required" => {
                let missing = |name: &&Value| value.is_object() && value.get(name.as_str().unwrap()).is_none();
                rule.as_array().unwrap().iter().find(missing).is_none_or(|name| {
                    found.push(format!("{at}: {name} is missing"));
                    true
                })
            }
            "properties" => {
                for (name, value) in value.as_object().into_iter().flatten() {
                    if let Some(schema) = rule.get(name) {
                        visit(schema, value, &format!("{at}/{name}"), found);
                    } else if schema.get("additionalProperties").is_none() {
                        found.push(format!("{at}/{name} is in no schema"));
                    }
                }
                true
            }
            "additionalProperties" if rule.is_object() => {
                for (name, value) in value.as_object().into_iter().flatten() {
                    if schema.get("properties").is_none_or(|known| known.get(name).is_none()) {
                        visit(rule, value, &format!("{at}/{name}"), found);
                    }
                }
                true
            }
            "additionalProperties" => rule.is_boolean(),
            "items" => {
                value.as_array().into_iter().flatten().for_each(|item| visit(rule, item, &format!("{at}[]"), found));
                true
            }
            other => SILENT.contains(&other),
        };
        if !holds {
            found.push(format!("{at}: {value} against {word}: {rule}"));
        }
    }
}

/// The names of a `type`.
pub(super) fn types(rule: &Value) -> Vec<&str> {
    rule.as_array().map_or_else(|| vec![rule.as_str().unwrap()], |all| all.iter().filter_map(Value::as_str).collect())
}

fn is(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no type {other}"),
    }
}

#[test]
fn the_schemas_of_the_records_are_what_the_proto_file_says() {
    for (name, _, _) in GENERATED {
        stands_in(&below(&format!("schemas/{name}.schema.json")), &pretty(&generated(name)));
    }
}

#[test]
fn every_field_of_every_schema_says_what_it_means() {
    fn described(schema: &Value, at: &str) {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let at = format!("{at}/{name}");
            assert!(property["description"].as_str().is_some_and(|text| text.len() >= 4), "{at}");
            let has_unit = UNITS.iter().any(|(ending, _)| name.ends_with(ending));
            let numeric = ["integer", "number"].iter().any(|t| types(&property["type"]).contains(t));
            assert!(!(has_unit && numeric) || property.get("x-unit").is_some(), "{at} has a unit in its name alone");
            described(property, &at);
            described(&property["items"], &at);
        }
    }
    let all = files("schemas", ".schema.json");
    assert!(all.len() >= 8, "{all:?}");
    for path in all {
        let schema = read_json(&path);
        let name = path.file_name().unwrap().to_string_lossy().replace(".schema.json", "");
        assert_eq!(schema["$id"], format!("urn:ecgid:1:{name}"));
        assert!(schema["title"].is_string() && schema["description"].is_string(), "{name}");
        described(&schema, &name);
    }
}

#[test]
fn the_validator_finds_what_is_wrong() {
    let schema = read_json(&below("schemas/identity.schema.json"));
    let good = read_json(&below("tests/golden/payloads/identity-verified.json"));
    assert!(problems(&schema, &good).is_empty());
    let wrong = [
        ("state", json!("asleep")),
        ("seq", json!(-1)),
        ("seq", json!(1.5)),
        ("score", json!(1.5)),
        ("subject", json!(7)),
        ("threshold", Value::Null),
        ("surname", json!("x")),
        ("schema", json!(2)),
    ];
    for (field, value) in wrong {
        let mut record = good.clone();
        record[field] = value;
        assert_eq!(problems(&schema, &record).len(), 1, "{field}: {:?}", problems(&schema, &record));
    }
    let mut record = good;
    record.as_object_mut().unwrap().remove("reason");
    assert_eq!(problems(&schema, &record), [": \"reason\" is missing"]);
}
