//! `[model]`: the front ends that the operator names for a closed-set model.

use ecg_wire::Format;

use super::error::ConfigError;
use super::file::ModelFile;
use super::source::quoted;
use crate::source::replay::RECORD_FORMAT;
use crate::source::simulator::SIMULATOR_FORMAT;

impl ModelFile {
    /// The names as front ends have them: `cwxs-csv` is `columns-4`. One that no front end can have would never be
    /// noticed: it permits nothing.
    pub(super) fn class_front_ends(&self) -> Result<Vec<String>, ConfigError> {
        let known = |named: &str| {
            let (format, rate) = named.split_once('/').map_or((named, None), |(format, rate)| (format, Some(rate)));
            let format = match format {
                RECORD_FORMAT | SIMULATOR_FORMAT => format,
                wire => wire.parse::<Format>().ok()?.name(),
            };
            let Some(rate) = rate else { return Some(format.to_owned()) };
            let hz = rate.strip_suffix("Hz")?.parse::<u32>().ok()?;
            Some(format!("{format}/{hz}Hz"))
        };
        let read = |named: &String| {
            known(named).ok_or_else(|| {
                ConfigError::invalid(
                    "model.class_front_ends",
                    quoted(named),
                    "name front ends by format, or by format and rate: \"cwxs-bin\", \"cwxs-bin/250Hz\", \"record/500Hz\"",
                )
            })
        };
        self.class_front_ends.iter().map(read).collect()
    }
}
