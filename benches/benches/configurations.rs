//! 100,000 configurations in 100 buckets: a page of a list, and what is due.
//!
//! The aims: a page within 10 ms, due runs within 200 ms, also where every one of them is due.

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use stocktake::{BucketName, FileFormat, Timestamp};
use stocktake_config::{
    Backoff, Decision, Frequency, InventoryConfiguration, InventoryDestination, OptionalField, Rules,
    ValidConfiguration,
};
use stocktake_service::{ConfigurationStore, DurableStore, MemoryStore};

const BUCKETS: usize = 100;
const CONFIGURATIONS: usize = 1000;

fn configuration(number: usize) -> Option<ValidConfiguration> {
    let mut destination = InventoryDestination::new("arn:aws:s3:::reports", FileFormat::Parquet);
    destination.prefix = Some("inventory".to_owned());
    let mut document = InventoryConfiguration::new(format!("report-{number}"), destination, Frequency::Daily);
    document.filter_prefix = Some(format!("prefix/{number}/"));
    document.optional_fields = Some(["Size", "ETag", "StorageClass"].map(OptionalField::new).to_vec());
    Rules::new().check(document).ok()
}

fn due(store: &dyn ConfigurationStore, now: Timestamp) -> usize {
    let mut due = 0;
    let visited = store.visit(&mut |_, _, stored| {
        let decision = stored.schedule().decide(&stored.state, Backoff::default(), &|_| false, now);
        due += usize::from(matches!(decision, Decision::Run(_)));
    });
    assert!(visited.is_ok(), "the store cannot be read");
    due
}

fn measure(criterion: &mut Criterion) {
    let now = Timestamp::try_from_ms(1_790_000_000_000).unwrap_or(Timestamp::MIN);
    let buckets: Vec<_> =
        (0..BUCKETS).filter_map(|number| BucketName::try_new(format!("bucket-{number}")).ok()).collect();
    let configurations: Vec<_> = (0..CONFIGURATIONS).filter_map(configuration).collect();
    let all = || buckets.iter().flat_map(|bucket| configurations.iter().map(move |one| (bucket, one)));
    let memory = MemoryStore::new();
    assert!(all().all(|(bucket, one)| memory.put(bucket, one, now).is_ok()), "a configuration is refused");
    let Ok(folder) = tempfile::tempdir() else { panic!("there is no temporary folder") };
    let durable = DurableStore::open(folder.path().join("store"));
    let Ok(durable) = durable.and_then(|store| store.put_all(all(), now).map(|()| store)) else {
        panic!("the store cannot be written")
    };
    for (name, store) in [("memory", &memory as &dyn ConfigurationStore), ("durable", &durable)] {
        let mut group = criterion.benchmark_group(format!("100,000 configurations, {name}"));
        group.sample_size(20);
        let Ok(first) = store.list(&buckets[50], None) else { panic!("the store cannot be read") };
        let token = first.next_continuation_token;
        group.bench_function("one page", |bencher| {
            bencher.iter(|| black_box(store.list(&buckets[50], token.as_deref()).map(|page| page.to_xml())));
        });
        assert_eq!(due(store, now), BUCKETS * CONFIGURATIONS);
        group.bench_function("due runs", |bencher| bencher.iter(|| black_box(due(store, now))));
    }
}

criterion_group!(benches, measure);
criterion_main!(benches);
