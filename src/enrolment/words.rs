//! What the person on the electrodes is told: advice, steps and refusals in words. It decides nothing.

use ecg_identity::Suspicion;
use ecg_identity::enrolment::{Advice, EnrolmentRefusal, EnrolmentStatus, Fault, Step};

/// What to do now.
pub(super) fn advice(advice: Advice) -> &'static str {
    match advice {
        Advice::PutOn => "put both electrodes on",
        Advice::KeepStill => "good signal: keep still",
        Advice::Wait => "waiting for the first heartbeats: keep still",
        Advice::PressBoth => "an electrode is off: press both",
        Advice::CheckCable => "no signal moves: see to the electrodes and their cable",
        Advice::Moisten => "the converter is at its limit: moisten the skin, touch no metal of the cable",
        Advice::Relax => "noise instead of a heart: rest the arms, relax, move away from chargers",
        Advice::HoldSteady => "beats differ in shape: do not move or press",
        Advice::ReplaySuspected => {
            "these heartbeats have come before, as if played again: they do not count; if a heart is on the electrodes, \
             keep still, it goes on by itself twenty beats after the last of them"
        }
        Advice::RhythmTooRegular => {
            "this rhythm does not vary as a heart's does: its beats do not count; for somebody whose pacemaker beats at a \
             fixed rate, set allow_even_rhythm = true under [liveness] in the configuration"
        }
        Advice::TakeOff => "take both electrodes off, and put them back after two seconds",
        Advice::TakeOffLonger => {
            "taking off was not noticed: keep both electrodes off for five seconds; if the board cannot tell, press \
             Enter once they are back (over MQTT or HTTP: enrol/moved), or begin again with --placements 1"
        }
        Advice::Nothing => "",
    }
}

/// The headline of a step.
pub(super) fn step(status: &EnrolmentStatus) -> String {
    let place = format!("placement {} of {}", status.placement, status.placements);
    let again = status.again.as_ref().map_or_else(String::new, |why| format!(" again ({})", refusal(why, "placement")));
    match status.step {
        Step::PutOn => format!("{place}{again}: {}", advice(status.advice)),
        Step::Collect => format!("{place}{again}: electrodes are on, keep still"),
        Step::TakeOff => format!("next, {place}{again}: {}", advice(status.advice)),
        Step::Done => format!("complete: {} good beats", status.good_beats),
        Step::GaveUp => "given up".to_owned(),
    }
}

/// One line that says how far it is.
pub(super) fn progress(status: &EnrolmentStatus) -> String {
    let rate = status.heart_rate_bpm.map_or_else(String::new, |bpm| format!(", {bpm:.0} bpm"));
    let refused = match (status.step, (100.0 * status.refused_share).round() as u32) {
        (Step::Collect, percent @ 1..) => format!(", {percent} % of the beats refused"),
        _ => String::new(),
    };
    let doubted = match status.doubted_beats {
        0 => String::new(),
        beats => format!(", {beats} not believed"),
    };
    format!(
        "placement {} of {}, {} of {} beats{rate}{refused}{doubted}: {}",
        status.placement,
        status.placements,
        status.good_beats,
        status.needed_beats,
        advice(status.advice)
    )
}

/// Why there is no template, and what to do. `part` is what a placement is called: a placement or a recording.
pub(crate) fn refusal(refusal: &EnrolmentRefusal, part: &str) -> String {
    match refusal {
        EnrolmentRefusal::Doubted { placement, suspicion: Suspicion::Replay } => format!(
            "in {part} {placement} heartbeats came that had come before, in the same order, as if played again: only a \
             heart that beats now is enrolled, or a recording in which nothing is repeated"
        ),
        EnrolmentRefusal::Doubted { placement, suspicion: Suspicion::TooRegular } => format!(
            "the rhythm of {part} {placement} does not vary as a heart's does: a generated signal is not enrolled; for \
             somebody whose pacemaker beats at a fixed rate, set allow_even_rhythm = true under [liveness] in the \
             configuration (docs/liveness.md)"
        ),
        EnrolmentRefusal::TooFewBeats { good, needed, refused } => {
            let refused: Vec<String> = refused.iter().map(|(fault, n)| format!("{n} {}", fault.name())).collect();
            let refused =
                if refused.is_empty() { "none refused".into() } else { format!("refused: {}", refused.join(", ")) };
            format!(
                "only {good} good heartbeats, {needed} are needed ({refused}): check that both electrodes touch well, \
                 sit still, and record longer"
            )
        }
        EnrolmentRefusal::PoorSignal { placement, share, limit, mostly } => format!(
            "{:.0} % of the beats of {part} {placement} were refused, mostly for {}; at most {:.0} % may be: {}",
            100.0 * share,
            fault(*mostly),
            100.0 * limit,
            remedy(*mostly)
        ),
        EnrolmentRefusal::Unsteady { placement, cosine, needed } => format!(
            "{part} {placement} changes from its first half to its second (likeness {cosine:.2}, {needed:.2} is \
             needed): one person only, sit still, do not press"
        ),
        EnrolmentRefusal::OddPlacement { placement, cosine, needed } => format!(
            "{part} {placement} is unlike the others (likeness {cosine:.2}, {needed:.2} is needed): put the electrodes \
             on in the same places and the same way round"
        ),
        EnrolmentRefusal::PlacementsDiffer { cosine, needed } => format!(
            "the {part}s resemble each other by {cosine:.2} only, {needed:.2} is needed: one person only, electrodes in \
             the same places and the same way round, sit still; then enrol again"
        ),
    }
}

fn fault(fault: Fault) -> &'static str {
    match fault {
        Fault::Noise => "noise",
        Fault::Shape => "their shape",
        Fault::Clipping => "clipping",
        Fault::LeadOff => "a lost electrode",
        Fault::FlatLine => "a flat line",
        Fault::Incomplete => "missing samples",
        Fault::Doubted(Suspicion::Replay) => "beats that have come before",
        Fault::Doubted(Suspicion::TooRegular) => "a rhythm that does not vary",
    }
}

fn remedy(fault: Fault) -> &'static str {
    match fault {
        Fault::Noise => "rest the arms, relax, move away from chargers",
        Fault::Shape => "sit still, do not move or press the electrodes",
        Fault::Clipping => "moisten the skin under the electrodes",
        Fault::LeadOff | Fault::FlatLine | Fault::Incomplete => "see to the electrodes and their cable",
        Fault::Doubted(_) => "enrol from a heart that beats now",
    }
}
