//! TLS to the broker: whom it must prove to be, and by what we prove who we are.
//!
//! The broker's certificate is always verified; there is no switch that turns that off.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rumqttc::TlsConfiguration;
use rumqttc::tokio_rustls::rustls;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::config::{ClientCertificate, TlsConfig};

/// Why the files for TLS cannot be used. They are named, their content never is.
#[derive(Debug, thiserror::Error)]
pub enum TlsFilesError {
    /// The file cannot be read, or is not PEM.
    #[error("{what} {}: {why}", path.display())]
    File {
        /// What it should hold.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The system has no authorities.
    #[error(
        "this system trusts no certificate authority: install ca-certificates, or name the one of your broker in mqtt.ca_file"
    )]
    NoAuthorities,
    /// Nothing says where the key is.
    #[error(
        "mqtt.client_certificate_file needs its key: name it in mqtt.client_key_file, or hand it over as the credential \
         mqtt-client-key (by hand, as root while the service runs, that one is found)"
    )]
    NoKey,
    /// Certificate and key do not belong together, or are of a kind that is not supported.
    #[error("the client certificate cannot be used: {0}")]
    ClientCertificate(rustls::Error),
}

/// Reads everything that a connection will need, for `ecgid check`; returns how many authorities are trusted.
///
/// # Errors
/// [`TlsFilesError`].
pub fn read_tls_files(tls: &TlsConfig) -> Result<usize, TlsFilesError> {
    let authorities = authorities(tls)?.len();
    configuration(tls).map(|_| authorities)
}

pub(super) fn configuration(tls: &TlsConfig) -> Result<TlsConfiguration, TlsFilesError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = versions.map_err(TlsFilesError::ClientCertificate)?.with_root_certificates(authorities(tls)?);
    let config = match &tls.client {
        None => builder.with_no_client_auth(),
        Some(client) => {
            let chain = certificates("the client certificate", &client.certificate)?;
            let path = named_key(client)?;
            let key = PrivateKeyDer::from_pem_file(path).map_err(|error| TlsFilesError::File {
                what: "the key of the client certificate",
                path: path.to_owned(),
                why: error.to_string(),
            })?;
            builder.with_client_auth_cert(chain, key).map_err(TlsFilesError::ClientCertificate)?
        }
    };
    Ok(TlsConfiguration::Rustls(Arc::new(config)))
}

/// Where the key of a client certificate is said to be: without that no connection is worth a try.
///
/// # Errors
/// [`TlsFilesError::NoKey`].
pub fn named_key(client: &ClientCertificate) -> Result<&Path, TlsFilesError> {
    client.key.as_deref().ok_or(TlsFilesError::NoKey)
}

/// Those of the file that is named, else the system's.
fn authorities(tls: &TlsConfig) -> Result<RootCertStore, TlsFilesError> {
    let mut store = RootCertStore::empty();
    match &tls.authority {
        Some(path) => {
            let what = "the certificate of the authority";
            for certificate in certificates(what, path)? {
                store.add(certificate).map_err(|error| TlsFilesError::File {
                    what,
                    path: path.clone(),
                    why: error.to_string(),
                })?;
            }
        }
        None => {
            // Single unreadable files of a system's store are usual; that all are is not.
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if store.is_empty() {
                return Err(TlsFilesError::NoAuthorities);
            }
        }
    }
    Ok(store)
}

/// All certificates of a PEM file; at least one.
fn certificates(what: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFilesError> {
    let refuse = |why: String| TlsFilesError::File { what, path: path.to_owned(), why };
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = read.map_err(|error| refuse(error.to_string()))?;
    if found.is_empty() { Err(refuse("it holds no certificate in PEM".into())) } else { Ok(found) }
}
