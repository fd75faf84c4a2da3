//! The crate's integration tests, as one binary.

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
