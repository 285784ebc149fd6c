//! Uploads: the contract, conditions, lost answers, parts that are taken in part, what others write meanwhile.

use super::*;
use std::{
    io::Write,
    sync::atomic::{AtomicU64, Ordering},
};
use stocktake_core::{
    Destination, DestinationErrorKind, Existing, ObjectAttributes, PendingObject, ServerSideEncryption,
};
use stocktake_testkit::{destination::check_destination, s3::Fault};

const ATTRIBUTES: ObjectAttributes = ObjectAttributes::new("text/plain");
const PART: usize = 256 << 10;

fn write(destination: &CloudDestination, name: &str, bytes: &[u8]) -> Box<dyn PendingObject> {
    let mut object = destination.create(&key(name), &ATTRIBUTES).unwrap();
    object.write_all(bytes).unwrap();
    object
}

#[test]
fn the_contract_of_destinations_is_kept() {
    for cloud in CLOUDS {
        let server = CloudServer::start().unwrap();
        server.store().page_max = 2;
        check_destination(&destination(&server, cloud)).unwrap_or_else(|fault| panic!("{cloud:?}: {fault}"));
        let store = server.store();
        assert!(
            store.objects.is_empty() && store.sessions.values().all(|session| session.done || cloud == Cloud::Google)
        );
    }
}

#[test]
fn the_contract_is_kept_where_answers_are_lost_and_requests_refused() {
    for cloud in CLOUDS {
        let server = CloudServer::start().unwrap();
        server.faults().choose(|_, number| {
            let faults = [Fault::Reset, Fault::SlowDown, Fault::TruncatedBody, Fault::InternalError];
            (number % 9 == 4).then(|| faults[usize::try_from(number / 9 % 4).unwrap()])
        });
        check_destination(&destination(&server, cloud)).unwrap_or_else(|fault| panic!("{cloud:?}: {fault}"));
        assert!(server.faults().shown() > 20);
    }
}

#[test]
fn objects_have_their_bytes_type_and_mark() {
    for cloud in CLOUDS {
        let server = CloudServer::start().unwrap();
        let destination = destination(&server, cloud);
        for bytes in [0, 1, PART - 1, PART, PART + 1, 3 * PART, 3 * PART + 77] {
            let (name, bytes) = (format!("r/{bytes}"), noise(bytes));
            write(&destination, &name, &bytes).publish().unwrap();
            let store = server.store();
            let object = store.object("b", &name).unwrap();
            assert!(object.body == bytes, "{cloud:?} {name}");
            assert_eq!(object.headers["content-type"], "text/plain");
            assert!(object.headers.keys().any(|name| name.contains("meta-stocktake")));
        }
        let parts = if cloud == Cloud::Google { 2 } else { 3 };
        assert_eq!(destination.buffer_bytes(), parts * PART);
    }
}

#[test]
fn a_resumable_upload_goes_on_at_the_byte_that_the_server_wants() {
    let server = CloudServer::start().unwrap();
    let destination = destination(&server, Cloud::Google).with_part_bytes(4 * PART);
    server.store().taken_max = PART;
    let bytes = noise(9 * PART + 5);
    write(&destination, "r/a", &bytes).publish().unwrap();
    assert!(server.store().object("b", "r/a").unwrap().body == bytes);
    // Every other answer of the upload is lost.
    server.store().taken_max = usize::MAX;
    server
        .faults()
        .choose(|request, number| (request.query.contains_key("upload_id") && number % 2 == 1).then_some(Fault::Reset));
    write(&destination, "r/b", &bytes).publish().unwrap();
    assert!(server.store().object("b", "r/b").unwrap().body == bytes);
    assert!(server.faults().shown() > 2);
}

#[test]
fn what_is_put_together_otherwise_is_taken_back() {
    let server = CloudServer::start().unwrap();
    let destination = destination(&server, Cloud::Google);
    server.store().lies = true;
    let error = write(&destination, "r/a", &noise(2 * PART)).publish().unwrap_err();
    assert!(error.to_string().contains("is not what was sent"), "{error}");
    assert!(server.store().objects.is_empty());
}

/// A redirect has the status by which Google asks for more bytes of an upload.
#[test]
fn a_redirect_is_not_taken_for_success() {
    for cloud in CLOUDS {
        let server = CloudServer::start().unwrap();
        let destination = destination(&server, cloud);
        server.store().moved = true;
        for bytes in [noise(10), noise(3 * PART)] {
            let mut object = destination.create(&key("r/a"), &ATTRIBUTES).unwrap();
            let published = object.write_all(&bytes).map_err(|error| error.to_string());
            let published = published.and_then(|()| object.publish().map_err(|error| error.to_string()));
            assert!(published.is_err(), "{cloud:?}");
        }
        assert!(server.store().objects.is_empty());
    }
}

#[test]
fn another_ones_object_is_never_taken_for_ones_own() {
    for cloud in CLOUDS {
        let server = CloudServer::start().unwrap();
        let destination = destination(&server, cloud);
        for (name, bytes) in [("r/a", noise(2 * PART)), ("r/b", b"x".to_vec())] {
            let object = write(&destination, name, &bytes);
            server.store().put("b", name, b"another's");
            // The answer of the request that publishes is lost, so the refusal of the second has two meanings.
            let lost = AtomicU64::new(0);
            server.faults().choose(move |request, _| {
                let publishes = request.method == "PUT" && request.query.get("comp").is_none_or(|comp| comp != "block");
                (publishes && lost.fetch_add(1, Ordering::Relaxed) == 0).then_some(Fault::Reset)
            });
            assert_eq!(object.publish().unwrap_err().kind(), DestinationErrorKind::AlreadyExists, "{cloud:?} {name}");
            assert_eq!(server.store().object("b", name).unwrap().body, b"another's");
            server.faults().clear();
            let mut object = destination.create(&key(name), &ATTRIBUTES.with_existing(Existing::Replace)).unwrap();
            object.write_all(&bytes).unwrap();
            object.publish().unwrap();
            assert!(server.store().object("b", name).unwrap().body == bytes);
        }
    }
}

#[test]
fn an_upload_that_is_dropped_leaves_nothing_visible() {
    for cloud in CLOUDS {
        let server = CloudServer::start().unwrap();
        let destination = destination(&server, cloud);
        drop(write(&destination, "r/a", &noise(5 * PART)));
        assert!(server.store().objects.is_empty() && server.store().sessions.is_empty());
        assert_eq!(destination.remove_remains(&[key("r/a")]).unwrap(), 0);
        server.faults().choose(|request, _| (request.method != "HEAD").then_some(Fault::AccessDenied));
        let mut object = destination.create(&key("r/b"), &ATTRIBUTES).unwrap();
        let error = object.write_all(&noise(5 * PART)).unwrap_err();
        assert!(error.to_string().contains("403 AccessDenied"), "{error}");
    }
}

#[test]
fn encryption_that_the_cloud_does_not_have_is_refused() {
    for cloud in CLOUDS {
        let server = CloudServer::start().unwrap();
        let attributes = ATTRIBUTES.with_encryption(Some(ServerSideEncryption::SseS3));
        let error = destination(&server, cloud).create(&key("r/a"), &attributes).err().unwrap();
        assert_eq!(error.kind(), DestinationErrorKind::Unsupported);
    }
}

#[test]
fn the_look_ahead_names_the_permission() {
    for cloud in CLOUDS {
        let server = CloudServer::start().unwrap();
        let destination = destination(&server, cloud);
        let steps = destination.check(&key("r/check"));
        assert!(steps.len() == 7 && steps.iter().all(|step| step.fault.is_none()), "{steps:?}");
        assert!(server.store().objects.is_empty());
        server.faults().choose(|request, _| {
            (request.method == "DELETE" && !request.query.contains_key("upload_id")).then_some(Fault::AccessDenied)
        });
        let steps = destination.check(&key("r/check"));
        let failed: Vec<_> = steps.into_iter().filter(|step| step.fault.is_some()).collect();
        assert!(failed.len() == 1 && failed[0].permission.contains("delete"), "{failed:?}");
    }
}

#[test]
fn what_is_missing_to_reach_a_bucket_is_named() {
    let bucket = || BucketName::try_new("b").unwrap();
    let error = CloudClient::azure(&[], bucket(), CloudSettings::default(), 1).err().unwrap();
    assert!(error.contains("AZURE_STORAGE_ACCOUNT_NAME"), "{error}");
    let mut variables = CloudServer::start().unwrap().azure();
    variables.push(("AZURE_STORAGE_ENCRYPTION_KEY".to_owned(), "c2VjcmV0".to_owned()));
    let error = CloudClient::azure(&variables, bucket(), CloudSettings::default(), 1).err().unwrap();
    assert!(error.contains("AZURE_STORAGE_ENCRYPTION_KEY is not supported"), "{error}");
    let variables = [("GOOGLE_SERVICE_ACCOUNT".to_owned(), "/nowhere/key.json".to_owned())];
    let error = CloudClient::google(&variables, bucket(), CloudSettings::default(), 1).err().unwrap();
    assert!(error.contains("/nowhere/key.json"), "{error}");
}

#[test]
fn engines_addresses_are_theirs() {
    let server = CloudServer::start().unwrap();
    assert_eq!(client(&server, Cloud::Google).hadoop_address(), "gs://b");
    assert_eq!(client(&server, Cloud::Azure).hadoop_address(), "abfss://b@testaccount.dfs.core.windows.net");
    let variables = |endpoint: &str| {
        let variables = [("AZURE_STORAGE_ACCOUNT_NAME", "acc"), ("AZURE_STORAGE_ACCOUNT_KEY", "c2VjcmV0")];
        let endpoint = [("AZURE_STORAGE_ENDPOINT", endpoint)];
        let all = variables.into_iter().chain(endpoint.into_iter().filter(|(_, value)| !value.is_empty()));
        all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<Vec<_>>()
    };
    let address = |endpoint: &str| {
        let bucket = BucketName::try_new("c").unwrap();
        CloudClient::azure(&variables(endpoint), bucket, CloudSettings::default(), 1).unwrap().hadoop_address()
    };
    assert_eq!(address(""), "abfss://c@acc.dfs.core.windows.net");
    assert_eq!(address("https://acc.blob.core.chinacloudapi.cn"), "abfss://c@acc.dfs.core.chinacloudapi.cn");
}
