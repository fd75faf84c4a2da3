//! Which persons and sessions of a collection an evaluation of identity is about: the arguments and what they choose.
//!
//! It must not know what is measured.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use ecg_data::{Collection, Entry, SessionSelection};
use ecg_signal::Mains;

use super::report::Seen;
use crate::cli::Failure;
use crate::cli::adc::AdcArgs;
use crate::inference::Model;
use crate::recording::parse_mains;

/// Arguments of every evaluation that enrols persons and probes them.
#[derive(Debug, clap::Args)]
pub struct SessionArgs {
    /// Folder with records and manifest.csv (record,subject,session,date)
    #[arg(long)]
    pub collection: PathBuf,
    /// Sessions to enrol from: first, rest, or names of the manifest with commas between
    #[arg(long)]
    pub enrol: SessionSelection,
    /// Sessions to probe with: first, rest, or names of the manifest with commas between
    #[arg(long)]
    pub probe: SessionSelection,
    /// Model: .onnx with its card .toml beside it
    #[arg(long, default_value = "models/ecgid-1.onnx")]
    pub model: PathBuf,
    /// Which signal of each record, counted from 0
    #[arg(long, default_value_t = 0)]
    pub signal: usize,
    /// Mains frequency that the notch removes: 50, 60 or none
    #[arg(long, default_value = "50", value_parser = parse_mains)]
    pub mains: Mains,
    /// What made the codes of text records.
    #[command(flatten)]
    pub adc: AdcArgs,
    /// Only these persons: names with commas between, or a file with one name a line
    #[arg(long, value_name = "NAMES|FILE")]
    subjects: Option<String>,
    /// Only the persons whom the model's card lists as held out from training
    #[arg(long, conflicts_with = "subjects")]
    held_out_only: bool,
}

/// What the arguments choose.
#[derive(Debug)]
pub struct Chosen {
    /// The model.
    pub model: Model,
    /// The collection.
    pub collection: Collection,
    /// Its name on model cards: that of its folder.
    pub name: String,
    /// Records to enrol from.
    pub enrol: Vec<Entry>,
    /// Records to probe with; none of them is enrolled.
    pub probe: Vec<Entry>,
    /// Which of the persons the network was trained on. A warning has been given.
    pub seen: Seen,
}

impl SessionArgs {
    /// Loads the model, opens the collection and chooses the records; warns of persons whom the network has seen.
    ///
    /// # Errors
    /// An unusable model (exit 78), an unusable collection, sessions that are not there or overlap.
    pub fn choose(&self) -> Result<Chosen, Failure> {
        let model = Model::load(&self.model).map_err(Failure::config)?;
        let collection = Collection::open(&self.collection)?;
        let name = collection_name(&collection.dir);
        let persons = self.persons(&model, &name)?;
        let select = |sessions: &SessionSelection| -> anyhow::Result<Vec<Entry>> {
            let mut entries: Vec<Entry> = collection.select(sessions)?.into_iter().cloned().collect();
            entries.retain(|e| persons.as_ref().is_none_or(|names| names.contains(&e.subject)));
            Ok(entries)
        };
        let (enrol, probe) = (select(&self.enrol)?, select(&self.probe)?);
        if let Some(both) = enrol.iter().find(|e| probe.iter().any(|p| p.record == e.record)) {
            let record = &both.record;
            return Err(
                anyhow!("record {record} would be enrolled and probed: choose sessions that do not overlap").into()
            );
        }
        let seen = Seen::new(&model, &name, enrol.iter().chain(&probe));
        if let Some(warning) = seen.warning(&model.card().name) {
            note!("warning: {warning}");
        }
        Ok(Chosen { model, collection, name, enrol, probe, seen })
    }

    /// Names that the evaluation is restricted to; `None`: everybody.
    fn persons(&self, model: &Model, collection: &str) -> anyhow::Result<Option<Vec<String>>> {
        if self.held_out_only {
            let held_out = model.card().persons_held_out(collection).unwrap_or_default();
            if held_out.is_empty() {
                bail!(
                    "the card of {} lists no held-out persons of {collection}: it knows {}",
                    model.card().name,
                    model.card().collection_names().join(", ")
                );
            }
            return Ok(Some(held_out.to_vec()));
        }
        let Some(list) = &self.subjects else { return Ok(None) };
        let text = if Path::new(list).is_file() {
            std::fs::read_to_string(list).with_context(|| format!("cannot read the list of persons {list}"))?
        } else {
            list.clone()
        };
        let names = text.split([',', '\n', '\r']).map(str::trim).filter(|n| !n.is_empty()).map(str::to_owned);
        Ok(Some(names.collect()))
    }
}

fn collection_name(dir: &Path) -> String {
    let absolute = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    absolute.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned())
}
