//! Frequency bands and the power in them.
//!
//! Must not know where a density comes from.

/// Edges of VLF, LF and HF in hertz (Task Force 1996).
pub const BAND_EDGES_HZ: [f64; 4] = [0.003, 0.04, 0.15, 0.4];

/// Power in the three bands.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bands {
    /// 0.003 to 0.04 Hz, ms².
    pub vlf_ms2: f64,
    /// 0.04 to 0.15 Hz, ms².
    pub lf_ms2: f64,
    /// 0.15 to 0.4 Hz, ms².
    pub hf_ms2: f64,
}

impl Bands {
    /// From a density in ms²/Hz at multiples of `step_hz` from 0 on. The density is a straight line between two bins, and
    /// a band begins and ends exactly at its edges, wherever they lie between bins.
    pub fn exact(density: &[f64], step_hz: f64) -> Self {
        Self::by(|low, high| between(density, step_hz, low, high))
    }

    /// The same by the trapezoidal rule over the bins f with low ≤ f < high alone, which most scripts around numpy and
    /// scipy do: what lies between the edge of a band and its next bin is lost, up to a seventh of LF with bins of
    /// 1/64 Hz. For comparison with them.
    pub fn whole_bins(density: &[f64], step_hz: f64) -> Self {
        Self::by(|low, high| {
            let inside = |k: &usize| (low..high).contains(&(*k as f64 * step_hz));
            let mut bins = (0..density.len()).filter(inside).map(|k| density[k]);
            let Some(mut before) = bins.next() else { return 0.0 };
            bins.map(|value| 0.5 * step_hz * (std::mem::replace(&mut before, value) + value)).sum()
        })
    }

    fn by(power: impl Fn(f64, f64) -> f64) -> Self {
        let [a, b, c, d] = BAND_EDGES_HZ;
        Self { vlf_ms2: power(a, b), lf_ms2: power(b, c), hf_ms2: power(c, d) }
    }

    /// VLF + LF + HF, ms²: 0.003 to 0.4 Hz.
    pub fn total_ms2(&self) -> f64 {
        self.vlf_ms2 + self.lf_ms2 + self.hf_ms2
    }

    /// LF over HF; `None` without HF.
    pub fn lf_hf(&self) -> Option<f64> {
        (self.hf_ms2 > 0.0).then(|| self.lf_ms2 / self.hf_ms2)
    }

    /// LF in normalised units: per cent of LF + HF (Task Force 1996: of the total less VLF); `None` without either.
    pub fn lf_nu(&self) -> Option<f64> {
        let both = self.lf_ms2 + self.hf_ms2;
        (both > 0.0).then(|| 100.0 * self.lf_ms2 / both)
    }

    /// HF in normalised units, per cent of LF + HF.
    pub fn hf_nu(&self) -> Option<f64> {
        self.lf_nu().map(|lf| 100.0 - lf)
    }
}

/// Integral of the line through the bins from `low` to `high`.
fn between(density: &[f64], step: f64, low: f64, high: f64) -> f64 {
    let part = |(k, pair): (usize, &[f64])| {
        let begin = k as f64 * step;
        let (from, to) = (low.max(begin), high.min(begin + step));
        if to <= from {
            return 0.0;
        }
        let middle = ((from + to) / 2.0 - begin) / step;
        (to - from) * (pair[0] + (pair[1] - pair[0]) * middle)
    };
    density.windows(2).enumerate().map(part).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_density_gives_the_width_of_each_band() {
        let bands = Bands::exact(&[2.0; 129], 1.0 / 64.0);
        for (power, width) in [(bands.vlf_ms2, 0.037), (bands.lf_ms2, 0.11), (bands.hf_ms2, 0.25)] {
            assert!((power - 2.0 * width).abs() < 1e-12, "{power}");
        }
        assert!((bands.total_ms2() - 0.794).abs() < 1e-12);
        let lf = Bands::whole_bins(&[2.0; 129], 1.0 / 64.0).lf_ms2;
        assert!((lf - 2.0 * 6.0 / 64.0).abs() < 1e-12, "bins 3 to 9 lie inside");
    }

    #[test]
    fn a_rising_density_is_integrated_to_the_edge() {
        let density: Vec<f64> = (0..100).map(|k| f64::from(k) * 0.01).collect();
        let bands = Bands::exact(&density, 0.01);
        assert!((bands.lf_ms2 - (0.15f64.powi(2) - 0.04f64.powi(2)) / 2.0).abs() < 1e-12);
    }
}
