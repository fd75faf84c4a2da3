//! What happens at the electrodes: persons take turns, an electrode falls off, the cable is pulled and put back.
//!
//! It plays a board; it knows nothing of the daemon that listens.

use std::path::PathBuf;

use ecg_data::SimulatedBoard;
use ecg_data::heart::Contact;
use tokio::time::{Duration, sleep};
use tokio_util::sync::CancellationToken;

use super::audience::Voice;
use super::cast::{Cast, FORMAT, FS, Person};
use crate::board::player::{Feed, Player};
use crate::board::terminal::Terminal;

/// Seconds that the first person sits at the beginning: RMSSD needs 30 s of clean intervals.
const FIRST_TURN_S: f64 = 37.0;
/// Seconds of every other turn in the first round, which shows everything within 90 s.
const TURN_S: f64 = 12.0;
/// And in every further one: long enough for the whole window of heart-rate variability.
const LONG_TURN_S: f64 = 80.0;
/// Seconds without anybody on the electrodes.
const CHANGE_S: f64 = 2.0;
/// Seconds that a fallen electrode or a pulled cable stays so.
const MISHAP_S: f64 = 3.0;

/// The simulated board with its persons.
pub(super) struct Stage {
    cast: Cast,
    port: PathBuf,
    voice: Voice,
    day: u64,
}

impl Stage {
    /// A board that will appear as `port`.
    pub(super) fn new(cast: Cast, port: PathBuf, voice: Voice) -> Self {
        Self { cast, port, voice, day: 0 }
    }

    /// Plays until `cancel`.
    ///
    /// # Errors
    /// No pseudo-terminal.
    pub(super) async fn perform(mut self, cancel: CancellationToken) -> anyhow::Result<()> {
        cancel.run_until_cancelled(self.play()).await.unwrap_or(Ok(()))
    }

    async fn play(&mut self) -> anyhow::Result<()> {
        let persons = self.cast.persons.clone();
        let [anna, ben, carla, stranger] = &persons;
        let mut terminal = Terminal::open(Some(&self.port))?;
        self.voice.scene(&format!("the board is plugged in: it speaks {FORMAT} on {}", self.port.display()));
        terminal.wait_reader().await;
        let mut player = self.sit_down(anna)?;
        player.play(&terminal, Some(FIRST_TURN_S)).await?;
        self.voice.scene("an electrode falls off");
        contact(&mut player, Contact::LeadOff);
        player.play(&terminal, Some(MISHAP_S)).await?;
        self.voice.scene("it is pressed on again");
        contact(&mut player, Contact::On);
        player.play(&terminal, Some(TURN_S)).await?;
        for person in [stranger, ben] {
            player = self.change(player, &terminal, person).await?;
            player.play(&terminal, Some(TURN_S)).await?;
        }
        self.voice.scene("the cable is pulled");
        drop(terminal);
        sleep(Duration::from_secs_f64(MISHAP_S)).await;
        self.voice.scene("the cable is put back");
        terminal = Terminal::open(Some(&self.port))?;
        terminal.wait_reader().await;
        player.play(&terminal, Some(TURN_S)).await?;
        player = self.change(player, &terminal, carla).await?;
        player.play(&terminal, Some(LONG_TURN_S)).await?;
        loop {
            for person in [anna, stranger, ben, carla] {
                player = self.change(player, &terminal, person).await?;
                player.play(&terminal, Some(LONG_TURN_S)).await?;
            }
        }
    }

    /// One person leaves the electrodes, another one takes them.
    async fn change(&mut self, mut player: Player, terminal: &Terminal, next: &Person) -> anyhow::Result<Player> {
        self.voice.scene("the electrodes are taken off");
        contact(&mut player, Contact::LeadOff);
        player.play(terminal, Some(CHANGE_S)).await?;
        let Player { board, .. } = player;
        Ok(Player { board, ..self.sit_down(next)? })
    }

    fn sit_down(&mut self, person: &Person) -> anyhow::Result<Player> {
        self.day += 1;
        self.voice.scene(&format!("{} sits down", person.name));
        let feed = Feed::Heart(Box::new(person.heart(self.day)?));
        Ok(Player { feed, board: SimulatedBoard::new(FORMAT, FS, 1), speed: Some(1.0) })
    }
}

fn contact(player: &mut Player, contact: Contact) {
    if let Feed::Heart(heart) = &mut player.feed {
        heart.set_contact(contact);
    }
}
