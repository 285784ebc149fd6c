//! Whole reports into a cloud over requests that fail, cut off and carried on, to the bytes of undisturbed ones.

use super::*;
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
};
use stocktake::{GenerateOptions, Recovery, ReportLayout, abandon, generate, sources::SyntheticSource};
use stocktake_core::{
    ConfigurationId, FieldSelection, ObjectSource, PinnedStore, ReportSpec, ReportStore, Timestamp, Versions,
};
use stocktake_object_store::CloudObjects;
use stocktake_testkit::s3::Fault;

fn source() -> SyntheticSource {
    "rows=30000,seed=2".parse().unwrap()
}

fn spec(address: &str) -> ReportSpec {
    let bucket = || BucketName::try_new("b").unwrap();
    ReportSpec::builder(bucket(), ConfigurationId::try_new("daily").unwrap(), bucket())
        .with_created_at(Timestamp::parse("2026-11-22T01:00:00Z").unwrap())
        .with_fields(FieldSelection::Default.resolve(source().provides(), Versions::Current).unwrap())
        .with_chunk_rows(4_000)
        .with_shard_target_bytes(400 << 10)
        .with_address(Some(address))
        .build()
        .unwrap()
}

fn objects(server: &CloudServer) -> BTreeMap<String, Vec<u8>> {
    server.store().objects.iter().map(|((_, key), object)| (key.clone(), object.body.clone())).collect()
}

fn options(recovery: Recovery) -> GenerateOptions {
    GenerateOptions::default().with_recovery(recovery)
}

#[test]
fn a_report_survives_one_request_in_ten_that_fails() {
    for cloud in CLOUDS {
        let (whole, failing) = (CloudServer::start().unwrap(), CloudServer::start().unwrap());
        let spec = spec(&client(&whole, cloud).hadoop_address());
        failing.faults().choose(|_, number| {
            // Scattered, and the same in every run.
            let mixed = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
            let fault = [Fault::SlowDown, Fault::InternalError, Fault::Reset, Fault::TruncatedBody];
            (mixed % 10 == 0).then(|| fault[usize::try_from(mixed / 10 % 4).unwrap()])
        });
        let mut reports = Vec::new();
        for server in [&whole, &failing] {
            let summary = generate(&source(), &spec, &destination(server, cloud), &options(Recovery::Begin)).unwrap();
            assert!(summary.rows == 30_000 && summary.files > 2, "{summary:?}");
            reports.push(objects(server));
        }
        assert!(failing.faults().shown() > 3);
        failing.faults().clear();
        assert!(reports[0] == reports[1]);
        let symlink = reports[0].iter().find(|(key, _)| key.ends_with("symlink.txt")).unwrap().1;
        let address = if cloud == Cloud::Google { "gs://b/" } else { "abfss://b@testaccount.dfs.core.windows.net/" };
        for line in std::str::from_utf8(symlink).unwrap().lines() {
            assert!(reports[0].contains_key(line.strip_prefix(address).unwrap()), "{line}");
        }
        let store = PinnedStore::new(CloudObjects::new(client(&failing, cloud)));
        let listed: Vec<_> = store.list("").unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(listed, reports[0].keys().cloned().collect::<Vec<_>>());
    }
}

/// The network is lost after some requests: nothing that the run sends reaches the server any more, as if it were killed.
#[test]
fn a_run_whose_network_is_lost_is_carried_on_or_abandoned() {
    for cloud in CLOUDS {
        let whole = CloudServer::start().unwrap();
        let spec = spec(&client(&whole, cloud).hadoop_address());
        let summary = generate(&source(), &spec, &destination(&whole, cloud), &options(Recovery::Begin)).unwrap();
        let requests = whole.log().len() as u64;
        let root = ReportLayout::new(&spec).root().clone();
        for step in 1..6 {
            let stored = CloudServer::start().unwrap();
            let alive = requests * step / 6;
            let is_lost = AtomicBool::new(false);
            stored.faults().choose(move |_, number| {
                is_lost.fetch_or(number >= alive, Ordering::Relaxed);
                is_lost.load(Ordering::Relaxed).then_some(Fault::AccessDenied)
            });
            let lost = generate(&source(), &spec, &destination(&stored, cloud), &options(Recovery::Begin));
            stored.faults().clear();
            if step % 2 == 0 || lost.is_ok() {
                let resumed =
                    generate(&source(), &spec, &destination(&stored, cloud), &options(Recovery::Resume)).unwrap();
                assert_eq!(resumed.rows, summary.rows);
                assert!(objects(&stored) == objects(&whole), "{cloud:?}: lost after {alive} of {requests} requests");
            } else {
                abandon(&destination(&stored, cloud), &root, None).unwrap();
                assert_eq!(objects(&stored).into_keys().collect::<Vec<_>>(), [""; 0]);
            }
        }
    }
}

#[test]
fn an_object_that_is_changed_while_it_is_read_is_an_error() {
    for cloud in CLOUDS {
        let server = CloudServer::start().unwrap();
        let bytes = noise(1 << 20);
        server.store().put("b", "r/a", &bytes);
        let store = PinnedStore::new(CloudObjects::new(client(&server, cloud)));
        let mut reader = store.open_range(&key("r/a"), 0..1 << 20).unwrap();
        server.store().put("b", "r/a", &bytes);
        let error = reader.read_to_end(&mut Vec::new()).unwrap_err().to_string();
        let address = if cloud == Cloud::Google { "gs://b" } else { "az://b" };
        assert!(error.starts_with(&format!("{address}, byte 0: the object was changed since")), "{error}");
    }
}
