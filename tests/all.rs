//! The integration tests of the daemon, in one binary.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking; helpers of tests too")]

/// Says that a test is skipped. The test runner swallows `eprintln!` of a test that passes, but not this.
macro_rules! skipped {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _unheard = writeln!(std::io::stderr(), $($text)*);
    }};
}

#[path = "all/analyze.rs"]
mod analyze;
#[path = "all/claims.rs"]
mod claims;
#[path = "all/commands.rs"]
mod commands;
#[path = "all/config.rs"]
mod config;
#[path = "all/contract.rs"]
mod contract;
#[path = "all/control.rs"]
mod control;
#[cfg(feature = "demo")]
#[path = "all/demo.rs"]
mod demo;
#[path = "all/enrol.rs"]
mod enrol;
#[path = "all/evaluate.rs"]
mod evaluate;
#[path = "all/evaluate_calibration.rs"]
mod evaluate_calibration;
#[path = "all/evaluate_noise.rs"]
mod evaluate_noise;
#[path = "all/evaluate_replay.rs"]
mod evaluate_replay;
#[path = "all/hrv.rs"]
mod hrv;
#[path = "all/inference.rs"]
mod inference;
#[path = "all/keys.rs"]
mod keys;
#[path = "all/liveness.rs"]
mod liveness;
#[path = "all/output.rs"]
mod output;
#[path = "all/pipeline.rs"]
mod pipeline;
#[path = "all/plot.rs"]
mod plot;
#[path = "all/proto.rs"]
mod proto;
#[cfg(feature = "demo")]
#[path = "all/publish.rs"]
mod publish;
#[path = "all/recordings.rs"]
mod recordings;
#[path = "all/service.rs"]
mod service;
#[path = "all/signal_quality.rs"]
mod signal_quality;
#[path = "all/source.rs"]
mod source;
#[path = "all/store.rs"]
mod store;
#[path = "all/terminal.rs"]
mod terminal;
#[path = "all/tidy.rs"]
mod tidy;
#[path = "all/tiny_model.rs"]
mod tiny_model;
