//! Recordings, real and made: WFDB and CSV files, collections of persons, the synthetic heart, the simulated board.
//!
//! Responsible for turning what lies on a disk into millivolts with a known sampling frequency, and for making
//! hearts whose true R peaks are known.
//! Must not know of filters, detection, identity, networks or tasks, and never sleeps or reads a clock.
//!
//! | module | what it gives |
//! | --- | --- |
//! | [`record`] | [`Record`]: one recording in millivolts, whatever file it came from |
//! | [`wfdb`] | PhysioNet's header, signal and annotation files |
//! | [`csv`] | boards' text files, read and written |
//! | [`collection`] | persons and sessions: a folder, with or without `manifest.csv` |
//! | [`adc`] | converter codes ↔ millivolts |
//! | [`board`] | the simulated board: millivolts to the bytes of a wire format, with faults |
//! | [`heart`] | the synthetic heart: persons, rhythm, noise, known R peaks |
//! | [`stress`] | disturbances for noise stress tests, calibrated by signal-to-noise ratio |

pub mod adc;
pub mod board;
pub mod collection;
pub mod csv;
pub mod heart;
pub mod record;
pub mod stress;
pub mod wfdb;

pub use adc::Adc;
pub use board::{Fault, SimulatedBoard};
pub use collection::{Collection, CollectionError, Entry, SessionSelection};
pub use heart::{HeartParams, SyntheticHeart};
pub use record::{Checksum, Record, RecordError, Signal};
pub use wfdb::annotation::{Annotation, AnnotationKind, Annotations, annotations};
