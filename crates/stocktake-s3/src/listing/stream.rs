//! From pages to batches: the engine's thread takes what tasks of the client have listed ahead.

use super::{
    S3Source,
    facts::{self, Facts},
    page::{Entry, Page},
    parser::{Parser, Replies},
    request::ListRequest,
    segments::{Delivery, Limits, ListingCounts, Order, Segments},
    versions::{Groups, Sorted},
};
use crate::{
    client::{S3Client, now},
    error::S3Error,
};
use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use stocktake_core::{Field, ObjectBatchBuilder, ObjectStream, Partition, ReadContext, SourceError, SourceErrorKind};
use tokio::{sync::Notify, time::Instant};

/// How often a thread that waits for a page looks whether the run was cancelled.
const CANCEL_CHECK: Duration = Duration::from_millis(50);

/// Rows whose objects are asked for at once, one after the other as requests come free.
const ENRICHED_ROWS: usize = 1000;

struct Shared {
    state: Mutex<State>,
    arrived: Condvar,
    wake: Notify,
}

struct State {
    segments: Segments,
    failed: Option<SourceError>,
    closed: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What of a listing is read, and how much of the run reads beside it.
pub(super) struct Span<'a> {
    pub(super) lane: u32,
    /// Key behind which the rows stand; may be empty.
    pub(super) after: &'a str,
    /// Last key that is read; none: to the end of the listing.
    pub(super) until: Option<&'a str>,
    /// Lanes that are read at once.
    pub(super) at_once: usize,
    /// Ranges that are told of one by one.
    pub(super) partitions_max: usize,
}

/// The rows of a listing.
pub(super) struct ListingStream<'a> {
    source: &'a S3Source,
    lane: u32,
    /// Requests of this lane under way at once.
    requests_max: usize,
    request: Arc<ListRequest>,
    shared: Arc<Shared>,
    parser: Parser,
    context: ReadContext,
    groups: Groups,
    current: Option<Sorted>,
    ended: bool,
}

impl<'a> ListingStream<'a> {
    pub(super) fn open(
        source: &'a S3Source,
        request: ListRequest,
        span: &Span<'_>,
        context: &ReadContext,
    ) -> Result<Self, SourceError> {
        let client = &source.client;
        let requests_max = (client.settings().requests_max.get() as usize / span.at_once).max(1);
        let limits = Limits { requests: requests_max, ahead_bytes: source.ahead_bytes / span.at_once };
        let segments = Segments::new(&request.prefix, span.after, request.versions, limits);
        let mut segments = segments.with_end(span.until).with_partitions_max(span.partitions_max);
        if limits.requests > 1 {
            let folders = client.block_on(request.folders(client));
            segments.add_folders(folders.map_err(|error| S3Source::fault(error, "the bucket cannot be listed"))?);
        }
        let state = Mutex::new(State { segments, failed: None, closed: false });
        let shared = Arc::new(Shared { state, arrived: Condvar::new(), wake: Notify::new() });
        let request = Arc::new(request);
        let parser = Parser::start(Arc::clone(client), Arc::clone(&request), context.clone());
        let parser =
            parser.map_err(|error| SourceError::unreadable("a thread for pages could not be started", error))?;
        let lister = Lister {
            client: Arc::clone(client),
            request: Arc::clone(&request),
            shared: Arc::clone(&shared),
            replies: parser.replies(),
        };
        client.handle().spawn(lister.run());
        let groups = Groups::new(request.versions, source.temp_dir.clone());
        let (lane, context) = (span.lane, context.clone());
        Ok(Self { source, lane, requests_max, request, shared, parser, context, groups, current: None, ended: false })
    }

    /// The next page in key order; waits for it.
    fn next_page(&self) -> Result<Option<Page>, SourceError> {
        let mut state = self.shared.lock();
        loop {
            if let Some(error) = state.failed.take() {
                state.closed = true;
                return Err(error);
            }
            if self.context.cancel.is_cancelled() {
                return Err(SourceError::cancelled());
            }
            let delivery = state.segments.take();
            let counts = ListingCounts { parsing: self.parser.took(), ..state.segments.counts() };
            self.source.note_counts(self.lane, counts);
            match delivery {
                Delivery::Page(page) => {
                    drop(state);
                    self.shared.wake.notify_one();
                    return Ok(Some(page));
                }
                Delivery::End => return Ok(None),
                Delivery::Wait => {
                    // A seam may have to be listed again.
                    self.shared.wake.notify_one();
                    let waited = self.shared.arrived.wait_timeout(state, CANCEL_CHECK);
                    state = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
    }

    /// Rows that are in order, or `None` at the end.
    fn next_sorted(&mut self) -> Result<Option<Sorted>, SourceError> {
        loop {
            if let Some(sorted) = self.groups.pop().map_err(unsorted)? {
                return Ok(Some(sorted));
            }
            if self.ended {
                return Ok(None);
            }
            match self.next_page()? {
                Some(page) => self.groups.push(page).map_err(unsorted)?,
                None => {
                    self.ended = true;
                    self.groups.finish().map_err(unsorted)?;
                }
            }
        }
    }

    fn needs_facts(&self) -> bool {
        let wanted = self.context.fields.intersection(S3Source::enriched_fields());
        self.source.enriched && !wanted.is_empty()
    }
}

impl ObjectStream for ListingStream<'_> {
    fn next_batch(&mut self, batch: &mut ObjectBatchBuilder) -> Result<bool, SourceError> {
        batch.clear();
        let enriched = self.needs_facts();
        loop {
            let mut sorted = match self.current.take() {
                Some(sorted) => sorted,
                None => match self.next_sorted()? {
                    Some(sorted) => sorted,
                    None => return Ok(!batch.is_empty()),
                },
            };
            if enriched {
                let facts = facts_of(self.source, self.requests_max, &sorted, &self.context)?;
                for (entry, facts) in sorted.entries().zip(&facts) {
                    push(batch, &entry, self.request.versions, Some(facts))?;
                }
                sorted.skip(facts.len());
            } else {
                let mut rows = 0;
                for entry in sorted.entries() {
                    push(batch, &entry, self.request.versions, None)?;
                    rows += 1;
                    if batch.is_full() {
                        break;
                    }
                }
                sorted.skip(rows);
            }
            self.current = (!sorted.is_empty()).then_some(sorted);
            if batch.is_full() {
                return Ok(true);
            }
        }
    }

    fn partitions(&self) -> Vec<Partition> {
        self.shared.lock().segments.partitions().to_vec()
    }
}

impl Drop for ListingStream<'_> {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.wake.notify_one();
    }
}

/// Orders pages and hands them in.
#[derive(Clone)]
struct Lister {
    client: Arc<S3Client>,
    request: Arc<ListRequest>,
    shared: Arc<Shared>,
    replies: Replies,
}

impl Lister {
    async fn run(self) {
        loop {
            let orders = {
                let mut state = self.shared.lock();
                if state.closed || state.failed.is_some() {
                    return;
                }
                state.segments.note_time(now());
                state.segments.orders()
            };
            for order in orders {
                tokio::spawn(self.clone().fetch(order));
            }
            self.shared.wake.notified().await;
        }
    }

    async fn fetch(self, order: Order) {
        let call = self.request.call(&order.from);
        let started = Instant::now();
        let page = self.client.send_through(&call, |answer| self.replies.page(answer)).await;
        let took = started.elapsed();
        let mut state = self.shared.lock();
        if !state.closed {
            state.segments.note_time(now());
            state.segments.note_request(took);
            let gone = || SourceError::new(SourceErrorKind::Unreadable, "the threads that take pages apart are gone");
            let page = page.map_err(|error| S3Source::fault(error, "listing the bucket failed"));
            let accepted = page.and_then(|page| page.ok_or_else(gone)).and_then(|page| {
                let accepted = state.segments.accept(order.range, page);
                accepted.map_err(|text| {
                    SourceError::new(SourceErrorKind::Order, format!("the listing cannot be relied on: {text}"))
                })
            });
            if let Err(error) = accepted {
                state.failed.get_or_insert(error);
            }
        }
        drop(state);
        self.shared.arrived.notify_one();
        self.shared.wake.notify_one();
    }
}

/// What is known of the objects of the next rows, each asked for by itself.
fn facts_of(
    source: &S3Source,
    at_once: usize,
    sorted: &Sorted,
    context: &ReadContext,
) -> Result<Vec<Facts>, SourceError> {
    let client = &source.client;
    let calls: Vec<_> = sorted.entries().take(ENRICHED_ROWS).map(|entry| facts::call(&entry)).collect();
    let found: Result<Vec<Facts>, S3Error> = client.block_on(async {
        let mut found = vec![Facts::default(); calls.len()];
        let mut waiting = calls.into_iter().enumerate().filter_map(|(row, call)| call.map(|call| (row, call)));
        let mut tasks = tokio::task::JoinSet::new();
        loop {
            while tasks.len() < at_once && !context.cancel.is_cancelled() {
                let Some((row, call)) = waiting.next() else { break };
                let client = Arc::clone(client);
                tasks.spawn_on(async move { (row, facts::ask(&client, &call).await) }, source.client.handle());
            }
            match tasks.join_next().await {
                None => return Ok(found),
                Some(Ok((row, facts))) => found[row] = facts?,
                Some(Err(lost)) => return Err(S3Error::malformed("HeadObject", format!("a task was lost: {lost}"))),
            }
        }
    });
    if context.cancel.is_cancelled() {
        return Err(SourceError::cancelled());
    }
    found.map_err(|error| S3Source::fault(error, "asking for an object failed"))
}

fn unsorted(error: std::io::Error) -> SourceError {
    SourceError::unreadable("the versions of a key could not be sorted in the folder for temporary files", error)
}

fn push(
    batch: &mut ObjectBatchBuilder,
    entry: &Entry<'_>,
    versions: bool,
    facts: Option<&Facts>,
) -> Result<(), SourceError> {
    let mut row = batch.row(entry.key).last_modified_ms(entry.modified_ms).text(Field::ObjectOwner, entry.owner);
    if versions {
        let id = if entry.version_id == "null" { "" } else { entry.version_id };
        row = row.version(id, entry.is_latest, entry.is_marker);
    }
    if !entry.is_marker {
        row = row.e_tag(entry.e_tag).storage_class(entry.class).text(Field::ChecksumAlgorithm, entry.checksum);
        row = row.multipart_uploaded(is_multipart(entry.e_tag));
        if let Some(size) = entry.size {
            row = row.size(size);
        }
        if let Some(facts) = facts {
            row = facts.add_to(row);
        }
    }
    Ok(row.finish()?)
}

/// The ETag of a multipart upload ends in a dash and the number of its parts.
fn is_multipart(e_tag: &str) -> bool {
    e_tag
        .rsplit_once('-')
        .is_some_and(|(_, parts)| !parts.is_empty() && parts.bytes().all(|byte| byte.is_ascii_digit()))
}
