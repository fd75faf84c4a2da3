//! Where the decision stage finds its references: a door in front of the store, so that tests need no database.

use std::sync::Arc;

use ecg_identity::{Cohort, Reference};

use crate::store::{Store, StoreError};

/// The enrolled references, as the pipeline sees them.
pub trait Gallery: Send + 'static {
    /// The references of a front end and model. `None`: they have not changed since the last call, which is only
    /// answered where `always` is false.
    ///
    /// # Errors
    /// In words: the database cannot be read, which ends the pipeline.
    fn read(&mut self, front_end: &str, model: &str, always: bool) -> Result<Option<Vec<Reference>>, String>;
}

/// References that never change.
impl Gallery for Vec<Reference> {
    fn read(&mut self, _front_end: &str, _model: &str, always: bool) -> Result<Option<Vec<Reference>>, String> {
        Ok(always.then(|| self.clone()))
    }
}

/// None: there is no database, and nobody is enrolled.
impl<G: Gallery> Gallery for Option<G> {
    fn read(&mut self, front_end: &str, model: &str, always: bool) -> Result<Option<Vec<Reference>>, String> {
        match self {
            Some(gallery) => gallery.read(front_end, model, always),
            None => Ok(always.then(Vec::new)),
        }
    }
}

/// The references of the database, read again whenever a subject was enrolled, renamed or deleted.
#[derive(Debug)]
pub struct StoredGallery {
    store: Store,
    cohort: Option<Arc<Cohort>>,
    read_at: Option<u64>,
}

impl StoredGallery {
    /// A view on the gallery of `store`, for a model with this cohort.
    #[must_use]
    pub fn new(store: Store, cohort: Option<Arc<Cohort>>) -> Self {
        Self { store, cohort, read_at: None }
    }
}

impl Gallery for StoredGallery {
    fn read(&mut self, front_end: &str, model: &str, always: bool) -> Result<Option<Vec<Reference>>, String> {
        let said = |error: StoreError| error.to_string();
        let revision = self.store.gallery_revision().map_err(said)?;
        if !always && self.read_at == Some(revision) {
            return Ok(None);
        }
        // A change between the two reads is seen next time: the older revision is the one that is remembered.
        let stored = self.store.references(front_end, model, self.cohort.as_deref()).map_err(said)?;
        self.read_at = Some(revision);
        Ok(Some(stored))
    }
}
