//! What a user of the crate may rely on, format by format.

mod all {
    mod board;
    mod damage;
    mod detection;
    mod resync;
    mod round_trip;
    mod seeds;
    mod totality;
}
