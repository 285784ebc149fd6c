//! Files: stripes one after another, and what closes a file: statistics of stripes, footer, postscript.

use crate::{
    compress::Codec, error::OrcError, options::WriterOptions, proto, schema::OrcSchema, statistics::ColumnStatistics,
    stripe::EncodedStripe,
};
use prost::Message;
use std::io::Write;

/// What a file begins with, and what its postscript ends with.
const MAGIC: &[u8] = b"ORC";

/// Version of the format: that of Hive 0.12, which all readers of the last ten years have.
const FORMAT_VERSION: [u32; 2] = [0, 12];

/// Number of this writer among ORC's writers. Those below 10 are taken by others, or are the next to be.
const WRITER: u32 = 83;

/// Version of this writer. Numbers start at 6: those below stand for faults of the first writer.
const WRITER_VERSION: u32 = 6;

/// Most bytes of footer or stripe statistics before compression: readers refuse longer messages.
const MESSAGE_BYTES_MAX: usize = 1 << 30;

/// Writes one file of any number of stripes.
#[derive(Debug)]
pub struct FileAssembler<W> {
    writer: W,
    codec: Codec,
    options: WriterOptions,
    types: Vec<proto::Type>,
    bytes: u64,
    rows: u64,
    stripes: Vec<proto::StripeInformation>,
    stripe_statistics: Vec<proto::StripeStatistics>,
    statistics: Vec<ColumnStatistics>,
}

impl<W: Write> FileAssembler<W> {
    /// An assembler of a file that starts where the writer stands.
    ///
    /// # Errors
    /// If options are out of their bounds, or name a column that is not there.
    pub fn try_new(writer: W, schema: &OrcSchema, options: &WriterOptions) -> Result<Self, OrcError> {
        options.check(schema)?;
        let columns = schema.columns().map(|(_, column_type)| ColumnStatistics::none_of(column_type));
        Ok(Self {
            writer,
            codec: Codec::new(options.compression, options.block_bytes)?,
            options: options.clone(),
            types: schema.types(),
            bytes: 0,
            rows: 0,
            stripes: Vec::new(),
            stripe_statistics: Vec::new(),
            statistics: std::iter::once(ColumnStatistics::of_rows(0)).chain(columns).collect(),
        })
    }

    /// Appends a stripe, made by an encoder with the same schema and options. One without rows is left out.
    ///
    /// # Errors
    /// If the writer does not take the bytes, or the stripe has other columns.
    pub fn append(&mut self, stripe: &EncodedStripe) -> Result<(), OrcError> {
        if stripe.rows() == 0 {
            return Ok(());
        }
        if stripe.statistics().len() != self.statistics.len() {
            return Err(OrcError::mismatch("the stripe has other columns than the file"));
        }
        self.begin()?;
        let [index, data, footer] = stripe.sections();
        self.stripes.push(proto::StripeInformation {
            offset: Some(self.bytes),
            index_length: Some(index.len() as u64),
            data_length: Some(data.len() as u64),
            footer_length: Some(footer.len() as u64),
            number_of_rows: Some(stripe.rows()),
        });
        for section in [index, data, footer] {
            self.write(section)?;
        }
        self.rows += stripe.rows();
        let col_stats = stripe.statistics().iter().map(ColumnStatistics::to_proto).collect();
        self.stripe_statistics.push(proto::StripeStatistics { col_stats });
        for (all, statistics) in self.statistics.iter_mut().zip(stripe.statistics()) {
            all.merge(statistics);
        }
        Ok(())
    }

    /// Adds an item of user metadata to the footer.
    pub fn add_metadata(&mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) {
        self.options.metadata.push((name.into(), value.into()));
    }

    /// Bytes written so far, without what closes the file.
    pub fn bytes_written(&self) -> u64 {
        self.bytes
    }

    /// Rows appended so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Writes what closes the file and returns the writer. A file without stripes is valid and has no rows.
    ///
    /// # Errors
    /// If the writer does not take the bytes, or the footer is longer than readers read.
    pub fn finish(mut self) -> Result<W, OrcError> {
        self.begin()?;
        let metadata = proto::Metadata { stripe_stats: std::mem::take(&mut self.stripe_statistics) };
        let footer = self.footer();
        let mut tail = Vec::new();
        self.write_message(&metadata, &mut tail)?;
        let metadata_bytes = tail.len();
        self.write_message(&footer, &mut tail)?;
        let postscript = proto::PostScript {
            footer_length: Some((tail.len() - metadata_bytes) as u64),
            compression: Some(self.options.compression.kind().into()),
            compression_block_size: self.codec.block_bytes().map(|bytes| bytes as u64),
            version: FORMAT_VERSION.to_vec(),
            metadata_length: Some(metadata_bytes as u64),
            writer_version: Some(WRITER_VERSION),
            magic: Some(String::from_utf8_lossy(MAGIC).into_owned()),
        };
        let start = tail.len();
        postscript.encode(&mut tail).map_err(|error| OrcError::limit(error.to_string()))?;
        let length = u8::try_from(tail.len() - start);
        tail.push(length.map_err(|_| OrcError::limit("a postscript has less than 256 bytes"))?);
        self.write(&tail)?;
        Ok(self.writer)
    }

    fn footer(&mut self) -> proto::Footer {
        let items = std::mem::take(&mut self.options.metadata).into_iter();
        proto::Footer {
            header_length: Some(MAGIC.len() as u64),
            content_length: Some(self.bytes),
            stripes: std::mem::take(&mut self.stripes),
            types: std::mem::take(&mut self.types),
            metadata: items
                .map(|(name, value)| proto::UserMetadataItem { name: Some(name), value: Some(value) })
                .collect(),
            number_of_rows: Some(self.rows),
            statistics: self.statistics.iter().map(ColumnStatistics::to_proto).collect(),
            row_index_stride: u32::try_from(self.options.row_index_stride).ok(),
            writer: Some(WRITER),
            calendar: Some(proto::CalendarKind::ProlepticGregorian.into()),
            software_version: Some(self.options.software_version.clone()),
        }
    }

    fn write_message(&mut self, message: &impl Message, tail: &mut Vec<u8>) -> Result<(), OrcError> {
        if message.encoded_len() > MESSAGE_BYTES_MAX {
            return Err(OrcError::limit("the footer is longer than readers read"));
        }
        self.codec.write_message(message, tail)
    }

    fn begin(&mut self) -> Result<(), OrcError> {
        if self.bytes == 0 { self.write(MAGIC) } else { Ok(()) }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), OrcError> {
        self.writer.write_all(bytes)?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }
}
