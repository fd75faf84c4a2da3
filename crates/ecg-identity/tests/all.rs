//! Tests of the public interface, one binary.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "all/decision.rs"]
mod decision;
#[path = "all/rates.rs"]
mod rates;
