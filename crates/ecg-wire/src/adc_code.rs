//! What a converter value is: 24-bit two's complement, its rails, its size in millivolts.
//!
//! Must not know how a format packs it.

/// The largest value of the converter; its electrical limit, so a sample here is clipped.
pub(crate) const MAX: i32 = 0x7F_FFFF;
/// The smallest value of the converter; the other limit.
pub(crate) const MIN: i32 = -0x80_0000;

/// How many millivolts one step of a transmitted code is worth.
///
/// `gain` is that of the amplifier (1, 2, 3, 4, 6, 8 or 12), `vref` the reference in volts (2.42 or 4.033), and
/// `code_shift` the number of low bits that the firmware dropped (8 where it sends 16 of the 24 bits).
/// Source: ADS1292R datasheet, "Data format": the full scale VREF / gain is reached at 2^23 − 1.
///
/// ```
/// let raw = ecg_wire::millivolts_per_code(6.0, 2.42, 0);
/// assert!((raw - 48.08e-6).abs() < 0.01e-6, "48.08 nV at gain 6");
/// let short = ecg_wire::millivolts_per_code(12.0, 2.42, 8);
/// assert!((short - 6.155e-3).abs() < 0.001e-3, "6.155 µV at gain 12 without the low 8 bits");
/// ```
#[must_use]
pub fn millivolts_per_code(gain: f64, vref: f64, code_shift: u32) -> f64 {
    vref * 1000.0 / (gain * f64::from(MAX)) * 2f64.powi(code_shift.min(24) as i32)
}

/// Reads the low 24 bits of `image` as a signed number.
pub(crate) fn sign_extend(image: u32) -> i32 {
    ((image << 8) as i32) >> 8
}

/// Whether `value` fits 24 bits; a firmware that sends 32 never sends anything else.
pub(crate) fn in_range(value: i32) -> bool {
    (MIN..=MAX).contains(&value)
}

/// Whether `code`, of which the firmware dropped `code_shift` low bits, stands at a rail.
pub(crate) fn is_clipped(code: i32, code_shift: u32) -> bool {
    code >= MAX >> code_shift || code <= MIN >> code_shift
}

/// The nearest value that the converter can give.
pub(crate) fn clamp(code: i32) -> i32 {
    code.clamp(MIN, MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sign_bit_of_24_is_extended() {
        assert_eq!(sign_extend(0x7F_FFFF), MAX);
        assert_eq!(sign_extend(0x80_0000), MIN);
        assert_eq!(sign_extend(11_421_861), -5_355_355);
        assert_eq!(sign_extend(0xAB_FF_FF_FF), -1, "what lies above bit 23 does not matter");
    }

    #[test]
    fn both_rails_are_clipping_at_either_width() {
        assert!(is_clipped(MAX, 0) && is_clipped(MIN, 0));
        assert!(!is_clipped(MAX - 1, 0) && !is_clipped(MIN + 1, 0));
        assert!(is_clipped(i32::from(i16::MAX), 8) && is_clipped(i32::from(i16::MIN), 8));
        assert!(!is_clipped(i32::from(i16::MAX) - 1, 8));
    }
}
