//! The published contract: examples that the code makes, a schema for each of them, and what was frozen when it was
//! published.
//!
//! `ECGID_REGENERATE=1 cargo test contract` writes the examples and the generated schemas anew; what changes then shows
//! in the diff. `tests/golden/contract-1` is never written: a change there is a change of what was promised.

use std::path::{Path, PathBuf};

use serde_json::Value;

#[path = "contract/descriptors.rs"]
mod descriptors;
#[path = "contract/examples.rs"]
mod examples;
#[path = "contract/frozen.rs"]
mod frozen;
#[path = "contract/schema.rs"]
mod schema;

fn below(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read_json(path: &Path) -> Value {
    let text = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The file holds these bytes; with `ECGID_REGENERATE` it is made so first.
fn stands_in(path: &Path, bytes: &[u8]) {
    if std::env::var_os("ECGID_REGENERATE").is_some() {
        std::fs::write(path, bytes).unwrap();
    }
    let found = std::fs::read(path).unwrap_or_default();
    let advice = "if the change is meant, ECGID_REGENERATE=1 cargo test contract writes it";
    assert!(found == bytes, "{} is not what the code makes; {advice}", path.display());
}

/// Indented, with a newline at the end.
fn pretty(value: &Value) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).unwrap();
    bytes.push(b'\n');
    bytes
}

/// The files of a folder with this ending, by name.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(below(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = entries.filter(|path| path.to_string_lossy().ends_with(ending)).collect();
    paths.sort();
    paths
}

/// The schema of an example: `identity-verified.json` belongs to `identity.schema.json`.
fn schema_of(example: &Path) -> Value {
    let name = example.file_name().unwrap().to_string_lossy().into_owned();
    let kind = name.split('-').next().unwrap_or_default();
    read_json(&below(&format!("schemas/{kind}.schema.json")))
}
