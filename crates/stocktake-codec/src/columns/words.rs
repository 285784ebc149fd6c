//! How words of a fixed width repeat: the high bytes of one and the low byte of the next stood together before.

use super::{places::Places, sink::Sink};
use crate::{bits::Full, compare::equal_after};
use std::hint::select_unpredictable;

/// Places that the bytes around the end of a word are remembered in.
const PLACES: usize = 1 << 12;

/// Remembers where words ended.
pub(crate) struct Words {
    /// By many high bytes, and by few.
    places: [Places<PLACES>; 2],
}

impl Words {
    pub(crate) fn new() -> Self {
        Self { places: [Places::new(), Places::new()] }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        2 * self.places[0].memory_bytes()
    }

    /// Finds what repeats in words.
    #[inline(always)]
    pub(crate) fn run<S: Sink>(&mut self, block: &[u8], head: usize, width: usize, sink: &mut S) -> Result<(), Full> {
        self.places.iter_mut().for_each(|places| places.begin(block.len()));
        let Some(first) = head.checked_add(width).filter(|_| width >= 2) else { return Ok(()) };
        // All but the lowest bytes, and half of them.
        let counts = [width - width.div_ceil(4), width / 2].map(|count| count.min(7));
        let mut at = first;
        // The word before is nearest: of equally long ones, it is the one to repeat.
        while let Some(here) = Around::of(block, at) {
            let settled = sink.settled();
            if settled > at {
                at += width;
                continue;
            }
            let mut best = here.alike(block, at, at - width, at - settled);
            for (places, count) in self.places.iter_mut().zip(counts) {
                let key = here.before >> (64 - 8 * count) | here.after << 56;
                let place = key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - PLACES.ilog2());
                #[expect(clippy::cast_possible_truncation, reason = "places are few")]
                let last = places.replace(place as usize, at);
                best = best.or(here.alike(block, at, last, at - settled));
            }
            if best.front == FRONT {
                best.front = equal_after(block, at, at - best.distance);
            }
            sink.offer(at - best.back, best.back + best.front, best.distance)?;
            at += width;
        }
        Ok(())
    }
}

/// Bytes from the end of a word on that are looked at with those before it.
const FRONT: usize = 8;

/// What stands around the end of a word.
#[derive(Clone, Copy)]
struct Around {
    before: u64,
    after: u64,
}

/// What is equal around the ends of two words.
#[derive(Clone, Copy)]
struct Alike {
    back: usize,
    front: usize,
    distance: usize,
}

impl Around {
    #[inline(always)]
    fn of(block: &[u8], at: usize) -> Option<Self> {
        let around: &[u8; 16] = block.get(at.checked_sub(8)?..)?.first_chunk()?;
        let around = u128::from_le_bytes(*around);
        #[expect(clippy::cast_possible_truncation, reason = "two halves")]
        Some(Self { before: around as u64, after: (around >> 64) as u64 })
    }

    /// What is equal around an earlier place, at most so many bytes before it; nothing if nothing stands around it.
    #[inline(always)]
    fn alike(self, block: &[u8], at: usize, other: usize, back_max: usize) -> Alike {
        let Some(around) = Self::of(block, other) else { return Alike { back: 0, front: 0, distance: 0 } };
        let back = (self.before ^ around.before).leading_zeros() as usize / 8;
        let front = (self.after ^ around.after).trailing_zeros() as usize / 8;
        Alike { back: back.min(back_max), front, distance: at - other }
    }
}

impl Alike {
    /// The longer one of two, without a branch, since nothing tells which it will be.
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        select_unpredictable(other.back + other.front > self.back + self.front, other, self)
    }
}
