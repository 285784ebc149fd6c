//! Values of a block by where they begin, as far as that can be true.

/// Start and end of each value.
#[inline(always)]
pub(crate) fn values(block_bytes: usize, starts: &[u32]) -> impl Iterator<Item = (usize, usize)> {
    let mut starts = starts.iter().map(|start| *start as usize);
    let mut next = starts.next().filter(|start| *start <= block_bytes);
    std::iter::from_fn(move || {
        let start = next?;
        next = starts.next().filter(|next| (start..=block_bytes).contains(next));
        Some((start, next.unwrap_or(block_bytes)))
    })
}
