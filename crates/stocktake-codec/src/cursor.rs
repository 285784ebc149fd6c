//! What of a run's text is settled, in variables of the function that settles it.
//!
//! Places are indices into the text, which the deflater keeps: they mean something until a block ends.

use crate::{
    compare::{equal_around, equal_before, equal_front},
    lanes::LANES,
    symbols::DISTANCE_MAX,
    tokens::{Token, push_match},
};

/// The last match, which grows with the text; none if the distance is 0. Then it ends where literals begin.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Match {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) distance: usize,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct State {
    /// Position in the run of the text's first byte.
    pub(crate) base: usize,
    /// End of the text.
    pub(crate) filled: usize,
    /// End of the last match among the tokens.
    pub(crate) literals_from: usize,
    pub(crate) open: Match,
}

/// Settles a text. What takes it over and gives it back leaves it in registers.
#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    text: &'a [u8],
    tokens: &'a mut Vec<Token>,
    state: State,
}

impl<'a> Cursor<'a> {
    #[inline(always)]
    pub(crate) fn new(text: &'a [u8], tokens: &'a mut Vec<Token>, state: State) -> Self {
        Self { text, tokens, state }
    }

    #[inline(always)]
    pub(crate) fn state(&self) -> State {
        self.state
    }

    /// The same, in variables of the function that it is inlined into.
    #[inline(always)]
    pub(crate) fn unpacked(self) -> Self {
        let Self { text, tokens, state: State { base, filled, literals_from, open: Match { start, end, distance } } } =
            self;
        Self { text, tokens, state: State { base, filled, literals_from, open: Match { start, end, distance } } }
    }

    /// End of the text.
    #[inline(always)]
    pub(crate) fn filled(&self) -> usize {
        self.state.filled
    }

    /// The low bits of a place's position in the run. Distances are compared, which need no others.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the low bits")]
    pub(crate) fn position(&self, at: usize) -> u32 {
        (self.state.base + at) as u32
    }

    #[inline(always)]
    pub(crate) fn tokens(&self) -> usize {
        self.tokens.len()
    }

    /// Adds text that stands behind the end; returns where it begins.
    #[inline(always)]
    pub(crate) fn push(&mut self, bytes: usize) -> usize {
        let start = self.state.filled;
        assert!(bytes <= self.text.len() - start, "text beyond its room");
        self.state.filled += bytes;
        let open = &mut self.state.open;
        if open.distance > 0 && open.end == start {
            open.end += equal_front(self.text, start, start - open.distance, bytes);
        }
        start
    }

    /// Up to where literals and matches are settled.
    #[inline(always)]
    pub(crate) fn settled(&self) -> usize {
        self.state.open.end
    }

    /// As [`crate::Deflater::copy`].
    #[inline(always)]
    pub(crate) fn copy(&mut self, at: usize, distance: usize) -> bool {
        let settled = self.settled();
        // The open match reaches as far as it is equal.
        if distance == self.state.open.distance && at <= settled {
            return false;
        }
        let at = self.unsettled(at);
        // A distance of 0 wraps to more than any.
        if distance.wrapping_sub(1) >= DISTANCE_MAX.min(at) {
            return false;
        }
        let (back, front) = equal_around(self.text, at, at - distance, at - settled, self.state.filled - at);
        self.open_match(at, distance, back, front)
    }

    /// As [`Cursor::copy`], of a place before which so many bytes are known to be equal and not settled.
    #[inline(always)]
    pub(crate) fn copy_behind(&mut self, at: usize, distance: usize, back: usize) -> bool {
        let settled = self.settled();
        let at = self.unsettled(at);
        let repeats = distance == self.state.open.distance && at == settled;
        if distance.wrapping_sub(1) >= DISTANCE_MAX.min(at) || repeats {
            return false;
        }
        let front = equal_front(self.text, at, at - distance, self.state.filled - at);
        self.open_match(at, distance, back, front)
    }

    /// Makes what is equal around a place the open match, if that gains.
    #[inline(always)]
    fn open_match(&mut self, at: usize, distance: usize, back: usize, front: usize) -> bool {
        if !gains(back + front, distance) {
            return false;
        }
        self.close();
        self.state.open = Match { start: at - back, end: at + front, distance };
        true
    }

    /// A place that is not settled, or the nearest one.
    #[inline(always)]
    fn unsettled(&self, at: usize) -> usize {
        at.min(self.state.filled).max(self.settled())
    }

    /// Number of bytes before `at`, not settled, that equal those `distance` before them.
    #[inline(always)]
    pub(crate) fn equal_before(&self, at: usize, distance: usize) -> usize {
        let settled = self.settled();
        let at = self.unsettled(at);
        if distance.wrapping_sub(1) >= DISTANCE_MAX.min(at) {
            return 0;
        }
        equal_before(self.text, at, at - distance, at - settled)
    }

    /// The text between two places.
    #[inline(always)]
    pub(crate) fn between(&self, from: usize, to: usize) -> &[u8] {
        self.text.get(from..to.min(self.state.filled)).unwrap_or_default()
    }

    /// Sixteen bytes from a place on; what lies behind the text has no meaning.
    #[inline(always)]
    pub(crate) fn sixteen(&self, at: usize) -> [u8; LANES] {
        match self.text.get(at..at + LANES).and_then(|lanes| lanes.first_chunk()) {
            Some(lanes) => *lanes,
            None => {
                let mut lanes = [0; LANES];
                let rest = self.text.get(at..).unwrap_or_default();
                lanes.iter_mut().zip(rest).for_each(|(lane, byte)| *lane = *byte);
                lanes
            }
        }
    }

    /// Whether `N` bytes from `at` equal those `distance` before them.
    #[inline(always)]
    pub(crate) fn begins_alike<const N: usize>(&self, at: usize, distance: usize) -> bool {
        if distance > at || at + N > self.state.filled {
            return false;
        }
        let both = &self.text[at - distance..at + N];
        both.first_chunk::<N>() == both.last_chunk::<N>()
    }

    /// Turns the open match into tokens.
    #[inline(always)]
    pub(crate) fn close(&mut self) {
        let Match { start, end, distance } = self.state.open;
        if distance > 0 {
            #[expect(clippy::cast_possible_truncation, reason = "at most 32,768")]
            push_match(self.tokens, start - self.state.literals_from, end - start, distance as u16);
            self.state.literals_from = end;
            self.state.open = Match { start: end, end, distance: 0 };
        }
    }
}

/// Whether a match takes less than its literals would: a far one has up to 13 bits more than a near one.
#[inline(always)]
fn gains(length: usize, distance: usize) -> bool {
    length >= 5 || length == 4 && distance <= 4096 || length == 3 && distance <= 512
}
