//! The configuration: what is refused and how it is said, which layer wins, and that the shipped file tells the truth.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ecgid::config::file::ConfigFile;
use ecgid::config::{Config, ConfigError, Environment, FormatChoice, Mains, PasswordSource, SourceKind, TlsConfig};
use ecgid::inference::Model;

use crate::tiny_model::Recipe;

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config/ecgid.toml")
}

fn environment(pairs: &[(&str, &str)]) -> Environment {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn load(text: &str, pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ecgid.toml");
    std::fs::write(&path, text).unwrap();
    Config::load_in(Some(&path), &environment(pairs), &[])
}

fn refusal(text: &str) -> String {
    load(text, &[]).expect_err("must be refused").to_string()
}

#[test]
fn the_shipped_file_holds_the_defaults() {
    let text = std::fs::read_to_string(shipped()).unwrap();
    assert_eq!(toml::from_str::<ConfigFile>(&text).unwrap(), ConfigFile::default());
    assert_eq!(Config::load_in(Some(&shipped()), &Environment::new(), &[]).unwrap(), Config::default());
}

#[test]
fn no_layer_at_all_gives_the_defaults() {
    assert_eq!(Config::load_in(None, &Environment::new(), &[]).unwrap(), Config::default());
}

#[test]
fn every_key_stands_in_the_shipped_file_below_a_comment() {
    let text = std::fs::read_to_string(shipped()).unwrap();
    let written: toml::Table = toml::from_str(&text).unwrap();
    let expected = toml::Table::try_from(ConfigFile::default()).unwrap();
    for (section, value) in &expected {
        let toml::Value::Table(keys) = value else {
            assert!(written.contains_key(section), "{section} is missing");
            continue;
        };
        for key in keys.keys() {
            assert!(written[section].get(key).is_some(), "[{section}] {key} is missing");
        }
    }
    let mut previous = "";
    for line in text.lines() {
        let is_key = line.contains(" = ") && !line.starts_with('#');
        assert!(!is_key || previous.starts_with('#'), "no comment above: {line}");
        previous = line;
    }
}

#[test]
fn an_unknown_key_is_refused_with_its_name_and_its_line() {
    let message = refusal("gateway = \"home\"\n\n[mqtt]\nurl = \"mqtt://broker\"\nretane = true\n");
    assert!(message.contains("ecgid.toml:5:1: unknown field `retane`"), "{message}");
    let message = refusal("[sorce]\nkind = \"tcp\"\n");
    assert!(message.contains("ecgid.toml:1:2: unknown field `sorce`"), "{message}");
}

#[test]
fn a_value_of_another_type_is_refused_with_its_line() {
    let message = refusal("[source]\nkind = \"serial\"\nbaud = \"fast\"\n");
    assert!(message.contains("ecgid.toml:3:8: invalid type: string \"fast\", expected u32"), "{message}");
    let message = refusal("[source]\nkind = \"bluetooth\"\n");
    assert!(message.contains(":2:8: unknown variant `bluetooth`, expected one of `serial`"), "{message}");
    let message = refusal("gateway = \"home\"\n[mqtt\n");
    assert!(message.contains("ecgid.toml:2:"), "{message}");
}

#[test]
fn the_environment_overrides_the_file_and_flags_override_both() {
    let text = "gateway = \"file\"\n[mqtt]\nurl = \"mqtt://from-file\"\nidentity_expiry_s = 20\n[hrv]\nevery_s = 30\n";
    let variables =
        [("ECGID__MQTT__URL", "mqtt://from-env:1884"), ("ECGID__HRV__EVERY_S", "5.5"), ("ECGID__GATEWAY", "env")];
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ecgid.toml");
    std::fs::write(&path, text).unwrap();
    let flags = [("gateway", "flag".to_owned()), ("source.kind", "simulator".to_owned()), ("source.speed", "0".into())];
    let config = Config::load_in(Some(&path), &environment(&variables), &flags).unwrap();
    let mqtt = config.mqtt.unwrap();
    assert_eq!((mqtt.host.as_str(), mqtt.port), ("from-env", 1884));
    assert_eq!(mqtt.identity_expiry, Duration::from_secs(20));
    assert_eq!(mqtt.client_id, "ecgid-flag-ecg0");
    assert_eq!(config.hrv.every, Duration::from_millis(5500));
    assert_eq!(config.gateway.as_str(), "flag");
    assert_eq!(config.source.kind, SourceKind::Simulator { seed: 1, speed: None });
}

#[test]
fn an_unknown_variable_of_the_environment_is_refused_by_name() {
    let message = load("", &[("ECGID__MQTT__HOST", "broker")]).expect_err("refused").to_string();
    assert!(message.contains("host") && message.contains("ECGID__"), "{message}");
    assert!(load("", &[("ECGID_DATA", "/somewhere")]).is_ok(), "a variable with another prefix is not ours");
}

#[test]
fn values_that_look_like_numbers_may_be_names() {
    let mqtt = load("", &[("ECGID__MQTT__USERNAME", "1234")]).unwrap().mqtt.unwrap();
    assert_eq!(mqtt.username.as_deref(), Some("1234"));
    assert!(load("", &[("ECGID__MQTT__ENABLED", "false")]).unwrap().mqtt.is_none());
}

#[test]
fn the_broker_is_a_host_and_a_port() {
    let broker = |url: &str| {
        let mqtt = load(&format!("[mqtt]\nurl = \"{url}\""), &[]).unwrap().mqtt.unwrap();
        (mqtt.host, mqtt.port)
    };
    assert_eq!(broker("mqtt://broker"), ("broker".into(), 1883));
    assert_eq!(broker("mqtt://broker.lan:8883/"), ("broker.lan".into(), 8883));
    assert_eq!(broker("mqtt://[::1]:1884"), ("[::1]".into(), 1884));
    assert_eq!(broker("mqtt://[fe80::1]"), ("[fe80::1]".into(), 1883));
    for url in ["broker:1883", "mqtt://", "mqtt://host:0", "mqtt://host:x", "http://host", "mqtt://::1"] {
        assert!(refusal(&format!("[mqtt]\nurl = \"{url}\"")).starts_with("mqtt.url"), "{url}");
    }
}

fn tls(text: &str, pairs: &[(&str, &str)]) -> Option<TlsConfig> {
    load(&format!("[mqtt]\nurl = \"mqtts://broker\"\n{text}"), pairs).unwrap().mqtt.unwrap().tls
}

#[test]
fn mqtts_is_tls_on_its_own_port_and_mqtt_is_not() {
    let mqtt = |url: &str| load(&format!("[mqtt]\nurl = \"{url}\""), &[]).unwrap().mqtt.unwrap();
    assert_eq!((mqtt("mqtts://broker").port, mqtt("mqtts://broker:1234").port), (8883, 1234));
    assert_eq!(mqtt("mqtts://broker").tls, Some(TlsConfig { authority: None, client: None }));
    assert_eq!(mqtt("mqtt://broker").tls, None);
    assert!(refusal("[mqtt]\nurl = \"mqtts://[::1]\"").contains("certificates name hosts"));
}

#[test]
fn a_client_certificate_goes_with_its_key_from_a_file_or_from_systemd() {
    let certificate = "client_certificate_file = \"/c.pem\"";
    let both = format!("{certificate}\nclient_key_file = \"/k.pem\"");
    let credentials = [("CREDENTIALS_DIRECTORY", "/run/credentials/ecgid.service")];
    let key = |text: &str, pairs: &[(&str, &str)]| tls(text, pairs).unwrap().client.unwrap().key;
    assert_eq!(key(&both, &credentials), Some(PathBuf::from("/k.pem")));
    assert_eq!(key(certificate, &credentials), Some(PathBuf::from("/run/credentials/ecgid.service/mqtt-client-key")));
    // A command by hand that speaks to no broker needs none.
    assert_eq!(key(certificate, &[]), None);
    assert_eq!(tls("ca_file = \"/a.pem\"", &[]).unwrap().authority, Some(PathBuf::from("/a.pem")));
    let refused = |more: &str| refusal(&format!("[mqtt]\nurl = \"mqtts://broker\"\n{more}"));
    assert!(refused("client_key_file = \"/k.pem\"").contains("mqtt.client_certificate_file"));
}

#[test]
fn a_list_can_be_written_as_a_variable() {
    let named = |text: &str, pairs: &[(&str, &str)]| load(text, pairs).unwrap().class_front_ends;
    let from_variable = named("", &[("ECGID__MODEL__CLASS_FRONT_ENDS", "cwxs-bin/250Hz, ov9")]);
    assert_eq!(from_variable, ["cwxs-bin/250Hz", "ov9"]);
    assert_eq!(named("[model]\nclass_front_ends = [\"cwxs-bin/250Hz\", \"ov9\"]", &[]), from_variable);
    assert!(load("", &[("ECGID__MODEL__CLASS_FRONT_ENDS", "cwxs")]).is_err());
    // A front end has the one name of its format, whichever was written.
    assert_eq!(named("[model]\nclass_front_ends = [\"cwxs-csv/250Hz\"]", &[]), ["columns-4/250Hz"]);
}

#[test]
fn an_even_rhythm_is_waited_out_unless_it_is_allowed() {
    let varied = |text: &str| load(text, &[]).unwrap().identity.decision(0.6).varied_s;
    assert_eq!(varied(""), ecg_identity::VARIED_S);
    assert_eq!(varied("[liveness]\nallow_even_rhythm = true"), 0.0);
    assert_eq!(varied("[liveness]\nenabled = false"), 0.0);
}

#[test]
fn files_for_tls_without_tls_are_refused() {
    for key in ["ca_file", "client_certificate_file", "client_key_file"] {
        let message = refusal(&format!("[mqtt]\nurl = \"mqtt://nas\"\n{key} = \"/x.pem\""));
        assert!(message.starts_with(&format!("mqtt.{key}")) && message.contains("mqtts://nas"), "{message}");
    }
}

#[test]
fn a_password_in_the_url_is_refused_and_not_repeated() {
    let message = refusal("[mqtt]\nurl = \"mqtt://me:secret@broker\"");
    assert!(message.contains("password_file") && !message.contains("secret"), "{message}");
}

#[test]
fn the_password_is_a_file_or_the_credential_of_systemd() {
    let credentials = [("CREDENTIALS_DIRECTORY", "/run/credentials/ecgid.service")];
    let password = |text: &str, pairs: &[(&str, &str)]| load(text, pairs).unwrap().mqtt.unwrap().password;
    assert_eq!(password("", &[]), None);
    let credential = PathBuf::from("/run/credentials/ecgid.service/mqtt-password");
    assert_eq!(password("", &credentials), Some(PasswordSource::Credential(credential)));
    let file = PasswordSource::File("/etc/secret".into());
    assert_eq!(password("[mqtt]\npassword_file = \"/etc/secret\"", &credentials), Some(file));
}

#[test]
fn the_database_lies_in_the_state_directory_of_systemd() {
    assert_eq!(load("", &[]).unwrap().store.path, PathBuf::from("ecgid.sqlite"));
    let path = load("", &[("STATE_DIRECTORY", "/var/lib/ecgid:/var/lib/other")]).unwrap().store.path;
    assert_eq!(path, PathBuf::from("/var/lib/ecgid/ecgid.sqlite"));
    let path = load("[store]\npath = \"/data/e.db\"", &[("STATE_DIRECTORY", "/var/lib/ecgid")]).unwrap().store.path;
    assert_eq!(path, PathBuf::from("/data/e.db"));
}

#[test]
fn zero_and_the_empty_text_mean_as_usual() {
    let config = Config::default();
    assert_eq!(config.source.fs_hz, None);
    assert_eq!(config.source.gain, None);
    assert_eq!(config.source.ecg_channel, None);
    assert_eq!(config.source.format, FormatChoice::Auto);
    assert_eq!(config.identity.threshold, None);
    assert_eq!(config.signal.mains, Mains::Hz50);
    let SourceKind::Serial { baud, .. } = config.source.kind else { panic!("serial is the default") };
    assert_eq!(baud, None);
}

#[test]
fn what_cannot_be_meant_is_refused_by_key() {
    for (text, key) in [
        ("gateway = \"My House\"", "gateway"),
        ("gateway = \"\"", "gateway"),
        ("device = \"bridge\"", "device"),
        ("[source]\nkind = \"tcp\"", "source.address"),
        ("[source]\nkind = \"replay\"", "source.record"),
        ("[source]\nport = \"\"", "source.port"),
        ("[source]\nformat = \"\"", "source.format"),
        ("[source]\nformat = \"morse\"", "source.format"),
        ("[source]\nopen_delay_ms = 10001", "source.open_delay_ms"),
        ("[source]\nfs_hz = 50.0", "source.fs_hz"),
        ("[source]\ngain = nan", "source.gain"),
        ("[source]\necg_channel = 3", "source.ecg_channel"),
        ("[signal]\nmains_hz = 55", "signal.mains_hz"),
        ("[model]\npath = \"\"", "model.path"),
        ("[model]\nclass_front_ends = [\"cwxs\"]", "model.class_front_ends"),
        ("[model]\nclass_front_ends = [\"cwxs-bin/250\"]", "model.class_front_ends"),
        ("[identity]\nthreshold = 1.5", "identity.threshold"),
        ("[identity]\nmin_embeddings = 0", "identity.min_embeddings"),
        ("[identity]\nfalse_positive_rate = 0", "identity.false_positive_rate"),
        ("[identity]\nfalse_positive_rate = 0.6", "identity.false_positive_rate"),
        ("[hrv]\nwindow_s = 1", "hrv.window_s"),
        ("[mqtt]\nidentity_expiry_s = 1", "mqtt.identity_expiry_s"),
        ("[mqtt]\nkeep_alive_s = 1", "mqtt.keep_alive_s"),
        ("[store]\noutbox_limit_mib = 0", "store.outbox_limit_mib"),
        ("[mqtt]\ntopic_prefix = \"ecgid/#\"", "mqtt.topic_prefix"),
        ("[log]\nlevel = \"loud\"", "log.level"),
        ("[log]\nlevel = \"info,ecgid\"", "log.level"),
    ] {
        let message = refusal(text);
        assert!(message.starts_with(key), "{text}: {message}");
    }
}

#[test]
fn the_decision_takes_the_threshold_of_the_card_unless_the_configuration_has_one() {
    assert_eq!(Config::default().identity.decision(0.42).threshold, 0.42);
    let config = load("[identity]\nthreshold = 0.7\nmargin = 0.1", &[]).unwrap();
    let decision = config.identity.decision(0.42);
    assert_eq!((decision.threshold, decision.margin), (0.7, 0.1));
}

#[test]
fn the_decision_follows_the_rate_where_the_card_has_a_calibration_and_a_threshold_overrides_it() {
    let tiny = Recipe::default().build();
    let rows = "[[decision.calibration]]\nbeats = 1\nslope = 9.0\nintercept = -4.0\n\
                thresholds = [[0.1, 0.5], [0.01, 0.7]]\n[training]";
    let model = |card: &str| Model::from_parts(&tiny.onnx, card, Vec::new(), "tiny.onnx").unwrap();
    let (plain, calibrated) = (model(&tiny.card), model(&tiny.card.replacen("[training]", rows, 1)));
    let config = load("[identity]\nfalse_positive_rate = 0.05", &[]).unwrap();
    assert_eq!(config.identity.decision_with(&plain), config.identity.decision(0.9));
    let decision = config.identity.decision_with(&calibrated);
    assert_eq!(decision.calibrated.as_ref().map(|c| (c.false_positive_rate, c.beats_averaged)), Some((0.05, 5)));
    assert!(decision.threshold(5, 2) > decision.threshold(5, 1));
    let config = load("[identity]\nthreshold = 0.7", &[]).unwrap();
    assert_eq!(config.identity.decision_with(&calibrated), config.identity.decision(0.9));
    let falling = tiny.card.replacen("[training]", &rows.replace("0.7", "0.4"), 1);
    let refused = Model::from_parts(&tiny.onnx, &falling, Vec::new(), "tiny.onnx").unwrap_err().to_string();
    assert!(refused.contains("decision.calibration: beats 1"), "{refused}");
}

#[test]
fn a_model_that_exists_nowhere_is_named_as_it_was_written() {
    let config = load("[model]\npath = \"nowhere/m.onnx\"", &[]).unwrap();
    assert_eq!(config.model_path(), PathBuf::from("nowhere/m.onnx"));
}

#[test]
fn requests_are_taken_on_this_machine_alone_unless_others_are_let_in_on_purpose() {
    let control = |text: &str| load(&format!("[control]\n{text}"), &[]).unwrap().control;
    let usual = Config::default().control;
    assert_eq!(usual.http, Some("127.0.0.1:8788".parse().unwrap()));
    assert!(!usual.mqtt.any(), "nothing is permitted over MQTT unasked");
    assert_eq!(control("http = \"off\"").http, None);
    assert_eq!(control("http = \"[::1]:0\"").http, Some("[::1]:0".parse().unwrap()));
    let open = control("http = \"0.0.0.0:80\"\nhttp_allow_remote = true\nmqtt_health = true");
    assert_eq!(open.http, Some("0.0.0.0:80".parse().unwrap()));
    assert_eq!((open.mqtt.health, open.mqtt.enrol, open.mqtt.subjects), (true, false, false));
    let message = refusal("[control]\nhttp = \"0.0.0.0:8788\"");
    assert!(message.contains("control.http") && message.contains("http_allow_remote"), "{message}");
    assert!(refusal("[control]\nhttp = \"localhost:8788\"").contains("127.0.0.1:8788"));
}
