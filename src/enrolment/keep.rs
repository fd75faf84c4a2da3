//! What is done with a judged enrolment: held against everybody else and against the person's earlier days, stored, told.

use ecg_identity::enrolment::{Judged, UpdateRefusal, UpdateRule, blend, days, heart_rates_apart, resemblances};
use ecg_identity::{Cohort, Reference, Template, rank, unit};
use serde::{Deserialize, Serialize};

use super::report::{Like, Report, Updated};
use crate::config::Slug;
use crate::store::{Change, NOT_WIPED, NewEnrolment, NewPart, Store, StoreError};

/// A second day that is less like the first than this share of the threshold is worth a word: of persons not trained on,
/// 4 % of honest records are, and nine of ten of strangers' (ADR 16).
const UNLIKE_SHARE: f64 = 0.6;

/// What is known when the enrolment is complete.
pub(crate) struct Offer<'a> {
    pub(crate) subject: &'a Slug,
    pub(crate) front_end: &'a str,
    pub(crate) model: &'a str,
    pub(crate) cohort: Option<&'a Cohort>,
    pub(crate) judged: &'a Judged,
    /// Score of a match.
    pub(crate) threshold: f64,
    /// Below it nobody is alike.
    pub(crate) floor: f64,
    pub(crate) add: bool,
    pub(crate) update: bool,
    pub(crate) accept_resemblance: bool,
}

/// Somebody who is enrolled is so much alike that a person must say that this is another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Question {
    /// Who resembles whom, and how much.
    pub(crate) told: String,
    /// What to do if they are the same person.
    pub(crate) advice: String,
}

/// Why nothing was stored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeepError {
    /// To be answered; then the offer comes again with `accept_resemblance`.
    #[error("{}: nothing is stored; {}; if it is another person, add --accept-resemblance", .0.told, .0.advice)]
    Resembles(Question),
    /// The update asks too much of the template.
    #[error("{0}")]
    Update(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Holds the enrolment against the gallery and stores it.
///
/// # Errors
/// [`KeepError`]: nothing is stored.
pub(crate) fn keep(store: &Store, offer: &Offer<'_>) -> Result<Report, KeepError> {
    let all = store.references(offer.front_end, offer.model, offer.cohort)?;
    let (own, others): (Vec<Reference>, Vec<Reference>) =
        all.into_iter().partition(|r| r.subject == offer.subject.as_str());
    let mut notes = Vec::new();
    let resembles: Vec<Like> = resemblances(&others, offer.judged)
        .into_iter()
        .take_while(|like| like.score >= offer.floor)
        .map(|like| Like { subject: like.subject, score: like.score })
        .collect();
    notes.extend(resemblance(offer, &resembles)?);
    notes.extend(unlike_before(offer, &own));
    if !own.is_empty() && !offer.add && !offer.update {
        let name = offer.subject;
        notes.push(format!(
            "the earlier templates of {name} on this front end do not count any more; ecgid subjects undo {name} brings \
             them back, and --add would have kept them"
        ));
    }
    let (change, parts, update) = if offer.update { updated(store, offer)? } else { enrolled(offer) };
    let Offer { subject, front_end, model, judged, .. } = *offer;
    let revision = store.enrol(&NewEnrolment { subject, front_end, model, change, parts: &parts })?;
    if !store.is_wiped()? {
        notes.push(NOT_WIPED.to_owned());
    }
    let (days, rates) = history(store, offer)?;
    if let Some((slow, fast)) = heart_rates_apart(&rates) {
        notes.push(format!(
            "heart rates of the days differ ({slow:.0} and {fast:.0} bpm): what is far from both is recognised less often; \
             another day at the usual pulse helps"
        ));
    }
    if days < 2 && !offer.update {
        notes.push(format!(
            "one day is enrolled: on another day the signal differs more than people do, so please come again: ecgid \
             enrol {subject} --add"
        ));
    }
    Ok(Report {
        subject: subject.to_string(),
        revision,
        front_end: front_end.to_owned(),
        model: model.to_owned(),
        beats: judged.beats(),
        refused_beats: judged.refused_beats,
        takes: judged.parts.len(),
        consistency: judged.consistency,
        heart_rate_bpm: judged.heart_rate_bpm(),
        days,
        resembles,
        update,
        notes,
    })
}

/// A word where somebody else is much alike; a question where nobody has said yet that this is another person.
fn resemblance(offer: &Offer<'_>, alike: &[Like]) -> Result<Option<String>, KeepError> {
    let Some(Like { subject: other, score }) = alike.first() else { return Ok(None) };
    let (name, threshold) = (offer.subject, offer.threshold);
    let told = format!("{name} resembles {other} ({score:.2}, a match from {threshold:.2} on)");
    if *score < threshold || offer.accept_resemblance {
        return Ok(Some(format!(
            "{told}: if they are two persons, they may be taken for each other; enrol both on a second day"
        )));
    }
    let question = Question { told, advice: format!("if this is {other}, use ecgid enrol {other} --add") };
    Err(KeepError::Resembles(question))
}

/// A word where today's signal is hardly like the earlier days of this name, those that it replaces included.
fn unlike_before(offer: &Offer<'_>, own: &[Reference]) -> Option<String> {
    let score = rank(own, &offer.judged.template).first()?.score;
    (score < UNLIKE_SHARE * offer.threshold).then(|| {
        let name = offer.subject;
        let unlike = if offer.add || offer.update {
            format!("this day is hardly like the earlier ones of {name}")
        } else {
            format!("this is hardly like the {name} who was enrolled")
        };
        format!(
            "{unlike} ({score:.2}): if it is somebody else, or the electrodes were swapped, take it back: ecgid subjects \
             undo {name}"
        )
    })
}

fn enrolled(offer: &Offer<'_>) -> (Change, Vec<NewPart>, Option<Updated>) {
    let count = |beats: usize| u32::try_from(beats).unwrap_or(u32::MAX);
    let parts = offer.judged.parts.iter().map(|part| NewPart {
        embedding: unit(&part.embedding).unwrap_or_default(),
        beats: count(part.beats),
        heart_rate_bpm: part.heart_rate_bpm,
    });
    (if offer.add { Change::Add } else { Change::Enrol }, parts.collect(), None)
}

/// The template that the new beats are most alike, blended with them.
fn updated(store: &Store, offer: &Offer<'_>) -> Result<(Change, Vec<NewPart>, Option<Updated>), KeepError> {
    let name = offer.subject;
    let own = store.own_templates(name, offer.front_end, offer.model)?;
    let fresh = &offer.judged.template;
    let template = |embedding: &[f32]| Template::of(embedding.to_vec(), offer.cohort);
    let like = |embedding: &[f32]| template(embedding).score(fresh);
    let nearest = own.iter().max_by(|a, b| like(&a.embedding).total_cmp(&like(&b.embedding)));
    let nearest = nearest.ok_or_else(|| {
        KeepError::Update(format!(
            "{name} has no template on {}: there is nothing to update; enrol first",
            offer.front_end
        ))
    })?;
    let rule = UpdateRule::at(offer.threshold);
    let (anchor, newest) = (template(&nearest.anchor), template(&nearest.embedding));
    let blend = blend(&anchor, &newest, fresh, &rule).map_err(|refusal| KeepError::Update(match refusal {
        UpdateRefusal::NotClear { score, needed } => format!(
            "the new beats match {name} by {score:.2}, an update needs {needed:.2}: nothing is changed. If it is {name}, \
             add the day instead: ecgid enrol {name} --add"
        ),
        UpdateRefusal::DriftedFar { to_anchor } => format!(
            "the template of {name} would come too far from what was enrolled (likeness {to_anchor:.2}): nothing is \
             changed. Add the day instead: ecgid enrol {name} --add"
        ),
    }))?;
    let part = NewPart {
        embedding: blend.embedding,
        beats: u32::try_from(offer.judged.beats()).unwrap_or(u32::MAX),
        heart_rate_bpm: offer.judged.heart_rate_bpm(),
    };
    let updated = Updated { score: blend.score, to_anchor: blend.to_anchor };
    Ok((Change::Update { of: nearest.id }, vec![part], Some(updated)))
}

/// On how many days the templates that count were enrolled, and their heart rates. An update is no day of its own: half of
/// it is of the day that it goes back to, which its anchor holds it to.
fn history(store: &Store, offer: &Offer<'_>) -> Result<(usize, Vec<f64>), StoreError> {
    let subjects = store.subjects()?;
    let own = subjects.iter().filter(|s| s.subject == offer.subject.as_str()).flat_map(|s| &s.templates);
    let here: Vec<_> = own.filter(|t| t.front_end == offer.front_end && t.model == offer.model).collect();
    let moments: Vec<f64> = here.iter().map(|t| t.enrolled_at_unix_ms as f64 / 1000.0).collect();
    Ok((days(&moments), here.iter().filter_map(|t| t.heart_rate_bpm).collect()))
}
