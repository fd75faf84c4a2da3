//! Records of a noise stress test: the first minutes of an annotated record with a disturbance at a level.
//!
//! Responsible for which codes a condition stands for, to the last one: equal arguments give equal samples, whatever
//! else is evaluated beside them. Must not know of detectors or scores.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};
use ecg_data::stress::{Disturbance, Power, gain, qrs_power, recorded};
use ecg_data::wfdb::writer::CodedSignal;
use ecg_data::{Annotation, Annotations, Record, annotations};

/// Codes a millivolt of a stressed record: one microvolt, and ±32 mV fit into 16 bits.
const GAIN: f64 = 1000.0;

/// Which disturbance is added.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Noise {
    /// Signal 0 of this record of the noise stress test database.
    Recorded(&'static str),
    /// One that is made, by this name.
    Made(&'static str, Disturbance),
}

impl Noise {
    const ALL: [Self; 8] = [
        Self::Recorded("bw"),
        Self::Recorded("em"),
        Self::Recorded("ma"),
        Self::Made("emg", Disturbance::Emg),
        Self::Made("motion", Disturbance::ElectrodeMotion),
        Self::Made("white", Disturbance::White),
        Self::Made("mains50", Disturbance::Mains(50.0)),
        Self::Made("mains60", Disturbance::Mains(60.0)),
    ];

    /// Reads one of `--noise`.
    ///
    /// # Errors
    /// What is accepted.
    pub fn parse(text: &str) -> Result<Self, String> {
        let named = |noise: &Self| noise.name() == text;
        Self::ALL.into_iter().find(named).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|noise| noise.name()).collect();
            format!("one of {}", names.join(", "))
        })
    }

    /// The name on the command line and in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Recorded(name) | Self::Made(name, _) => name,
        }
    }

    /// What it is, for a heading.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self.name() {
            "bw" => "baseline wander (bw)",
            "em" => "electrode motion, recorded (em)",
            "ma" => "muscles, recorded (ma)",
            "emg" => "muscles (emg)",
            "motion" => "electrode motion (motion)",
            "white" => "white noise",
            name => name,
        }
    }
}

/// The disturbances that were recorded, in millivolts.
#[derive(Debug, Default)]
pub struct Library(BTreeMap<&'static str, (f64, Vec<f64>)>);

impl Library {
    /// Reads those of `noises` that are recorded from the folder of the noise stress test database.
    ///
    /// # Errors
    /// One is not there, with what to do.
    pub fn open(folder: &Path, noises: &[Noise]) -> anyhow::Result<Self> {
        let mut library = Self::default();
        for noise in noises {
            if let Noise::Recorded(name) = *noise {
                let path = folder.join(name);
                let record = Record::open(&path).with_context(|| {
                    format!("the noise {name} is a record of the MIT-BIH Noise Stress Test Database; put it at {}.hea, or choose others with --noise", path.display())
                })?;
                let Some(signal) = record.signals.into_iter().next() else {
                    bail!("{} has no signal: it cannot be added as noise", path.display());
                };
                library.0.insert(name, (record.fs, signal.samples));
            }
        }
        Ok(library)
    }

    /// `n` samples at `fs` hertz, zero mean, in any unit. A recorded disturbance begins where `seed` says.
    fn samples(&self, noise: Noise, fs: f64, n: usize, seed: u64) -> Vec<f64> {
        match noise {
            Noise::Made(_, disturbance) => disturbance.samples(fs, n, seed),
            Noise::Recorded(name) => self.0.get(name).map_or_else(
                || vec![0.0; n],
                |(noise_fs, samples)| {
                    let start = (seed % samples.len().max(1) as u64) as usize;
                    recorded(samples, *noise_fs, start, fs, n)
                },
            ),
        }
    }
}

/// The first minutes of a record, without added noise.
#[derive(Debug, Clone)]
pub struct Clean {
    /// The record's name.
    pub name: String,
    /// Sampling frequency, hertz.
    pub fs: f64,
    /// The annotations of these minutes, counted in samples of the record.
    pub annotations: Annotations,
    millivolts: Vec<f64>,
    qrs_power: f64,
}

impl Clean {
    /// Reads signal 0 and the annotations of the first `minutes` of a record.
    ///
    /// # Errors
    /// A file cannot be read, or no beat is annotated in that time.
    pub fn open(path: &Path, annotator: &str, minutes: f64) -> anyhow::Result<Self> {
        let record = Record::open(path)?;
        let fs = record.fs;
        let Some(signal) = record.signals.into_iter().next() else {
            bail!("{} has no signal", path.display());
        };
        let mut millivolts = signal.samples;
        millivolts.truncate((minutes * 60.0 * fs).round() as usize);
        let all = annotations(path, annotator)?;
        let at = |item: &Annotation| (item.sample as f64 * fs / all.fs).round() as u64;
        let within = all.items.iter().filter(|item| at(item) < millivolts.len() as u64);
        let items = within.map(|item| Annotation { sample: at(item), ..item.clone() }).collect();
        let annotations = Annotations { fs, items };
        let beats: Vec<u64> = annotations.beats().collect();
        let qrs_power = qrs_power(&millivolts, fs, &beats).with_context(|| {
            format!("no beat in the first {minutes} min of {}: no signal-to-noise ratio can be set", path.display())
        })?;
        Ok(Self { name: record.name, fs, annotations, millivolts, qrs_power })
    }

    /// These minutes under a condition, as codes of a microvolt.
    #[must_use]
    pub fn stressed(&self, condition: &Condition, library: &Library, power: Power) -> CodedSignal {
        let Condition { noise, snr_db, .. } = *condition;
        let added = library.samples(noise, self.fs, self.millivolts.len(), condition.start());
        let factor = gain(self.qrs_power, power.of(&added, self.fs), snr_db);
        let sum: Vec<f64> = self.millivolts.iter().zip(added).map(|(signal, noise)| signal + factor * noise).collect();
        CodedSignal::new(self.fs, GAIN, format!("{} with {} at {snr_db} dB", self.name, noise.name()), &sum)
    }
}

/// One record of the test.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// Name of the clean record.
    pub record: String,
    /// What is added.
    pub noise: Noise,
    /// Signal-to-noise ratio, decibels.
    pub snr_db: f64,
    /// Chosen by the user.
    pub seed: u64,
}

impl Condition {
    /// A name that WFDB allows: `101_emg_m6_s1`.
    #[must_use]
    pub fn file_name(&self) -> String {
        let level = self.snr_db.to_string().replace('-', "m").replace('.', "p");
        format!("{}_{}_{level}_s{}", self.record.replace('/', "_"), self.noise.name(), self.seed)
    }

    /// The seed of the samples. It holds the record, so that records do not share a disturbance, and not the level, so
    /// that levels do: the same noise, louder.
    fn start(&self) -> u64 {
        fnv1a(format!("{}/{}/{}", self.record, self.noise.name(), self.seed).bytes())
    }
}

/// A number that stands for these bytes on every machine (FNV-1a, 64 bits).
pub fn fnv1a(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
