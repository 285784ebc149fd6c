//! The pages of a row group, each looked at before it is inflated: the `parquet` crate takes as much memory as a page's header
//! says that the page has, and as much as the longest value of a dictionary for every row that has it.

use super::header::PageHeader;
use crate::windows::Windows;
use parquet::{
    arrow::arrow_reader::RowGroups,
    basic::{Compression, Type},
    column::page::{Page, PageIterator, PageMetadata, PageReader},
    errors::{ParquetError, Result},
    file::{
        metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData},
        serialized_reader::SerializedPageReader,
    },
};
use std::sync::Arc;
use stocktake_core::CODE_BYTES_MAX;

/// Most bytes of an inflated page: a hundred times as many as S3's have.
const PAGE_BYTES_MAX: u64 = 128 << 20;

/// Bytes in which a page's header is looked for first: it may hold the least and the largest value of its page.
const HEADER_BYTES: u64 = 16 << 10;

/// Most bytes of a page's header.
const HEADER_BYTES_MAX: u64 = 1 << 20;

/// Most bytes that a byte of Snappy stands for: a copy of 64 bytes takes three.
const SNAPPY_RATIO_MAX: u64 = 32;

/// The pages of one row group of a file.
pub(super) struct Pages<'a> {
    pub(super) windows: Arc<Windows>,
    pub(super) metadata: &'a ParquetMetaData,
    pub(super) group: usize,
}

impl RowGroups for Pages<'_> {
    fn num_rows(&self) -> usize {
        usize::try_from(self.metadata.row_group(self.group).num_rows()).unwrap_or(0)
    }

    fn column_chunks(&self, column: usize) -> Result<Box<dyn PageIterator>> {
        let column = self.metadata.row_group(self.group).column(column);
        let pages = CheckedPages::try_new(Arc::clone(&self.windows), column, self.num_rows())?;
        Ok(Box::new(OneChunk(Some(pages))))
    }

    fn row_groups(&self) -> Box<dyn Iterator<Item = &RowGroupMetaData> + '_> {
        Box::new(std::iter::once(self.metadata.row_group(self.group)))
    }

    fn metadata(&self) -> &ParquetMetaData {
        self.metadata
    }
}

/// The column chunk of one row group.
struct OneChunk(Option<CheckedPages>);

impl Iterator for OneChunk {
    type Item = Result<Box<dyn PageReader>>;

    fn next(&mut self) -> Option<Self::Item> {
        let pages = self.0.take()?;
        Some(Ok(Box::new(pages)))
    }
}

impl PageIterator for OneChunk {}

/// The pages of a column chunk.
struct CheckedPages {
    pages: SerializedPageReader<Windows>,
    windows: Arc<Windows>,
    /// Where the next page begins, and where the column chunk ends.
    at: u64,
    end: u64,
    compression: Compression,
    is_text: bool,
}

impl CheckedPages {
    fn try_new(windows: Arc<Windows>, column: &ColumnChunkMetaData, rows: usize) -> Result<Self> {
        let (at, length) = column.byte_range();
        Ok(Self {
            pages: SerializedPageReader::new(Arc::clone(&windows), column, rows, None)?,
            windows,
            at,
            end: at.saturating_add(length),
            compression: column.compression(),
            is_text: column.column_type() == Type::BYTE_ARRAY,
        })
    }

    /// Looks at the headers up to that of the next page that has values, and passes them.
    fn pass(&mut self) -> Result<()> {
        while self.at < self.end {
            let header = self.header()?;
            self.check(&header)?;
            self.at = self.at.saturating_add(header.header_bytes).saturating_add(header.compressed_bytes);
            if !header.is_index {
                break;
            }
        }
        Ok(())
    }

    fn header(&self) -> Result<PageHeader> {
        let left = self.end - self.at;
        for most in [HEADER_BYTES, HEADER_BYTES_MAX] {
            let bytes = self.windows.range(self.at, left.min(most))?;
            if let Some(header) = PageHeader::parse(&bytes) {
                return Ok(header);
            }
            if left <= most {
                break;
            }
        }
        Err(damaged("a page's header is damaged"))
    }

    fn check(&self, header: &PageHeader) -> Result<()> {
        let most = match self.compression {
            Compression::UNCOMPRESSED => header.compressed_bytes,
            Compression::SNAPPY => header.compressed_bytes.saturating_mul(SNAPPY_RATIO_MAX).saturating_add(64),
            _ => PAGE_BYTES_MAX,
        };
        let most = most.min(PAGE_BYTES_MAX);
        if header.inflated_bytes > most {
            let text =
                format!("a page of {} bytes says that it has {}", header.compressed_bytes, header.inflated_bytes);
            return Err(damaged(text));
        }
        Ok(())
    }

    /// A value of a dictionary is copied for each row that has it.
    fn check_values(&self, page: &Page) -> Result<()> {
        let Page::DictionaryPage { buf, .. } = page else { return Ok(()) };
        let mut values = buf.as_ref();
        // Parquet format, "Plain": each value behind its length in four bytes.
        while let Some((length, rest)) = values.split_first_chunk::<4>().filter(|_| self.is_text) {
            let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
            if length > CODE_BYTES_MAX {
                return Err(damaged(format!("a value has {length} bytes; at most {CODE_BYTES_MAX} are taken")));
            }
            values = rest.get(length..).unwrap_or_default();
        }
        Ok(())
    }
}

fn damaged(text: impl Into<String>) -> ParquetError {
    ParquetError::General(text.into())
}

impl Iterator for CheckedPages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for CheckedPages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        self.pass()?;
        let page = self.pages.get_next_page()?;
        page.iter().try_for_each(|page| self.check_values(page))?;
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.pass()?;
        self.pages.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> Result<bool> {
        self.pages.at_record_boundary()
    }
}
