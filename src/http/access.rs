//! Where the daemon listens, and the token of this start, in a file beside the database with mode 0600.
//!
//! Whoever may read the database may read this; nobody else. The token is made anew at every start.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// A secret that opens the interface: 64 characters, 244 random bits of the system's generator.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(String);

/// Where the daemon listens, and what opens it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// The listener.
    pub address: SocketAddr,
    /// The token of this start.
    pub token: Token,
}

impl Token {
    /// A new one.
    #[expect(clippy::new_without_default, reason = "each is another: no value is the usual one")]
    #[must_use]
    pub fn new() -> Self {
        Self(format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()))
    }

    /// Whether this is what was given; takes as long for a wrong one of the same length as for the right one.
    #[must_use]
    pub fn is(&self, given: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(given).into()
    }

    /// The text, for the one header that carries it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.is(other.0.as_bytes())
    }
}

impl Eq for Token {}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Access {
    /// The file that goes with a database: `ecgid.control` beside `ecgid.sqlite`.
    #[must_use]
    pub fn path(database: &Path) -> PathBuf {
        database.with_extension("control")
    }

    /// Writes the file, all or nothing, readable for its owner alone.
    ///
    /// # Errors
    /// The folder is not there or not writable.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        let new = path.with_extension("control.new");
        // One that was left behind may have another mode or be a link.
        match std::fs::remove_file(&new) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        serde_json::to_writer(&mut file, self)?;
        file.write_all(b"\n")?;
        std::fs::rename(&new, path)
    }

    /// Reads the file; `None` where there is none, or where it is not one of ours.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn read(path: &Path) -> std::io::Result<Option<Self>> {
        match std::fs::read(path) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_file_is_for_its_owner_alone_and_holds_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = Access::path(&folder.path().join("ecgid.sqlite"));
        assert!(path.ends_with("ecgid.control"));
        assert_eq!(Access::read(&path).unwrap(), None);
        let access = Access { address: "127.0.0.1:8788".parse().unwrap(), token: Token::new() };
        std::fs::write(path.with_extension("control.new"), "left behind, readable by all").unwrap();
        access.write(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Access::read(&path).unwrap(), Some(access));
    }

    #[test]
    fn a_token_is_long_never_the_same_and_not_shown() {
        let token = Token::new();
        assert_eq!(token.reveal().len(), 64);
        assert_ne!(token, Token::new());
        assert!(token.is(token.reveal().as_bytes()));
        assert!(!token.is(b"") && !token.is(&token.reveal().as_bytes()[..63]));
        assert!(!format!("{token:?}").contains(token.reveal()));
    }
}
