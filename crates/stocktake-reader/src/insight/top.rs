//! The few of many that rank highest, whatever order they come in.

use std::{cmp::Reverse, collections::BinaryHeap};

/// Keeps the entries that rank highest, at most so many; of equal ranks the names that come first.
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
    value: V,
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
        if rank >= self.floor() {
            self.consider(rank, name, value);
        }
    }

    fn consider(&mut self, rank: i128, name: &str, value: impl FnOnce() -> V) {
        if self.heap.len() >= self.limit
            && let Some(Reverse(lowest)) = self.heap.peek()
            && lowest.rank == rank
            && *lowest.name.0 < *name
        {
            return;
        }
        self.heap.push(Reverse(Entry { rank, name: Reverse(name.into()), value: value() }));
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
        self.heap.into_sorted_vec().into_iter().map(|Reverse(entry)| (entry.name.0, entry.value)).collect()
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
}
