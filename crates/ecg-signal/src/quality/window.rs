//! The verdict on a window of ten seconds: one probability from the six indices, and what pulls it down most.
//!
//! Must not know how an index is measured.
//!
//! The weights were fitted (logistic regression) on 128,864 windows of the development recordings: 24 records of MIT-BIH,
//! 60 persons of ECG-ID, every third record of Heartprint, MIT-BIH with white noise, EMG, electrode motion and `nstdb/bw` added at 24
//! to −6 dB, and noise without a heart. A window counts as usable when at least 90 % of its true beats were found with a
//! segment like the clean one (correlation ≥ 0.9), and at most 10 % of what was found is no beat. Five-fold
//! cross-validation by record and person; of noise without a heart 0.1 % of the windows reach 0.5:
//!
//! | predicted | 0.01 | 0.07 | 0.14 | 0.25 | 0.35 | 0.45 | 0.55 | 0.65 | 0.75 | 0.86 | 0.93 | 0.98 |
//! | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
//! | observed | 0.01 | 0.05 | 0.21 | 0.38 | 0.46 | 0.63 | 0.70 | 0.67 | 0.72 | 0.79 | 0.92 | 0.98 |

use super::features::distinctness;
use super::indices::QualityIndices;

/// The verdict on the newest window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WindowQuality {
    /// The six indices of the window.
    pub indices: QualityIndices,
    /// Probability, 0 … 1, that the beats of the window are found and their segments show the shape of the heart.
    pub score: f64,
    /// What speaks most against the window; `None` where the score is 0.5 or more.
    pub fault: Option<WindowFault>,
}

/// What is wrong with a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WindowFault {
    /// Neither detector finds a beat, or nothing moves.
    NoBeats,
    /// The two detectors do not find the same beats (bSQI).
    DetectorsDisagree,
    /// The values are spread as those of no ECG (kSQI, sSQI).
    Distribution,
    /// Too much power above the QRS: muscles or mains (pSQI).
    HighFrequency,
    /// Too much power below 1 Hz: electrodes move, or the person does (basSQI).
    BaselineWander,
    /// The beats do not look like each other (template correlation).
    BeatsDiffer,
}

impl WindowFault {
    /// A word for reports and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoBeats => "no_beats",
            Self::DetectorsDisagree => "detectors_disagree",
            Self::Distribution => "distribution",
            Self::HighFrequency => "high_frequency",
            Self::BaselineWander => "baseline_wander",
            Self::BeatsDiffer => "beats_differ",
        }
    }
}

/// One term of the logistic function: an index as a feature, its weight and its median in clean windows.
struct Term {
    fault: WindowFault,
    value: f64,
    weight: f64,
    clean: f64,
}

const CONSTANT: f64 = -8.91;
/// pSQI of 0.5 and more is as good as any: a broad QRS has much, a narrow one little.
const ENOUGH_P_SQI: f64 = 0.5;
/// Beyond these, kurtosis and skewness say no more.
const LARGEST_KURTOSIS: f64 = 40.0;
const LARGEST_SKEWNESS: f64 = 4.0;

impl WindowQuality {
    /// Judges a window by its indices. An index that is missing counts as that of a window without a heart, those of the
    /// spectrum, which come later, as those of a clean one.
    pub(super) fn of(indices: QualityIndices) -> Self {
        let low_p = |p: f64| (ENOUGH_P_SQI - p).max(0.0);
        let term = |fault, value, weight, clean| Term { fault, value, weight, clean };
        let kurtosis = indices.k_sqi.unwrap_or(1.0).clamp(1.0, LARGEST_KURTOSIS).ln();
        let skewness = indices.s_sqi.unwrap_or(0.0).abs().min(LARGEST_SKEWNESS);
        let likeness = distinctness(indices.template_correlation.unwrap_or(0.0));
        let terms = [
            term(WindowFault::DetectorsDisagree, indices.b_sqi.unwrap_or(0.0), 6.75, 1.0),
            term(WindowFault::Distribution, kurtosis, -0.77, 2.4),
            term(WindowFault::Distribution, skewness, 0.15, 1.7),
            term(WindowFault::HighFrequency, low_p(indices.p_sqi.unwrap_or(ENOUGH_P_SQI)), -11.68, 0.0),
            term(WindowFault::BaselineWander, indices.bas_sqi.unwrap_or(1.0), 3.44, 0.95),
            term(WindowFault::BeatsDiffer, likeness, 1.4, 3.5),
        ];
        let z = CONSTANT + terms.iter().map(|term| term.weight * term.value).sum::<f64>();
        let score = 1.0 / (1.0 + (-z).exp());
        let worst = || {
            let shortfall = |term: &Term| term.weight * (term.value - term.clean);
            let worst = terms.iter().min_by(|a, b| shortfall(a).total_cmp(&shortfall(b)));
            worst.map_or(WindowFault::NoBeats, |term| term.fault)
        };
        let nothing = indices.b_sqi.is_none() || indices.k_sqi.is_none();
        let fault = (score < 0.5).then(|| if nothing { WindowFault::NoBeats } else { worst() });
        Self { indices, score, fault }
    }
}
