//! Envelopes written, read, and tampered with.

use super::*;
use crate::keys::LocalKeyService;
use std::io::{Read, Write};
use stocktake::{
    Destination, ENVELOPE_SUFFIX, Existing, ObjectAttributes, ReportKey, ReportStore, ServerSideEncryption,
    destinations::MemoryDestination, md5_hex,
};

fn keys() -> LocalKeyService {
    LocalKeyService::parse(&format!("main {}\nother {}", "11".repeat(32), "22".repeat(32))).unwrap()
}

fn key(name: &str) -> ReportKey {
    ReportKey::try_new(name).unwrap()
}

fn data(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at * 31 % 251).unwrap()).collect()
}

fn put(destination: &dyn Destination, name: &str, bytes: &[u8]) -> Option<(u64, String)> {
    let attributes = ObjectAttributes::new("text/plain").with_existing(Existing::Replace);
    let mut object = destination.create(&key(name), &attributes).unwrap();
    // In pieces of odd sizes.
    for piece in bytes.chunks(10_007) {
        object.write_all(piece).unwrap();
    }
    object.flush().unwrap();
    object.publish_stored().unwrap().map(|digest| (digest.size_bytes, digest.md5))
}

fn read(store: &dyn ReportStore, name: &str, range: std::ops::Range<u64>) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut reader = store.open_range(&key(name), range).map_err(std::io::Error::other)?;
    reader.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[test]
fn what_was_written_comes_back_and_its_digest_is_the_stored_one() {
    let (memory, keys) = (MemoryDestination::new(), keys());
    let destination = EnvelopeDestination::try_new(&memory, &keys, None).unwrap();
    for length in [0, 1, SEGMENT_BYTES - 1, SEGMENT_BYTES, SEGMENT_BYTES + 1, 3 * SEGMENT_BYTES, 3 * SEGMENT_BYTES + 5]
    {
        let bytes = data(length);
        let stored = put(&destination, "d/a.enc", &bytes).unwrap();
        let sealed = memory.get(&key("d/a.enc")).unwrap();
        assert_eq!(stored, (sealed.len() as u64, md5_hex(&sealed)));
        let store = EnvelopeStore::new(&memory, &keys);
        assert_eq!(store.head(&key("d/a.enc")).unwrap().unwrap().size_bytes, length as u64);
        assert_eq!(read(&store, "d/a.enc", 0..length as u64).unwrap(), bytes);
        let length = length as u64;
        for start in [0, 1, 65_535, 65_536, 65_537, length].into_iter().filter(|start| *start <= length) {
            for end in [start, start + 1, 131_072, length].into_iter().filter(|end| (start..=length).contains(end)) {
                let wanted = &bytes[usize::try_from(start).unwrap()..usize::try_from(end).unwrap()];
                assert_eq!(read(&store, "d/a.enc", start..end).unwrap(), wanted, "{start}..{end} of {length}");
            }
        }
        assert!(read(&store, "d/a.enc", 0..length + 1).is_err());
    }
}

#[test]
fn names_without_the_suffix_pass_as_they_are() {
    let (memory, keys) = (MemoryDestination::new(), keys());
    let destination = EnvelopeDestination::try_new(&memory, &keys, None).unwrap();
    assert_eq!(put(&destination, "manifest.json", b"{}"), None);
    assert_eq!(&*memory.get(&key("manifest.json")).unwrap(), b"{}");
    assert_eq!(read(&EnvelopeStore::new(&memory, &keys), "manifest.json", 0..2).unwrap(), b"{}");
    assert!("x.csv.gz.enc".ends_with(ENVELOPE_SUFFIX));
}

#[test]
fn nothing_that_was_changed_moved_or_cut_off_opens() {
    let (memory, keys) = (MemoryDestination::new(), keys());
    let destination = EnvelopeDestination::try_new(&memory, &keys, None).unwrap();
    let bytes = data(2 * SEGMENT_BYTES + 100);
    put(&destination, "a.enc", &bytes);
    let sealed = memory.get(&key("a.enc")).unwrap().to_vec();
    let header = sealed.len() - bytes.len() - 3 * TAG_BYTES;
    let whole = |sealed: &[u8], name: &str| {
        put(&memory, name, sealed);
        let store = EnvelopeStore::new(&memory, &keys);
        let size = store.head(&key(name)).ok().flatten().map(|stored| stored.size_bytes)?;
        read(&store, name, 0..size).ok()
    };
    assert_eq!(whole(&sealed, "a.enc"), Some(bytes.clone()));
    assert_eq!(whole(&sealed, "copied/elsewhere/a.enc"), Some(bytes));
    assert_eq!(whole(&sealed, "b.enc"), None);
    let places = (0..header).chain((header..sealed.len()).step_by(9973)).chain([sealed.len() - 1]);
    for place in places {
        let mut changed = sealed.clone();
        changed[place] ^= 1;
        assert_eq!(whole(&changed, "a.enc"), None, "byte {place}");
    }
    for cut in [0, 5, 12, header, header + 15, header + SEGMENT_BYTES + TAG_BYTES, sealed.len() - 1] {
        assert_eq!(whole(&sealed[..cut], "a.enc"), None, "cut at {cut}");
    }
    let segment = SEGMENT_BYTES + TAG_BYTES;
    let (first, second) = (header..header + segment, header + segment..header + 2 * segment);
    let swapped = [&sealed[..header], &sealed[second.clone()], &sealed[first], &sealed[second.end..]].concat();
    assert_eq!(whole(&swapped, "a.enc"), None);
}

#[test]
fn no_two_objects_or_attempts_share_a_key() {
    let (memory, keys) = (MemoryDestination::new(), keys());
    let destination = EnvelopeDestination::try_new(&memory, &keys, None).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for name in ["a.enc", "a.enc", "b.enc", "b.enc"] {
        put(&destination, name, &data(100));
        let sealed = memory.get(&key(name)).unwrap();
        assert!(seen.insert(sealed[sealed.len() - 100 - TAG_BYTES..].to_vec()));
    }
    // Another report has another data key.
    let other = EnvelopeDestination::try_new(&memory, &keys, None).unwrap();
    put(&other, "a.enc", &data(100));
    let text = |name: &str| String::from_utf8_lossy(&memory.get(&key(name)).unwrap()).into_owned();
    let wrapped =
        |name: &str| text(name).split("wrapped_key\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_ne!(wrapped("a.enc"), wrapped("b.enc"));
}

#[test]
fn the_key_is_the_one_that_is_asked_for() {
    let (memory, keys) = (MemoryDestination::new(), keys());
    let kms = |key_id: &str| ServerSideEncryption::SseKms { key_id: key_id.into(), bucket_key: false };
    let destination = EnvelopeDestination::try_new(&memory, &keys, Some(&kms("other"))).unwrap();
    // The encryption asked for is done here; the memory destination would refuse it.
    let attributes = ObjectAttributes::new("text/plain").with_encryption(Some(kms("other")));
    destination.create(&key("a.enc"), &attributes).unwrap().publish().unwrap();
    destination.create(&key("manifest.json"), &attributes).unwrap().publish().unwrap();
    assert!(String::from_utf8_lossy(&memory.get(&key("a.enc")).unwrap()).contains("\"key_id\":\"other\""));
    assert!(EnvelopeDestination::try_new(&memory, &keys, Some(&kms("third"))).is_err());
    let main = LocalKeyService::parse(&format!("main {}", "11".repeat(32))).unwrap();
    assert!(read(&EnvelopeStore::new(&memory, &main), "a.enc", 0..0).is_err());
}

#[test]
fn a_destination_that_continues_has_the_data_key_of_what_is_there() {
    let (memory, keys) = (MemoryDestination::new(), keys());
    let fresh = || EnvelopeDestination::try_new(&memory, &keys, None).unwrap();
    put(&fresh(), "journal/begin.enc", b"begun");
    let continued = fresh().continuing(&key("journal/begin.enc")).unwrap();
    put(&continued, "data/1.enc", b"rows");
    put(&fresh().continuing(&key("journal/absent.enc")).unwrap(), "data/2.enc", b"rows");
    let member = |name: &str, member: &str| {
        let sealed = String::from_utf8_lossy(&memory.get(&key(name)).unwrap()).into_owned();
        sealed.split(&format!("{member}\":\"")).nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    assert_eq!(member("data/1.enc", "wrapped_key"), member("journal/begin.enc", "wrapped_key"));
    assert_ne!(member("data/1.enc", "salt"), member("journal/begin.enc", "salt"));
    assert_ne!(member("data/2.enc", "wrapped_key"), member("journal/begin.enc", "wrapped_key"));
    let contents = continued.contents().unwrap();
    assert_eq!(read(contents, "data/1.enc", 0..4).unwrap(), b"rows");
    assert_eq!(read(contents, "journal/begin.enc", 0..5).unwrap(), b"begun");
    // Another key file cannot continue it.
    let other = LocalKeyService::parse(&format!("main {}", "33".repeat(32))).unwrap();
    let other = EnvelopeDestination::try_new(&memory, &other, None).unwrap();
    assert!(other.continuing(&key("journal/begin.enc")).is_err());
}
