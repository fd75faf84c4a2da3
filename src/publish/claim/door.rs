//! The other side: how a door checks claims. The daemon does not use it; the example and the tests do, and
//! `examples/verify-claim/verify_claim.py` does the same in Python.
//!
//! A door keeps no calendar. Times are those of its own timer, which only has to run on; a nonce ties a claim to it. It
//! fails secure: what is refused, late or not said counts as *not verified*. Why each rule is there: `docs/doors.md`.

use std::time::Duration;

use data_encoding::{BASE64, BASE64URL_NOPAD};
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::Deserialize;

use super::Claim;
use crate::event::IdentityState;
use crate::keys;

/// Longest wait for the answer to a challenge, and longest life of what it says.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Oldest claim that is believed without having been asked for.
pub const MAX_AGE: Duration = Duration::from_secs(15);

/// How long an answered challenge ties the gateway's uptime to the door's timer. Two crystals that differ by 200 ppm
/// are 0.12 s apart by then.
pub const TIED_FOR: Duration = Duration::from_secs(600);

/// What a claim may seem to be ahead by, for those crystals.
const AHEAD: Duration = Duration::from_secs(1);

/// Why a message is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not a claim: no JSON object, a field is missing, or a value is none of the contract's.
    #[error("malformed")]
    Malformed,
    /// Not signed by the gateway's key, or changed since.
    #[error("bad signature")]
    BadSignature,
    /// Of another gateway or device.
    #[error("other device")]
    OtherDevice,
    /// Answers no challenge, another one, or one that was answered.
    #[error("not asked for")]
    NotAskedFor,
    /// The answer came too late.
    #[error("late")]
    Late,
    /// The door has asked nothing for too long to tell how old a claim is.
    #[error("not tied")]
    NotTied,
    /// Of a start of the daemon that has answered no challenge, or of an earlier one.
    #[error("unknown boot")]
    UnknownBoot,
    /// Not newer than one that was believed.
    #[error("replayed")]
    Replayed,
    /// Of an identity that another one has followed.
    #[error("reordered")]
    Reordered,
    /// Issued at a time that has not come yet.
    #[error("ahead of time")]
    AheadOfTime,
    /// Older than it may be.
    #[error("expired")]
    Expired,
}

/// What a believed claim says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Believed {
    /// Whose heart it is; `None`: nobody is verified.
    pub subject: Option<String>,
    /// For how long from now on.
    pub valid_for: Duration,
}

/// The fields of a message that are signed, and the signature.
#[derive(Debug, Deserialize)]
struct Message {
    gateway: String,
    device: String,
    id: String,
    boot_id: String,
    seq: u64,
    issued_at_unix_ms: u64,
    expires_at_unix_ms: u64,
    uptime_ms: u64,
    state: IdentityState,
    subject: Option<String>,
    score: Option<f64>,
    nonce: Option<String>,
    signature: Option<String>,
}

/// What an answered challenge has told.
#[derive(Debug)]
struct Tied {
    boot_id: String,
    /// When the challenge was asked: the gateway's uptime was not yet `uptime` then.
    asked: Duration,
    /// Uptime of the answer.
    uptime: Duration,
    /// Newest that was believed.
    last_uptime: Duration,
    last_seq: u64,
}

/// A door that believes one gateway's key on one device.
#[derive(Debug)]
pub struct Door {
    public_key: Vec<u8>,
    gateway: String,
    device: String,
    asked: Option<(String, Duration)>,
    tied: Option<Tied>,
}

impl Door {
    /// A door with the 32 bytes of the public key that `ecgid key` prints.
    #[must_use]
    pub fn new(public_key: &[u8], gateway: &str, device: &str) -> Self {
        let (gateway, device) = (gateway.to_owned(), device.to_owned());
        Self { public_key: public_key.to_vec(), gateway, device, asked: None, tied: None }
    }

    /// Sends a challenge with this nonce ([`fresh_nonce`]); an earlier one that was not answered is forgotten. `now` is
    /// the door's own timer.
    pub fn ask(&mut self, nonce: &str, now: Duration) {
        self.asked = Some((nonce.to_owned(), now));
    }

    /// An answer came: the only way to open a door.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn answered(&mut self, payload: &[u8], now: Duration) -> Result<Believed, Refusal> {
        let message = self.genuine(payload)?;
        let (nonce, asked) = self.asked.as_ref().ok_or(Refusal::NotAskedFor)?;
        if message.nonce.as_ref() != Some(nonce) {
            return Err(Refusal::NotAskedFor);
        }
        let asked = *asked;
        // It counts once, whatever becomes of it.
        self.asked = None;
        let taken = now.saturating_sub(asked);
        if taken > ANSWER_WITHIN {
            return Err(Refusal::Late);
        }
        let uptime = Duration::from_millis(message.uptime_ms);
        let life = message.life().min(ANSWER_WITHIN);
        self.tied =
            Some(Tied { boot_id: message.boot_id.clone(), asked, uptime, last_uptime: uptime, last_seq: message.seq });
        let left = life.checked_sub(taken).filter(|left| !left.is_zero()).ok_or(Refusal::Expired)?;
        Ok(message.believed(left))
    }

    /// A message of the topic `…/identity` or `…/event` came: for lamps and displays.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn told(&mut self, payload: &[u8], now: Duration) -> Result<Believed, Refusal> {
        let message = self.genuine(payload)?;
        if message.nonce.is_some() {
            return Err(Refusal::NotAskedFor);
        }
        let tied = self.tied.as_mut().filter(|tied| now.saturating_sub(tied.asked) <= TIED_FOR);
        let tied = tied.ok_or(Refusal::NotTied)?;
        if message.boot_id != tied.boot_id {
            return Err(Refusal::UnknownBoot);
        }
        let uptime = Duration::from_millis(message.uptime_ms);
        if message.seq < tied.last_seq {
            return Err(Refusal::Reordered);
        }
        if uptime <= tied.last_uptime {
            return Err(Refusal::Replayed);
        }
        // The gateway's uptime is this at most: its clock had run for `uptime` after the challenge was asked.
        let latest = tied.uptime + now.saturating_sub(tied.asked);
        if uptime > latest + AHEAD {
            return Err(Refusal::AheadOfTime);
        }
        let age = latest.saturating_sub(uptime);
        let left = message.life().min(MAX_AGE).checked_sub(age).filter(|left| !left.is_zero());
        let left = left.ok_or(Refusal::Expired)?;
        (tied.last_uptime, tied.last_seq) = (uptime, message.seq);
        Ok(message.believed(left))
    }

    /// Takes a message apart and checks what needs no time.
    fn genuine(&self, payload: &[u8]) -> Result<Message, Refusal> {
        let message: Message = serde_json::from_slice(payload).map_err(|_| Refusal::Malformed)?;
        let text = message.claim().canonical().ok_or(Refusal::Malformed)?;
        let signature = message.signature.as_ref().ok_or(Refusal::BadSignature)?;
        let signature = BASE64.decode(signature.as_bytes()).map_err(|_| Refusal::BadSignature)?;
        let key = UnparsedPublicKey::new(&ED25519, &self.public_key);
        key.verify(text.as_bytes(), &signature).map_err(|_| Refusal::BadSignature)?;
        let consistent = message.id == format!("{}:{}", message.boot_id, message.seq);
        if !consistent || message.expires_at_unix_ms <= message.issued_at_unix_ms {
            return Err(Refusal::Malformed);
        }
        if (message.gateway.as_str(), message.device.as_str()) != (&self.gateway, &self.device) {
            return Err(Refusal::OtherDevice);
        }
        Ok(message)
    }
}

impl Message {
    fn claim(&self) -> Claim<'_> {
        Claim {
            gateway: &self.gateway,
            device: &self.device,
            id: &self.id,
            seq: self.seq,
            issued_at_unix_ms: self.issued_at_unix_ms,
            expires_at_unix_ms: self.expires_at_unix_ms,
            uptime_ms: self.uptime_ms,
            state: self.state,
            subject: self.subject.as_deref(),
            score: self.score,
            nonce: self.nonce.as_deref(),
        }
    }

    /// The difference of its two wall times: right even where the gateway's calendar is wrong.
    fn life(&self) -> Duration {
        Duration::from_millis(self.expires_at_unix_ms.saturating_sub(self.issued_at_unix_ms))
    }

    /// A *verified* that names nobody (the subject was deleted since) verifies nobody.
    fn believed(self, valid_for: Duration) -> Believed {
        let subject = self.subject.filter(|name| self.state == IdentityState::Verified && !name.is_empty());
        Believed { subject, valid_for }
    }
}

/// 22 characters that nobody has seen before; `None` where the system gives no random bytes, and no door opens.
#[must_use]
pub fn fresh_nonce() -> Option<String> {
    keys::random::<16>().map(|bytes| BASE64URL_NOPAD.encode(&bytes))
}
