//! Which pages a training writes: what goes into the report of a comparing and of a closed-set model.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::closed_set::{LEAKY, Outcome};
use super::figures::Pool;
use super::page::{
    Page, Scores, Section, cases, confusion, det, figures, histograms, means, persons, refusals, travel,
};
use super::{Request, Travelled, mains_name};
use crate::card::Measured;
use crate::curves::{Series, chart};
use crate::prepared::Prepared;
use crate::split::Split;
use crate::training::Epoch;
use ecg_plot::Chart;

/// What the two kinds of training have in common.
#[derive(Debug)]
pub(super) struct Common<'a> {
    pub(super) request: &'a Request,
    pub(super) name: &'a str,
    pub(super) split: &'a Split,
    pub(super) records: &'a [Prepared],
    pub(super) threshold: f64,
    pub(super) threshold_source: &'a str,
    /// Epoch that the model is of, from 1.
    pub(super) epoch: usize,
    pub(super) took: std::time::Duration,
}

impl Common<'_> {
    fn facts(&self) -> Vec<(&'static str, String)> {
        let (settings, request) = (&self.request.training, self.request);
        let accepted: usize = self.records.iter().filter_map(|record| record.takes.first()).map(Vec::len).sum();
        let found: usize = self.records.iter().map(|record| record.beats_found).sum();
        let Split { trained, validation, held_out } = self.split;
        let folders: Vec<String> = request
            .collections
            .iter()
            .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
            .collect();
        vec![
            (
                "Collections",
                format!("{}, signal {}, mains {}", folders.join(", "), request.signal, mains_name(request.mains)),
            ),
            (
                "Persons",
                format!("{} trained on, {} validation, {} held out", trained.len(), validation.len(), held_out.len()),
            ),
            ("Records", format!("{}: {found} beats found, {accepted} accepted", self.records.len())),
            ("Network and loss", format!("{}, {}", settings.network.name(), settings.loss.name())),
            (
                "Steps",
                format!(
                    "{} epochs of {} batches of {}, epoch {} kept",
                    settings.epochs, settings.steps_per_epoch, settings.batch_size, self.epoch
                ),
            ),
            ("Optimiser", format!("AdamW, peak rate {}, decay {}", settings.learning_rate, settings.weight_decay)),
            ("Margin and scale", format!("{}, {}", settings.margin, settings.scale)),
            ("Imitated front ends a record", request.variants.to_string()),
            ("Virtual persons a person", request.virtual_persons.to_string()),
            ("Virtual strangers of each person", request.strangers.to_string()),
            ("Share of the beat's size", request.amplitude.map_or(0.0, |amplitude| amplitude.share).to_string()),
            ("Seed", settings.seed.to_string()),
            ("Signal path", ecg_signal::CHAIN.to_owned()),
            ("Time", format!("{:.1} min, preparation included", self.took.as_secs_f64() / 60.0)),
            ("Threshold", format!("{:.4}: {}", self.threshold, self.threshold_source)),
        ]
    }
}

/// Curves of a comparing model.
pub(super) fn curves(name: &str, history: &[Epoch], watched: usize, epoch: usize) -> Chart {
    let loss: Vec<f64> = history.iter().map(|epoch| epoch.loss).collect();
    let values = history.iter().map(|epoch| epoch.eer.map(|eer| 100.0 * eer)).collect();
    let rates = Series { name: format!("{watched} persons not trained on"), values };
    chart(name, &loss, "equal error rate, %", &[rates], epoch, "The dot is the epoch that was kept.")
}

/// Curves of a closed-set model.
pub(super) fn closed_set_curves(name: &str, outcome: &Outcome) -> Chart {
    let loss: Vec<f64> = outcome.history.iter().map(|epoch| epoch.loss).collect();
    let series = |name: &str, of: fn(&super::closed_set::Progress) -> f64| Series {
        name: name.to_owned(),
        values: outcome.history.iter().map(|epoch| Some(100.0 * of(epoch))).collect(),
    };
    let watched =
        [series("validation beats", |epoch| epoch.validation), series("training beats", |epoch| epoch.training)];
    chart(name, &loss, "beats answered right, %", &watched, loss.len(), LEAKY)
}

fn curve_section(chart: &Chart) -> Section {
    Section {
        title: "Training curves",
        note: "By epoch. The dot is the epoch that the model is of.".into(),
        body: format!("<div class=\"pictures\"><figure>{}</figure></div>", chart.svg()),
    }
}

/// The report of a model that compares persons.
pub(super) fn comparing(
    common: &Common<'_>,
    curves: &Chart,
    measured: &[Measured],
    travelled: &[Travelled],
    groups: &[(&Pool, String)],
) -> String {
    let scores: Vec<Scores<'_>> = groups.iter().flat_map(|(pool, persons)| pool.scores(persons)).collect();
    let page = Page {
        title: common.name.to_owned(),
        warning: None,
        facts: common.facts(),
        sections: vec![
            figures(measured),
            travel(travelled),
            det(&scores),
            histograms(&scores, common.threshold),
            persons(&scores, common.threshold),
            cases(&scores, common.records),
            curve_section(curves),
        ],
    };
    page.html()
}

/// The report of a closed-set model.
pub(super) fn closed_set(common: &Common<'_>, curves: &Chart, outcome: &Outcome) -> String {
    let scores = [Scores {
        protocol: "training beats of each class, windows",
        collection: "classes and strangers",
        group: "of a leaky split; strangers were held out",
        records: &outcome.rejection.comparisons,
        windows: &outcome.rejection.comparisons,
    }];
    let page = Page {
        title: common.name.to_owned(),
        warning: Some(LEAKY.to_owned()),
        facts: common.facts(),
        sections: vec![
            means(&outcome.figures, LEAKY),
            confusion(&outcome.names, &outcome.matrix, &outcome.figures),
            refusals(&outcome.rejection),
            histograms(&scores, common.threshold),
            persons(&scores, common.threshold),
            curve_section(curves),
        ],
    };
    page.html()
}

/// Where a report goes: into a folder under the model's name, or into the file that was named.
pub(super) fn place(asked: &Path, name: &str) -> PathBuf {
    let is_file = asked.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("html"));
    if is_file { asked.to_owned() } else { asked.join(format!("{name}.html")) }
}

/// Writes the report and says so.
pub(super) fn save(asked: &Path, name: &str, html: &str) -> anyhow::Result<()> {
    let path = place(asked, name);
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    }
    std::fs::write(&path, html).with_context(|| format!("writing the report {}", path.display()))?;
    println!("report: {} (mean beats and names: keep it with the recordings)", path.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_goes_into_the_file_or_the_folder_that_was_asked_for() {
        assert_eq!(place(Path::new("a/b.html"), "m"), Path::new("a/b.html"));
        assert_eq!(place(Path::new("a/b"), "m"), Path::new("a/b/m.html"));
    }
}
