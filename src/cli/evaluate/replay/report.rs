//! Shares with intervals, for people and for machines.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use super::Attacked;
use super::attack::Attack;
use super::listen::Windows;
use crate::cli::evaluate::outcome::{Figure, Outcomes};

/// Draws of the bootstrap.
const DRAWS: usize = 1000;

/// Persons that are counted together.
#[derive(Debug, Clone)]
pub struct Group {
    pub(super) name: String,
    pub(super) subjects: Vec<String>,
}

/// A share of a count, in per cent, with its 95 % interval.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Share {
    pub(super) count: usize,
    pub(super) of: usize,
    pub(super) percent: f64,
    low: f64,
    high: f64,
}

/// Hearts of a group.
#[derive(Debug, Clone, Serialize)]
pub struct Hearts {
    group: String,
    persons: usize,
    /// Windows in which a replay was suspected.
    pub(super) replay_suspected: Share,
    /// Windows in which the rhythm was too regular.
    pub(super) too_regular: Share,
    /// Highest evidence of a replay; 13 is suspected.
    highest_evidence: f64,
}

/// One kind of attack on a group.
#[derive(Debug, Clone, Serialize)]
pub struct Kind {
    group: String,
    pub(super) attack: String,
    persons: usize,
    /// Recognised within the window.
    pub(super) detected: Share,
    /// Likewise, of those with a usable beat: only they could have anybody verified.
    pub(super) detected_of_usable: Share,
    /// Persons of whom one was not.
    missed: BTreeSet<String>,
    /// Seconds from the first repetition to the suspicion, of those that were recognised: half of them, 95 of 100.
    median_s: Figure,
    p95_s: Figure,
    /// Of all that were recognised at any time, ascending.
    #[serde(skip)]
    pub(super) times_s: Vec<f64>,
    /// It repeats the history, not itself.
    #[serde(skip)]
    pub(super) replays_history: bool,
}

/// The whole result.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    window_s: f64,
    /// Beats in the history when the attacks began.
    pub(super) history_beats: usize,
    pub(super) hearts: Vec<Hearts>,
    pub(super) attacks: Vec<Kind>,
}

impl Kind {
    /// Whom it was played as.
    pub(super) fn group(&self) -> &str {
        &self.group
    }
}

impl Report {
    pub(super) fn new(
        window_s: f64,
        seed: u64,
        history_beats: usize,
        groups: &[Group],
        hearts: &[(String, Windows)],
        attacked: &[Attacked],
    ) -> Self {
        let mut report = Self { window_s, history_beats, hearts: Vec::new(), attacks: Vec::new() };
        for group in groups {
            let of: Vec<&(String, Windows)> = hearts.iter().filter(|(s, _)| group.subjects.contains(s)).collect();
            if of.is_empty() {
                continue;
            }
            let share = |count: fn(&Windows) -> usize| {
                Share::new(of.iter().map(|(s, windows)| (s.as_str(), count(windows), windows.count)), seed)
            };
            report.hearts.push(Hearts {
                group: group.name.clone(),
                persons: persons(of.iter().map(|(subject, _)| subject.as_str())),
                replay_suspected: share(|windows| windows.replay),
                too_regular: share(|windows| windows.too_regular),
                highest_evidence: of.iter().map(|(_, windows)| windows.evidence).fold(f64::NEG_INFINITY, f64::max),
            });
            for attack in Attack::all() {
                let of: Vec<&Attacked> =
                    attacked.iter().filter(|(kind, s, _)| *kind == attack && group.subjects.contains(s)).collect();
                if !of.is_empty() {
                    report.attacks.push(kind(group, attack, &of, window_s, seed));
                }
            }
        }
        report
    }
}

fn kind(group: &Group, attack: Attack, of: &[&Attacked], window_s: f64, seed: u64) -> Kind {
    let in_time = |attacked: &Attacked| attacked.2.betrayed_s.is_some_and(|s| s <= window_s);
    let share = |fewest_usable: usize| {
        let of = of.iter().filter(|attacked| attacked.2.usable >= fewest_usable);
        Share::new(of.map(|attacked| (attacked.1.as_str(), usize::from(in_time(attacked)), 1)), seed)
    };
    let mut times_s: Vec<f64> = of.iter().filter_map(|(_, _, outcome)| outcome.known_s).collect();
    times_s.sort_by(f64::total_cmp);
    let mut of_person: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (_, subject, outcome) in of {
        of_person.entry(subject).or_default().extend(outcome.known_s);
    }
    let mut outcomes = Outcomes::default();
    of_person.into_values().for_each(|times_s| outcomes.add(times_s));
    Kind {
        group: group.name.clone(),
        attack: attack.name(),
        persons: persons(of.iter().map(|(_, subject, _)| subject.as_str())),
        detected: share(0),
        detected_of_usable: share(1),
        missed: of.iter().filter(|attacked| !in_time(attacked)).map(|attacked| attacked.1.clone()).collect(),
        median_s: outcomes.quantile(0.5, DRAWS, seed),
        p95_s: outcomes.quantile(0.95, DRAWS, seed),
        replays_history: matches!(attack, Attack::Replay(_)),
        times_s,
    }
}

fn persons<'a>(subjects: impl Iterator<Item = &'a str>) -> usize {
    subjects.collect::<BTreeSet<_>>().len()
}

impl Share {
    /// Of (person, count, of) triples; the interval is from draws of persons with all that is theirs.
    fn new<'a>(items: impl Iterator<Item = (&'a str, usize, usize)>, seed: u64) -> Self {
        let mut persons: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for (person, count, of) in items {
            let sum = persons.entry(person).or_default();
            (sum.0, sum.1) = (sum.0 + count, sum.1 + of);
        }
        let persons: Vec<(usize, usize)> = persons.into_values().collect();
        let percent = |(count, of): (usize, usize)| 100.0 * count as f64 / of.max(1) as f64;
        let add = |a: (usize, usize), b: (usize, usize)| (a.0 + b.0, a.1 + b.1);
        let sum = persons.iter().copied().fold((0, 0), add);
        let mut random = fastrand::Rng::with_seed(seed);
        let mut draw =
            |_| percent((0..persons.len()).map(|_| persons[random.usize(..persons.len())]).fold((0, 0), add));
        let mut drawn: Vec<f64> = (0..DRAWS).map(&mut draw).collect();
        drawn.sort_by(f64::total_cmp);
        // Where all or none are counted, draws cannot differ: the bound is that of independent trials, 0.05^(1/n).
        let bound = 100.0 * (1.0 - 0.05_f64.powf(1.0 / sum.1.max(1) as f64));
        let (low, high) = match sum.0 {
            0 => (0.0, bound),
            all if all == sum.1 => (100.0 - bound, 100.0),
            _ => (drawn[DRAWS / 40], drawn[DRAWS - 1 - DRAWS / 40]),
        };
        Self { count: sum.0, of: sum.1, percent: percent(sum), low, high }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, of, percent, low, high } = self;
        write!(f, "{:>13} {percent:7.2} % [{low:.2}, {high:.2}]", format!("{count}/{of}"))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "hearts that beat, windows of {} s, history of {} beats at the end",
            self.window_s, self.history_beats
        )?;
        writeln!(f, "{:10} {:>7}  {:39} {:39} evidence", "group", "persons", "replay suspected", "too regular")?;
        for hearts in &self.hearts {
            let Hearts { group, persons, replay_suspected, too_regular, highest_evidence } = hearts;
            let (replay, regular) = (replay_suspected.to_string(), too_regular.to_string());
            writeln!(f, "{group:10} {persons:>7}  {replay:39} {regular:39} {highest_evidence:8.1}")?;
        }
        if !self.attacks.is_empty() {
            writeln!(f, "\nattacks, recognised within {} s of the first repetition", self.window_s)?;
            writeln!(
                f,
                "{:10} {:28} {:>7}  {:39} {:11} {:20} {:20} missed",
                "group", "attack", "persons", "recognised", "of usable", "median", "95 %"
            )?;
        }
        for Kind { group, attack, persons, detected, detected_of_usable, missed, median_s, p95_s, .. } in &self.attacks
        {
            let (detected, median, p95) = (detected.to_string(), median_s.seconds(), p95_s.seconds());
            let usable = format!("{}/{}", detected_of_usable.count, detected_of_usable.of);
            let missed = missed.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
            writeln!(
                f,
                "{group:10} {attack:28} {persons:>7}  {detected:39} {usable:11} {median:20} {p95:20} {missed}"
            )?;
        }
        Ok(())
    }
}
