//! Telemetry on its way out. Bounded: when it is full the oldest goes, and is counted; what has expired goes too.

use std::collections::VecDeque;

use tokio::time::Instant;

use super::message::Message;

/// An hour of HRV summaries, or a minute of signal states.
const CAPACITY: usize = 64;

/// Messages that may be lost, oldest first.
#[derive(Debug, Default)]
pub(super) struct TelemetryQueue {
    waiting: VecDeque<Message>,
    dropped: u64,
}

impl TelemetryQueue {
    pub(super) fn push(&mut self, message: Message) {
        if self.waiting.len() == CAPACITY {
            self.waiting.pop_front();
            self.dropped += 1;
        }
        self.waiting.push_back(message);
    }

    /// The oldest message that still has something to say.
    pub(super) fn pop(&mut self) -> Option<Message> {
        let now = Instant::now();
        while let Some(message) = self.waiting.pop_front() {
            if message.life_left_s(now) != Some(0) {
                return Some(message);
            }
            self.dropped += 1;
        }
        None
    }

    /// Takes back what could not be sent after all.
    pub(super) fn put_back(&mut self, message: Message) {
        if self.waiting.len() == CAPACITY {
            self.dropped += 1;
        } else {
            self.waiting.push_front(message);
        }
    }

    /// How many were dropped since the last call.
    pub(super) fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::payload::Payload;
    use super::*;

    fn message(text: &str, expiry_s: u64) -> Message {
        Message::telemetry("t".into(), Payload::text(text), Instant::now() + Duration::from_secs(expiry_s))
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_queue_drops_its_oldest_entry_and_counts_it() {
        let mut queue = TelemetryQueue::default();
        for n in 0..CAPACITY + 3 {
            queue.push(message(&n.to_string(), 60));
        }
        assert_eq!(queue.take_dropped(), 3);
        assert_eq!(queue.pop().unwrap().payload.bytes, b"3");
        assert_eq!(std::iter::from_fn(|| queue.pop()).count(), CAPACITY - 1);
        assert_eq!(queue.take_dropped(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_expired_while_it_waited_is_not_sent() {
        let mut queue = TelemetryQueue::default();
        queue.push(message("old", 10));
        queue.push(message("lasting", 100));
        tokio::time::advance(Duration::from_secs(20)).await;
        let left = queue.pop().unwrap();
        let left_s = left.life_left_s(Instant::now());
        assert_eq!((&left.payload.bytes[..], left_s), (&b"lasting"[..], Some(79)), "80 s less the way to the broker");
        assert_eq!(queue.take_dropped(), 1);
    }
}
