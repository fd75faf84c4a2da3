//! The recordings in `ECG_data/`: readable, small, synthetic, and described by their manifest.

use std::path::PathBuf;

use ecg_data::{Collection, SessionSelection};

#[test]
fn the_shipped_recordings_are_a_collection_of_two_persons() {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../ECG_data");
    let collection = Collection::open(&dir).unwrap();
    let shipped: Vec<_> = collection.entries.iter().filter(|entry| entry.record.starts_with("example-")).collect();
    assert_eq!(shipped.len(), 3);
    for entry in &shipped {
        let record = entry.open().unwrap();
        assert_eq!((record.fs, record.len(), record.signals.len()), (250.0, 7500, 3), "{}", entry.record);
        assert!(record.warnings.is_empty() && record.signals[0].clipped.is_empty(), "{:?}", record.warnings);
    }
    let rest = collection.select(&SessionSelection::rest()).unwrap();
    assert!(rest.iter().any(|entry| entry.record == "example-a-2"));
    let size: u64 = shipped.iter().map(|entry| entry.path.metadata().unwrap().len()).sum();
    assert!(size < 600_000, "{size} bytes");
}
