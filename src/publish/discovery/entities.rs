//! The entities: which there are, what they read, and the templates by which they read it.
//!
//! A template answers for every payload that can come, with `null` in it or empty (what was taken back): Home Assistant
//! restarts the time after which a value expires before it renders, so that a template that fails would keep the old
//! value alive. `None` is its word for *no value*, and `value_json` is not defined where the payload is no JSON.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Announcer, Entity};
use crate::event::IdentityState;

/// More subjects than this are not listed: the message would outgrow what some brokers take (a name is listed twice,
/// with up to 35 bytes each time).
const MOST_OPTIONS: usize = 100;

/// An event that came after its time: what waited on disk for a broker is history, and no automation should act on it.
const EXPIRED: &str = "expired";

const STATES: [IdentityState; 5] = [
    IdentityState::NoSignal,
    IdentityState::Acquiring,
    IdentityState::Verified,
    IdentityState::Unknown,
    IdentityState::Uncertain,
];

/// All of them, in the order in which they are shown.
pub(super) fn all(announcer: &Announcer, subjects: &[String]) -> Vec<Entity> {
    let mut entities = vec![verified(announcer), person(announcer, subjects), event(announcer)];
    entities.extend(telemetry(announcer));
    entities.extend(bridge(announcer));
    for entity in &mut entities {
        entity.config.insert("uniq_id".into(), format!("{}_{}", announcer.id, entity.id).into());
    }
    entities
}

fn verified(announcer: &Announcer) -> Entity {
    let attributes = ["state", "reason", "score", "threshold", "model", "template_revision", "id"];
    entity(
        "verified",
        "binary_sensor",
        json!({
            "name": "Identity verified",
            "ic": "mdi:account-check",
            "stat_t": announcer.topics.identity(),
            "val_tpl": on_if("value_json.state == 'verified'"),
            "exp_aft": identity_expires_after(announcer),
            "json_attr_t": announcer.topics.identity(),
            "json_attr_tpl": object(&attributes),
        }),
    )
}

/// A name that is not among the options would leave the one before in place: the template names only who is announced.
fn person(announcer: &Announcer, subjects: &[String]) -> Entity {
    let mut config = json!({
        "name": "Person",
        "ic": "mdi:account-heart",
        "stat_t": announcer.topics.identity(),
        "exp_aft": identity_expires_after(announcer),
    });
    let known = if subjects.len() > MOST_OPTIONS {
        "value_json.subject".to_owned()
    } else {
        let names: Vec<_> = subjects.iter().map(|subject| format!("'{subject}'")).collect();
        config["dev_cla"] = "enum".into();
        config["ops"] = ["none", "unknown"].into_iter().chain(subjects.iter().map(String::as_str)).collect();
        format!("value_json.subject in [{}]", names.join(", "))
    };
    config["val_tpl"] = format!(
        "{{% if value_json is not defined %}}none\
         {{% elif value_json.state == 'verified' and {known} %}}{{{{ value_json.subject }}}}\
         {{% elif value_json.state in ['verified', 'unknown'] %}}unknown{{% else %}}none{{% endif %}}"
    )
    .into();
    entity("person", "sensor", config)
}

fn event(announcer: &Announcer) -> Entity {
    let types: Vec<Value> = STATES.iter().map(|state| json!(state)).chain([EXPIRED.into()]).collect();
    let fields = ["state", "subject", "reason", "score", "id", "issued_at_unix_ms"].map(pair).join(", ");
    let template = format!(
        "{{% if value_json is defined %}}{{{{ {{'event_type': '{EXPIRED}' \
         if value_json.expires_at_unix_ms < now().timestamp() * 1000 else value_json.state, {fields}}} | tojson }}}}\
         {{% endif %}}"
    );
    entity(
        "event",
        "event",
        json!({
            "name": "Identity event",
            "ic": "mdi:account-switch",
            "stat_t": announcer.topics.event(),
            "evt_typ": types,
            "val_tpl": template,
        }),
    )
}

fn telemetry(announcer: &Announcer) -> [Entity; 5] {
    let signal = |mut config: Value| {
        config["stat_t"] = announcer.topics.signal().into();
        config["exp_aft"] = announcer.identity_expiry.as_secs().into();
        config
    };
    let contact = signal(json!({
        "name": "Electrode contact",
        "dev_cla": "problem",
        "ent_cat": "diagnostic",
        "val_tpl": on_if("value_json.lead_off"),
    }));
    // Rounded, so that a recorder has less to write: once a second is often.
    let heart_rate = signal(json!({
        "name": "Heart rate",
        "ic": "mdi:heart-pulse",
        "unit_of_meas": "bpm",
        "stat_cla": "measurement",
        "sug_dsp_prc": 0,
        "val_tpl": number("heart_rate_bpm", 1, 0),
    }));
    let respiration = signal(json!({
        "name": "Respiration rate",
        "ic": "mdi:lungs",
        "unit_of_meas": "breaths/min",
        "stat_cla": "measurement",
        "sug_dsp_prc": 0,
        "val_tpl": number("respiration_rate_per_min", 1, 0),
    }));
    let quality = signal(json!({
        "name": "Signal quality",
        "ic": "mdi:signal",
        "unit_of_meas": "%",
        "stat_cla": "measurement",
        "ent_cat": "diagnostic",
        "sug_dsp_prc": 0,
        "val_tpl": number("quality", 100, 0),
    }));
    let rmssd = json!({
        "name": "RMSSD",
        "ic": "mdi:heart-cog",
        "dev_cla": "duration",
        "unit_of_meas": "ms",
        "stat_cla": "measurement",
        "sug_dsp_prc": 0,
        "stat_t": announcer.topics.hrv(),
        "exp_aft": whole_seconds(announcer.hrv_every * 3),
        "val_tpl": number("rmssd_ms", 1, 1),
    });
    [
        entity("contact", "binary_sensor", contact),
        entity("heart_rate", "sensor", heart_rate),
        entity("rmssd", "sensor", rmssd),
        entity("respiration_rate", "sensor", respiration),
        entity("signal_quality", "sensor", quality),
    ]
}

/// What must be seen while the source is away, and so asks for the gateway alone.
fn bridge(announcer: &Announcer) -> [Entity; 6] {
    let of_gateway = |mut config: Value| {
        config["ent_cat"] = "diagnostic".into();
        config["avty"] = json!([{ "t": announcer.topics.gateway_availability() }]);
        config
    };
    let board = of_gateway(json!({
        "name": "Board",
        "dev_cla": "connectivity",
        "stat_t": announcer.topics.device_availability(),
        "pl_on": "online",
        "pl_off": "offline",
    }));
    let problem = of_gateway(json!({
        "name": "Gateway",
        "dev_cla": "problem",
        "stat_t": announcer.topics.bridge_health(),
        "val_tpl": on_if("value_json.problem"),
        "json_attr_t": announcer.topics.bridge_health(),
        "json_attr_tpl": object(&["problem"]),
    }));
    let count = |name: &str, icon: &str, field: &str| {
        of_gateway(json!({
            "name": name,
            "ic": icon,
            "stat_t": announcer.topics.bridge_health(),
            "val_tpl": number(field, 1, 0),
        }))
    };
    let mut waiting = count("Events waiting", "mdi:tray-full", "outbox_waiting");
    waiting["stat_cla"] = "measurement".into();
    let mut unsaved = count("Events not saved", "mdi:database-alert", "unsaved_events");
    unsaved["stat_cla"] = "measurement".into();
    // They count from 0 again with a new database.
    let mut dropped = count("Events dropped", "mdi:delete-alert", "dropped_events");
    dropped["stat_cla"] = "total_increasing".into();
    let mut memory = count("Memory", "mdi:memory", "rss_bytes");
    memory["dev_cla"] = "data_size".into();
    memory["unit_of_meas"] = "B".into();
    memory["stat_cla"] = "measurement".into();
    memory["en"] = false.into();
    [
        entity("board", "binary_sensor", board),
        entity("problem", "binary_sensor", problem),
        entity("outbox_waiting", "sensor", waiting),
        entity("unsaved_events", "sensor", unsaved),
        entity("dropped_events", "sensor", dropped),
        entity("memory", "sensor", memory),
    ]
}

fn entity(id: &'static str, platform: &'static str, config: Value) -> Entity {
    let config = match config {
        Value::Object(config) => config,
        _ => Map::new(),
    };
    Entity { id, platform, config }
}

/// A number of the payload, times `factor`, to so many `digits`; `None` where there is none.
fn number(field: &str, factor: u32, digits: u32) -> String {
    let value = format!("value_json.{field}");
    let scaled = if factor == 1 { value.clone() } else { format!("({value} * {factor})") };
    let rounded =
        if digits == 0 { format!("{scaled} | round(0) | int") } else { format!("{scaled} | round({digits})") };
    format!("{{{{ {rounded} if value_json is defined and {value} is number else 'None' }}}}")
}

/// On where the payload says so; off in every other case.
fn on_if(condition: &str) -> String {
    format!("{{{{ 'ON' if value_json is defined and {condition} else 'OFF' }}}}")
}

/// These fields of the payload, for attributes.
fn object(fields: &[&str]) -> String {
    let pairs: Vec<_> = fields.iter().map(|field| pair(field)).collect();
    format!("{{% if value_json is defined %}}{{{{ {{{}}} | tojson }}}}{{% else %}}{{}}{{% endif %}}", pairs.join(", "))
}

fn pair(field: &str) -> String {
    format!("'{field}': value_json.{field}")
}

/// Two of three repetitions may be lost. Shorter than the life of the message: a retained one may be that old when Home
/// Assistant starts, and counts from there.
fn identity_expires_after(announcer: &Announcer) -> u64 {
    whole_seconds(announcer.identity_expiry * 2 / 3)
}

/// Rounded up; what Home Assistant takes is whole seconds.
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
