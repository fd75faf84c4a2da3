//! The signal path's words for electrodes and beats, as enrolment knows them.

use ecg_identity::enrolment::{Contact, Fault};
use ecg_signal::Refusal;

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
