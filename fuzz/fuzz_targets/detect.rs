//! Recognition on any bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Some(found) = ecg_wire::detect(data) {
        assert!(found.frames >= 8 && (0.9..=1.0).contains(&found.coverage), "{found:?}");
    }
});
