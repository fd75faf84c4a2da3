//! What is done with a judged enrolment: held against everybody else and against the person's earlier days, stored, told.

use std::fmt;

use anyhow::{anyhow, bail};
use ecg_identity::enrolment::{Judged, UpdateRefusal, UpdateRule, blend, days, heart_rates_apart, resemblances};
use ecg_identity::{Reference, cosine, rank};
use serde::Serialize;

use super::keyboard::Keyboard;
use crate::config::Slug;
use crate::store::{Change, NewEnrolment, NewPart, Store};

/// A second day that is less like the first than this share of the threshold is worth a word: of persons not trained on,
/// 7 % of honest pairs of records are, and nine of ten of strangers (ADR 16).
const UNLIKE_SHARE: f64 = 0.4;

/// What is known when the enrolment is complete.
pub(super) struct Offer<'a> {
    pub(super) subject: &'a Slug,
    pub(super) front_end: &'a str,
    pub(super) model: &'a str,
    pub(super) judged: &'a Judged,
    /// Score of a match.
    pub(super) threshold: f64,
    /// Below it nobody is alike.
    pub(super) floor: f64,
    pub(super) add: bool,
    pub(super) update: bool,
    pub(super) accept_resemblance: bool,
}

/// What the command says of it.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    subject: String,
    revision: u32,
    front_end: String,
    model: String,
    /// Heartbeats that the templates rest on.
    beats: usize,
    /// Heartbeats that the quality gate refused.
    refused_beats: usize,
    /// Placements or recordings, a template each.
    takes: usize,
    /// Cosine of the least alike: two placements, or the halves of one.
    consistency: f64,
    /// Mean heart rate, beats a minute.
    heart_rate_bpm: Option<f64>,
    /// Days on which the templates that count now were made.
    days: usize,
    /// Other subjects on this front end whom the new templates resemble, most alike first.
    resembles: Vec<Like>,
    /// An update: how the new beats scored, and how near the template still is to what was enrolled.
    #[serde(skip_serializing_if = "Option::is_none")]
    update: Option<Updated>,
    /// What the person should know, in words.
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Like {
    subject: String,
    score: f64,
}

#[derive(Debug, Serialize)]
struct Updated {
    score: f64,
    to_anchor: f64,
}

/// Holds the enrolment against the gallery and stores it.
pub(super) fn keep(store: &Store, offer: &Offer<'_>, keyboard: &mut Keyboard) -> anyhow::Result<Report> {
    let all = store.references(offer.front_end, offer.model)?;
    let (own, others): (Vec<Reference>, Vec<Reference>) =
        all.into_iter().partition(|r| r.subject == offer.subject.as_str());
    let mut notes = Vec::new();
    let resembles: Vec<Like> = resemblances(&others, offer.judged)
        .into_iter()
        .take_while(|like| like.score >= offer.floor)
        .map(|like| Like { subject: like.subject, score: like.score })
        .collect();
    notes.extend(resemblance(offer, &resembles, keyboard)?);
    if offer.add || offer.update {
        notes.extend(unlike_before(offer, &own));
    } else if !own.is_empty() {
        let name = offer.subject;
        notes.push(format!(
            "the earlier templates of {name} on this front end do not count any more; ecgid subjects undo {name} brings \
             them back, and --add would have kept them"
        ));
    }
    let (change, parts, update) = if offer.update { updated(store, offer)? } else { enrolled(offer) };
    let Offer { subject, front_end, model, judged, .. } = *offer;
    let revision = store.enrol(&NewEnrolment { subject, front_end, model, change, parts: &parts })?;
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

/// Whether somebody else is so much alike that a person must say that this is another one.
fn resemblance(offer: &Offer<'_>, alike: &[Like], keyboard: &mut Keyboard) -> anyhow::Result<Option<String>> {
    let Some(like) = alike.first() else { return Ok(None) };
    let (name, other, score, threshold) = (offer.subject, &like.subject, like.score, offer.threshold);
    let told = format!("{name} resembles {other} ({score:.2}, a match from {threshold:.2} on)");
    if score < threshold || offer.accept_resemblance {
        return Ok(Some(format!(
            "{told}: if they are two persons, they may be taken for each other; enrol both on a second day"
        )));
    }
    let same = format!("if this is {other}, use ecgid enrol {other} --add");
    match keyboard.confirmed(&format!("{told}; {same}.\nIs it another person, to be enrolled all the same?")) {
        Some(true) => Ok(Some(format!("{told}: enrol both on a second day, or they may be taken for each other"))),
        Some(false) => bail!("nothing is stored; {same}"),
        None => bail!("{told}: nothing is stored; {same}; if it is another person, add --accept-resemblance"),
    }
}

/// A word where today's signal is hardly like the earlier days of this name.
fn unlike_before(offer: &Offer<'_>, own: &[Reference]) -> Option<String> {
    let score = rank(own, &offer.judged.template).first()?.score;
    (score < UNLIKE_SHARE * offer.threshold).then(|| {
        let name = offer.subject;
        format!(
            "this day is hardly like the earlier ones of {name} ({score:.2}): if it is somebody else, or the electrodes \
             were swapped, take it back: ecgid subjects undo {name}"
        )
    })
}

fn enrolled(offer: &Offer<'_>) -> (Change, Vec<NewPart>, Option<Updated>) {
    let count = |beats: usize| u32::try_from(beats).unwrap_or(u32::MAX);
    let parts = offer.judged.parts.iter().map(|part| NewPart {
        embedding: part.embedding.clone(),
        beats: count(part.beats),
        heart_rate_bpm: part.heart_rate_bpm,
    });
    (if offer.add { Change::Add } else { Change::Enrol }, parts.collect(), None)
}

/// The template that the new beats are most alike, blended with them.
fn updated(store: &Store, offer: &Offer<'_>) -> anyhow::Result<(Change, Vec<NewPart>, Option<Updated>)> {
    let name = offer.subject;
    let own = store.own_templates(name, offer.front_end, offer.model)?;
    let fresh = &offer.judged.template;
    let like = |embedding: &[f32]| cosine(embedding, fresh);
    let nearest = own.iter().max_by(|a, b| like(&a.embedding).total_cmp(&like(&b.embedding)));
    let nearest = nearest.ok_or_else(|| {
        anyhow!("{name} has no template on {}: there is nothing to update; enrol first", offer.front_end)
    })?;
    let rule = UpdateRule::at(offer.threshold);
    let blend = blend(&nearest.anchor, &nearest.embedding, fresh, &rule).map_err(|refusal| match refusal {
        UpdateRefusal::NotClear { score, needed } => anyhow!(
            "the new beats match {name} by {score:.2}, an update needs {needed:.2}: nothing is changed. If it is {name}, \
             add the day instead: ecgid enrol {name} --add"
        ),
        UpdateRefusal::DriftedFar { to_anchor } => anyhow!(
            "the template of {name} would come too far from what was enrolled (likeness {to_anchor:.2}): nothing is \
             changed. Add the day instead: ecgid enrol {name} --add"
        ),
    })?;
    let part = NewPart {
        embedding: blend.embedding,
        beats: u32::try_from(offer.judged.beats()).unwrap_or(u32::MAX),
        heart_rate_bpm: offer.judged.heart_rate_bpm(),
    };
    let updated = Updated { score: blend.score, to_anchor: blend.to_anchor };
    Ok((Change::Update { of: nearest.id }, vec![part], Some(updated)))
}

/// On how many days the templates that count were made, and their heart rates.
fn history(store: &Store, offer: &Offer<'_>) -> anyhow::Result<(usize, Vec<f64>)> {
    let subjects = store.subjects()?;
    let own = subjects.iter().filter(|s| s.subject == offer.subject.as_str()).flat_map(|s| &s.templates);
    let here: Vec<_> = own.filter(|t| t.front_end == offer.front_end && t.model == offer.model).collect();
    let moments: Vec<f64> = here.iter().map(|t| t.created_at_unix_ms as f64 / 1000.0).collect();
    Ok((days(&moments), here.iter().filter_map(|t| t.heart_rate_bpm).collect()))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = if self.update.is_some() { "updated" } else { "enrolled" };
        writeln!(f, "{done} {} (revision {})", self.subject, self.revision)?;
        let placements = if self.takes == 1 { "placement" } else { "placements" };
        writeln!(f, "  beats        {} good, {} refused, {} {placements}", self.beats, self.refused_beats, self.takes)?;
        writeln!(f, "  consistency  {:.2} (1: every part of the enrolment is alike)", self.consistency)?;
        if let Some(update) = &self.update {
            writeln!(f, "  update       score {:.2}, likeness to the original {:.2}", update.score, update.to_anchor)?;
        }
        if let Some(bpm) = self.heart_rate_bpm {
            writeln!(f, "  heart rate   {bpm:.0} bpm")?;
        }
        writeln!(f, "  days         {}", self.days)?;
        writeln!(f, "  front end    {}", self.front_end)?;
        writeln!(f, "  model        {}", self.model)
    }
}

impl Report {
    /// What the person should know, on standard error.
    pub(super) fn tell_notes(&self) {
        for note in &self.notes {
            eprintln!("note: {note}");
        }
    }
}
