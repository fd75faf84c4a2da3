//! Which method and path is which request, and what HTTP calls its outcome.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, get, on};
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::access::Token;
use super::{events, guard};
use crate::control::{Answer, Control, ErrorCode, MAX_BODY, Way};

/// Where the description of the interface is.
pub(super) const DESCRIPTION: &str = "/api/v1/openapi.json";

/// Where the enrolment is followed.
const EVENTS: &str = "/api/v1/enrol/events";

/// How long a request may take, its body included. Deleting rewrites the database, on an SD card too.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// One request.
struct Route {
    method: Method,
    path: &'static str,
    /// Its name, as over MQTT.
    request: &'static str,
    /// Under which name the subject of the path goes into the request.
    subject_as: Option<&'static str>,
}

impl Route {
    const fn new(method: Method, path: &'static str, request: &'static str) -> Self {
        Self { method, path, request, subject_as: None }
    }

    const fn of_subject(method: Method, path: &'static str, request: &'static str, field: &'static str) -> Self {
        Self { method, path, request, subject_as: Some(field) }
    }
}

/// Every request has one route.
static ROUTES: [Route; 10] = [
    Route::new(Method::POST, "/api/v1/enrol", "enrol/start"),
    Route::new(Method::DELETE, "/api/v1/enrol", "enrol/cancel"),
    Route::new(Method::GET, "/api/v1/enrol", "enrol/status"),
    Route::new(Method::POST, "/api/v1/enrol/moved", "enrol/moved"),
    Route::new(Method::POST, "/api/v1/enrol/confirm", "enrol/confirm"),
    Route::new(Method::GET, "/api/v1/subjects", "subjects/list"),
    Route::of_subject(Method::PATCH, "/api/v1/subjects/{subject}", "subjects/rename", "from"),
    Route::of_subject(Method::DELETE, "/api/v1/subjects/{subject}", "subjects/delete", "subject"),
    Route::of_subject(Method::POST, "/api/v1/subjects/{subject}/undo", "subjects/undo", "subject"),
    Route::new(Method::GET, "/api/v1/health", "health"),
];

/// All routes, guarded.
pub(super) fn router(control: Control, token: Token) -> Router {
    let mut router = Router::new();
    for route in &ROUTES {
        // Cannot fail: the table holds methods that have a filter.
        let Ok(filter) = MethodFilter::try_from(route.method.clone()) else { continue };
        let answer = move |State(control): State<Control>,
                           params: Result<RawPathParams, RawPathParamsRejection>,
                           body: Body| { answer(control, route, params, body) };
        router = router.route(route.path, on(filter, answer));
    }
    router
        .route(EVENTS, get(async |State(control): State<Control>| events::enrolment(&control)))
        .route(DESCRIPTION, get(description))
        .method_not_allowed_fallback(async || not_found(StatusCode::METHOD_NOT_ALLOWED))
        .fallback(async || not_found(StatusCode::NOT_FOUND))
        .layer(from_fn(in_time))
        .layer(from_fn_with_state(token, guard::guard))
        .with_state(control)
}

/// The answer as HTTP.
pub(super) fn response(answer: &Answer) -> Response {
    let status = answer.outcome.as_ref().map_or_else(|refusal| status_of(refusal.code), |_| StatusCode::OK);
    json(status, answer.to_json())
}

async fn answer(
    control: Control,
    route: &'static Route,
    params: Result<RawPathParams, RawPathParamsRejection>,
    body: Body,
) -> Response {
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        let message = format!("the body must come within {MAX_BODY} bytes");
        return response(&Answer::refused(ErrorCode::TooLarge, message));
    };
    let subject = params.ok().and_then(|params| params.iter().next().map(|(_, subject)| subject.to_owned()));
    let body = match (route.subject_as, subject) {
        (None, _) => body,
        (Some(field), Some(subject)) => match with_field(&body, field, subject) {
            Some(body) => body,
            None => {
                let message = format!("{field}: the path says it, the body must not");
                return response(&Answer::refused(ErrorCode::BadRequest, message));
            }
        },
        (Some(_), None) => {
            return response(&Answer::refused(ErrorCode::BadRequest, "the path holds no readable name"));
        }
    };
    response(&control.ask(route.request, &body, Way::Http).await)
}

/// The body with a field that the path has said; as it is where it is no object; `None` where it says the field too.
fn with_field(body: &Bytes, field: &str, value: String) -> Option<Bytes> {
    let mut fields = if body.trim_ascii().is_empty() {
        Map::new()
    } else {
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => fields,
            _ => return Some(body.clone()),
        }
    };
    fields
        .insert(field.to_owned(), Value::String(value))
        .is_none()
        .then(|| Bytes::from(Value::Object(fields).to_string()))
}

async fn in_time(request: Request, next: Next) -> Response {
    timeout(ANSWER_WITHIN, next.run(request)).await.unwrap_or_else(|_| {
        let message = format!("it took longer than {} s; look whether it was done", ANSWER_WITHIN.as_secs());
        response(&Answer::refused(ErrorCode::Busy, message))
    })
}

async fn description() -> Response {
    json(StatusCode::OK, include_bytes!("../../docs/openapi.json").to_vec())
}

fn not_found(status: StatusCode) -> Response {
    let message = format!("nothing is here for this method; {DESCRIPTION} describes what is");
    json(status, Answer::refused(ErrorCode::UnknownRequest, message).to_json())
}

fn json(status: StatusCode, body: Vec<u8>) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (status, headers, body).into_response()
}

fn status_of(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::BadRequest => StatusCode::BAD_REQUEST,
        ErrorCode::Unauthorized => StatusCode::UNAUTHORIZED,
        ErrorCode::NotPermitted => StatusCode::FORBIDDEN,
        ErrorCode::UnknownRequest | ErrorCode::NoSuchSubject => StatusCode::NOT_FOUND,
        ErrorCode::AlreadyEnrolling | ErrorCode::NotEnrolling | ErrorCode::NameTaken | ErrorCode::NothingToUndo => {
            StatusCode::CONFLICT
        }
        ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::Busy | ErrorCode::Storage => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::control::{NAMES, State as EnrolState};

    fn described() -> Value {
        serde_json::from_str(include_str!("../../docs/openapi.json")).unwrap()
    }

    #[test]
    fn every_route_is_described_and_every_description_is_a_route() {
        let route = |method: &Method, path: &str| format!("{method} {path}");
        let mut served: BTreeSet<String> = ROUTES.iter().map(|r| route(&r.method, r.path)).collect();
        served.extend([route(&Method::GET, EVENTS), route(&Method::GET, DESCRIPTION)]);
        let described = described();
        let mut told = BTreeSet::new();
        for (path, item) in described["paths"].as_object().unwrap() {
            let methods = item.as_object().unwrap().keys().filter(|key| *key != "parameters");
            told.extend(methods.map(|method| format!("{} {path}", method.to_uppercase())));
        }
        assert_eq!(served, told);
    }

    #[test]
    fn every_request_has_one_route() {
        let mut routed: Vec<_> = ROUTES.iter().map(|route| route.request).collect();
        let mut names = NAMES.to_vec();
        routed.sort_unstable();
        names.sort_unstable();
        assert_eq!(routed, names);
    }

    #[test]
    fn the_codes_and_states_that_are_described_are_those_that_are_said() {
        let described = described();
        let schemas = &described["components"]["schemas"];
        assert_eq!(schemas["ErrorCode"]["enum"], serde_json::to_value(ErrorCode::ALL).unwrap());
        assert_eq!(schemas["EnrolState"]["enum"], serde_json::to_value(EnrolState::ALL).unwrap());
    }

    #[test]
    fn a_name_comes_from_the_path_alone() {
        let body = |text: &'static str| with_field(&Bytes::from_static(text.as_bytes()), "from", "anna".to_owned());
        assert_eq!(body(r#"{"to": "ann"}"#).unwrap(), r#"{"from":"anna","to":"ann"}"#);
        assert_eq!(body("").unwrap(), r#"{"from":"anna"}"#);
        assert_eq!(body(r#"{"from": "ben"}"#), None);
        assert_eq!(body("[]").unwrap(), "[]", "what is no object is refused where all bodies are read");
    }
}
