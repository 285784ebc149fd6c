//! The file that says what the rows of buckets come from and where their reports go.
//!
//! The options of a source are those of `generate`, spelled as there without the dashes in front, and read by the same
//! parser. Paths are relative to the file's folder.

use crate::{
    args::{Arguments, GenerateArgs, Verb},
    exit::{Failure, with_causes},
    source,
};
use clap::Parser;
use std::{
    collections::BTreeMap,
    error::Error,
    path::{Path, PathBuf},
};
use stocktake::{BucketName, FileFormat, Versions, destinations::LocalDestination};
use stocktake_config::{MissingColumns, ValidConfiguration};
use stocktake_service::{LocalKeyService, Opened, Targets};

/// Most bytes of the file.
const FILE_BYTES_MAX: usize = 1 << 20;

/// Options of `generate` that say what rows come from.
const OPTIONS: &[&str] = &[
    "source",
    "unsorted",
    "columns",
    "delimiter",
    "on-bad-entry",
    "etag",
    "symlinks",
    "temp-dir",
    "unknown-values",
    "enrich",
];

/// Options that hold paths.
const PATHS: &[&str] = &["temp-dir"];

/// Sources and destinations of a runner.
pub(super) struct Sources {
    folder: PathBuf,
    destinations: BTreeMap<String, PathBuf>,
    sources: BTreeMap<String, Source>,
    keys: Option<LocalKeyService>,
}

struct Source {
    options: Vec<(String, String)>,
    missing: MissingColumns,
}

impl Sources {
    /// Reads the file, and every source's options.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = super::read_file(path, FILE_BYTES_MAX)?;
        let fault = |what: String| Failure::message(format!("{}: {what}", path.display()));
        let text = String::from_utf8(bytes).map_err(|_| fault("is not UTF-8".to_owned()))?;
        if text.len() > FILE_BYTES_MAX {
            return Err(fault(format!("has more than {FILE_BYTES_MAX} bytes")));
        }
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| fault(error.to_string()))?;
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        let mut sources = Self { folder, destinations: BTreeMap::new(), sources: BTreeMap::new(), keys: None };
        for (name, value) in &table {
            let part = value.as_table().ok_or_else(|| fault(format!("{name} is not a table")))?;
            sources.read_part(name, part).map_err(fault)?;
        }
        for (bucket, source) in &sources.sources {
            sources.arguments(bucket, source, &[]).map_err(fault)?;
        }
        Ok(sources)
    }

    fn read_part(&mut self, name: &str, part: &toml::Table) -> Result<(), String> {
        match name {
            "destinations" => {
                for (bucket, path) in part {
                    let path = path.as_str().ok_or_else(|| format!("destinations.{bucket} is not a text"))?;
                    self.destinations.insert(bucket.clone(), self.folder.join(path));
                }
            }
            "sources" => {
                for (bucket, options) in part {
                    BucketName::try_new(bucket.as_str()).map_err(|error| format!("sources: {error}"))?;
                    let options = options.as_table().ok_or_else(|| format!("sources.{bucket} is not a table"))?;
                    let source = read_source(bucket, options, &self.folder)?;
                    self.sources.insert(bucket.clone(), source);
                }
            }
            "keys" => {
                if let Some((other, _)) = part.iter().find(|(name, _)| *name != "file") {
                    return Err(format!("keys has the unknown member {other}"));
                }
                let file = part.get("file").and_then(toml::Value::as_str).ok_or("keys.file is not a text")?;
                let keys = LocalKeyService::open(self.folder.join(file)).map_err(|error| error.to_string())?;
                self.keys = Some(keys);
            }
            other => return Err(format!("has the unknown table {other}; known: sources, destinations, keys")),
        }
        Ok(())
    }

    /// The arguments of `generate` for a source, with more of them behind.
    fn arguments(&self, bucket: &str, source: &Source, more: &[&str]) -> Result<GenerateArgs, String> {
        let mut words = vec!["stocktake".to_owned(), "generate".to_owned(), "--bucket".to_owned(), bucket.to_owned()];
        for (name, value) in &source.options {
            words.push(format!("--{name}={value}"));
        }
        words.extend(more.iter().map(|word| (*word).to_owned()));
        if !more.contains(&"--destination") {
            words.extend(["--destination".to_owned(), ".".to_owned()]);
        }
        let parsed = Arguments::try_parse_from(words).map_err(|error| {
            let told = error.to_string();
            let first = told.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
            format!("sources.{bucket}: {first}")
        })?;
        let Verb::Generate(args) = parsed.verb else { return Err(format!("sources.{bucket}: is no source")) };
        if args.from.source.is_stdin() {
            return Err(format!("sources.{bucket}: standard input is read once, and not by a schedule"));
        }
        source::check_options(&args.from).map_err(|failure| format!("sources.{bucket}: {}", failure.text()))?;
        Ok(*args)
    }
}

fn read_source(bucket: &str, options: &toml::Table, folder: &Path) -> Result<Source, String> {
    let mut source = Source { options: Vec::new(), missing: MissingColumns::Refuse };
    for (name, value) in options {
        let value = value.as_str().ok_or_else(|| format!("sources.{bucket}.{name} is not a text"))?;
        match (name.as_str(), value) {
            ("missing-columns", "refuse") => source.missing = MissingColumns::Refuse,
            ("missing-columns", "empty") => source.missing = MissingColumns::Empty,
            ("missing-columns", other) => {
                return Err(format!("sources.{bucket}.{name} is {other:?}; known: refuse, empty"));
            }
            ("source", value) => source.options.push((name.clone(), placed(value, folder))),
            (name, value) if PATHS.contains(&name) => {
                source.options.push((name.to_owned(), folder.join(value).to_string_lossy().into_owned()));
            }
            (name, value) if OPTIONS.contains(&name) => source.options.push((name.to_owned(), value.to_owned())),
            (name, _) => {
                let known = OPTIONS.join(", ");
                return Err(format!("sources.{bucket} has the unknown option {name}; known: {known}, missing-columns"));
            }
        }
    }
    if source.options.iter().any(|(name, _)| name == "source") {
        Ok(source)
    } else {
        Err(format!("sources.{bucket} has no source"))
    }
}

/// A source's text with its path below the folder.
fn placed(text: &str, folder: &Path) -> String {
    let below = |path: &str| folder.join(path).to_string_lossy().into_owned();
    match text.split_once(':') {
        // An object in a bucket.
        Some(("inventory", address)) if address.contains("://") => text.to_owned(),
        Some((scheme @ ("ndjson" | "arrow" | "inventory"), path)) if path != "-" => format!("{scheme}:{}", below(path)),
        Some(("ndjson" | "arrow" | "inventory" | "synthetic" | "s3", _)) => text.to_owned(),
        _ => below(text),
    }
}

impl Targets for Sources {
    fn open(
        &self,
        bucket: &BucketName,
        configuration: &ValidConfiguration,
    ) -> Result<Opened<'_>, Box<dyn Error + Send + Sync>> {
        let source = self.sources.get(bucket.as_str());
        let source = source.ok_or_else(|| format!("the file of sources has no sources.{bucket}"))?;
        let name = configuration.destination_bucket().bucket().as_str();
        let folder = self.destinations.get(name);
        let folder = folder.ok_or_else(|| format!("the file of sources has no destination {name}"))?;
        let document = configuration.document();
        let folder_text = folder.to_string_lossy();
        let fields = document.optional_fields.as_deref().unwrap_or_default();
        let fields: Vec<_> = fields.iter().map(|field| field.name()).collect();
        let fields = fields.join(",");
        let mut more = vec!["--destination", &folder_text, "--id", configuration.id().as_str()];
        more.extend(["--destination-prefix", configuration.destination_prefix().as_str(), "--fields", &fields]);
        more.extend(["--versions", if document.versions == Versions::All { "all" } else { "current" }]);
        more.extend([
            "--format",
            match document.destination.format {
                FileFormat::Orc => "orc",
                FileFormat::Parquet => "parquet",
                _ => "csv",
            },
        ]);
        let args = self.arguments(bucket.as_str(), source, &more)?;
        let destination = LocalDestination::try_new(folder).map_err(|error| with_causes(&error))?;
        let rows = source::open(&args, bucket).map_err(|failure| failure.text())?;
        let opened = Opened::new(rows, Box::new(destination)).with_missing(source.missing);
        Ok(match &self.keys {
            Some(keys) => opened.with_keys(keys),
            None => opened,
        })
    }
}
