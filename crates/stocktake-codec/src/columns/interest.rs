//! Whether it is worth looking for something that may never be there.

/// What looks may cost before they become rare: those of some hundred values.
const PATIENCE: u32 = 2048;

/// What a find makes up for.
const REWARD: u32 = 64;

/// Without interest, one value in so many is looked at.
const RARE: u32 = 16;

/// Falls with every look, and rises with every find.
#[derive(Debug)]
pub(crate) struct Interest {
    left: u32,
    passed: u32,
}

impl Interest {
    pub(crate) const fn new() -> Self {
        Self { left: PATIENCE, passed: 0 }
    }

    /// Whether to look at a value.
    #[inline(always)]
    pub(crate) fn is_worth_it(&mut self) -> bool {
        if self.left > 0 {
            return true;
        }
        self.passed += 1;
        self.passed.is_multiple_of(RARE)
    }

    /// Says that a look cost so much, in steps of a few instructions.
    #[inline(always)]
    pub(crate) fn lose(&mut self, cost: u32) {
        self.left = self.left.saturating_sub(cost);
    }

    /// Says that something was found.
    #[inline(always)]
    pub(crate) fn win(&mut self) {
        self.left = (self.left + REWARD).min(PATIENCE);
    }
}
