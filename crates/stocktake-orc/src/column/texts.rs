//! Columns of texts and bytes as they are: all values one after another, and their lengths.

use super::{ColumnEncoder, ColumnPlan, Encoded, Encoding, StripeParts, groups};
use crate::{
    compress::ValueKind,
    error::OrcError,
    options::ColumnHint,
    present::for_each_run,
    proto::stream::Kind,
    rle::integers::{IntegerEncoder, Sign},
    schema::ColumnType,
    slice::{ColumnSlice, Texts, Values},
    statistics::Typed,
    stream::{Offset, PositionKind},
};
use std::ops::Range;

impl ColumnEncoder {
    pub(super) fn encode_texts(
        &mut self,
        plan: &mut ColumnPlan,
        slices: &[ColumnSlice<'_>],
        rows: usize,
        nulls: usize,
        parts: &mut StripeParts,
    ) -> Result<Encoded, OrcError> {
        let kind = match plan.hint {
            ColumnHint::SortedText => ValueKind::SortedText,
            ColumnHint::RandomText => ValueKind::RandomText,
            _ => ValueKind::Text,
        };
        self.data.begin(kind, &self.codec, &parts.data);
        self.second.begin(ValueKind::Other, &self.codec, &self.second_out);
        for group in groups(rows, self.stride) {
            self.data.mark(&parts.data);
            let mut lengths = Lengths::begin(&mut self.narrow, &mut self.values);
            let mut known = Extremes::default();
            let present = (nulls > 0).then_some(&self.present);
            let (data, codec, bloom) = (&mut self.data, &mut self.codec, &mut plan.bloom);
            for_each_run(slices, present, group.clone(), |slice, run, _| {
                let (Values::Texts(texts) | Values::Binaries(texts)) = &slice.values else { return Ok(()) };
                if plan.column_type == ColumnType::String {
                    known.add_all(texts, run.clone());
                }
                if let Some(bloom) = bloom {
                    run.clone().for_each(|row| bloom.add_bytes(texts.value(row)));
                }
                match texts {
                    Texts::Offsets(offsets, bytes) => {
                        let offsets = &offsets[run.start..=run.end];
                        lengths.push_all(offsets);
                        data.push_values(offsets, bytes, codec, &mut parts.data)
                    }
                    Texts::LargeOffsets(offsets, bytes) => {
                        let offsets = &offsets[run.start..=run.end];
                        lengths.push_all(offsets);
                        data.push_values(offsets, bytes, codec, &mut parts.data)
                    }
                    texts => run.into_iter().try_for_each(|row| {
                        let value = texts.value(row);
                        lengths.push(value.len());
                        data.push_value(value, codec, &mut parts.data)
                    }),
                }
            })?;
            self.second.mark(&self.second_out);
            self.encoded.clear();
            let (values, bytes) = (lengths.values(), lengths.bytes);
            lengths.encode(&mut self.integers, &mut self.encoded);
            self.second.push(&self.encoded, &mut self.codec, &mut self.second_out)?;
            let typed = match plan.column_type {
                ColumnType::String => Typed::Texts { extremes: known.owned()?, bytes },
                _ => Typed::Binaries { bytes },
            };
            self.end_group(plan, &group, values, typed);
        }
        self.end_data(plan, parts)?;
        self.end_second(plan, Kind::Length, parts)?;
        Ok(Encoded {
            encoding: Encoding::DirectV2,
            dictionary_size: None,
            data: PositionKind::Byte,
            second: Some(PositionKind::Run),
        })
    }
}

/// Lengths of a row group's texts, in few bits as long as all of them fit.
struct Lengths<'b> {
    narrow: &'b mut Vec<i16>,
    wide: &'b mut Vec<i64>,
    bytes: u64,
}

impl<'b> Lengths<'b> {
    fn begin(narrow: &'b mut Vec<i16>, wide: &'b mut Vec<i64>) -> Self {
        narrow.clear();
        wide.clear();
        Self { narrow, wide, bytes: 0 }
    }

    fn push(&mut self, length: usize) {
        self.bytes += length as u64;
        match i16::try_from(length) {
            Ok(narrow) if self.wide.is_empty() => self.narrow.push(narrow),
            _ => {
                self.widen();
                // Lengths of values in memory have less than 63 bits.
                self.wide.push(length as i64);
            }
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "lengths of which the largest was looked at")]
    fn push_all<O: Offset>(&mut self, offsets: &[O]) {
        let lengths = offsets.windows(2).map(|pair| pair[1].at() - pair[0].at());
        if self.wide.is_empty() && lengths.clone().fold(0, |all, length| all | length) <= i16::MAX as usize {
            self.narrow.extend(lengths.map(|length| length as i16));
            self.bytes += offsets.last().zip(offsets.first()).map_or(0, |(end, start)| end.at() - start.at()) as u64;
        } else {
            lengths.for_each(|length| self.push(length));
        }
    }

    fn widen(&mut self) {
        self.wide.extend(self.narrow.drain(..).map(i64::from));
    }

    fn values(&self) -> usize {
        self.narrow.len() + self.wide.len()
    }

    fn encode(&self, integers: &mut IntegerEncoder, out: &mut Vec<u8>) {
        if self.wide.is_empty() {
            integers.encode(self.narrow, Sign::Unsigned, out);
        } else {
            integers.encode(self.wide, Sign::Unsigned, out);
        }
    }
}

/// The least and the largest of texts.
#[derive(Debug, Default)]
pub(super) struct Extremes<'a>(Option<(Extreme<'a>, Extreme<'a>)>);

/// A text with its first bytes as a number, which orders texts where it differs.
#[derive(Clone, Copy, Debug)]
struct Extreme<'a> {
    front: u64,
    text: &'a [u8],
}

impl<'a> Extremes<'a> {
    fn add_all(&mut self, texts: &Texts<'a>, rows: Range<usize>) {
        match texts {
            Texts::Constant(value) => self.add(value),
            Texts::Offsets(offsets, bytes) => offsets[rows.start..=rows.end].windows(2).for_each(|pair| {
                self.add(&bytes[pair[0].at()..pair[1].at()]);
            }),
            texts => rows.for_each(|row| self.add(texts.value(row))),
        }
    }

    /// Texts that ascend are compared with the largest only, those that are random with numbers.
    #[inline(always)]
    fn add(&mut self, text: &'a [u8]) {
        let front = match text.first_chunk() {
            Some(front) => u64::from_be_bytes(*front),
            None => short_front(text),
        };
        let Some((min, max)) = &mut self.0 else {
            self.0 = Some((Extreme { front, text }, Extreme { front, text }));
            return;
        };
        if front > max.front || (front == max.front && text > max.text) {
            *max = Extreme { front, text };
        } else if front < min.front || (front == min.front && text < min.text) {
            *min = Extreme { front, text };
        }
    }

    pub(super) fn owned(&self) -> Result<Option<(String, String)>, OrcError> {
        let text =
            |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| OrcError::mismatch("a text is not of UTF-8"));
        self.0.map(|(min, max)| Ok((text(min.text)?, text(max.text)?))).transpose()
    }
}

/// The front of a text that is shorter than the number, followed by zeros.
fn short_front(text: &[u8]) -> u64 {
    let mut front = [0; 8];
    front[..text.len()].copy_from_slice(text);
    u64::from_be_bytes(front)
}
