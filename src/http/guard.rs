//! Who may ask: whoever holds the token, at an address that no web page could have led a browser to.

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, HOST, WWW_AUTHENTICATE};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

use super::access::Token;
use super::routes::{DESCRIPTION, response};
use crate::control::{Answer, ErrorCode};

/// Lets a request through that names an address and has the token; the description of the interface needs none.
pub(super) async fn guard(State(token): State<Token>, request: Request, next: Next) -> Response {
    let mut response = if !is_for_an_address(request.headers()) {
        // A page in a browser can make its own name point at this machine (DNS rebinding), but not an address.
        refused(ErrorCode::NotPermitted, "ask by address: the Host header must be an IP address or localhost")
    } else if request.uri().path() != DESCRIPTION && !has(request.headers(), &token) {
        let message = "the token of this start is needed: Authorization: Bearer TOKEN, from the file beside the daemon's \
                       database that is named as it, ending .control";
        let mut response = refused(ErrorCode::Unauthorized, message);
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        response
    } else {
        next.run(request).await
    };
    // Names of persons belong into no cache.
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn refused(code: ErrorCode, message: &str) -> Response {
    response(&Answer::refused(code, message))
}

fn is_for_an_address(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let Some(authority) = host.to_str().ok().and_then(|text| text.parse::<Authority>().ok()) else { return false };
    let host = authority.host();
    let host = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || host.parse::<std::net::IpAddr>().is_ok()
}

fn has(headers: &HeaderMap, token: &Token) -> bool {
    let Some(given) = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes) else { return false };
    let Some((scheme, given)) = given.split_at_checked("Bearer ".len()) else { return false };
    scheme.eq_ignore_ascii_case(b"Bearer ") && token.is(given)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(host: &str) -> HeaderMap {
        HeaderMap::from_iter([(HOST, HeaderValue::from_str(host).unwrap())])
    }

    #[test]
    fn a_name_that_somebody_else_could_own_is_no_host() {
        for host in ["127.0.0.1:8788", "localhost", "LOCALHOST:8788", "[::1]:8788", "192.168.1.7:8788"] {
            assert!(is_for_an_address(&headers(host)), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example:8788", "127.0.0.1.evil.example", "", "a@127.0.0.1/"] {
            assert!(!is_for_an_address(&headers(host)), "{host}");
        }
        assert!(!is_for_an_address(&HeaderMap::new()));
        let mut two = headers("127.0.0.1");
        two.append(HOST, HeaderValue::from_static("evil.example"));
        assert!(!is_for_an_address(&two));
    }

    #[test]
    fn the_token_comes_as_a_bearer() {
        let token = Token::new();
        let with = |value: String| HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_str(&value).unwrap())]);
        assert!(has(&with(format!("Bearer {}", token.reveal())), &token));
        assert!(has(&with(format!("bearer {}", token.reveal())), &token));
        for value in
            [token.reveal().to_owned(), "Bearer ".to_owned(), format!("Basic {}", token.reveal()), String::new()]
        {
            assert!(!has(&with(value), &token));
        }
        assert!(!has(&HeaderMap::new(), &token));
    }
}
