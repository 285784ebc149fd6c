//! What goes wrong around the verbs that read: nobody takes what they print, files that are made to take all memory.

use crate::support::{Place, Ran, manifest_path, program, scheme, stocktake};
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::Stdio,
};
use stocktake::md5_hex;
use stocktake_testkit::foreign::{
    Cells, KEYS_ALONE, orc_claims, orc_file, parquet_claims, parquet_file, parquet_page_claim,
};

/// Two reports that differ.
fn two(place: &Place, rows: u64) -> [String; 2] {
    ["1", "2"].map(|seed| {
        let ran = place.generate(format!("synthetic:rows={rows},seed={seed}"), &["--id", seed]);
        manifest_path(&ran).display().to_string()
    })
}

/// Every verb that reads a report, in every form that it prints, and its exit code when all is well.
fn readings<'a>(old: &'a str, new: &'a str) -> Vec<(Vec<&'a str>, i32)> {
    vec![
        (vec!["cat", old], 0),
        (vec!["cat", "--header", "--columns", "Key", old], 0),
        (vec!["cat", "--format", "ndjson", old], 0),
        (vec!["diff", old, new], 4),
        (vec!["diff", "--format", "json", old, old], 0),
        (vec!["diff", "--format", "ndjson", old, new], 4),
        (vec!["inspect", old], 0),
        (vec!["inspect", "--json", old], 0),
        (vec!["inspect", "--rows", old], 0),
        (vec!["inspect", "--rows", "--json", old], 0),
        (vec!["ddl", "--for", "athena", old], 0),
        (vec!["ddl", "--for", "duckdb", old], 0),
        (vec!["verify", old], 0),
        (vec!["verify", "--rows", old], 0),
    ]
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_by_every_verb_that_reads() {
    let place = Place::new();
    let [old, new] = two(&place, 3000);
    for (args, code) in readings(&old, &new) {
        assert_eq!(stocktake(&args).code, Some(code), "{args:?}");
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let ran: Ran = program().args(&args).stdout(full).output().unwrap().into();
        assert_eq!(ran.code, Some(1), "{args:?}: {ran:?}");
        assert!(ran.err.starts_with("stocktake: cannot write to standard output: No space left"), "{args:?}: {ran:?}");
        assert_eq!(ran.err.lines().count(), 1, "{ran:?}");
    }
    let ran = stocktake(["inspect", "--html", "/dev/full", &old]);
    ran.failed(1, &["cannot write /dev/full: No space left"]);
}

#[test]
fn a_reader_that_has_gone_away_is_no_failure_of_any_verb_that_reads() {
    let place = Place::new();
    let [old, new] = two(&place, 3000);
    for (args, code) in readings(&old, &new) {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ran: Ran = program().args(&args).stdout(writer).output().unwrap().into();
        assert_eq!((ran.code, ran.err.as_str()), (Some(code), ""), "{args:?}: {ran:?}");
    }
}

/// As `stocktake cat .. | head -1`: more is to be printed than pipe and program hold, and it ends without a word.
#[test]
fn a_reader_that_takes_one_line_ends_the_verb() {
    let place = Place::new();
    let [old, new] = two(&place, 30_000);
    for (args, code) in [
        (vec!["cat", &*old], 0),
        (vec!["cat", "--format", "ndjson", &*old], 0),
        (vec!["diff", "--format", "ndjson", &*old, &*new], 4),
    ] {
        let mut child = program().args(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "{line}");
        let ran: Ran = child.wait_with_output().unwrap().into();
        assert_eq!((ran.code, ran.err.as_str()), (Some(code), ""), "{args:?}: {ran:?}");
    }
}

/// Text in gzip of so many copies of a member: ten gigabytes fit into ten megabytes.
fn bomb(front: &[u8], member: &[u8], copies: usize) -> Vec<u8> {
    let gzip = |text: &[u8]| {
        let mut member = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        member.write_all(text).unwrap();
        member.finish().unwrap()
    };
    let mut bytes = gzip(front);
    bytes.extend(gzip(member).repeat(copies));
    bytes
}

/// A CSV report of one file.
fn csv_report(place: &Place, schema: &str, file: &[u8]) -> PathBuf {
    report_of(place, "CSV", schema, file)
}

/// A report of one file.
fn report_of(place: &Place, format: &str, schema: &str, file: &[u8]) -> PathBuf {
    let key = if format == "CSV" { "photos/daily/data/bomb.csv.gz" } else { "photos/daily/data/bomb" };
    place.write(&format!("inventory/{key}"), file);
    let manifest = format!(
        r#"{{"sourceBucket":"photos","destinationBucket":"arn:aws:s3:::reports","version":"2016-11-30",
        "creationTimestamp":"1795309200000","fileFormat":"{format}","fileSchema":"{schema}",
        "files":[{{"key":"{key}","size":{},"MD5checksum":"{}"}}]}}"#,
        file.len(),
        md5_hex(file)
    );
    let path = place.write("inventory/photos/daily/2026-11-22T01-00Z/manifest.json", &manifest);
    place.write("inventory/photos/daily/2026-11-22T01-00Z/manifest.checksum", md5_hex(manifest.as_bytes()) + "\n");
    path
}

/// Runs the program with so much address space, of which it needs far less than the file would take.
#[cfg(target_os = "linux")]
fn within(mebibytes: u64, args: &[&str]) -> Ran {
    let limited = format!("ulimit -v {}; exec \"$@\"", mebibytes << 10);
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &limited, "sh", env!("CARGO_BIN_EXE_stocktake")]).args(args);
    // Of the address space, each thread's own heap would take 64 MiB.
    command.env("MALLOC_ARENA_MAX", "1").stdin(Stdio::null()).output().unwrap().into()
}

#[cfg(target_os = "linux")]
#[test]
fn ten_gigabytes_in_one_cell_are_refused_with_file_and_row() {
    let row = "\"photos\",\"a\",\"1\",\"\"\n\"photos\",\"b\",\"";
    for (front, member) in [(row, &[b'0'; 1 << 20][..]), ("", &[0; 1 << 20])] {
        let place = Place::new();
        let file = bomb(front.as_bytes(), member, 10_000);
        assert!(file.len() < 20 << 20);
        let manifest = csv_report(&place, "Bucket, Key, Size, Colour", &file);
        let path = manifest.display().to_string();
        let number = if front.is_empty() { 1 } else { 2 };
        let words = format!("row {number}: has more than 4194304 bytes without an end");
        for args in [&["cat", &path][..], &["inspect", "--rows", &path], &["diff", &path, &path]] {
            let ran = within(400, args);
            assert_eq!(ran.code, Some(1), "{args:?}: {ran:?}");
            assert!(ran.err.contains(&format!("photos/daily/data/bomb.csv.gz, {words}")), "{args:?}: {ran:?}");
        }
        let ran = within(400, &["verify", "--rows", &path]);
        assert!(
            ran.code == Some(4) && ran.out.contains(&format!("row {number}: has more than 4194304 bytes")),
            "{ran:?}"
        );
        let destination = place.destination().display().to_string();
        let source = scheme("inventory:", Path::new(&path));
        let ran = within(
            400,
            &["generate", "--threads", "1", "--destination", &destination, "--id", "x", "--source", &source],
        );
        let words = format!("photos/daily/data/bomb.csv.gz: {words}");
        assert!(ran.code == Some(1) && ran.err.contains(&words), "{ran:?}");
        // Its bytes are as the manifest says.
        assert_eq!(within(400, &["verify", &path]).code, Some(0));
    }
}

/// Rows that are each within their limit, of an unknown column: a batch of them would be gigabytes.
#[cfg(target_os = "linux")]
#[test]
fn long_texts_of_unknown_columns_are_printed_in_bounded_memory() {
    let place = Place::new();
    let row = format!("\"photos\",\"k\",\"{}\"\n", "0".repeat(4_000_000));
    let manifest = csv_report(&place, "Bucket, Key, Colour", &bomb(b"", row.as_bytes(), 70));
    let path = manifest.display().to_string();
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "ulimit -v 600000; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_stocktake")]);
    command.args(["cat", "--threads", "1", "--columns", "Key,Colour", &path]).env("MALLOC_ARENA_MAX", "1");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut lines = 0;
    let mut line = Vec::new();
    while out.read_until(b'\n', &mut line).unwrap() > 0 {
        assert_eq!(line.len(), 4_000_007);
        lines += 1;
        line.clear();
    }
    let ran: Ran = child.wait_with_output().unwrap().into();
    assert_eq!((ran.code, ran.err.as_str(), lines), (Some(0), "", 70));
    assert_eq!(within(400, &["inspect", "--rows", "--threads", "1", &path]).code, Some(0));
}

#[test]
fn a_manifest_that_lists_what_cannot_be_is_refused_by_every_verb_that_reads_rows() {
    let place = Place::new();
    let [sound, _] = two(&place, 10);
    let text = fs::read_to_string(&sound).unwrap();
    for (from, to, words) in [
        ("\"synthetic/1/data/", "\"../synthetic/1/data/", "report key \"../synthetic/1/data/"),
        ("\"size\" : ", "\"size\" : 18446744073709551615, \"was\" : ", "18446744073709551615"),
    ] {
        let altered = text.replacen(from, to, 1);
        fs::write(&sound, &altered).unwrap();
        fs::write(sound.replace(".json", ".checksum"), md5_hex(altered.as_bytes()) + "\n").unwrap();
        for (args, _) in readings(&sound, &sound) {
            let ran = stocktake(&args);
            match args[0] {
                "verify" => assert!(ran.code == Some(4) && ran.out.contains(words), "{args:?}: {ran:?}"),
                // What a file's size is, is nobody's business who only names it.
                "ddl" if from.contains("size") => assert_eq!(ran.code, Some(0), "{args:?}: {ran:?}"),
                // A header may be printed before the file is looked at.
                _ => assert!(ran.code == Some(1) && ran.err.contains(words), "{args:?}: {ran:?}"),
            }
        }
    }
}

/// A number of a footer is another, up to 2^60 rows or bytes: the file is refused in bounded memory, or the number means nothing and
/// the rows are those that are there.
#[cfg(target_os = "linux")]
#[test]
fn footers_that_claim_too_much_are_refused_in_bounded_memory() {
    let keys: Vec<String> = (0..200).map(|number| format!("key-{number:04}")).collect();
    let sizes = (0..200).map(Some).collect();
    let cells = [
        Cells::Text(vec![Some("photos"); 200]),
        Cells::Text(keys.iter().map(|key| Some(key.as_str())).collect()),
        Cells::Number(sizes),
        Cells::Text(vec![Some("STANDARD"); 200]),
    ];
    let message = "message s3.inventory {  required binary bucket (STRING);  required binary key (STRING);  optional int64 size;  \
        optional binary storage_class (STRING);}";
    let schema = "struct<bucket:string,key:string,size:bigint,storage_class:string>";
    let parquet = parquet_file(message, &cells).unwrap();
    let names = ["bucket", "key", "size", "storage_class"];
    let orc = orc_file(&names.into_iter().zip(cells).collect::<Vec<_>>()).unwrap();
    let mut refused = 0;
    for claim in [201, 1 << 31, 1 << 36, 1 << 60, u64::MAX] {
        // What writes the footer of Parquet adds its numbers up.
        let of_parquet =
            if claim == u64::MAX { Vec::new() } else { parquet_claims(&parquet, claim.cast_signed()).unwrap() };
        let of_parquet = of_parquet.into_iter().map(|claim| ("Parquet", message, claim));
        let of_orc = orc_claims(&orc, claim).unwrap().into_iter().map(|claim| ("ORC", schema, claim));
        for (format, schema, (name, file)) in of_parquet.chain(of_orc) {
            let place = Place::new();
            let path = report_of(&place, format, schema, &file).display().to_string();
            let ran = within(500, &["cat", "--threads", "1", "--columns", "Key,Bucket,Size,StorageClass", &path]);
            match ran.code {
                Some(0) => {
                    let shown: Vec<_> = ran.out.lines().map(|line| line.split('"').nth(1).unwrap()).collect();
                    assert_eq!(shown, keys, "{format}: {name} {claim}");
                }
                Some(1) => {
                    let one = ran.err.lines().count() == 1 && ran.err.contains("photos/daily/data/bomb");
                    assert!(one, "{format}: {name} {claim}: {ran:?}");
                    refused += 1;
                }
                _ => panic!("{format}: {name} {claim}: {ran:?}"),
            }
        }
    }
    assert!(refused > 70, "{refused}");
}

/// What a page says that it has when it is inflated is not believed beyond what its bytes can stand for, and a long value of a
/// dictionary is not copied for each row that has it.
#[cfg(target_os = "linux")]
#[test]
fn pages_of_parquet_that_take_all_memory_are_refused() {
    let keys: Vec<String> = (0..200).map(|number| format!("key-{number:04}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let run = |schema: &str, file: &[u8]| {
        let place = Place::new();
        let path = report_of(&place, "Parquet", schema, file).display().to_string();
        within(500, &["cat", "--threads", "1", &path])
    };
    let sound = run(KEYS_ALONE, &parquet_page_claim(&keys, 200 * 12).unwrap());
    assert_eq!((sound.code, sound.out.lines().count()), (Some(0), 200), "{sound:?}");
    for claim in [1 << 20, 1 << 28, i32::MAX.unsigned_abs()] {
        let ran = run(KEYS_ALONE, &parquet_page_claim(&keys, claim).unwrap());
        assert!(ran.code == Some(1) && ran.err.contains(&format!("bytes says that it has {claim}")), "{ran:?}");
    }
    let long = "x".repeat(1 << 20);
    let cells = [Cells::Text(keys.iter().map(|key| Some(*key)).collect()), Cells::Text(vec![Some(&long); 200])];
    let schema = "message s3.inventory {  required binary key (STRING);  optional binary e_tag (STRING);}";
    let ran = run(schema, &parquet_file(schema, &cells).unwrap());
    assert!(ran.code == Some(1) && ran.err.contains("a value has 1048576 bytes; at most 65536 are taken"), "{ran:?}");
}
