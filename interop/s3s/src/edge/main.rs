//! Buckets behind s3s's protocol: listings, versions and multipart uploads, signed and checked, through faults of every kind.
//!
//! `edge STOCKTAKE` runs the program and compares what it reports with what the server holds.

mod server;
mod store;

use bytes::Bytes;
use server::Faults;
use std::{
    collections::BTreeMap,
    io::Read,
    process::{Command, ExitCode, Output},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use stocktake_core::md5_hex;
use store::{Lie, Store};

const AT: &str = "2026-11-22T01:00:00Z";

fn main() -> ExitCode {
    match check() {
        Ok(told) => {
            println!("{told}");
            ExitCode::SUCCESS
        }
        Err(difference) => {
            eprintln!("{difference}");
            ExitCode::FAILURE
        }
    }
}

struct Edge {
    program: String,
    url: String,
    store: Store,
    faults: Arc<Faults>,
}

fn check() -> Result<String, String> {
    let program = std::env::args().nth(1).ok_or("where is the program?")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let store = Store::default();
    let faults = Arc::new(Faults { every: AtomicU64::new(0), seen: AtomicU64::new(0), shown: AtomicU64::new(0) });
    let url = server::start(&runtime, &store, &faults).map_err(|error| error.to_string())?;
    let edge = Edge { program, url, store, faults };
    fill(&edge.store);
    let mut rows = 0;
    for (every, lanes) in [(0, "1"), (7, "1"), (7, "3")] {
        edge.faults.every.store(every, Ordering::Relaxed);
        rows += edge.current(lanes)?;
        rows += edge.versions(lanes)?;
    }
    edge.multipart()?;
    edge.faults.every.store(0, Ordering::Relaxed);
    edge.signature()?;
    for lie in [Lie::Repeat, Lie::Reorder, Lie::Truncate] {
        edge.lie(lie)?;
    }
    let shown = edge.faults.shown.load(Ordering::Relaxed);
    Ok(format!(
        "{rows} rows of buckets behind s3s, through {shown} faults: no differences; lies and forged signatures are refused"
    ))
}

fn fill(store: &Store) {
    let mut buckets = store.lock();
    buckets.page_max = 50;
    let odd =
        ["a//b", "/", "trail/", "..", " ", "a b", "a+b", "a%20b", "a&<>\"'b", "é", "日本/語", "c\u{1}x", "\u{10ffff}"];
    let keys = odd.map(String::from).into_iter().chain((0..1500).map(|n| format!("logs/{}/file {n:04}", n % 9)));
    for key in keys {
        let body = Bytes::from(key.clone().into_bytes());
        let e_tag = md5_hex(&body);
        buckets.put("plain", &key, Some(body), e_tag, None);
    }
    buckets.versioned = true;
    for turn in 0..3_usize {
        for number in 0..400_usize {
            let body = (number + turn) % 3 > 0;
            let body = body.then(|| Bytes::from(vec![b'x'; number]));
            let e_tag = md5_hex(body.as_deref().unwrap_or_default());
            buckets.put("versioned", &format!("v/{number:03}"), body, e_tag, None);
        }
    }
    buckets.versioned = false;
}

impl Edge {
    fn run(&self, secret: &str, arguments: &[&str]) -> Result<Output, String> {
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
            command.env_remove(name);
        }
        command.env("AWS_ACCESS_KEY_ID", "id").env("AWS_SECRET_ACCESS_KEY", secret).env("AWS_ENDPOINT_URL", &self.url);
        command.args(["generate", "--destination", "s3://reports/inv", "--at", AT, "--threads", "2", "--replace"]);
        command.args(arguments).output().map_err(|error| error.to_string())
    }

    /// Generates a report, and reads its rows from the server's memory: values by column.
    fn report(&self, id: &str, arguments: &[&str]) -> Result<Vec<BTreeMap<String, String>>, String> {
        let ran = self.run("secret", &[&["--id", id], arguments].concat())?;
        if !ran.status.success() {
            return Err(format!("{id}: {}", String::from_utf8_lossy(&ran.stderr)));
        }
        let out = String::from_utf8_lossy(&ran.stdout).into_owned();
        let summary: serde_json::Value =
            serde_json::from_str(out.lines().last().unwrap_or_default()).map_err(|error| error.to_string())?;
        let manifest = self.object(summary["manifest"].as_str().unwrap_or_default())?;
        let manifest: serde_json::Value = serde_json::from_slice(&manifest).map_err(|error| error.to_string())?;
        let columns: Vec<&str> = manifest["fileSchema"].as_str().unwrap_or_default().split(", ").collect();
        let mut rows = Vec::new();
        for file in manifest["files"].as_array().into_iter().flatten() {
            let data = self.object(file["key"].as_str().unwrap_or_default())?;
            same("the MD5 of a data file", &file["MD5checksum"], &md5_hex(&data).into())?;
            let mut text = Vec::new();
            flate2::read::MultiGzDecoder::new(&data[..]).read_to_end(&mut text).map_err(|error| error.to_string())?;
            for record in csv::ReaderBuilder::new().has_headers(false).from_reader(&text[..]).records() {
                let record = record.map_err(|error| error.to_string())?;
                let row = columns.iter().zip(&record).map(|(name, value)| ((*name).to_owned(), value.to_owned()));
                rows.push(row.collect());
            }
        }
        let left = self.store.lock().uploads.len();
        same("uploads that are left", &left, &0)?;
        Ok(rows)
    }

    fn object(&self, key: &str) -> Result<Bytes, String> {
        let buckets = self.store.lock();
        let versions = buckets.objects.get("reports").and_then(|objects| objects.get(key));
        versions.and_then(|versions| versions[0].body.clone()).ok_or_else(|| format!("{key} is not there"))
    }

    fn current(&self, lanes: &str) -> Result<usize, String> {
        let rows = self.report("current", &["--source", "s3://plain", "--fields", "Size,ETag", "--lanes", lanes])?;
        let found: Vec<_> =
            rows.iter().map(|row| (decoded(&row["Key"]), row["Size"].clone(), row["ETag"].clone())).collect();
        let buckets = self.store.lock();
        let wanted = buckets.objects["plain"].iter();
        let wanted: Vec<_> =
            wanted.map(|(key, of)| (key.clone(), key.len().to_string(), of[0].e_tag.clone())).collect();
        same("rows of current versions", &found, &wanted)?;
        Ok(found.len())
    }

    fn versions(&self, lanes: &str) -> Result<usize, String> {
        self.store.lock().versioned = true;
        let rows = self.report(
            "versions",
            &["--source", "s3://versioned", "--versions", "all", "--fields", "Size", "--lanes", lanes],
        );
        self.store.lock().versioned = false;
        let of = |row: &BTreeMap<String, String>| {
            ["Key", "VersionId", "IsLatest", "IsDeleteMarker", "Size"].map(|name| row[name].clone())
        };
        let found: Vec<_> = rows?.iter().map(of).collect();
        let buckets = self.store.lock();
        let mut wanted = Vec::new();
        for (key, versions) in &buckets.objects["versioned"] {
            for (number, version) in versions.iter().enumerate() {
                let size = version.body.as_ref().map_or(String::new(), |body| body.len().to_string());
                let flags = [(number == 0).to_string(), version.body.is_none().to_string()];
                let [is_latest, is_marker] = flags;
                wanted.push([key.clone(), version.id.clone(), is_latest, is_marker, size]);
            }
        }
        same("rows of all versions", &found, &wanted)?;
        Ok(found.len())
    }

    /// A data file of several parts.
    fn multipart(&self) -> Result<(), String> {
        let rows = self.report("parts", &["--source", "synthetic:rows=300000,seed=7", "--shard-target", "64MiB"])?;
        same("rows of a synthetic bucket", &rows.len(), &300_000)?;
        let buckets = self.store.lock();
        let several =
            buckets.objects["reports"].values().any(|of| of[0].e_tag.ends_with("-2") || of[0].e_tag.ends_with("-3"));
        same("a data file has several parts", &several, &true)
    }

    fn signature(&self) -> Result<(), String> {
        let ran = self.run("forged", &["--source", "s3://plain", "--id", "forged"])?;
        let told = String::from_utf8_lossy(&ran.stderr).into_owned();
        same(
            "a forged signature is refused",
            &(ran.status.code(), told.contains("SignatureDoesNotMatch")),
            &(Some(1), true),
        )
        .map_err(|difference| format!("{difference}: {told}"))
    }

    /// Pages that lie end the run, and nothing is published.
    fn lie(&self, lie: Lie) -> Result<(), String> {
        {
            let mut buckets = self.store.lock();
            (buckets.lie, buckets.pages) = (Some(lie), 0);
        }
        let ran = self.run("secret", &["--source", "s3://plain", "--id", "lie"])?;
        self.store.lock().lie = None;
        let told = String::from_utf8_lossy(&ran.stderr).into_owned();
        let buckets = self.store.lock();
        let published =
            buckets.objects["reports"].keys().any(|key| key.contains("/lie/") && key.ends_with("manifest.checksum"));
        same(&format!("{lie:?} is refused: {told}"), &(ran.status.code(), published), &(Some(1), false))
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16)).unwrap_or(0);
        out.push(if byte == b'%' { u8::try_from(digit() * 16 + digit()).unwrap_or(0) } else { byte });
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, wanted: &T) -> Result<(), String> {
    if found == wanted {
        return Ok(());
    }
    let cut = |of: &T| format!("{of:?}").chars().take(2000).collect::<String>();
    Err(format!("{what}: found {}, wanted {}", cut(found), cut(wanted)))
}
