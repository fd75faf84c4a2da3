//! TLS to a real broker with an access list: who is believed, and who is not.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

use super::*;

/// Certificates of one household, in a directory.
struct Authority {
    directory: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "household");
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(directory.path().join("ca.pem"), certificate.pem()).unwrap();
        Self { directory, issuer: Issuer::new(params, key) }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A certificate for `name`, with its key beside it.
    fn issue(&self, name: &str) -> [PathBuf; 2] {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let files = [self.file(&format!("{name}.pem")), self.file(&format!("{name}.key"))];
        std::fs::write(&files[0], certificate.pem()).unwrap();
        std::fs::write(&files[1], key.serialize_pem()).unwrap();
        files
    }

    /// A broker whose certificate is for `host`: TLS with client certificates and our access list on one port; on the
    /// other, without TLS, the tests may listen.
    fn broker(&self, host: &str) -> Option<(Mosquitto, u16)> {
        let [certificate, key] = self.issue(host);
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/mosquitto/ecgid.acl");
        let (access, port) = (self.file("acl"), proxy::unused_port());
        let nobody = "topic read #\n";
        std::fs::write(&access, nobody.to_owned() + &std::fs::read_to_string(shipped).unwrap()).unwrap();
        let more = format!(
            "acl_file {}\nlistener {port} 127.0.0.1\ncafile {}\ncertfile {}\nkeyfile {}\nrequire_certificate true\n\
             use_identity_as_username true\n",
            access.display(),
            self.file("ca.pem").display(),
            certificate.display(),
            key.display()
        );
        Some((Mosquitto::start(&more)?, port))
    }
}

/// A gateway that speaks TLS with the broker at that port.
fn gateway(port: u16, authority: &Path, client: Option<&[PathBuf; 2]>) -> Gateway {
    let (url, authority) = (format!("mqtts://localhost:{port}"), authority.display().to_string());
    let files = client.map(|[certificate, key]| (certificate.display().to_string(), key.display().to_string()));
    let mut more = vec![("mqtt.url", url.as_str()), ("mqtt.ca_file", authority.as_str())];
    if let Some((certificate, key)) = &files {
        more.push(("mqtt.client_certificate_file", certificate));
        more.push(("mqtt.client_key_file", key));
    }
    Gateway::new("home", port, &more)
}

/// Says one event; true if a subscriber hears of it within the time of several attempts.
async fn gets_through(broker: &Mosquitto, mut gateway: Gateway) -> bool {
    let subscriber = Subscriber::start(broker.port(), &gateway.topic("#")).await;
    gateway.start("boot-1");
    gateway.say(unknown(1)).await;
    let topic = gateway.topic("ecg0/event");
    let mut heard = false;
    for _ in 0..150 {
        heard = !subscriber.on(&topic).is_empty();
        if heard {
            break;
        }
        sleep(Duration::from_millis(20)).await;
    }
    gateway.kill().await;
    heard
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_with_its_certificate_gets_through_tls_and_the_shipped_access_list() {
    let household = Authority::new();
    let Some((broker, port)) = household.broker("localhost") else { return };
    let own = household.issue("ecgid");
    assert!(gets_through(&broker, gateway(port, &household.file("ca.pem"), Some(&own))).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_another_authority_vouches_for_is_told_nothing() {
    let (household, stranger) = (Authority::new(), Authority::new());
    let Some((broker, port)) = household.broker("localhost") else { return };
    let own = household.issue("ecgid");
    assert!(!gets_through(&broker, gateway(port, &stranger.file("ca.pem"), Some(&own))).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_whose_certificate_is_for_another_host_is_told_nothing() {
    let household = Authority::new();
    let Some((broker, port)) = household.broker("elsewhere.example") else { return };
    let own = household.issue("ecgid");
    assert!(!gets_through(&broker, gateway(port, &household.file("ca.pem"), Some(&own))).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_certificate_or_with_a_strangers_the_broker_lets_nobody_in() {
    let (household, stranger) = (Authority::new(), Authority::new());
    let Some((broker, port)) = household.broker("localhost") else { return };
    let authority = household.file("ca.pem");
    assert!(!gets_through(&broker, gateway(port, &authority, None)).await);
    let forged = stranger.issue("ecgid");
    assert!(!gets_through(&broker, gateway(port, &authority, Some(&forged))).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_door_may_not_speak_as_the_gateway() {
    let household = Authority::new();
    let Some((broker, port)) = household.broker("localhost") else { return };
    let door = household.issue("front-door");
    assert!(!gets_through(&broker, gateway(port, &household.file("ca.pem"), Some(&door))).await);
}

#[test]
fn files_that_cannot_be_used_are_named_and_never_quoted() {
    let household = Authority::new();
    let [certificate, key] = household.issue("ecgid");
    let [_, other_key] = household.issue("other");
    let tls = |authority: Option<&Path>, certificate: &Path, key: &Path| ecgid::config::TlsConfig {
        authority: authority.map(Path::to_owned),
        client: Some(ecgid::config::ClientCertificate { certificate: certificate.into(), key: Some(key.into()) }),
    };
    let ca = household.file("ca.pem");
    assert_eq!(publish::read_tls_files(&tls(Some(&ca), &certificate, &key)).unwrap(), 1);
    let secret = std::fs::read_to_string(&key).unwrap().lines().nth(1).unwrap().to_owned();
    for (wrong, named) in [
        (tls(Some(Path::new("/nowhere.pem")), &certificate, &key), "/nowhere.pem"),
        (tls(Some(&key), &certificate, &key), "ecgid.key"),
        (tls(Some(&ca), &certificate, &certificate), "ecgid.pem"),
        (tls(Some(&ca), &certificate, &other_key), "client certificate"),
    ] {
        let message = publish::read_tls_files(&wrong).unwrap_err().to_string();
        assert!(message.contains(named) && !message.contains(&secret), "{message}");
    }
    let mut keyless = tls(Some(&ca), &certificate, &key);
    keyless.client.as_mut().unwrap().key = None;
    assert!(publish::read_tls_files(&keyless).unwrap_err().to_string().contains("mqtt.client_key_file"));
}
