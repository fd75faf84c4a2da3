//! What can be wrong with a model, and with one answer of it.

use std::path::PathBuf;

/// A model that cannot be used. The command line ends with exit code 78 on it.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file cannot be read.
    #[error(
        "cannot read model file {path}: {source}; a model is NAME.onnx with its card NAME.toml beside it, and \
         NAME.cohort where the card names a cohort; the default, models/ecgid-1.onnx, is in the executable as well"
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The card is not one that this program can read.
    #[error("model card of {file}: {problem}; write the card anew with ecg-train, or use a model of this version")]
    Card {
        /// The model.
        file: String,
        /// What is wrong.
        problem: String,
    },
    /// The network was trained for another signal path.
    #[error(
        "model {file} was trained with {key} = {card}, this program delivers {program}: scores would mean nothing; \
         train the model anew with this version's ecg-train, or run the version that it was trained with"
    )]
    Mismatch {
        /// The model.
        file: String,
        /// The key of the card.
        key: &'static str,
        /// What the card says.
        card: String,
        /// What this program has.
        program: String,
    },
    /// The ONNX file is broken, or it is not what the card says.
    #[error("model {file}: {problem}; check that the .onnx and the .toml belong together, or export the model anew")]
    Network {
        /// The model.
        file: String,
        /// What is wrong.
        problem: String,
    },
    /// A closed-set model without usable references of its classes.
    #[error(
        "references of model {file}: {problem}; a closed-set model needs NAME.references.toml beside it, which \
         ecg-train writes with the model"
    )]
    References {
        /// The model.
        file: String,
        /// What is wrong.
        problem: String,
    },
    /// The strangers that scores are normalised by are not those of the card.
    #[error(
        "strangers of model {file}: {problem}; the card names NAME.cohort beside it, which ecg-train writes with the \
         model: copy all files of a model together"
    )]
    Strangers {
        /// The model.
        file: String,
        /// What is wrong.
        problem: String,
    },
    /// The network loads but gives no usable answer.
    #[error("model {file} gives no usable embedding for a trial beat: {problem}; export the model anew")]
    Trial {
        /// The model.
        file: String,
        /// What is wrong.
        problem: String,
    },
}

/// One answer that cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EmbedError {
    /// The network failed.
    #[error("the network failed: {0}")]
    Failed(String),
    /// NaN or infinity.
    #[error("the embedding is not finite")]
    NotFinite,
    /// Not on the unit sphere.
    #[error("the embedding has length {norm:.4} instead of 1")]
    NotUnit {
        /// Its length.
        norm: f64,
    },
}
