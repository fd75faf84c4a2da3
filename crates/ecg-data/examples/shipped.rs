//! Writes the recordings of `ECG_data/`: two synthetic persons, one of them on two days.
//!
//! `cargo run -p ecg-data --example shipped -- ECG_data`

use std::error::Error;
use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;

use ecg_data::csv::write_heart;
use ecg_data::heart::{HeartParams, Noise, SyntheticHeart};

/// Seconds of each recording: an enrolment needs 12 good heartbeats.
const SECONDS: u64 = 30;
/// Name, person, session (0: the person as it is) and start in Unix seconds.
const RECORDINGS: [(&str, u64, u64, u64); 3] =
    [("example-a-1", 7, 0, 1_790_000_000), ("example-a-2", 7, 1, 1_790_604_800), ("example-b-1", 12, 0, 1_790_000_600)];

fn main() -> Result<(), Box<dyn Error>> {
    let dir = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "ECG_data".into()));
    for (name, person, session, start) in RECORDINGS {
        let person = HeartParams::from_seed(person);
        let params = if session == 0 { person } else { person.in_session(session) };
        let mut heart = SyntheticHeart::new(&params, 250.0, start)?.with_noise(Noise::at_rest());
        // The baseline settles first.
        heart.by_ref().take(500).for_each(drop);
        let path = dir.join(format!("{name}.csv"));
        write_heart(&mut heart, SECONDS * 250, start, BufWriter::new(File::create(&path)?))?;
        println!("{}", path.display());
    }
    Ok(())
}
