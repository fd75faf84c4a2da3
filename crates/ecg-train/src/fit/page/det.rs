//! Detection-error trade-off: FMR against FNMR on normal-deviate axes, one panel a protocol, one line a collection.

use ecg_identity::rates::det_curve;
use ecg_plot::{Axis, Chart, Line, Panel, colours};

use super::{Scores, Section, pictures};

/// The axes run between these rates; what lies beyond stands at their ends.
const ENDS: (f64, f64) = (0.001, 0.5);
/// Width and height of a panel, pixels.
const SIZE: (f64, f64) = (300.0, 300.0);

/// One drawing for each group of persons.
pub(in crate::fit) fn det(scores: &[Scores<'_>]) -> Section {
    let drawings: Vec<String> = scores.chunk_by(|a, b| a.group == b.group).map(drawing).collect();
    Section {
        title: "Detection-error trade-off",
        note:
            "Records as probes. Axes are even in the normal deviate: two bell curves of scores give a straight line. \
               Where a line meets the broken one lies the equal error rate."
                .into(),
        body: pictures(&drawings),
    }
}

fn drawing(scores: &[Scores<'_>]) -> String {
    let mut collections: Vec<&str> = scores.iter().map(|one| one.collection).collect();
    collections.sort_unstable();
    collections.dedup();
    let palette = [colours::BLUE, colours::VERMILLION, colours::GREEN, colours::PURPLE];
    let colour = |collection: &str| {
        let place = collections.iter().position(|known| *known == collection).unwrap_or(0);
        palette[place % palette.len()]
    };
    let mut protocols: Vec<&str> = Vec::new();
    for one in scores {
        if !protocols.contains(&one.protocol) {
            protocols.push(one.protocol);
        }
    }
    let panels = protocols.into_iter().map(|protocol| {
        let equal = vec![(ENDS.0, ENDS.0), (ENDS.1, ENDS.1)];
        let name = "equal rates".to_owned();
        let mut lines = vec![Line { name, colour: colours::GREY, thick: false, dashed: true, points: equal }];
        for one in scores.iter().filter(|one| one.protocol == protocol) {
            let mut points: Vec<(f64, f64)> =
                det_curve(one.records).unwrap_or_default().iter().map(|point| (point.fmr, point.fnmr)).collect();
            points.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
            let name = one.collection.to_owned();
            lines.push(Line { name, colour: colour(one.collection), thick: true, dashed: false, points });
        }
        Panel { title: protocol.to_owned(), x: axis("false match rate"), y: axis("false non-match rate"), lines }
    });
    let group = scores.first().map_or("", |one| one.group);
    Chart { title: format!("Persons {group}"), note: String::new(), size: SIZE, panels: panels.collect() }.svg()
}

fn axis(label: &str) -> Axis {
    let ticks = [
        (0.001, "0.1 %"),
        (0.005, "0.5"),
        (0.01, "1 %"),
        (0.02, "2"),
        (0.05, "5"),
        (0.1, "10 %"),
        (0.2, "20"),
        (0.5, "50 %"),
    ];
    Axis::ticked(label, &ticks.map(|(rate, word)| (rate, word.to_owned())), |rate| deviate(rate.clamp(ENDS.0, ENDS.1)))
}

/// The normal deviate of a probability: how many standard deviations from the mean it is exceeded with. Formula 26.2.23
/// of M. Abramowitz and I. Stegun, *Handbook of Mathematical Functions* (1964), off by at most 4.5e-4: less than a
/// pixel.
fn deviate(probability: f64) -> f64 {
    if probability > 0.5 {
        return -deviate(1.0 - probability);
    }
    let t = (-2.0 * probability.max(1e-12).ln()).sqrt();
    let above = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let below = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    above / below - t
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deviate_is_that_of_the_tables() {
        for (probability, expected) in [(0.5, 0.0), (0.158_655, -1.0), (0.022_750, -2.0), (0.975, 1.959_964)] {
            assert!((deviate(probability) - expected).abs() < 5e-4, "{probability}: {}", deviate(probability));
        }
    }

    #[test]
    fn an_axis_rises_and_keeps_what_is_beyond_at_its_ends() {
        let axis = axis("rate");
        let places = [0.0, 0.001, 0.01, 0.1, 0.5, 1.0].map(|rate| axis.along(rate));
        assert!(places.is_sorted() && places[0] == 0.0 && places[5] == 1.0, "{places:?}");
    }
}
