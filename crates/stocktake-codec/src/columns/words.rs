//! How words of a fixed width repeat: the high bytes of one and the low byte of the next stood together before.

use super::{around::Around, places::MarkedPlaces, search::Search, sink::Sink};
use crate::bits::Full;

/// Places that the bytes around the end of a word are remembered in.
const PLACES: usize = 1 << 12;

/// Remembers where words ended.
pub(crate) struct Words {
    /// By many high bytes, and by few.
    places: [MarkedPlaces<PLACES>; 2],
}

impl Words {
    pub(crate) fn new() -> Self {
        Self { places: [MarkedPlaces::new(), MarkedPlaces::new()] }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        2 * self.places[0].memory_bytes()
    }

    /// Finds what repeats in words; in those of a width that no format has, by a search.
    #[inline(always)]
    pub(crate) fn run<S: Sink>(
        &mut self,
        block: &[u8],
        head: usize,
        width: usize,
        search: &mut Search,
        sink: &mut S,
    ) -> Result<(), Full> {
        match width {
            8 => self.run_of::<8, S>(block, head, sink),
            4 => self.run_of::<4, S>(block, head, sink),
            _ => {
                search.begin(block.len());
                search.run(block, 0..block.len(), sink)
            }
        }
    }

    #[inline(always)]
    fn run_of<const WIDTH: usize, S: Sink>(&mut self, block: &[u8], head: usize, sink: &mut S) -> Result<(), Full> {
        let [many, few] = &mut self.places;
        many.begin(block.len());
        few.begin(block.len());
        let Some(mut at) = head.checked_add(WIDTH) else { return Ok(()) };
        // The word before is nearest: of equally long ones, it is the one to repeat.
        while let Some(here) = Around::of(block, at) {
            let settled = sink.settled();
            if settled <= at {
                let last = few.replace_or(here.hash(WIDTH / 2), at, at - WIDTH);
                let last = many.replace_or(here.hash(WIDTH / 4 * 3), at, last);
                let (back, front) = here.alike(block, at, last, at - settled);
                sink.offer(at - back, back + front, at - last)?;
            }
            at += WIDTH;
        }
        Ok(())
    }
}

impl Around {
    /// A hash of so many bytes before a place and the byte after it.
    #[inline(always)]
    fn hash(self, bytes: usize) -> u64 {
        (self.before >> (64 - 8 * bytes) | self.after << 56).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}
