//! MD5 of several streams side by side.
//!
//! MD5 is a chain: each step waits for the one before, so that a stream alone leaves most of a processor idle, and no code
//! makes it faster. Eight streams go through the same steps in the lanes of one register in little more time than one.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;

use crate::dispatch::Dispatch;

/// Streams that are digested at once.
pub const MD5_LANES: usize = 8;

/// Bytes of a block of MD5.
pub const MD5_BLOCK_BYTES: usize = 64;

/// A block of MD5.
pub type Md5Block = [u8; MD5_BLOCK_BYTES];

/// The four words of each stream's state.
pub(crate) type States = [[u32; MD5_LANES]; 4];

/// RFC 1321, section 3.3.
const BEGINNING: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

/// RFC 1321, section 3.4: the sine of each step's number.
pub(crate) const SINES: [u32; 64] = [
    0xd76a_a478,
    0xe8c7_b756,
    0x2420_70db,
    0xc1bd_ceee,
    0xf57c_0faf,
    0x4787_c62a,
    0xa830_4613,
    0xfd46_9501,
    0x6980_98d8,
    0x8b44_f7af,
    0xffff_5bb1,
    0x895c_d7be,
    0x6b90_1122,
    0xfd98_7193,
    0xa679_438e,
    0x49b4_0821,
    0xf61e_2562,
    0xc040_b340,
    0x265e_5a51,
    0xe9b6_c7aa,
    0xd62f_105d,
    0x0244_1453,
    0xd8a1_e681,
    0xe7d3_fbc8,
    0x21e1_cde6,
    0xc337_07d6,
    0xf4d5_0d87,
    0x455a_14ed,
    0xa9e3_e905,
    0xfcef_a3f8,
    0x676f_02d9,
    0x8d2a_4c8a,
    0xfffa_3942,
    0x8771_f681,
    0x6d9d_6122,
    0xfde5_380c,
    0xa4be_ea44,
    0x4bde_cfa9,
    0xf6bb_4b60,
    0xbebf_bc70,
    0x289b_7ec6,
    0xeaa1_27fa,
    0xd4ef_3085,
    0x0488_1d05,
    0xd9d4_d039,
    0xe6db_99e5,
    0x1fa2_7cf8,
    0xc4ac_5665,
    0xf429_2244,
    0x432a_ff97,
    0xab94_23a7,
    0xfc93_a039,
    0x655b_59c3,
    0x8f0c_cc92,
    0xffef_f47d,
    0x8584_5dd1,
    0x6fa8_7e4f,
    0xfe2c_e6e0,
    0xa301_4314,
    0x4e08_11a1,
    0xf753_7e82,
    0xbd3a_f235,
    0x2ad7_d2bb,
    0xeb86_d391,
];

/// By how many bits the steps of each round rotate, in turns of four.
const ROTATIONS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];

/// MD5 (RFC 1321) of eight streams at once, block by block.
///
/// Worth it where the processor has wide registers ([`Md5Lanes::pays`]) and two streams or more are there: with AVX2 eight
/// take a third more time than one takes alone.
///
/// # Examples
/// ```
/// use stocktake_codec::{Dispatch, Md5Lanes, md5_padding};
///
/// let text = b"abc";
/// let (padding, blocks) = md5_padding(text, text.len() as u64);
/// let mut lanes = Md5Lanes::new(Dispatch::Auto);
/// lanes.update([&padding[..blocks]; 8]);
/// assert_eq!(lanes.digest(5)[..4], [0x90, 0x01, 0x50, 0x98]);
/// ```
#[derive(Clone, Debug)]
pub struct Md5Lanes {
    states: States,
    dispatch: Dispatch,
}

impl Md5Lanes {
    /// Whether several streams take less time at once than one after another.
    pub fn pays(dispatch: Dispatch) -> bool {
        dispatch.is_level_3()
    }

    /// Every lane at the beginning of a stream.
    pub fn new(dispatch: Dispatch) -> Self {
        Self { states: BEGINNING.map(|word| [word; MD5_LANES]), dispatch }
    }

    /// Begins another stream in a lane.
    ///
    /// # Panics
    /// If there is no such lane.
    pub fn restart(&mut self, lane: usize) {
        self.states.iter_mut().zip(BEGINNING).for_each(|(words, word)| words[lane] = word);
    }

    /// Takes the next blocks of each stream, as many as the shortest has; returns how many that are.
    ///
    /// A lane that has no stream may be given those of another.
    pub fn update(&mut self, blocks: [&[Md5Block]; MD5_LANES]) -> usize {
        let count = blocks.iter().map(|blocks| blocks.len()).min().unwrap_or(0);
        self.dispatch.md5(&mut self.states, blocks.map(|blocks| &blocks[..count]));
        count
    }

    /// The digest of a lane whose stream's padding it has taken.
    ///
    /// # Panics
    /// If there is no such lane.
    pub fn digest(&self, lane: usize) -> [u8; 16] {
        let mut digest = [0; 16];
        for (bytes, words) in digest.as_chunks_mut::<4>().0.iter_mut().zip(&self.states) {
            *bytes = words[lane].to_le_bytes();
        }
        digest
    }
}

/// The last blocks of a stream of `stream_bytes` in all, which begin with what is left of it: two blocks, and how many of
/// them count.
///
/// # Panics
/// If more than 63 bytes are left.
pub fn md5_padding(left: &[u8], stream_bytes: u64) -> ([Md5Block; 2], usize) {
    assert!(left.len() < MD5_BLOCK_BYTES, "whole blocks are no rest");
    let mut blocks = [[0; MD5_BLOCK_BYTES]; 2];
    blocks[0][..left.len()].copy_from_slice(left);
    blocks[0][left.len()] = 0x80;
    let count = if left.len() < MD5_BLOCK_BYTES - 8 { 1 } else { 2 };
    let bits = stream_bytes.wrapping_mul(8).to_le_bytes();
    blocks[count - 1][MD5_BLOCK_BYTES - 8..].copy_from_slice(&bits);
    (blocks, count)
}

/// Takes blocks of every stream, one stream after another: for processors without wide registers.
pub(crate) fn one_by_one(states: &mut States, blocks: [&[Md5Block]; MD5_LANES]) {
    for (lane, blocks) in blocks.into_iter().enumerate() {
        let mut state = states.map(|words| words[lane]);
        blocks.iter().for_each(|block| digest_block(&mut state, block));
        states.iter_mut().zip(state).for_each(|(words, word)| words[lane] = word);
    }
}

fn digest_block(state: &mut [u32; 4], block: &Md5Block) {
    let mut words = [0; 16];
    words.iter_mut().zip(block.as_chunks::<4>().0).for_each(|(word, bytes)| *word = u32::from_le_bytes(*bytes));
    let [mut a, mut b, mut c, mut d] = *state;
    for (step, sine) in SINES.iter().enumerate() {
        let (mixed, word) = match step / 16 {
            0 => ((b & c) | (!b & d), step),
            1 => ((b & d) | (c & !d), 5 * step + 1),
            2 => (b ^ c ^ d, 3 * step + 5),
            _ => (c ^ (b | !d), 7 * step),
        };
        let sum = a.wrapping_add(mixed).wrapping_add(*sine).wrapping_add(words[word % 16]);
        (a, d, c, b) = (d, c, b, b.wrapping_add(sum.rotate_left(ROTATIONS[step / 16][step % 4])));
    }
    for (word, more) in state.iter_mut().zip([a, b, c, d]) {
        *word = word.wrapping_add(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use md5::{Digest, Md5};

    fn digests(dispatch: Dispatch, streams: &[Vec<u8>; MD5_LANES]) -> [[u8; 16]; MD5_LANES] {
        let padded = streams.each_ref().map(|stream| {
            let (blocks, left) = stream.as_chunks::<MD5_BLOCK_BYTES>();
            let (padding, count) = md5_padding(left, stream.len() as u64);
            [blocks, &padding[..count]].concat()
        });
        let mut lanes = Md5Lanes::new(dispatch);
        let mut done = [0; MD5_LANES];
        let mut found = [[0; 16]; MD5_LANES];
        // Streams end at different times; what a lane goes on to take then is another's.
        while let Some(active) = (0..MD5_LANES).find(|lane| done[*lane] < padded[*lane].len()) {
            let blocks = std::array::from_fn(|lane| {
                let of = if done[lane] < padded[lane].len() { lane } else { active };
                &padded[of][done[of]..]
            });
            let count = lanes.update(blocks);
            for lane in 0..MD5_LANES {
                if done[lane] < padded[lane].len() {
                    done[lane] += count;
                    found[lane] = lanes.digest(lane);
                }
            }
        }
        found
    }

    #[test]
    fn each_lane_has_the_digest_that_another_library_makes() {
        for longest in [0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 1000] {
            let streams: [Vec<u8>; MD5_LANES] = std::array::from_fn(|lane| {
                let length = longest * (lane + 1) / MD5_LANES;
                (0..length).map(|at| (at * 131 + lane * 17 + (at >> 8)).to_le_bytes()[0]).collect()
            });
            let expected = streams.each_ref().map(|stream| <[u8; 16]>::from(Md5::digest(stream)));
            assert_eq!(digests(Dispatch::Auto, &streams), expected, "{longest}");
            assert_eq!(digests(Dispatch::Portable, &streams), expected, "{longest}");
        }
    }

    #[test]
    fn a_lane_that_begins_again_forgets_what_it_took() {
        let mut lanes = Md5Lanes::new(Dispatch::Auto);
        lanes.update([&[[7; MD5_BLOCK_BYTES]; 3]; MD5_LANES]);
        lanes.restart(3);
        let (padding, count) = md5_padding(b"message digest", 14);
        lanes.update([&padding[..count]; MD5_LANES]);
        assert_eq!(lanes.digest(3), <[u8; 16]>::from(Md5::digest(b"message digest")));
        assert_ne!(lanes.digest(4), lanes.digest(3));
    }
}
