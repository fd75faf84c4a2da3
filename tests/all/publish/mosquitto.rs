//! A real broker, where one is installed.

use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::time::sleep;

use super::proxy::unused_port;

pub(super) struct Mosquitto {
    directory: tempfile::TempDir,
    port: u16,
    child: Child,
}

impl Mosquitto {
    /// Starts it with more lines for its configuration; `None`, said out loud, where it is not installed.
    pub(super) fn start(more: &str) -> Option<Self> {
        let Some(program) = program() else {
            skipped!("SKIPPED: mosquitto is not installed");
            return None;
        };
        let directory = tempfile::tempdir().unwrap();
        let port = unused_port();
        let mut text = format!("listener {port} 127.0.0.1\nallow_anonymous true\nlog_dest none\n{more}");
        // As root it would become another user, who may not write here.
        text += &format!("user root\npersistence_location {}/\n", directory.path().display());
        std::fs::write(directory.path().join("mosquitto.conf"), text).unwrap();
        let child = spawn(program, directory.path());
        let broker = Self { directory, port, child };
        for _ in 0..250 {
            if broker.answers() {
                return Some(broker);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("mosquitto does not answer on port {port}");
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Stops it as an administrator would, so that it saves its sessions, and starts it again.
    pub(super) async fn restart_gracefully(&mut self) {
        self.send("TERM");
        self.start_again().await;
    }

    /// Kills it and starts it again: without persistence it has forgotten everything.
    pub(super) async fn kill_and_start_again(&mut self) {
        self.child.kill().unwrap();
        self.start_again().await;
    }

    /// Stops it in the middle of whatever it does.
    pub(super) fn freeze(&self) {
        self.send("STOP");
    }

    /// Lets it go on.
    pub(super) fn thaw(&self) {
        self.send("CONT");
    }

    async fn start_again(&mut self) {
        self.child.wait().unwrap();
        self.child = spawn(program().unwrap(), self.directory.path());
        super::within(5, "mosquitto", || self.answers()).await;
        sleep(Duration::from_millis(50)).await;
    }

    fn answers(&self) -> bool {
        TcpStream::connect(("127.0.0.1", self.port)).is_ok()
    }

    fn send(&self, signal: &str) {
        let sent = Command::new("kill").args([&format!("-{signal}"), &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn program() -> Option<&'static str> {
    ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/usr/bin/mosquitto", "/opt/homebrew/sbin/mosquitto"]
        .into_iter()
        .find(|path| Path::new(path).exists())
}

fn spawn(program: &str, directory: &Path) -> Child {
    let config = directory.join("mosquitto.conf");
    let mut command = Command::new(program);
    command.arg("-c").arg(config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}
