//! Which column of a text file holds what.
//!
//! Must not know of values.

/// What is accepted, for error messages.
pub(super) const FORMS: &str = "expected a header such as `timestamp,Channel 1,Channel 2,Channel 3`, \
     `ms,ecg,resp,status` or `time_s,ecg_mv`, or 1 to 6 columns of whole numbers";

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    EcgCode,
    EcgMillivolts,
    RespirationCode,
    Status,
}

impl Role {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::EcgCode | Self::EcgMillivolts => "ecg",
            Self::RespirationCode => "respiration",
            Self::Status => "status",
        }
    }
}

/// Positions of the columns in a row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layout {
    /// Columns of a row.
    pub(super) width: usize,
    /// The time.
    pub(super) time: Option<usize>,
    /// What one of it is in seconds, where the header says so.
    pub(super) time_unit_s: Option<f64>,
    /// Signals in the order in which the record gives them: the ECG first.
    pub(super) signals: Vec<(Role, usize)>,
    pub(super) warnings: Vec<String>,
}

impl Layout {
    /// By the names of a header line; `None` where it names no ECG.
    pub(super) fn from_header(fields: &[&str]) -> Option<Layout> {
        let mut layout =
            Layout { width: fields.len(), time: None, time_unit_s: None, signals: Vec::new(), warnings: Vec::new() };
        for (position, field) in fields.iter().enumerate() {
            let key: String = field.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_ascii_lowercase();
            if let (Some(unit_s), None) = (time_unit_s(&key), layout.time) {
                (layout.time, layout.time_unit_s) = (Some(position), unit_s);
                continue;
            }
            let role = match key.as_str() {
                "channel1" | "ch1" | "ecg" | "ecgcode" => Role::EcgCode,
                "ecgmv" | "mv" | "millivolts" => Role::EcgMillivolts,
                "channel2" | "ch2" | "resp" | "respiration" => Role::RespirationCode,
                "channel3" | "ch3" | "status" | "leadoff" => Role::Status,
                _ => {
                    layout.warnings.push(format!("column {field:?} is not used"));
                    continue;
                }
            };
            if layout.signals.iter().any(|(known, _)| known.name() == role.name()) {
                layout.warnings.push(format!("column {field:?} is a second {} and not used", role.name()));
            } else {
                layout.signals.push((role, position));
            }
        }
        layout.signals.sort_by_key(|(role, _)| match role {
            Role::EcgCode | Role::EcgMillivolts => 0,
            Role::RespirationCode => 1,
            Role::Status => 2,
        });
        let has_ecg = layout.signals.first().is_some_and(|(role, _)| role.name() == "ecg");
        has_ecg.then_some(layout)
    }

    /// Of rows without a header, by their number of columns.
    pub(super) fn without_header(width: usize) -> Result<Layout, String> {
        let first = match width {
            1..=2 => 0,
            3..=6 => 1,
            _ => return Err(format!("{width} columns and no header; {FORMS}")),
        };
        let roles = [Role::EcgCode, Role::RespirationCode, Role::Status];
        let signals = roles.into_iter().zip(first..width).collect();
        let warnings = vec![format!("no header: column {} of {width} is taken for the ECG", first + 1)];
        Ok(Layout { width, time: (first == 1).then_some(0), time_unit_s: None, signals, warnings })
    }
}

/// What one of a column of this name is in seconds, where it holds the time; the inner `None` where its name does not say.
fn time_unit_s(key: &str) -> Option<Option<f64>> {
    match key {
        "timestamp" | "time" => Some(None),
        "times" | "timestamps" | "s" | "seconds" => Some(Some(1.0)),
        "timems" | "timestampms" | "ms" | "milliseconds" => Some(Some(1e-3)),
        "timeus" | "timestampus" | "us" | "microseconds" => Some(Some(1e-6)),
        _ => None,
    }
}

/// Fields of a line, without spaces and quotes around them.
pub(super) fn fields(line: &str, separator: char) -> impl Iterator<Item = &str> {
    line.split(separator).map(|field| {
        let field = field.trim();
        field.strip_prefix('"').and_then(|f| f.strip_suffix('"')).unwrap_or(field).trim()
    })
}
