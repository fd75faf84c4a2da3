//! The integration tests of the daemon, in one binary.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking; helpers of tests too")]

#[path = "all/config.rs"]
mod config;
#[path = "all/proto.rs"]
mod proto;
#[cfg(feature = "demo")]
#[path = "all/publish.rs"]
mod publish;
#[path = "all/store.rs"]
mod store;
#[path = "all/tidy.rs"]
mod tidy;
