//! Sequences of literals and matches (RFC 8878, 3.1.1.3.2).

use super::{
    bits::Bits,
    fse::{LOG_MAX, SYMBOLS_MAX, Table},
};
use crate::{
    bits::Full,
    columns::Sink,
    dispatch::{Dispatch, Work},
};

/// Shortest match that ZSTD knows.
const MATCH_BYTES_MIN: usize = 3;

/// What things take, in eighths of a byte: a literal; a match at one of the last distances; one at another.
const LITERAL_COST: isize = 5;
const REPEATED_COST: isize = 14;
const MATCH_COST: isize = 8;

/// Literals are copied in pieces of so many bytes.
const PIECE_BYTES: usize = 32;

/// Most bits of the states of offsets.
const OFFSET_LOG_MAX: u32 = 8;

/// Distances at the beginning of a frame.
const DISTANCES: [u32; 3] = [1, 4, 8];

/// The sequences of one block.
#[derive(Clone, Debug, Default)]
pub(super) struct Sequences {
    all: Vec<Sequence>,
    /// Room, of which the front is the literals.
    literals: Vec<u8>,
    literal_bytes: usize,
    tables: Box<[Table; 3]>,
    head: Vec<u8>,
}

/// Literals, then a match.
#[derive(Clone, Copy, Debug)]
struct Sequence {
    literals: u32,
    /// Beyond the shortest.
    match_bytes: u32,
    /// Distance and three, or which of the last it is.
    offset: u32,
}

impl Sequences {
    pub(super) fn begin(&mut self, block: &[u8]) {
        self.all.clear();
        self.literal_bytes = 0;
        if self.literals.len() < block.len() + 2 * PIECE_BYTES {
            self.literals.resize(block.len() + 2 * PIECE_BYTES, 0);
        }
    }

    /// Where a finder's matches go.
    pub(super) fn sink<'a>(&'a mut self, block: &'a [u8]) -> Taker<'a> {
        let Self { all, literals, literal_bytes, .. } = self;
        Taker { block, all, literals, literal_bytes, settled: 0, distances: DISTANCES }
    }

    pub(super) fn literals(&self) -> &[u8] {
        &self.literals[..self.literal_bytes]
    }

    /// Writes the section to the front of `out`, and returns its length; none if there is no room.
    pub(super) fn put(&mut self, dispatch: Dispatch, out: &mut [u8]) -> Option<usize> {
        let Self { all, tables, head, .. } = self;
        head.clear();
        let count = all.len();
        let [low, high, ..] = count.to_le_bytes();
        match count {
            0..128 => head.push(low),
            128..0x7f00 => head.extend([high + 128, low]),
            _ => {
                let [low, high, ..] = (count - 0x7f00).to_le_bytes();
                head.extend([255, low, high]);
            }
        }
        if count == 0 {
            *out.first_mut()? = 0;
            return Some(1);
        }
        let mut counts = [[0; SYMBOLS_MAX]; 3];
        for sequence in all.iter() {
            let codes = [sequence.literals_code(), sequence.offset_code(), sequence.match_code()];
            counts.iter_mut().zip(codes).for_each(|(counts, code)| counts[usize::from(code)] += 1);
        }
        let modes_at = head.len();
        head.push(0);
        let logs = [LOG_MAX, OFFSET_LOG_MAX, LOG_MAX];
        for (((table, counts), log_max), shift) in tables.iter_mut().zip(&counts).zip(logs).zip([6, 4, 2]) {
            let mode = table.make(counts, log_max, head) as u8;
            head[modes_at] |= mode << shift;
        }
        let (front, rest) = out.split_at_mut_checked(head.len())?;
        front.copy_from_slice(head);
        let written = dispatch.run(Encode { all, tables, out: rest })?;
        Some(head.len() + written)
    }
}

/// Takes a finder's matches as sequences.
pub(super) struct Taker<'a> {
    block: &'a [u8],
    all: &'a mut Vec<Sequence>,
    literals: &'a mut [u8],
    literal_bytes: &'a mut usize,
    settled: usize,
    /// The last three distances, as a reader has them.
    distances: [u32; 3],
}

impl Taker<'_> {
    /// What is left are literals.
    pub(super) fn end(mut self) {
        self.take_literals(self.block.len());
    }

    #[inline(always)]
    fn take_literals(&mut self, to: usize) {
        let (from, at) = (self.settled, *self.literal_bytes);
        let length = to - from;
        if length <= PIECE_BYTES
            && let Some(piece) = self.block.get(from..).and_then(|rest| rest.first_chunk::<PIECE_BYTES>())
            && let Some(room) = self.literals.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<PIECE_BYTES>())
        {
            *room = *piece;
        } else {
            self.literals[at..at + length].copy_from_slice(&self.block[from..to]);
        }
        *self.literal_bytes = at + length;
    }

    /// The number that tells of a distance, after so many literals, which becomes the last.
    #[inline(always)]
    fn offset(&mut self, distance: u32, literals: usize) -> u32 {
        let [first, second, third] = self.distances;
        if literals > 0 && distance == first {
            return 1;
        }
        // Right after a match the last distance would be part of it: the others move up by one.
        let shift = u32::from(literals == 0);
        if distance == second {
            self.distances = [second, first, third];
            return 2 - shift;
        }
        let number = if distance == third {
            3 - shift
        } else if literals == 0 && distance + 1 == first {
            3
        } else {
            distance + 3
        };
        self.distances = [distance, first, second];
        number
    }
}

impl Sink for Taker<'_> {
    const DISTANCE_MAX: usize = 1 << 17;
    const SINGLE_MAX: Option<usize> = None;

    fn settled(&self) -> usize {
        self.settled
    }

    #[inline(always)]
    fn saves(&self, _: usize, _: usize, length: usize, distance: usize) -> isize {
        if length < MATCH_BYTES_MIN || distance == 0 {
            return -1;
        }
        let far = MATCH_COST + distance.ilog2().cast_signed() as isize;
        let cost = if self.distances[0] as usize == distance { REPEATED_COST } else { far };
        length.cast_signed() * LITERAL_COST - cost
    }

    #[inline(always)]
    fn put(&mut self, from: usize, length: usize, distance: usize) -> Result<(), Full> {
        let literals = from - self.settled;
        self.take_literals(from);
        self.settled = from + length;
        #[expect(clippy::cast_possible_truncation, reason = "blocks have at most 128 KiB")]
        let (distance, short, match_bytes) = (distance as u32, literals as u32, (length - MATCH_BYTES_MIN) as u32);
        let offset = self.offset(distance, literals);
        self.all.push(Sequence { literals: short, match_bytes, offset });
        Ok(())
    }
}

impl Sequence {
    #[inline(always)]
    fn literals_code(self) -> u8 {
        match self.literals {
            short @ 0..16 => short.to_le_bytes()[0],
            middle @ 16..64 => LITERALS_CODES[middle as usize - 16],
            long => long.ilog2().to_le_bytes()[0] + 19,
        }
    }

    #[inline(always)]
    fn match_code(self) -> u8 {
        match self.match_bytes {
            short @ 0..32 => short.to_le_bytes()[0],
            middle @ 32..128 => MATCH_CODES[middle as usize - 32],
            long => long.ilog2().to_le_bytes()[0] + 36,
        }
    }

    #[inline(always)]
    fn offset_code(self) -> u8 {
        self.offset.ilog2().to_le_bytes()[0]
    }
}

/// Room for every code, and a power of two, so that no code is looked up outside.
const CODES: usize = 64;

/// Codes of 16 to 63 literals, and bits beyond the code (RFC 8878, table 14).
const LITERALS_BITS: [u8; CODES] = bits_of(&[(16, 0), (4, 1), (2, 2), (2, 3), (1, 4)], 6);
const LITERALS_CODES: [u8; 48] = codes_of(&LITERALS_BITS, 16);

/// Codes of 32 to 127 bytes of a match beyond three, and bits beyond the code (RFC 8878, table 15).
const MATCH_BITS: [u8; CODES] = bits_of(&[(32, 0), (4, 1), (2, 2), (2, 3), (2, 4), (1, 5)], 7);
const MATCH_CODES: [u8; 96] = codes_of(&MATCH_BITS, 32);

/// Bits of each code: so many codes of so many bits each, then one each of `then` and more.
const fn bits_of(runs: &[(usize, u8)], then: u8) -> [u8; CODES] {
    let mut bits = [0; CODES];
    let (mut code, mut run) = (0, 0);
    while run < runs.len() {
        let mut more = 0;
        while more < runs[run].0 {
            bits[code] = runs[run].1;
            code += 1;
            more += 1;
        }
        run += 1;
    }
    let mut next = then;
    while next <= 16 {
        bits[code] = next;
        next += 1;
        code += 1;
    }
    bits
}

/// Codes of values from `first` on, the code of which is its own number.
const fn codes_of<const VALUES: usize>(bits: &[u8], first: u8) -> [u8; VALUES] {
    let mut codes = [0; VALUES];
    let (mut value, mut code) = (0, first);
    while value < VALUES {
        let mut left = 1 << bits[code as usize];
        while left > 0 && value < VALUES {
            codes[value] = code;
            value += 1;
            left -= 1;
        }
        code += 1;
    }
    codes
}

/// The least value of each code.
const LITERALS_BASES: [u32; CODES] = bases_of(&LITERALS_BITS);
const MATCH_BASES: [u32; CODES] = bases_of(&MATCH_BITS);

const fn bases_of(bits: &[u8; CODES]) -> [u32; CODES] {
    let mut bases = [0; CODES];
    let mut code = 1;
    while code < CODES {
        bases[code] = bases[code - 1] + (1 << bits[code - 1]);
        code += 1;
    }
    bases
}

/// Sequences to bits, the last one first.
struct Encode<'a> {
    all: &'a [Sequence],
    tables: &'a [Table; 3],
    out: &'a mut [u8],
}

impl Work for Encode<'_> {
    /// Bytes that were written; none if there is no room.
    type Output = Option<usize>;

    #[inline(always)]
    fn run(self) -> Option<usize> {
        let Self { all, tables: [of_literals, of_offset, of_match], out } = self;
        let mut bits = Bits { word: 0, count: 0, out, at: 0 };
        let (last, others) = all.split_last()?;
        let mut states = [
            of_literals.first(last.literals_code()),
            of_offset.first(last.offset_code()),
            of_match.first(last.match_code()),
        ];
        put_extra(&mut bits, *last)?;
        for sequence in others.iter().rev() {
            let (low, count, offset) = of_offset.next(states[1], sequence.offset_code());
            bits.put(low, count);
            let (low, count, matched) = of_match.next(states[2], sequence.match_code());
            bits.put(low, count);
            let (low, count, literals) = of_literals.next(states[0], sequence.literals_code());
            bits.put(low, count);
            states = [literals, offset, matched];
            put_extra(&mut bits, *sequence)?;
        }
        for (table, state) in [(of_match, states[2]), (of_offset, states[1]), (of_literals, states[0])] {
            let (low, count) = table.last(state);
            bits.put(low, count);
        }
        bits.store()?;
        // A one ends the stream where it is read from.
        bits.put(1, 1);
        bits.store()?;
        Some(bits.at + usize::from(bits.count > 0))
    }
}

/// Puts what codes leave out: behind up to 26 bits of states and seven of before, 16 bits each and 17.
#[inline(always)]
fn put_extra(bits: &mut Bits<'_>, sequence: Sequence) -> Option<()> {
    let code = usize::from(sequence.literals_code()) % CODES;
    bits.put(u64::from(sequence.literals - LITERALS_BASES[code]), u32::from(LITERALS_BITS[code]));
    bits.store()?;
    let code = usize::from(sequence.match_code()) % CODES;
    bits.put(u64::from(sequence.match_bytes - MATCH_BASES[code]), u32::from(MATCH_BITS[code]));
    let code = sequence.offset_code();
    bits.put(u64::from(sequence.offset) & ((1 << code) - 1), u32::from(code));
    bits.store()
}
