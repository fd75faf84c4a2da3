//! A pseudo-terminal that looks like a board's serial port to whoever opens it.
//!
//! It carries bytes; it does not know what they mean. Dropping it pulls the cable: readers see their port vanish.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Mode, OFlags, fcntl_setfl, open};
use rustix::io::Errno;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use tokio::time::sleep;

/// How often to look again when there is no room or no reader. A terminal gives no wake-up for a reader that comes.
const LOOK: Duration = Duration::from_millis(5);

/// The board's end of a pseudo-terminal.
#[derive(Debug)]
pub struct Terminal {
    board: OwnedFd,
    device: PathBuf,
    link: Option<PathBuf>,
}

impl Terminal {
    /// Opens a pseudo-terminal in raw mode. With `link` a symbolic link of that name leads to it, as
    /// `/dev/serial/by-id/…` does to a real port; one that was left behind is replaced, and it goes with the terminal.
    ///
    /// # Errors
    /// No free pseudo-terminal, or the link cannot be made: something that is no link stands there, or one that leads to
    /// something else that exists, for instance to another board.
    pub fn open(link: Option<&Path>) -> io::Result<Self> {
        let mut terminal = Self::pair().map_err(saying("cannot open a pseudo-terminal"))?;
        if let Some(link) = link {
            place_link(&terminal.device, link).map_err(saying(&format!("cannot make the link {}", link.display())))?;
            terminal.link = Some(link.to_owned());
        }
        Ok(terminal)
    }

    /// Without a link.
    fn pair() -> io::Result<Self> {
        let board = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&board)?;
        unlockpt(&board)?;
        fcntl_setfl(&board, OFlags::NONBLOCK)?;
        let name = ptsname(&board, Vec::new())?;
        let device = PathBuf::from(name.to_string_lossy().into_owned());
        make_raw(&device)?;
        Ok(Self { board, device, link: None })
    }

    /// What a reader opens: the link if there is one, else the device.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.link.as_deref().unwrap_or(&self.device)
    }

    /// Somebody has the port open.
    #[must_use]
    pub fn has_reader(&self) -> bool {
        // The board's end reads what the other end writes. Nobody there is an error; nothing written is not. What was
        // written (an echo, a command) is of no interest to a simulated board.
        let mut nothing = [0; 64];
        !matches!(rustix::io::read(&self.board, &mut nothing), Err(Errno::IO))
    }

    /// Returns when somebody has the port open.
    pub async fn wait_reader(&self) {
        while !self.has_reader() {
            sleep(LOOK).await;
        }
    }

    /// Sends bytes, waiting for room where a reader is slow. Where nobody listens they are lost, as on a wire.
    ///
    /// # Errors
    /// The terminal is broken.
    pub async fn send(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() && self.has_reader() {
            match rustix::io::write(&self.board, bytes) {
                Ok(0) | Err(Errno::AGAIN | Errno::INTR) => sleep(LOOK).await,
                Ok(sent) => bytes = &bytes[sent..],
                Err(Errno::IO) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Only our own link: another board may have taken the name since.
        if let Some(link) = &self.link
            && std::fs::read_link(link).is_ok_and(|target| target == self.device)
        {
            let _gone_already = std::fs::remove_file(link);
        }
    }
}

/// Raw mode lasts as long as the board's end is open, whoever opens and closes the port.
fn make_raw(device: &Path) -> io::Result<()> {
    let port = open(device, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
    let mut settings = tcgetattr(&port)?;
    settings.make_raw();
    Ok(tcsetattr(&port, OptionalActions::Now, &settings)?)
}

/// What was attempted, before what the system says of it.
fn saying(attempt: &str) -> impl Fn(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{attempt}: {error}"))
}

/// Puts the link in place in one step, so that no reader meets a moment without one. One that leads nowhere was left
/// behind; so was one to our own terminal, whose number a board before us had.
fn place_link(device: &Path, link: &Path) -> io::Result<()> {
    let taken = |text: String| Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
    if std::fs::symlink_metadata(link).is_ok_and(|there| !there.file_type().is_symlink()) {
        return taken("it exists and is not a symbolic link".to_owned());
    }
    if let Ok(other) = link.canonicalize()
        && other != device
    {
        return taken(format!(
            "it leads to {}, which exists: stop the other board or give another name; if none runs, delete the link",
            other.display()
        ));
    }
    let new = link.with_extension(format!("{}.new", std::process::id()));
    std::os::unix::fs::symlink(device, &new)?;
    std::fs::rename(&new, link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_board_that_died_leaves_a_link_that_the_next_one_takes_even_with_its_number() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("tty");
        let (ours, another) = (Terminal::pair().unwrap(), Terminal::pair().unwrap());
        std::os::unix::fs::symlink(&ours.device, &link).unwrap();
        let refused = place_link(&another.device, &link).unwrap_err();
        assert!(refused.to_string().contains("another name"), "{refused}");
        place_link(&ours.device, &link).unwrap();
        assert_eq!(std::fs::read_link(&link).unwrap(), ours.device);
    }
}
