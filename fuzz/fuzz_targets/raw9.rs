//! `raw9` on any bytes.
#![no_main]

use ecg_wire::Format;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| ecgid_fuzz::decode(&[Format::Raw9], data));
