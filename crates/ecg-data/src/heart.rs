//! The synthetic heart: an endless single-lead ECG of a person who does not exist, with R peaks that are known.
//!
//! Source: McSharry, Clifford, Tarassenko, Smith, *A dynamical model for generating synthetic electrocardiogram
//! signals*, IEEE Transactions on Biomedical Engineering 50(3):289–294, 2003 (ECGSYN).
//! A point runs round a circle once a beat; near the angles of P, Q, R, S and T it is pushed up or down.
//!
//! Differences from the paper:
//! - Waves are given in millivolts and seconds, not as pushes and angles (the form of Sameni et al., EURASIP Journal on
//!   Advances in Signal Processing 2007:043407): a QRS does not get wider or lower when the heart slows down. T moves
//!   with the square root of RR (Bazett).
//! - T has two halves and R a notch: the paper's five waves leave too little room for persons.
//! - The RR process is a sum of cosines with random frequencies and phases, not an inverse Fourier transform of a
//!   whole record: it streams, and never repeats.
//! - Breathing also makes the beats larger and smaller, as it turns the heart against the electrodes, and is given
//!   out: what an impedance channel sees.
//! - A beat's length is fixed where it begins, at R, so that the RR intervals are the process exactly.
//!
//! Seeded: equal parameters and seeds give equal samples. No clock, no file, no allocation a sample.
//! Must not know of boards, formats or what anyone does with the signal.

mod contact;
mod dynamics;
mod noise;
mod params;
mod rhythm;

pub use contact::Contact;
pub use noise::Noise;
pub use params::{HeartError, HeartParams, Wave};

use self::contact::Electrodes;
use self::dynamics::Dynamics;
use self::noise::NoiseSource;
use self::rhythm::Rhythm;

/// Longest internal step of the integration, in seconds. Halving it moves no sample by more than 1 µV.
const LONGEST_STEP_S: f64 = 0.002;

/// An endless ECG. As an iterator it gives millivolts; [`SyntheticHeart::step`] gives all that is known.
///
/// ```
/// use ecg_data::heart::{HeartParams, Noise, SyntheticHeart};
///
/// let person = HeartParams::from_seed(7);
/// let mut today = SyntheticHeart::new(&person, 250.0, 1).unwrap().with_noise(Noise::at_rest());
/// let first_second: Vec<f64> = today.by_ref().take(250).collect();
/// let next_week = SyntheticHeart::new(&person.in_session(2), 250.0, 2).unwrap();
/// # assert_eq!(first_second.len(), 250);
/// # drop(next_week);
/// ```
#[derive(Clone, Debug)]
pub struct SyntheticHeart {
    rhythm: Rhythm,
    dynamics: Dynamics,
    noise: NoiseSource,
    electrodes: Electrodes,
    /// Baseline that breathing moves, in millivolts a unit of respiration.
    respiration_baseline_mv: f64,
    /// Share by which a unit of respiration makes the beat larger.
    respiration_size_share: f64,
    substeps: u32,
    step_s: f64,
    fs: f64,
    index: u64,
    respiration: f64,
}

/// What is known of one sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeartSample {
    /// The ECG with its noise. Beyond any converter's range while an electrode is off.
    pub millivolts: f64,
    /// Respiration, without unit, about −2 to 2, positive while breathing in: the heart is faster then, the baseline
    /// higher and the beat larger.
    pub respiration: f64,
    /// True while an electrode is off.
    pub lead_off: bool,
    /// Place of an R peak, in samples since the start, fractional: the highest point of the clean QRS. It is told at
    /// most 60 ms later, with the sample at which it is known. The heart beats on while the electrodes are off.
    pub r_peak: Option<f64>,
}

impl SyntheticHeart {
    /// A heart without noise. `fs` in hertz, 50 to 10,000; `seed` chooses its rhythm and its noise.
    ///
    /// # Errors
    /// [`HeartError`] where the sampling frequency or a parameter is out of its range.
    pub fn new(params: &HeartParams, fs: f64, seed: u64) -> Result<Self, HeartError> {
        params.validate()?;
        if !(50.0..=10_000.0).contains(&fs) {
            return Err(HeartError { problem: format!("sampling frequency {fs} Hz is not within 50 to 10000") });
        }
        let mut random = fastrand::Rng::with_seed(seed);
        let rhythm = Rhythm::new(params, &mut random);
        let substeps = (1.0 / (fs * LONGEST_STEP_S)).ceil().max(1.0);
        Ok(Self {
            dynamics: Dynamics::new(params, rhythm.rr_at(0.0)),
            rhythm,
            noise: NoiseSource::new(Noise::none(), fs, random.u64(..)),
            electrodes: Electrodes::new(fs),
            respiration_baseline_mv: params.respiration_baseline_mv,
            respiration_size_share: params.respiration_size_share,
            substeps: substeps as u32,
            step_s: 1.0 / (fs * substeps),
            fs,
            index: 0,
            respiration: 0.0,
        })
    }

    /// The same heart with noise.
    #[must_use]
    pub fn with_noise(mut self, noise: Noise) -> Self {
        self.set_noise(noise);
        self
    }

    /// Changes the noise from the next sample on.
    pub fn set_noise(&mut self, noise: Noise) {
        self.noise.set(noise);
    }

    /// Puts the electrodes on, takes one off, or shorts them, from the next sample on.
    pub fn set_contact(&mut self, contact: Contact) {
        self.electrodes.set(contact);
    }

    /// Sampling frequency in hertz.
    pub fn fs(&self) -> f64 {
        self.fs
    }

    /// Respiration at the newest sample, as in [`HeartSample::respiration`].
    pub fn respiration(&self) -> f64 {
        self.respiration
    }

    /// The next sample.
    pub fn step(&mut self) -> HeartSample {
        let now_s = self.index as f64 / self.fs;
        self.respiration = self.rhythm.respiration_at(now_s);
        let clean = self.dynamics.millivolts() * (1.0 + self.respiration_size_share * self.respiration);
        let noisy = clean + self.noise.next_millivolts();
        let millivolts = self.electrodes.through(noisy);
        let baseline = self.respiration_baseline_mv * self.respiration;
        let mut r_peak = None;
        for substep in 0..self.substeps {
            let at_s = now_s + f64::from(substep) * self.step_s;
            let rhythm = &self.rhythm;
            let found = self.dynamics.advance(at_s, self.step_s, baseline, |r_s| rhythm.rr_at(r_s));
            r_peak = found.map(|at_s| at_s * self.fs).or(r_peak);
        }
        self.index += 1;
        let lead_off = self.electrodes.lead_off();
        HeartSample { millivolts, respiration: self.respiration, lead_off, r_peak }
    }
}

impl Iterator for SyntheticHeart {
    type Item = f64;

    /// The next sample in millivolts; never `None`.
    fn next(&mut self) -> Option<f64> {
        Some(self.step().millivolts)
    }
}

/// A number from the standard normal distribution (Box and Muller).
pub(crate) fn gaussian(random: &mut fastrand::Rng) -> f64 {
    // 1 − u lies in (0, 1]: the logarithm is finite.
    let radius = (-2.0 * (1.0 - random.f64()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.f64()).cos()
}
