//! A piece of text, cut at line ends, becomes batches of rows. It does not know where the piece stands in the input.

use super::{
    LINE_BYTES_MAX,
    fault::{Fault, LineFault, shown},
    row::RowReader,
};
use memchr::memchr;
use stocktake_core::{BucketName, Field, FieldSet, ObjectBatch, ObjectBatchBuilder, ReadContext, RowOrigin};

/// Parses pieces; kept over pieces by one thread, so that buffers and the codes of few-valued fields last.
#[derive(Debug)]
pub(super) struct PieceParser {
    row: RowReader,
    batch: ObjectBatchBuilder,
    bucket: BucketName,
    unexpected: FieldSet,
}

/// What a piece holds: rows up to its end, or up to a mistake.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// Batches whose origin counts lines from 1 at the beginning of the piece.
    pub(super) batches: Vec<ObjectBatch>,
    /// Lines of the piece, blank ones too.
    pub(super) lines: u64,
    /// The mistake after the last row.
    pub(super) fault: Option<LineFault>,
}

impl PieceParser {
    /// A parser that refuses values of the fields `unexpected`.
    pub(super) fn new(context: &ReadContext, unexpected: FieldSet) -> Self {
        let batch = ObjectBatchBuilder::new(context.fields);
        Self { row: RowReader::new(), batch, bucket: context.bucket.clone(), unexpected }
    }

    /// Parses a piece; only its last line may lack its end.
    pub(super) fn parse(&mut self, bytes: &[u8]) -> Rows {
        let mut batches = Vec::new();
        let mut first_line = 0;
        let mut skipped = Vec::new();
        let (lines, fault) = each_line(bytes, |Line { number, text: line, .. }| {
            self.row.read(line)?;
            if let Some(field) = self.row.value_among(self.unexpected) {
                let problem =
                    format!("`{field}` has a value here and in none of the first lines; name the fields of the report");
                return Err(self.row.fault(field, problem).with_key(self.row.key(line)));
            }
            if let Some(bucket) = self.row.text(Field::Bucket, line)
                && bucket != self.bucket.as_str()
            {
                let problem = format!("the bucket is {}, not `{}` as the report's", shown(bucket), self.bucket);
                return Err(self.row.fault(Field::Bucket, problem).with_key(self.row.key(line)));
            }
            let rows = self.batch.len();
            if rows == 0 {
                first_line = number;
            }
            let passed_over = number - first_line - rows as u64;
            if skipped.last().map_or(0, |(_, lines)| *lines) != passed_over {
                skipped.push((rows, passed_over));
            }
            if let Err(fault) = self.row.append(line, &mut self.batch) {
                // The row stands in the batch in part.
                self.batch.clear();
                return Err(fault);
            }
            if self.batch.is_full() {
                batches.push(finish(&mut self.batch, first_line, &mut skipped));
            }
            Ok(())
        });
        if !self.batch.is_empty() {
            batches.push(finish(&mut self.batch, first_line, &mut skipped));
        }
        Rows { batches, lines, fault }
    }
}

fn finish(batch: &mut ObjectBatchBuilder, first_line: u64, skipped: &mut Vec<(usize, u64)>) -> ObjectBatch {
    batch.set_origin(RowOrigin { unit: "line", first: first_line + 1, skipped: std::mem::take(skipped) });
    batch.finish()
}

/// A line of a piece, without its end.
pub(super) struct Line<'t> {
    /// Lines before it in the piece.
    pub(super) number: u64,
    /// Bytes before it in the piece.
    pub(super) offset: usize,
    pub(super) text: &'t str,
}

/// Calls `f` with each line that is not blank; returns the number of lines and the first mistake.
pub(super) fn each_line(
    bytes: &[u8],
    mut f: impl FnMut(Line<'_>) -> Result<(), Box<Fault>>,
) -> (u64, Option<LineFault>) {
    // Checked at once for the whole piece. What comes after a byte that is no UTF-8 is not looked at.
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid()),
    };
    let (mut number, mut offset) = (0, 0);
    while offset < bytes.len() {
        let length = memchr(b'\n', &bytes[offset..]).unwrap_or(bytes.len() - offset);
        let result = match text.get(offset..offset + length) {
            _ if length > LINE_BYTES_MAX => {
                Err(Fault::new(0, format!("the line is longer than {LINE_BYTES_MAX} bytes")))
            }
            None => Err(Fault::new(text.len() - offset, "this byte is not UTF-8")),
            Some(text) if is_blank(text) => Ok(()),
            Some(text) => f(Line { number, offset, text }),
        };
        if let Err(fault) = result {
            return (number, Some(LineFault { line: number, offset, fault }));
        }
        number += 1;
        offset += length + 1;
    }
    (number, None)
}

fn is_blank(line: &str) -> bool {
    line.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
}
