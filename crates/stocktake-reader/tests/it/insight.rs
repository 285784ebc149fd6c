//! What an insight says is compared with sums over the source's own rows.

use crate::support::{FORMATS, Stored, gzip, rows_of_source, source, spec, threads};
use std::collections::BTreeMap;
use stocktake::{Field, FieldSet, FileFormat, Timestamp};
use stocktake_reader::{Amount, FindingKind, Insight, InsightOptions, ReadErrorKind, Share, TableStyle, insight};
use stocktake_testkit::rows::{Row, Value};

const ROWS: u64 = 9_000;

fn made(stored: &Stored, count: usize) -> Insight {
    let options = InsightOptions::default().with_read(threads(count)).with_list(1000).with_depth(4);
    insight(&stored.open().unwrap(), &options).unwrap()
}

fn is(row: &Row, field: Field, value: bool) -> bool {
    row.value(field) == Some(&Value::Bool(value))
}

fn bytes(row: &Row) -> u64 {
    match row.value(Field::Size) {
        Some(Value::Int(size)) => u64::try_from(*size).unwrap(),
        _ => 0,
    }
}

fn text(row: &Row, field: Field) -> String {
    match row.value(field) {
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Bool(value)) => value.to_string(),
        _ => String::new(),
    }
}

/// Objects, bytes and non-current bytes by name, one by one.
fn counted(rows: &[Row], name: impl Fn(&Row) -> Option<String>) -> BTreeMap<String, (u64, u64, u64)> {
    let mut all: BTreeMap<_, (u64, u64, u64)> = BTreeMap::new();
    for row in rows.iter().filter(|row| !is(row, Field::IsDeleteMarker, true)) {
        let Some(name) = name(row) else { continue };
        let sum = all.entry(name).or_default();
        sum.0 += 1;
        sum.1 += bytes(row);
        sum.2 += if is(row, Field::IsLatest, false) { bytes(row) } else { 0 };
    }
    all
}

fn told<'a>(shares: impl IntoIterator<Item = &'a Share>) -> BTreeMap<String, (u64, u64, u64)> {
    let numbers = |tally: Amount| (tally.objects, tally.bytes, tally.noncurrent_bytes);
    shares.into_iter().map(|share| (share.name.clone(), numbers(share.tally))).collect()
}

#[test]
fn sums_are_those_of_the_rows_in_every_format_with_any_number_of_threads() {
    let rows = rows_of_source(&source(ROWS));
    let markers = rows.iter().filter(|row| is(row, Field::IsDeleteMarker, true));
    let mut first: Option<Insight> = None;
    for format in FORMATS {
        let stored = Stored::synthetic(format, ROWS);
        for count in [1, 3] {
            let found = made(&stored, count);
            assert_eq!((found.rows, found.columns_absent.len()), (ROWS, 0));
            let all = counted(&rows, |_| Some(String::new()));
            let total = found.total;
            assert_eq!((total.objects, total.bytes, total.noncurrent_bytes), all[""]);
            assert_eq!(found.delete_markers, Some(markers.clone().count() as u64));
            let latest = markers.clone().filter(|row| is(row, Field::IsLatest, true)).count() as u64;
            assert_eq!(found.latest_delete_markers, Some(latest));
            let classes = found.storage_classes.iter().map(|class| &class.share);
            assert_eq!(told(classes), counted(&rows, |row| Some(text(row, Field::StorageClass))));
            for values in found.values.iter().filter(|values| values.others == 0) {
                let expected = counted(&rows, |row| Some(text(row, values.field)));
                assert_eq!(told(&values.values), expected, "{}", values.field);
            }
            for ranking in &found.prefixes {
                let expected = counted(&rows, |row| {
                    let (end, _) = row.key().match_indices('/').nth(ranking.depth - 1)?;
                    Some(row.key()[..=end].to_owned())
                });
                assert!(ranking.ranking.exact);
                assert_eq!(ranking.ranking.distinct, expected.len() as u64, "depth {}", ranking.depth);
                for share in &ranking.ranking.by_bytes {
                    assert_eq!(expected[&share.name].1, share.tally.bytes);
                }
                let mut sums: Vec<u64> = expected.values().map(|sums| sums.1).collect();
                sums.sort_unstable_by(|one, two| two.cmp(one));
                sums.truncate(1000);
                let leading = ranking.ranking.by_bytes.iter().map(|share| share.tally.bytes);
                assert_eq!(leading.collect::<Vec<_>>(), sums, "depth {}", ranking.depth);
            }
            for parts in [&found.ages, &found.sizes] {
                assert_eq!(parts.iter().map(|share| share.tally.objects).sum::<u64>(), total.objects);
                assert_eq!(parts.iter().map(|share| share.tally.bytes).sum::<u64>(), total.bytes);
            }
            let largest = rows.iter().map(bytes).max();
            assert_eq!(found.largest[0].bytes, largest);
            let mut as_first = found;
            (as_first.format, as_first.manifest) = (FileFormat::Csv, String::new());
            assert_eq!(first.get_or_insert_with(|| as_first.clone()), &as_first, "{format:?}, {count} threads");
        }
    }
}

#[test]
fn what_a_report_lacks_is_not_known() {
    for format in FORMATS {
        let few =
            spec(format).with_versions(stocktake::Versions::Current).with_fields(FieldSet::REQUIRED).build().unwrap();
        let found = made(&Stored::write(&source(500), &few), 2);
        assert_eq!((found.noncurrent_objects, found.delete_markers, found.duplicates.as_ref()), (None, None, None));
        assert!(found.columns_absent.contains(&Field::Size) && found.columns_absent.contains(&Field::ETag));
        assert_eq!(found.sizes.last().unwrap().tally.objects, found.total.objects);
        let text = found.table(TableStyle::new(80, false));
        assert!(text.contains("Not in the report, so not known: Size, LastModifiedDate,"), "{text}");
    }
}

#[test]
fn an_empty_report_has_nothing() {
    for format in FORMATS {
        let found = made(&Stored::synthetic(format, 0), 2);
        assert_eq!((found.rows, found.total, found.findings.len()), (0, Amount::default(), 0));
        assert!(found.html().contains("The bucket is empty."));
        assert!(found.table(TableStyle::new(0, false)).contains("0 objects, 0 B\n"));
    }
}

/// A CSV report of S3 without receipts, whose keys are in no order and hostile.
fn delivered() -> Stored {
    let rows = [
        r#""b","z%2F1.txt","1000","2026-11-21T00:00:00.000Z","aa","STANDARD""#,
        r#""b","%3Cscript%3Ealert%281%29%3C%2Fscript%3E%2F%1B%5B31m","70000","2025-01-01T00:00:00.000Z","bb","STANDARD""#,
        r#""b","%E2%80%AEgpj.exe","5","2026-11-21T00:00:00.000Z","","STANDARD_IA""#,
        r#""b","z%2F2.TXT","1000","2026-11-21T00:00:00.000Z","aa","STANDARD""#,
        r#""b","a%2Fx","7","","cc","""#,
        r#""b","z%2F0","1000","2026-11-21T00:00:00.000Z","aa","GLACIER_IR""#,
    ];
    let parts = [rows[..3].join("\n") + "\n", rows[3..].join("\n") + "\n"];
    let schema = "Bucket, Key, Size, LastModifiedDate, ETag, StorageClass";
    Stored::of_files(
        FileFormat::Csv,
        schema,
        &[("b/id/data/1.csv.gz", gzip(&[&parts[0]])), ("b/id/data/2.csv.gz", gzip(&[&parts[1]]))],
    )
}

#[test]
fn keys_in_no_order_are_counted_and_copies_found() {
    for count in [1, 2] {
        let found = made(&delivered(), count);
        let first = &found.prefixes[0].ranking;
        assert!(first.exact);
        assert_eq!(told(&first.by_bytes)["z/"], (3, 3000, 0));
        assert_eq!(told(&found.extensions.by_bytes)["txt"], (2, 2000, 0));
        let copies = found.duplicates.clone().unwrap();
        assert_eq!((copies.contents, copies.bytes, copies.exact), (1, 2000, true));
        assert_eq!((&*copies.leading[0].key, copies.leading[0].objects), ("z/0", 3));
        let finding = |kind| {
            found.findings.iter().find(|finding| finding.kind == kind).map(|finding| (finding.objects, finding.bytes))
        };
        assert_eq!(finding(FindingKind::OldInStandard), Some((1, 70_000)));
        assert_eq!(finding(FindingKind::SmallInInfrequentAccess), Some((2, 2 * 131_072 - 1005)));
        assert_eq!(finding(FindingKind::Unencrypted), None);
    }
}

#[test]
fn hostile_names_draw_nothing() {
    let found = made(&delivered(), 1);
    let page = found.html();
    assert!(!page.contains("<script") && page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    for shown in [page, found.table(TableStyle::new(80, false))] {
        assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'));
        assert!(shown.contains("\\u{202e}gpj.exe"));
    }
    for width in [1, 60, 80, 133, 400] {
        let table = found.table(TableStyle::new(width, false));
        assert!(table.lines().all(|line| line.chars().count() <= width.clamp(60, 140)), "{table}");
        assert!(found.table(TableStyle::new(width, true)).contains("\u{1b}[1m"));
    }
}

#[test]
fn ages_are_those_when_the_report_was_made() {
    let found = made(&Stored::synthetic(FileFormat::Csv, 300), 1);
    assert_eq!(found.created_at.as_deref(), Some("2026-11-22T01:00:00.000Z"));
    let rows = rows_of_source(&source(300));
    let at = Timestamp::parse("2026-11-22T01:00:00Z").unwrap().ms();
    let old = counted(&rows, |row| match row.value(Field::LastModifiedDate) {
        Some(Value::Int(ms)) => Some((at - ms >= 1095 * 86_400_000).to_string()),
        _ => None,
    });
    let told = found.ages.iter().find(|share| share.name == "3 years and more").unwrap().tally;
    assert_eq!(told.bytes, old.get("true").map_or(0, |sums| sums.1));
}

#[test]
fn faults_and_wrong_options_are_errors() {
    for format in FORMATS {
        let stored = Stored::synthetic(format, ROWS);
        let last = stored.manifest().files.len() - 1;
        let mut bytes = stored.file(last);
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x55;
        stored.put(&crate::support::key(&stored.manifest().files[last].key), &bytes);
        let report = stored.open().unwrap();
        for count in [1, 3] {
            let error = insight(&report, &InsightOptions::default().with_read(threads(count))).unwrap_err();
            assert!(error.to_string().contains(&stored.manifest().files[last].key), "{error}");
        }
        let options = InsightOptions::default();
        options.read.cancel.cancel();
        assert_eq!(insight(&report, &options).unwrap_err().kind(), ReadErrorKind::Cancelled);
    }
    let report = Stored::synthetic(FileFormat::Csv, 1).open().unwrap();
    for options in [
        InsightOptions::default().with_depth(0),
        InsightOptions::default().with_depth(9),
        InsightOptions::default().with_list(0),
        InsightOptions::default().with_list(1001),
        InsightOptions::default().with_delimiter('é'),
    ] {
        assert_eq!(insight(&report, &options).unwrap_err().kind(), ReadErrorKind::Unsupported);
    }
}
