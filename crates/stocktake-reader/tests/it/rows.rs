use crate::support::{FORMATS, Stored, source, spec, threads};
use stocktake::{
    Field, FieldSet, FileFormat, ManifestLocation, ObjectBatchBuilder, Order, RowDigest, VerifyOptions, Versions,
    parse_receipts, sources::RowsSource, verify,
};
use stocktake_reader::{RowFaultKind, RowsReport, verify_rows};
use stocktake_testkit::{
    rows::{Row, Value, rows_of},
    source::MemorySource,
};

fn checked(stored: &Stored) -> RowsReport {
    verify_rows(&stored.open().unwrap(), &threads(2), &Default::default()).unwrap()
}

fn kinds(report: &RowsReport) -> Vec<RowFaultKind> {
    report.faults.iter().map(|fault| fault.kind).collect()
}

fn digest_of(stored: &Stored) -> RowDigest {
    let receipts = stored.manifest.as_str().replace("manifest.json", "receipts.ndjson");
    let text = stored.destination.get(&crate::support::key(&receipts)).unwrap();
    parse_receipts(&text).unwrap().0.row_digest.unwrap()
}

#[test]
fn a_sound_report_is_proven() {
    for format in FORMATS {
        for rows in [0, 1, 6000] {
            let stored = Stored::synthetic(format, rows);
            let report = checked(&stored);
            assert_eq!(
                (report.faults.as_slice(), report.rows, report.digest_kept),
                (&[][..], rows, true),
                "{format:?}"
            );
            assert_eq!(report.row_digest, digest_of(&stored));
        }
    }
}

#[test]
fn the_digest_depends_on_rows_alone() {
    let mut digests = Vec::new();
    for format in FORMATS {
        for (chunk_rows, shard_bytes) in [(700, 60_000), (50, 1), (100_000, 1 << 30)] {
            let spec = spec(format).with_chunk_rows(chunk_rows).with_shard_target_bytes(shard_bytes);
            digests.push(digest_of(&Stored::write(&source(4000), &spec.build().unwrap())));
        }
    }
    assert!(digests.iter().all(|digest| *digest == digests[0]), "{digests:?}");
    assert_ne!(digests[0], digest_of(&Stored::synthetic(FileFormat::Csv, 4001)));
}

/// Rewrites the first file of a report with altered rows, as the report's own writer would, and computes MD5 anew.
fn with_altered_rows(format: FileFormat, alter: impl Fn(&mut Vec<Row>)) -> Stored {
    let stored = Stored::synthetic(format, 4000);
    let options = threads(1).with_files(vec![0]);
    let mut rows: Vec<Row> = Vec::new();
    for batch in stored.open().unwrap().read(&options).unwrap() {
        rows.extend(rows_of(&batch.unwrap().rows));
    }
    alter(&mut rows);
    let spec = spec(format).with_order(Order::AsDelivered).with_shard_target_bytes(1 << 30).build().unwrap();
    let rewritten = Stored::write(&MemorySource::new(rows, crate::support::all_fields()), &spec);
    assert_eq!(rewritten.manifest().files.len(), 1);
    stored.replace_file(0, &rewritten.file(0));
    stored
}

#[test]
fn altered_rows_fail_although_every_md5_is_right() {
    for format in FORMATS {
        let stored = with_altered_rows(format, |rows| rows[17].set(Field::Size, Value::Int(1)));
        // Receipts still have the old size and MD5: whoever is careful alters them too.
        let receipts = crate::support::key(&stored.manifest.as_str().replace("manifest.json", "receipts.ndjson"));
        let text = String::from_utf8(stored.destination.get(&receipts).unwrap().to_vec()).unwrap();
        let (_, old) = parse_receipts(text.as_bytes()).unwrap();
        let (old, new) = (old[0].file.clone().unwrap(), stored.manifest().files[0].clone());
        let text = text
            .replace(&old.md5, &new.md5_checksum)
            .replace(&format!("\"size_bytes\":{}", old.size_bytes), &format!("\"size_bytes\":{}", new.size));
        stored.put(&receipts, text.as_bytes());
        let location = ManifestLocation::new(&stored.destination, stored.manifest.clone());
        let bytes = verify(&location, &VerifyOptions::new(std::num::NonZeroUsize::MIN)).unwrap();
        assert!(bytes.is_sound(), "{bytes:?}");

        let report = checked(&stored);
        assert_eq!(kinds(&report), [RowFaultKind::Digest; 2], "{format:?}: {report:?}");
        assert_eq!(report.faults[0].key, new.key);
        assert!(report.faults[0].detail.ends_with("they were altered"), "{report:?}");
        assert_eq!(report.faults[1].key, stored.manifest.as_str());
    }
}

#[test]
fn what_else_can_be_done_to_rows_is_found_too() {
    for format in FORMATS {
        let lost = checked(&with_altered_rows(format, |rows| drop(rows.remove(5))));
        assert_eq!(
            kinds(&lost),
            [RowFaultKind::Rows, RowFaultKind::Digest, RowFaultKind::Rows, RowFaultKind::Digest],
            "{lost:?}"
        );
        let doubled = checked(&with_altered_rows(format, |rows| rows[6] = rows[5].clone()));
        assert!(kinds(&doubled).starts_with(&[RowFaultKind::Duplicate, RowFaultKind::Digest]), "{doubled:?}");
        assert!(doubled.faults[0].detail.starts_with("row 7: key "), "{doubled:?}");
        let swapped = checked(&with_altered_rows(format, |rows| rows.swap(3, 600)));
        assert_eq!(kinds(&swapped), [RowFaultKind::Order], "the digest does not know order: {swapped:?}");
        let last = checked(&with_altered_rows(format, |rows| rows.push(Row::new("\u{ffff}"))));
        let wanted = [RowFaultKind::Rows, RowFaultKind::Digest, RowFaultKind::Range, RowFaultKind::Overlap];
        assert!(kinds(&last).starts_with(&wanted), "{last:?}");
    }
}

#[test]
fn exchanged_files_are_found() {
    for format in FORMATS {
        let stored = Stored::synthetic(format, 4000);
        let (first, second) = (stored.file(0), stored.file(1));
        stored.replace_file(0, &second);
        stored.replace_file(1, &first);
        let report = checked(&stored);
        assert!(
            kinds(&report).contains(&RowFaultKind::Overlap) && kinds(&report).contains(&RowFaultKind::Digest),
            "{report:?}"
        );
    }
}

#[test]
fn a_file_that_cannot_be_read_is_one_fault_and_the_others_are_checked() {
    for format in FORMATS {
        let stored = Stored::synthetic(format, 4000);
        stored.replace_file(1, b"nothing of the kind");
        let report = checked(&stored);
        assert_eq!(kinds(&report), [RowFaultKind::Unreadable], "{report:?}");
        let files = stored.manifest().files.len() as u64;
        assert_eq!(report.files, files);
        let skipped = [stored.manifest().files[1].key.clone()].into();
        let report = verify_rows(&stored.open().unwrap(), &threads(1), &skipped).unwrap();
        assert!(report.is_sound() && report.files == files - 1, "{report:?}");
    }
}

#[test]
fn a_key_with_more_versions_than_a_chunk_is_no_duplicate() {
    let fields = FieldSet::REQUIRED.union(FieldSet::VERSION_FIELDS);
    for format in FORMATS {
        let mut next = 0;
        let source = RowsSource::new(fields, move |batch: &mut ObjectBatchBuilder| {
            next += 1;
            batch.row("k").version(&format!("v{next}"), next == 1, false).finish()?;
            Ok(next < 30_000)
        });
        let spec = spec(format).with_fields(fields).with_versions(Versions::All).build().unwrap();
        let report = checked(&Stored::write(&source, &spec));
        assert!(report.is_sound() && report.rows == 30_000, "{report:?}");
    }
}

#[test]
fn a_report_without_digests_is_checked_for_the_rest() {
    let spec = spec(FileFormat::Csv).with_row_digest(false).build().unwrap();
    let report = checked(&Stored::write(&source(2000), &spec));
    assert!(report.is_sound() && !report.digest_kept, "{report:?}");
}
