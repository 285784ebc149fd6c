//! Where the literals and matches of a block go.

use crate::bits::Full;

/// Takes a block apart into literals and matches, from its beginning to its end.
pub(crate) trait Sink {
    /// Farthest that a match reaches back.
    const DISTANCE_MAX: usize;

    /// Longest match that is written as one, if those beyond it take much more.
    const SINGLE_MAX: Option<usize>;

    /// End of the last match; what follows are literals so far.
    fn settled(&self) -> usize;

    /// What a match at `from` takes less than its literals would, if literals begin at `settled`; in the format's own
    /// measure, and negative if it takes more.
    fn saves(&self, settled: usize, from: usize, length: usize, distance: usize) -> isize;

    /// Whether a match at `from`, not before what is settled, takes less than its literals would.
    #[inline(always)]
    fn gains(&self, from: usize, length: usize, distance: usize) -> bool {
        self.saves(self.settled(), from, length, distance) > 0
    }

    /// Adds the literals up to `from` and a match of any length that gains.
    fn put(&mut self, from: usize, length: usize, distance: usize) -> Result<(), Full>;

    /// As [`Sink::put`], if the match gains.
    #[inline(always)]
    fn offer(&mut self, from: usize, length: usize, distance: usize) -> Result<bool, Full> {
        let gains = self.gains(from, length, distance);
        if gains {
            self.put(from, length, distance)?;
        }
        Ok(gains)
    }
}
