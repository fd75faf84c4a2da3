//! Who a synthetic heart is: the shape of its beat, its rate, its rhythm.
//!
//! Ranges are those of lead I of adults at rest; a session changes a person a little, as skin, posture and the day do.
//! Must not know how the signal is made.

/// One wave of the beat: a Gaussian.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wave {
    /// Height in millivolts; negative for Q and S.
    pub millivolts: f64,
    /// Place of its middle in seconds after R; negative before.
    pub at_s: f64,
    /// Its width: one standard deviation, in seconds.
    pub width_s: f64,
}

/// A person's heart.
#[derive(Clone, Debug, PartialEq)]
pub struct HeartParams {
    /// Mean heart rate in beats a minute, 30 to 180.
    pub rate_bpm: f64,
    /// Standard deviation of the RR intervals in seconds, 0 to a fifth of the mean RR.
    pub rr_sd_s: f64,
    /// Power of the slow part of the rhythm (0.1 Hz) over that of the breathing part.
    pub lf_hf_ratio: f64,
    /// Breaths a second.
    pub respiration_hz: f64,
    /// Shift of the baseline with breathing, in millivolts.
    pub respiration_baseline_mv: f64,
    /// Share of its height by which a beat grows with breathing, a unit of respiration: the heart turns against the
    /// electrodes.
    pub respiration_size_share: f64,
    /// P wave.
    pub p: Wave,
    /// Q wave.
    pub q: Wave,
    /// R wave; its `at_s` is 0.
    pub r: Wave,
    /// A notch or a slur on R.
    pub notch: Wave,
    /// S wave.
    pub s: Wave,
    /// First, broader half of T at an RR of 1 s.
    pub t_early: Wave,
    /// Second, steeper half of T at an RR of 1 s.
    pub t_late: Wave,
}

/// A parameter out of its range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a heart: {problem}")]
pub struct HeartError {
    /// Which, and what would do.
    pub problem: String,
}

/// Draws from ranges.
struct Draw(fastrand::Rng);

impl Draw {
    fn within(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.0.f64()
    }

    /// A value changed by up to a share of itself.
    fn near(&mut self, value: f64, share: f64) -> f64 {
        value * (1.0 + self.within(-share, share))
    }

    fn wave(&mut self, millivolts: (f64, f64), at_ms: (f64, f64), width_ms: (f64, f64)) -> Wave {
        Wave {
            millivolts: self.within(millivolts.0, millivolts.1),
            at_s: self.within(at_ms.0, at_ms.1) * 1e-3,
            width_s: self.within(width_ms.0, width_ms.1) * 1e-3,
        }
    }
}

impl HeartParams {
    /// The person of a number: the same number is always the same person, different numbers differ in every wave.
    pub fn from_seed(seed: u64) -> Self {
        // Small numbers in a row are the common case; the constant takes them away from the seeds of rhythms.
        let mut draw = Draw(fastrand::Rng::with_seed(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x00EC_61D5));
        // A notch lies before or after R, at a distance that leaves R its peak.
        let side = if draw.0.bool() { 1.0 } else { -1.0 };
        let notch = draw.wave((-0.22, 0.30), (16.0, 30.0), (5.0, 9.0));
        // The halves of T lie near enough to make one wave.
        let t_late = draw.wave((0.06, 0.42), (240.0, 325.0), (22.0, 40.0));
        let t_early = draw.wave((0.02, 0.30), (-75.0, -40.0), (36.0, 62.0));
        let person = Self {
            rate_bpm: draw.within(54.0, 86.0),
            rr_sd_s: draw.within(0.018, 0.055),
            lf_hf_ratio: draw.within(0.5, 2.0),
            respiration_hz: draw.within(0.18, 0.32),
            respiration_baseline_mv: draw.within(0.01, 0.06),
            respiration_size_share: 0.0,
            p: draw.wave((0.03, 0.20), (-195.0, -125.0), (13.0, 28.0)),
            q: draw.wave((-0.25, -0.01), (-42.0, -26.0), (6.0, 11.0)),
            r: Wave { at_s: 0.0, ..draw.wave((0.75, 1.60), (0.0, 0.0), (8.0, 13.0)) },
            notch: Wave { at_s: side * notch.at_s, ..notch },
            s: draw.wave((-0.60, -0.02), (26.0, 44.0), (8.0, 15.0)),
            t_early: Wave { at_s: t_late.at_s + t_early.at_s, ..t_early },
            t_late,
        };
        // Drawn last: everything else of a person stays what it was.
        Self { respiration_size_share: draw.within(0.02, 0.06), ..person }
    }

    /// The same person on another day: electrodes elsewhere by a little, another rate, T most of all.
    #[must_use]
    pub fn in_session(&self, seed: u64) -> Self {
        let mut draw = Draw(fastrand::Rng::with_seed(seed ^ 0x005E_5510));
        let rate_bpm = (self.rate_bpm + draw.within(-8.0, 8.0)).clamp(45.0, 110.0);
        // The skin under the electrodes changes all waves alike.
        let skin = draw.within(0.9, 1.1);
        let mut wave = |wave: Wave, share: f64| Wave {
            millivolts: draw.near(wave.millivolts, share) * skin,
            at_s: draw.near(wave.at_s, 0.03),
            width_s: draw.near(wave.width_s, 0.04),
        };
        let (p, q, r) = (wave(self.p, 0.10), wave(self.q, 0.08), wave(self.r, 0.04));
        let (notch, s) = (wave(self.notch, 0.08), wave(self.s, 0.08));
        let (t_early, t_late) = (wave(self.t_early, 0.12), wave(self.t_late, 0.12));
        let session = Self {
            rate_bpm,
            rr_sd_s: draw.near(self.rr_sd_s, 0.2),
            lf_hf_ratio: draw.near(self.lf_hf_ratio, 0.3),
            respiration_hz: draw.near(self.respiration_hz, 0.1),
            respiration_baseline_mv: draw.near(self.respiration_baseline_mv, 0.3),
            respiration_size_share: self.respiration_size_share,
            p,
            q,
            r,
            notch,
            s,
            t_early,
            t_late,
        };
        Self { respiration_size_share: draw.near(self.respiration_size_share, 0.3), ..session }
    }

    /// The same person on the same day after the electrodes were put back: they sit elsewhere by a little, which changes
    /// the heights of the waves. Rate and timing stay.
    #[must_use]
    pub fn placed(&self, seed: u64) -> Self {
        let mut draw = Draw(fastrand::Rng::with_seed(seed ^ 0x0091_ACED));
        let skin = draw.within(0.95, 1.05);
        let mut wave = |wave: Wave| Wave { millivolts: draw.near(wave.millivolts, 0.04) * skin, ..wave };
        Self {
            p: wave(self.p),
            q: wave(self.q),
            r: wave(self.r),
            notch: wave(self.notch),
            s: wave(self.s),
            t_early: wave(self.t_early),
            t_late: wave(self.t_late),
            ..self.clone()
        }
    }

    /// Mean RR interval in seconds.
    pub fn mean_rr_s(&self) -> f64 {
        60.0 / self.rate_bpm
    }

    /// The waves, and whether each moves with the square root of RR.
    pub(super) fn waves(&self) -> [(Wave, bool); 7] {
        let fixed = |wave| (wave, false);
        [
            fixed(self.p),
            fixed(self.q),
            fixed(self.r),
            fixed(self.notch),
            fixed(self.s),
            (self.t_early, true),
            (self.t_late, true),
        ]
    }

    /// Refuses what would not integrate or is no heart.
    pub(super) fn validate(&self) -> Result<(), HeartError> {
        let check = |good: bool, problem: &str| {
            if good { Ok(()) } else { Err(HeartError { problem: problem.to_owned() }) }
        };
        check((30.0..=180.0).contains(&self.rate_bpm), "rate_bpm must lie within 30 to 180")?;
        check((0.0..=0.2 * self.mean_rr_s()).contains(&self.rr_sd_s), "rr_sd_s must lie within 0 and a fifth of RR")?;
        check((0.0..=100.0).contains(&self.lf_hf_ratio), "lf_hf_ratio must lie within 0 to 100")?;
        check((0.05..=1.0).contains(&self.respiration_hz), "respiration_hz must lie within 0.05 to 1")?;
        check(self.respiration_baseline_mv.abs() <= 5.0, "respiration_baseline_mv must lie within 5 mV")?;
        check(self.respiration_size_share.abs() <= 0.2, "respiration_size_share must lie within 0.2")?;
        check(self.r.at_s == 0.0, "R is the origin: its at_s must be 0")?;
        self.waves().iter().try_for_each(|(wave, _)| {
            check(wave.millivolts.abs() <= 10.0, "a wave must lie within 10 mV")?;
            check(wave.at_s.abs() <= 0.5, "a wave must lie within 0.5 s of R")?;
            check((0.003..=0.1).contains(&wave.width_s), "a wave's width_s must lie within 0.003 to 0.1")
        })
    }
}
