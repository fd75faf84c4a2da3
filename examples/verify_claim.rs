//! Judges messages as a door does: a public key, a gateway and a device as arguments, then on standard input what a door
//! sees, one a line: `ask NONCE`, `answered MESSAGE` or `told MESSAGE`. Prints who is believed and for how long, or why
//! not: nothing that it is told, before a challenge was answered. docs/doors.md has the protocol.
//!
//! ```sh
//! nonce=$(openssl rand -hex 16)
//! { echo "ask $nonce"
//!   printf 'answered %s\n' "$(mosquitto_rr -V 5 -t ecgid/home/ecg0/challenge -e ecgid/home/ecg0/answer/me \
//!     -D publish correlation-data 1 -m "{\"nonce\":\"$nonce\"}")"
//! } | cargo run --example verify_claim -- "$(ecgid key --format base64)" home ecg0
//! ```

use std::io::BufRead;
use std::time::Duration;

use anyhow::{anyhow, bail};
use data_encoding::BASE64;
use ecgid::publish::claim::door::{Believed, Door, Refusal};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [key, gateway, device] = &arguments[..] else { bail!("usage: verify_claim PUBLIC_KEY GATEWAY DEVICE") };
    let key = BASE64.decode(key.as_bytes()).map_err(|error| anyhow!("the public key is not base64: {error}"))?;
    let mut door = Door::new(&key, gateway, device);
    let began = tokio::time::Instant::now();
    for line in std::io::stdin().lock().lines() {
        let (line, now) = (line?, began.elapsed());
        match line.split_once(' ') {
            Some(("ask", nonce)) => door.ask(nonce, now),
            Some(("answered", message)) => say(door.answered(message.as_bytes(), now), now),
            Some(("told", message)) => say(door.told(message.as_bytes(), now), now),
            _ => bail!("expected `ask NONCE`, `answered MESSAGE` or `told MESSAGE`"),
        }
    }
    Ok(())
}

fn say(judged: Result<Believed, Refusal>, now: Duration) {
    let at = now.as_secs_f64();
    match judged {
        Ok(it) => {
            let who = it.subject.as_deref().unwrap_or("nobody");
            println!("{at:9.3} s  {who}, for {} ms", it.valid_for.as_millis());
        }
        Err(refusal) => println!("{at:9.3} s  not believed: {refusal}"),
    }
}
