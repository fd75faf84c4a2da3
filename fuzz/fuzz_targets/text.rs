//! The text formats on any bytes.
#![no_main]

use ecg_wire::Format;
use libfuzzer_sys::fuzz_target;

const FORMATS: [Format; 7] = [
    Format::Csv,
    Format::Columns(1),
    Format::Columns(2),
    Format::Columns(3),
    Format::Columns(4),
    Format::Columns(5),
    Format::Columns(6),
];

fuzz_target!(|data: &[u8]| ecgid_fuzz::decode(&FORMATS, data));
