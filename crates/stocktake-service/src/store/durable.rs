//! Configurations in one file, by redb: a step is a transaction that is on the disk when it returns.
//!
//! Three tables: documents, schedules with states, records. Buckets and ids are parts of keys, so that lists and scans are
//! ranges.

use super::{ConfigurationStore, RECORDS_MAX, RunRecord, RunStatus, StoreError, Stored};
use redb::{Database, ReadableDatabase, ReadableTable, Table, TableDefinition};
use serde::{Serialize, de::DeserializeOwned};
use std::{ops::Bound, path::Path};
use stocktake::{BucketName, Timestamp};
use stocktake_config::{
    CONFIGURATIONS_MAX, ConfigurationList, InventoryConfiguration, PAGE_CONFIGURATIONS, PageToken, RunState,
    ValidConfiguration,
};

/// Bucket and id to the document's JSON.
const DOCUMENTS: TableDefinition<(&str, &str), &[u8]> = TableDefinition::new("configurations");

/// Bucket and id to schedule and state.
const STATES: TableDefinition<(&str, &str), &[u8]> = TableDefinition::new("states");

/// Bucket, id and due time in milliseconds to the record.
const RECORDS: TableDefinition<(&str, &str, i64), &[u8]> = TableDefinition::new("records");

/// Memory for pages of the file, in bytes: scans of hundreds of thousands of states stay in it.
const CACHE_BYTES: usize = 64 << 20;

/// Comes after every id: they are ASCII.
const AFTER_IDS: &str = "\u{10ffff}";

/// Keeps configurations in a file. One process has it open at a time.
#[derive(Debug)]
pub struct DurableStore {
    database: Database,
}

impl DurableStore {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// If it is no such file or cannot be read or written; [`StoreError::InUse`] if another process has it open.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let fault = |error: redb::Error| StoreError::failed(format!("cannot open the store {}", path.display()), error);
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES);
        let database = builder.create(path).map_err(|error| match error {
            redb::DatabaseError::DatabaseAlreadyOpen => StoreError::InUse { store: path.display().to_string() },
            error => fault(error.into()),
        })?;
        // Readers may rely on the tables.
        let write = database.begin_write().map_err(|error| fault(error.into()))?;
        write.open_table(DOCUMENTS).map_err(|error| fault(error.into()))?;
        write.open_table(STATES).map_err(|error| fault(error.into()))?;
        write.open_table(RECORDS).map_err(|error| fault(error.into()))?;
        write.commit().map_err(|error| fault(error.into()))?;
        Ok(Self { database })
    }

    /// Puts many configurations in one step, for a store that moves its own here.
    ///
    /// # Errors
    /// As [`ConfigurationStore::put`]; then none is put.
    pub fn put_all<'a>(
        &self,
        configurations: impl IntoIterator<Item = (&'a BucketName, &'a ValidConfiguration)>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut configurations = configurations.into_iter();
        self.write(|write| configurations.try_for_each(|(bucket, one)| put_one(write, bucket, one, now)))
    }

    fn read<T>(&self, read: impl FnOnce(&redb::ReadTransaction) -> Result<T, Fault>) -> Result<T, StoreError> {
        let work = || -> Result<T, Fault> { read(&self.database.begin_read()?) };
        work().map_err(|fault| fault.while_doing("reading the store failed"))
    }

    /// Runs a step; it is kept if it ends well, and undone otherwise.
    fn write<T>(&self, step: impl FnOnce(&redb::WriteTransaction) -> Result<T, Fault>) -> Result<T, StoreError> {
        let work = || -> Result<T, Fault> {
            let write = self.database.begin_write()?;
            let done = step(&write)?;
            write.commit()?;
            Ok(done)
        };
        work().map_err(|fault| fault.while_doing("writing the store failed"))
    }
}

/// What ends a step.
enum Fault {
    Store(StoreError),
    Database(redb::Error),
    Value(serde_json::Error),
}

impl Fault {
    fn while_doing(self, what: &str) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Database(error) => StoreError::failed(what, error),
            Self::Value(error) => StoreError::failed(format!("{what}: a value of it cannot be read"), error),
        }
    }
}

impl<E: Into<redb::Error>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self::Database(error.into())
    }
}

impl ConfigurationStore for DurableStore {
    fn put(&self, bucket: &BucketName, configuration: &ValidConfiguration, now: Timestamp) -> Result<(), StoreError> {
        self.write(|write| put_one(write, bucket, configuration, now))
    }

    fn get(&self, bucket: &BucketName, id: &str) -> Result<InventoryConfiguration, StoreError> {
        self.read(|read| match read.open_table(DOCUMENTS)?.get((bucket.as_str(), id))? {
            Some(bytes) => document(bytes.value()),
            None => Err(Fault::Store(StoreError::no_such(id))),
        })
    }

    fn list(&self, bucket: &BucketName, token: Option<&str>) -> Result<ConfigurationList, StoreError> {
        let after = token.map(PageToken::parse).transpose()?;
        self.read(|read| {
            let documents = read.open_table(DOCUMENTS)?;
            let from = (bucket.as_str(), after.as_ref().map_or("", |after| after.id()));
            let range = (Bound::Excluded(from), Bound::Included((bucket.as_str(), AFTER_IDS)));
            let mut following = Vec::new();
            for entry in documents.range::<(&str, &str)>(range)?.take(PAGE_CONFIGURATIONS + 1) {
                following.push(document(entry?.1.value())?);
            }
            Ok(ConfigurationList::page(token.map(str::to_owned), following))
        })
    }

    fn delete(&self, bucket: &BucketName, id: &str) -> Result<(), StoreError> {
        self.write(|write| {
            let key = (bucket.as_str(), id);
            if write.open_table(DOCUMENTS)?.remove(key)?.is_none() {
                return Err(Fault::Store(StoreError::no_such(id)));
            }
            write.open_table(STATES)?.remove(key)?;
            write.open_table(RECORDS)?.retain_in(records_of(bucket, id), |_, _| false)?;
            Ok(())
        })
    }

    fn status(&self, bucket: &BucketName, id: &str) -> Result<RunStatus, StoreError> {
        self.read(|read| {
            let states = read.open_table(STATES)?;
            let Some(stored) = states.get((bucket.as_str(), id))? else {
                return Err(Fault::Store(StoreError::no_such(id)));
            };
            let last = read.open_table(RECORDS)?.range(records_of(bucket, id))?.next_back();
            let last = last.transpose()?.map(|(_, record)| decode(record.value())).transpose()?;
            Ok(RunStatus::new(decode(stored.value())?, last))
        })
    }

    fn records(&self, bucket: &BucketName, id: &str, most: usize) -> Result<Vec<RunRecord>, StoreError> {
        self.read(|read| {
            let records = read.open_table(RECORDS)?;
            let mut newest = Vec::new();
            for entry in records.range(records_of(bucket, id))?.rev().take(most) {
                newest.push(decode(entry?.1.value())?);
            }
            Ok(newest)
        })
    }

    fn record(&self, bucket: &BucketName, id: &str, due: Timestamp) -> Result<Option<RunRecord>, StoreError> {
        self.read(|read| {
            let record = read.open_table(RECORDS)?.get((bucket.as_str(), id, due.ms()))?;
            record.map(|record| decode(record.value())).transpose()
        })
    }

    fn visit(&self, visit: &mut dyn FnMut(&str, &str, &Stored)) -> Result<(), StoreError> {
        self.read(|read| {
            for entry in read.open_table(STATES)?.iter()? {
                let (key, stored) = entry?;
                let (bucket, id) = key.value();
                visit(bucket, id, &decode(stored.value())?);
            }
            Ok(())
        })
    }

    fn advance(
        &self,
        bucket: &BucketName,
        id: &str,
        from: &RunState,
        to: &RunState,
        records: &[RunRecord],
    ) -> Result<bool, StoreError> {
        self.write(|write| {
            let mut states = write.open_table(STATES)?;
            let key = (bucket.as_str(), id);
            let stored = match states.get(key)? {
                Some(bytes) => decode::<Stored>(bytes.value())?,
                None => return Ok(false),
            };
            if stored.state != *from {
                return Ok(false);
            }
            states.insert(key, encode(&stored.with_state(to.clone()))?.as_slice())?;
            let mut kept = write.open_table(RECORDS)?;
            for record in records {
                write_record(&mut kept, bucket, id, record)?;
            }
            let surplus = kept.range(records_of(bucket, id))?.count().saturating_sub(RECORDS_MAX);
            let mut oldest = Vec::new();
            for entry in kept.range(records_of(bucket, id))?.take(surplus) {
                oldest.push(entry?.0.value().2);
            }
            for due in oldest {
                kept.remove((bucket.as_str(), id, due))?;
            }
            Ok(true)
        })
    }
}

fn put_one(
    write: &redb::WriteTransaction,
    bucket: &BucketName,
    configuration: &ValidConfiguration,
    now: Timestamp,
) -> Result<(), Fault> {
    let document = configuration.document();
    let (mut documents, mut states) = (write.open_table(DOCUMENTS)?, write.open_table(STATES)?);
    let key = (bucket.as_str(), document.id.as_str());
    let state = match states.get(key)? {
        Some(bytes) => Some(decode::<Stored>(bytes.value())?.state),
        None => None,
    };
    let others = (bucket.as_str(), "")..=(bucket.as_str(), AFTER_IDS);
    if state.is_none() && states.range(others)?.count() >= CONFIGURATIONS_MAX {
        return Err(Fault::Store(StoreError::too_many()));
    }
    let stored = Stored::new(document, state.unwrap_or_else(|| RunState::new(now)));
    documents.insert(key, document.to_json().as_bytes())?;
    states.insert(key, encode(&stored)?.as_slice())?;
    Ok(())
}

fn write_record(
    kept: &mut Table<'_, (&'static str, &'static str, i64), &'static [u8]>,
    bucket: &BucketName,
    id: &str,
    record: &RunRecord,
) -> Result<(), Fault> {
    let key = (bucket.as_str(), id, record.due.ms());
    let published = match kept.get(key)? {
        Some(before) => decode::<RunRecord>(before.value())?.is_success(),
        None => false,
    };
    if !published {
        kept.insert(key, encode(record)?.as_slice())?;
    }
    Ok(())
}

/// The range of a configuration's records.
fn records_of<'a>(bucket: &'a BucketName, id: &'a str) -> std::ops::RangeInclusive<(&'a str, &'a str, i64)> {
    (bucket.as_str(), id, i64::MIN)..=(bucket.as_str(), id, i64::MAX)
}

fn document(bytes: &[u8]) -> Result<InventoryConfiguration, Fault> {
    InventoryConfiguration::from_json(bytes).map_err(|error| Fault::Store(StoreError::S3(error)))
}

fn encode(value: &impl Serialize) -> Result<Vec<u8>, Fault> {
    serde_json::to_vec(value).map_err(Fault::Value)
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(bytes).map_err(Fault::Value)
}
