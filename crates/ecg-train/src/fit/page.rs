//! The report of a training: one HTML file that needs nothing else, for the person who trained.
//!
//! It shows mean beats and names of persons, so it belongs beside the recordings and not into a repository. It knows
//! comparisons, curves and tables; how they came about is not its affair.

mod cases;
mod confusion;
mod det;
mod figures;
mod histogram;
mod persons;

use std::fmt::Write;

use ecg_identity::rates::Comparison;
use ecg_plot::{DARK, escape};

pub(super) use cases::cases;
pub(super) use confusion::confusion;
pub(super) use det::det;
pub(super) use figures::{figures, means, refusals, travel};
pub(super) use histogram::histograms;
pub(super) use persons::persons;

/// Colours and measures; the dark ones follow the reader's system.
const STYLE: &str = include_str!("page/style.css");

/// Comparisons of one protocol within one collection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scores<'a> {
    /// What was enrolled and what was compared.
    pub(super) protocol: &'a str,
    /// Whose records.
    pub(super) collection: &'a str,
    /// In which relation the persons stand to the network.
    pub(super) group: &'a str,
    /// Whole records as probes.
    pub(super) records: &'a [Comparison],
    /// Decision windows as probes.
    pub(super) windows: &'a [Comparison],
}

/// A piece of the page under a heading.
#[derive(Clone, Debug)]
pub(super) struct Section {
    /// The heading.
    pub(super) title: &'static str,
    /// What one sees, in a sentence or two.
    pub(super) note: String,
    /// HTML.
    pub(super) body: String,
}

/// The whole page.
#[derive(Clone, Debug, Default)]
pub(super) struct Page {
    /// Name of the model.
    pub(super) title: String,
    /// What must be read before any figure.
    pub(super) warning: Option<String>,
    /// What was trained on whom and how.
    pub(super) facts: Vec<(&'static str, String)>,
    /// From the top.
    pub(super) sections: Vec<Section>,
}

impl Page {
    /// The document. Sections without a body are left out.
    pub(super) fn html(&self) -> String {
        let title = escape(&self.title);
        let mut body = String::new();
        if let Some(warning) = &self.warning {
            let _ = writeln!(body, "<p class=\"warning\">{}</p>", escape(warning));
        }
        body.push_str("<dl class=\"facts\">\n");
        for (name, value) in &self.facts {
            let _ = writeln!(body, "<div><dt>{}</dt><dd>{}</dd></div>", escape(name), escape(value));
        }
        body.push_str("</dl>\n");
        for section in self.sections.iter().filter(|section| !section.body.is_empty()) {
            let (heading, note) = (escape(section.title), escape(&section.note));
            let _ = writeln!(body, "<section><h2>{heading}</h2><p>{note}</p>\n{}</section>", section.body);
        }
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>{title}: training report</title>\n\
             <style>\n{STYLE}@media(prefers-color-scheme:dark){{\n{DARK}}}\n</style></head>\n\
             <body><main><header><h1>{title}</h1><p>Training report, written by ecg-train. It shows mean beats and \
             names: keep it with the recordings.</p></header>\n{body}</main></body></html>\n"
        )
    }
}

/// A table; the first column holds names, the others numbers. Cells are HTML.
fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut html = String::from("<div class=\"scroll\"><table><thead><tr>");
    head.iter().for_each(|cell| {
        let _ = write!(html, "<th>{}</th>", escape(cell));
    });
    html.push_str("</tr></thead><tbody>\n");
    for row in rows {
        let cells: String = row.iter().map(|cell| format!("<td>{cell}</td>")).collect();
        let _ = writeln!(html, "<tr>{cells}</tr>");
    }
    html.push_str("</tbody></table></div>\n");
    html
}

/// A fraction in per cent.
fn percent(value: f64, decimals: usize) -> String {
    if value.is_finite() { format!("{:.decimals$}", 100.0 * value) } else { "–".to_owned() }
}

/// The subject of `collection:subject`.
fn subject(name: &str) -> &str {
    name.split_once(':').map_or(name, |(_, subject)| subject)
}

/// Pictures side by side where there is room.
fn pictures(drawings: &[String]) -> String {
    let figure = |drawing: &String| format!("<figure>{drawing}</figure>\n");
    if drawings.is_empty() {
        return String::new();
    }
    format!("<div class=\"pictures\">{}</div>\n", drawings.iter().map(figure).collect::<String>())
}

/// Scores that can be drawn: a refused probe has none.
fn drawable(comparisons: &[Comparison], mated: bool) -> Vec<f64> {
    let side = comparisons.iter().filter(|c| (c.probe_subject == c.reference_subject) == mated);
    side.map(|c| c.score).filter(|score| score.is_finite()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_escapes_what_it_is_given_and_asks_for_nothing_from_elsewhere() {
        let section = |title, body: &str| Section { title, note: "a < b".into(), body: body.into() };
        let page = Page {
            title: "<model>".into(),
            warning: Some("LEAKY & more".into()),
            facts: vec![("seed", "1".into())],
            sections: vec![section("Shown", "<p>x</p>"), section("Empty", "")],
        };
        let html = page.html();
        assert!(
            html.contains("<h1>&lt;model&gt;</h1>") && html.contains("LEAKY &amp; more") && html.contains("a &lt; b")
        );
        assert!(html.contains("Shown") && !html.contains("Empty"));
        for foreign in ["http://", "https://", "<script", "@import", "url("] {
            assert!(!html.contains(foreign), "{foreign}");
        }
    }
}
