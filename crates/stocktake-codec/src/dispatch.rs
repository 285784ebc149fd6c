//! Functions compiled twice: for every processor, and for those that shift by any count and count zeros in one step (BMI).
//!
//! Writing bits is mostly such shifts: it takes a seventh less time with them. Comparing is mostly such counts. This is the one
//! place of the crate with unsafe code, which lies in calling what was compiled for a processor after asking whether this is one.
#![expect(unsafe_code, reason = "calling code for a processor that was asked for is unsafe by definition")]

use crate::{
    bits::{Bits, Full},
    block::write_tokens,
    codes::Codes,
    columns::{Finders, Layout, Sink},
    pairs::Pairs,
    tokens::Token,
};

/// Which of the code that makes the same bytes is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dispatch {
    /// What suits the processor best.
    #[default]
    Auto,
    /// What every processor can do: to compare with, in tests and measurements.
    Portable,
}

/// Writes the symbols of a block.
pub(crate) fn write<'a>(
    dispatch: Dispatch,
    codes: &Codes,
    pairs: &Pairs,
    text: &[u8],
    tokens: &[Token],
    bits: Bits<'a>,
) -> Result<Bits<'a>, Full> {
    #[cfg(target_arch = "x86_64")]
    if dispatch == Dispatch::Auto
        && std::arch::is_x86_feature_detected!("bmi1")
        && std::arch::is_x86_feature_detected!("bmi2")
    {
        // SAFETY: the processor has what the function was compiled for, which was asked just now.
        return unsafe { write_with_bmi2(codes, pairs, text, tokens, bits) };
    }
    // Elsewhere there is nothing to choose from.
    let (Dispatch::Auto | Dispatch::Portable) = dispatch;
    write_tokens(codes, pairs, text, tokens, bits)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "bmi1,bmi2")]
fn write_with_bmi2<'a>(
    codes: &Codes,
    pairs: &Pairs,
    text: &[u8],
    tokens: &[Token],
    bits: Bits<'a>,
) -> Result<Bits<'a>, Full> {
    write_tokens(codes, pairs, text, tokens, bits)
}

/// Finds what repeats in a block of column values.
pub(crate) fn find<S: Sink>(
    dispatch: Dispatch,
    finders: &mut Finders,
    block: &[u8],
    layout: Layout<'_>,
    sink: &mut S,
) -> Result<(), Full> {
    #[cfg(target_arch = "x86_64")]
    if dispatch == Dispatch::Auto
        && std::arch::is_x86_feature_detected!("avx2")
        && std::arch::is_x86_feature_detected!("bmi1")
        && std::arch::is_x86_feature_detected!("bmi2")
        && std::arch::is_x86_feature_detected!("lzcnt")
    {
        // SAFETY: the processor has what the function was compiled for, which was asked just now.
        return unsafe { find_with_avx2(finders, block, layout, sink) };
    }
    let (Dispatch::Auto | Dispatch::Portable) = dispatch;
    finders.run(block, layout, sink)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
fn find_with_avx2<S: Sink>(finders: &mut Finders, block: &[u8], layout: Layout<'_>, sink: &mut S) -> Result<(), Full> {
    finders.run(block, layout, sink)
}
