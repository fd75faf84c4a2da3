//! A file that a command was asked for, written whole or not at all.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use anyhow::Context;

/// Writes `what` to `path`. An earlier file stays as it was until the new one is whole, and leaves it its mode: a picture
/// of a heart may be for its owner alone.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn write(what: &str, path: &Path, content: &str) -> anyhow::Result<()> {
    let written = match fs::metadata(path) {
        // A pipe or a device is written to, never replaced.
        Ok(there) if !there.is_file() => fs::write(path, content),
        there => {
            // Behind a link, the file that it leads to is replaced.
            let target = fs::canonicalize(path);
            replace(target.as_deref().unwrap_or(path), there.ok().map(|there| there.permissions()), content)
        }
    };
    written.with_context(|| format!("cannot write {what} to {}", path.display()))
}

fn replace(path: &Path, mode: Option<Permissions>, content: &str) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = Path::new(&new);
    // One that was left behind may have another mode or be a link.
    match fs::remove_file(new) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(new)?;
    let moded = mode.map_or(Ok(()), |mode| file.set_permissions(mode));
    // Some file systems say only then that there is no room.
    let filled = moded.and_then(|()| file.write_all(content.as_bytes())).and_then(|()| file.sync_all());
    let placed = filled.and_then(|()| fs::rename(new, path));
    if placed.is_err() {
        let _left_behind = fs::remove_file(new);
    }
    placed
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn an_earlier_file_is_replaced_behind_its_link_and_keeps_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a.svg"), folder.path().join("link.svg"));
        fs::write(&file, "earlier").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        symlink(&file, &link).unwrap();
        write("the picture", &link, "new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left beside it");
    }

    #[test]
    fn a_device_stays_a_device() {
        let said = format!("{:#}", write("the picture", Path::new("/dev/full"), "new").unwrap_err());
        assert!(said.starts_with("cannot write the picture to /dev/full: No space left"), "{said}");
        assert!(!fs::metadata("/dev/full").unwrap().is_file());
    }
}
