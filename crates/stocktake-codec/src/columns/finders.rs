//! For each layout, who knows where its values repeat.

use super::{layout::Layout, random::Random, search::Search, sink::Sink, sorted::Sorted, words::Words};
use crate::{bits::Full, dispatch::Work};

/// What is remembered within a block, for each layout.
pub(crate) struct Finders {
    search: Search,
    sorted: Sorted,
    random: Random,
    words: Words,
}

impl Finders {
    pub(crate) fn new() -> Self {
        Self { search: Search::new(), sorted: Sorted::new(), random: Random::new(), words: Words::new() }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.search.memory_bytes() + self.sorted.memory_bytes() + self.random.memory_bytes() + self.words.memory_bytes()
    }

    /// Finds what repeats in a block.
    #[inline(always)]
    pub(crate) fn run<S: Sink>(&mut self, block: &[u8], layout: Layout<'_>, sink: &mut S) -> Result<(), Full> {
        match layout {
            Layout::Sorted { starts, length_bytes } => {
                self.sorted.run(block, starts, length_bytes, &mut self.search, sink)
            }
            Layout::Random { starts, length_bytes } => self.random.run(block, starts, length_bytes, sink),
            Layout::Words { head, width } => self.words.run(block, head, width, &mut self.search, sink),
            Layout::Unknown => {
                self.search.begin(block.len());
                self.search.run(block, 0..block.len(), sink)
            }
        }
    }
}

/// What repeats in a block, to be found.
pub(crate) struct Find<'a, S> {
    pub(crate) finders: &'a mut Finders,
    pub(crate) block: &'a [u8],
    pub(crate) layout: Layout<'a>,
    pub(crate) sink: &'a mut S,
}

impl<S: Sink> Work for Find<'_, S> {
    type Output = Result<(), Full>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        self.finders.run(self.block, self.layout, self.sink)
    }
}
