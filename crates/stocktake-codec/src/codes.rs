//! The codes of a block, their header (RFC 1951, section 3.2.7) and their cost.

use crate::{
    bits::{self, Bits, Full},
    huffman::{code_lengths, codes},
    pairs::Pairs,
    symbols::{DISTANCES, END, LENGTH_BASES, LENGTH_EXTRA, LENGTH_MAX, LENGTHS_FROM, LITERALS, distance_symbol},
    tokens::Counts,
};

/// Longest code of a literal or length: four of them and what a flush leaves fit into 63 bits.
const LITERAL_BITS_MAX: usize = 14;

/// Longest code of a distance.
const DISTANCE_BITS_MAX: usize = 15;

/// Longest code of a code's length.
const META_BITS_MAX: usize = 7;

/// Symbols of the code that code lengths are written in.
const METAS: usize = 19;

/// The order in which the lengths of that code are written.
const META_ORDER: [usize; METAS] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// Places of a table by lengths, and of one by symbols of distances: powers of two.
const LENGTH_PLACES: usize = (LENGTH_MAX + 1).next_power_of_two();
const DISTANCE_PLACES: usize = DISTANCES.next_power_of_two();

/// Codes of every symbol of a block.
pub(crate) struct Codes {
    literal_lengths: [u8; LITERALS],
    distance_lengths: [u8; DISTANCES],
    /// Entries of [`bits`].
    literals: [u32; 256],
    /// As literals, with the extra bits above the code.
    lengths: [u32; LENGTH_PLACES],
    /// As literals.
    distances: [u32; DISTANCE_PLACES],
    /// As literals.
    end: u32,
}

impl Codes {
    /// Room for codes; none has any yet.
    pub(crate) fn new() -> Self {
        Self {
            literal_lengths: [0; LITERALS],
            distance_lengths: [0; DISTANCES],
            literals: [0; 256],
            lengths: [0; LENGTH_PLACES],
            distances: [0; DISTANCE_PLACES],
            end: 0,
        }
    }

    /// Makes the codes that suit these counts.
    pub(crate) fn fit(&mut self, counts: &Counts) {
        code_lengths(&counts.literals, LITERAL_BITS_MAX, &mut self.literal_lengths);
        code_lengths(&counts.distances, DISTANCE_BITS_MAX, &mut self.distance_lengths);
        let (mut literals, mut distances) = ([0; LITERALS], [0; DISTANCES]);
        codes(&self.literal_lengths, &mut literals);
        codes(&self.distance_lengths, &mut distances);
        self.fill(&literals, &distances);
    }

    /// Makes the codes that need no header (RFC 1951, section 3.2.6).
    pub(crate) fn fix(&mut self) {
        // Two symbols that never occur complete the code.
        let mut lengths = [8; LITERALS + 2];
        lengths[144..256].fill(9);
        lengths[256..280].fill(7);
        let (mut literals, mut distances) = ([0; LITERALS + 2], [0; DISTANCES + 2]);
        codes(&lengths, &mut literals);
        codes(&[5; DISTANCES + 2], &mut distances);
        self.literal_lengths.copy_from_slice(&lengths[..LITERALS]);
        self.distance_lengths = [5; DISTANCES];
        self.fill(&literals, &distances);
    }

    fn fill(&mut self, literals: &[u16], distances: &[u16]) {
        let entry = |code: u16, bits: u8| bits::entry(code.into(), bits.into());
        for (byte, place) in self.literals.iter_mut().enumerate() {
            *place = entry(literals[byte], self.literal_lengths[byte]);
        }
        self.end = entry(literals[END], self.literal_lengths[END]);
        for (symbol, place) in self.distances.iter_mut().enumerate().take(DISTANCES) {
            *place = entry(distances[symbol], self.distance_lengths[symbol]);
        }
        // The last symbol stands for one length that the one before it could spell too.
        for (symbol, base) in LENGTH_BASES.iter().enumerate() {
            let (code, bits) = (literals[LENGTHS_FROM + symbol], self.literal_lengths[LENGTHS_FROM + symbol]);
            let extra = LENGTH_EXTRA[symbol];
            for (more, length) in (0..1u32 << extra).zip(usize::from(*base)..=LENGTH_MAX) {
                self.lengths[length] = bits::entry(u32::from(code) | more << bits, u32::from(bits + extra));
            }
        }
    }

    /// Bits of a block's symbols with these codes, without header.
    pub(crate) fn cost_bits(&self, counts: &Counts) -> u64 {
        let literals = counts.literals.iter().zip(self.literal_lengths);
        let distances = counts.distances.iter().zip(self.distance_lengths);
        literals.chain(distances).map(|(count, bits)| u64::from(*count) * u64::from(bits)).sum::<u64>()
            + counts.extra_bits()
    }

    /// Writes the first `count` bytes of a text as literals, after a flush.
    #[inline(always)]
    pub(crate) fn put_literals(&self, text: &[u8], count: usize, bits: &mut Bits<'_>) -> Result<(), Full> {
        let (fours, last) = text[..count].as_chunks::<4>();
        for four in fours {
            bits.put_entries(four.map(|byte| self.literals[usize::from(byte)]));
            bits.flush()?;
        }
        // How many are left cannot be foreseen: they are written without a branch, from text that goes on.
        let four = match text[count - last.len()..].first_chunk::<4>() {
            Some(four) => *four,
            None => {
                let mut four = [0; 4];
                four[..last.len()].copy_from_slice(last);
                four
            }
        };
        let entry = |place: usize| {
            let entry = self.literals[usize::from(four[place])];
            if place < last.len() { entry } else { 0 }
        };
        bits.put_entries([entry(0), entry(1), entry(2)]);
        bits.flush()
    }

    /// Writes the first `count` bytes of a text as literals, by pairs of these codes as far as there are; returns the text
    /// after them.
    #[inline(always)]
    pub(crate) fn put_pairs<'o, 't>(
        &self,
        pairs: &Pairs,
        mut text: &'t [u8],
        mut count: usize,
        mut bits: Bits<'o>,
    ) -> Result<(Bits<'o>, &'t [u8]), Full> {
        while count >= 8
            && let Some((eight, others)) = text.split_first_chunk()
        {
            if let Some(four) = pairs.eight(u64::from_le_bytes(*eight), bits.held()) {
                bits.put_entries(four);
                bits.flush()?;
                text = others;
                count -= 8;
            } else {
                (bits, text, count) = self.put_eights_apart(pairs, text, count, bits)?;
            }
        }
        if count == 0 {
            return Ok((bits, text));
        }
        if let Some(eight) = text.first_chunk().map(|eight| u64::from_le_bytes(*eight)) {
            // The last one; the one after the eight if there is none.
            let odd = eight >> (8 * (count.wrapping_sub(1) % 8)) & 0xff;
            if let Some(four) = pairs.rest(eight, count, self.literals[odd as usize], bits.held()) {
                bits.put_entries(four);
                return Ok((bits, &text[count..]));
            }
        }
        Ok((self.put_apart(text, count, bits)?, &text[count..]))
    }

    /// Writes eights up to the next one that fits together; returns what is left of the literals.
    #[inline(never)]
    fn put_eights_apart<'o, 't>(
        &self,
        pairs: &Pairs,
        mut text: &'t [u8],
        mut count: usize,
        bits: Bits<'o>,
    ) -> Result<(Bits<'o>, &'t [u8], usize), Full> {
        let mut bits = bits.unpacked();
        while count >= 8
            && let Some((eight, others)) = text.split_first_chunk::<8>()
            && pairs.eight(u64::from_le_bytes(*eight), bits.held()).is_none()
        {
            for four in eight.as_chunks::<4>().0 {
                match pairs.four(u32::from_le_bytes(*four)) {
                    Some(two) => bits.put_entries(two),
                    None => bits.put_entries(four.map(|byte| self.literals[usize::from(byte)])),
                }
                bits.flush()?;
            }
            text = others;
            count -= 8;
        }
        Ok((bits, text, count))
    }

    /// As [`Codes::put_literals`]. Bits are taken over and given back: elsewhere they stay in registers.
    #[inline(never)]
    fn put_apart<'o>(&self, text: &[u8], count: usize, bits: Bits<'o>) -> Result<Bits<'o>, Full> {
        let mut bits = bits.unpacked();
        self.put_literals(text, count, &mut bits)?;
        Ok(bits)
    }

    pub(crate) fn literals(&self) -> &[u32; 256] {
        &self.literals
    }

    /// Writes a match, after a flush: at most 19 and 28 bits.
    #[inline(always)]
    pub(crate) fn put_match(&self, length: u16, distance: u16, bits: &mut Bits<'_>) -> Result<(), Full> {
        let (symbol, extra) = distance_symbol(u32::from(distance));
        let more = (u32::from(distance) - 1) & ((1 << extra) - 1);
        // Places are within the tables in any case: what is cut off here is nothing.
        let (length, symbol) = (usize::from(length) % LENGTH_PLACES, symbol % DISTANCE_PLACES);
        let entries = [self.lengths[length], self.distances[symbol], bits::entry(more, extra)];
        if !bits.has_room_for(entries) {
            bits.flush()?;
        }
        bits.put_entries(entries);
        bits.flush()
    }

    /// The entry of a block's end.
    pub(crate) fn end(&self) -> u32 {
        self.end
    }

    #[inline(always)]
    pub(crate) fn put_end(&self, bits: &mut Bits<'_>) -> Result<(), Full> {
        bits.flush()?;
        bits.put_entries([self.end]);
        bits.flush()
    }
}

/// The header of a block with codes of its own.
pub(crate) struct Header {
    symbols: Vec<Meta>,
    literals: usize,
    distances: usize,
    meta_lengths: [u8; METAS],
    meta_codes: [u16; METAS],
    metas: usize,
}

/// A symbol of the code of code lengths with its extra bits.
#[derive(Clone, Copy)]
struct Meta {
    symbol: u8,
    extra: u8,
}

impl Meta {
    fn extra_bits(self) -> u32 {
        match self.symbol {
            16 => 2,
            17 => 3,
            18 => 7,
            _ => 0,
        }
    }
}

impl Header {
    pub(crate) fn new() -> Self {
        Self {
            symbols: Vec::new(),
            literals: 0,
            distances: 0,
            meta_lengths: [0; METAS],
            meta_codes: [0; METAS],
            metas: 0,
        }
    }

    /// Makes the header of these codes.
    pub(crate) fn describe(&mut self, codes_of_block: &Codes) {
        let used = |lengths: &[u8]| lengths.iter().rposition(|length| *length > 0).map_or(0, |last| last + 1);
        self.literals = used(&codes_of_block.literal_lengths).max(LENGTHS_FROM);
        self.distances = used(&codes_of_block.distance_lengths).max(1);
        self.symbols.clear();
        let lengths = codes_of_block.literal_lengths[..self.literals].iter();
        let mut lengths = lengths.chain(&codes_of_block.distance_lengths[..self.distances]).copied().peekable();
        while let Some(length) = lengths.next() {
            let mut run = 1usize;
            while lengths.next_if_eq(&length).is_some() {
                run += 1;
            }
            self.push_run(length, run);
        }
        let mut counts = [0; METAS];
        self.symbols.iter().for_each(|meta| counts[usize::from(meta.symbol)] += 1);
        if counts.iter().filter(|count| **count > 0).count() < 2 {
            counts.iter_mut().filter(|count| **count == 0).take(1).for_each(|count| *count = 1);
        }
        code_lengths(&counts, META_BITS_MAX, &mut self.meta_lengths);
        codes(&self.meta_lengths, &mut self.meta_codes);
        let written = META_ORDER.iter().rposition(|symbol| self.meta_lengths[*symbol] > 0);
        self.metas = written.map_or(0, |last| last + 1).max(4);
    }

    fn push_run(&mut self, length: u8, mut run: usize) {
        if length == 0 {
            while run >= 11 {
                let part = run.min(138);
                self.push(18, part - 11);
                run -= part;
            }
            if run >= 3 {
                self.push(17, run - 3);
                run = 0;
            }
        } else {
            self.push(length, 0);
            run -= 1;
            while run >= 3 {
                let part = run.min(6);
                self.push(16, part - 3);
                run -= part;
            }
        }
        (0..run).for_each(|_| self.push(length, 0));
    }

    fn push(&mut self, symbol: u8, extra: usize) {
        self.symbols.push(Meta { symbol, extra: u8::try_from(extra).unwrap_or(u8::MAX) });
    }

    /// Its length in bits, with the three that begin a block.
    pub(crate) fn cost_bits(&self) -> u64 {
        let symbols = self.symbols.iter();
        let bits =
            symbols.map(|meta| u64::from(self.meta_lengths[usize::from(meta.symbol)]) + u64::from(meta.extra_bits()));
        17 + 3 * self.metas as u64 + bits.sum::<u64>()
    }

    /// Begins a block with codes of its own; the lowest bit says whether it is the last one.
    pub(crate) fn write(&self, last: u64, bits: &mut Bits<'_>) -> Result<(), Full> {
        bits.put(0b100 | last, 3);
        bits.put((self.literals - LENGTHS_FROM) as u64, 5);
        bits.put((self.distances - 1) as u64, 5);
        bits.put((self.metas - 4) as u64, 4);
        bits.flush()?;
        for symbol in &META_ORDER[..self.metas] {
            bits.put(u64::from(self.meta_lengths[*symbol]), 3);
            bits.flush()?;
        }
        for meta in &self.symbols {
            let symbol = usize::from(meta.symbol);
            bits.put(u64::from(self.meta_codes[symbol]), u32::from(self.meta_lengths[symbol]));
            bits.put(u64::from(meta.extra), meta.extra_bits());
            bits.flush()?;
        }
        Ok(())
    }
}
