//! Columns of few-valued texts: the texts once, in order, and the rank of each row's.

use super::{ColumnEncoder, ColumnPlan, Encoded, Encoding, StripeParts, groups, stream_of};
use crate::{
    compress::ValueKind,
    dictionary::{Dictionary, NO_RANK, RankedSlice, Ranks},
    error::OrcError,
    present::for_each_run,
    proto::stream::Kind,
    rle::{
        bits::Bitmap,
        integers::{Sign, encode_repeat},
    },
    slice::Codes,
    statistics::Typed,
    stream::PositionKind,
};
use std::{convert::Infallible, ops::Range};

impl ColumnEncoder {
    pub(super) fn encode_ranks(
        &mut self,
        plan: &mut ColumnPlan,
        dictionary: &Dictionary<'_>,
        rows: usize,
        nulls: usize,
        parts: &mut StripeParts,
    ) -> Result<Encoded, OrcError> {
        self.data.begin(ValueKind::Other, &self.codec, &parts.data);
        for group in groups(rows, self.stride) {
            self.data.mark(&parts.data);
            self.encoded.clear();
            let ranks = if let (0, Some(rank)) = (nulls, constant(&dictionary.slices, &group)) {
                encode_repeat(i64::from(rank), group.len(), Sign::Unsigned, &mut self.encoded);
                RanksKnown::constant(i64::from(rank), group.len())
            } else if dictionary.values.len() <= SMALL {
                self.encode_small(dictionary, nulls, &group)?
            } else {
                self.encode_large(dictionary, nulls, &group)?
            };
            self.data.push(&self.encoded, &mut self.codec, &mut parts.data)?;
            let typed = ranks.typed(dictionary)?;
            if let Some(bloom) = &mut plan.bloom {
                match ranks.source {
                    Source::One(rank) => bloom.add_bytes(text_of(dictionary, rank)),
                    Source::Counted => {
                        let texts = self.counts.iter().zip(&dictionary.values).filter(|(count, _)| **count > 0);
                        texts.for_each(|(_, text)| bloom.add_bytes(text));
                    }
                    Source::Listed => {
                        self.values.iter().for_each(|rank| bloom.add_bytes(text_of(dictionary, *rank)));
                    }
                }
            }
            self.end_group(plan, &group, ranks.values, typed);
        }
        self.end_data(plan, parts)?;
        self.write_texts(plan, dictionary, parts)?;
        Ok(Encoded {
            encoding: Encoding::DictionaryV2,
            // A dictionary has less than 2^32 values.
            dictionary_size: u32::try_from(dictionary.values.len()).ok(),
            data: PositionKind::Run,
            second: None,
        })
    }

    /// Encodes a row group's ranks of a small dictionary, which are counted.
    fn encode_small(
        &mut self,
        dictionary: &Dictionary<'_>,
        nulls: usize,
        group: &Range<usize>,
    ) -> Result<RanksKnown, OrcError> {
        self.narrow.clear();
        let present = (nulls > 0).then_some(&self.present);
        // A small dictionary's ranks have 15 bits; what is none stays none.
        gather(dictionary, present, group, &mut self.narrow, |rank| i16::try_from(rank).unwrap_or(i16::MAX));
        // One more than there are ranks, for codes without one.
        let none = dictionary.values.len();
        self.counts.clear();
        self.counts.resize(none + 1, 0);
        for rank in &self.narrow {
            self.counts[usize::from(rank.cast_unsigned()).min(none)] += 1;
        }
        let complete = nulls > 0 || self.narrow.len() == group.len();
        if !complete || self.counts.pop() != Some(0) {
            return Err(without_rank());
        }
        let extremes = self.integers.encode(&self.narrow, Sign::Unsigned, &mut self.encoded);
        let counted = self.counts.iter().zip(&dictionary.values);
        let bytes = counted.map(|(count, text)| u64::from(*count) * text.len() as u64).sum();
        Ok(RanksKnown { values: self.narrow.len(), extremes, bytes, source: Source::Counted })
    }

    /// Encodes a row group's ranks of a large dictionary.
    fn encode_large(
        &mut self,
        dictionary: &Dictionary<'_>,
        nulls: usize,
        group: &Range<usize>,
    ) -> Result<RanksKnown, OrcError> {
        self.values.clear();
        let present = (nulls > 0).then_some(&self.present);
        gather(dictionary, present, group, &mut self.values, i64::from);
        let complete = nulls > 0 || self.values.len() == group.len();
        if !complete || self.values.iter().any(|rank| *rank >= dictionary.values.len() as i64) {
            return Err(without_rank());
        }
        let extremes = self.integers.encode(&self.values, Sign::Unsigned, &mut self.encoded);
        let bytes = self.values.iter().map(|rank| text_of(dictionary, *rank).len() as u64).sum();
        Ok(RanksKnown { values: self.values.len(), extremes, bytes, source: Source::Listed })
    }

    /// Appends the dictionary: lengths of its texts, and the texts.
    fn write_texts(
        &mut self,
        plan: &ColumnPlan,
        dictionary: &Dictionary<'_>,
        parts: &mut StripeParts,
    ) -> Result<(), OrcError> {
        self.values.clear();
        self.values.extend(dictionary.values.iter().map(|text| text.len() as i64));
        self.encoded.clear();
        self.integers.encode(&self.values, Sign::Unsigned, &mut self.encoded);
        let start = parts.data.len();
        self.codec.write_all(&self.encoded, &mut parts.data)?;
        parts.data_streams.push(stream_of(plan, Kind::Length, parts.data.len() - start));
        // A dictionary has no second stream with positions.
        let stream = &mut self.second;
        stream.begin(ValueKind::SortedText, &self.codec, &parts.data);
        dictionary.values.iter().try_for_each(|text| stream.push_value(text, &mut self.codec, &mut parts.data))?;
        let length = stream.finish(&mut self.codec, &mut parts.data)?;
        parts.data_streams.push(stream_of(plan, Kind::DictionaryData, length));
        Ok(())
    }
}

/// Most values of a dictionary whose ranks are counted: a row group's counts stay in a core's own cache.
const SMALL: usize = 4096;

/// What is known of a row group's ranks.
#[derive(Clone, Copy, Debug)]
struct RanksKnown {
    values: usize,
    extremes: Option<(i64, i64)>,
    /// Bytes of the rows' texts.
    bytes: u64,
    source: Source,
}

/// Where the ranks that occur are to be found.
#[derive(Clone, Copy, Debug)]
enum Source {
    /// It is one.
    One(i64),
    /// In the encoder's counts.
    Counted,
    /// In the encoder's values.
    Listed,
}

impl RanksKnown {
    fn constant(rank: i64, values: usize) -> Self {
        Self { values, extremes: Some((rank, rank)), bytes: 0, source: Source::One(rank) }
    }

    fn typed(&self, dictionary: &Dictionary<'_>) -> Result<Typed, OrcError> {
        let owned = |rank: i64| {
            let text = text_of(dictionary, rank).to_vec();
            String::from_utf8(text).map_err(|_| OrcError::mismatch("a text is not of UTF-8"))
        };
        let bytes = match self.source {
            Source::One(rank) => self.values as u64 * text_of(dictionary, rank).len() as u64,
            _ => self.bytes,
        };
        let extremes = match self.extremes {
            Some((min, max)) => Some((owned(min)?, owned(max)?)),
            None => None,
        };
        Ok(Typed::Texts { extremes, bytes })
    }
}

/// The text of a rank, which was checked.
fn text_of<'a>(dictionary: &Dictionary<'a>, rank: i64) -> &'a [u8] {
    usize::try_from(rank).ok().and_then(|rank| dictionary.values.get(rank)).copied().unwrap_or_default()
}

fn without_rank() -> OrcError {
    OrcError::mismatch("a code has no rank, though its row is not null")
}

/// Collects the ranks of a row group's rows that have values.
fn gather<T: Clone>(
    dictionary: &Dictionary<'_>,
    present: Option<&Bitmap>,
    group: &Range<usize>,
    into: &mut Vec<T>,
    of: impl Fn(u32) -> T,
) {
    let rank = |code: usize, ranks: &[u32]| of(ranks.get(code).copied().unwrap_or(NO_RANK));
    let visited = for_each_run(&dictionary.slices, present, group.clone(), |slice, run, _| {
        match slice.ranks {
            Ranks::Nulls => {}
            Ranks::Constant(rank) => into.extend(std::iter::repeat_n(of(rank), run.len())),
            Ranks::Codes(Codes::U16(codes), ranks) => {
                into.extend(codes[run].iter().map(|code| rank(usize::from(*code), ranks)));
            }
            Ranks::Codes(Codes::U32(codes), ranks) => {
                into.extend(codes[run].iter().map(|code| rank(*code as usize, ranks)));
            }
            Ranks::Codes(Codes::I32(codes), ranks) => {
                let code = |code: i32| usize::try_from(code).unwrap_or(usize::MAX);
                into.extend(codes[run].iter().map(|value| rank(code(*value), ranks)));
            }
        }
        Ok::<(), Infallible>(())
    });
    match visited {
        Ok(()) => {}
    }
}

/// The one rank of all rows of a group, where slices say that it is one.
fn constant(slices: &[RankedSlice<'_>], group: &Range<usize>) -> Option<u32> {
    let (mut start, mut found) = (0, None);
    for slice in slices {
        let end = start + slice.rows;
        if start < group.end && end > group.start {
            let Ranks::Constant(rank) = slice.ranks else { return None };
            if found.is_some_and(|found| found != rank) {
                return None;
            }
            found = Some(rank);
        }
        start = end;
    }
    found
}
