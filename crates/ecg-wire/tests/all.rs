//! What a user of the crate may rely on, format by format.

mod all {
    mod round_trip;
}
