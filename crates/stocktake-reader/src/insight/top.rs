//! The few of many that rank highest, whatever order they come in.

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
};

/// Keeps the entries that rank highest, at most so many; of equal ranks the names that come first, and of equal names the lowest
/// values.
///
/// Which ones are kept does not depend on the order that they are offered in.
#[derive(Clone, Debug)]
pub(super) struct Top<V> {
    limit: usize,
    /// The lowest entry on top.
    heap: BinaryHeap<Reverse<Entry<V>>>,
}

/// Later fields decide between entries that are equal in earlier ones.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry<V> {
    rank: i128,
    name: Reverse<Box<str>>,
    value: Reverse<V>,
}

impl<V: Ord> Top<V> {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, heap: BinaryHeap::new() }
    }

    /// The rank below which nothing is kept.
    #[inline]
    pub(super) fn floor(&self) -> i128 {
        match self.heap.peek() {
            Some(Reverse(lowest)) if self.heap.len() >= self.limit => lowest.rank,
            _ => i128::MIN,
        }
    }

    /// Offers an entry; what it holds is made only if it may be kept.
    #[inline]
    pub(super) fn offer(&mut self, rank: i128, name: &str, value: impl FnOnce() -> V) {
        self.offer_told(rank, name, |_| Ordering::Equal, value);
    }

    /// As [`Top::offer`]; `tie` compares what the entry holds with a value of the same rank and name, as far as it can without
    /// making it: a report may have millions of rows that differ in nothing else.
    #[inline]
    pub(super) fn offer_told(
        &mut self,
        rank: i128,
        name: &str,
        tie: impl FnOnce(&V) -> Ordering,
        value: impl FnOnce() -> V,
    ) {
        if rank >= self.floor() {
            self.consider(rank, name, tie, value);
        }
    }

    fn consider(&mut self, rank: i128, name: &str, tie: impl FnOnce(&V) -> Ordering, value: impl FnOnce() -> V) {
        let lowest = self.heap.peek().filter(|_| self.heap.len() >= self.limit);
        let tied = lowest.filter(|Reverse(lowest)| lowest.rank == rank).map(|Reverse(lowest)| lowest);
        let order = tied.map(|lowest| name.cmp(&lowest.name.0).then_with(|| tie(&lowest.value.0)));
        if order == Some(Ordering::Greater) {
            return;
        }
        let value = value();
        if order == Some(Ordering::Equal) && tied.is_some_and(|lowest| value >= lowest.value.0) {
            return;
        }
        self.heap.push(Reverse(Entry { rank, name: Reverse(name.into()), value: Reverse(value) }));
        if self.heap.len() > self.limit {
            self.heap.pop();
        }
    }

    /// Takes over what another one kept.
    pub(super) fn merge(&mut self, other: Self) {
        for entry in other.heap {
            self.heap.push(entry);
            if self.heap.len() > self.limit {
                self.heap.pop();
            }
        }
    }

    /// Names and what they hold, highest first.
    pub(super) fn into_sorted(self) -> Vec<(Box<str>, V)> {
        self.heap.into_sorted_vec().into_iter().map(|Reverse(entry)| (entry.name.0, entry.value.0)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_are_kept_in_whatever_order_they_come() {
        let entries = [(3, "c"), (5, "e"), (3, "a"), (3, "b"), (1, "z"), (5, "d"), (-2, "y")];
        let kept = |entries: &[(i128, &str)], limit| {
            let mut top = Top::new(limit);
            entries.iter().for_each(|(rank, name)| top.offer(*rank, name, || ()));
            top.into_sorted().into_iter().map(|(name, ())| name).collect::<Vec<_>>()
        };
        assert_eq!(kept(&entries, 4).concat(), "deab");
        assert_eq!(kept(&entries, 100).concat(), "deabczy");
        let mut turned = entries;
        for _ in 0..entries.len() {
            turned.rotate_left(1);
            assert_eq!(kept(&turned, 4), kept(&entries, 4));
            let (mut one, mut two) = (Top::new(3), Top::new(3));
            turned[..4].iter().for_each(|(rank, name)| one.offer(*rank, name, || ()));
            turned[4..].iter().for_each(|(rank, name)| two.offer(*rank, name, || ()));
            one.merge(two);
            assert_eq!(one.into_sorted().len(), 3);
        }
    }

    #[test]
    fn entries_of_one_name_are_made_only_if_they_are_kept() {
        let offer = |top: &mut Top<i32>, value: i32, made: &mut usize| {
            let make = || {
                *made += 1;
                value
            };
            top.offer_told(7, "same", |kept| value.cmp(kept), make);
        };
        let values = [5, 3, 9, 3, 1, 8, 8, 2, 7, 4, 6, 0];
        let mut turned = values;
        for _ in 0..values.len() {
            turned.rotate_left(1);
            let (mut told, mut plain, mut made) = (Top::new(3), Top::new(3), 0);
            for value in turned {
                offer(&mut told, value, &mut made);
                plain.offer(7, "same", || value);
            }
            let kept = |top: Top<i32>| top.into_sorted().into_iter().map(|(_, value)| value).collect::<Vec<_>>();
            assert_eq!(kept(told), [0, 1, 2]);
            assert_eq!(kept(plain), [0, 1, 2]);
            assert!(made < values.len());
        }
        let (mut told, mut made) = (Top::new(3), 0);
        for value in 0..1000 {
            offer(&mut told, value, &mut made);
        }
        assert_eq!(made, 3);
    }
}
