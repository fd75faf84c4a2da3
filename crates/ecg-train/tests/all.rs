//! Integration tests: a whole training on synthetic hearts, and another runtime on what it wrote.

#![allow(clippy::unwrap_used, reason = "a test may panic; clippy allows it only inside #[test] functions")]

#[path = "all/closed_set.rs"]
mod closed_set;
#[path = "all/parity.rs"]
mod parity;
#[path = "all/shipped.rs"]
mod shipped;
#[path = "all/smoke.rs"]
mod smoke;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Held by every test that draws from the framework's generator, which is one for the whole process: draws of another
/// test in between would change what a seed gives.
fn alone() -> MutexGuard<'static, ()> {
    static GENERATOR: Mutex<()> = Mutex::new(());
    GENERATOR.lock().unwrap_or_else(PoisonError::into_inner)
}
