//! Requests to the running daemon: the real executable, over HTTP and by its own command line, and what MQTT may ask.

use std::io::Read;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use ecg_data::heart::{HeartParams, Noise, SyntheticHeart};
use ecgid::cli::run::settings;
use ecgid::config::{Config, Environment};
use ecgid::control::{Control, Way};
use ecgid::inference::Model;
use ecgid::pipeline::outlet::Telemetry;
use ecgid::store::Store;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::recordings::{ecgid, text};
use crate::tiny_model::Recipe;

#[path = "control/beside.rs"]
mod beside;
#[path = "control/daemon.rs"]
mod daemon;
#[path = "control/early.rs"]
mod early;

use daemon::{Board, Daemon, signal};

#[test]
fn a_person_is_enrolled_over_http_verified_and_deleted_while_the_daemon_runs() {
    let mut daemon = Daemon::with_a_synthetic_heart();
    assert_eq!(daemon.enrolment()["state"], "idle");
    daemon.until_identity("unknown");
    let begun = daemon.ask("POST", "/api/v1/enrol", r#"{"subject": "anna", "seconds": 16, "transaction": "t-1"}"#);
    assert_eq!((begun.status, begun.json()["transaction"].as_str()), (200, Some("t-1")), "{begun:?}");
    assert_eq!(begun.json()["data"]["state"], "collecting");
    let twice = daemon.ask("POST", "/api/v1/enrol", r#"{"subject": "ben"}"#);
    assert_eq!((twice.status, twice.code().as_str()), (409, "already_enrolling"));

    let done = daemon.until_state(&["done", "refused"]);
    assert_eq!((done["state"].as_str(), done["report"]["revision"].as_u64()), (Some("done"), Some(1)), "{done}");
    assert!(done["report"]["beats"].as_u64().unwrap() >= 12 && done["progress"]["step"] == "done", "{done}");
    let event = daemon.until_identity("verified");
    assert_eq!((event["subject"].as_str(), event["template_revision"].as_u64()), (Some("anna"), Some(1)), "{event}");

    let listed = daemon.ask("GET", "/api/v1/subjects", "").json();
    assert_eq!(listed["data"]["subjects"][0]["subject"], "anna");
    let health = daemon.ask("GET", "/api/v1/health", "").json();
    assert_eq!((&health["data"]["source"]["online"], &health["data"]["model"]), (&json!(true), &event["model"]));
    assert_eq!(health["data"]["bridge"], Value::Null, "without MQTT nothing is published of it");
    let written = format!("{listed}{health}{done}");
    assert!(!written.contains("embedding"), "no answer holds a template: {written}");

    assert_eq!(daemon.ask("DELETE", "/api/v1/subjects/anna", "").status, 200);
    daemon.until_identity("unknown");
    assert_eq!(daemon.ask("GET", "/api/v1/subjects", "").json()["data"]["subjects"], json!([]));
    let again = daemon.ask("DELETE", "/api/v1/subjects/anna", "");
    assert_eq!((again.status, again.code().as_str()), (404, "no_such_subject"));
    assert_eq!(daemon.stop(), Some(0));
    assert!(!daemon.access_file().exists(), "a daemon that has stopped leaves no token");
}

#[test]
fn somebody_who_is_much_alike_is_asked_about() {
    let daemon = Daemon::with_a_synthetic_heart();
    let begin = |name: &str| {
        let body = format!(r#"{{"subject": "{name}", "seconds": 12}}"#);
        assert_eq!(daemon.ask("POST", "/api/v1/enrol", &body).status, 200);
        daemon.until_state(&["done", "refused", "question"])
    };
    assert_eq!(begin("anna")["state"], "done");
    let asked = begin("anne");
    assert_eq!(asked["state"], "question", "{asked}");
    assert!(asked["question"]["told"].as_str().unwrap().contains("anne resembles anna"), "{asked}");
    assert_eq!(daemon.ask("POST", "/api/v1/enrol/moved", "").code(), "not_enrolling");
    assert_eq!(daemon.ask("POST", "/api/v1/enrol/confirm", r#"{"accept": false}"#).status, 200);
    let refused = daemon.until_state(&["refused"]);
    assert!(refused["problem"].as_str().unwrap().contains("ecgid enrol anna --add"), "{refused}");

    assert_eq!(begin("anne")["state"], "question");
    let confirmed = daemon.ask("POST", "/api/v1/enrol/confirm", r#"{"accept": true}"#);
    assert_eq!(confirmed.status, 200);
    assert_eq!(daemon.until_state(&["done", "refused"])["report"]["resembles"][0]["subject"], "anna");
    let listed = daemon.ask("GET", "/api/v1/subjects", "").json();
    assert_eq!(listed["data"]["subjects"].as_array().unwrap().len(), 2);

    let renamed = daemon.ask("PATCH", "/api/v1/subjects/anne", r#"{"to": "anna"}"#);
    assert_eq!((renamed.status, renamed.code().as_str()), (409, "name_taken"));
    assert_eq!(daemon.ask("PATCH", "/api/v1/subjects/anne", r#"{"to": "ann"}"#).status, 200);
    let undone = daemon.ask("POST", "/api/v1/subjects/ann/undo", "").json();
    assert_eq!((&undone["data"]["deleted"], &undone["data"]["revision"]), (&json!(true), &json!(1)), "{undone}");
}

#[test]
fn an_enrolment_is_followed_as_a_stream_and_called_off() {
    let daemon = Daemon::with_a_synthetic_heart();
    let stream = |daemon: &Daemon| daemon.ask("GET", "/api/v1/enrol/events", "");
    let idle = stream(&daemon);
    assert!(idle.head.contains("content-type: text/event-stream"), "{idle:?}");
    assert_eq!(idle.body.matches("event: enrol").count(), 1, "nothing is to be waited for: {idle:?}");
    assert_eq!(daemon.ask("DELETE", "/api/v1/enrol", "").code(), "not_enrolling");

    assert_eq!(daemon.ask("POST", "/api/v1/enrol", r#"{"subject": "anna", "seconds": 600}"#).status, 200);
    let told = std::thread::scope(|scope| {
        let following = scope.spawn(|| stream(&daemon));
        daemon.until("beats", || (daemon.enrolment()["progress"]["good_beats"].as_u64()? > 5).then_some(()));
        let off = daemon.ask("DELETE", "/api/v1/enrol", "");
        assert_eq!((off.status, &off.json()["data"]["state"]), (200, &json!("cancelled")), "{off:?}");
        following.join().unwrap()
    });
    assert!(told.body.matches("event: enrol").count() > 3, "{told:?}");
    assert!(told.body.contains(r#""state":"cancelled""#), "the stream ends with the enrolment: {told:?}");
    assert_eq!(daemon.ask("GET", "/api/v1/subjects", "").json()["data"]["subjects"], json!([]));
}

#[test]
fn a_heart_that_is_played_in_a_loop_is_not_enrolled() {
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("loop.csv");
    let params = HeartParams { rr_sd_s: 0.04, ..HeartParams::from_seed(3) };
    let turn: Vec<f64> =
        SyntheticHeart::new(&params, 250.0, 1).unwrap().with_noise(Noise::at_rest()).take(2500).collect();
    let rows = turn.iter().cycle().take(60 * turn.len()).enumerate();
    let rows: String = rows.map(|(i, value)| format!("{:.3},{value:.4}\n", i as f64 / 250.0)).collect();
    std::fs::write(&record, format!("time_s,ecg_mv\n{rows}")).unwrap();
    let daemon = Daemon::start(&format!("kind = \"replay\"\nrecord = \"{}\"\nspeed = 16.0", record.display()));
    let body = r#"{"subject": "anna", "seconds": 48, "give_up_after_s": 120}"#;
    assert_eq!(daemon.ask("POST", "/api/v1/enrol", body).status, 200);
    let doubted = daemon.until("a doubt", || {
        let progress = daemon.enrolment()["progress"].take();
        (progress["advice"] == "replay_suspected").then_some(progress)
    });
    assert!(doubted["doubted_beats"].as_u64().unwrap() > 0 && doubted["good_beats"] == 0, "{doubted}");
    assert!(doubted["again"].as_str().unwrap().contains("as if played again"), "{doubted}");
    let ended = daemon.until_state(&["refused", "done"]);
    let problem = ended["problem"].as_str().unwrap_or_default();
    assert!(problem.contains("gave up after 120 s") && problem.contains("as if played again"), "{ended}");
    assert_eq!(daemon.ask("GET", "/api/v1/subjects", "").json()["data"]["subjects"], json!([]));
}

#[test]
fn nobody_gets_in_without_the_token_or_by_a_name() {
    let daemon = Daemon::with_a_synthetic_heart();
    let mode = std::fs::metadata(daemon.access_file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let (address, token) = daemon.access();
    let get = |path: &str, more: &str| daemon.send(&format!("GET {path} HTTP/1.1\r\n{more}\r\n"));
    let with = |host: &str, token: &str| format!("Host: {host}\r\nAuthorization: Bearer {token}\r\n");
    let host = address.to_string();

    assert_eq!(get("/api/v1/health", &with(&host, &token)).status, 200);
    let without = get("/api/v1/health", &format!("Host: {host}\r\n"));
    assert_eq!((without.status, without.code().as_str()), (401, "unauthorized"));
    assert!(without.head.contains("www-authenticate: bearer"), "{without:?}");
    assert!(without.head.contains("cache-control: no-store") && !without.head.contains("access-control"));
    let wrong = format!("{}0", &token[..token.len() - 1]);
    for token in [if wrong == token { "x" } else { &wrong }, "", &token[1..]] {
        assert_eq!(get("/api/v1/subjects", &with(&host, token)).status, 401);
    }
    for path in ["/", "/api/v1/nothing", "/api/v1/subjects/anna"] {
        assert_eq!(get(path, &format!("Host: {host}\r\n")).status, 401, "what is there is not told: {path}");
    }
    let rebound = get("/api/v1/health", &with("evil.example:8788", &token));
    assert_eq!((rebound.status, rebound.code().as_str()), (403, "not_permitted"));
    assert_eq!(get("/api/v1/openapi.json", &with("evil.example", "")).status, 403);
    assert_eq!(get("/api/v1/openapi.json", &format!("Host: {host}\r\n")).json()["openapi"], "3.1.0");
}

#[test]
fn what_cannot_be_meant_is_refused_in_words() {
    let daemon = Daemon::with_a_synthetic_heart();
    let refused = |method: &str, path: &str, body: &str| {
        let reply = daemon.ask(method, path, body);
        (reply.status, reply.code(), reply.json()["error"]["message"].as_str().unwrap().to_owned())
    };
    let (status, code, message) = refused("POST", "/api/v1/enrol", r#"{"subject": "anna", "ad": true}"#);
    assert_eq!((status, code.as_str()), (400, "bad_request"));
    assert!(message.contains("`ad`"), "{message}");
    assert_eq!(refused("POST", "/api/v1/enrol", "subject=anna").0, 400);
    assert_eq!(refused("POST", "/api/v1/enrol", "").0, 400);
    assert_eq!(refused("PATCH", "/api/v1/subjects/anna", r#"{"from": "ben", "to": "ann"}"#).0, 400);
    assert_eq!(refused("DELETE", "/api/v1/subjects/Anna%20Smith", "").0, 400);
    assert_eq!(refused("DELETE", "/api/v1/subjects/%ff", "").0, 400);
    let long = format!(r#"{{"subject": "anna", "transaction": "{}"}}"#, "x".repeat(5000));
    assert_eq!((refused("POST", "/api/v1/enrol", &long).0, refused("GET", "/api/v1/nothing", "").0), (413, 404));
    let wrong_method = daemon.ask("PUT", "/api/v1/enrol", "{}");
    assert_eq!(wrong_method.status, 405);
    assert!(wrong_method.head.contains("allow: "), "{wrong_method:?}");
    assert_eq!(daemon.enrolment()["state"], "idle", "nothing of it was done");
}

#[test]
fn clients_that_say_nothing_hold_nobody_up_for_long() {
    let daemon = Daemon::with_a_synthetic_heart();
    let address = daemon.access().0;
    // More than are open at a time; they are dropped when they have not sent a header within five seconds.
    let mut idle: Vec<TcpStream> = (0..40).map(|_| TcpStream::connect(address).unwrap()).collect();
    assert_eq!(daemon.ask("GET", "/api/v1/health", "").status, 200, "the next one waits and is answered");
    let mut nothing = Vec::new();
    idle[0].read_to_end(&mut nothing).unwrap();
    assert!(nothing.is_empty() || nothing.starts_with(b"HTTP/1.1 408"), "it was closed: {nothing:?}");
}

#[test]
fn the_command_line_enrols_and_names_through_the_daemon_that_holds_the_port() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("tty-board");
    let _board = Board::at(&link);
    let daemon = Daemon::start(&format!("kind = \"serial\"\nport = \"{}\"", link.display()));
    let config = text(&daemon.config);
    let output = ecgid(&["enrol", "anna", "--json", "--config", config]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{told}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((report["takes"].as_u64(), report["revision"].as_u64()), (Some(3), Some(1)), "{report}");
    for line in ["the daemon runs", "placement 1 of 3", "next, placement 2 of 3: take both electrodes off"] {
        assert!(told.contains(line), "{line} is not in {told}");
    }
    assert!(told.contains("note: one day is enrolled"), "{told}");
    assert_eq!(daemon.until_identity("verified")["subject"], "anna");

    let subjects = |arguments: &[&str]| ecgid(&[&["subjects", "--config", config], arguments].concat());
    let said = |arguments: &[&str]| String::from_utf8(subjects(arguments).stdout).unwrap();
    assert_eq!(said(&["list", "--json"]), said(&["list", "--json", "--direct"]), "both ways say the same");
    assert!(said(&["rename", "anna", "ann"]).contains("ann"));
    assert_eq!(said(&["list"]), said(&["list", "--direct"]));
    let taken = subjects(&["rename", "nobody", "somebody"]);
    assert_eq!(taken.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&taken.stderr).contains("no subject is named nobody"));

    let mut called_off = Command::new(env!("CARGO_BIN_EXE_ecgid"))
        .args(["enrol", "ben", "--seconds", "600", "--config", config])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    daemon.until("ben's enrolment", || (daemon.enrolment()["subject"] == "ben").then_some(()));
    signal(called_off.id(), "INT");
    assert_eq!(called_off.wait().unwrap().code(), Some(1));
    assert_eq!(daemon.until_state(&["cancelled"])["subject"], "ben");

    assert!(said(&["undo", "ann"]).contains("it is deleted"));
    assert_eq!(said(&["list"]).trim(), "nobody is enrolled");
}

/// A control without a pipeline: nothing is ever heard.
fn silent(folder: &Path, keys: &[(&str, &str)]) -> Control {
    let model = Model::load(&Recipe::default().build().write(folder)).unwrap();
    let keys: Vec<(&str, String)> = keys.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
    let config = Config::load_in(None, &Environment::new(), &keys).unwrap();
    let settings = settings(&config, &model, Telemetry::Drop);
    let store = Store::open(&folder.join("gallery.sqlite")).unwrap();
    Control::new(&config, &model, &settings, store, CancellationToken::new())
}

async fn over_mqtt(control: &Control, request: &str, body: &str) -> Value {
    serde_json::from_slice(&control.answer(request, body.as_bytes(), Way::Mqtt).await).unwrap()
}

#[tokio::test]
async fn mqtt_may_ask_only_what_the_configuration_permits() {
    let folder = tempfile::tempdir().unwrap();
    let control = silent(folder.path(), &[]);
    for request in ["health", "enrol/start", "enrol/status", "subjects/list", "subjects/delete"] {
        let answer = over_mqtt(&control, request, r#"{"transaction": "7"}"#).await;
        assert_eq!(
            (&answer["status"], &answer["data"], &answer["transaction"]),
            (&json!("error"), &json!({}), &json!("7"))
        );
        assert_eq!(answer["error"]["code"], "not_permitted", "{request}");
        assert!(answer["error"]["message"].as_str().unwrap().contains("[control] mqtt_"), "{answer}");
    }
    let unknown = over_mqtt(&control, "reboot", "{}").await;
    assert_eq!(unknown["error"]["code"], "unknown_request");

    let control = silent(folder.path(), &[("control.mqtt_health", "true"), ("control.mqtt_subjects", "true")]);
    assert_eq!(over_mqtt(&control, "health", "").await["data"]["identity_state"], "no_signal");
    assert_eq!(over_mqtt(&control, "subjects/list", "").await["data"], json!({"subjects": []}));
    assert_eq!(over_mqtt(&control, "enrol/start", r#"{"subject": "anna"}"#).await["error"]["code"], "not_permitted");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fifth_request_that_waits_for_the_disk_is_told_to_come_again() {
    let folder = tempfile::tempdir().unwrap();
    let control = silent(folder.path(), &[("control.mqtt_subjects", "true")]);
    let other = rusqlite::Connection::open(folder.path().join("gallery.sqlite")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (to_test, mut codes) = tokio::sync::mpsc::channel(8);
    for _ in 0..8 {
        let (control, to_test) = (control.clone(), to_test.clone());
        tokio::spawn(async move {
            let answer = over_mqtt(&control, "subjects/delete", r#"{"subject": "a"}"#).await;
            to_test.send(answer["error"]["code"].clone()).await.unwrap();
        });
    }
    for _ in 0..4 {
        assert_eq!(codes.recv().await.unwrap(), "busy");
    }
    other.execute_batch("ROLLBACK").unwrap();
    for _ in 0..4 {
        assert_eq!(codes.recv().await.unwrap(), "no_such_subject");
    }
    assert_eq!(over_mqtt(&control, "subjects/list", "").await["status"], "ok");
}

#[tokio::test(start_paused = true)]
async fn an_enrolment_that_nothing_comes_to_ends_by_itself_and_is_told_over_mqtt() {
    let folder = tempfile::tempdir().unwrap();
    let control = silent(folder.path(), &[("control.mqtt_enrol", "true")]);
    let mut news = control.news();
    let begun = over_mqtt(&control, "enrol/start", r#"{"subject": "anna"}"#).await;
    assert_eq!((&begun["data"]["state"], &begun["data"]["progress"]["placements"]), (&json!("collecting"), &json!(3)));
    let mut told = Vec::new();
    while told.last().is_none_or(|last: &Value| last["data"]["state"] == "collecting") {
        let next = tokio::time::timeout(Duration::from_secs(60), news.next()).await.expect("it ends by itself");
        told.push(serde_json::from_slice(&next).unwrap());
    }
    let last = told.last().unwrap();
    assert_eq!((&last["data"]["state"], &last["status"]), (&json!("refused"), &json!("ok")), "{last}");
    assert!(last["data"]["problem"].as_str().unwrap().contains("nothing comes"), "{last}");

    let mut unheard = silent(folder.path(), &[]).news();
    let silence = tokio::time::timeout(Duration::from_secs(60), unheard.next()).await;
    assert!(silence.is_err(), "without permission nothing of an enrolment is told");
}
