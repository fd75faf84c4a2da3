//! The pipeline: from a source to decisions.

pub mod front_end;
