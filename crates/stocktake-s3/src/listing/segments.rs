//! Ranges of the key space that are listed side by side and delivered one behind the other.
//!
//! Ranges join without gaps: each holds the keys behind the end of the one before, up to and with its own end. Where there
//! is room for another request, the first range that has much left is cut, at a folder or at a guessed key, and its back is
//! listed too. A range is done when a key beyond its end was seen or the listing ended; nothing else ends it. It knows pages
//! and orders for pages, no network.
//!
//! Seams are proven: what a range saw first beyond its end must be what the next one saw first. Where it is not, since the
//! bucket changed meanwhile or the server leaves rows out behind a marker that is no key, what lies between is listed again,
//! from the last key that was delivered.

use super::{
    guess::Alphabet,
    page::{Marker, Page},
};
use std::{collections::VecDeque, time::Duration};
use stocktake_core::{PARTITIONS_MAX, Partition, Partitions, Timestamp};

/// Pages that a range should have: small enough that all ranges under way fit into what may be held.
const REACH_MAX: f64 = 12.0;

/// Pages of the first range that may wait whatever else is held, so that delivery never stops.
const FRONT_PAGES_MAX: usize = 4;

/// Pages in a row without a key after which a server is not believed that more will come.
const EMPTY_PAGES_MAX: u32 = 1000;

/// What bounds reading ahead.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Requests under way at once.
    pub(super) requests: usize,
    /// Bytes of pages that wait or are expected. The first range may have [`FRONT_PAGES_MAX`] pages beyond it.
    pub(super) ahead_bytes: usize,
}

/// A page to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) range: u64,
    pub(super) from: Marker,
}

/// What there is to deliver.
#[derive(Debug)]
pub(super) enum Delivery {
    Page(Page),
    /// It is not there yet.
    Wait,
    /// All ranges are done.
    End,
}

/// How much was listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListingCounts {
    /// Ranges that were listed to their ends.
    pub ranges: u64,
    /// Pages.
    pub pages: u64,
    /// Rows: keys, or versions and delete markers.
    pub rows: u64,
    /// Seams between ranges at which something was listed again.
    pub mended: u64,
    /// Most requests that were under way at once, in one lane.
    pub at_once_max: u64,
    /// Time of all requests together, from when each was ordered until its page was taken apart.
    pub requesting: Duration,
    /// Time in which pages were taken apart.
    pub parsing: Duration,
    /// Time in which requests were signed, of all requests of the client.
    pub signing: Duration,
}

impl ListingCounts {
    /// The counts of two lanes together.
    pub(super) fn with(self, other: &Self) -> Self {
        Self {
            ranges: self.ranges + other.ranges,
            pages: self.pages + other.pages,
            rows: self.rows + other.rows,
            mended: self.mended + other.mended,
            at_once_max: self.at_once_max.max(other.at_once_max),
            requesting: self.requesting + other.requesting,
            parsing: self.parsing + other.parsing,
            signing: self.signing,
        }
    }
}

#[derive(Debug)]
pub(super) struct Segments {
    ranges: VecDeque<Range>,
    prefix: String,
    versions: bool,
    limits: Limits,
    under_way: usize,
    next_id: u64,
    page_bytes: usize,
    alphabet: Alphabet,
    folders: Vec<String>,
    /// Pages that the next range to be cut off should have.
    reach: f64,
    /// By how much guesses of pages were too small.
    scale: f64,
    /// Pages to be seen before another cut, and how many after the next vain one.
    pause: (u32, u32),
    counts: ListingCounts,
    /// Ranges that were delivered to their ends.
    partitions: Partitions,
    /// The time as it was noted last.
    now: Option<Timestamp>,
    /// Last key that was delivered; to begin with, the one behind which everything is listed.
    delivered: String,
    /// What the range that was delivered last saw first beyond its end, until the next one has shown its first row.
    seam: Option<Option<RowId>>,
}

/// Key and version id of a row.
type RowId = (String, String);

#[derive(Debug)]
struct Range {
    id: u64,
    /// What is told of it. Its end is set when it is done: it may be cut before.
    told: Partition,
    /// Last key that may be in the range; none: it goes to the end of the listing.
    until: Option<String>,
    /// Key behind which the range has not been listed.
    last: String,
    /// Where its next page begins; none: it is done.
    next: Option<Marker>,
    under_way: bool,
    pages: VecDeque<Page>,
    bytes: usize,
    /// First and last key of a page near by, and how many pages the range began behind it.
    span: Option<(String, String)>,
    offset: f64,
    /// Pages that it should have had since it was cut, and had.
    planned: Option<f64>,
    seen: u32,
    empty: u32,
    /// The first row behind its beginning, in the range or not; none within: the listing ended.
    head: Option<Option<RowId>>,
    /// The first row beyond its end, once it is done; none: the listing ended.
    beyond: Option<RowId>,
    /// Key up to which its rows are not delivered, since a seam that was mended has them.
    skip: Option<String>,
    /// It mends a seam: it is not cut, and if it ends within the next range's first key, what follows was compared already.
    mends: bool,
    closes: bool,
}

impl Segments {
    /// The keys with a prefix behind `after`, as one range.
    pub(super) fn new(prefix: &str, after: &str, versions: bool, limits: Limits) -> Self {
        let mut new = Self {
            ranges: VecDeque::new(),
            prefix: prefix.to_owned(),
            versions,
            limits,
            under_way: 0,
            next_id: 0,
            page_bytes: 256 << 10,
            alphabet: Alphabet::new(),
            folders: Vec::new(),
            reach: REACH_MAX,
            scale: 1.0,
            pause: (0, 1),
            counts: ListingCounts::default(),
            partitions: Partitions::new(PARTITIONS_MAX),
            now: None,
            delivered: after.to_owned(),
            seam: None,
        };
        let first = new.range(after, None, None, 0.0);
        new.ranges.push_back(first);
        new
    }

    /// Ends with this key, though the listing may go on.
    pub(super) fn with_end(mut self, until: Option<&str>) -> Self {
        if let Some(front) = self.ranges.front_mut() {
            front.until = until.map(ToOwned::to_owned);
        }
        self
    }

    /// Tells of at most so many ranges one by one.
    pub(super) fn with_partitions_max(mut self, max: usize) -> Self {
        self.partitions = Partitions::new(max);
        self
    }

    /// Notes what time it is: ranges say when they were listed.
    pub(super) fn note_time(&mut self, now: Timestamp) {
        self.now = Some(now);
    }

    /// Counts the time of a request.
    pub(super) fn note_request(&mut self, took: Duration) {
        self.counts.requesting += took;
    }

    /// Ranges that were delivered to their ends, in key order.
    pub(super) fn partitions(&self) -> &[Partition] {
        self.partitions.list()
    }

    /// Takes folders, in ascending order, at which ranges may be cut.
    pub(super) fn add_folders(&mut self, folders: Vec<String>) {
        folders.iter().for_each(|folder| self.alphabet.note_key(folder));
        self.folders = folders;
    }

    pub(super) fn counts(&self) -> ListingCounts {
        self.counts
    }

    /// Pages to be fetched now.
    pub(super) fn orders(&mut self) -> Vec<Order> {
        let mut orders = Vec::new();
        while self.under_way < self.limits.requests {
            let held: usize = self.ranges.iter().map(|range| range.bytes).sum();
            let room = held + (self.under_way + 1) * self.page_bytes <= self.limits.ahead_bytes;
            let ready = self.ranges.iter().enumerate().position(|(index, range)| {
                range.next.is_some()
                    && !range.under_way
                    && (room || (index == 0 && range.pages.len() < FRONT_PAGES_MAX))
            });
            match ready {
                Some(index) => {
                    let range = &mut self.ranges[index];
                    let Some(from) = range.next.clone() else { break };
                    range.under_way = true;
                    range.told.started_at = range.told.started_at.or(self.now);
                    self.under_way += 1;
                    self.counts.at_once_max = self.counts.at_once_max.max(self.under_way as u64);
                    orders.push(Order { range: range.id, from });
                }
                None if room && self.cut() => {}
                None => break,
            }
        }
        orders
    }

    /// Takes a page that was ordered.
    ///
    /// # Errors
    /// A page that does not follow what was listed: the listing cannot be relied on.
    pub(super) fn accept(&mut self, id: u64, mut page: Page) -> Result<(), String> {
        self.under_way -= 1;
        let index = self.ranges.iter().position(|range| range.id == id);
        let Some(range) = index.and_then(|index| self.ranges.get_mut(index)) else {
            return Err("a page came for a range that is not listed".to_owned());
        };
        let first_of_range = range.seen == 0 && range.planned.is_none() && range.empty == 0;
        range.under_way = false;
        range.seen += 1;
        range.told.requests += 1;
        range.told.ended_at = self.now;
        if let Some(Marker::Behind(key)) = &range.next
            && !key.is_empty()
            && !page.is_empty()
            && page.key(0) == key
        {
            // Some servers begin with the marker instead of behind it.
            let next = page.next.take();
            page = page.split_off(page.first_behind(key));
            page.next = next;
        }
        check(&page, range, &self.prefix, self.versions)?;
        self.counts.pages += 1;
        if let (Some(first), Some(last)) = ((!page.is_empty()).then(|| page.key(0)), page.last_key()) {
            range.span = Some((first.to_owned(), last.to_owned()));
            (range.offset, range.empty) = (0.0, 0);
            self.alphabet.note((0..page.len()).map(|row| page.key(row)));
        } else {
            range.empty += 1;
        }
        let kept = range.until.as_ref().map_or(page.len(), |until| page.first_behind(until));
        // A key beyond the end was seen, or there are no more keys.
        let done = kept < page.len() || page.next.is_none();
        if range.head.is_none() && (done || !page.is_empty()) {
            range.head = Some(page.row_id(0));
        }
        range.beyond = page.row_id(kept);
        page.truncate(kept);
        range.next = page.next.take().filter(|_| !done);
        if let Some(last) = page.last_key() {
            range.last = last.to_owned();
        }
        let in_vain = first_of_range && kept == 0 && done && range.until.is_none();
        if let (Some(planned), true, true) = (range.planned, done, range.seen > 0) {
            let off = (planned / f64::from(range.seen)).clamp(0.5, 2.0);
            self.scale = (self.scale * off.sqrt()).clamp(1.0 / 64.0, 64.0);
        }
        self.counts.rows += page.len() as u64;
        self.counts.ranges += u64::from(done);
        if !page.is_empty() {
            let bytes = page.bytes();
            self.page_bytes = (self.page_bytes * 7 + bytes) / 8 + 1;
            range.bytes += bytes;
            range.pages.push_back(page);
        }
        self.learn(in_vain, first_of_range && !done);
        Ok(())
    }

    /// The next page in key order.
    pub(super) fn take(&mut self) -> Delivery {
        while let Some(front) = self.ranges.front_mut() {
            if let Some(beyond) = &self.seam {
                match &front.head {
                    None => return Delivery::Wait,
                    Some(head) if head == beyond => self.seam = None,
                    Some(_) => self.mend(),
                }
                continue;
            }
            if let Some(mut page) = front.pages.pop_front() {
                front.bytes -= page.bytes();
                let behind = front.skip.as_ref().map_or(0, |skip| page.first_behind(skip));
                if behind > 0 {
                    self.counts.rows -= behind as u64;
                    page = page.split_off(behind);
                }
                let Some(last) = page.last_key() else { continue };
                last.clone_into(&mut self.delivered);
                front.told.rows += page.len() as u64;
                front.told.first_key.get_or_insert_with(|| page.key(0).to_owned());
                front.told.last_key = Some(last.to_owned());
                return Delivery::Page(page);
            }
            if front.next.is_some() || front.under_way {
                return Delivery::Wait;
            }
            if let Some(done) = self.ranges.pop_front() {
                self.partitions.push(Partition { until: done.until, ..done.told });
                self.seam = (!done.closes && !self.ranges.is_empty()).then_some(done.beyond);
            }
        }
        Delivery::End
    }

    /// Lists again what lies between the last key that was delivered and the front range's first, and with it that key: its
    /// first version may be what is missing. A front range without a row of its own is listed again as a whole.
    fn mend(&mut self) {
        self.seam = None;
        let Some(front) = self.ranges.front_mut() else { return };
        let first = front.head.clone().flatten().map(|(key, _)| key);
        let first = first.filter(|key| front.until.as_ref().is_none_or(|until| key <= until));
        let until = first.clone().or_else(|| front.until.clone());
        let closes = first.is_some();
        front.skip = first;
        let again = if closes { None } else { self.ranges.pop_front() };
        let after = self.delivered.clone();
        let mut range = self.range(&after, until, None, 0.0);
        if let Some(again) = again {
            (range.told.requests, range.told.started_at) = (again.told.requests, again.told.started_at);
        }
        (range.mends, range.closes) = (true, closes);
        self.ranges.push_front(range);
        self.counts.mended += 1;
    }

    /// Cuts less far ahead after ranges that turned out empty, and further after those that did not.
    fn learn(&mut self, in_vain: bool, fruitful: bool) {
        self.pause.0 = self.pause.0.saturating_sub(1);
        if in_vain {
            self.reach /= 2.0;
            if self.reach < 1.0 {
                self.reach = 1.0;
                self.pause = (self.pause.1, (self.pause.1 * 2).min(64));
            }
        } else if fruitful {
            self.reach = (self.reach * 1.5).min(REACH_MAX);
            self.pause = (0, 1);
        }
    }

    /// Cuts the back off the first range that has much left; `false` if none has.
    fn cut(&mut self) -> bool {
        if self.pause.0 > 0 || self.ranges.len() >= self.limits.requests * 4 {
            return false;
        }
        let pages = self.reach * self.scale;
        let found = self.ranges.iter().enumerate().find_map(|(index, range)| {
            let target = self.target(range, pages)?;
            let within = target > range.last
                && range.until.as_ref().is_none_or(|until| target < *until)
                && target.starts_with(&self.prefix);
            (range.next.is_some() && within && !range.mends).then_some((index, target))
        });
        let Some((index, target)) = found else { return false };
        let (reach, next_offset) = (self.reach, pages);
        let range = &mut self.ranges[index];
        (range.planned, range.seen) = (Some(reach), 0);
        let until = range.until.replace(target.clone());
        let (span, offset) = (range.span.clone(), range.offset + next_offset);
        let cut_off = self.range(&target, until, span, offset);
        self.ranges.insert(index + 1, cut_off);
        true
    }

    /// Where to cut a range so that about `pages` pages stay before the cut.
    fn target(&self, range: &Range, pages: f64) -> Option<String> {
        let behind = self.folders.partition_point(|folder| *folder <= range.last);
        let next_folder = self.folders.get(behind);
        let Some((from, at)) = &range.span else { return next_folder.cloned() };
        let passed =
            self.folders.partition_point(|folder| folder <= at) - self.folders.partition_point(|folder| folder <= from);
        if passed > 0 {
            // A page holds whole folders: they are the measure.
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive number")]
            let skipped = (passed as f64 * pages) as usize;
            if let Some(folder) = self.folders.get(behind + skipped) {
                return Some(folder.clone());
            }
        }
        let guess = self.alphabet.ahead(from, at, range.offset + pages);
        match (guess, next_folder) {
            (Some(guess), Some(folder)) if passed == 0 => Some(guess.min(folder.clone())),
            (None, Some(folder)) => Some(folder.clone()),
            (Some(guess), _) => Some(guess),
            (None, None) => range.until.as_ref().and_then(|until| self.alphabet.middle(&range.last, until)),
        }
    }

    fn range(&mut self, after: &str, until: Option<String>, span: Option<(String, String)>, offset: f64) -> Range {
        self.next_id += 1;
        Range {
            id: self.next_id,
            told: Partition::new(Some(after.to_owned()).filter(|after| !after.is_empty()), None),
            until,
            last: after.to_owned(),
            next: Some(Marker::Behind(after.to_owned())),
            under_way: false,
            pages: VecDeque::new(),
            bytes: 0,
            span,
            offset,
            planned: None,
            seen: 0,
            empty: 0,
            head: None,
            beyond: None,
            skip: None,
            mends: false,
            closes: false,
        }
    }
}

/// Checks that a page follows what was listed of its range.
fn check(page: &Page, range: &Range, prefix: &str, versions: bool) -> Result<(), String> {
    page.check_order(versions)?;
    if let (Some(last), false) = (page.last_key(), page.is_empty()) {
        let first = page.key(0);
        let continues = versions && matches!(range.next, Some(Marker::Version(..)));
        if first < range.last.as_str() || (first == range.last && !continues) {
            return Err(format!("a page begins with the key {first:?}, which does not follow {:?}", range.last));
        }
        if let Some(foreign) = [first, last].iter().find(|key| !key.starts_with(prefix)) {
            return Err(format!("a page has the key {foreign:?}, which does not begin with {prefix:?}"));
        }
    }
    if page.next.is_some() && page.next == range.next {
        return Err(format!("the page behind the key {:?} begins where the one before began", range.last));
    }
    if page.next.is_some() && range.empty > EMPTY_PAGES_MAX {
        return Err(format!(
            "{EMPTY_PAGES_MAX} pages behind the key {:?} were empty, and none was the last",
            range.last
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
