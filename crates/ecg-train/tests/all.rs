//! Integration tests: a whole training on synthetic hearts, and another runtime on what it wrote.

#[path = "all/parity.rs"]
mod parity;
#[path = "all/smoke.rs"]
mod smoke;
