//! Every public recording, against its own header's checksums and against values of the python `wfdb` package 4.3.1.

use ecg_data::{AnnotationKind, Checksum, Collection, Record, SessionSelection, annotations};

use super::recordings;

/// Records of ECG-ID 1.0.0 whose published headers carry checksums that their published samples do not have; the python
/// package sums them as we do.
const EDITED: [&str; 5] =
    ["Person_15/rec_1", "Person_27/rec_3", "Person_28/rec_4", "Person_44/rec_1", "Person_83/rec_1"];

#[test]
fn every_record_sums_to_what_its_header_says() {
    let Some(data) = recordings() else { return };
    let mut signals = 0;
    for folder in ["ecg-id", "heartprint", "mitdb", "nstdb", "nsr2db_rr"] {
        for entry in Collection::open(data.join(folder)).unwrap().entries {
            let record = entry.open().unwrap();
            for signal in &record.signals {
                let verified = signal.checksum == Checksum::Verified;
                assert_eq!(verified, !EDITED.contains(&entry.record.as_str()), "{} {}", entry.record, signal.name);
                assert!(signal.is_voltage());
                signals += 1;
            }
            let mismatches = record.signals.iter().filter(|s| matches!(s.checksum, Checksum::Mismatch { .. })).count();
            assert_eq!(record.warnings.len(), mismatches, "{:?}", record.warnings);
        }
    }
    assert_eq!(signals, 214 * 2 + 939 + 24 * 2 + 3 * 2);
}

#[test]
fn first_samples_equal_those_of_the_public_reader() {
    let Some(data) = recordings() else { return };
    let first = |record: &str, signal: usize| {
        let record = Record::open(&data.join(record)).unwrap();
        record.signals[signal].samples[..3].iter().map(|mv| (mv * 1e6).round() / 1e6).collect::<Vec<_>>()
    };
    assert_eq!(first("ecg-id/Person_01/rec_1", 0), [-0.085, -0.080, -0.070]);
    assert_eq!(first("ecg-id/Person_01/rec_1", 1), [-0.115, -0.115, -0.120]);
    assert_eq!(first("nstdb/bw", 0), [-0.145, -0.160, -0.150]);
    assert_eq!(first("nstdb/bw", 1), [0.125, 0.120, 0.130]);
}

#[test]
fn a_gain_of_zero_is_said_to_be_uncalibrated() {
    let Some(data) = recordings() else { return };
    assert!(!Record::open(&data.join("nstdb/bw")).unwrap().signals[0].calibrated);
    assert!(Record::open(&data.join("nstdb/118e24")).unwrap().signals[0].calibrated);
}

#[test]
fn rails_are_flagged_only_where_the_resolution_is_true() {
    let Some(data) = recordings() else { return };
    let clipped = |record: &str, signal: usize| {
        let record = Record::open(&data.join(record)).unwrap();
        record.signals[signal].clipped.iter().filter(|&&clipped| clipped).count()
    };
    // 116 really touches 0 and 2047; the stress test's header promises 11 bits around 0 for codes of 12.
    assert_eq!(clipped("mitdb/116", 0), 663 + 265);
    assert_eq!(clipped("mitdb/101", 0), 0);
    assert_eq!(clipped("nstdb/118e12", 0), 0);
}

#[test]
fn annotations_equal_those_of_the_public_reader() {
    let Some(data) = recordings() else { return };
    let paced = annotations(&data.join("mitdb/102"), "atr").unwrap();
    assert_eq!(paced.fs, 360.0);
    let places: Vec<u64> = paced.items[..5].iter().map(|item| item.sample).collect();
    assert_eq!(places, [68, 136, 410, 697, 989]);
    assert_eq!(paced.items[0].kind, AnnotationKind::Other(28));
    assert_eq!(paced.items[0].text, "(P");
    assert!(paced.items[1..5].iter().all(|item| item.kind == AnnotationKind::Beat('/')));

    // Its file says its own time resolution, and steps back over it.
    let unaudited = annotations(&data.join("ecg-id/Person_01/rec_1"), "atr").unwrap();
    assert_eq!((unaudited.fs, unaudited.items.len(), unaudited.items[0].sample), (500.0, 20, 352));

    let long = annotations(&data.join("nsr2db_rr/nsr001.hea"), "ecg").unwrap();
    assert_eq!((long.fs, long.items.len()), (128.0, 106_835));
    assert_eq!(long.items[0].sample, 28_902);
}

#[test]
fn sessions_of_the_public_collections_are_told_apart() {
    let Some(data) = recordings() else { return };
    let heartprint = Collection::open(data.join("heartprint")).unwrap();
    let first = heartprint.select(&SessionSelection::first()).unwrap();
    let rest = heartprint.select(&SessionSelection::rest()).unwrap();
    assert_eq!(first.len() + rest.len(), heartprint.entries.len());
    assert_eq!(heartprint.subjects().len(), 133);
    let named = heartprint.select(&"Session-3R,Session-3L".parse().unwrap()).unwrap();
    assert_eq!(named.len(), 161 + 156);

    let ecg_id = Collection::open(data.join("ecg-id")).unwrap();
    assert_eq!(ecg_id.subjects().len(), 60);
    let rest = ecg_id.select(&SessionSelection::rest()).unwrap();
    let mut later: Vec<&str> = rest.iter().map(|entry| entry.subject.as_str()).collect();
    later.sort_unstable();
    later.dedup();
    assert_eq!(later.len(), 13, "persons with more than one date");
}
