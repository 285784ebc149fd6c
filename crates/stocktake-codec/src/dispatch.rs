//! One function compiled twice: for every processor, and for those of x86-64's third level, which most are (AVX2, BMI2).
//!
//! Shifts by any count, leading zeros and moves of 32 bytes take one step there. This is the one place of the crate with
//! unsafe code, which lies in calling what was compiled for a processor after asking whether this is one.
#![cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "calling code for a processor that was asked for is unsafe by definition")
)]

use crate::md5::{self, MD5_LANES, Md5Block};

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

/// Work that is compiled for each kind of processor.
pub trait Work {
    /// What comes of it.
    type Output;

    /// Does the work. To be marked `#[inline(always)]`, as what it calls in loops should be: only what is inlined is
    /// compiled anew.
    fn run(self) -> Self::Output;
}

impl Dispatch {
    /// Does the work by the code that suits the processor.
    ///
    /// Asking for the processor takes some nanoseconds, so that work should be some rows, not one value.
    ///
    /// # Examples
    /// ```
    /// use stocktake_codec::{Dispatch, Work};
    ///
    /// struct Sum<'a>(&'a [u64]);
    ///
    /// impl Work for Sum<'_> {
    ///     type Output = u64;
    ///
    ///     #[inline(always)]
    ///     fn run(self) -> u64 {
    ///         self.0.iter().sum()
    ///     }
    /// }
    ///
    /// assert_eq!(Dispatch::Auto.run(Sum(&[1, 2, 3])), Dispatch::Portable.run(Sum(&[1, 2, 3])));
    /// ```
    #[inline]
    pub fn run<W: Work>(self, work: W) -> W::Output {
        #[cfg(target_arch = "x86_64")]
        if self == Self::Auto && has_level_3() {
            // SAFETY: the processor has what the function was compiled for, which was asked just now.
            return unsafe { run_for_level_3(work) };
        }
        // Elsewhere there is nothing to choose from.
        let (Self::Auto | Self::Portable) = self;
        run_for_all(work)
    }

    /// Whether code for x86-64's third level is used.
    pub(crate) fn is_level_3(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        let has = has_level_3();
        #[cfg(not(target_arch = "x86_64"))]
        let has = false;
        self == Self::Auto && has
    }

    /// Takes blocks of eight streams, of each equally many.
    pub(crate) fn md5(self, states: &mut md5::States, blocks: [&[Md5Block]; MD5_LANES]) {
        #[cfg(target_arch = "x86_64")]
        if self.is_level_3() {
            // SAFETY: the processor has what the function was compiled for, which was asked just now.
            return unsafe { md5::avx2::side_by_side(states, blocks) };
        }
        md5::one_by_one(states, blocks);
    }
}

/// As a function of its own, as the other one is: what stands around a call is the same for both.
#[inline(never)]
fn run_for_all<W: Work>(work: W) -> W::Output {
    work.run()
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn has_level_3() -> bool {
    std::arch::is_x86_feature_detected!("avx2")
        && std::arch::is_x86_feature_detected!("bmi1")
        && std::arch::is_x86_feature_detected!("bmi2")
        && std::arch::is_x86_feature_detected!("lzcnt")
        && std::arch::is_x86_feature_detected!("popcnt")
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
#[inline(never)]
fn run_for_level_3<W: Work>(work: W) -> W::Output {
    work.run()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DeflateBlocks, Deflater, Hint, Layout, Mark, Rows, SnappyBlocks};

    /// Small enough for Miri, which is told that its processor has all features: `.ci/slow miri`.
    #[test]
    fn code_for_a_processor_writes_the_bytes_that_all_processors_write() {
        let keys: Vec<String> = (0..40).map(|number| format!("logs/{:02}/{number:04}.gz", number / 7)).collect();
        let starts: Vec<u32> = (0..40).map(|number| number * 15).collect();
        let deflated = |dispatch| {
            let (mut rows, mut deflater, mut out) = (Rows::new(1, b"/."), Deflater::new(), Vec::new());
            deflater.set_dispatch(dispatch);
            deflater.begin();
            for key in &keys {
                deflater.room(key.len() + 9)[..key.len()].copy_from_slice(key.as_bytes());
                deflater.room(key.len() + 9)[key.len()..key.len() + 9].copy_from_slice(b",STANDARD");
                let end = u32::try_from(key.len()).unwrap();
                let marks = [Mark { at: 0, hint: Hint::Sorted }, Mark { at: end, hint: Hint::SortedEnd }];
                rows.push([(key.len() + 9, &marks[..])].into_iter(), &mut deflater);
            }
            deflater.end(&mut out);
            let (mut blocks, mut snappy) = (DeflateBlocks::new(), SnappyBlocks::new());
            blocks.set_dispatch(dispatch);
            snappy.set_dispatch(dispatch);
            let layout = Layout::Sorted { starts: &starts, length_bytes: 0 };
            blocks.compress(keys.concat().as_bytes(), layout, &mut out);
            snappy.compress(keys.concat().as_bytes(), layout, &mut out);
            out
        };
        assert_eq!(deflated(Dispatch::Auto), deflated(Dispatch::Portable));
    }
}
