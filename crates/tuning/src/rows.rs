//! The rows that a store would hold.

use model::{Plant, Timestamp};
use pipeline::{Pipeline, RestoreError, Row};
use std::collections::BTreeMap;
use std::sync::Arc;

/// State by key: hard rows of every commit, soft ones of the checkpoint.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    hard: BTreeMap<String, Vec<u8>>,
    soft: BTreeMap<String, Vec<u8>>,
}

impl Rows {
    /// Those of a store.
    pub fn of((hard, soft): (Vec<Row>, Vec<Row>)) -> Self {
        Self { hard: hard.into_iter().collect(), soft: soft.into_iter().collect() }
    }

    /// Takes up what changed, as a commit does.
    pub fn commit(&mut self, pipeline: &mut Pipeline) {
        let mut changed = Vec::new();
        pipeline.drain_changed(&mut changed);
        for (key, bytes) in changed {
            match bytes {
                Some(bytes) => self.hard.insert(key, bytes),
                None => self.hard.remove(&key),
            };
        }
    }

    /// Takes up a checkpoint.
    pub fn checkpoint(&mut self, pipeline: &mut Pipeline) {
        let mut soft = Vec::new();
        pipeline.drain_soft(&mut soft);
        self.soft.extend(soft);
    }

    /// What an engine starts with on them.
    pub fn restore(&self, plant: Arc<Plant>, down_since: Timestamp, now: Timestamp) -> Result<Pipeline, RestoreError> {
        let rows = |rows: &BTreeMap<String, Vec<u8>>| -> Vec<Row> { rows.clone().into_iter().collect() };
        Pipeline::restore(plant, &rows(&self.hard), &rows(&self.soft), down_since, now)
    }
}
