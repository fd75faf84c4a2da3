//! WFDB files made by hand: what each field of a header does to the samples.

use std::path::Path;

use ecg_data::wfdb::annotation::parse;
use ecg_data::wfdb::writer::{self, CodedSignal};
use ecg_data::{Annotation, AnnotationKind, Annotations, Checksum, Record, annotations};

fn write(dir: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    std::fs::write(dir.join(name), bytes).unwrap();
}

fn words(codes: &[i16]) -> Vec<u8> {
    codes.iter().flat_map(|code| code.to_le_bytes()).collect()
}

fn open(header: &str, files: &[(&str, Vec<u8>)]) -> Result<Record, String> {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "r.hea", header);
    files.iter().for_each(|(name, bytes)| write(dir.path(), name, bytes));
    Record::open(&dir.path().join("r")).map_err(|e| e.to_string())
}

#[test]
fn gain_baseline_and_units_give_millivolts() {
    let header = "r 4 250 2\nr.dat 16 100(50)/uV 16 7 0 0 0 a\nr.dat 16 2/V\nr.dat 16 10/au 16 5\nr.dat 16 1/mmHg\n";
    let record = open(header, &[("r.dat", words(&[150, 4, 15, 80, 50, 6, 5, 81]))]).unwrap();
    let millivolts: Vec<&[f64]> = record.signals.iter().map(|signal| signal.samples.as_slice()).collect();
    assert_eq!(millivolts, [&[0.001, 0.0][..], &[2000.0, 3000.0], &[0.1, 0.0], &[80.0, 81.0]]);
    let voltage: Vec<bool> = record.signals.iter().map(|signal| signal.is_voltage()).collect();
    assert_eq!(voltage, [true, true, true, false]);
    assert_eq!(record.signals[0].step, Some(1e-5));
}

#[test]
fn twelve_bit_pairs_are_unpacked_with_their_sign_and_an_odd_end() {
    // -1 and 2047, then -2048 (invalid) alone.
    let bytes = vec![0xFF, 0x7F, 0xFF, 0x00, 0x08];
    let record = open("r 1 360\nr.dat 212 1 12 0 -1 0 0\n", &[("r.dat", bytes)]).unwrap();
    let samples = &record.signals[0].samples;
    assert_eq!(samples[..2], [-1.0, 2047.0]);
    assert!(samples[2].is_nan() && samples.len() == 3);
}

#[test]
fn an_invalid_sample_is_not_a_number() {
    let record = open("r 1 250\nr.dat 16 1 16\n", &[("r.dat", words(&[1, i16::MIN, 3]))]).unwrap();
    let valid: Vec<bool> = record.signals[0].samples.iter().map(|mv| mv.is_finite()).collect();
    assert_eq!(valid, [true, false, true]);
    assert!(record.signals[0].clipped.is_empty(), "an invalid sample is not a rail");
}

#[test]
fn several_files_offsets_and_skew_are_put_together() {
    let header = "r 3 250 3\na.dat 16+4 1\nb.dat 16:1 1\nb.dat 16 1\n";
    let files = [("a.dat", words(&[99, 99, 1, 2, 3])), ("b.dat", words(&[0, 4, 7, 5, 8, 6]))];
    let record = open(header, &files).unwrap();
    assert_eq!(record.signals[0].samples, [1.0, 2.0, 3.0]);
    assert_eq!(record.signals[1].samples[..2], [7.0, 8.0]);
    assert!(record.signals[1].samples[2].is_nan());
    assert_eq!(record.signals[2].samples, [4.0, 5.0, 6.0]);
}

#[test]
fn several_samples_of_a_frame_are_averaged() {
    let record = open("r 2 250 2\nr.dat 16x2 1\nr.dat 16 1\n", &[("r.dat", words(&[1, 2, 9, 3, 5, 8]))]).unwrap();
    assert_eq!(record.signals[0].samples, [1.5, 4.0]);
    assert_eq!(record.signals[1].samples, [9.0, 8.0]);
}

#[test]
fn a_wrong_checksum_is_a_warning_that_names_the_file() {
    let record = open("r 1 250 2\nr.dat 16 200 16 0 1 5 0 I\n", &[("r.dat", words(&[1, 3]))]).unwrap();
    assert_eq!(record.signals[0].checksum, Checksum::Mismatch { header: 5, data: 4 });
    assert!(record.warnings[0].contains("r.dat") && record.warnings[0].contains("damaged"), "{:?}", record.warnings);
    let record = open("r 1 250 2\nr.dat 16 200 16 0 -1 -3 0 I\n", &[("r.dat", words(&[-1, -2]))]).unwrap();
    assert_eq!(record.signals[0].checksum, Checksum::Verified);
}

#[test]
fn counter_time_date_and_comments_are_kept() {
    let header = "# before\nr 0 128/64(10.5) 0 10:30:00 07/12/2004\n#Age: 25\n";
    let record = open(header, &[]).unwrap();
    assert_eq!((record.fs, record.len()), (128.0, 0));
    assert_eq!(record.base_time.as_deref(), Some("10:30:00"));
    assert_eq!(record.base_date.as_deref(), Some("07/12/2004"));
    assert_eq!(record.comments, ["before", "Age: 25"]);
}

#[test]
fn errors_say_where_and_what_to_do() {
    let data = || vec![("r.dat", words(&[1, 2]))];
    let problem = |header: &str| open(header, &data()).unwrap_err();
    assert!(problem("r 1 250 9\nr.dat 16\n").contains("holds 2 of the 9 samples"));
    assert!(problem("r 2 250\nr.dat 16\n").contains("line 2: 2 signals promised, 1 described"));
    assert!(problem("r 1 250\nr.dat 80\n").contains("r.hea, line 2: signal format \"80\" is not read"));
    assert!(problem("r 1 -3\nr.dat 16\n").contains("line 1: sampling frequency -3"));
    assert!(problem("r 1 250\n../r.dat 16\n").contains("outside its own folder"));
    assert!(problem("r/2 1 250\nr.dat 16\n").contains("multi-segment"));
    assert!(problem("r 1 250\nq.dat 16\n").contains("q.dat"));
    let absent = Record::open(Path::new("/nowhere/r")).unwrap_err().to_string();
    assert!(absent.contains("/nowhere/r.hea") && absent.contains("WFDB record without extension"), "{absent}");
}

#[test]
fn annotations_carry_long_intervals_subtypes_channels_and_texts() {
    let mut bytes = Vec::new();
    let mut word = |code: u16, low: u16| bytes.extend_from_slice(&(code << 10 | low).to_le_bytes());
    word(1, 10); // N at 10
    word(61, 2); // its subtype
    word(62, 1); // its signal, and of what follows
    word(59, 0); // 100,000 more
    word(0, 1);
    bytes.extend_from_slice(&(100_000u32 as u16).to_le_bytes());
    let mut word = |code: u16, low: u16| bytes.extend_from_slice(&(code << 10 | low).to_le_bytes());
    word(5, 0); // V at 100,010
    word(28, 5); // a rhythm change with a text of three bytes and a pad
    word(63, 3);
    bytes.extend_from_slice(b"(VT\0");
    bytes.extend_from_slice(&(32u16 << 10 | 1).to_le_bytes());
    bytes.extend_from_slice(&[0, 0, 0xFF, 0xFF]);
    let (items, resolution) = parse(&bytes).unwrap();
    let told: Vec<_> = items.iter().map(|a| (a.sample, a.kind, a.subtype, a.channel, a.text.as_str())).collect();
    assert_eq!(
        told,
        [
            (10, AnnotationKind::Beat('N'), 2, 1, ""),
            (100_010, AnnotationKind::Beat('V'), 0, 1, ""),
            (100_015, AnnotationKind::Other(28), 0, 1, "(VT"),
            (100_016, AnnotationKind::VfStart, 0, 1, ""),
        ]
    );
    assert_eq!(resolution, None);
}

#[test]
fn a_time_resolution_of_the_file_is_obeyed_and_not_an_annotation() {
    let text = b"## time resolution: 1000";
    let mut bytes = (22u16 << 10).to_le_bytes().to_vec();
    bytes.extend_from_slice(&(63u16 << 10 | text.len() as u16).to_le_bytes());
    bytes.extend_from_slice(text);
    bytes.extend_from_slice(&(1u16 << 10 | 5).to_le_bytes());
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "r.qrs", &bytes);
    let read = annotations(&dir.path().join("r"), "qrs").unwrap();
    assert_eq!((read.fs, read.items.len(), read.items[0].sample), (1000.0, 1, 5));
    // Without the note the header has to say what the positions count.
    write(dir.path(), "r.atr", (1u16 << 10 | 5).to_le_bytes());
    assert!(annotations(&dir.path().join("r"), "atr").unwrap_err().to_string().contains("r.hea"));
}

#[test]
fn what_is_written_is_read_back_to_the_last_code() {
    let dir = tempfile::tempdir().unwrap();
    let millivolts = [0.0, 1.2344, -1.2346, f64::NAN, 99.0, -99.0];
    let signal = CodedSignal::new(360.0, 1000.0, "MLII with noise", &millivolts);
    assert_eq!(signal.codes, [0, 1234, -1235, i16::MIN, i16::MAX, -i16::MAX]);
    let marks = [
        (0, AnnotationKind::Other(28)),
        (77, AnnotationKind::Beat('N')),
        (1100, AnnotationKind::Beat('/')),
        (2124, AnnotationKind::VfStart),
        (700_000, AnnotationKind::VfEnd),
        (700_000, AnnotationKind::Beat('r')),
    ];
    writer::write(dir.path(), "118e_6", &signal, &marks, &["made of 118".to_owned()]).unwrap();
    let record = Record::open(&dir.path().join("118e_6")).unwrap();
    assert_eq!((record.name.as_str(), record.fs, record.len()), ("118e_6", 360.0, 6));
    assert_eq!((record.comments, record.warnings), (vec!["made of 118".to_owned()], vec![]));
    assert_eq!((record.signals[0].name.as_str(), record.signals[0].checksum), ("MLII with noise", Checksum::Verified));
    let bits = |samples: &[f64]| samples.iter().map(|x| x.to_bits()).collect::<Vec<u64>>();
    assert_eq!(bits(&record.signals[0].samples), bits(&signal.millivolts().collect::<Vec<f64>>()));
    let read = annotations(&dir.path().join("118e_6"), "atr").unwrap();
    let places: Vec<_> = read.items.iter().map(|item| (item.sample, item.kind)).collect();
    assert_eq!((read.fs, places), (360.0, marks.to_vec()));
    let nowhere = writer::write(&dir.path().join("absent"), "x", &signal, &[], &[]).unwrap_err().to_string();
    assert!(nowhere.contains("cannot write") && nowhere.contains("x.hea"), "{nowhere}");
}

#[test]
fn noisy_stretches_are_those_that_the_marks_of_quality_call_so_signal_by_signal() {
    let mark = |sample, kind, subtype| {
        let text = String::new();
        Annotation { sample, kind, subtype, channel: 0, number: 0, text }
    };
    let quality = AnnotationKind::Other(14);
    let items = vec![
        mark(50, AnnotationKind::Beat('N'), 1),
        mark(100, quality, 0b01),
        mark(150, quality, 0b11),
        mark(200, quality, 0b10),
        mark(300, quality, 0),
        mark(400, quality, 0b1_0000),
        mark(500, quality, 0),
        mark(600, quality, -1),
    ];
    let annotations = Annotations { fs: 360.0, items };
    assert_eq!(annotations.noisy(0), [100..200, 400..500, 600..u64::MAX]);
    assert_eq!(annotations.noisy(1), [150..300, 600..u64::MAX]);
}
