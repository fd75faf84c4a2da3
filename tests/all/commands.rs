//! The command line as others call it: exit codes, and what is printed.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use ecgid::config::{KeyPlace, Slug};
use ecgid::keys::{Purpose, SecretKey};
use ecgid::publish::Signer;
use ecgid::store::{NewTemplate, Store};

#[path = "commands/check.rs"]
mod check;

/// Runs the executable in `directory` without the configuration of this machine.
fn ecgid(directory: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ecgid"));
    command.args(args).current_dir(directory).env_remove("STATE_DIRECTORY").env_remove("CREDENTIALS_DIRECTORY");
    command.output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn gateway() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("ecgid.toml"), "[source]\nkind = \"simulator\"\n").unwrap();
    directory
}

fn enrol(directory: &Path, name: &str) {
    let store = Store::open(&directory.join("ecgid.sqlite")).unwrap();
    let (subject, embedding) = (&Slug::subject(name).unwrap(), &[0.6, 0.8][..]);
    let template = NewTemplate { subject, front_end: "f", model: "m", beats: 9, embedding, replaces: true };
    store.add_template(&template).unwrap();
}

#[test]
fn check_names_every_problem_and_ends_with_78() {
    let directory = gateway();
    let text = "[model]\npath = \"missing.onnx\"\n[mqtt]\npassword_file = \"missing\"\n[store]\npath = \"no/where\"\n";
    std::fs::write(directory.path().join("bad.toml"), text).unwrap();
    let output = ecgid(directory.path(), &["check", "--config", "bad.toml"]);
    assert_eq!(output.status.code(), Some(78));
    let said = stdout(&output);
    for problem in ["PROBLEM  broker", "PROBLEM  model", "PROBLEM  database", "PROBLEM  signing key"] {
        assert!(said.contains(problem), "{problem} is not in {said}");
    }
    assert!(said.contains("missing.onnx") && said.contains("ok       configuration"), "{said}");
    assert!(stderr(&output).contains("4 problems"), "{}", stderr(&output));
}

#[test]
fn check_finds_a_recording_that_is_not_there_as_a_start_would() {
    let directory = gateway();
    let keys = ["--set", "source.kind=replay", "--set", "source.record=missing"];
    let output = ecgid(directory.path(), &[&["check", "--config", "ecgid.toml"], &keys[..]].concat());
    assert_eq!(output.status.code(), Some(78));
    assert!(stdout(&output).contains("PROBLEM  source") && stdout(&output).contains("missing"), "{}", stdout(&output));
}

#[test]
fn a_key_on_the_command_line_wins_over_the_file() {
    let directory = gateway();
    let check = |key: &str| ecgid(directory.path(), &["check", "--config", "ecgid.toml", "--set", key]);
    let output = check("source.seed=7");
    assert!(output.status.success(), "{}", stdout(&output));
    assert!(stdout(&output).contains("synthetic heart 7"), "{}", stdout(&output));
    let output = check("source.sed=7");
    assert_eq!(output.status.code(), Some(78));
    assert!(stdout(&output).contains("sed"), "{}", stdout(&output));
    assert_eq!(check("source.seed").status.code(), Some(2));
}

#[test]
fn listening_to_a_recording_makes_no_database_and_says_what_is_odd_about_it() {
    let directory = gateway();
    let rows: String = (0..1_000).map(|n| format!("{},{},0,0\n", n * 4, n % 50)).collect();
    std::fs::write(directory.path().join("plain.csv"), rows).unwrap();
    let output = ecgid(directory.path(), &["replay", "plain.csv", "--config", "ecgid.toml"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stderr(&output).contains("nobody is enrolled") && stderr(&output).contains("no header"));
    let left =
        std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut left: Vec<_> = left.collect();
    left.sort();
    assert_eq!(left, ["ecgid.toml", "plain.csv"]);
}

#[test]
fn a_word_that_does_not_exist_is_refused_with_those_that_do() {
    let directory = gateway();
    for (key, words) in [("source.kind", "`serial`, `tcp`"), ("log.format", "`text`"), ("mqtt.payload", "`protobuf`")] {
        let set = format!("{key}=seriall");
        let output = ecgid(directory.path(), &["check", "--config", "ecgid.toml", "--set", &set]);
        let said = stdout(&output);
        assert!(output.status.code() == Some(78) && said.contains("seriall") && said.contains(words), "{said}");
    }
}

#[test]
fn check_counts_in_words_and_does_not_claim_to_have_met_the_broker() {
    let directory = gateway();
    enrol(directory.path(), "ada");
    let broker = ["--set", "mqtt.url=mqtt://127.0.0.1:9"];
    let said = stdout(&ecgid(directory.path(), &[&["check", "--config", "ecgid.toml"], &broker[..]].concat()));
    assert!(said.contains(": 1 subject, 0 events waiting"), "{said}");
    assert!(said.contains("127.0.0.1:9 (not contacted)"), "{said}");
}

#[test]
fn a_reason_is_told_once() {
    let directory = gateway();
    let output = ecgid(directory.path(), &["check", "--config", "nothing.toml"]);
    let said = stdout(&output) + &stderr(&output);
    assert_eq!(said.matches("No such file").count(), 1, "{said}");
}

#[test]
fn a_simulation_takes_neither_the_files_of_a_folder_nor_the_link_of_another_board() {
    let directory = gateway();
    let write = |more: &[&str]| {
        let arguments = ["simulate", "--csv", "records", "--subjects", "1", "--seconds", "2"];
        ecgid(directory.path(), &[&arguments[..], more].concat())
    };
    assert!(write(&[]).status.success());
    let manifest = directory.path().join("records/manifest.csv");
    std::fs::write(&manifest, "of somebody").unwrap();
    let refused = write(&[]);
    assert!(refused.status.code() == Some(1) && stderr(&refused).contains("--force"), "{}", stderr(&refused));
    assert_eq!(std::fs::read_to_string(&manifest).unwrap(), "of somebody");
    assert!(write(&["--force"]).status.success());
    assert_ne!(std::fs::read_to_string(&manifest).unwrap(), "of somebody");

    let board = |link: &Path| {
        let arguments = ["simulate", "--pty", "--for", "1s", "--link", link.to_str().unwrap()];
        ecgid(directory.path(), &arguments)
    };
    let link = directory.path().join("tty");
    let other = ecgid::board::terminal::Terminal::open(Some(&link)).unwrap();
    let leads_to = std::fs::read_link(&link).unwrap();
    let refused = board(&link);
    assert!(refused.status.code() == Some(1) && stderr(&refused).contains("other board"), "{}", stderr(&refused));
    assert_eq!(std::fs::read_link(&link).unwrap(), leads_to, "it is left alone");
    drop(other);
    std::os::unix::fs::symlink("/nope/tty", &link).unwrap();
    assert!(board(&link).status.success(), "a link that leads nowhere was left behind");
    let nowhere = stderr(&board(Path::new("/nope/tty")));
    assert!(nowhere.contains("cannot make the link /nope/tty: No such file"), "{nowhere}");
}

#[test]
fn a_simulation_of_nobody_of_no_length_or_beyond_the_last_seed_is_refused_and_writes_nothing() {
    let directory = gateway();
    let last = "18446744073709551615";
    let write = |more: &[&str]| ecgid(directory.path(), &[&["simulate", "--csv", "records"], more].concat());
    for (more, code, words) in [
        (["--subject-seed", last], 1, "no 4 subjects from there on"),
        (["--subjects", "0"], 2, "'0' for '--subjects <N>'"),
        (["--seconds", "nan"], 2, "1 to 86400 seconds"),
        (["--seconds", "inf"], 2, "1 to 86400 seconds"),
    ] {
        let refused = write(&more);
        assert_eq!(refused.status.code(), Some(code), "{more:?}: {}", stderr(&refused));
        assert!(stderr(&refused).contains(words), "{more:?}: {}", stderr(&refused));
        assert!(!directory.path().join("records").exists(), "{more:?}");
    }
    assert!(write(&["--subject-seed", last, "--subjects", "1", "--seconds", "2"]).status.success());
}

#[test]
fn check_refuses_an_unknown_key_with_its_line() {
    let directory = gateway();
    std::fs::write(directory.path().join("bad.toml"), "[mqtt]\nretain = true\n").unwrap();
    let output = ecgid(directory.path(), &["check", "--config", "bad.toml"]);
    assert_eq!(output.status.code(), Some(78));
    assert!(stdout(&output).contains("bad.toml:2:1: unknown field `retain`"), "{}", stdout(&output));
}

#[test]
fn subjects_are_listed_renamed_and_deleted() {
    let directory = gateway();
    let run = |args: &[&str]| ecgid(directory.path(), &[&["subjects", "--config", "ecgid.toml"], args].concat());
    assert_eq!(stdout(&run(&["list", "--json"])).trim(), "[]");
    assert!(!directory.path().join("ecgid.sqlite").exists(), "looking makes no database");
    enrol(directory.path(), "ada");
    enrol(directory.path(), "bob");

    let listed: serde_json::Value = serde_json::from_slice(&run(&["list", "--json"]).stdout).unwrap();
    assert_eq!((listed[0]["subject"].as_str(), listed[1]["templates"][0]["beats"].as_u64()), (Some("ada"), Some(9)));
    assert!(stdout(&run(&["list"])).contains("ada\n    revision 1, 9 beats, f, model m"));

    assert_eq!(run(&["rename", "ada", "bob"]).status.code(), Some(1));
    assert_ne!(run(&["rename", "ada", "unknown"]).status.code(), Some(0), "a word of the contract names nobody");
    assert!(run(&["rename", "ada", "carol"]).status.success());

    let unasked = run(&["delete", "carol"]);
    assert_eq!(unasked.status.code(), Some(1));
    assert!(stderr(&unasked).contains("--yes"), "{}", stderr(&unasked));
    assert!(run(&["delete", "carol", "--yes"]).status.success());
    assert_eq!(run(&["delete", "carol", "--yes"]).status.code(), Some(1));
    assert_eq!(stdout(&run(&["list"])).lines().next(), Some("bob"));
}

#[test]
fn the_public_key_is_shown_and_replaced_and_the_secret_one_never_said() {
    let directory = gateway();
    let run = |args: &[&str]| ecgid(directory.path(), &[&["key", "--config", "ecgid.toml"], args].concat());
    let none = run(&[]);
    assert_eq!(none.status.code(), Some(1));
    assert!(stderr(&none).contains("first start"), "{}", stderr(&none));
    let nothing = run(&["rotate", "--yes"]);
    assert_eq!(nothing.status.code(), Some(1));
    assert!(stderr(&nothing).contains("nothing is replaced"), "{}", stderr(&nothing));
    assert!(!directory.path().join("signing-key").exists(), "looking and replacing make no key");

    let place = KeyPlace { credential: None, file: directory.path().join("signing-key") };
    let signer = Signer::new(&SecretKey::read_or_make(Purpose::Claims, &place).ok().unwrap());
    let secret = std::fs::read_to_string(&place.file).unwrap();
    let secret = secret.split(' ').nth(1).unwrap().trim();
    let base64 = data_encoding::BASE64.encode(signer.public_key());
    let shown = stdout(&run(&[]));
    assert!(shown.contains(&base64) && shown.contains(signer.key_id()) && shown.contains("signing-key"), "{shown}");
    assert_eq!(stdout(&run(&["--format", "base64"])).trim(), base64);
    assert_eq!(stdout(&run(&["--format", "hex"])).trim(), data_encoding::HEXLOWER.encode(signer.public_key()));
    let object: serde_json::Value = serde_json::from_slice(&run(&["--format", "json"]).stdout).unwrap();
    assert_eq!((object["public_key"].as_str(), object["key_id"].as_str()), (Some(&*base64), Some(signer.key_id())));
    let pem = stdout(&run(&["--format", "pem"]));
    if let Some(read) = openssl_reads(&pem) {
        assert!(
            read.replace(['\n', ' ', ':'], "").contains(&data_encoding::HEXLOWER.encode(signer.public_key())),
            "{read}"
        );
    }

    let unasked = run(&["rotate"]);
    assert_eq!(unasked.status.code(), Some(1));
    let rotated = run(&["rotate", "--yes"]);
    assert!(rotated.status.success() && !stdout(&rotated).contains(&base64), "{}", stdout(&rotated));
    let mode = place.file.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for output in [none, unasked, rotated, run(&[])] {
        assert!(!(stdout(&output) + &stderr(&output)).contains(secret));
    }
}

/// What OpenSSL makes of a public key; `None` where it is not installed.
fn openssl_reads(pem: &str) -> Option<String> {
    use std::io::Write as _;
    let mut command = Command::new("openssl");
    command.args(["pkey", "-pubin", "-noout", "-text"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let Ok(mut child) = command.stderr(Stdio::inherit()).spawn() else {
        skipped!("SKIPPED: openssl is not installed, so the form PEM is not tested");
        return None;
    };
    child.stdin.take().unwrap().write_all(pem.as_bytes()).unwrap();
    Some(String::from_utf8_lossy(&child.wait_with_output().unwrap().stdout).into_owned())
}

#[test]
fn a_password_where_none_belongs_is_refused_and_not_repeated() {
    let directory = gateway();
    let configured = ["check", "--config", "ecgid.toml"];
    let sets = ["mqtt.password=geheim7", "mqtt.url=mqtt://me:geheim7@broker", "keys.template=geheim7"];
    let mut outputs: Vec<Output> =
        sets.iter().map(|set| ecgid(directory.path(), &[&configured[..], &["--set", set]].concat())).collect();
    for text in ["[mqtt]\npassword = \"geheim7\"\n", "[mqtt]\nurl = \"mqtt://me:geheim7@broker\"\n"] {
        std::fs::write(directory.path().join("bad.toml"), text).unwrap();
        outputs.push(ecgid(directory.path(), &["check", "--config", "bad.toml"]));
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_ecgid"));
    command.args(configured).current_dir(directory.path()).env("ECGID__MQTT__PASSWORD", "geheim7");
    outputs.push(command.output().unwrap());
    for output in outputs {
        let said = stdout(&output) + &stderr(&output);
        assert_eq!(output.status.code(), Some(78), "{said}");
        assert!(!said.contains("geheim7"), "{said}");
    }
}

#[test]
fn the_most_talkative_log_holds_no_secret() {
    let directory = gateway();
    std::fs::write(directory.path().join("password"), "geheim7\n").unwrap();
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/models/ecgid-1.onnx");
    let mut command = Command::new(env!("CARGO_BIN_EXE_ecgid"));
    command.args(["run", "--config", "ecgid.toml", "--set", "log.level=trace"]);
    command.args(["--set", &format!("model.path={model}"), "--set", "mqtt.password_file=password"]);
    // Nobody listens on the port of discarding.
    command.args(["--set", "mqtt.username=me", "--set", "mqtt.url=mqtt://127.0.0.1:9"]);
    command.current_dir(directory.path()).env_remove("STATE_DIRECTORY").env_remove("CREDENTIALS_DIRECTORY");
    let log = directory.path().join("log");
    let file = std::fs::File::create(&log).unwrap();
    let mut daemon = command.stdout(file.try_clone().unwrap()).stderr(file).spawn().unwrap();
    let said = || std::fs::read_to_string(&log).unwrap();
    let mut waited = 0;
    while !said().contains("no broker") && waited < 600 {
        std::thread::sleep(std::time::Duration::from_millis(50));
        waited += 1;
    }
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    let said = said();
    assert!(said.contains("made the key of the templates") && said.contains("no broker"), "{said}");
    let secret = |name: &str| std::fs::read_to_string(directory.path().join(name)).unwrap().trim().to_owned();
    for name in ["template-key", "signing-key"] {
        let line = secret(name);
        assert!(!said.contains(line.split(' ').nth(1).unwrap()), "{name}");
        assert_eq!(directory.path().join(name).metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert!(!said.contains("geheim7"));
    for name in ["ecgid.sqlite", "ecgid.sqlite-wal", "ecgid.sqlite-shm"] {
        assert_eq!(directory.path().join(name).metadata().unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_database_without_its_key_ends_with_78_and_can_be_mended() {
    let directory = gateway();
    enrol(directory.path(), "ada");
    let key = directory.path().join("template-key");
    std::fs::rename(&key, directory.path().join("safe")).unwrap();
    for command in [&["subjects", "list"][..], &["check"]] {
        let output = ecgid(directory.path(), &[command, &["--config", "ecgid.toml"]].concat());
        let said = stdout(&output) + &stderr(&output);
        assert_eq!(output.status.code(), Some(78), "{said}");
        assert!(said.contains("put the key back"), "{said}");
    }
    std::fs::rename(directory.path().join("safe"), &key).unwrap();
    let output = ecgid(directory.path(), &["subjects", "list", "--config", "ecgid.toml"]);
    assert!(output.status.success() && stdout(&output).contains("ada"));
}

#[test]
fn a_template_that_somebody_else_has_put_there_ends_with_78_and_names_the_remedy() {
    let directory = gateway();
    enrol(directory.path(), "ada");
    enrol(directory.path(), "eve");
    let database = rusqlite::Connection::open(directory.path().join("ecgid.sqlite")).unwrap();
    database.execute_batch("UPDATE part SET sealed = (SELECT sealed FROM part WHERE id = 2) WHERE id = 1").unwrap();
    let model = format!("model.path={}/models/ecgid-1.onnx", env!("CARGO_MANIFEST_DIR"));
    for command in ["check", "run"] {
        let output = ecgid(directory.path(), &[command, "--config", "ecgid.toml", "--set", &model]);
        let said = stdout(&output) + &stderr(&output);
        assert_eq!(output.status.code(), Some(78), "{said}");
        assert!(said.contains("ecgid subjects delete ada"), "{said}");
    }
    assert!(
        ecgid(directory.path(), &["subjects", "delete", "ada", "--yes", "--config", "ecgid.toml"]).status.success()
    );
    assert!(ecgid(directory.path(), &["check", "--config", "ecgid.toml", "--set", &model]).status.success());
}

#[test]
fn the_keys_may_be_credentials_of_systemd_and_no_file_is_made_then() {
    let directory = gateway();
    enrol(directory.path(), "ada");
    let credentials = directory.path().join("credentials");
    std::fs::create_dir(&credentials).unwrap();
    std::fs::rename(directory.path().join("template-key"), credentials.join("ecgid-template-key")).unwrap();
    let place = KeyPlace { credential: None, file: credentials.join("ecgid-signing-key") };
    let signer = Signer::new(&SecretKey::read_or_make(Purpose::Claims, &place).ok().unwrap());
    let run = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ecgid"));
        command.args(args).args(["--config", "ecgid.toml"]).current_dir(directory.path());
        command.env_remove("STATE_DIRECTORY").env("CREDENTIALS_DIRECTORY", &credentials).output().unwrap()
    };
    assert!(stdout(&run(&["subjects", "list"])).contains("ada"));
    assert!(stdout(&run(&["key"])).contains(signer.key_id()));
    let rotated = run(&["key", "rotate", "--yes"]);
    assert!(!rotated.status.success() && stderr(&rotated).contains("credential"), "{}", stderr(&rotated));
    for name in ["template-key", "signing-key"] {
        assert!(!directory.path().join(name).exists(), "{name}");
    }
}
