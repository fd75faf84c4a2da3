//! The crate's integration tests, as one binary.

/// Says that a test is skipped. The test runner swallows `eprintln!` of a test that passes, but not this.
macro_rules! skipped {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _unheard = writeln!(std::io::stderr(), $($text)*);
    }};
}

#[path = "all/filters.rs"]
mod filters;
#[path = "all/golden.rs"]
mod golden;
#[path = "all/hrv.rs"]
mod hrv;
#[path = "all/kernels.rs"]
mod kernels;
#[path = "all/noise.rs"]
mod noise;
#[path = "all/path.rs"]
mod path;
#[path = "all/recordings.rs"]
mod recordings;
#[path = "all/resampling.rs"]
mod resampling;
#[path = "all/wave.rs"]
mod wave;
#[path = "all/wavelets.rs"]
mod wavelets;
