//! What is said before an enrolment begins, by what the name already has. It knows no templates.

use crate::config::Slug;

/// An enrolment of this name, `known` to the gallery, would take the place of another; `None` where nothing is replaced.
pub(crate) fn replaces(subject: &Slug, known: bool, add: bool, update: bool) -> Option<String> {
    (known && !add && !update).then(|| {
        format!("{subject} is enrolled already: this replaces what is enrolled on this front end; --add keeps it")
    })
}

/// An update of a name that nobody has can only end in a refusal; `None` where there is something to update.
pub(crate) fn nothing_to_update(subject: &Slug, known: bool, update: bool) -> Option<String> {
    (update && !known).then(|| format!("{subject} is not enrolled: there is nothing to update; enrol first"))
}
