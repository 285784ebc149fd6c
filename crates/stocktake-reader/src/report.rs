//! A report by its manifest: columns, files, and what receipts tell of them.

use crate::{
    error::{ReadError, ReadErrorKind},
    part::{Layout, OpenFile, Wanted},
    stored::StoredFile,
    stream::Batches,
};
use std::{fmt, io::Read, num::NonZeroUsize, sync::Arc};
use stocktake_core::{
    CancelToken, ENVELOPE_SUFFIX, Field, FieldSet, FileFormat, Manifest, ReadContext, Receipt, ReceiptsHeader,
    ReportKey, ReportStore, StoredObject, md5_hex, parse_receipts,
};

/// Most bytes of a manifest, or of an object beside it, that is read into memory: files of a hundred thousand million
/// rows are listed in less.
const TEXT_BYTES_MAX: u64 = 256 << 20;

/// A column as the manifest's `fileSchema` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReportColumn {
    /// Name in the schema's own spelling.
    pub name: String,
    /// The field, if it is one that is known.
    pub field: Option<Field>,
}

/// A data file of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DataFile {
    /// Key in the destination bucket.
    pub key: ReportKey,
    /// Size in bytes, as the manifest states it.
    pub size_bytes: u64,
    /// MD5 in hex, as the manifest states it.
    pub md5: Arc<str>,
    /// The file's receipt, if the report has receipts.
    pub receipt: Option<Receipt>,
}

/// A published report, opened by its manifest. Clones share it.
#[derive(Clone)]
pub struct Report {
    manifest_key: ReportKey,
    manifest: Arc<Manifest>,
    columns: Arc<[ReportColumn]>,
    fields: FieldSet,
    files: Arc<[DataFile]>,
    header: Option<Arc<ReceiptsHeader>>,
    store: Arc<dyn ReportStore>,
}

/// How a report is read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReadOptions {
    /// Known fields whose columns are wanted; keys always come. None: all that the report has.
    pub fields: Option<FieldSet>,
    /// Whether columns of no known field are wanted, as texts. Default: no.
    pub unknown: bool,
    /// Whether files are compared with the MD5 that the manifest states. Default: yes.
    pub md5: bool,
    /// Numbers of the files that are read, in this order. None: all, as the manifest lists them.
    pub files: Option<Vec<usize>>,
    /// Threads that decode. Default: 1.
    pub threads: NonZeroUsize,
    /// Asks the reading to stop.
    pub cancel: CancelToken,
    /// The run whose compute slots are used, if the reading is part of one.
    pub context: Option<ReadContext>,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            fields: None,
            unknown: false,
            md5: true,
            files: None,
            threads: NonZeroUsize::MIN,
            cancel: CancelToken::new(),
            context: None,
        }
    }
}

impl ReadOptions {
    /// Reads with so many threads.
    #[must_use]
    pub fn with_threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = threads;
        self
    }

    /// Reads only the columns of these fields, and keys.
    #[must_use]
    pub fn with_fields(mut self, fields: FieldSet) -> Self {
        self.fields = Some(fields);
        self
    }

    /// Says whether columns of no known field are wanted.
    #[must_use]
    pub fn with_unknown(mut self, unknown: bool) -> Self {
        self.unknown = unknown;
        self
    }

    /// Says whether files are compared with the MD5 that the manifest states.
    #[must_use]
    pub fn with_md5(mut self, md5: bool) -> Self {
        self.md5 = md5;
        self
    }

    /// Reads these files, in this order.
    #[must_use]
    pub fn with_files(mut self, files: Vec<usize>) -> Self {
        self.files = Some(files);
        self
    }

    /// Lets this token stop the reading.
    #[must_use]
    pub fn with_cancel(mut self, cancel: CancelToken) -> Self {
        self.cancel = cancel;
        self
    }
}

impl Report {
    /// Opens the report of a manifest whose data files are in the same store.
    ///
    /// # Errors
    /// As [`Report::open_with_files`].
    pub fn open(store: &Arc<dyn ReportStore>, manifest: &ReportKey) -> Result<Self, ReadError> {
        Self::open_with_files(store, manifest, store)
    }

    /// Opens the report of a manifest, with its data files in another store than what stands beside it.
    ///
    /// Reads the manifest, its checksum, and receipts.ndjson if it is there and makes sense to this version; data files
    /// are not looked at.
    ///
    /// # Errors
    /// If the manifest or its checksum is absent or unreadable, they differ, the schema makes no sense or lacks bucket or
    /// key, a key is none, or data files are encrypted.
    pub fn open_with_files(
        store: &Arc<dyn ReportStore>,
        manifest: &ReportKey,
        files: &Arc<dyn ReportStore>,
    ) -> Result<Self, ReadError> {
        let text = read_whole(&**store, manifest)?
            .ok_or_else(|| ReadError::new(ReadErrorKind::Unreadable, "the manifest is not there").in_file(manifest))?;
        check_checksum(&**store, manifest, &text)?;
        let parsed = Manifest::parse(&text)
            .map_err(|error| ReadError::because(ReadErrorKind::Malformed, "is no manifest", error).in_file(manifest))?;
        let (columns, fields) = columns(&parsed).map_err(|error| error.in_file(manifest))?;
        let (header, receipts) = receipts(&**store, manifest)?.unzip();
        let files_listed = data_files(&parsed, receipts.unwrap_or_default())?;
        Ok(Self {
            manifest_key: manifest.clone(),
            manifest: Arc::new(parsed),
            columns: columns.into(),
            fields,
            files: files_listed.into(),
            header: header.map(Arc::new),
            store: Arc::clone(files),
        })
    }

    /// Key of the manifest.
    pub fn manifest_key(&self) -> &ReportKey {
        &self.manifest_key
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The columns in file order.
    pub fn columns(&self) -> &[ReportColumn] {
        &self.columns
    }

    /// Names of the columns that are no known field, in file order.
    pub fn unknown_columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().filter(|column| column.field.is_none()).map(|column| column.name.as_str())
    }

    /// Known fields that the report has columns of.
    pub fn fields(&self) -> FieldSet {
        self.fields
    }

    /// The data files as the manifest lists them.
    pub fn files(&self) -> &[DataFile] {
        &self.files
    }

    /// The header of receipts.ndjson, if the report has one.
    pub fn header(&self) -> Option<&ReceiptsHeader> {
        self.header.as_deref()
    }

    /// What the store knows of the data files now, in the manifest's order; none of one that is not there.
    ///
    /// # Errors
    /// If the store cannot say.
    pub fn look_at_files(&self) -> Result<Vec<Option<StoredObject>>, ReadError> {
        self.files.iter().map(|file| Ok(self.store.head(&file.key)?)).collect()
    }

    /// Begins to read rows: in the order of files, and in each in its own order.
    ///
    /// # Errors
    /// If threads cannot be started, or a file is asked for that is not listed.
    pub fn read(&self, options: &ReadOptions) -> Result<Batches, ReadError> {
        Batches::begin(self.clone(), options)
    }

    /// Numbers of the files in the order of their first keys: that of the report's keys, if the files are sorted and do not
    /// overlap.
    ///
    /// Receipts tell first keys; of other reports each file is begun to be read. A file without rows comes first.
    ///
    /// # Errors
    /// If a file cannot be begun.
    pub fn files_by_first_key(&self) -> Result<Vec<usize>, ReadError> {
        let mut keyed = Vec::with_capacity(self.files.len());
        for (index, file) in self.files.iter().enumerate() {
            let first = match file.receipt.as_ref().filter(|_| self.header.as_ref().is_some_and(|header| header.sorted))
            {
                Some(receipt) => receipt.first_key.clone(),
                None => self.first_key(index)?,
            };
            keyed.push((first, index));
        }
        keyed.sort();
        Ok(keyed.into_iter().map(|(_, index)| index).collect())
    }

    fn first_key(&self, index: usize) -> Result<Option<String>, ReadError> {
        let options = ReadOptions::default().with_fields(FieldSet::REQUIRED).with_md5(false);
        let wanted = self.wanted(&options);
        let file = self.open_file(index)?;
        for work in file.work(&wanted) {
            if let Some(mut part) = file.begin(&work, &wanted)?
                && let Some(batch) = part.next()?
            {
                return Ok(Some(batch.rows.key(0).to_owned()));
            }
        }
        Ok(None)
    }

    pub(crate) fn wanted(&self, options: &ReadOptions) -> Wanted {
        Wanted {
            columns: Arc::clone(&self.columns),
            fields: options.fields.unwrap_or(self.fields).intersection(self.fields).union(FieldSet::REQUIRED),
            unknown: options.unknown,
            bucket: self.manifest.source_bucket.as_str().into(),
            md5: options.md5,
            cancel: options.cancel.clone(),
        }
    }

    /// Looks at a data file as far as its format needs.
    pub(crate) fn open_file(&self, index: usize) -> Result<OpenFile, ReadError> {
        let Some(file) = self.files.get(index) else {
            return Err(ReadError::new(ReadErrorKind::Unsupported, format!("the report has no file {index}")));
        };
        let stored = StoredFile::find(&self.store, &file.key, file.size_bytes)?;
        let layout = layout(self.manifest.file_format, &stored).map_err(|error| stored.told(error))?;
        Ok(OpenFile { index, stored, md5: Arc::clone(&file.md5), layout })
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report").field("manifest", &self.manifest).finish_non_exhaustive()
    }
}

fn layout(format: FileFormat, stored: &StoredFile) -> Result<Arc<dyn Layout>, ReadError> {
    match format {
        #[cfg(feature = "csv")]
        FileFormat::Csv => Ok(Arc::new(crate::csv::CsvFile)),
        #[cfg(feature = "parquet")]
        FileFormat::Parquet => Ok(Arc::new(crate::parquet::ParquetFile::open(stored)?)),
        #[cfg(feature = "orc")]
        FileFormat::Orc => Ok(Arc::new(crate::orc::OrcFile::open(stored)?)),
        other => {
            let text = format!("the format {} is not built into this program", other.name());
            Err(ReadError::new(ReadErrorKind::Unsupported, text).in_file(&stored.key))
        }
    }
}

fn check_checksum(store: &dyn ReportStore, manifest: &ReportKey, text: &[u8]) -> Result<(), ReadError> {
    let name = manifest.as_str();
    let key = ReportKey::try_foreign(format!("{}.checksum", name.strip_suffix(".json").unwrap_or(name)))
        .map_err(|error| ReadError::because(ReadErrorKind::Unreadable, "the checksum's name is too long", error))?;
    let Some(stated) = read_whole(store, &key)? else {
        let text = "is not there; the report is not complete";
        return Err(ReadError::new(ReadErrorKind::Unreadable, text).in_file(key));
    };
    let (stated, md5) = (String::from_utf8_lossy(stated.trim_ascii()).into_owned(), md5_hex(text));
    if stated.eq_ignore_ascii_case(&md5) {
        return Ok(());
    }
    // Enough to show what it is; it may be anything of any length.
    let shown: String = stated.chars().take(40).collect();
    Err(ReadError::differs(format!("says {shown:?}, the manifest has MD5 {md5}")).in_file(key))
}

fn columns(manifest: &Manifest) -> Result<(Vec<ReportColumn>, FieldSet), ReadError> {
    let format = manifest.file_format;
    let parsed = format.parse_schema(&manifest.file_schema).ok_or_else(|| {
        ReadError::malformed(format!("fileSchema is none of {}: {}", format.name(), manifest.file_schema))
    })?;
    let mut fields = FieldSet::EMPTY;
    let mut columns: Vec<ReportColumn> = Vec::with_capacity(parsed.len());
    for column in parsed {
        if columns
            .iter()
            .any(|before| before.name == column.name || column.field.is_some() && before.field == column.field)
        {
            return Err(ReadError::malformed(format!("fileSchema names the column {:?} twice", column.name)));
        }
        fields = column.field.map_or(fields, |field| fields.with(field));
        columns.push(ReportColumn { name: column.name, field: column.field });
    }
    if !fields.contains(Field::Key) {
        return Err(ReadError::malformed("fileSchema has no column of keys"));
    }
    Ok((columns, fields))
}

/// Receipts beside the manifest; none if there are none, or if they are of a kind that this version does not know:
/// saying so is for a verification of the report.
fn receipts(
    store: &dyn ReportStore,
    manifest: &ReportKey,
) -> Result<Option<(ReceiptsHeader, Vec<Receipt>)>, ReadError> {
    let Some(folder) = manifest.as_str().strip_suffix("manifest.json") else { return Ok(None) };
    let Ok(key) = ReportKey::try_foreign(format!("{folder}receipts.ndjson")) else { return Ok(None) };
    Ok(read_whole(store, &key)?.and_then(|text| parse_receipts(&text).ok()))
}

fn data_files(manifest: &Manifest, receipts: Vec<Receipt>) -> Result<Vec<DataFile>, ReadError> {
    let mut by_key: std::collections::BTreeMap<String, Receipt> =
        receipts.into_iter().filter_map(|receipt| Some((receipt.file.as_ref()?.key.to_string(), receipt))).collect();
    let mut files = Vec::with_capacity(manifest.files.len());
    let mut seen = std::collections::BTreeSet::new();
    for file in &manifest.files {
        if file.key.ends_with(ENVELOPE_SUFFIX) {
            let text = "is encrypted; encrypted reports are decrypted before they are read";
            return Err(ReadError::new(ReadErrorKind::Unsupported, text).in_file(&file.key));
        }
        let key = ReportKey::try_foreign(file.key.clone()).map_err(|error| {
            ReadError::because(ReadErrorKind::Malformed, format!("{:?} is no key of a data file", file.key), error)
        })?;
        if !seen.insert(key.without_empty_segments().into_owned()) {
            // Its rows would be counted twice.
            return Err(ReadError::malformed("is listed more than once").in_file(&file.key));
        }
        files.push(DataFile {
            receipt: by_key.remove(&file.key),
            key,
            size_bytes: file.size,
            md5: file.md5_checksum.as_str().into(),
        });
    }
    Ok(files)
}

/// The content of an object, if it is there.
fn read_whole(store: &dyn ReportStore, key: &ReportKey) -> Result<Option<Vec<u8>>, ReadError> {
    let Some(stored) = store.head(key)? else { return Ok(None) };
    if stored.size_bytes > TEXT_BYTES_MAX {
        let text = format!("has more than {TEXT_BYTES_MAX} bytes");
        return Err(ReadError::new(ReadErrorKind::Unsupported, text).in_file(key));
    }
    let mut text = Vec::new();
    let read = store.open_range(key, 0..stored.size_bytes)?.read_to_end(&mut text);
    read.map_err(|error| ReadError::io("cannot be read", error).in_file(key))?;
    Ok(Some(text))
}
