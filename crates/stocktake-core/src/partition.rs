//! Partitions: ranges of a source's keys that were read to their ends, and what each of them gave.
//!
//! They prove that nothing between two of them was passed over, and show where a source was slow. Sources that read in one
//! piece have none. It does not know how a source cuts its keys.

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Partitions that a report tells of one by one: beyond them neighbours are told of together, so that receipts stay below some
/// hundred kilobytes however long a listing is.
pub const PARTITIONS_MAX: usize = 1000;

/// A range of a source's keys that was read to its end, or several neighbours that are told of together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    /// Ranges that are told of together.
    pub ranges: u64,
    /// Key behind which it begins; none: it begins with the first key.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<String>,
    /// Last key that may be in it; none: it goes to the last key.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until: Option<String>,
    /// Requests that were answered for it.
    pub requests: u64,
    /// Rows that it gave.
    pub rows: u64,
    /// Key of its first row; none without rows.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_key: Option<String>,
    /// Key of its last row.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_key: Option<String>,
    /// When its first request began.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub started_at: Option<Timestamp>,
    /// When its last request was answered.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ended_at: Option<Timestamp>,
}

impl Partition {
    /// A range that nothing was read of yet.
    pub fn new(after: Option<String>, until: Option<String>) -> Self {
        let (first_key, last_key, started_at, ended_at) = (None, None, None, None);
        Self { ranges: 1, after, until, requests: 0, rows: 0, first_key, last_key, started_at, ended_at }
    }

    /// Takes in the neighbour that follows.
    fn join(&mut self, next: Self) {
        self.ranges += next.ranges;
        self.until = next.until;
        self.requests += next.requests;
        self.rows += next.rows;
        self.first_key = self.first_key.take().or(next.first_key);
        self.last_key = next.last_key.or(self.last_key.take());
        self.started_at = self.started_at.into_iter().chain(next.started_at).min();
        self.ended_at = self.ended_at.into_iter().chain(next.ended_at).max();
    }
}

/// Partitions in key order, at most so many.
#[derive(Clone, Debug)]
pub struct Partitions {
    list: Vec<Partition>,
    max: usize,
}

impl Partitions {
    /// No partitions yet, and at most `max`; fewer than one are one.
    pub fn new(max: usize) -> Self {
        Self { list: Vec::new(), max: max.max(1) }
    }

    /// Adds the partition that follows. Where there are too many, every two neighbours are made one.
    pub fn push(&mut self, next: Partition) {
        self.list.push(next);
        if self.list.len() > self.max {
            let mut joined: Vec<Partition> = Vec::with_capacity(self.list.len() / 2 + 1);
            for (index, partition) in self.list.drain(..).enumerate() {
                match joined.last_mut().filter(|_| index % 2 == 1) {
                    Some(before) => before.join(partition),
                    None => joined.push(partition),
                }
            }
            self.list = joined;
        }
    }

    /// The partitions in key order.
    pub fn list(&self) -> &[Partition] {
        &self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(number: u64) -> Partition {
        let key = |number: u64| Some(format!("{number:03}"));
        let mut of = Partition::new(key(number).filter(|_| number > 0), key(number + 1));
        (of.requests, of.rows) = (2, number % 3);
        if of.rows > 0 {
            (of.first_key, of.last_key) = (Some(format!("{number:03}a")), Some(format!("{number:03}z")));
        }
        let time = |second: u64| Timestamp::parse(&format!("2026-11-22T01:00:{second:02}Z")).ok();
        (of.started_at, of.ended_at) = (time(59 - number % 60), time(number % 60));
        of
    }

    #[test]
    fn neighbours_beyond_the_bound_are_told_of_together_and_nothing_is_lost() {
        for max in [0, 1, 2, 3, 7, 50, 100] {
            let mut partitions = Partitions::new(max);
            (0..60).for_each(|number| partitions.push(partition(number)));
            let list = partitions.list();
            assert!(list.len() <= max.max(1), "{max}: {}", list.len());
            let sum = |of: fn(&Partition) -> u64| list.iter().map(of).sum::<u64>();
            assert_eq!((sum(|p| p.ranges), sum(|p| p.requests), sum(|p| p.rows)), (60, 120, 60), "{max}");
            assert!(list.windows(2).all(|pair| pair[0].until == pair[1].after && pair[0].until.is_some()), "{max}");
            assert_eq!((list[0].after.as_deref(), list[list.len() - 1].until.as_deref()), (None, Some("060")));
            let first = list.iter().find_map(|p| p.first_key.as_deref());
            let last = list.iter().rev().find_map(|p| p.last_key.as_deref());
            assert_eq!((first, last), (Some("001a"), Some("059z")));
            let (earliest, latest) =
                (list.iter().filter_map(|p| p.started_at).min(), list.iter().filter_map(|p| p.ended_at).max());
            assert_eq!((earliest, latest), (partition(59).started_at, partition(59).ended_at), "{max}");
        }
    }

    #[test]
    fn what_is_not_known_is_not_written() {
        let text = serde_json::to_string(&Partition::new(None, None)).unwrap();
        assert_eq!(text, "{\"ranges\":1,\"requests\":0,\"rows\":0}");
        assert_eq!(serde_json::from_str::<Partition>(&text).unwrap(), Partition::new(None, None));
        let full = partition(4);
        assert_eq!(serde_json::from_str::<Partition>(&serde_json::to_string(&full).unwrap()).unwrap(), full);
    }
}
