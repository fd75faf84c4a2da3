//! The OpenView family on any bytes.
#![no_main]

use ecg_wire::Format;
use libfuzzer_sys::fuzz_target;

const FORMATS: [Format; 7] = [
    Format::Ov9,
    Format::Ov8a,
    Format::Ov8b,
    Format::Ov7,
    Format::Ov20,
    Format::Ov20HealthyPi4,
    Format::Ov20HealthyPi3,
];

fuzz_target!(|data: &[u8]| ecgid_fuzz::decode(&FORMATS, data));
