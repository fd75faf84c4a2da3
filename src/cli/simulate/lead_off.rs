//! Electrodes that are taken off and put back on a schedule.

use std::io;

use ecg_data::heart::Contact;

use super::{Args, Schedule, heart};
use crate::board::player::{Feed, Player};
use crate::board::terminal::Terminal;

/// An electrode is off, seconds of sample time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Absence {
    at_s: f64,
    for_s: f64,
}

/// Reads `20+3,45+3`: ascending, without overlap.
pub(super) fn parse_absences(text: &str) -> Result<Schedule, String> {
    let wrong = || format!("{text}: give AT+FOR in seconds with commas between, ascending, for instance 20+3,45+3");
    let mut schedule: Vec<Absence> = Vec::new();
    for item in text.split(',') {
        let (at, length) = item.split_once('+').ok_or_else(wrong)?;
        let seconds = |text: &str| text.trim().parse().ok().filter(|s| (0.0..1e6).contains(s)).ok_or_else(wrong);
        let absence = Absence { at_s: seconds(at)?, for_s: seconds(length)? };
        if schedule.last().is_some_and(|before| before.at_s + before.for_s > absence.at_s) {
            return Err(wrong());
        }
        schedule.push(absence);
    }
    Ok(Schedule(schedule))
}

/// Plays until the last electrode is back.
pub(super) async fn play<'a>(
    player: &mut Player,
    terminal: &Terminal,
    schedule: impl Iterator<Item = &'a Absence>,
    args: &Args,
) -> io::Result<()> {
    let mut now_s = 0.0;
    for (times, absence) in (1..).zip(schedule) {
        player.play(terminal, Some(absence.at_s - now_s)).await?;
        contact(player, Contact::LeadOff);
        player.play(terminal, Some(absence.for_s)).await?;
        let mut back = heart(args, player.board.fs(), times).map_err(io::Error::other)?;
        // As after every absence: the half-cell shift of an electrode that was just put on.
        back.set_contact(Contact::LeadOff);
        player.feed = Feed::Heart(Box::new(back));
        contact(player, Contact::On);
        now_s = absence.at_s + absence.for_s;
    }
    Ok(())
}

fn contact(player: &mut Player, contact: Contact) {
    if let Feed::Heart(heart) = &mut player.feed {
        heart.set_contact(contact);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_ascending_and_does_not_overlap() {
        let schedule = parse_absences("20+3, 45+2.5").unwrap().0;
        assert_eq!(schedule, [Absence { at_s: 20.0, for_s: 3.0 }, Absence { at_s: 45.0, for_s: 2.5 }]);
        for wrong in ["", "20", "20+", "20+3,22+1", "-1+2", "a+b", "5+NaN"] {
            assert!(parse_absences(wrong).is_err(), "{wrong}");
        }
    }
}
