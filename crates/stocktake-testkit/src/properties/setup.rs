//! A report to be made: rows, what the source says of itself, and a spec whose limits are small enough to matter.

use crate::rows::{Row, arbitrary_rows, cut, every_field};
use arbitrary::{Result, Unstructured};
use stocktake_core::{
    BucketName, CHUNK_BYTES_MIN, ConfigurationId, CsvOptions, Field, FieldSet, FileFormat, FormatOptions, KeyEncoding,
    NullVersion, OrcCompression, OrcOptions, ParquetOptions, ParquetProfile, ReportSpec, Timestamp, UnknownValues,
    Versions,
};

/// What a run is made of.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) rows: Vec<Row>,
    pub(super) provides: FieldSet,
    pub(super) spec: ReportSpec,
}

/// Draws a setup; the spec comes first, so that all that is left of the data makes rows.
///
/// # Errors
/// In texts, of a spec that should be valid and is refused.
pub(super) fn arbitrary_setup(
    u: &mut Unstructured<'_>,
    format: FileFormat,
) -> Result<std::result::Result<Setup, String>> {
    let provides = match u.int_in_range(0..=2)? {
        0 => every_field(),
        1 => every_field().difference(FieldSet::VERSION_FIELDS),
        _ => fields_of(u.arbitrary()?).union(FieldSet::REQUIRED),
    };
    let versions = if u.arbitrary()? { Versions::Current } else { Versions::All };
    let chosen = if u.arbitrary()? { every_field() } else { fields_of(u.arbitrary()?) };
    let chosen = match versions {
        Versions::Current => chosen.difference(FieldSet::VERSION_FIELDS),
        Versions::All => chosen.union(FieldSet::VERSION_FIELDS),
    };
    let format = arbitrary_options(u, format, chosen.union(FieldSet::REQUIRED))?;
    let unknown = if u.int_in_range(0..=7)? == 7 { UnknownValues::Refuse } else { UnknownValues::Keep };
    let (chunk_rows, shard_target_bytes) = (u.int_in_range(1..=50)?, u.int_in_range(1..=3000)?);
    let prefix_of: u8 = u.arbitrary()?;
    let rows = arbitrary_rows(u)?;
    let prefix = match rows.get(usize::from(prefix_of) * 2) {
        Some(row) if prefix_of % 4 == 3 => cut(row.key(), row.key().len() / 2),
        _ => "",
    };
    let spec = || -> std::result::Result<ReportSpec, String> {
        let bucket = |name| BucketName::try_new(name).map_err(|error| error.to_string());
        let id = ConfigurationId::try_new("daily").map_err(|error| error.to_string())?;
        ReportSpec::builder(bucket("Source.bucket_1")?, id, bucket("reports")?)
            .with_created_at(Timestamp::parse("2026-11-22T01:00:00Z").map_err(|error| error.to_string())?)
            .with_versions(versions)
            .with_fields(chosen)
            .with_format(format)
            .with_unknown_values(unknown)
            .with_chunk_rows(chunk_rows)
            .with_chunk_bytes(CHUNK_BYTES_MIN)
            .with_shard_target_bytes(shard_target_bytes)
            .with_prefix(prefix)
            .with_row_digest(true)
            .build()
            .map_err(|error| format!("a valid spec is refused: {error}"))
    };
    Ok(spec().map(|spec| Setup { rows, provides, spec }))
}

fn arbitrary_options(u: &mut Unstructured<'_>, format: FileFormat, columns: FieldSet) -> Result<FormatOptions> {
    let texts: FieldSet = [Field::Key, Field::VersionId, Field::ETag].into_iter().collect();
    let filters = [FieldSet::EMPTY, texts.intersection(columns)];
    Ok(match format {
        FileFormat::Orc => {
            let mut orc = OrcOptions::default();
            orc.compression = match u.int_in_range(0..=3)? {
                0 => OrcCompression::None,
                1 => OrcCompression::Snappy,
                2 => OrcCompression::Zstd { level: u.int_in_range(1..=3)? },
                _ => OrcCompression::Zlib { level: u.int_in_range(1..=9)? },
            };
            orc.bloom_filters = *u.choose(&filters)?;
            FormatOptions::Orc(orc)
        }
        FileFormat::Parquet => {
            let mut parquet = ParquetOptions::default();
            parquet.profile = *u.choose(&[ParquetProfile::Aws, ParquetProfile::Delta, ParquetProfile::Compact])?;
            parquet.level = u.int_in_range(1..=2)?;
            parquet.bloom_filters = *u.choose(&filters)?;
            FormatOptions::Parquet(parquet)
        }
        _ => {
            let mut csv = CsvOptions::default();
            csv.key_encoding = if u.arbitrary()? { KeyEncoding::Percent } else { KeyEncoding::Form };
            csv.null_version = if u.arbitrary()? { NullVersion::Empty } else { NullVersion::Null };
            csv.level = u.int_in_range(1..=9)?;
            FormatOptions::Csv(csv)
        }
    })
}

fn fields_of(bits: u32) -> FieldSet {
    Field::all().filter(|field| bits >> field.index() & 1 == 1).collect()
}
