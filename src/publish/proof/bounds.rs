//! Bounded, and told: what does not fit goes oldest first, and each event that goes is counted, over restarts too.

use super::super::journal::Journal;
use super::super::payload::IdentityRecord;
use super::disk::ModelDisk;
use super::rig::{config, identity, in_virtual_time};
use crate::event::{Event, IdentityState};
use crate::publish::issue::Issuer;
use crate::store::OutboxEntry;

fn records(boot: &str, count: u64) -> Vec<IdentityRecord> {
    let mut issuer = Issuer::new(boot, &config(&[]), std::time::Duration::from_secs(15), None).with_wall(|| 0);
    let event = |n| match identity(IdentityState::Unknown, n) {
        Event::Identity(event) => event,
        _ => unreachable!("it is one"),
    };
    // Numbers of one length, so that all records are.
    (0..count).map(|_| issuer.identity(event(1))).map(|r| IdentityRecord { seq: 1000 + r.seq, ..r }).collect()
}

fn size(record: &IdentityRecord) -> u64 {
    OutboxEntry::size_of(&serde_json::to_string(record).unwrap())
}

async fn drain(journal: &mut Journal<ModelDisk>) -> Vec<u64> {
    let mut seqs = Vec::new();
    while let Some((id, record)) = journal.oldest().await {
        seqs.push(record.seq);
        journal.acknowledge(id).await;
    }
    seqs
}

fn keeps_its_limit(disk: ModelDisk) {
    in_virtual_time(async {
        let records = records("boot", 9);
        let limit = size(&records[0]) * 5;
        let mut journal = Journal::new(disk.clone(), limit);
        for record in &records[..5] {
            journal.record(record.clone()).await;
        }
        assert_eq!((journal.stock().dropped, journal.stock().problem), (0, None));
        let (first, _) = journal.oldest().await.unwrap();
        for record in &records[5..] {
            journal.record(record.clone()).await;
        }
        let stock = journal.stock();
        assert_eq!((stock.waiting, stock.dropped), (5, 4));
        assert!(stock.bytes <= limit, "{} of {limit}", stock.bytes);
        assert!(stock.problem.unwrap().contains("4 identity events were dropped"));
        journal.acknowledge(first).await;
        // The next start knows it.
        let mut next = Journal::new(disk, limit);
        next.settle().await;
        assert_eq!((next.stock().waiting, next.stock().dropped, next.stock().problem), (4, 4, None));
        // What was on its way stayed; the oldest after it went.
        assert_eq!(drain(&mut next).await, [1006, 1007, 1008, 1009]);
        assert_eq!((next.stock().waiting, next.stock().bytes), (0, 0));
    });
}

#[test]
fn a_full_outbox_drops_its_oldest_events_and_counts_them_in_memory() {
    keeps_its_limit(ModelDisk::in_memory());
}

#[test]
fn a_full_outbox_drops_its_oldest_events_and_counts_them_in_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    keeps_its_limit(ModelDisk::in_sqlite(directory.path().join("ecgid.sqlite")));
}

#[test]
fn events_that_no_disk_takes_wait_in_memory_and_the_oldest_that_go_are_counted_when_it_heals() {
    in_virtual_time(async {
        let disk = ModelDisk::in_memory();
        let mut journal = Journal::new(disk.clone(), u64::MAX);
        disk.refuse(true);
        for record in records("boot", 1443) {
            journal.record(record).await;
        }
        let stock = journal.stock();
        assert_eq!((stock.unsaved, stock.dropped), (1440, 3));
        assert!(stock.problem.unwrap().contains("free space"));
        disk.refuse(false);
        journal.settle().await;
        assert_eq!((journal.stock().unsaved, journal.stock().waiting), (0, 1440));
        assert_eq!(drain(&mut journal).await[0], 1004);
        let mut next = Journal::new(disk, u64::MAX);
        next.settle().await;
        assert_eq!(next.stock().dropped, 3);
    });
}

#[test]
fn a_full_disk_does_not_stop_what_it_holds_from_being_published() {
    in_virtual_time(async {
        let disk = ModelDisk::in_memory();
        let mut journal = Journal::new(disk.clone(), u64::MAX);
        for record in records("boot", 3) {
            journal.record(record).await;
        }
        // Reading goes on; removing does not.
        disk.refuse_writes(true);
        assert_eq!(drain(&mut journal).await, [1001, 1002, 1003]);
        assert_eq!((disk.waiting(), journal.stock().waiting), (3, 0));
        disk.refuse_writes(false);
        journal.settle().await;
        assert_eq!(disk.waiting(), 0);
        assert_eq!(journal.stock().problem, None);
    });
}
