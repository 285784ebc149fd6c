//! Tallies by name, for names that may be more than memory holds.
//!
//! Exact while they fit. Beyond that the smallest are dropped, and the most that any name may have lost is known.

use super::{
    amount::Amount,
    report::{Ranking, Share},
    top::Top,
};
use std::collections::HashMap;

/// Most names of one table: some megabytes with their tallies.
const NAMES_MAX: usize = 16_384;

/// Most bytes of the names of one table.
const NAME_BYTES_MAX: usize = 2 << 20;

/// Tallies by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Tallies {
    by_name: HashMap<Box<str>, Amount>,
    name_bytes: usize,
    /// The most that any name may have more than its tally says.
    lost: Amount,
    dropped: bool,
}

impl Tallies {
    pub(super) fn add(&mut self, name: &str, tally: Amount) {
        if let Some(known) = self.by_name.get_mut(name) {
            known.add(tally);
            return;
        }
        self.name_bytes += name.len();
        self.by_name.insert(name.into(), tally);
        if self.by_name.len() > NAMES_MAX || self.name_bytes > NAME_BYTES_MAX {
            self.drop_small();
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        // What both lost of one name adds up.
        self.lost.add(other.lost);
        self.dropped |= other.dropped;
        for (name, tally) in other.by_name {
            self.add(&name, tally);
        }
    }

    /// Keeps a quarter of the most names by bytes and a quarter by objects.
    fn drop_small(&mut self) {
        let quarter = self.by_name.len().min(NAMES_MAX) / 4;
        let floor = |number: fn(&Amount) -> u64| {
            #[expect(clippy::disallowed_methods, reason = "the rank of a number does not depend on their order")]
            let mut numbers: Vec<u64> = self.by_name.values().map(number).collect();
            *numbers.select_nth_unstable_by(quarter, |one, two| two.cmp(one)).1
        };
        let (bytes, objects) = (floor(|tally| tally.bytes), floor(|tally| tally.objects));
        let mut lost = Amount::default();
        let mut name_bytes = 0;
        self.by_name.retain(|name, tally| {
            let kept = tally.bytes > bytes || tally.objects > objects;
            if kept {
                name_bytes += name.len();
            } else {
                lost.at_least(*tally);
            }
            kept
        });
        self.name_bytes = name_bytes;
        // A name may be dropped each time that some are.
        self.lost.add(lost);
        self.dropped = true;
    }

    /// The names with the most bytes, and with the most objects.
    pub(super) fn ranking(&self, limit: usize) -> Ranking {
        let (mut by_bytes, mut by_objects) = (Top::new(limit), Top::new(limit));
        for (name, tally) in &self.by_name {
            by_bytes.offer(tally.bytes.into(), name, || *tally);
            by_objects.offer(tally.objects.into(), name, || *tally);
        }
        Ranking {
            distinct: self.by_name.len() as u64,
            exact: !self.dropped,
            missed_at_most: self.lost,
            by_bytes: Share::all(by_bytes),
            by_objects: Share::all(by_objects),
        }
    }

    /// All names, those with the most bytes first.
    pub(super) fn shares(&self) -> Vec<Share> {
        let mut shares = Vec::with_capacity(self.by_name.len());
        for (name, tally) in &self.by_name {
            shares.push(Share::new(name, *tally));
        }
        shares.sort_unstable_by(|one, two| {
            let by_size = two.tally.bytes.cmp(&one.tally.bytes).then(two.tally.objects.cmp(&one.tally.objects));
            by_size.then_with(|| one.name.cmp(&two.name))
        });
        shares
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names of which few are large and many are small, and what they have in all.
    fn skewed() -> Vec<(String, Amount)> {
        let mut names = Vec::new();
        for turn in 0..40_u64 {
            for large in 0..5_u64 {
                names.push((format!("large-{large}"), Amount::of_object(1_000_000 * (large + 1), 0)));
            }
            for small in 0..2_000_u64 {
                names.push((format!("small-{turn}-{small}"), Amount::of_object(small, 0)));
            }
        }
        names
    }

    #[test]
    fn nothing_is_lost_while_names_fit() {
        let mut tallies = Tallies::default();
        for (name, tally) in skewed().iter().take(16_000) {
            tallies.add(name, *tally);
        }
        let ranking = tallies.ranking(2);
        assert!(ranking.exact && ranking.missed_at_most.is_empty());
        assert_eq!(ranking.by_bytes[0].name, "large-4");
        assert_eq!(ranking.by_bytes[0].tally.objects, 8);
    }

    #[test]
    fn what_is_missed_is_within_what_is_said() {
        let mut halves = [Tallies::default(), Tallies::default()];
        for (index, (name, tally)) in skewed().iter().enumerate() {
            halves[index % 2].add(name, *tally);
        }
        let [mut all, other] = halves;
        all.merge(other);
        assert!(all.by_name.len() <= NAMES_MAX);
        let ranking = all.ranking(5);
        assert!(!ranking.exact);
        for (index, share) in ranking.by_bytes.iter().enumerate() {
            let large = 5 - index as u64;
            assert_eq!(share.name, format!("large-{}", large - 1));
            let truth = 40 * 1_000_000 * large;
            assert!(share.tally.bytes <= truth && truth <= share.tally.bytes + ranking.missed_at_most.bytes);
        }
    }

    #[test]
    fn long_names_are_bounded_too() {
        let mut tallies = Tallies::default();
        for number in 0..10_000 {
            tallies.add(&format!("{number:01000}"), Amount::of_object(1, 0));
            assert!(tallies.name_bytes <= NAME_BYTES_MAX);
        }
        assert!(!tallies.ranking(1).exact);
    }
}
