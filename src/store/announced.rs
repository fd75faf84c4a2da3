//! The topics on which discovery messages were retained: they outlive a start that announces something else.
//!
//! It knows no payload and no broker.

use rusqlite::{Connection, TransactionBehavior};

use super::Store;
use super::error::StoreError;

impl Store {
    /// The topics that may hold an announcement, sorted.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn announced(&self) -> Result<Vec<String>, StoreError> {
        let read = |connection: &Connection| -> rusqlite::Result<Vec<String>> {
            let mut statement = connection.prepare("SELECT topic FROM announced ORDER BY topic")?;
            statement.query_map([], |row| row.get(0))?.collect()
        };
        read(&self.lock()).map_err(StoreError::during("reading what was announced"))
    }

    /// Remembers these topics in place of those before; writes nothing where they are the same.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn set_announced(&self, topics: &[String]) -> Result<(), StoreError> {
        let mut sorted = topics.to_vec();
        sorted.sort();
        sorted.dedup();
        if self.announced()? == sorted {
            return Ok(());
        }
        let write = |connection: &mut Connection| -> rusqlite::Result<()> {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            transaction.execute("DELETE FROM announced", [])?;
            for topic in &sorted {
                transaction.execute("INSERT INTO announced (topic) VALUES (?1)", [topic])?;
            }
            transaction.commit()
        };
        write(&mut self.lock()).map_err(StoreError::during("remembering what was announced"))
    }
}
