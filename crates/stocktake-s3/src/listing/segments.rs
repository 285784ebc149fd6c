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
use std::collections::VecDeque;
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
mod tests {
    use super::*;

    /// A listing of these keys, as a server would give it.
    fn page(keys: &[String], from: &Marker, entries: usize) -> Page {
        page_of(keys, from, entries, false)
    }

    /// The same; a careless server begins with a marker that is a key, and leaves the first row out behind one that is none.
    fn page_of(keys: &[String], from: &Marker, entries: usize, careless: bool) -> Page {
        let (Marker::Behind(after) | Marker::Token(after) | Marker::Version(after, _)) = from;
        let first = keys.partition_point(|key| key <= after);
        let first = match from {
            Marker::Behind(after) if careless && !after.is_empty() => match keys.binary_search(after) {
                Ok(marker) => marker,
                Err(_) => keys.len().min(first + 1),
            },
            _ => first,
        };
        let last = keys.len().min(first + entries);
        let rows: String = keys[first..last]
            .iter()
            .map(|key| format!("<Contents><Key>{key}</Key><LastModified>2026-11-22T01:00:00Z</LastModified><Size>5</Size></Contents>"))
            .collect();
        let next = if last < keys.len() {
            format!("<NextContinuationToken>{}</NextContinuationToken>", keys[last - 1])
        } else {
            String::new()
        };
        let more = last < keys.len();
        Page::parse(
            format!("<ListBucketResult><IsTruncated>{more}</IsTruncated>{rows}{next}</ListBucketResult>").as_bytes(),
        )
        .unwrap()
    }

    struct Run {
        found: Vec<String>,
        requests: usize,
        at_once: Vec<usize>,
        held_max: usize,
        counts: ListingCounts,
        partitions: Vec<Partition>,
    }

    /// Lists keys with answers that come in an order of their own.
    fn run(keys: &[String], entries: usize, limits: Limits, folders: &[&str], seed: u64) -> Run {
        run_by(keys, entries, limits, folders, seed, false)
    }

    fn run_by(keys: &[String], entries: usize, limits: Limits, folders: &[&str], mut seed: u64, careless: bool) -> Run {
        let mut segments = Segments::new("", "", false, limits);
        segments.add_folders(folders.iter().map(|folder| (*folder).to_owned()).collect());
        let mut waiting: Vec<Order> = Vec::new();
        let counts = ListingCounts::default();
        let (found, partitions) = (Vec::new(), Vec::new());
        let mut run = Run { found, requests: 0, at_once: Vec::new(), held_max: 0, counts, partitions };
        loop {
            waiting.extend(segments.orders());
            run.at_once.extend((!waiting.is_empty()).then_some(waiting.len()));
            let held: usize = segments.ranges.iter().map(|range| range.bytes).sum();
            run.held_max = run.held_max.max(held);
            if !waiting.is_empty() {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let order = waiting.swap_remove((seed >> 33) as usize % waiting.len());
                run.requests += 1;
                segments.accept(order.range, page_of(keys, &order.from, entries, careless)).unwrap();
            }
            if seed >> 60 < 11 {
                match segments.take() {
                    Delivery::Page(page) => run.found.extend((0..page.len()).map(|row| page.key(row).to_owned())),
                    Delivery::Wait => {
                        waiting.extend(segments.orders());
                        assert!(!waiting.is_empty(), "it waits for nothing");
                    }
                    Delivery::End => {
                        run.counts = segments.counts();
                        run.partitions = segments.partitions().to_vec();
                        return run;
                    }
                }
            } else if waiting.is_empty() {
                seed = seed.wrapping_add(1 << 60);
            }
        }
    }

    const LIMITS: Limits = Limits { requests: 8, ahead_bytes: 8 << 20 };

    fn shapes() -> Vec<(&'static str, Vec<String>)> {
        let mut shapes: Vec<(&'static str, Vec<String>)> = vec![
            ("flat", (0..6000).map(|n| format!("k{n:012}")).collect()),
            ("one folder", (0..6000).map(|n| format!("data/2026/part-{n:06}")).collect()),
            ("folders", (0..6000).map(|n| format!("user-{:05}/photo-{}", n / 11, n % 11)).collect()),
            ("uneven", (0..6000).map(|n| format!("{}/{n}", ["a", "logs", "logs/x", "z"][n * n % 4])).collect()),
            ("hash", (0..6000_u64).map(|n| format!("{:016x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect()),
            ("odd", (0..1000).map(|n| format!("é{}{n}\u{10ffff}", "/".repeat(n % 5))).collect()),
            ("one", vec!["a".to_owned()]),
            ("none", Vec::new()),
        ];
        shapes.iter_mut().for_each(|(_, keys)| keys.sort_unstable());
        shapes
    }

    #[test]
    fn nothing_is_missing_or_doubled_and_order_holds() {
        for (name, keys) in shapes() {
            for (seed, folders) in [(1, &[][..]), (2, &["a/", "logs/", "user-00100/", "z/"][..])] {
                for limits in [LIMITS, Limits { requests: 1, ..LIMITS }, Limits { requests: 5, ahead_bytes: 1 }] {
                    let run = run(&keys, 30, limits, folders, seed);
                    assert!(run.found == keys, "{name} {seed} {limits:?}");
                    assert!(run.at_once.iter().all(|at_once| *at_once <= limits.requests), "{name}");
                    check_partitions(&run, &keys, name);
                }
            }
        }
    }

    /// Ranges join from the first key to the last, and tell of every row and request.
    fn check_partitions(run: &Run, keys: &[String], name: &str) {
        let told = &run.partitions;
        assert!(
            told.windows(2).all(|pair| pair[0].until.is_some() && pair[0].until == pair[1].after),
            "{name}: {told:?}"
        );
        let (first, last) = (told.first().unwrap(), told.last().unwrap());
        assert_eq!((&first.after, &last.until), (&None, &None), "{name}");
        assert_eq!(told.iter().map(|of| of.rows).sum::<u64>(), keys.len() as u64, "{name}");
        assert_eq!(told.iter().map(|of| of.requests).sum::<u64>(), run.requests as u64, "{name}");
        assert_eq!(told.iter().find_map(|of| of.first_key.as_ref()), keys.first(), "{name}");
        assert_eq!(told.iter().rev().find_map(|of| of.last_key.as_ref()), keys.last(), "{name}");
    }

    #[test]
    fn rows_that_a_server_leaves_out_at_seams_are_found() {
        let mut mended = 0;
        for (name, keys) in shapes() {
            for seed in 0..4 {
                for folders in [&[][..], &["a/", "logs/", "user-00100/", "z/"][..]] {
                    let run = run_by(&keys, 7, LIMITS, folders, seed, true);
                    assert!(run.found == keys, "{name} {seed}: {} of {} keys", run.found.len(), keys.len());
                    assert_eq!(run.counts.rows, keys.len() as u64, "{name}");
                    let told: u64 = run.partitions.iter().map(|of| of.rows).sum();
                    assert_eq!(told, keys.len() as u64, "{name}");
                    let requests: u64 = run.partitions.iter().map(|of| of.requests).sum();
                    assert_eq!(requests, run.requests as u64, "{name}");
                    mended += run.counts.mended;
                    let sound = run_by(&keys, 7, LIMITS, folders, seed, false);
                    assert_eq!(sound.counts.mended, 0, "{name}: nothing is listed twice from a sound server");
                }
            }
        }
        assert!(mended > 20, "{mended}");
    }

    /// Keys come and go while they are listed: what was there all the time is delivered, once and in order.
    #[test]
    fn a_bucket_that_changes_is_listed_without_loss() {
        let keys: Vec<String> = (0..3000).map(|n| format!("k{n:06}")).collect();
        for seed in 1..30_u64 {
            let mut state = seed;
            let mut random = move || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) as usize
            };
            let mut segments = Segments::new("", "", false, LIMITS);
            let (mut waiting, mut found): (Vec<Order>, Vec<String>) = (Vec::new(), Vec::new());
            loop {
                waiting.extend(segments.orders());
                if !waiting.is_empty() {
                    let order = waiting.swap_remove(random() % waiting.len());
                    // Every third key is there or not, as it happens.
                    let now: Vec<String> = keys
                        .iter()
                        .enumerate()
                        .filter(|(n, _)| n % 3 > 0 || random() % 2 > 0)
                        .map(|(_, key)| key.clone())
                        .collect();
                    segments.accept(order.range, page(&now, &order.from, 10)).unwrap();
                }
                match segments.take() {
                    Delivery::Page(page) => found.extend((0..page.len()).map(|row| page.key(row).to_owned())),
                    Delivery::Wait => {}
                    Delivery::End => break,
                }
            }
            assert!(found.is_sorted_by(|a, b| a < b), "{seed}");
            let steady = keys.iter().enumerate().filter(|(n, _)| n % 3 > 0).map(|(_, key)| key);
            assert!(steady.clone().all(|key| found.binary_search(key).is_ok()), "{seed}");
        }
    }

    #[test]
    fn many_requests_are_under_way_and_few_are_in_vain() {
        for (name, keys) in shapes().into_iter().filter(|(_, keys)| keys.len() == 6000) {
            let run = run(&keys, 30, LIMITS, &[], 7);
            let busy = run.at_once.iter().filter(|at_once| **at_once >= 4).count();
            assert!(busy * 10 >= run.at_once.len() * 8, "{name}: {busy} of {}", run.at_once.len());
            assert!(run.requests <= 200 * 2, "{name}: {} requests for 200 pages", run.requests);
        }
    }

    #[test]
    fn what_is_held_is_bounded() {
        let (_, keys) = shapes().swap_remove(0);
        let limits = Limits { requests: 8, ahead_bytes: 32 << 10 };
        let run = run(&keys, 30, limits, &[], 3);
        assert!(run.held_max <= limits.ahead_bytes + 5 * (5 << 10), "{}", run.held_max);
    }

    #[test]
    fn pages_that_do_not_follow_are_refused() {
        let keys: Vec<String> = (0..30).map(|n| format!("k{n:02}")).collect();
        let fault = |second: Page| {
            let mut segments = Segments::new("k", "", false, Limits { requests: 1, ..LIMITS });
            let first = segments.orders().remove(0);
            segments.accept(first.range, page(&keys, &first.from, 10)).unwrap();
            let second_order = segments.orders().remove(0);
            segments.accept(second_order.range, second).unwrap_err()
        };
        let start = Marker::Behind(String::new());
        assert!(fault(page(&keys, &start, 10)).contains("\"k00\", which does not follow \"k09\""));
        assert!(fault(page(&["x".to_owned()], &start, 1)).contains("does not begin with \"k\""));
        let mut empty = page(&keys, &Marker::Token("k29".into()), 1);
        empty.next = Some(Marker::Token("k09".into()));
        assert!(fault(empty).contains("begins where the one before began"));
    }
}
