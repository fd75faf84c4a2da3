//! `ecgid evaluate calibration` on short recordings: what few persons reach has no row.

use std::path::{Path, PathBuf};

use ecg_data::csv::write_heart;
use ecg_data::heart::{HeartParams, Noise, SyntheticHeart};

use crate::recordings::{ecgid, text};
use crate::tiny_model::Recipe;

const FS: f64 = 250.0;

/// Recordings of two days of each person, so long each, but for the first person's second day.
fn collection(folder: &Path, persons: u64, seconds: u64, longest: u64) -> PathBuf {
    let dir = folder.join("mine");
    for (person, day) in (0..persons).flat_map(|person| [(person, 1), (person, 2)]) {
        let own = dir.join(format!("p{person}"));
        std::fs::create_dir_all(&own).unwrap();
        let params = HeartParams::from_seed(person).in_session(day);
        let heart = SyntheticHeart::new(&params, FS, 10 * person + day).unwrap();
        let rows = 250 * if (person, day) == (0, 2) { longest } else { seconds };
        let file = std::fs::File::create(own.join(format!("day{day}.csv"))).unwrap();
        let sink = std::io::BufWriter::new(file);
        write_heart(&mut heart.with_noise(Noise::at_rest()), rows, 1_767_225_600, sink).unwrap();
    }
    dir
}

#[test]
fn one_long_record_makes_no_row_and_takes_no_other_away() {
    let folder = tempfile::tempdir().unwrap();
    let model = Recipe::default().build().write(folder.path());
    let dir = collection(folder.path(), 6, 10, 30);
    let common = ["evaluate", "calibration", "--collection", text(&dir), "--model", text(&model)];
    let run = |sessions: [&str; 4]| ecgid(&[&common[..], &sessions].concat());
    let done = run(["--enrol", "first", "--probe", "rest"]);
    let (rows, said) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{said}");
    assert!(rows.starts_with("[[decision.calibration]]\nbeats = 1\n") && rows.contains("beats = 5\n"), "{rows}");
    assert!(!rows.contains("beats = 16\n"), "{rows}");
    let left_out = "note: no row for beats 16: persons with mated comparisons 1, with non-mated ones 1: at least 5";
    assert!(said.contains(left_out), "{said}");
    assert!(said.contains("5 enrolled in 5 templates") && said.contains("asks for 0.161 %"), "{said}");
}
