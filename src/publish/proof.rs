//! The promises of publishing under faults that nobody can time from outside: the real lane, agenda and journal, polled
//! by hand under virtual time, between a disk and a broker that are made of plain data.
//!
//! What it does not cover is the MQTT client and the operating system; `tests/acceptance/delivery.py` kills those.

mod bounds;
mod delivery;
mod disk;
mod faults;
mod rig;
mod stale;
