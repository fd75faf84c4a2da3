//! `ecgid analyze --plot`: the picture is a well-formed document that shows what the JSON says, within its own borders.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use roxmltree::{Document, Node};

use crate::recordings::{data, ecgid, ecgid_json, text};

/// Draws a record; gives the SVG and the JSON of the same run.
fn plot(folder: &Path, record: &Path, options: &[&str]) -> (String, serde_json::Value) {
    let picture = folder.join("picture.svg");
    let report = ecgid_json(&[&["analyze", text(record), "--json", "--plot", text(&picture)], options].concat());
    (std::fs::read_to_string(picture).unwrap(), report)
}

/// A CSV of sharp beats at 75 a minute, whose samples `change` may alter: second and millivolts.
fn made_recording(folder: &Path, name: &str, seconds: f64, change: impl Fn(f64, f64) -> f64) -> PathBuf {
    let mut table = String::from("time_s,ecg_mv\n");
    for i in 0..(250.0 * seconds) as usize {
        let t = f64::from(i as u32) / 250.0;
        let since = (t - 0.4).rem_euclid(0.8) - 0.4;
        let mv = (-(since / 0.012).powi(2)).exp() + 0.2 * (-((since - 0.25) / 0.05).powi(2)).exp();
        writeln!(table, "{t:.6},{:.6}", change(t, mv)).unwrap();
    }
    let path = folder.join(name);
    std::fs::write(&path, table).unwrap();
    path
}

fn attribute(node: Node, name: &str) -> f64 {
    node.attribute(name).unwrap_or("0").parse().unwrap()
}

fn marks<'a>(document: &'a Document, class: &'a str) -> impl Iterator<Item = Node<'a, 'a>> {
    document.descendants().filter(move |n| n.attribute("class").is_some_and(|c| c.starts_with(class)))
}

/// The points that a path visits; it may use M, L, H, V and Z alone.
fn points(d: &str) -> Vec<(f64, f64)> {
    let mut points = Vec::new();
    let (mut x, mut y) = (0.0, 0.0);
    for step in d.split_inclusive(|c: char| c.is_ascii_alphabetic()).collect::<Vec<_>>().windows(2) {
        let letter = step[0].chars().last().unwrap();
        let values: Vec<f64> = step[1]
            .trim_end_matches(|c: char| c.is_ascii_alphabetic())
            .split_whitespace()
            .map(|v| v.parse().unwrap())
            .collect();
        match (letter, values[..].len()) {
            ('M' | 'L', 2) => (x, y) = (values[0], values[1]),
            ('H', 1) => x = values[0],
            ('V', 1) => y = values[0],
            ('Z', 0) => continue,
            _ => panic!("{letter} with {values:?} in {d}"),
        }
        points.push((x, y));
    }
    points
}

/// Left, top, right and bottom of a text, at least as wide as it is drawn by most faces.
fn extent(node: Node) -> [f64; 4] {
    let size = attribute(node, "font-size");
    let shown = node.text().unwrap_or_default();
    let width = 0.56 * size * f64::from(shown.chars().count() as u32);
    let before = match node.attribute("text-anchor") {
        None => 0.0,
        Some("middle") => width / 2.0,
        Some("end") => width,
        other => panic!("{other:?}"),
    };
    if let Some(moved) = node.attribute("transform") {
        let (at, turned) = moved.strip_prefix("translate(").unwrap().split_once(") ").unwrap();
        assert_eq!(turned, "rotate(-90)");
        let (x, y) = at.split_once(' ').unwrap();
        let (x, y): (f64, f64) = (x.parse().unwrap(), y.parse().unwrap());
        return [x - 0.8 * size, y - width + before, x + 0.2 * size, y + before];
    }
    let (x, y) = (attribute(node, "x"), attribute(node, "y"));
    [x - before, y - 0.8 * size, x - before + width, y + 0.2 * size]
}

/// Fails where the document draws beyond its borders or one text over another.
fn assert_tidy(svg: &str) {
    let document = Document::parse(svg).unwrap();
    let root = document.root_element();
    let (width, height) = (attribute(root, "width"), attribute(root, "height"));
    assert_eq!(root.attribute("viewBox"), Some(format!("0 0 {width} {height}").as_str()));
    let mut texts: Vec<([f64; 4], &str)> = Vec::new();
    for node in root.descendants().filter(|n| !n.ancestors().any(|a| a.has_tag_name("defs"))) {
        let boxes = match node.tag_name().name() {
            "path" => points(node.attribute("d").unwrap()).into_iter().map(|(x, y)| [x, y, x, y]).collect(),
            "rect" => {
                let (x, y) = (attribute(node, "x"), attribute(node, "y"));
                vec![[x, y, x + attribute(node, "width"), y + attribute(node, "height")]]
            }
            "text" => {
                texts.push((extent(node), node.text().unwrap_or_default()));
                vec![extent(node)]
            }
            _ => Vec::new(),
        };
        for [left, top, right, bottom] in boxes {
            let inside = left >= 0.0 && top >= 0.0 && right <= width + 0.05 && bottom <= height + 0.05;
            assert!(inside, "{left} {top} {right} {bottom} outside {width} × {height}: {:?}", node.text());
        }
    }
    assert!(texts.len() > 30);
    for (i, (a, first)) in texts.iter().enumerate() {
        for (b, second) in &texts[i + 1..] {
            let apart = a[2] <= b[0] || b[2] <= a[0] || a[3] <= b[1] || b[3] <= a[1];
            assert!(apart, "{first:?} at {a:?} lies on {second:?} at {b:?}");
        }
    }
}

/// Beats of the JSON with R in `from_s … to_s`: accepted, refused.
fn beats_between(report: &serde_json::Value, from_s: f64, to_s: f64) -> (usize, usize) {
    let fs = report["fs"].as_f64().unwrap();
    let beats = report["beats"].as_array().unwrap().iter();
    let inside = beats.filter(|b| (from_s * fs..to_s * fs).contains(&b["r_peak"].as_f64().unwrap()));
    let (accepted, refused): (Vec<_>, Vec<_>) = inside.partition(|b| b["accepted"].as_bool().unwrap());
    (accepted.len(), refused.len())
}

#[test]
fn every_beat_of_the_stretch_has_its_mark_where_the_beat_is() {
    let folder = tempfile::tempdir().unwrap();
    let record = made_recording(folder.path(), "made.csv", 40.0, |_, mv| mv);
    let (svg, report) = plot(folder.path(), &record, &["--from", "30", "--for", "10"]);
    assert_tidy(&svg);
    let document = Document::parse(&svg).unwrap();
    let drawn = (marks(&document, "r accepted").count(), marks(&document, "r refused").count());
    assert_eq!(drawn, beats_between(&report, 30.0, 40.0));
    assert!(drawn.0 >= 11, "{drawn:?}");
    // The tip of a mark stands over the crest of the conditioned line, which is the longest blue one.
    let blue = document.descendants().filter(|n| n.attribute("stroke") == Some("#0072b2"));
    let line = blue.filter_map(|n| n.attribute("d")).max_by_key(|d| d.matches('L').count()).unwrap();
    let line = points(line);
    for mark in marks(&document, "r accepted") {
        let (x, y) = points(mark.attribute("d").unwrap())[0];
        let crest = line.iter().filter(|p| (p.0 - x).abs() < 30.0).min_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
        // A pixel is 9 ms wide here.
        assert!((crest.0 - x).abs() <= 1.0 && (crest.1 - y - 2.0).abs() <= 4.0, "crest {crest:?}, mark {x} {y}");
    }
}

#[test]
fn the_stretch_is_chosen_where_beats_are_accepted_and_the_command_draws_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let late = |t: f64, mv: f64| if t < 21.0 { 0.0 } else { mv };
    let record = made_recording(folder.path(), "late.csv", 60.0, late);
    let (svg, report) = plot(folder.path(), &record, &[]);
    let document = Document::parse(&svg).unwrap();
    let command = document.descendants().filter(|n| n.has_tag_name("text")).filter_map(|n| n.text());
    let command = command.filter(|words| words.starts_with("ecgid analyze")).collect::<String>();
    let from: f64 = command.split("--from ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    // The first beat is at 21.6 s, and a stretch may begin up to 2.5 s before its first beat.
    assert!((19.1..30.0).contains(&from), "{command}");
    assert_eq!(beats_between(&report, from, from + 10.0), (marks(&document, "r accepted").count(), 0));
    let again = plot(folder.path(), &record, &["--from", &from.to_string(), "--for", "10"]).0;
    assert_eq!(again.replace("as asked for", "the first, after settling, whose beats are all accepted"), svg);
}

#[test]
fn names_that_are_no_xml_are_escaped() {
    let folder = tempfile::tempdir().unwrap();
    let record = made_recording(folder.path(), "a <b> & \"c\" 'd'.csv", 12.0, |_, mv| mv);
    let (svg, _) = plot(folder.path(), &record, &[]);
    assert_tidy(&svg);
    let document = Document::parse(&svg).unwrap();
    let title = document.descendants().find(|n| n.has_tag_name("text")).and_then(|n| n.text()).unwrap();
    assert!(title.starts_with("a <b> & \"c\" 'd', signal 0"), "{title}");
    let told = document.descendants().find(|n| n.has_tag_name("desc")).and_then(|n| n.text()).unwrap();
    assert!(told.contains(r"\''d'\''.csv' --signal 0"), "{told}");
    let long = made_recording(folder.path(), &format!("{}.csv", "long name ".repeat(20)), 12.0, |_, mv| mv);
    assert_tidy(&plot(folder.path(), &long, &[]).0);
}

#[test]
fn a_record_without_beats_or_hardly_a_sample_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let flat = made_recording(folder.path(), "flat.csv", 20.0, |_, _| 0.0);
    let (svg, _) = plot(folder.path(), &flat, &[]);
    assert_tidy(&svg);
    for words in ["no beat was found in this stretch", "no beat was accepted", "no interval between two beats"] {
        assert!(svg.contains(words), "{words}");
    }
    for seconds in [0.2, 1.0, 3.5] {
        let short = made_recording(folder.path(), "short.csv", seconds, |_, mv| mv);
        assert_tidy(&plot(folder.path(), &short, &[]).0);
    }
    let nothing = made_recording(folder.path(), "nan.csv", 15.0, |_, _| f64::NAN);
    let (svg, _) = plot(folder.path(), &nothing, &[]);
    assert_tidy(&svg);
    assert!(svg.contains("no sample of this stretch is a number") && !svg.contains("NaN"));
}

#[test]
fn artefacts_leave_the_beats_readable_and_missing_samples_are_shaded() {
    let folder = tempfile::tempdir().unwrap();
    let torn = |t: f64, mv: f64| match t {
        t if (12.0..14.0).contains(&t) => f64::NAN,
        t if (15.0..15.4).contains(&t) => 40.0 * ((t - 15.0) * 80.0).sin(),
        _ => mv,
    };
    let record = made_recording(folder.path(), "torn.csv", 40.0, torn);
    let (svg, report) = plot(folder.path(), &record, &["--from", "8", "--for", "12"]);
    assert_tidy(&svg);
    let document = Document::parse(&svg).unwrap();
    assert_eq!(
        marks(&document, "r ").count(),
        document.descendants().filter(|n| n.attribute("class").is_some()).count()
    );
    let (accepted, refused) = beats_between(&report, 8.0, 20.0);
    assert_eq!((marks(&document, "r accepted").count(), marks(&document, "r refused").count()), (accepted, refused));
    assert!(refused > 0 && svg.contains("no sample, or electrode off") && svg.contains("beyond the axis is cut off"));
}

#[test]
fn what_cannot_be_drawn_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let record = made_recording(folder.path(), "made.csv", 12.0, |_, mv| mv);
    let refused = |options: &[&str]| {
        let output = ecgid(&[&["analyze", text(&record)], options].concat());
        assert!(!output.status.success(), "{options:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let missing = folder.path().join("no/such/folder/out.svg");
    let words = refused(&["--plot", text(&missing)]);
    assert!(words.contains("cannot write the picture to") && words.contains("no/such/folder/out.svg"), "{words}");
    let before = std::fs::read(&record).unwrap();
    let words = refused(&["--plot", text(&record)]);
    assert!(words.contains(".svg") && std::fs::read(&record).unwrap() == before, "{words}");
    let picture = folder.path().join("out.svg");
    let words = refused(&["--plot", text(&picture), "--from", "12.5"]);
    assert!(words.contains("12.5") && words.contains("12.0 s"), "{words}");
    for from in ["-1", "nan", "inf"] {
        assert!(refused(&["--plot", text(&picture), "--from", from]).contains("--from"));
    }
    for length in ["0", "0.1", "61", "nan"] {
        assert!(refused(&["--plot", text(&picture), "--for", length]).contains("0.5 to 60"));
    }
    assert!(!picture.exists());
    assert!(refused(&["--from", "3"]).contains("--plot"), "a stretch without a picture");
}

#[test]
fn pictures_of_real_records_are_tidy_and_small() {
    let folder = tempfile::tempdir().unwrap();
    let records = ["mitdb/119", "mitdb/207", "nstdb/118e12", "ecg-id/Person_01/rec_1"];
    for record in records {
        let Some(header) = data(&format!("{record}.hea")) else { return };
        for options in [&[][..], &["--from", "5", "--for", "2"], &["--from", "0", "--for", "60"]] {
            let (svg, report) = plot(folder.path(), &header, options);
            assert_tidy(&svg);
            assert!(svg.len() < 700_000, "{record}: {} bytes", svg.len());
            if let [_, from, _, length] = options {
                let from: f64 = from.parse().unwrap();
                let beats = beats_between(&report, from, from + length.parse::<f64>().unwrap());
                let document = Document::parse(&svg).unwrap();
                assert_eq!((marks(&document, "r accepted").count(), marks(&document, "r refused").count()), beats);
            }
        }
    }
}

#[test]
fn a_picture_that_cannot_be_written_costs_neither_the_report_nor_an_earlier_picture() {
    let folder = tempfile::tempdir().unwrap();
    let record = made_recording(folder.path(), "made.csv", 12.0, |_, mv| mv);
    let missing = ecgid(&["analyze", text(&record), "--json", "--plot", "/no/such/folder/out.svg"]);
    assert_eq!(missing.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&missing.stdout).unwrap();
    assert!(report["beats"].as_array().unwrap().len() > 10, "{report}");

    let (picture, _) = plot(folder.path(), &record, &[]);
    // A file that may not grow beyond a few blocks is as good as a full disk.
    let small = "trap '' XFSZ; ulimit -f 4; exec \"$0\" \"$@\"";
    let full = Command::new("sh")
        .args(["-c", small, env!("CARGO_BIN_EXE_ecgid"), "analyze", "made.csv", "--plot", "picture.svg"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&full.stderr);
    assert_eq!(full.status.code(), Some(1), "{words}");
    assert!(words.contains("cannot write the picture to picture.svg"), "{words}");
    assert_eq!(std::fs::read_to_string(folder.path().join("picture.svg")).unwrap(), picture);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left beside it");
}
