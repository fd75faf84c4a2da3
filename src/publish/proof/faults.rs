//! What can go wrong around a publisher, for a while, drawn by chance.

use proptest::prelude::*;

/// Something that goes wrong for a while.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fault {
    Nothing,
    /// The electrodes are off, or the board is unplugged: the pipeline says so.
    LeadOff,
    /// The pipeline says nothing any more, whatever happens to the person.
    PipelineHangs,
    /// SIGKILL; the next start comes after the time.
    Kill,
    /// SIGSTOP, after what was due has been handed to the client, or before that has left.
    Stop {
        before_it_left: bool,
    },
    /// The connection is cut, nobody gets through.
    Partition,
    /// Bytes are held, and arrive in the end.
    Stall,
    BrokerAway {
        forgets: bool,
    },
    /// The wall clock jumps by an hour.
    ClockStep {
        forward: bool,
    },
}

/// A fault, and for how many tenths of a second.
pub(super) fn fault() -> impl Strategy<Value = (Fault, u64)> {
    let kind = prop_oneof![
        2 => Just(Fault::Nothing),
        2 => Just(Fault::LeadOff),
        1 => Just(Fault::PipelineHangs),
        2 => Just(Fault::Kill),
        3 => any::<bool>().prop_map(|before_it_left| Fault::Stop { before_it_left }),
        2 => Just(Fault::Partition),
        2 => Just(Fault::Stall),
        2 => any::<bool>().prop_map(|forgets| Fault::BrokerAway { forgets }),
        1 => any::<bool>().prop_map(|forward| Fault::ClockStep { forward }),
    ];
    (kind, prop_oneof![3 => 1..60_u64, 2 => 60..400_u64])
}
