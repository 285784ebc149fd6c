//! Storage class, age and size of every object, counted together: one cell a row, of which all shares are sums.

use super::{
    amount::Amount,
    report::{ClassShare, Share},
};
use std::sync::Arc;
use stocktake_core::{CodeColumn, CodeValues};

const DAY_MS: i64 = 86_400_000;

/// Ages in days at which a class ends, and its name; the last two have no end and no age.
///
/// Thirty and ninety days are what lifecycle rules are written in, and the least that some storage classes bill.
const AGES: [(i64, &str); 7] = [
    (1, "under 1 day"),
    (7, "1 to 7 days"),
    (30, "7 to 30 days"),
    (90, "30 to 90 days"),
    (180, "90 to 180 days"),
    (365, "180 days to 1 year"),
    (1095, "1 to 3 years"),
];
const AGE_OPEN: &str = "3 years and more";
const AGE_CLASSES: usize = AGES.len() + 2;

/// Age classes from this one on are of objects that were not modified for 90 days.
pub(super) const OLD_FROM: usize = 4;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// Sizes in bytes at which a class ends (the largest that is still in it), and its name.
///
/// 128 KiB is the least that the classes of infrequent access bill, 5 GiB the most that one upload request takes.
const SIZES: [(u64, &str); 8] = [
    (0, "0 bytes"),
    (KIB - 1, "under 1 KiB"),
    (SMALL_BYTES - 1, "1 to 128 KiB"),
    (MIB - 1, "128 KiB to 1 MiB"),
    (16 * MIB - 1, "1 to 16 MiB"),
    (128 * MIB - 1, "16 to 128 MiB"),
    (GIB - 1, "128 MiB to 1 GiB"),
    (5 * GIB - 1, "1 to 5 GiB"),
];
const SIZE_OPEN: &str = "5 GiB and more";
const SIZE_CLASSES: usize = SIZES.len() + 2;

/// Objects smaller than this are billed as if they had it, in some storage classes.
pub(super) const SMALL_BYTES: u64 = 128 * KIB;

/// Size classes before this one are of small objects.
pub(super) const SMALL_UNTIL: usize = 3;

const UNKNOWN: &str = "unknown";

/// Most storage classes that are told apart; S3 has ten, stores have their own.
const CLASSES_MAX: usize = 64;

/// Name of the storage classes beyond [`CLASSES_MAX`].
const OTHER: &str = "other classes";

type Cells = [[Amount; SIZE_CLASSES]; AGE_CLASSES];

/// The cells of every storage class that came.
#[derive(Clone, Debug)]
pub(super) struct Classes {
    /// Times at which an age class begins: not modified since.
    since_ms: Option<[i64; AGES.len()]>,
    classes: Vec<(Box<str>, Box<Cells>)>,
    /// The codes that were met last, and the class of each; without codes all objects are of the class `without`.
    of_code: Option<(Arc<CodeValues>, Vec<usize>)>,
    without: usize,
}

impl Classes {
    /// Ages are those at a time; without one they are unknown.
    pub(super) fn new(as_of_ms: Option<i64>) -> Self {
        let since_ms = as_of_ms.map(|as_of| AGES.map(|(days, _)| as_of.saturating_sub(days * DAY_MS)));
        Self { since_ms, classes: Vec::new(), of_code: None, without: 0 }
    }

    /// Looks up the codes of a batch, of which [`Classes::add`] takes any.
    pub(super) fn look_up(&mut self, column: Option<&CodeColumn>) {
        let Some(values) = column.map(CodeColumn::values) else {
            self.without = self.class("");
            self.of_code = None;
            return;
        };
        if self.of_code.as_ref().is_none_or(|(known, _)| !Arc::ptr_eq(known, values)) {
            let classes = values.texts().map(|text| self.class(text)).collect();
            self.of_code = Some((Arc::clone(values), classes));
        }
    }

    #[inline]
    pub(super) fn add(&mut self, code: u16, modified_ms: Option<i64>, size: Option<u64>, tally: Amount) {
        let class = match &self.of_code {
            Some((_, classes)) => classes[usize::from(code)],
            None => self.without,
        };
        let age = match (&self.since_ms, modified_ms) {
            // Objects that are newer than the report are the youngest.
            (Some(since), Some(modified)) => since.iter().map(|since| usize::from(modified <= *since)).sum(),
            _ => AGE_CLASSES - 1,
        };
        let size = match size {
            Some(size) => SIZES.iter().map(|(largest, _)| usize::from(size > *largest)).sum(),
            None => SIZE_CLASSES - 1,
        };
        self.classes[class].1[age][size].add(tally);
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (name, cells) in other.classes {
            let class = self.class(&name);
            for (own, other) in self.classes[class].1.iter_mut().flatten().zip(cells.iter().flatten()) {
                own.add(*other);
            }
        }
        self.of_code = None;
    }

    /// The shares of storage classes that have any object, those with the most bytes first.
    pub(super) fn class_shares(&self) -> Vec<ClassShare> {
        let share = |(name, cells): &(Box<str>, Box<Cells>)| ClassShare {
            share: Share::new(name, sum(cells.iter().flatten())),
            ages: cells.iter().map(sum).collect(),
            sizes: (0..SIZE_CLASSES).map(|size| sum(cells.iter().map(|sizes| &sizes[size]))).collect(),
        };
        let mut shares: Vec<_> = self.classes.iter().map(share).filter(|class| !class.share.tally.is_empty()).collect();
        shares.sort_by(|one, two| {
            let (a, b) = (&one.share, &two.share);
            (b.tally.bytes, b.tally.objects, &a.name).cmp(&(a.tally.bytes, a.tally.objects, &b.name))
        });
        shares
    }

    /// Number of a storage class, which is begun if it is new.
    fn class(&mut self, name: &str) -> usize {
        let found = self.classes.iter().position(|(known, _)| **known == *name);
        found.unwrap_or_else(|| match self.classes.len() {
            CLASSES_MAX => CLASSES_MAX - 1,
            number => {
                let name = if number + 1 == CLASSES_MAX { OTHER } else { name };
                self.classes.push((name.into(), Box::default()));
                number
            }
        })
    }
}

/// Names of the age classes in order, of which the last is `unknown`.
pub(super) fn age_names() -> impl ExactSizeIterator<Item = &'static str> {
    let names: Vec<_> = AGES.iter().map(|(_, name)| *name).chain([AGE_OPEN, UNKNOWN]).collect();
    names.into_iter()
}

/// Names of the size classes in order, of which the last is `unknown`.
pub(super) fn size_names() -> impl ExactSizeIterator<Item = &'static str> {
    let names: Vec<_> = SIZES.iter().map(|(_, name)| *name).chain([SIZE_OPEN, UNKNOWN]).collect();
    names.into_iter()
}

fn sum<'a>(tallies: impl IntoIterator<Item = &'a Amount>) -> Amount {
    tallies.into_iter().fold(Amount::default(), |mut sum, tally| {
        sum.add(*tally);
        sum
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_begin_and_end_where_their_names_say() {
        let mut classes = Classes::new(Some(4000 * DAY_MS));
        classes.look_up(None);
        let ages = [-5, 0, 1, 7, 29, 30, 89, 90, 180, 365, 1094, 1095, 4000];
        for days in ages {
            classes.add(0, Some((4000 - days) * DAY_MS), Some(1), Amount::of_object(1, 0));
        }
        classes.add(0, None, None, Amount::of_object(0, 0));
        for bytes in [0, 1, KIB - 1, KIB, SMALL_BYTES - 1, SMALL_BYTES, MIB, 5 * GIB - 1, 5 * GIB, u64::MAX] {
            classes.add(0, None, Some(bytes), Amount::of_object(0, 0));
        }
        let shares = classes.class_shares();
        let objects = |tallies: &[Amount]| tallies.iter().map(|tally| tally.objects).collect::<Vec<_>>();
        assert_eq!(objects(&shares[0].ages), [2, 1, 2, 2, 1, 1, 2, 2, 11]);
        assert_eq!(objects(&shares[0].sizes), [1, 15, 2, 1, 1, 0, 0, 1, 2, 1]);
        assert_eq!((age_names().len(), size_names().len()), (AGE_CLASSES, SIZE_CLASSES));
        assert!(age_names().nth(OLD_FROM).unwrap().starts_with("90 "));
        assert!(size_names().nth(SMALL_UNTIL).unwrap().starts_with("128 KiB "));
    }

    #[test]
    fn more_classes_than_are_told_apart_are_one() {
        let mut classes = Classes::new(None);
        for number in 0..200 {
            let class = classes.class(&format!("CLASS_{number}"));
            classes.classes[class].1[0][0].add(Amount::of_object(1, 0));
        }
        let shares = classes.class_shares();
        assert_eq!(shares.len(), CLASSES_MAX);
        let other = shares.iter().find(|class| class.share.name == OTHER).unwrap();
        assert_eq!(other.share.tally.objects, 200 - (CLASSES_MAX as u64 - 1));
    }
}
