//! The converter of the ADS1292R as numbers: 24-bit codes and the millivolts that they stand for.
//!
//! Must not know of files or frames.

/// Largest code of the converter: the upper rail, `7FFFFF`.
pub const CODE_MAX: i32 = (1 << 23) - 1;
/// Smallest code of the converter: the lower rail, `800000`.
pub const CODE_MIN: i32 = -(1 << 23);

/// The analogue side of a channel: what one code is worth.
///
/// `mV = code · VREF · 1000 / (gain · (2^23 − 1))` (ADS1292R datasheet, section 8.3.2: data format).
///
/// ```
/// let adc = ecg_data::Adc::default();
/// assert!((adc.millivolts(10_000) - 0.4808).abs() < 1e-4);
/// assert_eq!(adc.code(1e9), ecg_data::adc::CODE_MAX); // clips at the rail
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adc {
    /// Gain of the programmable amplifier, 1 to 12.
    pub gain: f64,
    /// Reference voltage in volts: 2.42 or 4.033.
    pub vref_volts: f64,
}

impl Default for Adc {
    /// Gain 6 and the 2.42 V reference: the chip's reset values, and those of the CSV files.
    fn default() -> Self {
        Self { gain: 6.0, vref_volts: 2.42 }
    }
}

impl Adc {
    /// What one code is worth, in millivolts.
    pub fn millivolts_per_code(self) -> f64 {
        ecg_wire::millivolts_per_code(self.gain, self.vref_volts, 0)
    }

    /// Millivolts of a sign-extended code.
    pub fn millivolts(self, code: i32) -> f64 {
        f64::from(code) * self.millivolts_per_code()
    }

    /// The code that the converter gives for `millivolts`, clipped at its rails. Not a number gives 0.
    pub fn code(self, millivolts: f64) -> i32 {
        let code = (millivolts / self.millivolts_per_code()).round();
        // A float cast saturates and turns NaN into 0: exactly what is wanted before the clamp.
        (code as i32).clamp(CODE_MIN, CODE_MAX)
    }
}

/// True where a sign-extended code lies on a rail: the input was outside the converter's range.
pub fn is_rail(code: i32) -> bool {
    code >= CODE_MAX || code <= CODE_MIN
}

/// Reads a 24-bit code that was written as an unsigned image (0 to 2^24 − 1) or signed (−2^23 to 2^23 − 1).
///
/// `None` where the value is neither. Some boards' text files print the three bytes without sign extension, so that
/// a baseline which crosses zero would jump by 2^24.
///
/// ```
/// assert_eq!(ecg_data::adc::sign_extend(11_421_861), Some(-5_355_355));
/// assert_eq!(ecg_data::adc::sign_extend(-7), Some(-7));
/// assert_eq!(ecg_data::adc::sign_extend(1 << 24), None);
/// ```
pub fn sign_extend(value: i64) -> Option<i32> {
    let signed = if value > i64::from(CODE_MAX) { value - (1 << 24) } else { value };
    let fits = value < (1 << 24) && (i64::from(CODE_MIN)..=i64::from(CODE_MAX)).contains(&signed);
    fits.then_some(signed as i32)
}

/// The unsigned 24-bit image of a code, as boards' text files print it; the code is clipped to 24 bits first.
pub fn unsigned_image(code: i32) -> u32 {
    (code.clamp(CODE_MIN, CODE_MAX) as u32) & 0x00FF_FFFF
}
