//! Blocks of eight streams in the lanes of AVX2's registers.
//!
//! Written in the processor's own words: as loops over arrays the compiler gathers words from eight places one by one and
//! takes twice the time. All of them are safe in a function that is compiled for AVX2; calling that is what is not, and is
//! [`Dispatch`](crate::Dispatch)'s business.

use super::{MD5_BLOCK_BYTES, MD5_LANES, Md5Block, SINES, States};
use std::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_and_si256, _mm256_andnot_si256, _mm256_extract_epi32, _mm256_or_si256,
    _mm256_permute2x128_si256, _mm256_set_epi32, _mm256_set_epi64x, _mm256_set1_epi32, _mm256_slli_epi32,
    _mm256_srli_epi32, _mm256_unpackhi_epi32, _mm256_unpackhi_epi64, _mm256_unpacklo_epi32, _mm256_unpacklo_epi64,
    _mm256_xor_si256,
};

/// One step: `$a` becomes `$b` and the rotated sum of itself, the mixed words, a word of the block and a sine.
macro_rules! step {
    ($mix:ident, $words:ident, $sine:expr, $word:expr, $rotation:literal, $a:ident $b:ident $c:ident $d:ident) => {
        // What does not wait for the step before is added first.
        let ahead = _mm256_add_epi32($words[$word % 16], _mm256_set1_epi32(SINES[$sine].cast_signed()));
        let sum = $mix(_mm256_add_epi32($a, ahead), $b, $c, $d);
        let (left, right) = (_mm256_slli_epi32::<$rotation>(sum), _mm256_srli_epi32::<{ 32 - $rotation }>(sum));
        $a = _mm256_add_epi32(_mm256_or_si256(left, right), $b);
    };
}

/// Four steps, each with its word: `$from` and every `$by`th after it.
macro_rules! four_steps {
    ($mix:ident, $words:ident, $step:expr, $from:literal, $by:literal, [$r0:literal $r1:literal $r2:literal $r3:literal], $a:ident $b:ident $c:ident $d:ident) => {
        step!($mix, $words, $step, $by * $step + $from, $r0, $a $b $c $d);
        step!($mix, $words, $step + 1, $by * ($step + 1) + $from, $r1, $d $a $b $c);
        step!($mix, $words, $step + 2, $by * ($step + 2) + $from, $r2, $c $d $a $b);
        step!($mix, $words, $step + 3, $by * ($step + 3) + $from, $r3, $b $c $d $a);
    };
}

macro_rules! round {
    ($mix:ident, $words:ident, $step:literal, $from:literal, $by:literal, $rotations:tt, $a:ident $b:ident $c:ident $d:ident) => {
        four_steps!($mix, $words, $step, $from, $by, $rotations, $a $b $c $d);
        four_steps!($mix, $words, ($step + 4), $from, $by, $rotations, $a $b $c $d);
        four_steps!($mix, $words, ($step + 8), $from, $by, $rotations, $a $b $c $d);
        four_steps!($mix, $words, ($step + 12), $from, $by, $rotations, $a $b $c $d);
    };
}

/// Takes blocks of every stream, which are equally many.
#[target_feature(enable = "avx2")]
pub(crate) fn side_by_side(states: &mut States, blocks: [&[Md5Block]; MD5_LANES]) {
    let [mut a, mut b, mut c, mut d] = [load(states[0]), load(states[1]), load(states[2]), load(states[3])];
    for number in 0..blocks[0].len() {
        let before = (a, b, c, d);
        let [front, back] = [words_of::<0>(&blocks, number), words_of::<32>(&blocks, number)];
        let words = [
            front[0], front[1], front[2], front[3], front[4], front[5], front[6], front[7], back[0], back[1], back[2],
            back[3], back[4], back[5], back[6], back[7],
        ];
        round!(first, words, 0, 0, 1, [7 12 17 22], a b c d);
        round!(second, words, 16, 1, 5, [5 9 14 20], a b c d);
        round!(third, words, 32, 5, 3, [4 11 16 23], a b c d);
        round!(fourth, words, 48, 0, 7, [6 10 15 21], a b c d);
        a = _mm256_add_epi32(a, before.0);
        b = _mm256_add_epi32(b, before.1);
        c = _mm256_add_epi32(c, before.2);
        d = _mm256_add_epi32(d, before.3);
    }
    *states = [store(a), store(b), store(c), store(d)];
}

#[target_feature(enable = "avx2")]
#[inline]
fn first(sum: __m256i, b: __m256i, c: __m256i, d: __m256i) -> __m256i {
    _mm256_add_epi32(sum, _mm256_xor_si256(d, _mm256_and_si256(b, _mm256_xor_si256(c, d))))
}

#[target_feature(enable = "avx2")]
#[inline]
fn second(sum: __m256i, b: __m256i, c: __m256i, d: __m256i) -> __m256i {
    // The half that does not wait for `b` is added apart.
    _mm256_add_epi32(_mm256_add_epi32(sum, _mm256_andnot_si256(d, c)), _mm256_and_si256(b, d))
}

#[target_feature(enable = "avx2")]
#[inline]
fn third(sum: __m256i, b: __m256i, c: __m256i, d: __m256i) -> __m256i {
    _mm256_add_epi32(sum, _mm256_xor_si256(b, _mm256_xor_si256(c, d)))
}

#[target_feature(enable = "avx2")]
#[inline]
fn fourth(sum: __m256i, b: __m256i, c: __m256i, d: __m256i) -> __m256i {
    let not_d = _mm256_xor_si256(d, _mm256_set1_epi32(-1));
    _mm256_add_epi32(sum, _mm256_xor_si256(c, _mm256_or_si256(b, not_d)))
}

/// Eight words, each of all streams, from `AT` bytes into a block: a square of rows turned into columns.
#[target_feature(enable = "avx2")]
#[inline]
fn words_of<const AT: usize>(blocks: &[&[Md5Block]; MD5_LANES], number: usize) -> [__m256i; 8] {
    let row = |lane: usize| half::<AT>(&blocks[lane][number]);
    let (a0, a1) = zip_words(row(0), row(1));
    let (b0, b1) = zip_words(row(2), row(3));
    let (c0, c1) = zip_words(row(4), row(5));
    let (d0, d1) = zip_words(row(6), row(7));
    let (e0, e1) = zip_pairs(a0, b0);
    let (e2, e3) = zip_pairs(a1, b1);
    let (f0, f1) = zip_pairs(c0, d0);
    let (f2, f3) = zip_pairs(c1, d1);
    [
        _mm256_permute2x128_si256::<0x20>(e0, f0),
        _mm256_permute2x128_si256::<0x20>(e1, f1),
        _mm256_permute2x128_si256::<0x20>(e2, f2),
        _mm256_permute2x128_si256::<0x20>(e3, f3),
        _mm256_permute2x128_si256::<0x31>(e0, f0),
        _mm256_permute2x128_si256::<0x31>(e1, f1),
        _mm256_permute2x128_si256::<0x31>(e2, f2),
        _mm256_permute2x128_si256::<0x31>(e3, f3),
    ]
}

#[target_feature(enable = "avx2")]
#[inline]
fn zip_words(a: __m256i, b: __m256i) -> (__m256i, __m256i) {
    (_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b))
}

#[target_feature(enable = "avx2")]
#[inline]
fn zip_pairs(a: __m256i, b: __m256i) -> (__m256i, __m256i) {
    (_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b))
}

/// Half a block: one load, once compiled.
#[target_feature(enable = "avx2")]
#[inline]
fn half<const AT: usize>(block: &[u8; MD5_BLOCK_BYTES]) -> __m256i {
    let eight = |from: usize| i64::from_le_bytes(std::array::from_fn(|at| block[AT + from + at]));
    _mm256_set_epi64x(eight(24), eight(16), eight(8), eight(0))
}

#[target_feature(enable = "avx2")]
#[inline]
fn load(words: [u32; MD5_LANES]) -> __m256i {
    let [a, b, c, d, e, f, g, h] = words.map(u32::cast_signed);
    _mm256_set_epi32(h, g, f, e, d, c, b, a)
}

#[target_feature(enable = "avx2")]
#[inline]
fn store(words: __m256i) -> [u32; MD5_LANES] {
    [
        _mm256_extract_epi32::<0>(words),
        _mm256_extract_epi32::<1>(words),
        _mm256_extract_epi32::<2>(words),
        _mm256_extract_epi32::<3>(words),
        _mm256_extract_epi32::<4>(words),
        _mm256_extract_epi32::<5>(words),
        _mm256_extract_epi32::<6>(words),
        _mm256_extract_epi32::<7>(words),
    ]
    .map(i32::cast_unsigned)
}
