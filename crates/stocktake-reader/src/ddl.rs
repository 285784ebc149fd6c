//! Statements by which query engines read a report where it lies.
//!
//! Athena reads through the `hive/` folder and its symlink.txt, as the service's guide has it. The others know no such
//! files, so they are told the data files of this report one by one: the `data/` folder holds those of other reports too.

mod columns;

use crate::report::Report;
use columns::{DdlColumn, columns};
use std::fmt;
use stocktake_core::{Field, FieldType, FileFormat, Timestamp};

/// An engine that reads reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Engine {
    /// Amazon Athena.
    Athena,
    /// Trino with the Hive connector.
    Trino,
    /// Apache Spark SQL.
    Spark,
    /// DuckDB.
    DuckDb,
}

/// Why there is no statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DdlError(String);

impl fmt::Display for DdlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DdlError {}

/// The statements by which an engine reads a report as the table or view `name`.
///
/// `base` is what stands before the keys of data files, for example `s3://reports` or the path of a folder.
///
/// # Errors
/// If the engine has no reader for the format, the name is none, or the report's folder cannot be told.
pub fn ddl(report: &Report, engine: Engine, name: &str, base: &str) -> Result<String, DdlError> {
    let usable = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if name.is_empty() || !name.bytes().all(usable) || name.as_bytes()[0].is_ascii_digit() {
        return Err(DdlError(format!("{name:?} is no name of a table: letters, digits and _ make one")));
    }
    let report = Described {
        columns: columns(report),
        format: report.manifest().file_format,
        base: base.trim_end_matches('/'),
        keys: report.files().iter().map(|file| file.key.as_str()).collect(),
        root: root(report),
        stamp: report.manifest().creation_timestamp.parse().ok().and_then(|ms| Timestamp::try_from_ms(ms).ok()),
    };
    match engine {
        Engine::Athena => report.athena(name),
        Engine::Trino => report.trino(name),
        Engine::Spark => Ok(report.spark(name)),
        Engine::DuckDb => report.duckdb(name),
    }
}

/// Folder of the configuration, `[prefix/]BUCKET/ID`.
fn root(report: &Report) -> Option<String> {
    let by_file = report.files().first().and_then(|file| file.key.as_str().rsplit_once('/')?.0.strip_suffix("/data"));
    let by_manifest = || Some(report.manifest_key().as_str().rsplit_once('/')?.0.rsplit_once('/')?.0);
    by_file.or_else(by_manifest).map(str::to_owned)
}

/// What statements are made of.
struct Described<'a> {
    columns: Vec<DdlColumn>,
    format: FileFormat,
    base: &'a str,
    keys: Vec<&'a str>,
    root: Option<String>,
    stamp: Option<Timestamp>,
}

impl Described<'_> {
    fn root(&self) -> Result<&str, DdlError> {
        let text = "the keys of the report do not tell its folder: data files are not in `[PREFIX/]BUCKET/ID/data/`";
        self.root.as_deref().ok_or_else(|| DdlError(text.to_owned()))
    }

    fn is_csv(&self) -> bool {
        self.format == FileFormat::Csv
    }

    fn locations(&self) -> impl Iterator<Item = String> {
        self.keys.iter().map(|key| format!("{}/{key}", self.base))
    }

    fn athena(&self, name: &str) -> Result<String, DdlError> {
        let root = self.root()?;
        let stamp = self.stamp.ok_or_else(|| DdlError("creationTimestamp is no time".to_owned()))?.hive_stamp();
        let column = |column: &DdlColumn| {
            // The CSV reader of Athena fails on an empty field of any other type.
            let column_type = if self.is_csv() { "string" } else { &column.hive_type };
            format!("  `{}` {column_type}", column.name)
        };
        let serde = match self.format {
            FileFormat::Orc => "org.apache.hadoop.hive.ql.io.orc.OrcSerde",
            FileFormat::Parquet => "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
            _ => "org.apache.hadoop.hive.serde2.OpenCSVSerde",
        };
        Ok(format!(
            "CREATE EXTERNAL TABLE IF NOT EXISTS `{name}` (\n{}\n)\n\
             PARTITIONED BY (`dt` string)\n\
             ROW FORMAT SERDE '{serde}'\n\
             STORED AS INPUTFORMAT 'org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat'\n\
             OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.IgnoreKeyTextOutputFormat'\n\
             LOCATION {};\n\n\
             ALTER TABLE `{name}` ADD IF NOT EXISTS PARTITION (`dt` = '{stamp}');\n",
            lines(self.columns.iter().map(column)),
            quoted(&format!("{}/{root}/hive/", self.base)),
        ))
    }

    /// The folder that the data files lie in, below the base.
    fn folder(&self) -> Result<String, DdlError> {
        let Some(first) = self.keys.first() else { return Ok(format!("{}/data", self.root()?)) };
        match first.rsplit_once('/') {
            Some((folder, _))
                if self.keys.iter().all(|key| key.rsplit_once('/').is_some_and(|(of, _)| of == folder)) =>
            {
                Ok(folder.to_owned())
            }
            _ => {
                let text =
                    format!("{first} and the other data files lie in no folder of their own, which a table is of");
                Err(DdlError(text))
            }
        }
    }

    fn trino(&self, name: &str) -> Result<String, DdlError> {
        let folder = self.folder()?;
        let column = |column: &DdlColumn| {
            let column_type = if self.is_csv() { "varchar" } else { &column.trino_type };
            format!("  \"{}\" {column_type}", column.name)
        };
        let format = match self.format {
            FileFormat::Csv => "format = 'CSV', csv_quote = '\"', csv_escape = '\"'",
            FileFormat::Orc => "format = 'ORC'",
            FileFormat::Parquet => "format = 'PARQUET'",
            _ => return Err(DdlError("the format is not known".to_owned())),
        };
        let shown = |column: &DdlColumn| {
            let name = format!("\"{}\"", column.name);
            let present = format!("nullif({name}, '')");
            let value = match (self.is_csv(), column.field.map(Field::field_type)) {
                (false, _) => return format!("  {name}"),
                (true, _) if column.field == Some(Field::Key) => format!("url_decode(replace({name}, '+', '%20'))"),
                (true, Some(FieldType::Boolean | FieldType::Int64 | FieldType::Int32)) => {
                    format!("CAST({present} AS {})", column.trino_type)
                }
                (true, Some(FieldType::Timestamp)) => format!("from_iso8601_timestamp({present})"),
                (true, _) => present,
            };
            format!("  {value} AS {name}")
        };
        let files = match self.keys.is_empty() {
            true => "false".to_owned(),
            false => {
                format!("\"$path\" IN (\n{}\n)", lines(self.locations().map(|path| format!("  {}", quoted(&path)))))
            }
        };
        Ok(format!(
            "CREATE TABLE IF NOT EXISTS {name}_files (\n{}\n)\n\
             WITH (external_location = {}, {format});\n\n\
             CREATE OR REPLACE VIEW {name} AS\nSELECT\n{}\nFROM {name}_files\nWHERE {files};\n",
            lines(self.columns.iter().map(column)),
            quoted(&format!("{}/{folder}/", self.base)),
            lines(self.columns.iter().map(shown)),
        ))
    }

    fn spark(&self, name: &str) -> String {
        let select = |from: &str| {
            let files = self.locations().map(|path| format!("SELECT * FROM {from}.`{path}`"));
            files.collect::<Vec<_>>().join("\nUNION ALL\n")
        };
        if self.keys.is_empty() {
            let none =
                self.columns.iter().map(|column| format!("  CAST(NULL AS {}) AS `{}`", column.hive_type, column.name));
            return format!("CREATE OR REPLACE TEMPORARY VIEW {name} AS\nSELECT\n{}\nWHERE false;\n", lines(none));
        }
        match self.format {
            FileFormat::Csv => self.spark_csv(name),
            FileFormat::Orc => format!("CREATE OR REPLACE TEMPORARY VIEW {name} AS\n{};\n", select("orc")),
            _ => format!("CREATE OR REPLACE TEMPORARY VIEW {name} AS\n{};\n", select("parquet")),
        }
    }

    fn spark_csv(&self, name: &str) -> String {
        let declared: Vec<_> = self.columns.iter().map(|column| format!("  `{}` STRING", column.name)).collect();
        let mut text = String::new();
        for (number, path) in self.locations().enumerate() {
            text += &format!(
                "CREATE OR REPLACE TEMPORARY VIEW {name}_{number} (\n{}\n)\nUSING csv\n\
                 OPTIONS (path {}, header 'false', quote '\"', escape '\"', emptyValue '');\n\n",
                declared.join(",\n"),
                quoted(&path),
            );
        }
        let shown = |column: &DdlColumn| {
            let present = format!("nullif(`{}`, '')", column.name);
            let value = match column.field.map(Field::field_type) {
                _ if column.field == Some(Field::Key) => format!("url_decode(`{}`)", column.name),
                Some(FieldType::Text | FieldType::Code) | None => present,
                Some(_) => format!("CAST({present} AS {})", column.hive_type),
            };
            format!("  {value} AS `{}`", column.name)
        };
        let files = (0..self.keys.len()).map(|number| format!("SELECT * FROM {name}_{number}"));
        let files = files.collect::<Vec<_>>().join(" UNION ALL ");
        let shown = lines(self.columns.iter().map(shown));
        text + &format!("CREATE OR REPLACE TEMPORARY VIEW {name} AS\nSELECT\n{shown}\nFROM ({files});\n")
    }

    fn duckdb(&self, name: &str) -> Result<String, DdlError> {
        let view = format!("CREATE OR REPLACE VIEW {name} AS\nSELECT\n");
        if self.keys.is_empty() {
            let none = self
                .columns
                .iter()
                .map(|column| format!("  CAST(NULL AS {}) AS \"{}\"", column.duckdb_type, column.name));
            return Ok(format!("{view}{}\nWHERE false;\n", lines(none)));
        }
        let paths = format!("[\n{}\n]", lines(self.locations().map(|path| format!("  {}", quoted(&path)))));
        match self.format {
            FileFormat::Orc => Err(DdlError(
                "DuckDB has no reader of ORC; `generate --source inventory:MANIFEST --format parquet` converts"
                    .to_owned(),
            )),
            FileFormat::Csv => {
                let declared =
                    self.columns.iter().map(|column| format!("  {}: '{}'", quoted(&column.name), column.duckdb_type));
                let shown = self.columns.iter().map(|column| {
                    let name = format!("\"{}\"", column.name);
                    match column.field {
                        Some(Field::Key) => format!("  url_decode(replace({name}, '+', '%20')) AS {name}"),
                        _ => format!("  {name}"),
                    }
                });
                Ok(format!(
                    "{view}{}\nFROM read_csv({paths}, auto_detect = false, header = false, delim = ',', quote = '\"', escape = '\"', \
                     nullstr = '', compression = 'gzip', max_line_size = 4194304, columns = {{\n{}\n}});\n",
                    lines(shown),
                    lines(declared),
                ))
            }
            _ => {
                let shown = self.columns.iter().map(|column| format!("  \"{}\"", column.name));
                Ok(format!("{view}{}\nFROM read_parquet({paths});\n", lines(shown)))
            }
        }
    }
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<Vec<_>>().join(",\n")
}

/// A text as SQL quotes it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
