//! `--gain` and `--vref`: which converter made the codes of a text recording.

use ecg_data::Adc;

/// The converter of the board that recorded.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct AdcArgs {
    /// Gain of the board that recorded a .csv of codes [default: 6]
    #[arg(long, value_name = "GAIN", value_parser = |text: &str| within(text, 0.01, 1000.0))]
    pub gain: Option<f64>,
    /// Its reference voltage [default: 2.42]
    #[arg(long, value_name = "VOLTS", value_parser = |text: &str| within(text, 0.1, 10.0))]
    pub vref: Option<f64>,
}

impl AdcArgs {
    /// The converter; what is not given is as usual for such recordings.
    #[must_use]
    pub fn adc(self) -> Adc {
        let usual = Adc::default();
        Adc { gain: self.gain.unwrap_or(usual.gain), vref_volts: self.vref.unwrap_or(usual.vref_volts) }
    }
}

/// Reads a number of the range that the configuration takes too.
fn within(text: &str, low: f64, high: f64) -> Result<f64, String> {
    text.parse().ok().filter(|value| (low..=high).contains(value)).ok_or_else(|| format!("{low} to {high}"))
}
