//! `ecgid key`: the public half of the key that signs claims, which doors need; and a new one.

use std::path::PathBuf;

use anyhow::anyhow;
use data_encoding::{BASE64, HEXLOWER};

use super::Failure;
use crate::config::Config;
use crate::keys::{KeyError, Purpose, SecretKey};
use crate::publish::Signer;

/// The bytes before an Ed25519 key that make it a SubjectPublicKeyInfo (RFC 8410).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Arguments of `ecgid key`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
  ecgid key                     the public key, its id, and where the secret one lies
  ecgid key --format base64     the public key alone, for a door's configuration
  ecgid key rotate --yes        a new key; doors need its public half before they open again

The first start of `ecgid run` makes the key; where that is a service, look at
and replace it with sudo. docs/doors.md says what a door does with it.")]
pub struct Args {
    /// How the public key is printed; without this, with its id and its place
    #[arg(long, value_enum)]
    format: Option<Form>,
    /// Configuration file [default: /etc/ecgid/ecgid.toml where it exists, else the built-in defaults]
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Form {
    /// 32 bytes in base64
    Base64,
    /// 32 bytes, hexadecimal
    Hex,
    /// SubjectPublicKeyInfo, as OpenSSL reads it
    Pem,
    /// An object with the key, its id and its place
    Json,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Replace the key; doors refuse the gateway until they have the new public key
    Rotate {
        /// Do not ask back
        #[arg(long)]
        yes: bool,
    },
}

/// Runs the command.
///
/// # Errors
/// Exit code 78 where the configuration or the key must be mended, 1 where there is no key yet or it is not replaced.
pub fn main(args: Args) -> Result<(), Failure> {
    let config = Config::load(args.config.as_deref(), &[]).map_err(Failure::config)?;
    let place = config.keys.signing(&config.store.path);
    let key = match &args.action {
        None => SecretKey::read(Purpose::Claims, &place).map_err(|error| match error {
            KeyError::Missing { .. } => Failure::from(anyhow!("{error}; the first start of `ecgid run` makes it")),
            other => Failure::config(other),
        })?,
        Some(Action::Rotate { yes: false }) => {
            return Err(anyhow!("every door will refuse the gateway until it has the new public key; add --yes").into());
        }
        Some(Action::Rotate { yes: true }) => {
            let key = SecretKey::replace(Purpose::Claims, &place).map_err(|error| match error {
                KeyError::Missing { .. } => anyhow!(
                    "{error}, so nothing is replaced; where the daemon is a service: sudo ecgid key rotate --yes"
                ),
                other => other.into(),
            })?;
            note!("note: the daemon signs with the new key from its next start on: systemctl restart ecgid");
            key
        }
    };
    let signer = Signer::new(&key);
    let (public, id, file) = (signer.public_key(), signer.key_id(), key.found_in().display());
    match args.format {
        None => {
            say!("public key  {}", BASE64.encode(public));
            say!("key id      {id}");
            say!("secret key  {file}");
        }
        Some(Form::Base64) => say!("{}", BASE64.encode(public)),
        Some(Form::Hex) => say!("{}", HEXLOWER.encode(public)),
        Some(Form::Pem) => say!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----",
            BASE64.encode(&[SPKI.as_slice(), public].concat())
        ),
        Some(Form::Json) => {
            let object = serde_json::json!({
                "public_key": BASE64.encode(public), "key_id": id, "secret_key_file": file.to_string(),
            });
            say!("{object:#}");
        }
    }
    Ok(())
}
