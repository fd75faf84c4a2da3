//! Which persons are trained on: hold-out lists, and shares of persons chosen by seed.
//!
//! A person is a subject of a collection; the same name in two collections is two persons.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::random::stream;

/// A subject of a collection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Person {
    /// Name of the collection: that of its folder.
    pub collection: String,
    /// Name of the subject within it.
    pub subject: String,
}

impl std::fmt::Display for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.collection, self.subject)
    }
}

/// A hold-out file: `[[held_out]]` tables with a `collection` and lists of its subjects.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    held_out: Vec<Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    collection: String,
    /// Held out for no purpose in particular.
    #[serde(default)]
    persons: Vec<String>,
    /// Whom the acceptance run enrols.
    #[serde(default)]
    acceptance_enrolled: Vec<String>,
    /// Who comes to the acceptance run as a stranger.
    #[serde(default)]
    acceptance_strangers: Vec<String>,
}

/// Persons of a `--hold-out` argument: a `.toml` file, or `COLLECTION:SUBJECT,…`.
///
/// # Errors
/// A file that cannot be read or understood, or an item without a colon.
pub fn hold_out(argument: &str) -> anyhow::Result<BTreeSet<Person>> {
    if argument.ends_with(".toml") {
        let path = Path::new(argument);
        let text = std::fs::read_to_string(path).with_context(|| format!("reading the hold-out list {argument}"))?;
        return parse_file(&text).with_context(|| format!("in the hold-out list {argument}"));
    }
    argument.split(',').map(str::trim).filter(|item| !item.is_empty()).map(parse_item).collect()
}

fn parse_file(text: &str) -> anyhow::Result<BTreeSet<Person>> {
    let file: File = toml::from_str(text)?;
    let mut persons = BTreeSet::new();
    for Table { collection, persons: listed, acceptance_enrolled, acceptance_strangers } in file.held_out {
        for subject in [listed, acceptance_enrolled, acceptance_strangers].concat() {
            let person = Person { collection: collection.clone(), subject };
            if let Some(twice) = persons.replace(person) {
                bail!("{twice} is listed twice");
            }
        }
    }
    Ok(persons)
}

fn parse_item(item: &str) -> anyhow::Result<Person> {
    match item.split_once(':') {
        Some((collection, subject)) => Ok(Person { collection: collection.to_owned(), subject: subject.to_owned() }),
        None => bail!("`{item}`: write COLLECTION:SUBJECT, for example ecg-id:Person_02, or give a .toml file"),
    }
}

/// Deals the persons of each collection into `folds` groups of nearly equal size, by seed.
pub fn folds(persons: &BTreeSet<Person>, folds: usize, seed: u64) -> Vec<BTreeSet<Person>> {
    let mut groups = vec![BTreeSet::new(); folds.max(1)];
    let collections: BTreeSet<&str> = persons.iter().map(|person| person.collection.as_str()).collect();
    for (item, collection) in collections.into_iter().enumerate() {
        let mut members: Vec<&Person> = persons.iter().filter(|person| person.collection == collection).collect();
        stream(seed, item as u64).shuffle(&mut members);
        for (position, person) in members.into_iter().enumerate() {
            groups[position % folds.max(1)].insert(person.clone());
        }
    }
    groups
}

/// Refuses to hold somebody out whom a collection has not got: a misspelt name would be trained on. `named` are all persons
/// of the collections, those without a heartbeat to train on too.
///
/// # Errors
/// The name.
pub fn check_spelling(named: &BTreeSet<Person>, held_out: &BTreeSet<Person>) -> anyhow::Result<()> {
    let collections: BTreeSet<&str> = named.iter().map(|person| person.collection.as_str()).collect();
    let missing =
        held_out.iter().find(|person| collections.contains(person.collection.as_str()) && !named.contains(person));
    match missing {
        Some(person) => bail!("{person} is to be held out, but collection {} has no such subject", person.collection),
        None => Ok(()),
    }
}

/// Whom a run trains on, whom it watches, and whom it must not look at while training.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// Trained on.
    pub trained: BTreeSet<Person>,
    /// Not trained on, measured after every epoch, early stopping acts on them.
    pub validation: BTreeSet<Person>,
    /// Not trained on, measured once at the end.
    pub held_out: BTreeSet<Person>,
}

impl Split {
    /// Splits `everybody`: the held-out, then a share of the rest for validation, the remainder to train on.
    ///
    /// # Errors
    /// Fewer than two persons to train on.
    pub fn new(
        everybody: &BTreeSet<Person>,
        held_out: &BTreeSet<Person>,
        validation_share: f64,
        seed: u64,
    ) -> anyhow::Result<Self> {
        let held_out: BTreeSet<Person> = everybody.intersection(held_out).cloned().collect();
        let mut trained: BTreeSet<Person> = everybody.difference(&held_out).cloned().collect();
        let mut validation = BTreeSet::new();
        if validation_share > 0.0 {
            let groups = (1.0 / validation_share).round().max(2.0) as usize;
            validation = folds(&trained, groups, seed).swap_remove(0);
            trained = trained.difference(&validation).cloned().collect();
        }
        if trained.len() < 2 {
            bail!("training needs at least two persons; {} are left after holding out", trained.len());
        }
        Ok(Self { trained, validation, held_out })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn persons(collection: &str, count: usize) -> BTreeSet<Person> {
        (0..count).map(|i| Person { collection: collection.into(), subject: format!("p{i}") }).collect()
    }

    #[test]
    fn folds_are_disjoint_cover_everybody_and_repeat_by_seed() {
        let everybody: BTreeSet<Person> = persons("a", 10).union(&persons("b", 7)).cloned().collect();
        let groups = folds(&everybody, 3, 5);
        assert_eq!(groups.iter().map(BTreeSet::len).sum::<usize>(), 17);
        assert_eq!(groups.concat_sets(), everybody);
        assert!(groups.iter().all(|group| group.iter().filter(|person| person.collection == "a").count() >= 3));
        assert_eq!(groups, folds(&everybody, 3, 5));
        assert_ne!(groups, folds(&everybody, 3, 6));
    }

    trait ConcatSets {
        fn concat_sets(&self) -> BTreeSet<Person>;
    }

    impl ConcatSets for Vec<BTreeSet<Person>> {
        fn concat_sets(&self) -> BTreeSet<Person> {
            self.iter().flatten().cloned().collect()
        }
    }

    #[test]
    fn the_held_out_are_in_no_other_group() {
        let held_out = hold_out("a:p1, a:p3").expect("two items");
        let split = Split::new(&persons("a", 12), &held_out, 0.25, 1).expect("enough persons");
        assert_eq!((split.held_out.len(), split.validation.len(), split.trained.len()), (2, 3, 7));
        assert!(split.trained.is_disjoint(&held_out) && split.validation.is_disjoint(&held_out));
    }

    #[test]
    fn a_misspelt_name_is_refused_but_an_absent_collection_is_not() {
        let misspelt = hold_out("a:q1").unwrap();
        assert!(check_spelling(&persons("a", 4), &misspelt).unwrap_err().to_string().contains("a:q1"));
        assert!(check_spelling(&persons("a", 4), &hold_out("b:q1").unwrap()).is_ok());
        assert!(hold_out("Person_02").unwrap_err().to_string().contains("COLLECTION:SUBJECT"));
    }

    #[test]
    fn who_is_held_out_and_has_no_heartbeat_is_simply_not_there() {
        let (named, held_out) = (persons("a", 4), hold_out("a:p3").unwrap());
        assert!(check_spelling(&named, &held_out).is_ok());
        let usable = named.difference(&held_out).cloned().collect();
        let split = Split::new(&usable, &held_out, 0.0, 1).unwrap();
        assert_eq!((split.trained, split.held_out.len()), (usable, 0));
    }

    #[test]
    fn a_file_lists_persons_by_collection() {
        let text = "[[held_out]]\ncollection = \"a\"\nacceptance_enrolled = [\"x\"]\nacceptance_strangers = [\"y\"]\n";
        assert_eq!(parse_file(text).unwrap(), hold_out("a:x,a:y").unwrap());
        assert!(parse_file(&text.replace("\"y\"", "\"x\"")).is_err());
        assert!(parse_file(&text.replace("strangers", "stranger")).is_err());
    }
}
