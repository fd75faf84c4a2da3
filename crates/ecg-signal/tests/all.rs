//! The crate's integration tests, as one binary.

#[path = "all/filters.rs"]
mod filters;
#[path = "all/golden.rs"]
mod golden;
