//! The formats by name, and what each is known to be: rate, line speed, gain, reference, counter, lead-off.
//!
//! Must not know the bytes: the format pages do.

use std::fmt;
use std::str::FromStr;

/// A wire format. Its layout stands at the head of its page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Counter and checksum, 14 bytes: [`cwxs_bin`](crate::cwxs_bin). The one to choose for a new firmware.
    CwxsBin,
    /// ProtoCentral shield and breakout since 2021: [`openview`](crate::openview).
    Ov9,
    /// ProtoCentral 2017, two 32-bit channels: [`openview`](crate::openview).
    Ov8a,
    /// ProtoCentral 2016, packet counter and one channel: [`openview`](crate::openview).
    Ov8b,
    /// ProtoCentral August 2017, 16-bit filtered ECG: [`openview`](crate::openview).
    Ov7,
    /// ProtoCentral shield of 2020: [`openview`](crate::openview).
    Ov20,
    /// HealthyPi v4: [`openview`](crate::openview).
    Ov20HealthyPi4,
    /// HealthyPi v3, which sends zeros instead of ECG on lead-off: [`openview`](crate::openview).
    Ov20HealthyPi3,
    /// Bare RDATAC frames of the chip: [`raw9`](crate::raw9).
    Raw9,
    /// Lines `timestamp,Channel 1,Channel 2,Channel 3`, unsigned images of 24 bits: [`text`](crate::text).
    Csv,
    /// Lines of 1 to 6 columns: [`text`](crate::text). A count outside 1 to 6 is read as the nearer of the two.
    Columns(u8),
}

/// Which converter channel (or which of a format's two values) is the ECG.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum EcgChannel {
    /// As the format usually has it: [`Spec::ecg_channel`].
    #[default]
    OfFormat,
    /// Channel 1.
    One,
    /// Channel 2.
    Two,
}

/// What is known of a format before a byte has arrived. Configuration may overrule each value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spec {
    /// The usual sampling frequency in Hz.
    pub fs_hz: f64,
    /// The usual line speed in baud.
    pub baud: u32,
    /// Amplifier gain of the ECG channel.
    pub gain: f64,
    /// Reference voltage of the converter in volts.
    pub vref_volts: f64,
    /// Low bits of the ECG that the firmware dropped: 8 where it sends 16 of 24 bits.
    pub code_shift: u32,
    /// Lost frames are counted by the board.
    pub has_counter: bool,
    /// Lead-off bits that mean something; the flag of ProtoCentral's firmware never does (comparators off).
    pub has_lead_off: bool,
    /// The channel that is the ECG unless told otherwise: 1 or 2.
    pub ecg_channel: u8,
}

/// A name that is no format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownFormat {
    /// What was given.
    pub given: String,
}

impl fmt::Display for UnknownFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no wire format; known are", self.given)?;
        for (n, format) in Format::ALL.into_iter().enumerate() {
            write!(f, "{} {format}", if n == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownFormat {}

/// The reference voltage of every firmware met so far (CONFIG2 bit 4 clear).
const VREF_VOLTS: f64 = 2.42;

/// Gain and dropped bits of one channel of a firmware.
#[derive(Clone, Copy)]
struct Amplifier {
    gain: f64,
    code_shift: u32,
}

/// The chip's default (CHnSET bits 6:4 = 000), all 24 bits sent.
const CHIP_DEFAULT: Amplifier = Amplifier { gain: 6.0, code_shift: 0 };
/// ProtoCentral's CH1SET = 0x40, respiration. Its comments say gain 6; the register says 4.
const PROTOCENTRAL_1: f64 = 4.0;
/// ProtoCentral's CH2SET = 0x60, ECG. Its comments say gain 6; the register says 12.
const PROTOCENTRAL_2: f64 = 12.0;

impl Format {
    /// Every format.
    pub const ALL: [Format; 16] = [
        Format::CwxsBin,
        Format::Ov9,
        Format::Ov8a,
        Format::Ov8b,
        Format::Ov7,
        Format::Ov20,
        Format::Ov20HealthyPi4,
        Format::Ov20HealthyPi3,
        Format::Raw9,
        Format::Csv,
        Format::Columns(1),
        Format::Columns(2),
        Format::Columns(3),
        Format::Columns(4),
        Format::Columns(5),
        Format::Columns(6),
    ];

    /// The name in configuration files, logs and messages. [`FromStr`] reads it back.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Format::CwxsBin => "cwxs-bin",
            Format::Ov9 => "ov9",
            Format::Ov8a => "ov8a",
            Format::Ov8b => "ov8b",
            Format::Ov7 => "ov7",
            Format::Ov20 => "ov20",
            Format::Ov20HealthyPi4 => "ov20-healthypi4",
            Format::Ov20HealthyPi3 => "ov20-healthypi3",
            Format::Raw9 => "raw9",
            Format::Csv => "csv",
            Format::Columns(0 | 1) => "columns-1",
            Format::Columns(2) => "columns-2",
            Format::Columns(3) => "columns-3",
            Format::Columns(4) => "columns-4",
            Format::Columns(5) => "columns-5",
            Format::Columns(_) => "columns-6",
        }
    }

    /// What is known of the format, for its usual ECG channel.
    #[must_use]
    pub fn spec(self) -> Spec {
        self.spec_for(EcgChannel::OfFormat)
    }

    /// What is known of the format when `channel` is the ECG: gain and dropped bits are that channel's.
    ///
    /// ```
    /// use ecg_wire::{EcgChannel, Format};
    /// assert_eq!(Format::Ov9.spec().gain, 12.0);
    /// assert_eq!(Format::Ov9.spec_for(EcgChannel::One).gain, 4.0);
    /// ```
    #[must_use]
    pub fn spec_for(self, channel: EcgChannel) -> Spec {
        let (fs_hz, baud) = self.usual_line();
        let ecg_channel = self.resolve(channel);
        let Amplifier { gain, code_shift } = self.amplifier(ecg_channel);
        Spec {
            fs_hz,
            baud,
            gain,
            vref_volts: VREF_VOLTS,
            code_shift,
            has_counter: matches!(self, Format::CwxsBin | Format::Ov8b),
            has_lead_off: matches!(self, Format::CwxsBin | Format::Raw9),
            ecg_channel,
        }
    }

    /// Bytes of one frame, which is one sample; `None` for text, whose lines vary.
    #[must_use]
    pub fn frame_len(self) -> Option<usize> {
        match self {
            Format::CwxsBin => Some(crate::cwxs_bin::FRAME_LEN),
            Format::Raw9 => Some(crate::raw9::FRAME_LEN),
            Format::Ov9 => Some(crate::openview::frame_len(9)),
            Format::Ov8a | Format::Ov8b => Some(crate::openview::frame_len(8)),
            Format::Ov7 => Some(crate::openview::frame_len(7)),
            Format::Ov20 | Format::Ov20HealthyPi4 | Format::Ov20HealthyPi3 => Some(crate::openview::frame_len(20)),
            Format::Csv | Format::Columns(_) => None,
        }
    }

    /// Sampling frequency in Hz and line speed in baud as the public firmware of each format sets them.
    fn usual_line(self) -> (f64, u32) {
        match self {
            Format::CwxsBin | Format::Csv | Format::Columns(2..=5) => (250.0, 115_200),
            Format::Columns(6..) => (500.0, 921_600),
            Format::Ov9 | Format::Ov8b | Format::Columns(0 | 1) => (125.0, 57_600),
            Format::Ov8a | Format::Ov7 | Format::Ov20 | Format::Ov20HealthyPi4 | Format::Ov20HealthyPi3 => {
                (125.0, 115_200)
            }
            Format::Raw9 => (125.0, 115_200),
        }
    }

    fn amplifier(self, channel: u8) -> Amplifier {
        let protocentral = if channel == 1 { PROTOCENTRAL_1 } else { PROTOCENTRAL_2 };
        match self {
            Format::CwxsBin | Format::Raw9 | Format::Csv | Format::Columns(_) => CHIP_DEFAULT,
            Format::Ov9 | Format::Ov20 | Format::Ov20HealthyPi4 | Format::Ov20HealthyPi3 => {
                Amplifier { gain: protocentral, code_shift: 8 }
            }
            Format::Ov7 => Amplifier { gain: protocentral, code_shift: if channel == 1 { 0 } else { 8 } },
            Format::Ov8a => Amplifier { gain: protocentral, code_shift: 0 },
            Format::Ov8b => Amplifier { gain: PROTOCENTRAL_2, code_shift: 0 },
        }
    }

    /// The channel, 1 or 2, that `choice` means in this format.
    pub(crate) fn resolve(self, choice: EcgChannel) -> u8 {
        match (choice, self) {
            // One channel is sent, and it is channel 2 in ProtoCentral's wiring.
            (_, Format::Ov8b) => 2,
            (_, Format::Columns(0 | 1)) => 1,
            (EcgChannel::One, _) => 1,
            (EcgChannel::Two, _) => 2,
            (EcgChannel::OfFormat, Format::CwxsBin | Format::Csv | Format::Columns(_)) => 1,
            // The chip's own wiring: respiration is possible on channel 1 only, so ECG is on channel 2.
            (EcgChannel::OfFormat, _) => 2,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    /// Reads a [`name`](Format::name). `cwxs-csv` is accepted for `columns-4`, which it is.
    fn from_str(given: &str) -> Result<Self, UnknownFormat> {
        if given == "cwxs-csv" {
            return Ok(Format::Columns(4));
        }
        Format::ALL
            .into_iter()
            .find(|format| format.name() == given)
            .ok_or_else(|| UnknownFormat { given: given.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back_as_its_format() {
        for format in Format::ALL {
            assert_eq!(format.name().parse(), Ok(format));
        }
        assert_eq!("cwxs-csv".parse(), Ok(Format::Columns(4)));
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = "ov10".parse::<Format>().unwrap_err().to_string();
        assert!(
            error.contains("`ov10`") && error.contains("cwxs-bin, ov9,") && error.ends_with("columns-6"),
            "{error}"
        );
    }

    #[test]
    fn the_two_gains_of_protocentral_are_those_of_its_registers() {
        for format in [Format::Ov9, Format::Ov8a, Format::Ov7, Format::Ov20, Format::Ov20HealthyPi4] {
            assert_eq!((format.spec_for(EcgChannel::One).gain, format.spec().gain), (4.0, 12.0), "{format}");
            assert!(!format.spec().has_lead_off);
        }
    }
}
