//! What a reviewer would otherwise have to remember: module heads, relative links, crate boundaries, machine paths.

use std::{
    fs,
    path::{Path, PathBuf},
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The files below the repository with one of these extensions, build output and hidden folders left out.
fn files(extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(ROOT)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of the repository can be read") {
            let path = entry.expect("an entry of the repository can be read").path();
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
            if path.is_dir() {
                if !name.starts_with('.') && !matches!(name, "target" | "corpus" | "artifacts") {
                    folders.push(path);
                }
            } else if path.extension().and_then(|e| e.to_str()).is_some_and(|e| extensions.contains(&e)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_rust_file_opens_by_saying_what_it_is_responsible_for() {
    let bare: Vec<_> = files(&["rs"])
        .into_iter()
        .filter(|path| {
            let text = read(path);
            !text.starts_with("//!") && !text.starts_with("#!") && !text.starts_with("// @generated")
        })
        .collect();
    assert!(bare.is_empty(), "no `//!` head: {bare:#?}");
}

#[test]
fn relative_links_in_the_documents_lead_somewhere() {
    let mut dead = Vec::new();
    for path in files(&["md"]) {
        let text = read(&path);
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            let external = target.contains("://") || target.starts_with("mailto:") || file.is_empty();
            let folder = path.parent().expect("a file has a folder");
            if !external && !folder.join(file).exists() {
                dead.push(format!("{}: {target}", path.display()));
            }
        }
    }
    assert!(dead.is_empty(), "dead links: {dead:#?}");
}

/// Names under `[dependencies]` of a member's manifest.
fn dependencies(member: &str) -> Vec<String> {
    let manifest = read(&Path::new(ROOT).join("crates").join(member).join("Cargo.toml"));
    let section = manifest.split("[dependencies]").nth(1).unwrap_or_default();
    let section = section.split("\n[").next().unwrap_or_default();
    let name = |line: &str| line.split(['.', ' ', '=']).next().unwrap_or_default().to_owned();
    section.lines().filter(|l| !l.starts_with('#') && !l.trim().is_empty()).map(name).collect()
}

#[test]
fn a_crate_knows_no_more_than_its_manifest_may_say() {
    assert!(dependencies("ecg-wire").is_empty());
    assert!(dependencies("ecg-identity").is_empty());
    assert!(dependencies("ecg-plot").is_empty());
    assert_eq!(dependencies("ecg-signal"), ["biquad", "realfft"]);
    let signal = read(&Path::new(ROOT).join("crates/ecg-signal/Cargo.toml"));
    let wide = signal.split("'.dependencies]\n").nth(1).and_then(|section| section.split("\n\n").next());
    assert_eq!(wide, Some("fearless_simd.workspace = true"), "more than one width of vectors is for x86-64");
    assert_eq!(dependencies("ecg-data"), ["ecg-wire", "fastrand", "thiserror"]);
    for manifest in ["Cargo.toml", "crates/ecg-data/Cargo.toml", "crates/ecg-signal/Cargo.toml"] {
        let text = read(&Path::new(ROOT).join(manifest));
        assert!(!text.contains("ecg-train."), "{manifest} links the trainer");
    }
}

#[test]
fn no_file_carries_a_path_of_the_machine_it_was_written_on() {
    // Put together here, so that this file does not find itself.
    let homes = [["/ro", "ot/"].concat(), ["/ho", "me/"].concat(), ["/wo", "rk/"].concat()];
    let mut leaks = Vec::new();
    for path in files(&["rs", "md", "toml", "py", "sh", "proto", "service", "rules", "csv"]) {
        let text = read(&path);
        // A path begins where no word goes on: a topic of the gateway called "home" is none.
        let begins = |at: usize| !text[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_');
        let found = homes.iter().filter(|home| text.match_indices(*home).any(|(at, _)| begins(at)));
        leaks.extend(found.map(|home| format!("{}: {home}", path.display())));
    }
    assert!(leaks.is_empty(), "{leaks:#?}");
}
