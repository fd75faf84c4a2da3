//! The linear branch: principal components, then the axes along which persons differ most and sessions least.
//!
//! Computed from the prepared beats of the training persons and their virtual ones, front-end variants included; no
//! gradients. It is worth little alone and something in the sum, because it errs on other persons than the network does.
//!
//! Fisher's linear discriminant with a within-person scatter of two parts: how beats of one person vary, and how the
//! session means of one person vary (what another day changes). Both count the same, whatever their size.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use ecg_signal::{Preparation, SEGMENT_SAMPLES};
use nalgebra::{DMatrix, DVector, SymmetricEigen};

use crate::network::AXES;
use crate::network::weights::{Weight, Weights};
use crate::prepared::{Prepared, average};
use crate::split::Person;
use crate::virtual_person::Cast;

/// Fewest persons that the axes can be computed from: between so many there are as many directions as axes.
pub const LEAST_PERSONS: usize = AXES + 1;

/// Principal components kept. 40 to 100 are equally good.
const COMPONENTS: usize = 60;
/// Inputs of each take that count, and the step between them in beats: neighbours say the same.
const INPUTS: usize = 4;
const STEP: usize = 2;
/// Added to the scatter within persons, relative to its mean eigenvalue: directions in which no training person varies
/// are not trusted without limit.
const RIDGE: f64 = 0.03;

/// A real person, or the virtual one of that number who was made of them.
type Wearer<'a> = (&'a Person, Option<usize>);

/// The prepared beats of one session of one person.
struct Session<'a> {
    person: Wearer<'a>,
    beats: Vec<DVector<f64>>,
}

/// Weights `axes.weight` `[175, 24]` and `axes.bias` `[24]` of the branch.
///
/// # Errors
/// Too few persons or beats for the axes.
pub fn fit(
    records: &[Prepared],
    trained: &BTreeSet<Person>,
    cast: &Cast,
    preparation: &Preparation,
) -> anyhow::Result<Weights> {
    let sessions = sessions(records, trained, cast, preparation);
    let persons: BTreeSet<&Person> = sessions.iter().map(|session| session.person.0).collect();
    anyhow::ensure!(
        persons.len() >= LEAST_PERSONS,
        "a linear branch takes {LEAST_PERSONS} persons to train on, there are {}",
        persons.len()
    );
    let mean = person_mean(&sessions, SEGMENT_SAMPLES, |beat| beat.clone());
    let covariance = person_scatter(&sessions, SEGMENT_SAMPLES, |beat| beat - &mean);
    let components = leading(covariance, COMPONENTS);
    let projected: Vec<Session<'_>> = sessions
        .iter()
        .map(|session| {
            let beats = session.beats.iter().map(|beat| components.tr_mul(&(beat - &mean))).collect();
            Session { person: session.person, beats }
        })
        .collect();
    let within = within(&projected);
    let between = between(&projected);
    let factor = within.cholesky().context("the beats of the training persons do not vary")?.l();
    let whitened = factor.solve_lower_triangular(&between).context("the scatter within persons is singular")?;
    let whitened = factor.solve_lower_triangular(&whitened.transpose()).context("the scatter is singular")?;
    let axes = leading(0.5 * (&whitened + whitened.transpose()), AXES);
    let axes = factor.tr_solve_lower_triangular(&axes).context("the scatter within persons is singular")?;
    let matrix = components * axes;
    let bias = -matrix.tr_mul(&mean);
    // nalgebra stores columns; the network wants rows.
    let rows = matrix.transpose().iter().map(|&x| x as f32).collect();
    Ok(Weights::from([
        ("axes.weight".to_owned(), Weight { shape: vec![SEGMENT_SAMPLES, AXES], values: rows }),
        ("axes.bias".to_owned(), Weight { shape: vec![AXES], values: bias.iter().map(|&x| x as f32).collect() }),
    ]))
}

fn sessions<'a>(
    records: &'a [Prepared],
    trained: &BTreeSet<Person>,
    cast: &Cast,
    preparation: &Preparation,
) -> Vec<Session<'a>> {
    let mut found: BTreeMap<(Wearer<'_>, &str), Vec<DVector<f64>>> = BTreeMap::new();
    for record in records.iter().filter(|record| trained.contains(&record.person)) {
        for take in &record.takes {
            let windows = take.windows(preparation.beats).step_by(STEP).take(INPUTS);
            let beats: Vec<_> = windows.map(|cuts| average(cuts, preparation).values).collect();
            let made_up = cast.of(&record.person).iter().enumerate().map(Some);
            for made_up in std::iter::once(None).chain(made_up) {
                let columns = beats.iter().map(|beat| match made_up {
                    None => column(beat),
                    Some((_, person)) => column(&person.beat(beat)),
                });
                let wearer = (&record.person, made_up.map(|(number, _)| number));
                found.entry((wearer, &record.session)).or_default().extend(columns);
            }
        }
    }
    let session = |((person, _), beats)| Session { person, beats };
    found.into_iter().map(session).filter(|session| !session.beats.is_empty()).collect()
}

fn column(beat: &[f32; SEGMENT_SAMPLES]) -> DVector<f64> {
    DVector::from_iterator(SEGMENT_SAMPLES, beat.iter().copied().map(f64::from))
}

/// Sessions by person.
fn by_person<'s, 'a>(sessions: &'s [Session<'a>]) -> BTreeMap<Wearer<'a>, Vec<&'s Session<'a>>> {
    let mut persons: BTreeMap<Wearer<'_>, Vec<&Session<'_>>> = BTreeMap::new();
    sessions.iter().for_each(|session| persons.entry(session.person).or_default().push(session));
    persons
}

/// Mean over persons of each one's mean: everybody weighs the same, however many records there are.
fn person_mean(sessions: &[Session<'_>], length: usize, of: impl Fn(&DVector<f64>) -> DVector<f64>) -> DVector<f64> {
    let persons = by_person(sessions);
    let total: DVector<f64> =
        persons.values().map(|own| mean(own.iter().flat_map(|session| &session.beats).map(&of), length)).sum();
    total / persons.len() as f64
}

/// Mean over persons of the mean outer product of `of` each beat.
fn person_scatter(sessions: &[Session<'_>], length: usize, of: impl Fn(&DVector<f64>) -> DVector<f64>) -> DMatrix<f64> {
    let persons = by_person(sessions);
    let mut total = DMatrix::zeros(length, length);
    for own in persons.values() {
        let beats: Vec<DVector<f64>> = own.iter().flat_map(|session| &session.beats).map(&of).collect();
        let matrix = DMatrix::from_columns(&beats);
        total += (&matrix * matrix.transpose()) / (beats.len() * persons.len()) as f64;
    }
    total
}

fn mean(vectors: impl Iterator<Item = DVector<f64>>, length: usize) -> DVector<f64> {
    let (mut sum, mut count) = (DVector::zeros(length), 0.0);
    for vector in vectors {
        sum += vector;
        count += 1.0;
    }
    sum / f64::max(count, 1.0)
}

/// Scatter within persons: half of it between beats, half between the means of a person's sessions.
fn within(sessions: &[Session<'_>]) -> DMatrix<f64> {
    let size = sessions[0].beats[0].len();
    let persons = by_person(sessions);
    let mut of_beats = DMatrix::zeros(size, size);
    let mut of_sessions = DMatrix::zeros(size, size);
    for own in persons.values() {
        let beats: Vec<&DVector<f64>> = own.iter().flat_map(|session| &session.beats).collect();
        of_beats += scatter(&beats.iter().map(|&beat| beat.clone()).collect::<Vec<_>>()) / beats.len() as f64;
        let means: Vec<DVector<f64>> = own.iter().map(|session| mean(session.beats.iter().cloned(), size)).collect();
        if means.len() > 1 {
            of_sessions += scatter(&means) / (means.len() - 1) as f64;
        }
    }
    of_beats /= persons.len() as f64;
    let mut within = of_beats.clone();
    if of_sessions.trace() > 0.0 {
        let scale = of_beats.trace() / of_sessions.trace();
        within = 0.5 * (of_beats + scale * of_sessions);
    }
    let ridge = RIDGE * within.trace() / size as f64;
    within + DMatrix::identity(size, size) * ridge
}

/// Scatter of the persons' means about the mean of their own collection: what tells two databases apart is a device.
fn between(sessions: &[Session<'_>]) -> DMatrix<f64> {
    let size = sessions[0].beats[0].len();
    let mut collections: BTreeMap<&str, Vec<DVector<f64>>> = BTreeMap::new();
    for ((person, _), own) in by_person(sessions) {
        let centre = mean(own.iter().flat_map(|session| session.beats.iter().cloned()), size);
        collections.entry(person.collection.as_str()).or_default().push(centre);
    }
    let count: usize = collections.values().map(Vec::len).sum();
    let total: DMatrix<f64> = collections.values().map(|centres| scatter(centres)).sum();
    total / count as f64
}

/// Sum of outer products about the mean.
fn scatter(vectors: &[DVector<f64>]) -> DMatrix<f64> {
    let centre = mean(vectors.iter().cloned(), vectors[0].len());
    let columns: Vec<DVector<f64>> = vectors.iter().map(|vector| vector - &centre).collect();
    let matrix = DMatrix::from_columns(&columns);
    &matrix * matrix.transpose()
}

/// The eigenvectors of the `count` largest eigenvalues, as columns; the largest entry of each is positive, so that the
/// same data give the same axes.
fn leading(symmetric: DMatrix<f64>, count: usize) -> DMatrix<f64> {
    let eigen = SymmetricEigen::new(symmetric);
    let mut order: Vec<usize> = (0..eigen.eigenvalues.len()).collect();
    order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
    let columns: Vec<DVector<f64>> = order
        .into_iter()
        .take(count)
        .map(|index| {
            let column = eigen.eigenvectors.column(index).into_owned();
            if column[column.iamax()] < 0.0 { -column } else { column }
        })
        .collect();
    DMatrix::from_columns(&columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecg_signal::Alignment;

    use crate::prepared::Cut;
    use crate::random::{normal, stream};

    /// Persons whose beats differ in one wave, sessions that differ in another.
    fn records() -> Vec<Prepared> {
        let mut rng = stream(7, 0);
        let wave = |at: f32, width: f32, i: usize| (-((i as f32 - at) / width).powi(2)).exp();
        let mut records = Vec::new();
        for person in 0..40 {
            let own: [f32; 4] = std::array::from_fn(|_| normal(&mut rng) as f32);
            for session in 0..2 {
                let drift = 2.0 * normal(&mut rng) as f32;
                let mut cut = || Cut {
                    segment: std::array::from_fn(|i| {
                        let bumps: f32 = (0..4).map(|n| own[n] * wave(70.0 + 20.0 * n as f32, 5.0, i)).sum::<f32>();
                        4.0 * wave(62.0, 3.0, i)
                            + 0.5 * bumps
                            + drift * wave(20.0, 8.0, i)
                            + 0.05 * normal(&mut rng) as f32
                    }),
                    median_rr_s: Some(0.8),
                };
                records.push(Prepared {
                    person: Person { collection: "c".into(), subject: format!("{person:02}") },
                    record: format!("{person}-{session}"),
                    session: session.to_string(),
                    fs: ecg_signal::FS,
                    takes: vec![(0..12).map(|_| cut()).collect()],
                    inputs: Vec::new(),
                    contacts: Vec::new(),
                    on_boards: Vec::new(),
                    beats_found: 12,
                });
            }
        }
        records
    }

    fn project(weights: &Weights, beat: &[f32; SEGMENT_SAMPLES]) -> Vec<f32> {
        let (matrix, bias) = (&weights["axes.weight"].values, &weights["axes.bias"].values);
        (0..AXES).map(|a| bias[a] + (0..SEGMENT_SAMPLES).map(|i| beat[i] * matrix[i * AXES + a]).sum::<f32>()).collect()
    }

    #[test]
    fn its_axes_tell_persons_apart_across_sessions_that_the_beats_themselves_do_not() {
        let records = records();
        let trained: BTreeSet<Person> = records.iter().map(|record| record.person.clone()).collect();
        let preparation = Preparation::default();
        let weights = fit(&records, &trained, &Cast::default(), &preparation).expect("forty persons");
        let inputs: Vec<_> = records.iter().map(|record| average(&record.takes[0][..5], &preparation).values).collect();
        let rank1 = |of: &dyn Fn(&[f32; SEGMENT_SAMPLES]) -> Vec<f32>| {
            let embedded: Vec<Vec<f32>> = inputs.iter().map(of).collect();
            let nearest = |probe: usize| {
                let others = (0..embedded.len()).step_by(2);
                let like = |a: usize| ecg_identity::cosine(&embedded[a], &embedded[probe]);
                others.max_by(|&a, &b| like(a).total_cmp(&like(b)))
            };
            (1..embedded.len()).step_by(2).filter(|&probe| nearest(probe) == Some(probe - 1)).count()
        };
        let (axes, beats) = (rank1(&|beat| project(&weights, beat)), rank1(&|beat| beat.to_vec()));
        assert!(axes >= 32 && beats <= 12, "of 40: axes {axes}, beats {beats}");
    }

    #[test]
    fn it_sees_what_only_virtual_persons_differ_in() {
        let records = records();
        let trained: BTreeSet<Person> = records.iter().map(|record| record.person.clone()).collect();
        // As the beats are made: by R.
        let preparation = Preparation { alignment: Alignment::R, ..Preparation::default() };
        // All real persons have the same QRS.
        let alike = |each| {
            let weights = fit(&records, &trained, &Cast::draw(&trained, each, 1), &preparation).expect("forty persons");
            let project = |width: f32| {
                let widened = |cut: &Cut| Cut {
                    segment: std::array::from_fn(|i| {
                        let qrs = |width: f32| 4.0 * (-((i as f32 - 62.0) / width).powi(2)).exp();
                        cut.segment[i] - qrs(3.0) + qrs(width)
                    }),
                    ..cut.clone()
                };
                let cuts: Vec<Cut> = records[0].takes[0][..5].iter().map(widened).collect();
                project(&weights, &average(&cuts, &preparation).values)
            };
            ecg_identity::cosine(&project(3.0), &project(4.0))
        };
        let (real, both) = (alike(0), alike(2));
        assert!(
            both < real - 0.2,
            "cosine of a narrow and a wide QRS: {real} by real persons, {both} with virtual ones"
        );
    }

    #[test]
    fn too_few_persons_are_an_error_that_says_so() {
        let records = records();
        let trained: BTreeSet<Person> = records.iter().take(20).map(|record| record.person.clone()).collect();
        let error = fit(&records, &trained, &Cast::default(), &Preparation::default()).unwrap_err().to_string();
        assert!(error.contains("25 persons") && error.contains("there are 10"), "{error}");
    }
}
