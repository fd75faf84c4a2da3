//! The crate's integration tests, as one binary.

/// Says that a test is skipped. The test runner swallows `eprintln!` of a test that passes, but not this.
macro_rules! skipped {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _unheard = writeln!(std::io::stderr(), $($text)*);
    }};
}

#[path = "all/any_rate.rs"]
mod any_rate;
#[path = "all/blocks.rs"]
mod blocks;
#[path = "all/breaths.rs"]
mod breaths;
#[path = "all/detector.rs"]
mod detector;
#[path = "all/filters.rs"]
mod filters;
#[path = "all/golden.rs"]
mod golden;
#[path = "all/hrv.rs"]
mod hrv;
#[path = "all/hrv_correction.rs"]
mod hrv_correction;
#[path = "all/hrv_day.rs"]
mod hrv_day;
#[path = "all/hrv_golden.rs"]
mod hrv_golden;
#[path = "all/hrv_laws.rs"]
mod hrv_laws;
#[path = "all/kernels.rs"]
mod kernels;
#[path = "all/memory.rs"]
mod memory;
#[path = "all/mfcc.rs"]
mod mfcc;
#[path = "all/noise.rs"]
mod noise;
#[path = "all/path.rs"]
mod path;
#[path = "all/prompt.rs"]
mod prompt;
#[path = "all/quality.rs"]
mod quality;
#[path = "all/rates.rs"]
mod rates;
#[path = "all/recorded_motion.rs"]
mod recorded_motion;
#[path = "all/recordings.rs"]
mod recordings;
#[path = "all/resampling.rs"]
mod resampling;
#[path = "all/respiration.rs"]
mod respiration;
#[path = "all/rhythms.rs"]
mod rhythms;
#[path = "all/slow_sources.rs"]
mod slow_sources;
#[path = "all/stream.rs"]
mod stream;
#[path = "all/ugly.rs"]
mod ugly;
#[path = "all/ugly_codes.rs"]
mod ugly_codes;
#[path = "all/ugly_mains.rs"]
mod ugly_mains;
#[path = "all/ugly_recordings.rs"]
mod ugly_recordings;
#[path = "all/upside_down.rs"]
mod upside_down;
#[path = "all/wave.rs"]
mod wave;
#[path = "all/wavelets.rs"]
mod wavelets;
