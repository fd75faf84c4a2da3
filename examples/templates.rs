//! What an enrolment can rest on: how much parts of one person resemble each other, how several templates should count,
//! and what an update of a template is worth. The figures of ADR 16.
//!
//! ```sh
//! cargo run --example templates -- MODEL.onnx COLLECTION FIRST SECOND LATER
//! ```
//! Only persons whom the model's card lists as held out. FIRST, SECOND and LATER are sessions of the manifest; a part
//! is one record, the placement of the electrodes that a live enrolment would have.
#![allow(clippy::print_stdout, reason = "it prints a table")]

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, ensure};
use ecg_data::{Collection, Entry, SessionSelection};
use ecg_identity::rates::{Comparison, error_rates, rates_at};
use ecg_identity::{cosine, mean_unit};
use ecg_signal::Mains;
use ecgid::inference::Model;
use ecgid::recording::Recording;

/// Embeddings below which a record is no part.
const MIN_EMBEDDINGS: usize = 3;
/// Draws of the bootstrap over persons.
const REPLICATES: usize = 500;

/// One record of a person.
struct Part {
    session: usize,
    /// Mean of the record, and of its halves.
    mean: Vec<f32>,
    halves: [Vec<f32>; 2],
    refused_share: f64,
    heart_rate_bpm: f64,
}

type Persons = BTreeMap<String, Vec<Part>>;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    ensure!(arguments.len() >= 4, "give MODEL.onnx COLLECTION FIRST SECOND [LATER]");
    let mut model = Model::load(Path::new(&arguments[0]))?;
    let threshold = model.card().decision.threshold;
    let persons = read(&mut model, Path::new(&arguments[1]), &arguments[2..])?;
    let records: usize = persons.values().map(Vec::len).sum();
    println!("{} persons, {records} records, threshold {threshold:.3}", persons.len());
    alike(&persons, threshold);
    odd_one_out(&persons, threshold);
    heart_rates(&persons, threshold);
    let last = arguments.len() - 3;
    strategies(&persons, &[0], 1, threshold, "enrol first, probe second")?;
    if last == 2 {
        strategies(&persons, &[0], 2, threshold, "enrol first, probe later")?;
        strategies(&persons, &[0, 1], 2, threshold, "enrol first and second, probe later")?;
        updates(&persons, threshold)?;
    }
    Ok(())
}

fn read(model: &mut Model, dir: &Path, sessions: &[String]) -> anyhow::Result<Persons> {
    let collection = Collection::open(dir)?;
    let name = collection.dir.canonicalize()?.file_name().map(|n| n.to_string_lossy().into_owned());
    let card = model.card().clone();
    let held_out = card.persons_held_out(&name.context("a folder with a name")?).context("not in the card")?;
    let mut persons = Persons::new();
    for (session, name) in sessions.iter().enumerate() {
        let selection: SessionSelection = name.parse()?;
        for entry in collection.select(&selection)?.into_iter().filter(|e| held_out.contains(&e.subject)) {
            if let Some(part) = part(model, entry, session)? {
                persons.entry(entry.subject.clone()).or_default().push(part);
            }
        }
    }
    Ok(persons)
}

fn part(model: &mut Model, entry: &Entry, session: usize) -> anyhow::Result<Option<Part>> {
    let stream = Recording::open(&entry.path, 0)?.stream;
    let passage = stream.pass(0..stream.samples.len(), Mains::Hz50)?;
    let embeddings: Vec<Vec<f32>> = model.embed_beats(&passage.beats)?.into_iter().map(|(_, e)| e).collect();
    if embeddings.len() < MIN_EMBEDDINGS {
        return Ok(None);
    }
    let (older, newer) = embeddings.split_at(embeddings.len() / 2);
    let mut intervals: Vec<f64> = passage.rr_intervals(stream.fs.0).iter().map(|rr| rr.rr_ms).collect();
    intervals.sort_by(f64::total_cmp);
    Ok(Some(Part {
        session,
        mean: mean(&embeddings),
        halves: [mean(older), mean(newer)],
        refused_share: 1.0 - passage.accepted_share(),
        heart_rate_bpm: 60_000.0 / intervals.get(intervals.len() / 2).copied().unwrap_or(f64::NAN),
    }))
}

fn mean(embeddings: &[Vec<f32>]) -> Vec<f32> {
    mean_unit(embeddings.iter().map(Vec::as_slice))
}

/// Percentiles of a set of scores, in one line.
fn say(what: &str, mut scores: Vec<f64>, threshold: f64) {
    scores.sort_by(f64::total_cmp);
    let at = |percent: usize| scores.get((scores.len().max(1) - 1) * percent / 100).copied().unwrap_or(f64::NAN);
    let above = scores.iter().filter(|&&s| s >= threshold).count() as f64 / scores.len().max(1) as f64;
    let percentiles: Vec<String> = [1, 5, 10, 25, 50, 75, 95, 99].iter().map(|&p| format!("{:6.3}", at(p))).collect();
    println!("{what:44} n {:6}  {}  {:5.1} %", scores.len(), percentiles.join(" "), 100.0 * above);
}

/// How much parts of one person, and of two, resemble each other.
fn alike(persons: &Persons, threshold: f64) {
    println!("\ncosines, percentiles 1 5 10 25 50 75 95 99, share at or above the threshold");
    let pairs = |wanted: fn(&Part, &Part) -> bool| -> Vec<f64> {
        let of_person = |parts: &Vec<Part>| {
            let pairs = (0..parts.len()).flat_map(|a| (a + 1..parts.len()).map(move |b| (a, b)));
            let wanted = pairs.filter(|&(a, b)| wanted(&parts[a], &parts[b]));
            wanted.map(|(a, b)| cosine(&parts[a].mean, &parts[b].mean)).collect::<Vec<f64>>()
        };
        persons.values().flat_map(of_person).collect()
    };
    let halves = persons.values().flatten().map(|p| cosine(&p.halves[0], &p.halves[1])).collect();
    say("halves of a record", halves, threshold);
    say("records of one person, one session", pairs(|a, b| a.session == b.session), threshold);
    say("records of one person, two sessions", pairs(|a, b| a.session != b.session), threshold);
    let all: Vec<(&String, &Part)> =
        persons.iter().flat_map(|(name, parts)| parts.iter().map(move |p| (name, p))).collect();
    let mut strangers = Vec::new();
    for (n, (name, part)) in all.iter().enumerate() {
        strangers
            .extend(all[n + 1..].iter().filter(|(other, _)| other != name).map(|(_, p)| cosine(&part.mean, &p.mean)));
    }
    say("records of two persons", strangers.clone(), threshold);
    let unlike = 0.4 * threshold;
    say("two sessions again, share at or above 0.4 T", pairs(|a, b| a.session != b.session), unlike);
    say("two persons again, share at or above 0.4 T", strangers, unlike);
    let shares = persons.values().flatten().map(|p| p.refused_share).collect();
    say("share of refused beats (at or above 1/3)", shares, 1.0 / 3.0);
}

/// An enrolment of three placements in which one is another person's: is it refused, is the right one named?
fn odd_one_out(persons: &Persons, threshold: f64) {
    println!(
        "\nthree placements: refused share where all are one person's; where one is another person's, and that one named"
    );
    let names: Vec<&String> = persons.keys().collect();
    for floor in [0.3, 0.4, 0.5, 0.6, 0.7, threshold] {
        let (mut honest, mut refused_honest, mut mixed, mut refused, mut named) = (0, 0, 0, 0, 0);
        for (n, name) in names.iter().enumerate() {
            let of_session = |parts: &'_ [Part], session| -> Vec<Vec<f32>> {
                parts.iter().filter(|p| p.session == session).map(|p| p.mean.clone()).collect()
            };
            for session in 0..3 {
                let own = of_session(&persons[*name], session);
                if own.len() >= 3 {
                    honest += 1;
                    refused_honest += usize::from(odd(&own[..3], floor).is_some());
                }
                if own.len() < 2 {
                    continue;
                }
                for step in 1..names.len() {
                    let other = of_session(&persons[names[(n + step) % names.len()]], session);
                    let Some(intruder) = other.first() else { continue };
                    mixed += 1;
                    let found = odd(&[own[0].clone(), own[1].clone(), intruder.clone()], floor);
                    refused += usize::from(found.is_some());
                    named += usize::from(found == Some(2));
                }
            }
        }
        let share = |part: usize, all: usize| 100.0 * part as f64 / all.max(1) as f64;
        println!(
            "  floor {floor:.3}   one person {:5.1} % of {honest}   two persons {:5.1} % of {mixed}, named {:5.1} %",
            share(refused_honest, honest),
            share(refused, mixed),
            share(named, mixed)
        );
    }
}

/// The part that agrees least with the others, where one pair falls below the floor.
fn odd(parts: &[Vec<f32>], floor: f64) -> Option<usize> {
    let agreement = |n: usize| {
        let others = (0..parts.len()).filter(|&m| m != n).map(|m| cosine(&parts[n], &parts[m]));
        others.sum::<f64>()
    };
    let lowest = (0..parts.len())
        .flat_map(|a| (a + 1..parts.len()).map(move |b| (a, b)))
        .map(|(a, b)| cosine(&parts[a], &parts[b]))
        .fold(1.0, f64::min);
    (lowest < floor).then(|| (0..parts.len()).min_by(|&a, &b| agreement(a).total_cmp(&agreement(b)))).flatten()
}

/// Mated scores of two sessions by the difference of their heart rates.
fn heart_rates(persons: &Persons, threshold: f64) {
    println!("\nmated cosines of two sessions by difference of heart rate");
    for (low, high) in [(0.0, 5.0), (5.0, 10.0), (10.0, 15.0), (15.0, 20.0), (20.0, 200.0)] {
        let mut scores = Vec::new();
        for parts in persons.values() {
            for (n, a) in parts.iter().enumerate() {
                let others = parts[n + 1..].iter().filter(|b| b.session != a.session);
                let apart = others.filter(|b| (low..high).contains(&(a.heart_rate_bpm - b.heart_rate_bpm).abs()));
                scores.extend(apart.map(|b| cosine(&a.mean, &b.mean)));
            }
        }
        say(&format!("  {low} to {high} a minute"), scores, threshold);
    }
}

/// The same templates, counted in several ways.
fn strategies(persons: &Persons, enrol: &[usize], probe: usize, threshold: f64, title: &str) -> anyhow::Result<()> {
    println!("\n{title}: EER, FNMR at FMR 1 %, at 0.1 %; FMR, FNMR at the threshold");
    type Rule = fn(&[&Part], &[f32]) -> f64;
    let rules: [(&str, Rule); 6] = [
        ("one template, mean of all records", |parts, probe| cosine(&of(parts), probe)),
        ("one a session, best counts", |parts, probe| best(sessions(parts).iter().map(|s| of(s)), probe)),
        ("one a record, best counts", |parts, probe| best(parts.iter().map(|p| p.mean.clone()), probe)),
        ("one a session, mean of the scores", |parts, probe| {
            let sessions = sessions(parts);
            sessions.iter().map(|s| cosine(&of(s), probe)).sum::<f64>() / sessions.len() as f64
        }),
        ("one a record, mean of the best two", |parts, probe| {
            let mut scores: Vec<f64> = parts.iter().map(|p| cosine(&p.mean, probe)).collect();
            scores.sort_by(|a, b| b.total_cmp(a));
            scores.truncate(2);
            scores.iter().sum::<f64>() / scores.len() as f64
        }),
        ("one a session and the mean, best counts", |parts, probe| {
            best(sessions(parts).iter().map(|s| of(s)).chain([of(parts)]), probe)
        }),
    ];
    let enrolled: Vec<(&String, Vec<&Part>)> = persons
        .iter()
        .map(|(name, parts)| (name, parts.iter().filter(|p| enrol.contains(&p.session)).collect::<Vec<_>>()))
        .filter(|(_, parts)| enrol.iter().all(|s| parts.iter().any(|p| p.session == *s)))
        .collect();
    for (label, rule) in rules {
        let mut comparisons = Vec::new();
        for (name, parts) in persons {
            for (n, part) in parts.iter().enumerate().filter(|(_, p)| p.session == probe) {
                comparisons.extend(enrolled.iter().map(|(reference, templates)| Comparison {
                    probe_record: format!("{name}#{n}"),
                    probe_subject: name.clone(),
                    reference_subject: (*reference).clone(),
                    score: rule(templates, &part.mean),
                }));
            }
        }
        report(label, &comparisons, threshold)?;
    }
    Ok(())
}

fn report(label: &str, comparisons: &[Comparison], threshold: f64) -> anyhow::Result<()> {
    let rates = error_rates(comparisons, REPLICATES, 1)?;
    let at = rates_at(comparisons, threshold, 0, 0)?;
    let figure = |i: ecg_identity::rates::Interval| {
        format!("{:5.2} [{:4.1}–{:4.1}]", 100.0 * i.value, 100.0 * i.low, 100.0 * i.high)
    };
    println!(
        "  {label:42} {}  {}  {}   {:5.3} {:5.1}   ({} persons, {} mated)",
        figure(rates.eer),
        figure(rates.fnmr_at_fmr_1pct),
        figure(rates.fnmr_at_fmr_01pct),
        100.0 * at.fmr.value,
        100.0 * at.fnmr.value,
        rates.counts.subjects,
        rates.counts.genuine
    );
    Ok(())
}

fn of(parts: &[&Part]) -> Vec<f32> {
    mean_unit(parts.iter().map(|p| p.mean.as_slice()))
}

fn sessions<'a>(parts: &[&'a Part]) -> Vec<Vec<&'a Part>> {
    let of_session = |s| parts.iter().copied().filter(|p| p.session == s).collect::<Vec<_>>();
    (0..3).map(of_session).filter(|s| !s.is_empty()).collect()
}

fn best(templates: impl Iterator<Item = Vec<f32>>, probe: &[f32]) -> f64 {
    templates.map(|t| cosine(&t, probe)).fold(-1.0, f64::max)
}

/// A template of the first session, blended with what of the second session matches it; probed with the later one.
fn updates(persons: &Persons, threshold: f64) -> anyhow::Result<()> {
    println!(
        "\nupdate of the first session's template with the mean of the second, where that matches by threshold + margin"
    );
    for (margin, weight) in [(2.0, 0.0), (0.0, 0.5), (0.05, 0.3), (0.05, 0.5), (0.1, 0.5), (-2.0, 0.5)] {
        let needed = threshold + margin;
        let (mut templates, mut updated, mut poisoned, mut strangers, mut drift) = (Vec::new(), 0, 0, 0, 1.0_f64);
        for (name, parts) in persons {
            let take = |session| parts.iter().filter(|p| p.session == session).collect::<Vec<_>>();
            let (first, second) = (take(0), take(1));
            if first.is_empty() || second.is_empty() {
                continue;
            }
            let (anchor, fresh) = (of(&first), of(&second));
            for (_, others) in persons.iter().filter(|(other, _)| *other != name) {
                let other: Vec<&Part> = others.iter().filter(|p| p.session == 1).collect();
                strangers += usize::from(!other.is_empty());
                poisoned += usize::from(!other.is_empty() && cosine(&anchor, &of(&other)) >= needed);
            }
            let mut template = anchor.clone();
            if cosine(&anchor, &fresh) >= needed {
                updated += 1;
                let blend: Vec<f32> = anchor.iter().zip(&fresh).map(|(a, f)| a * (1.0 - weight) + f * weight).collect();
                template = mean_unit([blend.as_slice()]);
                drift = drift.min(cosine(&anchor, &template));
            }
            templates.push((name.clone(), template));
        }
        let mut comparisons = Vec::new();
        for (name, parts) in persons {
            for (n, part) in parts.iter().enumerate().filter(|(_, p)| p.session == 2) {
                comparisons.extend(templates.iter().map(|(reference, template)| Comparison {
                    probe_record: format!("{name}#{n}"),
                    probe_subject: name.clone(),
                    reference_subject: reference.clone(),
                    score: cosine(template, &part.mean),
                }));
            }
        }
        let label = match margin {
            m if m >= 2.0 => "no update".to_owned(),
            m if m <= -2.0 => "always, without a condition".to_owned(),
            m => format!("+{m:.2}, weight {weight:.1}"),
        };
        report(&label, &comparisons, threshold)?;
        let share = 100.0 * poisoned as f64 / strangers.max(1) as f64;
        println!(
            "      updated {updated} of {}; a stranger would be taken in {share:.2} % of {strangers}; drift to {drift:.3}",
            templates.len()
        );
    }
    Ok(())
}
