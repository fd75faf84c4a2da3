//! What a template belongs to, beside its subject: the front end that made the signal.

/// Where the samples come from, as far as it decides what a template may be compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct FrontEnd {
    /// Name of the wire format (`cwxs-bin`, `ov9`, …), `record` for a recording, `simulator` for the synthetic heart.
    pub format: String,
    /// Sampling frequency of the source, Hz.
    pub fs_hz: f64,
    /// Millivolts that a code is taken for, as a multiple of what is usual for the format: 1 unless the configuration
    /// names another gain or reference voltage.
    pub scale: f64,
}

impl FrontEnd {
    /// Names everything that shapes an embedding beside the heart: format, rate, what a code is worth, filter chain (with
    /// its mains) and model.
    ///
    /// Templates are compared only where this is equal: a network gives the same heart another embedding behind another
    /// analogue filter, and a threshold that was set on one front end lets strangers pass on another.
    /// `chain_id` is that of the signal path, `model_id` that of the model.
    #[must_use]
    pub fn key(&self, chain_id: &str, model_id: &str) -> String {
        let scale = if (self.scale - 1.0).abs() < 1e-6 { String::new() } else { format!("/x{:.4}", self.scale) };
        format!("{}/{:.0}Hz{scale}/{}/{model_id}", self.format, self.fs_hz, chain_id.replace(' ', "-"))
    }
}

/// Whether a [`FrontEnd::key`] is of the front end that is named by format (`cwxs-bin`), or by format and rate
/// (`cwxs-bin/250Hz`).
#[must_use]
pub fn is_of(key: &str, named: &str) -> bool {
    key.strip_prefix(named).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_shapes_an_embedding_changes_the_key() {
        let front_end = |format: &str, fs_hz| FrontEnd { format: format.to_owned(), fs_hz, scale: 1.0 };
        let key = front_end("cwxs-bin", 250.0).key("chain-1 250Hz notch50", "m-1");
        assert_eq!(key, "cwxs-bin/250Hz/chain-1-250Hz-notch50/m-1");
        for other in [
            front_end("ov9", 250.0).key("chain-1 250Hz notch50", "m-1"),
            front_end("cwxs-bin", 500.0).key("chain-1 250Hz notch50", "m-1"),
            front_end("cwxs-bin", 250.0).key("chain-1 250Hz notch60", "m-1"),
            front_end("cwxs-bin", 250.0).key("chain-1 250Hz notch50", "m-2"),
            FrontEnd { scale: 0.5, ..front_end("cwxs-bin", 250.0) }.key("chain-1 250Hz notch50", "m-1"),
        ] {
            assert_ne!(key, other);
        }
        let named = ["cwxs-bin", "cwxs-bin/250Hz", "cwxs", "cwxs-bin/25", "cwxs-bin/500Hz", "record", ""];
        assert_eq!(named.map(|named| is_of(&key, named)), [true, true, false, false, false, false, false]);
    }
}
