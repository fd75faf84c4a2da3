//! The body of a request: a bounded JSON object, of which the transaction is taken off.

use serde_json::{Map, Value};

use super::answer::{ErrorCode, Refusal};

/// Longest body, bytes: ten times what the longest request needs.
pub(crate) const MAX_BODY: usize = 4096;

/// Longest transaction, bytes: it comes back in every answer.
const MAX_TRANSACTION: usize = 128;

/// What is asked for, without the transaction.
pub(super) type Fields = Map<String, Value>;

/// Reads a body; an empty one is an empty object.
pub(super) fn read(body: &[u8]) -> Result<(Fields, Option<String>), Refusal> {
    if body.len() > MAX_BODY {
        let message = format!("the request has {} bytes; {MAX_BODY} is the most", body.len());
        return Err(Refusal::new(ErrorCode::TooLarge, message));
    }
    if body.trim_ascii().is_empty() {
        return Ok((Fields::new(), None));
    }
    let mut fields = match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) => return Err(Refusal::bad("the request must be a JSON object, for instance {\"subject\": \"anna\"}")),
        Err(error) => return Err(Refusal::bad(format!("the request is no JSON: {error}"))),
    };
    let transaction = match fields.remove("transaction") {
        None => None,
        Some(Value::String(text)) if text.len() <= MAX_TRANSACTION => Some(text),
        Some(_) => return Err(Refusal::bad(format!("transaction: a text of at most {MAX_TRANSACTION} bytes"))),
    };
    Ok((fields, transaction))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_an_empty_object() {
        assert_eq!(read(b" \n").unwrap(), (Fields::new(), None));
        assert_eq!(read(b"{}").unwrap(), (Fields::new(), None));
    }

    #[test]
    fn the_transaction_is_taken_off() {
        let (fields, transaction) = read(br#"{"subject": "anna", "transaction": "7"}"#).unwrap();
        assert_eq!((fields.len(), transaction.as_deref()), (1, Some("7")));
    }

    #[test]
    fn what_is_no_bounded_object_is_refused() {
        let code = |body: &[u8]| read(body).unwrap_err().code;
        assert_eq!(code(&vec![b' '; MAX_BODY + 1]), ErrorCode::TooLarge);
        assert_eq!(code(b"[]"), ErrorCode::BadRequest);
        assert_eq!(code(b"{\"subject\": "), ErrorCode::BadRequest);
        assert_eq!(code(b"\xff\xfe"), ErrorCode::BadRequest);
        assert_eq!(code(&[b'['; 4000]), ErrorCode::BadRequest, "nesting is bounded");
        assert_eq!(code(br#"{"transaction": 7}"#), ErrorCode::BadRequest);
        let long = format!(r#"{{"transaction": "{}"}}"#, "x".repeat(MAX_TRANSACTION + 1));
        assert_eq!(code(long.as_bytes()), ErrorCode::BadRequest);
    }
}
