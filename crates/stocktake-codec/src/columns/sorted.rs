//! How sorted texts repeat: the end of a text, the next one's length and its front stand at one distance.

use super::{
    interest::Interest,
    places::Places,
    search::{Search, number_of},
    sink::Sink,
    values::values,
};
use crate::{
    bits::Full,
    compare::{equal_after, equal_before},
    lanes::{LANES, separators_of},
};
use std::ops::Range;

/// Places that what follows a separator is remembered in.
const PROBES: usize = 1 << 12;

/// Places that the bytes of short gaps are remembered in.
const GAPS: usize = 1 << 12;

/// Bytes before what repeats the value above by which an earlier one is found that repeats them, too.
const TAIL_BYTES: usize = 2;

/// Places that the bytes before a long match are remembered in.
const TAILS: usize = 1 << 12;

/// Longest gap between what repeats the value above that is looked for by itself: the last digits of a number.
const GAP_BYTES_MAX: usize = 3;

/// Bytes of a longest match that are left to the value above, which repeats more of what comes after the gap.
const LEFT_TO_ABOVE: usize = 4;

/// Lengths of values that are told apart.
const LENGTHS: usize = 1 << 11;

/// A text of which so many bytes repeat nothing that is known is searched through: what makes it so long is seldom
/// chance.
const SEARCHED_BYTES_MIN: usize = 48;

/// Remembers where sorted values stood.
pub(crate) struct Sorted {
    /// Last value of each length.
    alike: Places<LENGTHS>,
    probes: Places<PROBES>,
    /// Where the values' gaps stood, by their bytes and those behind them.
    gaps: Places<GAPS>,
    /// Starts of values by what stands before the end of the value above that repeats.
    tails: Places<TAILS>,
}

impl Sorted {
    pub(crate) fn new() -> Self {
        Self { alike: Places::new(), probes: Places::new(), gaps: Places::new(), tails: Places::new() }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        let Self { alike, probes, gaps, tails } = self;
        alike.memory_bytes() + probes.memory_bytes() + gaps.memory_bytes() + tails.memory_bytes()
    }

    /// Finds what repeats in a block of sorted values.
    #[inline(always)]
    pub(crate) fn run<S: Sink>(
        &mut self,
        block: &[u8],
        starts: &[u32],
        length_bytes: usize,
        search: &mut Search,
        sink: &mut S,
    ) -> Result<(), Full> {
        self.alike.begin(block.len());
        self.probes.begin(block.len());
        self.gaps.begin(block.len());
        self.tails.begin(block.len());
        search.begin(block.len());
        let length_bytes = length_bytes.min(block.len());
        let [mut probing, mut searching, mut filling] = [const { Interest::new() }; 3];
        let mut above = None;
        // Bytes at the end of the value above that equal those of the value before it.
        let mut back = 0;
        for (start, end) in values(block.len(), starts) {
            let text = (start + length_bytes).min(end);
            if let Some(above) = above
                && sink.settled() < end
            {
                self.meet(block, above, start..end, text, back, sink)?;
            }
            if length_bytes > 0 {
                self.alike.replace(end - start, start);
            }
            let settled = sink.settled().max(text).min(end);
            back = if above.is_some() { equal_before(block, end, start, end - settled) } else { 0 };
            above = Some(start);
            let rest = end - back;
            if let Some(single_max) = S::SINGLE_MAX
                && (settled + 1..=settled + GAP_BYTES_MAX).contains(&rest)
                && filling.is_worth_it()
            {
                self.fill(block, settled, single_max - LEFT_TO_ABOVE, &mut filling, sink)?;
            }
            if settled + PROBE_BYTES <= rest && probing.is_worth_it() {
                self.probe(block, settled..rest, &mut probing, sink)?;
            }
            let settled = sink.settled().max(text);
            if settled + SEARCHED_BYTES_MIN <= rest && searching.is_worth_it() {
                search.run(block, settled..rest, sink)?;
                if sink.settled() > settled {
                    searching.win();
                } else {
                    searching.lose(32);
                }
            }
        }
        Ok(())
    }

    /// Repeats the value above around the place where a value begins; `back` bytes before it are known to be equal.
    #[inline(always)]
    fn meet<S: Sink>(
        &mut self,
        block: &[u8],
        above: usize,
        value: Range<usize>,
        text: usize,
        back: usize,
        sink: &mut S,
    ) -> Result<(), Full> {
        let distance = value.start - above;
        let settled = sink.settled();
        let at = settled.max(value.start);
        let back = back.min(value.start.saturating_sub(settled));
        let front = equal_after(block, at, at - distance);
        if at + front < text {
            let alike = self.alike.at(value.len());
            return step_over_length(block, [at - back, at, text], distance, alike, sink);
        }
        if let Some(single_max) = S::SINGLE_MAX
            && back + front > single_max
            && settled + TAIL_BYTES <= at - back
        {
            self.reach_back(block, at, back, single_max, sink)?;
            let from = sink.settled().max(at - back);
            sink.offer(from, at + front - from, distance)?;
            return Ok(());
        }
        sink.offer(at - back, back + front, distance)?;
        Ok(())
    }

    /// Where two matches are needed anyway, takes the first from an earlier value that repeats more of what stands before it than the
    /// `back` bytes that the one above does.
    #[inline(never)]
    fn reach_back<S: Sink>(
        &mut self,
        block: &[u8],
        start: usize,
        back: usize,
        length_max: usize,
        sink: &mut S,
    ) -> Result<(), Full> {
        let Some(tail) = block.get(start - back - TAIL_BYTES..).and_then(|tail| tail.first_chunk()) else {
            return Ok(());
        };
        let before = self.tails.replace(number_of::<TAILS>(u32::from_le_bytes(*tail)), start);
        if before >= start || start - before > S::DISTANCE_MAX {
            return Ok(());
        }
        let longer = equal_before(block, start, before, start - sink.settled());
        if longer >= back + TAIL_BYTES {
            let length = (longer + equal_after(block, start, before)).min(length_max);
            sink.offer(start - longer, length, start - before)?;
        }
        Ok(())
    }

    /// Repeats an earlier value from a short gap on, where the value above would take a literal and, if the values are long, two matches
    /// more: up to so many bytes, so that the one above can take the rest.
    #[inline(always)]
    fn fill<S: Sink>(
        &mut self,
        block: &[u8],
        at: usize,
        length_max: usize,
        interest: &mut Interest,
        sink: &mut S,
    ) -> Result<(), Full> {
        interest.lose(2);
        let Some(four) = block.get(at..).and_then(|rest| rest.first_chunk()) else { return Ok(()) };
        let before = self.gaps.replace(number_of::<GAPS>(u32::from_le_bytes(*four)), at);
        if before < at && at - before <= S::DISTANCE_MAX && block.get(before..before + 4) == Some(four) {
            let length = equal_after(block, at, before).min(length_max);
            if sink.offer(at, length, at - before)? {
                interest.win();
            }
        }
        Ok(())
    }

    /// Looks in a part of a value for what follows each separator, where it stood last.
    #[inline(always)]
    fn probe<S: Sink>(
        &mut self,
        block: &[u8],
        part: Range<usize>,
        interest: &mut Interest,
        sink: &mut S,
    ) -> Result<(), Full> {
        // The last place to look at; separators stand just before.
        let Some(last) = part.end.checked_sub(PROBE_BYTES) else { return Ok(()) };
        let mut from = part.start.saturating_sub(1);
        while from < last {
            let Some(lanes) = block[from..].first_chunk() else { return Ok(()) };
            interest.lose(1);
            let mut found = separators_of(lanes);
            while found != 0 {
                let at = from + found.trailing_zeros() as usize + 1;
                found &= found - 1;
                if at > last {
                    return Ok(());
                }
                if at >= sink.settled() {
                    self.probe_at(block, at, interest, sink)?;
                }
            }
            from = (from + LANES).max(sink.settled().saturating_sub(1));
        }
        Ok(())
    }

    /// Looks for what stands at a place where it stood last.
    // Inlined, it takes the registers of the loops around it.
    #[inline(never)]
    fn probe_at<S: Sink>(
        &mut self,
        block: &[u8],
        at: usize,
        interest: &mut Interest,
        sink: &mut S,
    ) -> Result<(), Full> {
        let Some(key) = probed(block, at) else { return Ok(()) };
        let before = self.probes.replace(number_of::<PROBES>(key), at);
        if before >= at || at - before > S::DISTANCE_MAX || probed(block, before) != Some(key) {
            interest.lose(2);
            return Ok(());
        }
        let front = equal_after(block, at, before);
        let back = equal_before(block, at, before, at - sink.settled());
        if sink.offer(at - back, back + front, at - before)? {
            interest.win();
        }
        Ok(())
    }
}

/// Bytes that a probe looks at.
const PROBE_BYTES: usize = 3;

/// The bytes that a probe looks at, as the key of a place.
#[inline(always)]
fn probed(block: &[u8], at: usize) -> Option<u32> {
    let four = block.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*four) << 8)
}

/// What repeats around a length that differs: two matches with the value above, or one with the last value of the same
/// length. Places are where the first may begin, from where on nothing is settled, and where the text begins.
#[inline(never)]
fn step_over_length<S: Sink>(
    block: &[u8],
    places: [usize; 3],
    distance: usize,
    alike: usize,
    sink: &mut S,
) -> Result<(), Full> {
    let [from, at, text] = places;
    let settled = sink.settled();
    let front = equal_after(block, text, text - distance);
    let back = equal_before(block, text, text - distance, text - at);
    let (first, second) = (at - from, back + front);
    let saved =
        sink.saves(settled, from, first, distance).max(0) + sink.saves(at, text - back, second, distance).max(0);
    if alike < at {
        let front = equal_after(block, at, alike);
        let back = equal_before(block, at, alike, at - settled);
        if sink.saves(settled, at - back, back + front, at - alike) >= saved
            && sink.offer(at - back, back + front, at - alike)?
        {
            return Ok(());
        }
    }
    sink.offer(from, first, distance)?;
    sink.offer(text - back, second, distance)?;
    Ok(())
}
