//! `ecgid enrol`: what goes into the gallery, under which front end, and what is refused.

use std::path::{Path, PathBuf};

use ecgid::recording::{Recording, through_board};
use ecgid::store::Store;

use crate::recordings::{data, ecgid, ecgid_json, text};
use crate::tiny_model::Recipe;

#[path = "enrol/alive.rs"]
mod alive;
#[path = "enrol/gain.rs"]
mod gain;
#[path = "enrol/known.rs"]
mod known;
#[path = "enrol/typed.rs"]
mod typed;

/// A folder with a model and a configuration that names it and a gallery.
struct Home {
    folder: tempfile::TempDir,
    config: PathBuf,
}

impl Home {
    fn new(source: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let model = Recipe::default().build().write(folder.path());
        let config = folder.path().join("ecgid.toml");
        let gallery = folder.path().join("gallery.sqlite");
        let text = format!(
            "[source]\n{source}\n[model]\npath = \"{}\"\n[store]\npath = \"{}\"\n",
            model.display(),
            gallery.display()
        );
        std::fs::write(&config, text).unwrap();
        Self { folder, config }
    }

    fn enrol(&self, arguments: &[&str]) -> serde_json::Value {
        ecgid_json(&[&["enrol"], arguments, &["--json", "--config", text(&self.config)]].concat())
    }

    fn refusal(&self, arguments: &[&str]) -> String {
        let output = ecgid(&[&["enrol"], arguments, &["--config", text(&self.config)]].concat());
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    fn store(&self) -> Store {
        Store::open(&self.folder.path().join("gallery.sqlite")).unwrap()
    }
}

fn person(number: &str, record: &str) -> Option<PathBuf> {
    data(&format!("ecg-id/Person_{number}/{record}.hea"))
}

#[test]
fn a_recording_makes_a_template_of_its_own_front_end_or_of_a_board() {
    let Some(record) = person("01", "rec_1") else { return };
    let home = Home::new("");
    let native = home.enrol(&["ann", "--record", text(&record)]);
    assert!(native["front_end"].as_str().unwrap().starts_with("record/500Hz/"), "{native}");
    assert!(native["consistency"].as_f64().unwrap() > 0.9);
    let board = home.enrol(&["ann", "--record", text(&record), "--front-end", "cwxs-bin"]);
    let key = board["front_end"].as_str().unwrap();
    assert!(key.starts_with("cwxs-bin/250Hz/"), "{key}");
    let model = board["model"].as_str().unwrap();
    let references = home.store().references(key, model, None).unwrap();
    assert_eq!((references.len(), references[0].subject.as_str(), references[0].revision), (1, "ann", 1));
    assert!(home.store().references(native["front_end"].as_str().unwrap(), model, None).unwrap().len() == 1);
}

#[test]
fn enrolling_again_replaces_and_add_keeps_both_days() {
    let (Some(first), Some(second)) = (person("01", "rec_1"), person("01", "rec_3")) else { return };
    let home = Home::new("");
    let key = |report: &serde_json::Value| report["front_end"].as_str().unwrap().to_owned();
    let report = home.enrol(&["ann", "--record", text(&first), "--record", text(&second)]);
    assert_eq!((report["takes"].as_u64(), report["revision"].as_u64()), (Some(2), Some(1)));
    assert_eq!(home.enrol(&["ann", "--record", text(&first)])["revision"], 2);
    let model = report["model"].as_str().unwrap();
    assert_eq!(home.store().references(&key(&report), model, None).unwrap().len(), 1);
    assert_eq!(home.enrol(&["ann", "--record", text(&second), "--add"])["revision"], 3);
    assert_eq!(home.store().references(&key(&report), model, None).unwrap().len(), 2);
}

#[test]
fn a_person_who_is_enrolled_under_another_name_is_noticed() {
    let Some(record) = person("01", "rec_1") else { return };
    let home = Home::new("");
    assert_eq!(home.enrol(&["ann", "--record", text(&record)])["resembles"], serde_json::json!([]));
    let words = home.refusal(&["anne", "--record", text(&record)]);
    assert!(words.contains("anne resembles ann") && words.contains("ecgid enrol ann --add"), "{words}");
    assert!(words.contains("--accept-resemblance"), "{words}");
    assert_eq!(home.store().subjects().unwrap().len(), 1, "nothing is stored unasked");
    let again = home.enrol(&["anne", "--record", text(&record), "--accept-resemblance"]);
    assert_eq!(again["resembles"][0]["subject"], "ann");
    assert!(again["resembles"][0]["score"].as_f64().unwrap() > 0.99);
}

/// A simulated board whose electrodes come off on a schedule, for as long as this lives.
struct Board {
    process: std::process::Child,
    source: String,
}

impl Board {
    fn new(home: &Home, arguments: &[&str]) -> Self {
        let link = home.folder.path().join("tty-board");
        // An earlier board was ended without a chance to take its link along.
        let _none = std::fs::remove_file(&link);
        let process = std::process::Command::new(env!("CARGO_BIN_EXE_ecgid"))
            .args(["simulate", "--pty", "--speed", "8", "--link", text(&link)])
            .args(arguments)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        Self { process, source: format!("serial:{}", link.display()) }
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        let _gone_already = self.process.kill();
        let _reaped = self.process.wait();
    }
}

#[test]
fn a_person_is_led_through_three_placements_and_an_enrolment_is_taken_back() {
    let home = Home::new("");
    let guided = |board: &Board, more: &[&str]| {
        let arguments = [&["enrol", "anna", "--source", &board.source, "--config", text(&home.config)], more].concat();
        let output = ecgid(&arguments);
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let board = Board::new(&home, &["--lead-off", "26+4,54+4"]);
    let (code, said, told) = guided(&board, &["--json"]);
    drop(board);
    assert_eq!(code, Some(0), "{told}");
    let report: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((report["takes"].as_u64(), report["days"].as_u64()), (Some(3), Some(1)), "{report}");
    assert!(report["heart_rate_bpm"].as_f64().unwrap() > 40.0);
    for line in [
        "placement 1 of 3: electrodes are on",
        "next, placement 2 of 3: take both electrodes off",
        "placement 2 of 3: put both electrodes on",
        "placement 3 of 3: electrodes are on",
        "ecgid enrol anna --add",
    ] {
        assert!(told.contains(line), "{line} is not in {told}");
    }
    assert!(told.lines().count() < 40, "progress without a terminal is bounded: {told}");
    let templates = || home.store().subjects().unwrap().first().map_or(0, |subject| subject.templates.len());
    assert_eq!(templates(), 3, "a template for each placement");

    let board = Board::new(&home, &["--session", "2"]);
    let (code, _, told) = guided(&board, &["--add", "--placements", "1", "--seconds", "16"]);
    drop(board);
    assert_eq!((code, templates()), (Some(0), 4), "{told}");

    let subjects = |arguments: &[&str]| ecgid(&[&["subjects", "--config", text(&home.config)], arguments].concat());
    let listed = String::from_utf8(subjects(&["list"]).stdout).unwrap();
    assert!(listed.contains("anna has one day only"), "both were today: {listed}");
    assert!(subjects(&["undo", "anna"]).status.success());
    assert_eq!(templates(), 3);
    let last = String::from_utf8(subjects(&["undo", "anna"]).stdout).unwrap();
    assert!(last.contains("it is deleted"), "{last}");
    assert_eq!(templates(), 0);
    assert_eq!(subjects(&["undo", "anna"]).status.code(), Some(1));
}

#[test]
fn electrodes_that_are_never_taken_off_end_in_a_refusal_that_says_what_to_do() {
    let home = Home::new("");
    let board = Board::new(&home, &[]);
    let words = home.refusal(&["anna", "--source", &board.source, "--give-up-after", "60"]);
    assert!(words.contains("taking off was not noticed"), "{words}");
    assert!(words.contains("gave up after 60 s") && words.contains("--placements 1"), "{words}");
    assert!(home.store().subjects().unwrap().is_empty());
}

#[test]
fn an_update_follows_a_clear_match_keeps_its_anchor_and_is_taken_back() {
    let (Some(own), Some(other)) = (person("01", "rec_1"), person("02", "rec_1")) else { return };
    let home = Home::new("");
    let words = home.refusal(&["ann", "--record", text(&own), "--update"]);
    assert!(words.contains("nothing to update"), "{words}");
    let first = home.enrol(&["ann", "--record", text(&own)]);
    let (front_end, model) = (first["front_end"].as_str().unwrap(), first["model"].as_str().unwrap());
    let templates = || home.store().references(front_end, model, None).unwrap();
    let enrolled = templates();
    let updated = home.enrol(&["ann", "--record", text(&own), "--update"]);
    assert_eq!((updated["revision"].as_u64(), templates().len()), (Some(2), 1));
    assert!(updated["update"]["to_anchor"].as_f64().unwrap() > 0.99, "{updated}");
    let words = home.refusal(&["ann", "--record", text(&other), "--update"]);
    assert!(words.contains("nothing is changed"), "{words}");
    assert_eq!(templates().len(), 1);
    let undone = ecgid(&["subjects", "--config", text(&home.config), "undo", "ann"]);
    assert!(undone.status.success());
    assert_eq!(templates(), enrolled);
}

#[test]
fn recordings_of_two_persons_are_refused_and_the_odd_one_is_named() {
    let (Some(first), Some(second), Some(other)) =
        (person("02", "rec_1"), person("02", "rec_2"), person("05", "rec_1"))
    else {
        return;
    };
    let home = Home::new("");
    let records = ["ann", "--record", text(&first), "--record", text(&other), "--record", text(&second)];
    // The shipped network: the random projection of these tests finds all hearts alike.
    let words = home.refusal(&[&records[..], &["--model", "models/ecgid-1.onnx"]].concat());
    assert!(words.contains("recording 2 is unlike the others"), "{words}");
    assert!(home.store().subjects().unwrap().is_empty());
}

#[test]
fn the_configured_source_can_be_enrolled_from() {
    let Some(record) = person("01", "rec_1") else { return };
    let home = Home::new(&format!("kind = \"replay\"\nrecord = \"{}\"\nspeed = 0", record.display()));
    let report = home.enrol(&["ann", "--seconds", "8"]);
    assert!(report["front_end"].as_str().unwrap().starts_with("record/500Hz/"), "{report}");
    assert!(report["beats"].as_u64().unwrap() >= 12);
}

#[test]
fn noise_and_too_little_are_refused_with_what_to_do() {
    let home = Home::new("");
    let noise = made(home.folder.path(), |i| ((i * 7919) % 1000) as f64 / 1000.0);
    let words = home.refusal(&["ann", "--record", text(&noise)]);
    assert!(words.contains("good heartbeats") && words.contains("electrodes"), "{words}");
    assert!(home.store().subjects().unwrap().is_empty());
    let misnamed = ecgid(&["enrol", "Ann Smith", "--record", text(&noise), "--config", text(&home.config)]);
    let words = String::from_utf8_lossy(&misnamed.stderr).into_owned();
    assert!(misnamed.status.code() == Some(2) && words.contains("not a valid name"), "{words}");
    let words = home.refusal(&["ann", "--record", "no/such/record"]);
    assert!(words.contains("no/such/record"), "{words}");
}

fn made(folder: &Path, value: impl Fn(u64) -> f64) -> PathBuf {
    let rows: String = (0..5000_u64).map(|i| format!("{:.3},{:.4}\n", i as f64 / 250.0, value(i))).collect();
    let path = folder.join("made.csv");
    std::fs::write(&path, format!("time_s,ecg_mv\n{rows}")).unwrap();
    path
}

#[test]
fn a_simulated_board_changes_the_samples_by_no_more_than_its_converter_does() {
    let folder = tempfile::tempdir().unwrap();
    let sine = made(folder.path(), |i| (i as f64 * 0.1).sin());
    let recording = Recording::open(&sine, 0).unwrap();
    for (format, step_mv) in [(ecg_wire::Format::CwxsBin, 1e-4), (ecg_wire::Format::Ov9, 0.01)] {
        let sent = through_board(&recording.stream, format, Some(ecg_signal::Hertz(250.0))).unwrap();
        assert_eq!(sent.format, format.name());
        let start = recording.stream.samples.len() - sent.samples.len();
        assert!(start <= 2, "{start} samples were lost at the start");
        let error =
            sent.samples.iter().zip(&recording.stream.samples).map(|(a, b)| (a.millivolts - b.millivolts).abs());
        let worst = error.fold(0.0, f64::max);
        assert!(worst <= step_mv, "{format}: {worst} mV");
    }
}

#[test]
fn a_source_that_is_not_there_is_named_when_giving_up() {
    let home = Home::new("");
    let words = home.refusal(&["ann", "--source", "tcp:127.0.0.1:1", "--give-up-after", "5"]);
    assert!(words.contains("gave up after 5 s") && words.contains("127.0.0.1:1"), "{words}");
    let words = ecgid(&["enrol", "ann", "--source", "carrier-pigeon", "--config", text(&home.config)]);
    assert_eq!(words.status.code(), Some(78));
    assert!(String::from_utf8_lossy(&words.stderr).contains("serial:/dev/ttyUSB0"));
}
