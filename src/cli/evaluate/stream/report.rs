//! What an evaluation of streams says: for people, for machines, as a drawing.

use std::fmt;

use serde::Serialize;

use crate::cli::evaluate::outcome::Figure;
use crate::inference::Model;
use ecg_plot::{Axis, Chart, Line, Panel, colours};

/// Side of a panel, pixels.
const SIDE: f64 = 380.0;
/// The axis of accepted strangers begins here; less is drawn at its end.
const LOWEST: f64 = 0.001;

/// The figures at one setting. Shares are fractions.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// The false positive rate asked for, or the threshold.
    pub setting: f64,
    /// It is a rate.
    pub by_rate: bool,
    /// The score that five heartbeats have to reach in the household that asks most: persons with several templates count
    /// for more.
    pub threshold_at_5_beats: f64,
    /// From contact to *verified*, of those who are verified.
    pub seconds_to_verified_median: Figure,
    /// Within which 95 % of those who are verified are.
    pub seconds_to_verified_95pct: Figure,
    /// Share of contact sessions in which the person is verified at any time.
    pub verified: Figure,
    /// Share of the time after that in which it stays so.
    pub verified_held: Figure,
    /// Share of bare swaps from a verified person after which *verified* ends within 3 s.
    pub bare_swap_ended: Figure,
    /// The same with lead-off between.
    pub lead_off_swap_ended: Figure,
    /// Share of stranger sessions in which anybody is verified at any time.
    pub stranger_accepted: Figure,
    /// Share of contact sessions in which another member of the household is verified at any time.
    pub wrong_person: Figure,
}

/// The whole result.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    collection: String,
    enrol: String,
    probe: String,
    model: String,
    mains: &'static str,
    household: usize,
    stranger_seconds: f64,
    /// Seconds of different signal in a stranger session: smallest, median, largest.
    stranger_own_seconds: [f64; 3],
    warning: Option<String>,
    /// At the setting that was asked for.
    decision: Row,
    /// At all settings, by rising setting.
    curve: Vec<Row>,
}

impl Report {
    /// Puts the figures together. `what` is collection, enrol and probe selection; the first of `rows` is the setting
    /// that was asked for.
    #[must_use]
    pub fn new(
        what: [String; 3],
        (model, mains): (&Model, &'static str),
        (household, stranger_seconds, mut own_s): (usize, f64, Vec<f64>),
        warning: Option<String>,
        rows: Vec<Row>,
    ) -> Self {
        let [collection, enrol, probe] = what;
        own_s.sort_by(f64::total_cmp);
        let at = |q: usize| own_s.get((own_s.len().max(1) - 1) * q / 2).copied().unwrap_or(0.0);
        let decision = rows[0].clone();
        let mut curve = rows;
        curve.sort_by(|a, b| a.setting.total_cmp(&b.setting));
        Self {
            collection,
            enrol,
            probe,
            model: model.id().to_owned(),
            mains,
            household,
            stranger_seconds,
            stranger_own_seconds: [at(0), at(1), at(2)],
            warning,
            decision,
            curve,
        }
    }

    /// The trade-off as a drawing: strangers accepted against members verified, and against the time it takes.
    #[must_use]
    pub fn svg(&self) -> String {
        let strangers = |row: &Row| row.stranger_accepted.value.unwrap_or(f64::NAN);
        let line = |name: &str, colour, of: &dyn Fn(&Row) -> Option<f64>| Line {
            name: name.into(),
            colour,
            thick: true,
            dashed: false,
            points: self.curve.iter().map(|row| (strangers(row), of(row).unwrap_or(f64::NAN))).collect(),
        };
        let dot = |name: &str, value: Option<f64>| Line {
            name: name.into(),
            colour: colours::ORANGE,
            thick: true,
            dashed: false,
            points: vec![(strangers(&self.decision).max(LOWEST), value.unwrap_or(f64::NAN))],
        };
        let d = &self.decision;
        let asked = "the setting asked for";
        let panels = vec![
            Panel {
                title: "members".into(),
                x: shares("strangers accepted within the time"),
                y: Axis::linear("share", (0.0, 1.0), 5),
                lines: vec![
                    line("verified at any time", colours::BLUE, &|row| row.verified.value),
                    line("bare swap ended within 3 s", colours::GREY, &|row| row.bare_swap_ended.value),
                    dot(asked, d.verified.value),
                ],
            },
            Panel {
                title: "seconds from contact to verified".into(),
                x: shares("strangers accepted within the time"),
                y: Axis::linear("seconds", (0.0, 30.0), 6),
                lines: vec![
                    line("median", colours::BLUE, &|row| row.seconds_to_verified_median.value),
                    line("95 %", colours::GREY, &|row| row.seconds_to_verified_95pct.value),
                    dot(asked, d.seconds_to_verified_median.value),
                ],
            },
        ];
        let title = format!("Decision over time: {}, enrol {}, stream {}", self.model, self.enrol, self.probe);
        Chart { title, note: self.conditions(), size: (SIDE, SIDE), panels }.svg()
    }

    fn conditions(&self) -> String {
        let [least, usual, most] = self.stranger_own_seconds;
        format!(
            "{} persons, households of {}; strangers heard for {:.0} s, of which {least:.0} / {usual:.0} / {most:.0} s \
             (least, median, most) are different signal",
            self.decision.verified.persons, self.household, self.stranger_seconds
        )
    }
}

fn shares(label: &str) -> Axis {
    let ticks =
        [(0.001, "0.1 %"), (0.003, "0.3"), (0.01, "1 %"), (0.03, "3"), (0.1, "10 %"), (0.3, "30"), (1.0, "100 %")];
    Axis::ticked(label, &ticks.map(|(rate, word)| (rate, word.to_owned())), |rate| rate.max(LOWEST).log10())
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let d = &self.decision;
        writeln!(f, "{}: enrol {}, stream {}", self.collection, self.enrol, self.probe)?;
        writeln!(f, "model {}; {}", self.model, self.conditions())?;
        let setting = if d.by_rate { "false positive rate" } else { "threshold" };
        writeln!(f, "{setting} {}: five heartbeats need {:.3}", d.setting, d.threshold_at_5_beats)?;
        let lines: [(&str, &Figure, f64, &str); 8] = [
            ("time to verified, median", &d.seconds_to_verified_median, 1.0, "s"),
            ("time to verified, 95 %", &d.seconds_to_verified_95pct, 1.0, "s"),
            ("verified at any time", &d.verified, 100.0, "%"),
            ("…of the time from then on", &d.verified_held, 100.0, "%"),
            ("swap, bare: ended in 3 s", &d.bare_swap_ended, 100.0, "%"),
            ("swap, lead-off: ended in 3 s", &d.lead_off_swap_ended, 100.0, "%"),
            ("stranger accepted", &d.stranger_accepted, 100.0, "%"),
            ("wrong person accepted", &d.wrong_person, 100.0, "%"),
        ];
        for (name, figure, scale, unit) in lines {
            let show = |x: Option<f64>| x.map_or_else(|| "-".into(), |x| format!("{:.1}", scale * x));
            let [value, low, high] = [figure.value, figure.low, figure.high].map(show);
            let of = format!("{} sessions of {} persons", figure.sessions, figure.persons);
            writeln!(f, "{name:30} {value:>6} {unit}  [{low} – {high}]  {of}")?;
        }
        writeln!(f)?;
        let head = ["verified", "median s", "95 % s", "held", "swap bare", "lead-off", "stranger", "wrong"];
        write!(f, "{setting:>20}")?;
        head.iter().try_for_each(|word| write!(f, " {word:>9}"))?;
        writeln!(f)?;
        for row in &self.curve {
            let show = |x: Option<f64>, scale: f64| x.map_or_else(|| "-".into(), |x| format!("{:.1}", scale * x));
            let cells = [
                show(row.verified.value, 100.0),
                show(row.seconds_to_verified_median.value, 1.0),
                show(row.seconds_to_verified_95pct.value, 1.0),
                show(row.verified_held.value, 100.0),
                show(row.bare_swap_ended.value, 100.0),
                show(row.lead_off_swap_ended.value, 100.0),
                show(row.stranger_accepted.value, 100.0),
                show(row.wrong_person.value, 100.0),
            ];
            write!(f, "{:>20.4}", row.setting)?;
            cells.iter().try_for_each(|cell| write!(f, " {cell:>9}"))?;
            writeln!(f)?;
        }
        writeln!(
            f,
            "shares in per cent; intervals: 95 %, bootstrap over persons; those of strangers over the strangers alone,"
        )?;
        writeln!(f, "whose households are not drawn anew")
    }
}
