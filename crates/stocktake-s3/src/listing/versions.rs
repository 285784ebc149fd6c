//! The versions of a key in the order of reports: the latest first, then the newest, then by id.
//!
//! The protocol gives versions and delete markers as two lists, and a key's versions may fill many pages. Those of the last key
//! of a page are kept until the key changes. Where a key has more versions than are kept, they are sorted on disk.

use super::{
    page::{Entry, Page},
    spill::{Merge, Spill},
};
use std::{cmp::Reverse, collections::VecDeque, io, path::PathBuf};

/// Versions of one key that are held, some 16 MiB; of more, so many at a time are spilled.
const KEPT_ROWS_MAX: usize = 100_000;

/// What orders the versions of a key.
pub(super) fn rank<'a>(entry: &Entry<'a>) -> (bool, Reverse<i64>, &'a str) {
    (!entry.is_latest, Reverse(entry.modified_ms), entry.version_id)
}

/// Puts pages in order, key by key.
#[derive(Debug)]
pub(super) struct Groups {
    versions: bool,
    kept_rows_max: usize,
    temp_dir: PathBuf,
    /// Pages, or ends of pages, that hold one key alone.
    kept: Vec<Page>,
    /// Versions of that key that came before.
    spill: Option<Spill>,
    ready: VecDeque<Ready>,
}

#[derive(Debug)]
enum Ready {
    Sorted(Sorted),
    /// A key that was spilled.
    Spilled(Merge),
}

/// Rows in the order of reports.
#[derive(Debug)]
pub(super) struct Sorted {
    pages: Vec<Page>,
    /// Page and row of each; empty: the rows of one page as they stand.
    order: Vec<(u32, u32)>,
    at: usize,
}

impl Sorted {
    pub(super) fn is_empty(&self) -> bool {
        self.at >= self.len()
    }

    fn len(&self) -> usize {
        self.pages.iter().map(Page::len).sum()
    }

    /// Rows that were not skipped.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        (self.at..self.len()).map(|at| match self.order.get(at) {
            Some((page, row)) => self.pages[*page as usize].entry(*row as usize),
            None => self.pages[0].entry(at),
        })
    }

    pub(super) fn skip(&mut self, rows: usize) {
        self.at += rows;
    }

    /// The rows of a page as they stand.
    fn as_it_stands(page: Page) -> Self {
        Self { pages: vec![page], order: Vec::new(), at: 0 }
    }

    fn of(pages: Vec<Page>) -> Self {
        let mut order: Vec<(u32, u32)> = Vec::new();
        for (number, page) in (0u32..).zip(&pages) {
            order.extend((0u32..).take(page.len()).map(|row| (number, row)));
        }
        let entry = |(page, row): &(u32, u32)| pages[*page as usize].entry(*row as usize);
        order.sort_by(|left, right| {
            let (left, right) = (entry(left), entry(right));
            // Pages of one key, or one page in key order: the key's own place is that of its first row.
            left.key.cmp(right.key).then_with(|| rank(&left).cmp(&rank(&right)))
        });
        Self { pages, order, at: 0 }
    }
}

impl Groups {
    /// Spills to this folder.
    pub(super) fn new(versions: bool, temp_dir: PathBuf) -> Self {
        let (kept, ready) = (Vec::new(), VecDeque::new());
        Self { versions, kept_rows_max: KEPT_ROWS_MAX, temp_dir, kept, spill: None, ready }
    }

    /// The next rows in order, if some are ready.
    ///
    /// # Errors
    /// If what was spilled cannot be read.
    pub(super) fn pop(&mut self) -> io::Result<Option<Sorted>> {
        loop {
            match self.ready.pop_front() {
                None => return Ok(None),
                Some(Ready::Sorted(sorted)) => return Ok(Some(sorted)),
                Some(Ready::Spilled(mut merge)) => {
                    if let Some(page) = merge.next_page()? {
                        self.ready.push_front(Ready::Spilled(merge));
                        return Ok(Some(Sorted::as_it_stands(page)));
                    }
                }
            }
        }
    }

    /// Takes the next page.
    ///
    /// # Errors
    /// If versions cannot be spilled.
    pub(super) fn push(&mut self, mut page: Page) -> io::Result<()> {
        if !self.versions {
            self.ready.push_back(Ready::Sorted(Sorted::as_it_stands(page)));
            return Ok(());
        }
        let kept = self.kept.first().and_then(Page::last_key);
        if let Some(key) = kept.or(self.spill.as_ref().map(Spill::key)) {
            let of_key = page.first_behind(key);
            if of_key > 0 {
                let behind = page.split_off(of_key);
                self.kept.push(std::mem::replace(&mut page, behind));
            }
            if page.is_empty() {
                return self.spill_many();
            }
            self.flush()?;
        }
        if let Some(last) = page.last_key() {
            let before = (0..page.len()).rev().find(|row| page.key(*row) != last).map_or(0, |row| row + 1);
            let behind = page.split_off(before);
            if !page.is_empty() {
                self.ready.push_back(Ready::Sorted(Sorted::of(vec![page])));
            }
            self.kept.push(behind);
        }
        Ok(())
    }

    /// There are no more pages.
    ///
    /// # Errors
    /// As [`Groups::push`].
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.flush()
    }

    /// Spills what is kept of a key that goes on, if it is much.
    fn spill_many(&mut self) -> io::Result<()> {
        if self.kept.iter().map(Page::len).sum::<usize>() <= self.kept_rows_max {
            return Ok(());
        }
        let spill = match &mut self.spill {
            Some(spill) => spill,
            none => {
                let key = self.kept.first().and_then(Page::last_key).unwrap_or_default();
                none.insert(Spill::try_new(&self.temp_dir, key)?)
            }
        };
        spill.add(&Sorted::of(std::mem::take(&mut self.kept)))
    }

    fn flush(&mut self) -> io::Result<()> {
        let kept = std::mem::take(&mut self.kept);
        match self.spill.take() {
            Some(mut spill) => {
                if !kept.is_empty() {
                    spill.add(&Sorted::of(kept))?;
                }
                self.ready.push_back(Ready::Spilled(spill.merge()?));
            }
            None if kept.is_empty() => {}
            None => self.ready.push_back(Ready::Sorted(Sorted::of(kept))),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page of `key id second marker latest`.
    fn page(rows: &[(&str, &str, u32, bool)]) -> Page {
        let rows: String = rows
            .iter()
            .map(|(key, id, second, latest)| {
                format!(
                    "<DeleteMarker><Key>{key}</Key><VersionId>{id}</VersionId><IsLatest>{latest}</IsLatest>\
                     <LastModified>2026-11-22T01:{:02}:{:02}Z</LastModified></DeleteMarker>",
                    second / 60,
                    second % 60
                )
            })
            .collect();
        let text = format!("<ListVersionsResult><IsTruncated>false</IsTruncated>{rows}</ListVersionsResult>");
        Page::parse(text.as_bytes()).unwrap()
    }

    fn run(pages: Vec<Page>, kept_rows_max: usize) -> String {
        let mut groups = Groups { kept_rows_max, ..Groups::new(true, std::env::temp_dir()) };
        let mut ids = String::new();
        let mut drain = |groups: &mut Groups| {
            while let Some(sorted) = groups.pop().unwrap() {
                sorted.entries().for_each(|entry| ids += &format!("{}{} ", entry.key, entry.version_id));
            }
            assert!(groups.kept.iter().map(Page::len).sum::<usize>() <= kept_rows_max + 3, "what is held is bounded");
        };
        for page in pages {
            groups.push(page).unwrap();
            drain(&mut groups);
        }
        groups.finish().unwrap();
        drain(&mut groups);
        ids.trim_end().to_owned()
    }

    #[test]
    fn latest_then_newest_then_by_id_across_pages() {
        let pages = vec![
            page(&[("a", "1", 5, false), ("a", "2", 9, true), ("b", "3", 1, false)]),
            page(&[("b", "4", 7, false), ("b", "6", 7, false)]),
            page(&[("b", "5", 7, false), ("b", "7", 2, true), ("c", "8", 1, true)]),
            page(&[("d", "9", 1, true)]),
        ];
        assert_eq!(run(pages, 100), "a2 a1 b7 b4 b5 b6 b3 c8 d9");
    }

    /// Versions in no order at all, of keys with few and with many, through parts of every size.
    #[test]
    fn a_key_with_very_many_versions_is_sorted_on_disk() {
        let mut rows: Vec<(&str, String, u32, bool)> = Vec::new();
        for (key, versions) in [("a", 2), ("b", 2500), ("c", 1), ("d", 40), ("e", 600)] {
            for number in 0..versions {
                // Several of one second, which their ids order; the latest stands anywhere.
                let id = format!("{:04}", number * 7919 % versions);
                rows.push((key, id, number * 31 % 1700, number == versions / 2));
            }
        }
        let mut expected = rows.clone();
        expected.sort_by_key(|(key, id, second, latest)| (*key, !latest, Reverse(*second), id.clone()));
        let expected: Vec<String> = expected.iter().map(|(key, id, ..)| format!("{key}{id}")).collect();
        for kept_rows_max in [3, 10, 500, 100_000] {
            let pages = rows.chunks(3).map(|rows| {
                let rows: Vec<_> =
                    rows.iter().map(|(key, id, second, latest)| (*key, &**id, *second, *latest)).collect();
                page(&rows)
            });
            assert!(run(pages.collect(), kept_rows_max).split(' ').eq(&expected), "{kept_rows_max}");
        }
    }

    #[test]
    fn a_spilled_version_keeps_all_that_is_known_of_it() {
        let row = |size: u64, owner: &str| {
            format!(
                "<Version><Key>k/é</Key><VersionId>v{size}</VersionId><IsLatest>false</IsLatest><ETag>e-2</ETag><Size>{size}</Size>\
                 <LastModified>1969-11-22T01:00:00.123Z</LastModified><StorageClass>GLACIER</StorageClass>\
                 <ChecksumAlgorithm>SHA256</ChecksumAlgorithm><Owner><ID>{owner}</ID></Owner></Version>"
            )
        };
        let rows = row(0, "") + &row(u64::MAX, "me");
        let text = format!("<ListVersionsResult><IsTruncated>false</IsTruncated>{rows}</ListVersionsResult>");
        let page = Page::parse(text.as_bytes()).unwrap();
        let mut spill = Spill::try_new(&std::env::temp_dir(), page.key(0)).unwrap();
        spill.add(&Sorted::of(vec![page.clone()])).unwrap();
        let mut merge = spill.merge().unwrap();
        let found = merge.next_page().unwrap().unwrap();
        assert!((0..2).all(|row| found.entry(row) == page.entry(row)), "{found:?}");
        assert_eq!(merge.next_page().unwrap(), None);
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let mut groups = Groups { kept_rows_max: 1, ..Groups::new(true, "/nowhere/at/all".into()) };
        let one = || page(&[("k", "x", 1, false)]);
        groups.push(one()).unwrap();
        groups.push(one()).unwrap_err();
    }
}
