//! Running the program and looking at what it left.

use serde_json::Value;
use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs,
    io::{Read, Write},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};
use tempfile::TempDir;

/// A time on the hour, for runs whose stamp matters.
pub(crate) const AT: &str = "2026-11-22T01:00:00Z";

/// How a run of the program ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Ran {
    /// The last line of standard output, which is JSON after a run that published.
    #[track_caller]
    pub(crate) fn summary(&self) -> Value {
        assert!(matches!(self.code, Some(0 | 3)), "{self:?}");
        serde_json::from_str(self.out.lines().last().unwrap()).unwrap()
    }

    /// Checks a failed run: its code, nothing on standard output, and words of its message.
    #[track_caller]
    pub(crate) fn failed(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.out, "", "{self:?}");
        for word in words {
            assert!(self.err.contains(word), "{word:?} is not in {}", self.err);
        }
        if code == 1 {
            let (first, rest) = self.err.split_once('\n').unwrap();
            // What a run keeps has a line of its own.
            let kept = rest.is_empty() || rest.starts_with("stocktake: kept: ") && rest.lines().count() == 1;
            assert!(first.starts_with("stocktake: ") && kept, "{}", self.err);
        }
    }
}

pub(crate) fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_stocktake"))
}

pub(crate) fn stocktake<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Ran {
    program().args(args).stdin(Stdio::null()).output().unwrap().into()
}

/// A folder for a source and a destination.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.0.path().join(below)
    }

    /// The destination, which does not exist before a run.
    pub(crate) fn destination(&self) -> PathBuf {
        self.path("inventory")
    }

    /// Writes a file and the folders above it.
    pub(crate) fn write(&self, below: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// A run of `generate` into this place's destination, with two threads and at [`AT`] unless the options say otherwise.
    pub(crate) fn command(&self, source: impl AsRef<OsStr>, options: &[&str]) -> Command {
        let mut command = program();
        command.arg("generate").arg("--destination").arg(self.destination());
        for (name, value) in [("--at", AT), ("--threads", "2")] {
            if !options.contains(&name) {
                command.args([name, value]);
            }
        }
        command.arg("--source").arg(source).args(options).stdin(Stdio::null());
        command
    }

    pub(crate) fn generate(&self, source: impl AsRef<OsStr>, options: &[&str]) -> Ran {
        self.command(source, options).output().unwrap().into()
    }

    /// A run of `generate` of a bucket `photos` whose listing is given.
    pub(crate) fn generate_ndjson(&self, listing: impl AsRef<[u8]>, options: &[&str]) -> Ran {
        let file = self.write("listing.ndjson", listing);
        self.generate(scheme("ndjson:", &file), &[&["--bucket", "photos"], options].concat())
    }

    /// A run of `generate` of a bucket `photos` whose listing comes from standard input.
    pub(crate) fn generate_stdin(&self, listing: &[u8], options: &[&str]) -> Ran {
        let mut command = self.command("ndjson:-", &["--bucket", "photos"]);
        let command = command.args(options).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A program that refuses its arguments reads nothing; its message says so.
        let _ = child.stdin.take().unwrap().write_all(listing);
        child.wait_with_output().unwrap().into()
    }

    /// Checks that a run left nothing in the destination, not even a folder.
    #[track_caller]
    pub(crate) fn is_untouched(&self) {
        assert!(!self.destination().exists(), "{:?}", files_below(&self.destination()));
    }

    /// The report's rows, by its manifest, as text.
    #[track_caller]
    pub(crate) fn rows(&self, ran: &Ran) -> Vec<Vec<String>> {
        rows_of(&self.destination(), &manifest_path(ran))
    }

    /// The keys of the report's rows.
    #[track_caller]
    pub(crate) fn keys(&self, ran: &Ran) -> Vec<String> {
        self.rows(ran).into_iter().map(|row| row[1].clone()).collect()
    }
}

/// A path behind a scheme.
pub(crate) fn scheme(scheme: &str, path: &Path) -> String {
    format!("{scheme}{}", path.display())
}

pub(crate) fn manifest_path(ran: &Ran) -> PathBuf {
    ran.summary()["manifest_path"].as_str().unwrap().into()
}

pub(crate) fn manifest(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The rows of a report, in the manifest's order of files. A decoder that stops after one gzip member reads them.
#[track_caller]
pub(crate) fn rows_of(root: &Path, manifest_path: &Path) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for file in manifest(manifest_path)["files"].as_array().unwrap() {
        let file = fs::File::open(root.join(file["key"].as_str().unwrap())).unwrap();
        let mut text = String::new();
        flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        rows.extend(reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect::<Vec<_>>()));
    }
    rows
}

/// Paths of all files below a folder, relative to it.
pub(crate) fn files_below(folder: &Path) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let Ok(entries) = fs::read_dir(&next) else { continue };
        for entry in entries.map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                files.insert(entry.path().strip_prefix(folder).unwrap().display().to_string());
            }
        }
    }
    files
}
