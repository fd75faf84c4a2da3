//! Signed claims: which bytes of an identity record are signed, and the signature (Ed25519, RFC 8032).
//!
//! What is signed is a text of twelve lines that a verifier builds again from the fields of a message, whichever encoding
//! it came in; `docs/doors.md` has the rules and an example. What is not in there is not vouched for. It knows neither
//! topics nor clocks.

use std::fmt::Write as _;
use std::sync::Arc;

use data_encoding::{BASE64, HEXLOWER};
use ring::digest::{SHA256, digest};
use ring::signature::{Ed25519KeyPair, KeyPair};

use super::payload::IdentityRecord;
use crate::event::IdentityState;
use crate::keys::{LENGTH, SecretKey};

pub mod door;

/// First line: says what is signed, so that no signature can be used for anything else. The number is that of this form.
const DOMAIN: &str = "ecgid-claim-1";

/// What is signed of an identity record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Claim<'a> {
    /// Name of the gateway.
    pub gateway: &'a str,
    /// Name of the device.
    pub device: &'a str,
    /// `boot_id:seq`.
    pub id: &'a str,
    /// Number within that start of the daemon.
    pub seq: u64,
    /// Wall time at which it was issued, ms since 1970.
    pub issued_at_unix_ms: u64,
    /// Wall time from which it says nothing any more, ms since 1970.
    pub expires_at_unix_ms: u64,
    /// Time since that start at which it was issued, ms, by a clock that is never set.
    pub uptime_ms: u64,
    /// The state.
    pub state: IdentityState,
    /// Whose heart it is.
    pub subject: Option<&'a str>,
    /// Comparison score; six decimals count.
    pub score: Option<f64>,
    /// What a challenge has asked for.
    pub nonce: Option<&'a str>,
}

impl<'a> Claim<'a> {
    /// The claim of a record.
    #[must_use]
    pub fn of(record: &'a IdentityRecord) -> Self {
        Self {
            gateway: &record.gateway,
            device: &record.device,
            id: &record.id,
            seq: record.seq,
            issued_at_unix_ms: record.issued_at_unix_ms,
            expires_at_unix_ms: record.expires_at_unix_ms,
            uptime_ms: record.uptime_ms,
            state: record.event.state,
            subject: record.event.subject.as_deref(),
            score: record.event.score,
            nonce: record.nonce.as_deref(),
        }
    }

    /// The text that is signed. `None` where a value has a character that could be misread as another line, or the score
    /// is no number: such a claim cannot be signed, and is never genuine.
    #[must_use]
    pub fn canonical(&self) -> Option<String> {
        let texts = [self.gateway, self.device, self.id, self.subject.unwrap_or(""), self.nonce.unwrap_or("")];
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte));
        if !texts.into_iter().all(plain) {
            return None;
        }
        let Self { seq, issued_at_unix_ms, expires_at_unix_ms, uptime_ms, .. } = self;
        let [gateway, device, id, subject, nonce] = texts;
        let (state, mut score) = (word(self.state), String::new());
        if let Some(value) = self.score {
            write!(score, "{}", millionths(value)?).ok()?;
        }
        Some(format!(
            "{DOMAIN}\ngateway={gateway}\ndevice={device}\nid={id}\nseq={seq}\nissued_at_unix_ms={issued_at_unix_ms}\n\
             expires_at_unix_ms={expires_at_unix_ms}\nuptime_ms={uptime_ms}\nstate={state}\nsubject={subject}\n\
             score_millionths={score}\nnonce={nonce}\n"
        ))
    }
}

/// The words of the published contract.
fn word(state: IdentityState) -> &'static str {
    match state {
        IdentityState::NoSignal => "no_signal",
        IdentityState::Acquiring => "acquiring",
        IdentityState::Verified => "verified",
        IdentityState::Unknown => "unknown",
        IdentityState::Uncertain => "uncertain",
    }
}

/// A score as a whole number, so that no two languages write it differently.
fn millionths(score: f64) -> Option<i64> {
    (score.abs() <= 1000.0).then(|| (score * 1e6).round() as i64)
}

/// The score to the six decimals that are signed. Published like this, it is the same number whichever way a verifier
/// rounds.
#[must_use]
pub fn rounded(score: f64) -> f64 {
    (score * 1e6).round() / 1e6
}

/// Signs claims with one key.
#[derive(Clone)]
pub struct Signer {
    pair: Arc<Ed25519KeyPair>,
    key_id: Arc<str>,
}

impl Signer {
    /// A signer with a key that was read.
    #[must_use]
    pub fn new(key: &SecretKey) -> Self {
        Self::from_seed(key.expose())
    }

    /// A signer with the 32 bytes that RFC 8032 calls the secret key.
    ///
    /// # Panics
    /// Never: every 32 bytes are a key.
    #[must_use]
    pub fn from_seed(seed: &[u8; LENGTH]) -> Self {
        let pair =
            Ed25519KeyPair::from_seed_unchecked(seed).expect("the length of a seed is the only thing to be wrong");
        let key_id = key_id(pair.public_key().as_ref()).into();
        Self { pair: Arc::new(pair), key_id }
    }

    /// What a door needs to believe the signatures: 32 bytes.
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// Names the key in messages: the first eight bytes of the SHA-256 of the public key, hexadecimal.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// Signs the record as it is now. A record that cannot be signed carries no signature, which no door believes.
    pub fn sign(&self, record: &mut IdentityRecord) {
        let signature =
            Claim::of(record).canonical().map(|text| BASE64.encode(self.pair.sign(text.as_bytes()).as_ref()));
        record.key_id = signature.is_some().then(|| self.key_id.to_string());
        record.signature = signature;
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

/// The id of a public key.
#[must_use]
pub fn key_id(public_key: &[u8]) -> String {
    HEXLOWER.encode(digest(&SHA256, public_key).as_ref().get(..8).unwrap_or_default())
}
