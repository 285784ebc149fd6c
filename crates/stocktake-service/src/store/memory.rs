//! Configurations in memory, for stores that keep them elsewhere, and for tests.

use super::{ConfigurationStore, RECORDS_MAX, RunRecord, RunStatus, StoreError, Stored};
use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Mutex, MutexGuard, PoisonError},
};
use stocktake::{BucketName, Timestamp};
use stocktake_config::{
    CONFIGURATIONS_MAX, ConfigurationList, InventoryConfiguration, PageToken, RunState, ValidConfiguration,
};

/// Keeps configurations in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    buckets: Mutex<BTreeMap<String, BTreeMap<String, Entry>>>,
}

#[derive(Debug)]
struct Entry {
    document: InventoryConfiguration,
    stored: Stored,
    records: BTreeMap<Timestamp, RunRecord>,
}

impl MemoryStore {
    /// A store without configurations.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every change is made of steps that cannot fail, so that a panic elsewhere leaves nothing half done.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, BTreeMap<String, Entry>>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, bucket: &BucketName, id: &str, read: impl FnOnce(&Entry) -> T) -> Option<T> {
        self.lock().get(bucket.as_str())?.get(id).map(read)
    }
}

impl ConfigurationStore for MemoryStore {
    fn put(&self, bucket: &BucketName, configuration: &ValidConfiguration, now: Timestamp) -> Result<(), StoreError> {
        let document = configuration.document().clone();
        let mut buckets = self.lock();
        let entries = buckets.entry(bucket.as_str().to_owned()).or_default();
        let is_full = entries.len() >= CONFIGURATIONS_MAX;
        match entries.get_mut(&document.id) {
            Some(entry) => {
                entry.stored = Stored::new(&document, entry.stored.state.clone());
                entry.document = document;
            }
            None if is_full => return Err(StoreError::too_many()),
            None => {
                let stored = Stored::new(&document, RunState::new(now));
                entries.insert(document.id.clone(), Entry { document, stored, records: BTreeMap::new() });
            }
        }
        Ok(())
    }

    fn get(&self, bucket: &BucketName, id: &str) -> Result<InventoryConfiguration, StoreError> {
        self.with(bucket, id, |entry| entry.document.clone()).ok_or_else(|| StoreError::no_such(id))
    }

    fn list(&self, bucket: &BucketName, token: Option<&str>) -> Result<ConfigurationList, StoreError> {
        let after = token.map(PageToken::parse).transpose()?;
        let from = after.as_ref().map_or(Bound::Unbounded, |after| Bound::Excluded(after.id()));
        let buckets = self.lock();
        let entries = buckets.get(bucket.as_str());
        let following = entries.into_iter().flat_map(|entries| entries.range::<str, _>((from, Bound::Unbounded)));
        let documents = following.map(|(_, entry)| entry.document.clone());
        Ok(ConfigurationList::page(token.map(str::to_owned), documents))
    }

    fn delete(&self, bucket: &BucketName, id: &str) -> Result<(), StoreError> {
        let removed = self.lock().get_mut(bucket.as_str()).and_then(|entries| entries.remove(id));
        removed.map(|_| ()).ok_or_else(|| StoreError::no_such(id))
    }

    fn status(&self, bucket: &BucketName, id: &str) -> Result<RunStatus, StoreError> {
        let last = |entry: &Entry| entry.records.last_key_value().map(|(_, record)| record.clone());
        let status = self.with(bucket, id, |entry| RunStatus::new(entry.stored.clone(), last(entry)));
        status.ok_or_else(|| StoreError::no_such(id))
    }

    fn records(&self, bucket: &BucketName, id: &str, most: usize) -> Result<Vec<RunRecord>, StoreError> {
        let newest = |entry: &Entry| entry.records.values().rev().take(most).cloned().collect();
        Ok(self.with(bucket, id, newest).unwrap_or_default())
    }

    fn record(&self, bucket: &BucketName, id: &str, due: Timestamp) -> Result<Option<RunRecord>, StoreError> {
        Ok(self.with(bucket, id, |entry| entry.records.get(&due).cloned()).flatten())
    }

    fn visit(&self, visit: &mut dyn FnMut(&str, &str, &Stored)) -> Result<(), StoreError> {
        for (bucket, entries) in &*self.lock() {
            for (id, entry) in entries {
                visit(bucket, id, &entry.stored);
            }
        }
        Ok(())
    }

    fn advance(
        &self,
        bucket: &BucketName,
        id: &str,
        from: &RunState,
        to: &RunState,
        records: &[RunRecord],
    ) -> Result<bool, StoreError> {
        let mut buckets = self.lock();
        let entry = buckets.get_mut(bucket.as_str()).and_then(|entries| entries.get_mut(id));
        let Some(entry) = entry.filter(|entry| entry.stored.state == *from) else { return Ok(false) };
        entry.stored.state = to.clone();
        for record in records {
            if !entry.records.get(&record.due).is_some_and(RunRecord::is_success) {
                entry.records.insert(record.due, record.clone());
            }
        }
        while entry.records.len() > RECORDS_MAX {
            entry.records.pop_first();
        }
        Ok(true)
    }
}
