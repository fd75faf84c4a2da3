//! Secret keys on disk: how one is read, refused and made.
//!
//! It knows which keys there are and how their files look, not what they are used for. A key is 32 random bytes on one
//! line behind a word that says what it is for, so that neither can be taken for the other. It is never logged and has
//! no `Debug`; memory that held it is overwritten.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use crate::config::KeyPlace;

/// Bytes of a key.
pub const LENGTH: usize = 32;

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Encrypts the templates in the database.
    Templates,
    /// Signs claims.
    Claims,
}

impl Purpose {
    /// The word before the key in its file. The number is that of this form of file.
    fn word(self) -> &'static str {
        match self {
            Self::Templates => "ecgid-template-key-1",
            Self::Claims => "ecgid-signing-key-1",
        }
    }
}

impl std::fmt::Display for Purpose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Templates => "the key of the templates",
            Self::Claims => "the key that signs claims",
        })
    }
}

/// A secret key.
pub struct SecretKey {
    bytes: Zeroizing<[u8; LENGTH]>,
    /// Where it was found.
    found_in: PathBuf,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It is in none of its places.
    #[error("{purpose} is not there: no {}", places(.place))]
    Missing {
        /// Which key.
        purpose: Purpose,
        /// Where it was looked for.
        place: KeyPlace,
    },
    /// Somebody else could have read it.
    #[error("{} can be read by others (mode {mode:03o}): chmod 600 it, and replace the key if others had access", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The file is a link, and nothing is where it leads: a new key there would be another one.
    #[error("{} is a link that leads nowhere: bring {purpose} back to where it leads, or remove the link", path.display())]
    LeadsNowhere {
        /// Which key.
        purpose: Purpose,
        /// The link.
        path: PathBuf,
    },
    /// The file holds something else.
    #[error("{} does not hold {purpose}: expected one line, the word {} and the key in base64", path.display(), .purpose.word())]
    Malformed {
        /// Which key.
        purpose: Purpose,
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read or made.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// `read` or `make`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is a credential, which this program cannot replace.
    #[error("{purpose} is the credential {}: replace what systemd takes it from, and restart the service", path.display())]
    NotOurs {
        /// Which key.
        purpose: Purpose,
        /// The file.
        path: PathBuf,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes to make {0} from")]
    NoRandomness(Purpose),
}

impl KeyError {
    /// It may pass without anybody changing the configuration.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::File { source, .. } if disk_may_recover(source))
    }
}

/// A disk that is full (of bytes or of files, or beyond a quota) or fails: somebody may make room or mend it.
pub(crate) fn disk_may_recover(error: &std::io::Error) -> bool {
    // EIO has no kind of its own.
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) || error.raw_os_error() == Some(5)
}

fn places(place: &KeyPlace) -> String {
    let file = place.file.display();
    match &place.credential {
        Some(credential) => format!("credential {} and no file {file}", credential.display()),
        None => format!("file {file}"),
    }
}

impl SecretKey {
    /// Looks for the key in its places.
    ///
    /// # Errors
    /// [`KeyError`]; [`KeyError::Missing`] where it is in none of them.
    pub fn read(purpose: Purpose, place: &KeyPlace) -> Result<Self, KeyError> {
        // A credential belongs to the service by an access list, which shows as rights of the group.
        let credential = place.credential.iter().map(|path| (path, 0o007));
        for (path, others) in credential.chain([(&place.file, 0o077)]) {
            if let Some(key) = read_file(purpose, path, others)? {
                return Ok(key);
            }
        }
        Err(KeyError::Missing { purpose, place: place.clone() })
    }

    /// Looks for the key, and makes its file (mode 0600, random bytes of the system) where it is in none of its places.
    /// It is on the disk when this returns. The directory must be there.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn read_or_make(purpose: Purpose, place: &KeyPlace) -> Result<Self, KeyError> {
        match Self::read(purpose, place) {
            Err(KeyError::Missing { .. }) => {
                make(purpose, &place.file, |unfinished, path| match std::fs::hard_link(unfinished, path) {
                    // Another process was faster: its key is as good as ours.
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
                    linked => linked,
                })?;
                Self::read(purpose, place)
            }
            found => found,
        }
    }

    /// Makes a new key in the place of the one that is in the file.
    ///
    /// # Errors
    /// [`KeyError`]; [`KeyError::NotOurs`] where a credential is used, which only systemd's administrator can change;
    /// [`KeyError::Missing`] where there is none to replace.
    pub fn replace(purpose: Purpose, place: &KeyPlace) -> Result<Self, KeyError> {
        if let Some(credential) = place.credential.as_ref().filter(|path| path.exists()) {
            return Err(KeyError::NotOurs { purpose, path: credential.clone() });
        }
        if !place.file.try_exists().map_err(|source| KeyError::File {
            action: "read",
            path: place.file.clone(),
            source,
        })? {
            return Err(KeyError::Missing { purpose, place: place.clone() });
        }
        make(purpose, &place.file, |unfinished, path| std::fs::rename(unfinished, path))?;
        Self::read(purpose, place)
    }

    /// The key. Whoever copies it overwrites the copy.
    #[must_use]
    pub fn expose(&self) -> &[u8; LENGTH] {
        &self.bytes
    }

    /// The file that it was read from.
    #[must_use]
    pub fn found_in(&self) -> &Path {
        &self.found_in
    }
}

/// Random bytes of the system; `None` where it gives none.
#[must_use]
pub fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).ok().map(|()| bytes)
}

/// `None`: there is no such file. `others` are the rights that nobody may have.
fn read_file(purpose: Purpose, path: &Path, others: u32) -> Result<Option<SecretKey>, KeyError> {
    let failed = |source| KeyError::File { action: "read", path: path.to_owned(), source };
    let mode = match path.metadata() {
        Ok(metadata) => metadata.permissions().mode() & 0o777,
        Err(error) if error.kind() == ErrorKind::NotFound && path.is_symlink() => {
            return Err(KeyError::LeadsNowhere { purpose, path: path.to_owned() });
        }
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    if mode & others != 0 {
        return Err(KeyError::Open { path: path.to_owned(), mode });
    }
    let text = Zeroizing::new(std::fs::read_to_string(path).map_err(failed)?);
    let bytes = parse(purpose, &text).ok_or_else(|| KeyError::Malformed { purpose, path: path.to_owned() })?;
    Ok(Some(SecretKey { bytes, found_in: path.to_owned() }))
}

fn parse(purpose: Purpose, text: &str) -> Option<Zeroizing<[u8; LENGTH]>> {
    let encoded = text.trim_end().strip_prefix(purpose.word())?.strip_prefix(' ')?;
    let decoded = Zeroizing::new(BASE64.decode(encoded.as_bytes()).ok()?);
    let mut bytes = Zeroizing::new([0; LENGTH]);
    if decoded.len() != LENGTH {
        return None;
    }
    bytes.copy_from_slice(&decoded);
    Some(bytes)
}

/// Makes the file whole or not at all; `place` gives the finished one its name.
fn make(
    purpose: Purpose,
    path: &Path,
    place: impl FnOnce(&Path, &Path) -> std::io::Result<()>,
) -> Result<(), KeyError> {
    let key = Zeroizing::new(random::<LENGTH>().ok_or(KeyError::NoRandomness(purpose))?);
    let line = Zeroizing::new(format!("{} {}\n", purpose.word(), &*Zeroizing::new(BASE64.encode(&*key))));
    let failed = |source| KeyError::File { action: "make", path: path.to_owned(), source };
    // Two threads or processes that make it at once must not write into one file.
    let unfinished = path.with_added_extension(uuid::Uuid::new_v4().to_string());
    let placed = write(&unfinished, &line).and_then(|()| place(&unfinished, path));
    match std::fs::remove_file(&unfinished) {
        // Renamed.
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        removed => removed.map_err(failed)?,
    }
    placed.and_then(|()| directory_of(path)?.sync_all()).map_err(failed)?;
    tracing::info!(file = %path.display(), "made {purpose}");
    Ok(())
}

fn write(path: &Path, line: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    hand_over(&file, path)?;
    file.write_all(line.as_bytes())?;
    file.sync_all()
}

/// Gives a file that root has just made to the owner of its directory: an administrator looks at the gallery before the
/// daemon's first start, and the daemon must be able to open what that has made.
pub(crate) fn hand_over(file: &File, path: &Path) -> std::io::Result<()> {
    if file.metadata()?.uid() == 0 {
        let owner = directory_of(path)?.metadata()?;
        std::os::unix::fs::fchown(file, Some(owner.uid()), Some(owner.gid()))?;
    }
    Ok(())
}

fn directory_of(path: &Path) -> std::io::Result<File> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))
}
