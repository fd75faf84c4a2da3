//! The signal path's words for electrodes and beats, as enrolment knows them.

use ecg_identity::enrolment::{Contact, Fault};
use ecg_signal::Refusal;

use crate::event::Reason;

/// The electrodes, by the signal path.
pub(crate) fn contact(contact: ecg_signal::Contact) -> Contact {
    match contact {
        ecg_signal::Contact::Unknown => Contact::Unknown,
        ecg_signal::Contact::Good => Contact::On,
        ecg_signal::Contact::LeadOff => Contact::Off(Fault::LeadOff),
        ecg_signal::Contact::FlatLine => Contact::Off(Fault::FlatLine),
        ecg_signal::Contact::Clipping => Contact::Off(Fault::Clipping),
        ecg_signal::Contact::Noise => Contact::NoHeart,
    }
}

/// The electrodes, by what the signal stage says every second: why the signal is not usable, and the heart rate. A
/// usable signal without a rate is too new to tell.
pub(crate) fn contact_of_second(unusable: Option<Reason>, heart_rate_bpm: Option<f64>) -> Contact {
    match unusable {
        None if heart_rate_bpm.is_some() => Contact::On,
        None => Contact::Unknown,
        Some(Reason::LeadOff) => Contact::Off(Fault::LeadOff),
        Some(Reason::FlatLine) => Contact::Off(Fault::FlatLine),
        Some(Reason::Clipping) => Contact::Off(Fault::Clipping),
        Some(Reason::Noise) => Contact::NoHeart,
        Some(_) => Contact::Unknown,
    }
}

/// Why a beat was refused.
pub(crate) fn fault_of(refusal: Refusal) -> Fault {
    match refusal {
        Refusal::Noise => Fault::Noise,
        Refusal::FlatLine => Fault::FlatLine,
        Refusal::Clipping => Fault::Clipping,
        Refusal::LeadOff => Fault::LeadOff,
        Refusal::Incomplete => Fault::Incomplete,
        Refusal::Shape => Fault::Shape,
    }
}
