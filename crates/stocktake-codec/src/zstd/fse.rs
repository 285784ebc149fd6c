//! Codes of a fraction of a bit by finite states (RFC 8878, 4.1): counts to probabilities, their description, and the encoder.

/// Most symbols of an alphabet of sequences.
pub(super) const SYMBOLS_MAX: usize = 53;

/// Room for them, and a power of two, so that none is looked up outside.
const PLACES: usize = 64;

/// Most states, and their logarithm's least and greatest.
const LOG_MIN: u32 = 5;
pub(super) const LOG_MAX: u32 = 9;
const STATES_MAX: usize = 1 << LOG_MAX;

/// An encoder's table.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// Logarithm of the number of states; 0 where there is one symbol alone, which takes no bit.
    log: u32,
    states: [u16; STATES_MAX],
    symbols: [Symbol; PLACES],
}

#[derive(Clone, Copy, Debug, Default)]
struct Symbol {
    /// Bits that a state gives off, in the upper half, less what decides whether it is one more.
    delta_bits: u32,
    delta_state: i32,
}

/// How a table is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    OneSymbol = 1,
    Described = 2,
}

impl Default for Table {
    fn default() -> Self {
        Self { log: 0, states: [0; STATES_MAX], symbols: [Symbol::default(); PLACES] }
    }
}

impl Table {
    /// Makes the table of these counts, one of which at least is not zero, with at most `log_max` bits, and appends its
    /// description.
    pub(super) fn make(&mut self, counts: &[u32; SYMBOLS_MAX], log_max: u32, out: &mut Vec<u8>) -> Mode {
        let total: u32 = counts.iter().sum();
        let used = counts.iter().filter(|count| **count > 0).count();
        if used == 1 {
            let symbol = counts.iter().position(|count| *count > 0).unwrap_or(0);
            self.log = 0;
            self.states[0] = 0;
            self.symbols = [Symbol::default(); PLACES];
            out.push(symbol.to_le_bytes()[0]);
            return Mode::OneSymbol;
        }
        // Fewer states than counts would tell apart cost less to describe; twice as many as symbols leave each its share.
        let least = used.ilog2() + 2;
        let log = total.ilog2().saturating_sub(2).clamp(LOG_MIN.max(least), log_max);
        let shares = shares_of(counts, total, log);
        describe(&shares, log, out);
        self.fill(&shares, log);
        Mode::Described
    }

    fn fill(&mut self, shares: &[u32; SYMBOLS_MAX], log: u32) {
        self.log = log;
        let size = 1usize << log;
        // Symbols are spread over states so that those of one stand far from one another.
        let mut spread = [0u8; STATES_MAX];
        let (step, mask) = ((size >> 1) + (size >> 3) + 3, size - 1);
        let mut at = 0;
        for (symbol, share) in (0u8..).zip(shares) {
            for _ in 0..*share {
                spread[at] = symbol;
                at = (at + step) & mask;
            }
        }
        let mut next = [0usize; SYMBOLS_MAX];
        let mut before = 0u32;
        for ((entry, next), share) in self.symbols.iter_mut().zip(&mut next).zip(shares) {
            *next = before as usize;
            *entry = match share {
                0 => Symbol { delta_bits: ((log + 1) << 16) - (1 << log), delta_state: 0 },
                1 => Symbol { delta_bits: (log << 16) - (1 << log), delta_state: before.cast_signed() - 1 },
                _ => {
                    let bits = log - (share - 1).ilog2();
                    let delta_state = before.cast_signed() - share.cast_signed();
                    Symbol { delta_bits: (bits << 16) - (share << bits), delta_state }
                }
            };
            before += share;
        }
        for (state, symbol) in (size..2 * size).zip(&spread) {
            let next = &mut next[usize::from(*symbol)];
            self.states[*next] = u16::try_from(state).unwrap_or(u16::MAX);
            *next += 1;
        }
    }

    /// The state that says no more than the symbol.
    pub(super) fn first(&self, symbol: u8) -> u32 {
        let of = self.symbols[usize::from(symbol) % PLACES];
        let bits = (of.delta_bits + (1 << 15)) >> 16;
        let value = (bits << 16).wrapping_sub(of.delta_bits);
        self.state(value >> bits, of)
    }

    /// Bits of the old state that go out before a symbol, how many, and the new state.
    #[inline(always)]
    pub(super) fn next(&self, state: u32, symbol: u8) -> (u64, u32, u32) {
        let of = self.symbols[usize::from(symbol) % PLACES];
        let bits = state.wrapping_add(of.delta_bits) >> 16;
        let low = u64::from(state) & ((1 << bits) - 1);
        (low, bits, self.state(state >> bits, of))
    }

    #[inline(always)]
    fn state(&self, value: u32, of: Symbol) -> u32 {
        u32::from(self.states[value.wrapping_add_signed(of.delta_state) as usize % STATES_MAX])
    }

    /// The last state's bits, and how many.
    pub(super) fn last(&self, state: u32) -> (u64, u32) {
        (u64::from(state) & ((1 << self.log) - 1), self.log)
    }
}

/// Shares of all states by count, one at least for each symbol that occurs. Counts are those of a block's sequences: below 2^17.
fn shares_of(counts: &[u32; SYMBOLS_MAX], total: u32, log: u32) -> [u32; SYMBOLS_MAX] {
    let size = 1 << log;
    let mut shares = counts.map(|count| ((count * size + total / 2) / total).max(count.min(1)));
    let mut given: u32 = shares.iter().sum();
    // What rounding left over or lacks goes to where it matters least: the largest.
    while given != size {
        let Some(largest) = shares.iter_mut().max() else { break };
        if given < size {
            *largest += size - given;
            given = size;
        } else {
            let less = (given - size).min((*largest / 2).max(1));
            *largest -= less;
            given -= less;
        }
    }
    shares
}

/// Appends the description of shares (RFC 8878, 4.1.1).
fn describe(shares: &[u32; SYMBOLS_MAX], log: u32, out: &mut Vec<u8>) {
    let mut bits = Description { out, word: 0, count: 0 };
    bits.put(log - LOG_MIN, 4);
    let (mut left, mut threshold, mut width) = ((1u32 << log) + 1, 1u32 << log, log + 1);
    let mut symbol = 0;
    let mut absent_before = false;
    while symbol < SYMBOLS_MAX && left > 1 {
        if absent_before {
            let mut more = 0;
            while shares[symbol] == 0 {
                symbol += 1;
                more += 1;
                if more == 3 {
                    bits.put(3, 2);
                    more = 0;
                }
            }
            bits.put(more, 2);
        }
        let share = shares[symbol];
        symbol += 1;
        let spare = 2 * threshold - 1 - left;
        left -= share;
        let mut value = share + 1;
        if value >= threshold {
            value += spare;
        }
        bits.put(value, width - u32::from(value < spare));
        absent_before = share == 0;
        while left < threshold {
            width -= 1;
            threshold >>= 1;
        }
    }
    bits.end();
}

/// Bits from the lowest upwards.
struct Description<'a> {
    out: &'a mut Vec<u8>,
    word: u64,
    count: u32,
}

impl Description<'_> {
    fn put(&mut self, value: u32, bits: u32) {
        self.word |= u64::from(value) << self.count;
        self.count += bits;
        while self.count >= 8 {
            self.out.push(self.word.to_le_bytes()[0]);
            self.word >>= 8;
            self.count -= 8;
        }
    }

    fn end(self) {
        if self.count > 0 {
            self.out.push(self.word.to_le_bytes()[0]);
        }
    }
}
