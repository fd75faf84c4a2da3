//! The integration tests of the daemon, in one binary.

#[path = "all/tidy.rs"]
mod tidy;
