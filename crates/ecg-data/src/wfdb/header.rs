//! The text header of a WFDB record (`.hea`): the record line, a line for each signal, comments.
//!
//! Must not know of signal files. Never panics, whatever the text.
//!
//! ```
//! let text = "100 1 360 650000 0:0:0 0/0/0\n100.dat 212 200(1024)/mV 11 1024 995 -22131 0 MLII\n# 69 M\n";
//! let header = ecg_data::wfdb::header::Header::parse(text).unwrap();
//! assert_eq!((header.fs, header.samples), (360.0, Some(650_000)));
//! assert_eq!((header.signals[0].gain, header.signals[0].baseline), (200.0, 1024));
//! assert_eq!(header.comments, ["69 M"]);
//! ```

/// Gain that WFDB takes where a header gives none or 0: codes a millivolt.
pub const DEFAULT_GAIN: f64 = 200.0;
/// Sampling frequency that WFDB takes where a header gives none, in hertz.
pub const DEFAULT_FS: f64 = 250.0;

/// A parsed header.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// Name of the record.
    pub name: String,
    /// Frames a second, in hertz.
    pub fs: f64,
    /// Ticks a second of the recorder's counter; the sampling frequency where the header gives none.
    pub counter_fs: f64,
    /// Counter value of the first sample.
    pub counter_base: f64,
    /// Samples of each signal; `None` where the header leaves it to the files' length.
    pub samples: Option<u64>,
    /// Time of day of the first sample, as written.
    pub base_time: Option<String>,
    /// Date of the first sample, as written.
    pub base_date: Option<String>,
    /// One for each signal.
    pub signals: Vec<SignalSpec>,
    /// Comment lines without `#` and outer spaces; empty ones left out.
    pub comments: Vec<String>,
}

/// A signal line of the header.
#[derive(Clone, Debug, PartialEq)]
pub struct SignalSpec {
    /// Name of the signal file, relative to the header.
    pub file: String,
    /// How the file packs its samples.
    pub format: SampleFormat,
    /// Samples of this signal in each frame, at least 1.
    pub samples_per_frame: usize,
    /// Frames by which this signal lies later in the file than the others.
    pub skew: usize,
    /// Bytes before the first sample.
    pub byte_offset: usize,
    /// Codes for each physical unit, never 0.
    pub gain: f64,
    /// False where the header gives no gain, or 0, and [`DEFAULT_GAIN`] stands in.
    pub calibrated: bool,
    /// Code of 0 physical units.
    pub baseline: i32,
    /// Physical units; `mV` where the header gives none.
    pub units: String,
    /// Resolution of the converter in bits; `None` where it is unknown.
    pub adc_bits: Option<u32>,
    /// Code in the middle of the converter's range.
    pub adc_zero: i32,
    /// Code of the first sample.
    pub initial_value: Option<i32>,
    /// Sum of all codes modulo 2^16.
    pub checksum: Option<u16>,
    /// What the signal is.
    pub description: String,
}

/// How a signal file packs its samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleFormat {
    /// 16-bit two's complement, little endian; −32768 is an invalid sample.
    Bits16,
    /// Two 12-bit two's complement samples in three bytes; −2048 is an invalid sample.
    Bits12Packed,
}

/// A line that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderError {
    /// Line, counted from 1.
    pub line: usize,
    /// What is wrong, with what to do.
    pub problem: String,
}

impl SignalSpec {
    /// The converter's rails for these codes; `None` where no code touches one, or where codes lie beyond them, so
    /// that the header's resolution cannot be true (the noise stress test writes such headers).
    pub(crate) fn rails(&self, codes: &[i32]) -> Option<(i32, i32)> {
        let half = 1i32.checked_shl(self.adc_bits?.checked_sub(1)?).filter(|half| *half > 1)?;
        let low = self.adc_zero.checked_sub(half)?;
        let high = self.adc_zero.checked_add(half - 1)?;
        let invalid = self.format.invalid();
        let valid = || codes.iter().filter(move |&&code| code != invalid);
        let inside = valid().all(|code| (low..=high).contains(code));
        (inside && valid().any(|&code| code == low || code == high)).then_some((low, high))
    }
}

impl SampleFormat {
    /// The code that stands for "no sample here".
    pub fn invalid(self) -> i32 {
        match self {
            Self::Bits16 => -32_768,
            Self::Bits12Packed => -2_048,
        }
    }
}

impl Header {
    /// Parses the text of a `.hea` file.
    ///
    /// # Errors
    /// [`HeaderError`] with the line and what is wrong with it.
    pub fn parse(text: &str) -> Result<Header, HeaderError> {
        let mut header: Option<(Header, usize)> = None;
        let mut comments = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let fail = |problem: String| HeaderError { line: index + 1, problem };
            let line = line.trim();
            if let Some(comment) = line.strip_prefix('#') {
                if !comment.trim().is_empty() {
                    comments.push(comment.trim().to_owned());
                }
            } else if line.is_empty() {
            } else if let Some((header, expected)) = &mut header {
                if header.signals.len() < *expected {
                    header.signals.push(signal_line(line).map_err(fail)?);
                }
            } else {
                header = Some(record_line(line).map_err(fail)?);
            }
        }
        let last = text.lines().count().max(1);
        let (mut header, expected) = header
            .ok_or_else(|| HeaderError { line: last, problem: "no record line: this is not a WFDB header".into() })?;
        if header.signals.len() < expected {
            let found = header.signals.len();
            let problem = format!("{expected} signals promised, {found} described: the header is cut short");
            return Err(HeaderError { line: last, problem });
        }
        header.comments = comments;
        Ok(header)
    }
}

/// `name[/segments] signals [fs[/counter_fs[(base)]] [samples [time [date]]]]`
fn record_line(line: &str) -> Result<(Header, usize), String> {
    let mut fields = line.split_whitespace();
    let name = fields.next().ok_or("an empty record line")?;
    if name.contains('/') {
        return Err("a multi-segment record: give one of its segments instead".into());
    }
    let count = fields.next().ok_or("no number of signals after the record's name: this is not a WFDB header")?;
    let count = number::<usize>(count, "number of signals")?;
    let (fs, counter_fs, counter_base) = match fields.next() {
        None => (DEFAULT_FS, DEFAULT_FS, 0.0),
        Some(field) => frequencies(field)?,
    };
    let samples = match fields.next() {
        None => None,
        Some(field) => Some(number::<u64>(field, "number of samples")?).filter(|&n| n > 0),
    };
    let header = Header {
        name: name.to_owned(),
        fs,
        counter_fs,
        counter_base,
        samples,
        base_time: fields.next().map(str::to_owned),
        base_date: fields.next().map(str::to_owned),
        signals: Vec::new(),
        comments: Vec::new(),
    };
    Ok((header, count))
}

/// `fs[/counter_fs[(counter_base)]]`
fn frequencies(field: &str) -> Result<(f64, f64, f64), String> {
    let (fs, counter) = field.split_once('/').unwrap_or((field, ""));
    let fs = number::<f64>(fs, "sampling frequency")?;
    // Written so that NaN is refused as well.
    if !(fs > 0.0 && fs.is_finite()) {
        return Err(format!("sampling frequency {fs} is not a positive number"));
    }
    let (counter_fs, base) = split_bracket(counter, '(', ')')?;
    let counter_fs = if counter_fs.is_empty() { fs } else { number(counter_fs, "counter frequency")? };
    let base = base.map_or(Ok(0.0), |base| number(base, "base counter value"))?;
    Ok((fs, if counter_fs > 0.0 { counter_fs } else { fs }, base))
}

/// `file format[xN][:skew][+offset] [gain[(baseline)][/units] [bits [zero [initial [checksum [block [description]]]]]]]`
fn signal_line(line: &str) -> Result<SignalSpec, String> {
    let mut rest = line;
    let file = next_field(&mut rest).ok_or("an empty signal line")?.to_owned();
    let packing = Packing::parse(next_field(&mut rest).ok_or("no signal format after the file name")?)?;
    let scale = next_field(&mut rest).map_or(Ok(Scale::default()), Scale::parse)?;
    let bits = next_field(&mut rest).map_or(Ok(0), |f| number::<u32>(f, "converter resolution"))?;
    let adc_zero = next_field(&mut rest).map_or(Ok(0), |f| number::<i32>(f, "converter zero"))?;
    let initial_value = next_field(&mut rest).map(|f| number::<i32>(f, "initial value")).transpose()?;
    let checksum = next_field(&mut rest).map(|f| number::<i64>(f, "checksum")).transpose()?;
    let _block_size = next_field(&mut rest);
    Ok(SignalSpec {
        file,
        format: packing.format,
        samples_per_frame: packing.samples_per_frame,
        skew: packing.skew,
        byte_offset: packing.byte_offset,
        gain: scale.gain,
        calibrated: scale.calibrated,
        baseline: scale.baseline.unwrap_or(adc_zero),
        units: scale.units,
        adc_bits: (1..=31).contains(&bits).then_some(bits),
        adc_zero,
        initial_value,
        // Written as a signed or an unsigned 16-bit number: the same modulo 2^16.
        checksum: checksum.map(|sum| sum as u16),
        description: rest.trim().to_owned(),
    })
}

struct Packing {
    format: SampleFormat,
    samples_per_frame: usize,
    skew: usize,
    byte_offset: usize,
}

impl Packing {
    /// `format[xSAMPLES_PER_FRAME][:SKEW][+BYTE_OFFSET]`
    fn parse(field: &str) -> Result<Packing, String> {
        let (field, byte_offset) = optional(field, '+', "byte offset", 0)?;
        let (field, skew) = optional(field, ':', "skew", 0)?;
        let (field, samples_per_frame) = optional(field, 'x', "samples a frame", 1)?;
        let format = match field {
            "16" => SampleFormat::Bits16,
            "212" => SampleFormat::Bits12Packed,
            other => return Err(format!("signal format {other:?} is not read (16 and 212 are); convert with `xform`")),
        };
        if samples_per_frame == 0 {
            return Err("0 samples a frame".into());
        }
        Ok(Packing { format, samples_per_frame, skew, byte_offset })
    }
}

struct Scale {
    gain: f64,
    calibrated: bool,
    baseline: Option<i32>,
    units: String,
}

impl Default for Scale {
    fn default() -> Self {
        Self { gain: DEFAULT_GAIN, calibrated: false, baseline: None, units: "mV".into() }
    }
}

impl Scale {
    /// `gain[(baseline)][/units]`
    fn parse(field: &str) -> Result<Scale, String> {
        let (field, units) = field.split_once('/').unwrap_or((field, "mV"));
        let (gain, baseline) = split_bracket(field, '(', ')')?;
        let gain = number::<f64>(gain, "gain")?;
        if !gain.is_finite() {
            return Err(format!("gain {gain} is not a finite number"));
        }
        let baseline = baseline.map(|b| number::<i32>(b, "baseline")).transpose()?;
        // WFDB: a gain of 0 says "uncalibrated".
        let calibrated = gain != 0.0;
        Ok(Scale { gain: if calibrated { gain } else { DEFAULT_GAIN }, calibrated, baseline, units: units.to_owned() })
    }
}

/// Takes `text` apart at an opening bracket; the closing one must end it.
fn split_bracket(text: &str, open: char, close: char) -> Result<(&str, Option<&str>), String> {
    match text.split_once(open) {
        None => Ok((text, None)),
        Some((before, inside)) => match inside.strip_suffix(close) {
            Some(inside) => Ok((before, Some(inside))),
            None => Err(format!("{text:?} opens a bracket and does not close it")),
        },
    }
}

/// Takes `MARKnumber` off the end of a field; `default` where the mark is absent.
fn optional<'a>(field: &'a str, mark: char, what: &str, default: usize) -> Result<(&'a str, usize), String> {
    match field.split_once(mark) {
        None => Ok((field, default)),
        Some((before, value)) => Ok((before, number(value, what)?)),
    }
}

/// Takes the next field off the front of a line, leaving the rest with its own spaces (a description keeps them).
fn next_field<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let text = rest.trim_start();
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (field, after) = text.split_at(end);
    *rest = after;
    (!field.is_empty()).then_some(field)
}

fn number<T: std::str::FromStr>(text: &str, what: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{what} {text:?} is not a number that fits"))
}
