//! The daemon `ecgid` and its command line: everything that touches the world.
//!
//! ```text
//!  serial ─▶ decode ─▶ condition ─▶ detect ─▶ segment ─▶ infer ─▶ decide ─▶ MQTT
//!  replay ─┤              │           │          │                   │
//!  tcp    ─┤              │           └─▶ RR ─▶ HRV summary ─────────┤
//!  sim    ─┘              └─ quality, contact ───────────────────────┘
//!           ◀─ ecg-wire ─▶ ◀────── ecg-signal ──────▶ ◀tract▶ ◀ecg-identity▶
//! ```
//!
//! All computing is in the crates under `crates/`, which know nothing of tasks, files, clocks or sockets.

pub mod board;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
#[cfg(feature = "demo")]
mod demo;
mod enrolment;
pub mod event;
pub mod http;
pub mod inference;
pub mod keys;
pub mod pipeline;
pub mod proto;
pub mod publish;
pub mod recording;
pub mod source;
pub mod store;
pub mod telemetry;
