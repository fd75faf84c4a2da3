//! The confusion matrix of a closed-set model: drawn, and as a table with one row a class.

use ecg_identity::rates::{ClosedSetFigures, ConfusionMatrix};
use ecg_plot::{Anchor, Label, Svg, colours, escape};

use super::{Section, percent, subject, table};

/// Side of the whole matrix and limits of a cell's side, pixels.
const SIDE: f64 = 620.0;
const CELL: (f64, f64) = (9.0, 64.0);
/// Room for names on the left and above.
const MARGIN: f64 = 110.0;
/// From this side on a cell has its count written in it.
const READABLE: f64 = 24.0;

/// The matrix and the classes, the worst first.
pub(in crate::fit) fn confusion(names: &[String], matrix: &ConfusionMatrix, figures: &ClosedSetFigures) -> Section {
    let mut order: Vec<usize> = (0..names.len().min(figures.classes.len())).collect();
    let f1 = |class: usize| figures.classes[class].f1.unwrap_or(0.0);
    order.sort_by(|a, b| f1(*a).total_cmp(&f1(*b)));
    let cell = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| percent(value, 2));
    let rows: Vec<Vec<String>> = order
        .into_iter()
        .map(|class| {
            let of = &figures.classes[class];
            let mut row = vec![escape(&names[class]), of.support.to_string()];
            row.extend([of.precision, of.recall, of.f1, of.specificity].map(cell));
            row
        })
        .collect();
    let head = ["class", "test beats", "precision %", "recall %", "F1 %", "specificity %"];
    Section {
        title: "Confusion matrix",
        note: format!(
            "{} of {} test beats right. Rows are the truth, columns the answer; the darker, the larger the share of the \
             row. Point at a cell for its count.",
            figures.right, figures.beats
        ),
        body: format!(
            "<div class=\"pictures\"><figure>{}</figure></div>{}",
            drawing(names, matrix),
            table(&head, &rows)
        ),
    }
}

fn drawing(names: &[String], matrix: &ConfusionMatrix) -> String {
    let classes = matrix.classes();
    let cell = (SIDE / classes.max(1) as f64).clamp(CELL.0, CELL.1);
    let side = cell * classes as f64;
    let mut svg = Svg::new(MARGIN + side + 10.0);
    let size = (cell - 1.0).clamp(6.0, 12.0);
    for (truth, name) in names.iter().enumerate().take(classes) {
        let (top, middle) = (MARGIN + cell * truth as f64, cell * (truth as f64 + 0.5));
        let name = subject(name);
        let room = MARGIN - 10.0;
        let left =
            Label { size, room, anchor: Anchor::End, ..Label::new(name, (MARGIN - 5.0, MARGIN + middle + size / 3.0)) };
        svg.text(&left);
        let above = (MARGIN + middle + size / 3.0, MARGIN - 5.0);
        svg.text(&Label { size, room, turned: true, ..Label::new(name, above) });
        let row: u64 = (0..classes).map(|answer| matrix.count(truth, answer)).sum();
        for answer in 0..classes {
            let count = matrix.count(truth, answer);
            let left = MARGIN + cell * answer as f64;
            if count == 0 {
                continue;
            }
            let share = count as f64 / row as f64;
            let colour = if truth == answer { colours::BLUE } else { colours::VERMILLION };
            // The least share must still be seen.
            let look = format!("fill=\"{colour}\" fill-opacity=\"{:.2}\"", 0.25 + 0.75 * share);
            let words =
                format!("{name} answered with {}: {count} of {row}", names.get(answer).map_or("", |n| subject(n)));
            svg.path(&format!("M{left:.1} {top:.1}h{cell:.1}v{cell:.1}h-{cell:.1}z"), &look, &words);
            if cell >= READABLE {
                let colour = if share > 0.5 { "#ffffff" } else { "#222222" };
                let at = (left + cell / 2.0, top + cell / 2.0 + 4.0);
                let text = count.to_string();
                svg.text(&Label { anchor: Anchor::Middle, colour, ..Label::new(&text, at) });
            }
        }
    }
    svg.rect([MARGIN, MARGIN, side, side], &format!("fill=\"none\" stroke=\"{}\"", colours::GREY));
    svg.finish(MARGIN + side + 10.0, "Confusion matrix", "rows: truth, columns: answer", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_class_stands_first_and_every_cell_can_be_read() {
        let mut matrix = ConfusionMatrix::new(2);
        for (truth, answer, count) in [(0, 0, 9), (1, 1, 5), (1, 0, 5)] {
            (0..count).for_each(|_| matrix.add(truth, answer).unwrap());
        }
        let names = ["c:good".to_owned(), "c:<bad>".to_owned()];
        let body = confusion(&names, &matrix, &matrix.figures(10, 1).unwrap()).body;
        let table = body.split("<tbody>").nth(1).unwrap();
        assert!(table.find("&lt;bad&gt;").unwrap() < table.find("good").unwrap());
        assert!(body.contains("<title>&lt;bad&gt; answered with good: 5 of 10</title>"));
    }
}
