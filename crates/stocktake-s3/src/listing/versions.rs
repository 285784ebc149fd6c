//! The versions of a key in the order of reports: the latest first, then the newest, then by id.
//!
//! The protocol gives versions and delete markers as two lists, and a key's versions may fill many pages. Those of the last key
//! of a page are kept until the key changes. Where a key has more versions than are kept, the server's own order is taken,
//! which is S3's documented one, and checked.

use super::page::{Entry, Page};
use std::{cmp::Reverse, collections::VecDeque};

/// Versions of one key that are kept to be sorted.
const KEPT_ROWS_MAX: usize = 100_000;

/// Puts pages in order, key by key.
#[derive(Debug)]
pub(super) struct Groups {
    versions: bool,
    kept_rows_max: usize,
    /// Pages, or ends of pages, that hold one key alone.
    kept: Vec<Page>,
    /// Time of the oldest version of the key in `kept` that was passed on already.
    passed_ms: Option<i64>,
    ready: VecDeque<Sorted>,
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

    fn of(pages: Vec<Page>) -> Self {
        let mut order: Vec<(u32, u32)> = Vec::new();
        for (number, page) in (0u32..).zip(&pages) {
            order.extend((0u32..).take(page.len()).map(|row| (number, row)));
        }
        order.sort_by_cached_key(|(page, row)| {
            let entry = pages[*page as usize].entry(*row as usize);
            // Pages of one key, or one page in key order: the key's own place is that of its first row.
            (entry.key.to_owned(), !entry.is_latest, Reverse(entry.modified_ms), entry.version_id.to_owned())
        });
        Self { pages, order, at: 0 }
    }
}

impl Groups {
    pub(super) fn new(versions: bool) -> Self {
        let kept_rows_max = KEPT_ROWS_MAX;
        Self { versions, kept_rows_max, kept: Vec::new(), passed_ms: None, ready: VecDeque::new() }
    }

    pub(super) fn pop(&mut self) -> Option<Sorted> {
        self.ready.pop_front()
    }

    /// Takes the next page.
    ///
    /// # Errors
    /// A key with very many versions whose pages are not newest first.
    pub(super) fn push(&mut self, mut page: Page) -> Result<(), String> {
        if !self.versions {
            self.ready.push_back(Sorted { pages: vec![page], order: Vec::new(), at: 0 });
            return Ok(());
        }
        if let Some(key) = self.kept.first().and_then(Page::last_key) {
            let of_key = page.first_behind(key);
            if of_key > 0 {
                let behind = page.split_off(of_key);
                self.kept.push(std::mem::replace(&mut page, behind));
            }
            if page.is_empty() {
                return self.pass_on();
            }
            self.flush()?;
        }
        if let Some(last) = page.last_key() {
            let before = (0..page.len()).rev().find(|row| page.key(*row) != last).map_or(0, |row| row + 1);
            let behind = page.split_off(before);
            if !page.is_empty() {
                self.ready.push_back(Sorted::of(vec![page]));
            }
            self.kept.push(behind);
            self.passed_ms = None;
        }
        Ok(())
    }

    /// There are no more pages.
    ///
    /// # Errors
    /// As [`Groups::push`].
    pub(super) fn finish(&mut self) -> Result<(), String> {
        self.flush()
    }

    /// Passes on what is kept of a key that goes on, if it is much.
    fn pass_on(&mut self) -> Result<(), String> {
        if self.kept.iter().map(Page::len).sum::<usize>() <= self.kept_rows_max {
            return Ok(());
        }
        // The last page stays, so that the key is known.
        let Some(last) = self.kept.pop() else { return Ok(()) };
        let oldest =
            self.kept.last().filter(|page| !page.is_empty()).map(|page| page.entry(page.len() - 1).modified_ms);
        self.flush()?;
        self.passed_ms = oldest;
        self.kept.push(last);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), String> {
        if self.kept.is_empty() {
            return Ok(());
        }
        let sorted = Sorted::of(std::mem::take(&mut self.kept));
        if let (Some(passed), Some(first)) = (self.passed_ms.take(), sorted.entries().next())
            && (first.is_latest || first.modified_ms > passed)
        {
            return Err(format!(
                "the key {:?} has more than {} versions, and they are not listed newest first",
                first.key, self.kept_rows_max
            ));
        }
        self.ready.push_back(sorted);
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

    fn run(pages: Vec<Page>, kept_rows_max: usize) -> Result<String, String> {
        let mut groups = Groups { kept_rows_max, ..Groups::new(true) };
        let mut ids = String::new();
        let mut drain = |groups: &mut Groups| {
            while let Some(sorted) = groups.pop() {
                sorted.entries().for_each(|entry| ids += &format!("{}{} ", entry.key, entry.version_id));
            }
        };
        for page in pages {
            groups.push(page)?;
            drain(&mut groups);
        }
        groups.finish()?;
        drain(&mut groups);
        Ok(ids.trim_end().to_owned())
    }

    #[test]
    fn latest_then_newest_then_by_id_across_pages() {
        let pages = vec![
            page(&[("a", "1", 5, false), ("a", "2", 9, true), ("b", "3", 1, false)]),
            page(&[("b", "4", 7, false), ("b", "6", 7, false)]),
            page(&[("b", "5", 7, false), ("b", "7", 2, true), ("c", "8", 1, true)]),
            page(&[("d", "9", 1, true)]),
        ];
        assert_eq!(run(pages, 100).unwrap(), "a2 a1 b7 b4 b5 b6 b3 c8 d9");
    }

    #[test]
    fn a_key_with_very_many_versions_is_passed_on_in_the_servers_order() {
        let newest_first = |from: u32| page(&[("k", "x", from, from == 90), ("k", "y", from - 5, false)]);
        let sound = (0..8).map(|n| newest_first(90 - 10 * n)).collect();
        assert_eq!(run(sound, 3).unwrap().split(' ').count(), 16);
        let unsound = [90, 80, 70, 60, 65].into_iter().map(newest_first).collect();
        assert!(run(unsound, 3).unwrap_err().contains("not listed newest first"));
    }
}
