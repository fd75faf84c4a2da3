//! The worst comparisons with their mean beats one over the other: what the network saw when it was wrong.

use std::collections::BTreeMap;

use ecg_identity::rates::Comparison;
use ecg_plot::{Axis, Frame, Svg, colours, escape};
use ecg_signal::{FS, SEGMENT_R_INDEX, SEGMENT_SAMPLES};

use super::{Scores, Section};
use crate::prepared::{MeanBeat, Prepared, mean};

/// Cases of either kind.
const CASES: usize = 6;
/// Width and height of a picture, pixels.
const SIZE: (f64, f64) = (250.0, 130.0);

/// The lowest mated and the highest non-mated comparisons of each group's widest protocol.
pub(in crate::fit) fn cases(scores: &[Scores<'_>], records: &[Prepared]) -> Section {
    let beats = Beats::new(records);
    let mut body = String::new();
    for one in scores.iter().filter(|one| one.protocol == crate::measure::Protocol::Records.name()) {
        let mut comparisons: Vec<&Comparison> = one.records.iter().filter(|c| c.score.is_finite()).collect();
        comparisons.sort_by(|a, b| a.score.total_cmp(&b.score));
        let mated = |c: &&&Comparison| c.probe_subject == c.reference_subject;
        let lowest: Vec<&Comparison> = comparisons.iter().filter(mated).take(CASES).copied().collect();
        let highest: Vec<&Comparison> = comparisons.iter().rev().filter(|c| !mated(c)).take(CASES).copied().collect();
        for (title, cases) in [("lowest scores of one person", lowest), ("highest scores of two persons", highest)] {
            let heading = escape(&format!("{}, {title}; persons {}", one.collection, one.group));
            let figures: String = cases.iter().map(|case| beats.figure(case)).collect();
            body.push_str(&format!("<h3>{heading}</h3><div class=\"pictures\">{figures}</div>\n"));
        }
    }
    Section {
        title: "Worst cases",
        note:
            "Mean model input of the probe record (blue) over that of the reference's first record (orange), z-scored, \
               from 0.25 s before R to 0.45 s after."
                .into(),
        body,
    }
}

/// Mean inputs of all records.
struct Beats {
    /// By `collection:record`.
    of_record: BTreeMap<String, MeanBeat>,
    /// First record of each person.
    first: BTreeMap<String, String>,
}

impl Beats {
    fn new(records: &[Prepared]) -> Self {
        let (mut of_record, mut first) = (BTreeMap::new(), BTreeMap::new());
        for record in records {
            let name = format!("{}:{}", record.person.collection, record.record);
            first.entry(record.person.to_string()).or_insert_with(|| name.clone());
            if let Some(mean) = mean(&record.inputs) {
                of_record.insert(name, mean);
            }
        }
        Self { of_record, first }
    }

    fn figure(&self, case: &Comparison) -> String {
        let probe = case.probe_record.split('#').next().unwrap_or_default();
        let reference = self.first.get(&case.reference_subject).map_or("", String::as_str);
        let beats = [(reference, colours::VERMILLION), (probe, colours::BLUE)];
        let drawn = beats.into_iter().filter_map(|(name, colour)| Some((&self.of_record.get(name)?.0, colour)));
        let sizes = match (self.of_record.get(probe), self.of_record.get(reference)) {
            (Some((_, probe)), Some((_, reference))) => format!("; {probe:.2} and {reference:.2} mV"),
            _ => String::new(),
        };
        let (score, reference) = (case.score, escape(&case.reference_subject));
        let caption = format!("<b>{score:.3}</b> {} against {reference}{sizes}", escape(probe));
        format!("<figure>{}<figcaption>{caption}</figcaption></figure>", picture(drawn))
    }
}

fn picture<'b>(beats: impl Iterator<Item = (&'b [f64; SEGMENT_SAMPLES], &'static str)>) -> String {
    let at = |index: usize| (index as f64 - SEGMENT_R_INDEX as f64) / FS.0;
    let blank = |ends| Axis { label: String::new(), ends, ticks: Vec::new(), step: 0.0, scale: |value| value };
    let ends = (at(0), at(SEGMENT_SAMPLES - 1));
    let frame = Frame { area: [0.0, 0.0, SIZE.0, SIZE.1], x: blank(ends), y: blank((-4.0, 6.0)) };
    let mut svg = Svg::new(SIZE.0);
    frame.grid(&mut svg, (0.2, 2.0), colours::PAPER.1);
    for (beat, colour) in beats {
        let points: Vec<(f64, f64)> = beat.iter().enumerate().map(|(index, value)| (at(index), *value)).collect();
        svg.path(&frame.line(&points), &format!("fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.6\""), "");
    }
    svg.finish(SIZE.1, "Two mean beats", "", "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Protocol;
    use crate::split::Person;
    use ecg_signal::PreparedBeat;

    fn record(subject: &str, record: &str) -> Prepared {
        let person = Person { collection: "c".into(), subject: subject.into() };
        let inputs = vec![PreparedBeat { values: [0.5; SEGMENT_SAMPLES], amplitude_mv: 0.2 }; 2];
        Prepared {
            person,
            record: record.into(),
            session: String::new(),
            fs: ecg_signal::FS,
            takes: vec![],
            inputs,
            contacts: vec![],
            on_boards: vec![],
            beats_found: 2,
        }
    }

    #[test]
    fn the_worst_of_both_kinds_are_shown_with_both_beats() {
        let one = |reference: &str, score| Comparison {
            probe_record: "c:a2#0".into(),
            probe_subject: "c:a".into(),
            reference_subject: reference.into(),
            score,
        };
        let comparisons = [one("c:a", 0.31), one("c:b", 0.87)];
        let protocol = Protocol::Records.name();
        let scores = Scores { protocol, collection: "c", group: "g", records: &comparisons, windows: &[] };
        let body = cases(&[scores], &[record("a", "a1"), record("a", "a2"), record("b", "b1")]).body;
        assert!(
            body.contains("<b>0.310</b> c:a2 against c:a; 0.20 and 0.20 mV")
                && body.contains("<b>0.870</b> c:a2 against c:b")
        );
        assert_eq!(body.matches("stroke-width=\"1.6\"").count(), 4);
    }
}
