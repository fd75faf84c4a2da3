//! Secret keys on disk: made once and private, refused where others can read them, never said.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use ecgid::config::{Config, Environment, KeyPlace};
use ecgid::keys::{KeyError, Purpose, SecretKey};

fn place(directory: &Path) -> KeyPlace {
    KeyPlace { credential: Some(directory.join("credential")), file: directory.join("key") }
}

fn written(directory: &Path, name: &str, text: &str, mode: u32) {
    let path = directory.join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// The line of a key whose bytes are all the same.
fn line(word: &str, byte: u8) -> String {
    format!("{word} {}\n", data_encoding::BASE64.encode(&[byte; 32]))
}

#[test]
fn a_key_is_made_once_and_for_its_owner_alone() {
    let directory = tempfile::tempdir().unwrap();
    let place = place(directory.path());
    assert!(matches!(SecretKey::read(Purpose::Claims, &place), Err(KeyError::Missing { .. })));
    let made = SecretKey::read_or_make(Purpose::Claims, &place).ok().unwrap();
    let again = SecretKey::read_or_make(Purpose::Claims, &place).ok().unwrap();
    assert!(made.expose() == again.expose());
    assert_eq!(place.file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let files: Vec<_> = std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files, ["key"], "nothing else is left");
    let other = tempfile::tempdir().unwrap();
    let other = KeyPlace { credential: None, file: other.path().join("key") };
    std::fs::create_dir_all(other.file.parent().unwrap()).unwrap();
    let other = SecretKey::read_or_make(Purpose::Claims, &other).ok().unwrap();
    assert!(made.expose() != other.expose());
}

#[test]
fn a_key_that_an_administrator_makes_belongs_to_the_owner_of_its_directory() {
    let directory = tempfile::tempdir().unwrap();
    if std::os::unix::fs::chown(directory.path(), Some(12345), Some(12346)).is_err() {
        skipped!("SKIPPED: only an administrator can give a directory to somebody else");
        return;
    }
    let place = place(directory.path());
    assert!(SecretKey::read_or_make(Purpose::Templates, &place).is_ok());
    let made = place.file.metadata().unwrap();
    assert_eq!((made.uid(), made.gid(), made.permissions().mode() & 0o777), (12345, 12346, 0o600));
}

#[test]
fn a_hundred_starts_at_once_agree_on_one_key() {
    let directory = tempfile::tempdir().unwrap();
    let place = place(directory.path());
    let make = || *SecretKey::read_or_make(Purpose::Templates, &place).ok().unwrap().expose();
    let first: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| std::array::from_fn::<_, 12, _>(|_| make()))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(first.iter().all(|key| *key == first[0]));
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let place = place(directory.path());
    for mode in [0o640, 0o604, 0o622] {
        written(directory.path(), "key", &line("ecgid-signing-key-1", 7), mode);
        let error = SecretKey::read_or_make(Purpose::Claims, &place).err().unwrap();
        assert!(matches!(error, KeyError::Open { .. }) && error.to_string().contains("chmod 600"), "{error}");
    }
    written(directory.path(), "key", &line("ecgid-signing-key-1", 7), 0o400);
    assert_eq!(SecretKey::read(Purpose::Claims, &place).ok().unwrap().expose(), &[7; 32]);
    // A service is let at its credential by an access list, which shows as rights of the group.
    written(directory.path(), "credential", &line("ecgid-signing-key-1", 8), 0o440);
    assert_eq!(SecretKey::read(Purpose::Claims, &place).ok().unwrap().expose(), &[8; 32]);
    written(directory.path(), "credential", &line("ecgid-signing-key-1", 8), 0o444);
    assert!(matches!(SecretKey::read(Purpose::Claims, &place), Err(KeyError::Open { .. })));
}

#[test]
fn what_is_no_such_key_is_refused_and_not_repeated() {
    let directory = tempfile::tempdir().unwrap();
    let place = place(directory.path());
    let secret = data_encoding::BASE64.encode(&[7; 32]);
    let texts = [
        String::new(),
        secret.clone(),
        line("ecgid-template-key-1", 7),
        format!("ecgid-signing-key-1 {}", &secret[..40]),
        format!("ecgid-signing-key-1 {secret}{secret}"),
        format!("ecgid-signing-key-1 {secret} x"),
    ];
    for text in texts {
        written(directory.path(), "key", &text, 0o600);
        let error = SecretKey::read_or_make(Purpose::Claims, &place).err().unwrap();
        assert!(matches!(error, KeyError::Malformed { .. }), "{text}");
        assert!(!format!("{error} {error:?}").contains(&secret[..20]));
        assert_eq!(std::fs::read_to_string(&place.file).unwrap(), text, "it is left as it is");
    }
}

#[test]
fn a_key_lies_where_the_configuration_says_else_in_a_credential_else_beside_the_database() {
    let load = |keys: &[(&str, String)]| {
        let environment = Environment::from([("CREDENTIALS_DIRECTORY".to_owned(), "/run/c".to_owned())]);
        Config::load_in(None, &environment, keys).unwrap()
    };
    let database = Path::new("/var/lib/ecgid/ecgid.sqlite");
    let keys = load(&[]).keys;
    let usual =
        KeyPlace { credential: Some("/run/c/ecgid-template-key".into()), file: "/var/lib/ecgid/template-key".into() };
    assert_eq!(keys.template(database), usual);
    assert_eq!(keys.signing(database).credential, Some("/run/c/ecgid-signing-key".into()));
    let keys = load(&[("keys.signing_file", "/etc/ecgid/sign".to_owned())]).keys;
    let named = KeyPlace { credential: None, file: "/etc/ecgid/sign".into() };
    assert_eq!((keys.signing(database), keys.template(database)), (named, usual));
}
