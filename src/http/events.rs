//! The enrolment as an event stream, so that a page need not ask again and again.

use std::convert::Infallible;

use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::watch;

use crate::control::{Answer, Control, Status};

/// What is left to say.
enum Next {
    /// Where it stands now.
    Now(watch::Receiver<Status>),
    /// What changes.
    Change(watch::Receiver<Status>),
    /// The enrolment has ended.
    Nothing,
}

/// Where the enrolment stands, then every change, until it has ended. A reader that is slow gets the newest only.
pub(super) fn enrolment(control: &Control) -> Response {
    let told = stream::unfold(Next::Now(control.enrolment()), |next| async {
        let mut status = match next {
            Next::Now(status) => status,
            Next::Change(mut status) => status.changed().await.is_ok().then_some(status)?,
            Next::Nothing => return None,
        };
        let (text, goes_on) = {
            let now = status.borrow_and_update();
            (text(&now), now.state.is_running())
        };
        let next = if goes_on { Next::Change(status) } else { Next::Nothing };
        Some((Ok::<_, Infallible>(Event::default().event("enrol").data(text)), next))
    });
    Sse::new(told).into_response()
}

fn text(status: &Status) -> String {
    let answer = Answer { outcome: Ok(status.to_value()), transaction: None };
    // JSON is UTF-8 and, as it is written here, one line.
    String::from_utf8(answer.to_json()).unwrap_or_default()
}
