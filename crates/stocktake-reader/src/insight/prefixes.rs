//! Objects and bytes by prefix, at every depth, while keys stream by.
//!
//! Keys of a sorted report that share a prefix stand together, so that what they have is known exactly when the next one
//! comes: a stack of open prefixes and the few leading ones of each depth are all the memory it takes. Parts of a report are
//! counted side by side; the first and the last prefix of each are joined with those of its neighbours. Keys of other reports
//! go into tables by name.

use super::{
    amount::Amount,
    report::{PrefixRanking, Ranking, Share},
    tallies::Tallies,
    top::Top,
};
use memchr::memchr;
use std::cmp::Ordering;

/// Prefixes of the part that a thread is reading, and the leading ones of all that it has read.
#[derive(Clone, Debug)]
pub(super) struct Prefixes {
    delimiter: u8,
    /// Closed prefixes by depth, outermost first.
    closed: Vec<Closed>,
    /// The deepest open prefix.
    path: String,
    /// Where each open prefix ends in the path, and what it has but for the longer ones.
    open: Vec<(usize, Amount)>,
    edges: Edges,
}

/// The first and last prefixes of a row of keys, which may go on before and behind it.
#[derive(Clone, Debug, Default)]
pub(super) struct Edges {
    by_depth: Vec<Edge>,
    /// Whether a key came before the one above it.
    pub(super) disorder: bool,
}

#[derive(Clone, Debug, Default)]
struct Edge {
    first: Option<Run>,
    /// None if there is one prefix only.
    last: Option<Run>,
}

/// Neighbouring keys of one prefix.
#[derive(Clone, Debug, Default)]
struct Run {
    prefix: String,
    tally: Amount,
}

/// Prefixes of one depth that are complete.
#[derive(Clone, Debug)]
enum Closed {
    /// Each comes once.
    Sorted { distinct: u64, by_bytes: Top<Amount>, by_objects: Top<Amount> },
    /// Each may come again.
    Unsorted(Tallies),
}

impl Prefixes {
    pub(super) fn new(delimiter: u8, depth: usize, sorted: bool, limit: usize) -> Self {
        let closed = if sorted {
            Closed::Sorted { distinct: 0, by_bytes: Top::new(limit), by_objects: Top::new(limit) }
        } else {
            Closed::Unsorted(Tallies::default())
        };
        Self {
            delimiter,
            closed: vec![closed; depth],
            path: String::new(),
            open: Vec::with_capacity(depth),
            edges: Edges::new(depth),
        }
    }

    #[inline]
    pub(super) fn add(&mut self, key: &str, tally: Amount) {
        let rest = key.as_bytes().strip_prefix(self.path.as_bytes());
        let deepest = self.open.len() == self.closed.len();
        if !rest.is_some_and(|rest| deepest || memchr(self.delimiter, rest).is_none()) {
            self.turn_to(key);
        }
        if let Some((_, own)) = self.open.last_mut() {
            own.add(tally);
        }
    }

    /// Closes the prefixes that a key does not have, and opens the others of its.
    #[cold]
    fn turn_to(&mut self, key: &str) {
        let shared = key.bytes().zip(self.path.bytes()).take_while(|(one, two)| one == two).count();
        if shared < self.path.len() && key.as_bytes() < self.path.as_bytes() {
            self.edges.disorder = true;
        }
        while self.open.last().is_some_and(|(end, _)| *end > shared) {
            self.close();
        }
        let mut from = self.open.last().map_or(0, |(end, _)| *end);
        self.path.truncate(from);
        while self.open.len() < self.closed.len()
            && let Some(at) = memchr(self.delimiter, &key.as_bytes()[from..])
        {
            // A delimiter is one ASCII character, so that prefixes end between characters.
            let end = from + at + 1;
            self.path.push_str(&key[from..end]);
            self.open.push((end, Amount::default()));
            from = end;
        }
    }

    fn close(&mut self) {
        let Some((end, tally)) = self.open.pop() else { return };
        if let Some((_, above)) = self.open.last_mut() {
            above.add(tally);
        }
        let depth = self.open.len();
        self.edges.by_depth[depth].follow(&self.path[..end], tally, &mut self.closed[depth]);
    }

    /// Ends a part: what may go on in its neighbours.
    pub(super) fn end_part(&mut self) -> Edges {
        while !self.open.is_empty() {
            self.close();
        }
        self.path.clear();
        let depth = self.closed.len();
        std::mem::replace(&mut self.edges, Edges::new(depth))
    }

    /// Joins the edges of two neighbouring parts into those of both.
    pub(super) fn join(&mut self, before: &mut Edges, behind: Edges) {
        let Edges { by_depth, disorder } = before;
        *disorder |= behind.disorder;
        for ((before, behind), closed) in by_depth.iter_mut().zip(behind.by_depth).zip(&mut self.closed) {
            let Some(first) = behind.first else { continue };
            let tail = before.last.as_ref().or(before.first.as_ref());
            let order = tail.map(|tail| tail.prefix.cmp(&first.prefix));
            *disorder |= order == Some(Ordering::Greater);
            match order {
                Some(Ordering::Equal) => before.extend_last(first.tally),
                _ => before.follow(&first.prefix, first.tally, closed),
            }
            if let Some(last) = behind.last {
                before.follow(&last.prefix, last.tally, closed);
            }
        }
    }

    /// Closes what was left open at the edges of all parts.
    pub(super) fn settle(&mut self, edges: Edges) {
        for (edge, closed) in edges.by_depth.into_iter().zip(&mut self.closed) {
            for run in edge.first.into_iter().chain(edge.last) {
                closed.take(&run.prefix, run.tally);
            }
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (own, other) in self.closed.iter_mut().zip(other.closed) {
            own.merge(other);
        }
    }

    /// The leading prefixes of each depth, and of all.
    pub(super) fn rankings(self, limit: usize) -> (Vec<PrefixRanking>, Ranking) {
        let rankings = self.closed.into_iter().map(|closed| closed.ranking(limit));
        let rankings: Vec<_> =
            rankings.enumerate().map(|(index, ranking)| PrefixRanking { depth: index + 1, ranking }).collect();
        let overall = overall(&rankings, limit);
        (rankings, overall)
    }
}

/// The leading prefixes of all depths. Those of each depth hold them.
fn overall(rankings: &[PrefixRanking], limit: usize) -> Ranking {
    let lead = |shares: fn(&Ranking) -> &Vec<Share>, number: fn(&Amount) -> u64| {
        let shares: Vec<&Share> = rankings.iter().flat_map(|depth| shares(&depth.ranking)).collect();
        let mut top = Top::new(limit);
        for share in &shares {
            let is_longer = |other: &&Share| other.name.len() > share.name.len() && other.name.starts_with(&share.name);
            if !shares.iter().any(|other| is_longer(other) && other.tally == share.tally) {
                top.offer(number(&share.tally).into(), &share.name, || share.tally);
            }
        }
        Share::all(top)
    };
    let mut missed_at_most = Amount::default();
    rankings.iter().for_each(|depth| missed_at_most.at_least(depth.ranking.missed_at_most));
    Ranking {
        distinct: rankings.iter().map(|depth| depth.ranking.distinct).sum(),
        exact: rankings.iter().all(|depth| depth.ranking.exact),
        missed_at_most,
        by_bytes: lead(|ranking| &ranking.by_bytes, |tally| tally.bytes),
        by_objects: lead(|ranking| &ranking.by_objects, |tally| tally.objects),
    }
}

impl Edges {
    fn new(depth: usize) -> Self {
        Self { by_depth: vec![Edge::default(); depth], disorder: false }
    }
}

impl Edge {
    /// Adds the prefix that comes next.
    fn follow(&mut self, prefix: &str, tally: Amount, closed: &mut Closed) {
        if self.first.is_none() {
            self.first = Some(Run { prefix: prefix.to_owned(), tally });
            return;
        }
        let last = self.last.get_or_insert_default();
        if !last.prefix.is_empty() {
            closed.take(&last.prefix, last.tally);
        }
        // The text's memory is used again: a report may have as many prefixes as objects.
        last.prefix.clear();
        last.prefix.push_str(prefix);
        last.tally = tally;
    }

    fn extend_last(&mut self, tally: Amount) {
        if let Some(run) = self.last.as_mut().or(self.first.as_mut()) {
            run.tally.add(tally);
        }
    }
}

impl Closed {
    fn take(&mut self, prefix: &str, tally: Amount) {
        match self {
            Self::Sorted { distinct, by_bytes, by_objects } => {
                *distinct += 1;
                by_bytes.offer(tally.bytes.into(), prefix, || tally);
                by_objects.offer(tally.objects.into(), prefix, || tally);
            }
            Self::Unsorted(tallies) => tallies.add(prefix, tally),
        }
    }

    fn merge(&mut self, other: Self) {
        match (self, other) {
            (
                Self::Sorted { distinct, by_bytes, by_objects },
                Self::Sorted { distinct: more, by_bytes: bytes, by_objects: objects },
            ) => {
                *distinct += more;
                by_bytes.merge(bytes);
                by_objects.merge(objects);
            }
            (Self::Unsorted(tallies), Self::Unsorted(other)) => tallies.merge(other),
            (Self::Sorted { .. }, Self::Unsorted(_)) | (Self::Unsorted(_), Self::Sorted { .. }) => {
                unreachable!("all threads of an insight count in the same way")
            }
        }
    }

    fn ranking(self, limit: usize) -> Ranking {
        match self {
            Self::Sorted { distinct, by_bytes, by_objects } => Ranking {
                distinct,
                exact: true,
                missed_at_most: Amount::default(),
                by_bytes: Share::all(by_bytes),
                by_objects: Share::all(by_objects),
            },
            Self::Unsorted(tallies) => tallies.ranking(limit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const KEYS: [&str; 14] = [
        "a",
        "a/",
        "a/b/1",
        "a/b/2",
        "a/b/c/3",
        "a/d",
        "a0",
        "b//x",
        "b//y",
        "b/c/z",
        "c/d/e/f/g",
        "c/d/e/f/h",
        "d",
        "e/f",
    ];

    fn tally(row: usize) -> Amount {
        Amount::of_object(1 << row, 0)
    }

    /// Prefixes of a depth and their objects and bytes, counted one by one.
    fn counted(depth: usize) -> BTreeMap<String, Amount> {
        let mut all: BTreeMap<String, Amount> = BTreeMap::new();
        for (row, key) in KEYS.iter().enumerate() {
            if let Some((end, _)) = key.match_indices('/').nth(depth - 1) {
                all.entry(key[..=end].to_owned()).or_default().add(tally(row));
            }
        }
        all
    }

    /// Counts the keys in parts that begin at some rows, by two threads that take them in turns.
    fn in_parts(starts: &[usize], sorted: bool, turned: bool) -> (Vec<PrefixRanking>, bool) {
        let mut threads = [Prefixes::new(b'/', 4, sorted, 100), Prefixes::new(b'/', 4, sorted, 100)];
        let mut shared = Prefixes::new(b'/', 4, sorted, 100);
        let mut joined = Edges::new(4);
        let mut parts: Vec<_> = starts.windows(2).map(|bounds| bounds[0]..bounds[1]).collect();
        if turned {
            parts.reverse();
        }
        for (number, part) in parts.into_iter().enumerate() {
            let thread = &mut threads[number % 2];
            part.for_each(|row| thread.add(KEYS[row], tally(row)));
            let edges = thread.end_part();
            shared.join(&mut joined, edges);
        }
        let disorder = joined.disorder;
        shared.settle(joined);
        threads.into_iter().for_each(|thread| shared.merge(thread));
        (shared.rankings(100).0, disorder)
    }

    #[test]
    fn prefixes_are_exact_wherever_parts_begin() {
        let end = KEYS.len();
        for one in 0..=end {
            for two in one..=end {
                for sorted in [true, false] {
                    let (rankings, disorder) = in_parts(&[0, one, two, end], sorted, false);
                    assert!(!disorder);
                    for (index, ranking) in rankings.into_iter().enumerate() {
                        let ranking = ranking.ranking;
                        let found: BTreeMap<_, _> =
                            ranking.by_bytes.iter().map(|share| (share.name.clone(), share.tally)).collect();
                        assert_eq!(found, counted(index + 1), "parts at {one} and {two}, depth {}", index + 1);
                        assert_eq!((ranking.distinct, ranking.exact), (found.len() as u64, true));
                    }
                }
            }
        }
    }

    #[test]
    fn keys_in_no_order_are_counted_by_name() {
        let (rankings, disorder) = in_parts(&[0, 3, 4, 9, 14], false, true);
        assert!(disorder);
        let first: Vec<_> = rankings[0].ranking.by_objects.iter().map(|share| (&*share.name, share.tally)).collect();
        assert_eq!(
            first.into_iter().map(|(name, tally)| (name.to_owned(), tally)).collect::<BTreeMap<_, _>>(),
            counted(1)
        );
    }

    #[test]
    fn a_prefix_that_has_one_longer_prefix_alone_is_told_once() {
        let mut prefixes = Prefixes::new(b'/', 4, true, 3);
        for (row, key) in KEYS.iter().enumerate() {
            prefixes.add(key, tally(row));
        }
        let edges = prefixes.end_part();
        prefixes.settle(edges);
        let (_, overall) = prefixes.rankings(3);
        let names: Vec<_> = overall.by_bytes.iter().map(|share| &*share.name).collect();
        assert_eq!(names, ["e/", "c/d/e/f/", "b/"]);
    }
}
