//! Collections with and without a manifest, and the choice of sessions.

use std::path::Path;

use ecg_data::{Collection, SessionSelection};

fn touch(dir: &Path, names: &[&str]) {
    for name in names {
        let path = dir.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "r 0\n").unwrap();
    }
}

fn with_manifest(manifest: &str) -> Result<Collection, String> {
    let dir = tempfile::tempdir().unwrap();
    touch(dir.path(), &["p/a.hea", "p/b.hea", "p/c.hea", "q/a.csv", "q/b.hea"]);
    std::fs::write(dir.path().join("manifest.csv"), manifest).unwrap();
    Collection::open(dir.path()).map_err(|e| e.to_string())
}

fn records(collection: &Collection, selection: &str) -> Vec<String> {
    let selection: SessionSelection = selection.parse().unwrap();
    collection.select(&selection).unwrap().iter().map(|entry| entry.record.clone()).collect()
}

#[test]
fn a_manifest_says_who_and_when() {
    let manifest = "session,record,subject,date,remark\nday 2,p/a,P,2020-02-01,x\nday 1,p/b,P,2020-01-01,\n\
                    \"a, b\",p/c,P,2020-03-01,\nday 2,q/a,Q,2020-02-02,\n\"day \"\"1\"\"\",q/b,Q,,\n";
    let collection = with_manifest(manifest).unwrap();
    assert_eq!(collection.subjects(), ["P", "Q"]);
    assert_eq!(records(&collection, "first"), ["p/b", "q/a"]);
    assert_eq!(records(&collection, "rest"), ["p/a", "p/c", "q/b"]);
    assert_eq!(records(&collection, "day 2"), ["p/a", "q/a"]);
    assert_eq!(records(&collection, "first, day 2"), ["p/a", "p/b", "q/a"]);
    assert_eq!(collection.entries[2].session, "a, b");
    assert_eq!(collection.entries[4].session, "day \"1\"");
    assert!(collection.entries[3].path.ends_with("q/a.csv"));
    let unknown = collection.select(&"day 9".parse().unwrap()).unwrap_err().to_string();
    assert!(unknown.contains("day 9") && unknown.contains("first, rest, a, b"), "{unknown}");
}

#[test]
fn manifest_errors_name_the_line() {
    let problem = |manifest: &str| with_manifest(manifest).unwrap_err();
    assert!(problem("record,subject\np/a,P\np/z,P\n").contains("manifest.csv, line 3: record \"p/z\" is not there"));
    assert!(problem("record,subject\np/a,P\np/a,P\n").contains("line 3: record \"p/a\" is listed twice"));
    assert!(problem("record,person\np/a,P\n").contains("line 1: no column \"subject\""));
    assert!(problem("record,subject\np/a\n").contains("line 2"));
    assert!(problem("").contains("line 1: empty"));
}

#[test]
fn without_a_manifest_folders_are_subjects_and_records_sessions() {
    let dir = tempfile::tempdir().unwrap();
    touch(dir.path(), &["p/rec_10.hea", "p/rec_2.hea", "q/rec_1.hea", "alone.csv", "notes.txt"]);
    let collection = Collection::open(dir.path()).unwrap();
    let told: Vec<(&str, &str)> =
        collection.entries.iter().map(|entry| (entry.record.as_str(), entry.subject.as_str())).collect();
    assert_eq!(told, [("alone", "alone"), ("p/rec_2", "p"), ("p/rec_10", "p"), ("q/rec_1", "q")]);
    assert_eq!(records(&collection, "first"), ["alone", "p/rec_2", "q/rec_1"]);
    assert_eq!(records(&collection, "rest"), ["p/rec_10"]);
}

#[test]
fn without_a_manifest_days_of_the_same_name_belong_to_the_person_whose_folder_they_lie_in() {
    let dir = tempfile::tempdir().unwrap();
    let files = ["anna/day1/a.csv", "anna/day1/b.csv", "anna/day2/left/a.csv", "anna/late.csv", "bob/day1/a.csv"];
    touch(dir.path(), &files);
    let collection = Collection::open(dir.path()).unwrap();
    let told: Vec<[&str; 2]> =
        collection.entries.iter().map(|entry| [entry.subject.as_str(), entry.session.as_str()]).collect();
    let anna = |session| ["anna", session];
    assert_eq!(told, [anna("day1"), anna("day1"), anna("day2/left"), anna("late"), ["bob", "day1"]]);
    assert_eq!(records(&collection, "first"), ["anna/day1/a", "anna/day1/b", "bob/day1/a"]);
    assert_eq!(records(&collection, "rest"), ["anna/day2/left/a", "anna/late"]);
}

#[test]
fn an_empty_folder_and_an_absent_one_are_errors() {
    let dir = tempfile::tempdir().unwrap();
    assert!(Collection::open(dir.path()).unwrap_err().to_string().contains("holds no record"));
    assert!(Collection::open(dir.path().join("gone")).unwrap_err().to_string().contains("gone"));
}

#[test]
fn a_selection_of_nothing_is_refused() {
    for text in ["", "first,,rest", " "] {
        assert!(text.parse::<SessionSelection>().is_err(), "{text:?}");
    }
}
