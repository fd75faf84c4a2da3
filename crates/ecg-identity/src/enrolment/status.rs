//! What a screen or a topic shows of an enrolment in progress. Must not know words for people.

use super::placement::Fault;
use super::{Enrolment, EnrolmentRefusal};
use crate::Suspicion;

/// Length of a beat while the heart rate is not known, seconds.
const USUAL_RR_S: f64 = 0.8;

/// Where an enrolment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// The electrodes are to be put on.
    PutOn,
    /// Beats are collected.
    Collect,
    /// The electrodes are to be taken off, for the next placement.
    TakeOff,
    /// All placements are complete.
    Done,
    /// It took too long.
    GaveUp,
}

/// The electrodes, as far as the signal tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Contact {
    /// Too little has come to tell, or no signal comes at all.
    Unknown,
    /// A heart is seen.
    On,
    /// No contact, and what it looks like.
    Off(Fault),
    /// Something moves, and it is no heart.
    NoHeart,
}

/// What the person can do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Advice {
    /// Put the electrodes on (again).
    PutOn,
    /// All is well: keep still.
    KeepStill,
    /// Wait: the first heartbeats are still to come.
    Wait,
    /// An electrode is off: press both.
    PressBoth,
    /// The line is flat: see to cable and electrodes.
    CheckCable,
    /// The converter is at its limit: moisten the skin, do not touch the metal of the cable.
    Moisten,
    /// Noise: relax the arms, move away from chargers.
    Relax,
    /// Beats differ in shape: do not move; where the heart is irregular, it takes longer.
    HoldSteady,
    /// Beats have come before, in this order: a heart that beats now is needed.
    ReplaySuspected,
    /// The intervals do not vary: a heart is needed, or somebody who permits an even rhythm.
    RhythmTooRegular,
    /// Take the electrodes off.
    TakeOff,
    /// Taking off was not noticed: both electrodes off for some seconds, or say that it was done.
    TakeOffLonger,
    /// Nothing: it is complete, or given up.
    Nothing,
}

/// How far an enrolment has come.
#[derive(Debug, Clone, PartialEq)]
pub struct EnrolmentStatus {
    /// Where it is.
    pub step: Step,
    /// The placement that is being collected or asked for, from 1.
    pub placement: usize,
    /// How many there will be.
    pub placements: usize,
    /// Good beats so far.
    pub good_beats: usize,
    /// Good beats that will be needed at this heart rate; never below `good_beats`.
    pub needed_beats: usize,
    /// Seconds of good beats so far, at most `needed_s`.
    pub good_s: f64,
    /// Seconds that are needed in all.
    pub needed_s: f64,
    /// Beats of this placement that were refused for a poor signal, share, 0…1.
    pub refused_share: f64,
    /// Good beats, since the enrolment began, that were refused because the heart was not believed to beat now. Those that
    /// were taken before and went with their placement are not among them.
    pub doubted_beats: usize,
    /// The electrodes, as far as the signal tells.
    pub contact: Contact,
    /// Heart rate in this placement; `None` until known.
    pub heart_rate_bpm: Option<f64>,
    /// What to do now.
    pub advice: Advice,
    /// Why the present placement is taken again, where it is.
    pub again: Option<EnrolmentRefusal>,
}

impl EnrolmentStatus {
    pub(super) fn of(enrolment: &Enrolment) -> Self {
        let Enrolment { config, done, current, step, .. } = enrolment;
        let placements = config.placements.max(1);
        let each_s = config.placement_s();
        let good_s = (done.len() as f64 * each_s + current.seconds().min(each_s)).min(config.seconds);
        let good_beats = done.iter().chain([current]).map(|p| p.beats()).sum();
        let heart_rate_bpm = current.heart_rate_bpm().or_else(|| done.last().and_then(|p| p.heart_rate_bpm()));
        let rr_s = heart_rate_bpm.map_or(USUAL_RR_S, |bpm| 60.0 / bpm);
        let missing = ((config.seconds - good_s).max(0.0) / rr_s).ceil() as usize;
        Self {
            step: *step,
            placement: (done.len() + 1).min(placements),
            placements,
            good_beats,
            needed_beats: (good_beats + missing).max(config.requirements.min_beats),
            good_s,
            needed_s: config.seconds,
            refused_share: current.refused_share(),
            doubted_beats: enrolment.doubted_beats,
            contact: enrolment.contact,
            heart_rate_bpm,
            advice: advice(enrolment),
            again: enrolment.again.clone(),
        }
    }
}

fn advice(enrolment: &Enrolment) -> Advice {
    match enrolment.step {
        Step::Done | Step::GaveUp => Advice::Nothing,
        Step::TakeOff if enrolment.waited_s >= enrolment.config.patience_s => Advice::TakeOffLonger,
        Step::TakeOff => Advice::TakeOff,
        Step::PutOn => match enrolment.contact {
            Contact::NoHeart => Advice::Relax,
            Contact::Off(Fault::Clipping) if enrolment.waited_s >= enrolment.config.patience_s => Advice::Moisten,
            _ => Advice::PutOn,
        },
        Step::Collect => {
            match (enrolment.contact, enrolment.doubt.map(Fault::Doubted).or(enrolment.current.spoils_now())) {
                (Contact::Off(fault), _) | (_, Some(fault)) => remedy(fault),
                (Contact::NoHeart, None) => Advice::Relax,
                (Contact::Unknown, None) => Advice::Wait,
                (Contact::On, None) => Advice::KeepStill,
            }
        }
    }
}

fn remedy(fault: Fault) -> Advice {
    match fault {
        Fault::LeadOff => Advice::PressBoth,
        Fault::FlatLine | Fault::Incomplete => Advice::CheckCable,
        Fault::Clipping => Advice::Moisten,
        Fault::Noise => Advice::Relax,
        Fault::Shape => Advice::HoldSteady,
        Fault::Doubted(Suspicion::Replay) => Advice::ReplaySuspected,
        Fault::Doubted(Suspicion::TooRegular) => Advice::RhythmTooRegular,
    }
}
