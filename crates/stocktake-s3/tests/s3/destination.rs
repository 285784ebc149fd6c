//! Uploads: the contract, parts, encryption, faults, what is left behind, the look ahead.

use super::*;
use std::{
    io::Write,
    sync::atomic::{AtomicBool, Ordering},
};
use stocktake_core::{
    Destination, DestinationErrorKind, Existing, ObjectAttributes, PendingObject, ReportKey, ServerSideEncryption,
};
use stocktake_s3::S3Destination;
use stocktake_testkit::{destination::check_destination, s3::Fault};

const ATTRIBUTES: ObjectAttributes = ObjectAttributes::new("text/plain");

fn key(key: &str) -> ReportKey {
    ReportKey::try_new(key).unwrap()
}

fn destination(server: &S3Server) -> S3Destination {
    S3Destination::new(client(server)).with_part_bytes(0)
}

fn noise(bytes: usize) -> Vec<u8> {
    (0..bytes as u64).map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect()
}

fn write(
    destination: &S3Destination,
    name: &str,
    bytes: &[u8],
    attributes: &ObjectAttributes,
) -> Box<dyn PendingObject> {
    let mut object = destination.create(&key(name), attributes).unwrap();
    object.write_all(bytes).unwrap();
    object
}

fn kms() -> ServerSideEncryption {
    ServerSideEncryption::SseKms { key_id: "arn:k".into(), bucket_key: true }
}

#[test]
fn the_contract_of_destinations_is_kept() {
    let server = server(false, 5);
    let destination = destination(&server);
    check_destination(&destination).unwrap();
    assert!(server.store().uploads.is_empty() && destination.left_behind().is_empty());
}

#[test]
fn the_contract_is_kept_where_answers_are_lost() {
    let server = server(false, 1000);
    server.faults().choose(|_, number| (number % 9 == 4).then_some(Fault::Reset));
    check_destination(&destination(&server)).unwrap();
    assert!(server.faults().shown() > 20);
}

#[test]
fn parts_carry_their_digests_and_objects_their_headers() {
    let server = server(false, 1000);
    let destination = destination(&server).with_encryption(Some(ServerSideEncryption::SseS3));
    let bytes = noise((5 << 20) * 2 + 77);
    write(&destination, "r/big", &bytes, &ATTRIBUTES.with_encryption(Some(kms()))).publish().unwrap();
    write(&destination, "r/small", b"x", &ATTRIBUTES).publish().unwrap();
    let store = server.store();
    let header = |name: &str, header: &str| store.current("b", name).unwrap().headers.get(header).cloned();
    assert_eq!(&*store.current("b", "r/big").unwrap().body, bytes.as_slice());
    assert!(store.current("b", "r/big").unwrap().e_tag.ends_with("-3"));
    assert_eq!(header("r/big", "x-amz-server-side-encryption").as_deref(), Some("aws:kms"));
    assert_eq!(header("r/big", "x-amz-server-side-encryption-aws-kms-key-id").as_deref(), Some("arn:k"));
    assert_eq!(header("r/big", "x-amz-server-side-encryption-bucket-key-enabled").as_deref(), Some("true"));
    assert_eq!(header("r/small", "x-amz-server-side-encryption").as_deref(), Some("AES256"));
    for name in ["r/big", "r/small"] {
        assert_eq!(header(name, "x-amz-acl").as_deref(), Some("bucket-owner-full-control"));
        assert_eq!(header(name, "content-type").as_deref(), Some("text/plain"));
    }
}

#[test]
fn a_server_that_does_not_encrypt_gets_nothing() {
    let mut options = ServerOptions::default();
    options.encrypts = false;
    let server = S3Server::start(options).unwrap();
    let destination = destination(&server);
    let attributes = ATTRIBUTES.with_encryption(Some(kms()));
    let error = write(&destination, "r/small", b"x", &attributes).publish().unwrap_err();
    assert_eq!(error.kind(), DestinationErrorKind::Unsupported);
    assert!(error.to_string().contains("aws:kms was asked for"), "{error}");
    let mut big = destination.create(&key("r/big"), &attributes).unwrap();
    assert!(big.write_all(&noise(6 << 20)).unwrap_err().to_string().contains("does not say that it encrypts"));
    drop(big);
    let store = server.store();
    assert!(store.uploads.is_empty() && store.current("b", "r/small").is_none());
}

#[test]
fn memory_is_that_of_three_parts() {
    let server = server(false, 1000);
    server.faults().choose(|request, _| (request.method == "PUT").then_some(Fault::Slow(1)));
    let destination = destination(&server);
    assert_eq!(destination.buffer_bytes(), 3 * (5 << 20));
    write(&destination, "r/big", &noise(40 << 20), &ATTRIBUTES).publish().unwrap();
    assert!(server.at_once_max() <= 2, "{}", server.at_once_max());
}

#[test]
fn a_failed_upload_is_aborted_and_named_if_it_cannot_be() {
    let server = server(false, 1000);
    let destination = destination(&server);
    let object = write(&destination, "r/a", &noise(11 << 20), &ATTRIBUTES);
    assert_eq!(server.store().uploads.len(), 1);
    drop(object);
    assert!(server.store().uploads.is_empty());

    let object = write(&destination, "r/b", &noise(11 << 20), &ATTRIBUTES);
    server.faults().choose(|_, _| Some(Fault::AccessDenied));
    let error = object.publish().unwrap_err();
    assert!(error.to_string().contains("403 AccessDenied"), "{error}");
    let left_behind = destination.left_behind();
    assert!(left_behind.len() == 1 && left_behind[0].contains("of r/b: AbortMultipartUpload: 403"), "{left_behind:?}");
}

#[test]
fn another_ones_object_is_never_taken_for_ones_own() {
    let server = server(false, 1000);
    let destination = destination(&server);
    let bytes = noise(6 << 20);
    for (name, bytes) in [("r/a", &bytes[..]), ("r/b", b"x")] {
        let object = write(&destination, name, bytes, &ATTRIBUTES);
        server.store().put("b", name, b"another's");
        // The first attempt's answer is lost, so the refusal of the second has two meanings.
        let lost = AtomicBool::new(false);
        server.faults().choose(move |request, _| {
            let first = request.header("if-none-match").is_some() && !lost.swap(true, Ordering::Relaxed);
            first.then_some(Fault::Reset)
        });
        assert_eq!(object.publish().unwrap_err().kind(), DestinationErrorKind::AlreadyExists, "{name}");
        assert_eq!(&*server.store().current("b", name).unwrap().body, b"another's");
        server.faults().clear();
        write(&destination, name, bytes, &ATTRIBUTES.with_existing(Existing::Replace)).publish().unwrap();
        assert_eq!(&*server.store().current("b", name).unwrap().body, bytes);
    }
}

#[test]
fn the_look_ahead_names_the_permission() {
    let server = server(false, 1000);
    let destination = destination(&server).with_encryption(Some(kms()));
    let steps = destination.check(&key("r/check"));
    assert!(steps.len() == 10 && steps.iter().all(|step| step.fault.is_none()), "{steps:?}");
    let store = server.store();
    assert!(store.objects["b"].is_empty() && store.uploads.is_empty());
    drop(store);
    server.faults().choose(|request, _| {
        (request.method == "DELETE" && !request.query.contains_key("uploadId")).then_some(Fault::AccessDenied)
    });
    let failed: Vec<_> = destination.check(&key("r/check2")).into_iter().filter(|step| step.fault.is_some()).collect();
    assert!(failed.len() == 1 && failed[0].permission.starts_with("s3:DeleteObject"), "{failed:?}");
    let mut options = ServerOptions::default();
    options.encrypts = false;
    let plain = S3Server::start(options).unwrap();
    let steps = super::destination::destination(&plain).with_encryption(Some(kms())).check(&key("r/check"));
    assert!(steps.iter().any(|step| step.operation == "PutObject" && step.fault.is_some()), "{steps:?}");
}

#[test]
fn uploads_that_a_killed_writer_left_are_aborted_by_their_keys() {
    let server = server(false, 1000);
    let destination = destination(&server);
    let bytes = noise((5 << 20) + 1);
    for name in ["r/data/1", "r/data/1", "r/data/10", "r/data/2"] {
        // A writer that is killed neither publishes nor aborts.
        std::mem::forget(write(&destination, name, &bytes, &ATTRIBUTES));
    }
    assert_eq!(server.store().uploads.len(), 4);
    assert_eq!(destination.remove_remains(&[key("r/data/1"), key("r/data/3")]).unwrap(), 2);
    let left: Vec<_> = server.store().uploads.values().map(|upload| upload.key.clone()).collect();
    assert_eq!(left, ["r/data/10", "r/data/2"]);
    server.faults().choose(|request, _| request.query.contains_key("uploads").then_some(Fault::NotImplemented));
    assert_eq!(destination.remove_remains(&[key("r/data/2")]).unwrap(), 0);
    server.faults().choose(|request, _| request.query.contains_key("uploads").then_some(Fault::AccessDenied));
    assert!(destination.remove_remains(&[key("r/data/2")]).is_err());
}
