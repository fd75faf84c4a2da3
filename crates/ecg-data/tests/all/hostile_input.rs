//! Whatever a file holds, a reader answers; it never panics and never asks for memory that the file does not justify.

use ecg_data::wfdb::{annotation, header::Header};
use ecg_data::{Record, csv};
use proptest::prelude::*;

/// Fields that headers have, some of them absurd.
fn field() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9]{1,20}",
        "-?[0-9]{1,6}(\\([0-9]{1,12}\\)?)?(/[a-zA-Z]{0,3})?",
        "(16|212|80)(x[0-9]{0,20})?(:[0-9]{0,20})?(\\+[0-9]{0,20})?",
        Just("r.dat".to_owned()),
        Just("nan".to_owned()),
        Just("inf/0(".to_owned()),
        "\\PC{0,8}",
    ]
}

proptest! {
    #![proptest_config(super::cases(256))]

    #[test]
    fn a_header_of_any_text_is_answered(text in "\\PC*") {
        let _ = Header::parse(&text);
    }

    #[test]
    fn a_record_of_plausible_fields_is_answered(lines in prop::collection::vec(prop::collection::vec(field(), 0..9), 0..6), data in prop::collection::vec(any::<u8>(), 0..64)) {
        let text: String = lines.iter().map(|fields| fields.join(" ") + "\n").collect();
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("r.hea"), format!("r {}", text)).unwrap();
        std::fs::write(dir.path().join("r.dat"), data).unwrap();
        let _ = Record::open(&dir.path().join("r.hea"));
    }

    #[test]
    fn a_signal_line_of_any_packing_is_answered(packing in "(16|212)(x[0-9]{1,19})?(:[0-9]{1,19})?(\\+[0-9]{1,3})?", samples in "[0-9]{0,19}", data in prop::collection::vec(any::<u8>(), 0..64)) {
        let dir = tempfile::tempdir().unwrap();
        let line = format!("r.dat {packing} 200 12 0 0 0 0 I\n");
        std::fs::write(dir.path().join("r.hea"), format!("r 2 250 {samples}\n{line}{line}")).unwrap();
        std::fs::write(dir.path().join("r.dat"), data).unwrap();
        let _ = Record::open(&dir.path().join("r"));
    }

    #[test]
    fn annotations_of_any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = annotation::parse(&bytes);
    }

    #[test]
    fn a_table_of_any_text_is_answered(text in "\\PC*", rows in "([-0-9.,;\"na ]{0,12}\n){0,30}") {
        let _ = csv::parse("x", &text);
        let _ = csv::parse("x", &format!("{text}\n{rows}"));
        let _ = csv::parse("x", &rows);
        let _ = csv::parse("x", &format!("ms,ecg\n{rows}"));
        let _ = csv::parse("x", &format!("timestamp,Channel 1\n{rows}"));
    }
}
