//! Templates as they lie on the disk: encrypted, each bound to its row.
//!
//! XChaCha20-Poly1305 with a random nonce for each template. The row is authenticated along with it, so that a template
//! that somebody has moved to another subject, front end or model is refused. What a row is bound to never changes while
//! the row exists: names do not belong to it (a subject can be renamed), nor does what an enrolment retires. It knows
//! neither tables nor files.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};
use zeroize::Zeroizing;

use crate::keys::{self, SecretKey};

/// Bytes of a nonce. Twenty-four random ones never come twice.
const NONCE: usize = 24;

/// What the ciphertext is of, in the bytes that are authenticated; the number is that of this form.
const DOMAIN: &[u8] = b"ecgid template 1";

/// The row of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) subject: i64,
    pub(super) enrolment: i64,
    pub(super) part: i64,
    pub(super) front_end: String,
    pub(super) model: String,
}

/// Encrypts and decrypts templates with one key.
pub(super) struct Vault {
    cipher: XChaCha20Poly1305,
    key_id: String,
}

/// The system gives no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no random bytes")]
pub(super) struct NoRandomness;

impl Vault {
    pub(super) fn new(key: &SecretKey) -> Self {
        let hashed = Zeroizing::new([b"ecgid template key id 1".as_slice(), key.expose()].concat());
        let id = digest(&SHA256, &hashed);
        Self {
            cipher: XChaCha20Poly1305::new(key.expose().into()),
            key_id: HEXLOWER.encode(id.as_ref().get(..8).unwrap_or_default()),
        }
    }

    /// Tells keys apart without telling anything about them.
    pub(super) fn key_id(&self) -> &str {
        &self.key_id
    }

    /// Nonce, ciphertext and tag.
    pub(super) fn seal(&self, place: &Place, embedding: &[f32]) -> Result<Vec<u8>, NoRandomness> {
        let plain: Zeroizing<Vec<u8>> = Zeroizing::new(embedding.iter().flat_map(|v| v.to_le_bytes()).collect());
        self.seal_bytes(place, &plain)
    }

    /// As [`Vault::seal`], of the little-endian bytes of an embedding.
    pub(super) fn seal_bytes(&self, place: &Place, plain: &[u8]) -> Result<Vec<u8>, NoRandomness> {
        let nonce: [u8; NONCE] = keys::random().ok_or(NoRandomness)?;
        let payload = Payload { msg: plain, aad: &bound_to(place) };
        // It fails for texts of many gigabytes only.
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| NoRandomness)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// `None`: another key, another row, or changed.
    pub(super) fn open(&self, place: &Place, sealed: &[u8]) -> Option<Vec<f32>> {
        let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE>()?;
        let payload = Payload { msg: ciphertext, aad: &bound_to(place) };
        let plain = Zeroizing::new(self.cipher.decrypt(&XNonce::from(*nonce), payload).ok()?);
        Some(plain.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

/// The row in bytes that no other row has: numbers of fixed length, texts behind their length.
fn bound_to(place: &Place) -> Vec<u8> {
    let mut bytes = DOMAIN.to_vec();
    for id in [place.subject, place.enrolment, place.part] {
        bytes.extend(id.to_be_bytes());
    }
    for text in [&place.front_end, &place.model] {
        bytes.extend((text.len() as u64).to_be_bytes());
        bytes.extend(text.as_bytes());
    }
    bytes
}
