//! What of a run's text is settled, in variables of the function that settles it.
//!
//! Places are indices into the text, which the deflater keeps: they mean something until a block ends.

use crate::{
    compare::{equal_around, equal_front},
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
    /// End of what is written, which may lie ahead of the text: matches reach so far.
    written: usize,
}

impl<'a> Cursor<'a> {
    #[inline(always)]
    pub(crate) fn new(text: &'a [u8], tokens: &'a mut Vec<Token>, state: State) -> Self {
        Self { text, tokens, state, written: state.filled }
    }

    /// Tells of text behind the end, which is to be added: a match that reaches to the end grows into it.
    #[inline(always)]
    pub(crate) fn look_ahead(&mut self, bytes: usize) {
        let State { filled, open, .. } = &mut self.state;
        assert!(bytes <= self.text.len() - *filled, "text beyond its room");
        self.written = *filled + bytes;
        if open.distance > 0 && open.end == *filled {
            open.end += equal_front(self.text, *filled, *filled - open.distance, bytes);
        }
    }

    /// Ends a match that reaches beyond the text with it: what lies ahead belongs to a later call.
    #[inline(always)]
    pub(crate) fn look_back(&mut self) {
        self.written = self.state.filled;
        self.state.open.end = self.state.open.end.min(self.state.filled);
    }

    #[inline(always)]
    pub(crate) fn state(&self) -> State {
        self.state
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

    /// Adds text that was looked ahead to; returns where it begins.
    #[inline(always)]
    pub(crate) fn push(&mut self, bytes: usize) -> usize {
        let start = self.state.filled;
        self.state.filled += bytes;
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
        self.copy_at(at.min(self.state.filled), distance)
    }

    /// As [`Cursor::copy`], of a place that lies within the text.
    #[inline(always)]
    pub(crate) fn copy_at(&mut self, at: usize, distance: usize) -> bool {
        // A distance of 0 wraps to more than any.
        distance.wrapping_sub(1) < DISTANCE_MAX && self.copy_of(at, distance)
    }

    // A function of its own, for it is called from many places: what they have in registers counts for more.
    #[inline(never)]
    fn copy_of(&mut self, at: usize, distance: usize) -> bool {
        self.copy_of_here(at, distance)
    }

    /// As [`Cursor::copy_at`], not by a call.
    #[inline(always)]
    pub(crate) fn copy_here(&mut self, at: usize, distance: usize) -> bool {
        distance.wrapping_sub(1) < DISTANCE_MAX && self.copy_of_here(at, distance)
    }

    #[inline(always)]
    fn copy_of_here(&mut self, at: usize, distance: usize) -> bool {
        let settled = self.settled();
        let at = at.max(settled);
        let Some(before) = at.checked_sub(distance) else { return false };
        // The open match reaches as far as it is equal.
        let repeats = distance == self.state.open.distance && at == settled;
        !repeats && {
            let equal = equal_around(self.text, at, before, at - settled, self.written - at);
            self.open_match(at, distance, equal)
        }
    }

    /// Numbers of bytes before `at`, not settled, and from there on that equal those `distance` before them.
    #[inline(always)]
    pub(crate) fn equal_around(&self, at: usize, distance: usize) -> (usize, usize) {
        let settled = self.settled();
        if distance.wrapping_sub(1) >= DISTANCE_MAX.min(at) || at < settled {
            return (0, 0);
        }
        equal_around(self.text, at, at - distance, at - settled, self.written - at)
    }

    /// As [`Cursor::copy`], of a place around which so many bytes are known to be equal.
    #[inline(always)]
    pub(crate) fn copy_around(&mut self, at: usize, distance: usize, (back, front): (usize, usize)) -> bool {
        let settled = self.settled();
        if at < settled {
            return self.copy(at, distance);
        }
        self.open_match(at, distance, (back.min(at - settled), front))
    }

    /// Makes what is equal around a place the open match, if that gains.
    #[inline(always)]
    fn open_match(&mut self, at: usize, distance: usize, (back, front): (usize, usize)) -> bool {
        // What lies ahead does not count: whether it is known depends on how rows were handed over.
        if !gains(back + front.min(self.state.filled.saturating_sub(at)), distance) {
            return false;
        }
        self.push_open();
        self.state.open = Match { start: at - back, end: at + front, distance };
        true
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

    /// Whether the four bytes at a place equal those at a distance that a match may have.
    // In one step: most are not equal, and which are cannot be foreseen.
    #[inline(always)]
    pub(crate) fn repeats_four(&self, at: usize, distance: usize) -> bool {
        let four = |at: usize| self.text.get(at..).and_then(|text| text.first_chunk::<4>());
        let reachable = (distance.wrapping_sub(1) < DISTANCE_MAX) & (distance <= at) & (at + 4 <= self.state.filled);
        reachable & (four(at) == four(at - distance.min(at)))
    }

    /// Turns the open match into tokens.
    #[inline(always)]
    pub(crate) fn close(&mut self) {
        self.push_open();
        let end = self.state.open.end;
        self.state.open = Match { start: end, end, distance: 0 };
    }

    /// Adds the tokens of the open match, which is not to be added again.
    #[inline(always)]
    fn push_open(&mut self) {
        let Match { start, end, distance } = self.state.open;
        if distance > 0 {
            #[expect(clippy::cast_possible_truncation, reason = "at most 32,768")]
            push_match(self.tokens, start - self.state.literals_from, end - start, distance as u16);
            self.state.literals_from = end;
        }
    }
}

/// Whether a match takes less than its literals would: a far one has up to 13 bits more than a near one.
#[inline(always)]
fn gains(length: usize, distance: usize) -> bool {
    length >= 5 || length == 4 && distance <= 4096 || length == 3 && distance <= 512
}
