//! A simulated board for `ecgid simulate`, `ecgid demo` and the tests: a pseudo-terminal and what plays into it.
//!
//! It stands outside of the daemon: nothing in the pipeline knows of it.

pub mod player;
pub mod terminal;
