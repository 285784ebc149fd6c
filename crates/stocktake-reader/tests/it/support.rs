//! Reports in memory: written, read back, altered.

use std::io::Write;
use std::{num::NonZeroUsize, sync::Arc};
use stocktake::Destination;
use stocktake::{
    BucketName, ConfigurationId, CsvOptions, Existing, Field, FieldSet, FileFormat, FormatOptions, GenerateOptions,
    Manifest, ObjectAttributes, ObjectSource, OrcOptions, ParquetOptions, ReportKey, ReportSpec, ReportSpecBuilder,
    ReportStore, Timestamp, Versions, checksum_text, destinations::MemoryDestination, generate, md5_hex,
    sources::SyntheticSource,
};
use stocktake_reader::{FileBatch, ReadError, ReadOptions, Report};
use stocktake_testkit::rows::{Row, rows_of};

pub(crate) const FORMATS: [FileFormat; 3] = [FileFormat::Csv, FileFormat::Orc, FileFormat::Parquet];

pub(crate) fn options(format: FileFormat) -> FormatOptions {
    match format {
        FileFormat::Orc => FormatOptions::Orc(OrcOptions::default()),
        FileFormat::Parquet => FormatOptions::Parquet(ParquetOptions::default()),
        _ => FormatOptions::Csv(CsvOptions::default()),
    }
}

pub(crate) fn all_fields() -> FieldSet {
    Field::all().collect()
}

/// A spec of a bucket `b` whose chunks and files are small enough for there to be several.
pub(crate) fn spec(format: FileFormat) -> ReportSpecBuilder {
    let bucket = |name| BucketName::try_new(name).unwrap();
    ReportSpec::builder(bucket("b"), ConfigurationId::try_new("id").unwrap(), bucket("reports"))
        .with_created_at(Timestamp::parse("2026-11-22T01:00:00Z").unwrap())
        .with_format(options(format))
        .with_versions(Versions::All)
        .with_fields(all_fields())
        .with_chunk_rows(700)
        .with_shard_target_bytes(60_000)
        .with_row_digest(true)
}

pub(crate) fn source(rows: u64) -> SyntheticSource {
    format!("rows={rows},seed=3,versions=4").parse().unwrap()
}

/// A report in memory.
pub(crate) struct Stored {
    pub(crate) destination: MemoryDestination,
    pub(crate) manifest: ReportKey,
}

impl Stored {
    pub(crate) fn write(source: &dyn ObjectSource, spec: &ReportSpec) -> Self {
        let destination = MemoryDestination::new();
        let summary = generate(source, spec, &destination, &GenerateOptions::default()).unwrap();
        Self { destination, manifest: summary.manifest_key }
    }

    pub(crate) fn synthetic(format: FileFormat, rows: u64) -> Self {
        Self::write(&source(rows), &spec(format).build().unwrap())
    }

    /// A report of hand-made files: names and bytes.
    pub(crate) fn of_files(format: FileFormat, schema: &str, files: &[(&str, Vec<u8>)]) -> Self {
        let stored =
            Self { destination: MemoryDestination::new(), manifest: key("b/id/2026-11-22T01-00Z/manifest.json") };
        let listed = files.iter().map(|(name, bytes)| {
            format!(r#"{{"key":"{name}","size":{},"MD5checksum":"{}"}}"#, bytes.len(), md5_hex(bytes))
        });
        let manifest = format!(
            r#"{{"sourceBucket":"b","destinationBucket":"arn:aws:s3:::reports","version":"2016-11-30",
            "creationTimestamp":"1795309200000","fileFormat":"{}","fileSchema":{},"files":[{}]}}"#,
            format.name(),
            serde_json::Value::from(schema),
            listed.collect::<Vec<_>>().join(",")
        );
        for (name, bytes) in files {
            stored.put(&key(name), bytes);
        }
        stored.put_manifest(manifest.as_bytes());
        stored
    }

    pub(crate) fn put(&self, key: &ReportKey, bytes: &[u8]) {
        let attributes = ObjectAttributes::new("application/octet-stream").with_existing(Existing::Replace);
        let mut object = self.destination.create(key, &attributes).unwrap();
        object.write_all(bytes).unwrap();
        object.publish().unwrap();
    }

    pub(crate) fn put_manifest(&self, text: &[u8]) {
        self.put(&self.manifest, text);
        let checksum = self.manifest.as_str().replace(".json", ".checksum");
        self.put(&key(&checksum), checksum_text(text).as_bytes());
    }

    pub(crate) fn manifest(&self) -> Manifest {
        Manifest::parse(&self.destination.get(&self.manifest).unwrap()).unwrap()
    }

    pub(crate) fn file(&self, index: usize) -> Vec<u8> {
        self.destination.get(&key(&self.manifest().files[index].key)).unwrap().to_vec()
    }

    /// Puts a data file in the place of one that is there, and says so in manifest and checksum.
    pub(crate) fn replace_file(&self, index: usize, bytes: &[u8]) {
        let mut manifest = self.manifest();
        let file = &mut manifest.files[index];
        file.size = bytes.len() as u64;
        file.md5_checksum = md5_hex(bytes);
        self.put(&key(&file.key), bytes);
        self.put_manifest(manifest.to_text().as_bytes());
    }

    pub(crate) fn open(&self) -> Result<Report, ReadError> {
        let store: Arc<dyn ReportStore> = Arc::new(self.destination.clone());
        Report::open(&store, &self.manifest)
    }

    /// All rows, or the fault that ends the reading.
    pub(crate) fn rows(&self, options: &ReadOptions) -> Result<Vec<Row>, ReadError> {
        read(&self.open()?, options)
    }
}

pub(crate) fn read(report: &Report, options: &ReadOptions) -> Result<Vec<Row>, ReadError> {
    let batches: Vec<FileBatch> = report.read(options)?.collect::<Result<_, _>>()?;
    Ok(batches.iter().flat_map(|batch| rows_of(&batch.rows)).collect())
}

pub(crate) fn key(text: &str) -> ReportKey {
    ReportKey::try_new(text).unwrap()
}

pub(crate) fn threads(count: usize) -> ReadOptions {
    ReadOptions::default().with_threads(NonZeroUsize::new(count).unwrap())
}

/// Rows that a source yields, by the engine's own reading of it.
pub(crate) fn rows_of_source(source: &dyn ObjectSource) -> Vec<Row> {
    let bucket = BucketName::try_new("b").unwrap();
    let mut context = stocktake::ReadContext::new(bucket, all_fields());
    context.versions = Versions::All;
    let plan = source.plan(std::num::NonZeroU32::MIN).unwrap();
    let mut rows = Vec::new();
    for lane in plan.lanes() {
        let mut stream = source.open(lane, None, &context).unwrap();
        let mut builder = stocktake::ObjectBatchBuilder::new(all_fields());
        while stream.next_batch(&mut builder).unwrap() {
            rows.extend(rows_of(&builder.finish()));
        }
    }
    rows
}

/// Text in gzip, a member for each part.
pub(crate) fn gzip(parts: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        let mut member = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        member.write_all(part.as_bytes()).unwrap();
        bytes.extend(member.finish().unwrap());
    }
    bytes
}
