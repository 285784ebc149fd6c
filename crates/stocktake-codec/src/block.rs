//! Blocks: the shortest of codes of their own, fixed codes and plain text. What is written next may go on with a block's codes.

use crate::{
    bits::{Bits, Full, Rest},
    codes::{Codes, Header},
    dispatch::{Dispatch, Work},
    pairs::Pairs,
    tokens::{Counts, Token},
};

/// Longest text of a plain block.
const PLAIN_BYTES_MAX: usize = 65_535;

/// What a plain block adds to its text, and the byte that it may begin in.
const PLAIN_BYTES: usize = 6;

/// Codes serve so many texts at most.
const SERVED_MAX: u32 = 8;

/// Codes serve on while they take less than one part in so many more than the best imaginable would: codes of their own take
/// about one in a hundred more.
const SERVED_LOSS: u64 = 24;

/// Longest code of a block's end.
const END_BYTES: usize = 2;

/// Flushes write up to eight bytes ahead of what counts.
const AHEAD_BYTES: usize = 16;

/// Whether blocks follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// They do, and a block begins within the byte that the one before it ends in.
    Inside,
    /// This one ends the stream, and on a byte.
    Last,
}

impl Place {
    fn bit(self) -> u64 {
        u64::from(self == Place::Last)
    }
}

/// Writes blocks; holds what is used again for each.
pub(crate) struct BlockWriter {
    codes: Codes,
    pairs: Pairs,
    /// Whether blocks are columns, of which much is literals, in few tokens.
    columns: bool,
    header: Header,
    /// The block that the next text may go on with; its codes are for every symbol.
    open: Option<Served>,
    dispatch: Dispatch,
    /// As long as the longest block so far in plain, so that what does not fit is better off plain.
    out: Vec<u8>,
    rest: Rest,
}

impl BlockWriter {
    pub(crate) fn new() -> Self {
        Self {
            codes: Codes::new(),
            pairs: Pairs::new(),
            columns: false,
            header: Header::new(),
            open: None,
            dispatch: Dispatch::Auto,
            out: Vec::new(),
            rest: Rest::default(),
        }
    }

    /// For columns: much of them is literals, and there may be few tokens.
    pub(crate) fn of_columns() -> Self {
        Self { columns: true, ..Self::new() }
    }

    /// Uses other code for the same bytes.
    pub(crate) fn set_dispatch(&mut self, dispatch: Dispatch) {
        self.dispatch = dispatch;
    }

    /// Forgets bits that no block followed.
    pub(crate) fn begin(&mut self) {
        self.rest = Rest::default();
        self.open = None;
    }

    /// Appends the text that the tokens spell, in a block of its own or in the one before.
    pub(crate) fn write(&mut self, text: &[u8], tokens: &[Token], place: Place, into: &mut Vec<u8>) {
        let plain_bytes = text.len() + text.len().div_ceil(PLAIN_BYTES_MAX) * PLAIN_BYTES;
        let room_bytes = plain_bytes + END_BYTES + AHEAD_BYTES;
        if self.out.len() < room_bytes {
            self.out.resize(room_bytes, 0);
        }
        // Of the block before, if it has not ended.
        let end = self.open.map(|_| self.codes.end());
        let (written, rest) = match self.write_coded(text, tokens, place, plain_bytes) {
            Ok(end) => end,
            Err(Full) => {
                self.open = None;
                match write_plain(text, place, end, Bits::new(&mut self.out, self.rest)) {
                    Ok(end) => end,
                    Err(Full) => unreachable!("the output has room for the text in plain"),
                }
            }
        };
        into.extend_from_slice(&self.out[..written]);
        self.rest = rest;
    }

    /// Writes the text in codes, unless it becomes longer than plain.
    fn write_coded(
        &mut self,
        text: &[u8],
        tokens: &[Token],
        place: Place,
        plain_bytes: usize,
    ) -> Result<(usize, Rest), Full> {
        let (counts, exact) = if self.columns { Counts::of_columns(tokens, text) } else { Counts::of(tokens, text) };
        let mut bits = Bits::new(&mut self.out[..plain_bytes + AHEAD_BYTES / 2], self.rest);
        if place == Place::Last || !self.open.as_mut().is_some_and(|served| served.once_more(&self.codes, &counts)) {
            if self.open.take().is_some() {
                self.codes.put_end(&mut bits)?;
            }
            self.codes.fit(&counts);
            self.header.describe(&self.codes);
            let own_bits = self.header.cost_bits() + self.codes.cost_bits(&counts);
            let mut fixed_bits = u64::MAX;
            if exact {
                let mut fixed = Codes::new();
                fixed.fix();
                fixed_bits = 3 + fixed.cost_bits(&counts);
                if fixed_bits < own_bits {
                    self.codes = fixed;
                }
            }
            if exact && own_bits.min(fixed_bits) > 8 * plain_bytes as u64 {
                return Err(Full);
            }
            if fixed_bits < own_bits {
                bits.put(0b010 | place.bit(), 3);
                bits.flush()?;
            } else {
                self.header.write(place.bit(), &mut bits)?;
            }
            self.pairs.fit(self.codes.literals(), self.dispatch);
            // Exact counts leave symbols without a code, and no column is like the one before.
            self.open = (!exact && !self.columns && place == Place::Inside).then_some(Served(1));
        }
        let symbols = Symbols { codes: &self.codes, pairs: &self.pairs, text, tokens, bits };
        let mut bits = self.dispatch.run(symbols)?;
        if self.open.is_none() {
            self.codes.put_end(&mut bits)?;
        }
        if place == Place::Last {
            bits.align()?;
        }
        bits.finish()
    }

    /// Ends a run on a byte, as a sync flush does: with an empty plain block.
    pub(crate) fn end(&mut self, into: &mut Vec<u8>) {
        let mut out = [0; 2 * AHEAD_BYTES];
        let end = self.open.take().map(|_| self.codes.end());
        let Ok((written, _)) = write_plain(&[], Place::Inside, end, Bits::new(&mut out, self.rest)) else {
            unreachable!("an empty block has at most six bytes, and the end of one before it two");
        };
        into.extend_from_slice(&out[..written]);
        self.rest = Rest::default();
    }

    pub(crate) fn capacity_bytes(&self) -> usize {
        self.out.capacity() + self.pairs.memory_bytes() + size_of::<Self>()
    }
}

/// How many texts were written with the codes of a block that has not ended.
#[derive(Clone, Copy, Debug)]
struct Served(u32);

impl Served {
    /// Whether codes serve one more text with such counts, which is written then.
    fn once_more(&mut self, codes: &Codes, counts: &Counts) -> bool {
        self.0 += 1;
        // Both are far below 2^32.
        self.0 <= SERVED_MAX && codes.cost_bits(counts) * SERVED_LOSS <= counts.least_bits() * (SERVED_LOSS + 1)
    }
}

/// The symbols of a block, to be written. Bits are taken over and given back, so that they stay in registers.
struct Symbols<'a, 'o> {
    codes: &'a Codes,
    pairs: &'a Pairs,
    text: &'a [u8],
    tokens: &'a [Token],
    bits: Bits<'o>,
}

impl<'o> Work for Symbols<'_, 'o> {
    type Output = Result<Bits<'o>, Full>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        let Self { codes, pairs, text, tokens, bits } = self;
        let mut bits = bits.unpacked();
        let mut rest = text;
        for token in tokens {
            (bits, rest) = codes.put_pairs(pairs, rest, token.literals as usize, bits)?;
            if token.length > 0 {
                codes.put_match(token.length, token.distance, &mut bits)?;
                rest = &rest[usize::from(token.length)..];
            } else {
                bits.flush()?;
            }
        }
        bits.flush()?;
        Ok(bits)
    }
}

/// Writes plain blocks, after the end of one before them; one without text if there is none.
fn write_plain(text: &[u8], place: Place, end: Option<u32>, mut bits: Bits<'_>) -> Result<(usize, Rest), Full> {
    if let Some(end) = end {
        bits.put_entries([end]);
        bits.flush()?;
    }
    let empty: &[u8] = &[];
    let mut parts = text.chunks(PLAIN_BYTES_MAX).chain(text.is_empty().then_some(empty)).peekable();
    while let Some(part) = parts.next() {
        bits.put(if parts.peek().is_none() { place.bit() } else { 0 }, 3);
        bits.align()?;
        let length = u16::try_from(part.len()).unwrap_or(u16::MAX);
        bits.put(u64::from(length) | u64::from(!length) << 16, 32);
        bits.flush()?;
        bits.copy(part)?;
    }
    bits.finish()
}
