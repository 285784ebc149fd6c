//! `config`, `policy`, `run`, and `generate --config`.

use crate::support::{Place, Ran, stocktake};
use serde_json::Value;
use std::{fs, path::Path};

pub(crate) const DAILY: &str = r#"{"Destination":{"S3BucketDestination":{"Bucket":"arn:aws:s3:::reports","Format":"CSV",
    "Prefix":"inv/"}},"IsEnabled":true,"Filter":{"Prefix":"a/"},"Id":"daily","IncludedObjectVersions":"Current",
    "OptionalFields":["Size"],"Schedule":{"Frequency":"Daily"}}"#;

pub(crate) fn encrypted() -> String {
    DAILY.replace("\"Prefix\":\"inv/\"", "\"Encryption\":{\"SSEKMS\":{\"KeyId\":\"main\"}}")
}

fn run(words: &[&str], paths: &[(&str, &Path)]) -> Ran {
    let mut all: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
    for (name, path) in paths {
        if !name.is_empty() {
            all.push((*name).to_owned());
        }
        all.push(path.to_str().unwrap().to_owned());
    }
    stocktake(all)
}

fn json(text: &str) -> Value {
    serde_json::from_str(text.lines().last().unwrap()).unwrap()
}

#[test]
fn a_document_is_checked_in_either_form() {
    let place = Place::new();
    let file = place.write("daily.json", DAILY);
    let valid = run(&["config", "validate"], &[("", &file)]);
    assert_eq!((valid.code, json(&valid.out)["id"].as_str()), (Some(0), Some("daily")), "{valid:?}");
    let xml = run(&["config", "show", "--as", "xml"], &[("", &file)]);
    assert!(xml.out.contains("<Prefix>inv/</Prefix>"), "{xml:?}");
    let file = place.write("daily.xml", &xml.out);
    assert_eq!(run(&["config", "validate"], &[("", &file)]).code, Some(0));
    let again = run(&["config", "show", "--as", "json"], &[("", &file)]);
    assert_eq!(serde_json::from_str::<Value>(&again.out).unwrap(), serde_json::from_str::<Value>(DAILY).unwrap());
    let table = run(&["config", "show"], &[("", &file)]);
    assert!(table.out.contains("Destination.Prefix      inv/\n"), "{}", table.out);
}

#[test]
fn a_refused_document_says_s3_s_code_and_the_element() {
    let place = Place::new();
    for (from, to, words) in [
        ("arn:aws:s3:::reports", "reports", ["InvalidS3DestinationBucket", "Destination.S3BucketDestination.Bucket"]),
        ("\"Daily\"", "\"Hourly\"", ["MalformedXML", "Schedule.Frequency"]),
        ("\"Id\":\"daily\"", "\"Id\":\"a b\"", ["MalformedXML", "Id is"]),
        ("inv/", "a//b", ["InvalidArgument", "Destination.S3BucketDestination.Prefix"]),
        ("{\"Destination\"", "{", ["MalformedXML", "the document is not JSON"]),
    ] {
        let file = place.write("daily.json", DAILY.replace(from, to));
        run(&["config", "validate"], &[("", &file)]).failed(1, &words);
    }
    let file = place.write("daily.json", DAILY.replace("\"Daily\"", "\"Hourly\""));
    assert_eq!(run(&["config", "validate", "--extended-frequencies"], &[("", &file)]).code, Some(0));
    run(&["config", "validate"], &[("", &place.path("absent"))]).failed(1, &["cannot read"]);
}

#[test]
fn next_runs_are_listed() {
    let place = Place::new();
    let file = place.write("weekly.json", DAILY.replace("\"Daily\"", "\"Weekly\""));
    let next = run(&["config", "next-run", "--since", "2026-11-25T13:37:00Z", "--count", "3"], &[("", &file)]);
    let due = ["2026-11-25T13:00:00.000Z", "2026-11-29T01:00:00.000Z", "2026-12-06T01:00:00.000Z"];
    assert_eq!(next.out.lines().take(3).collect::<Vec<_>>(), due);
    assert_eq!(json(&next.out)["due"][2], due[2]);
}

#[test]
fn a_report_is_generated_by_a_configuration() {
    let place = Place::new();
    place.write("photos/a/1.txt", "one");
    place.write("photos/a/2.txt", "two");
    place.write("photos/b/3.txt", "three");
    let file = place.write("daily.json", DAILY);
    let options = ["--config", file.to_str().unwrap()];
    let summary = place.generate(place.path("photos"), &options).summary();
    assert_eq!(summary["rows"], 2);
    assert_eq!(summary["manifest"], "inv/photos/daily/2026-11-22T01-00Z/manifest.json");
    let manifest = fs::read_to_string(summary["manifest_path"].as_str().unwrap()).unwrap();
    assert!(manifest.contains("\"arn:aws:s3:::reports\"") && manifest.contains("\"Bucket, Key, Size\""), "{manifest}");
    // What the configuration says is not said twice.
    place.generate(place.path("photos"), &[&options[..], &["--id", "x"]].concat()).failed(2, &["--id"]);
    // A column that a directory does not have.
    let file = place.write("owner.json", DAILY.replace("\"Size\"", "\"ObjectOwner\"").replace("daily", "owner"));
    let options = ["--config", file.to_str().unwrap()];
    place.generate(place.path("photos"), &options).failed(1, &["InvalidArgument", "does not provide ObjectOwner"]);
    let empty = place.generate(place.path("photos"), &[&options[..], &["--missing-columns", "empty"]].concat());
    assert_eq!(empty.summary()["rows"], 2);
}

#[test]
fn a_report_is_never_written_less_protected_than_asked() {
    let place = Place::new();
    place.write("photos/a/secret-name", "x");
    let file = place.write("daily.json", encrypted());
    let options = ["--config", file.to_str().unwrap()];
    place.generate(place.path("photos"), &options).failed(1, &["SSE-KMS with the key main", "--key-file"]);
    let keys = place.write("keys.txt", format!("main {}\n", "11".repeat(32)));
    let with_keys = [&options[..], &["--key-file", keys.to_str().unwrap()]].concat();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&keys, fs::Permissions::from_mode(0o644)).unwrap();
        place.generate(place.path("photos"), &with_keys).failed(1, &["may be read by others"]);
        fs::set_permissions(&keys, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let summary = place.generate(place.path("photos"), &with_keys).summary();
    let manifest = summary["manifest_path"].as_str().unwrap();
    assert!(fs::read_to_string(manifest).unwrap().contains(".csv.gz.enc\""));
    assert_eq!(stocktake(["verify", manifest]).code, Some(0));
    assert!(!place.destination().join("photos/daily/hive").exists());
}

#[test]
fn policies_are_printed_merged_and_checked() {
    let place = Place::new();
    let file = place.write("daily.json", encrypted());
    let of = ["--bucket", "photos", "--account", "111111111111"];
    let policy = run(&[&["policy", "destination"][..], &of].concat(), &[("--config", &file)]);
    assert!(policy.out.contains("\"Resource\": \"arn:aws:s3:::reports/*\""), "{policy:?}");
    let policy = place.write("policy.json", &policy.out);
    let again = run(&[&["policy", "destination"][..], &of].concat(), &[("--config", &file), ("--merge", &policy)]);
    assert_eq!(again.out, fs::read_to_string(&policy).unwrap());
    let key = run(&[&["policy", "kms", "--dialect", "2019"][..], &of].concat(), &[("--config", &file)]);
    assert!(key.out.contains("kms:GenerateDataKey*"), "{key:?}");
    let key = place.write("key.json", &key.out);
    let check = |paths: &[(&str, &Path)], more: &[&str]| {
        run(&[&["policy", "check"][..], &of, more].concat(), &[&[("--config", file.as_path())][..], paths].concat())
    };
    let allowed = check(&[("--policy", &policy), ("--key-policy", &key)], &[]);
    assert_eq!((allowed.code, json(&allowed.out)["status"].as_str()), (Some(0), Some("allowed")), "{allowed:?}");
    let missing = check(&[], &[]);
    assert_eq!(missing.code, Some(4));
    assert_eq!(json(&missing.out)["destination"]["policy_to_add"]["Statement"][0]["Action"], "s3:PutObject");
    let far = check(&[("--policy", &policy)], &["--region", "eu-west-1", "--destination-region", "eu-west-2"]);
    assert!(far.code == Some(4) && far.out.contains("reports stay in one Region"), "{far:?}");
    let bad = place.write("bad.json", "{}");
    check(&[("--policy", &bad)], &[]).failed(1, &["bad.json", "has no Statement"]);
}

#[test]
fn due_reports_of_a_store_are_made_once() {
    let place = Place::new();
    place.write("data/photos/a/1.txt", "one");
    let listing = "{\"key\":\"a/1\",\"size\":1}\n";
    place.write("data/listing.ndjson", listing);
    let sources = place.write(
        "data/sources.toml",
        "[destinations]\nreports = \"out\"\n[sources.photos]\nsource = \"photos\"\netag = \"md5\"\n\
         [sources.videos]\nsource = \"ndjson:listing.ndjson\"\n",
    );
    let (file, store) = (place.write("daily.json", DAILY), place.path("store.redb"));
    let once = || run(&["run", "--once", "--threads", "2"], &[("--store", &store), ("--sources", &sources)]);
    once().failed(1, &["there is no store"]);
    for bucket in ["photos", "videos"] {
        let put = run(&["config", "put", "--bucket", bucket], &[("--store", &store), ("", &file)]);
        assert_eq!(put.code, Some(0), "{put:?}");
    }
    let first = once();
    assert_eq!((first.code, json(&first.out)["succeeded"].as_u64()), (Some(0), Some(2)), "{first:?}");
    assert!(first.err.contains("stocktake: photos/daily: ") && first.err.contains("1 rows"), "{}", first.err);
    let second = once();
    assert_eq!((second.code, json(&second.out)["succeeded"].as_u64()), (Some(0), Some(0)));
    let status = run(&["config", "status"], &[("--store", &store)]);
    let lines: Vec<Value> = status.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), lines[1]["outcome"].as_str()), (2, Some("Succeeded")), "{status:?}");
    let manifest = place.path("data/out").join(lines[0]["manifest"].as_str().unwrap());
    assert_eq!(stocktake(["verify", manifest.to_str().unwrap()]).code, Some(0));
    // A bucket without a source fails, and says so; the others are served.
    run(&["config", "put", "--bucket", "other"], &[("--store", &store), ("", &file)]);
    let failed = once();
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert!(failed.err.contains("has no sources.other") && json(&failed.out)["failed"] == 1, "{failed:?}");
    run(&["config", "delete", "daily", "--bucket", "other"], &[("--store", &store)]);
    run(&["config", "delete", "daily", "--bucket", "other"], &[("--store", &store)])
        .failed(1, &["NoSuchConfiguration"]);
}

#[test]
fn a_file_of_sources_is_refused_with_its_place() {
    let place = Place::new();
    let (file, store) = (place.write("daily.json", DAILY), place.path("store.redb"));
    run(&["config", "put", "--bucket", "photos"], &[("--store", &store), ("", &file)]);
    for (text, word) in [
        ("[sources", "line 1"),
        ("x = 1", "x is not a table"),
        ("[other]", "unknown table other"),
        ("[sources.photos]\n", "sources.photos has no source"),
        ("[sources.photos]\nsource = \"ndjson:-\"", "standard input"),
        ("[sources.photos]\nsource = \"x\"\nthreads = \"2\"", "unknown option threads"),
        ("[sources.photos]\nsource = \"x\"\netag = \"sha\"", "sources.photos: "),
        ("[sources.photos]\nsource = \"synthetic:rows=1\"\netag = \"md5\"", "--etag does not apply"),
        ("[destinations]\na = 1", "destinations.a is not a text"),
        ("[keys]\nfile = \"absent\"", "the key file"),
    ] {
        let sources = place.write("sources.toml", text);
        let ran = run(&["run", "--once"], &[("--store", &store), ("--sources", &sources)]);
        assert_eq!(ran.code, Some(1), "{text}: {ran:?}");
        assert!(ran.err.contains(word), "{text}: {}", ran.err);
    }
}

#[cfg(unix)]
#[test]
fn a_watch_serves_until_it_is_interrupted() {
    use std::{
        io::{BufRead, BufReader},
        process::{Command, Stdio},
    };
    let place = Place::new();
    place.write("photos/a/1.txt", "one");
    let sources =
        place.write("sources.toml", "[destinations]\nreports = \"out\"\n[sources.photos]\nsource = \"photos\"\n");
    let (file, store) = (place.write("daily.json", DAILY), place.path("store.redb"));
    run(&["config", "put", "--bucket", "photos"], &[("--store", &store), ("", &file)]);
    let mut child = crate::support::program()
        .args(["run", "--watch", "--threads", "1", "--store"])
        .arg(&store)
        .arg("--sources")
        .arg(&sources)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(said.into_iter().any(|line| line.contains("1 rows, inv/photos/daily/")));
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let ended = Ran::from(child.wait_with_output().unwrap());
    assert_eq!((ended.code, json(&ended.out)["succeeded"].as_u64()), (Some(0), Some(1)), "{ended:?}");
}
