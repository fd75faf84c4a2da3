//! Offline training.
fn main() {}
