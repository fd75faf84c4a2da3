//! Offline training of the ecgid networks: recordings in, an ONNX model and its card out.
//!
//! The daemon never links this crate. It runs the signal path of `ecg-signal` unchanged, so that training and
//! inference cannot differ, and hands the result over as files in `models/`.
//!
//! ```text
//! recordings → prepared (signal path, front ends) → sampler, augment → training → onnx, card, curves
//!                                  ├──▶ linear ───────────────────────────┤
//!                                  ├──▶ strangers (cohort) ───────────────┤
//!                                  └──▶ measure ◀─────────────────────────┘
//! ```

pub mod augment;
pub mod card;
pub mod cli;
pub mod curves;
pub mod fit;
pub mod front_end;
pub mod linear;
pub mod loss;
pub mod measure;
pub mod network;
pub mod onnx;
pub mod parity;
pub mod prepared;
pub mod random;
pub mod recordings;
pub mod sampler;
pub mod schedule;
pub mod split;
pub mod strangers;
pub mod training;
pub mod virtual_person;
