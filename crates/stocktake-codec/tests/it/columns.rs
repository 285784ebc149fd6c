//! Blocks of column values come back, whatever layout they are said to have.

use crate::support::Numbers;
use flate2::bufread::DeflateDecoder;
use proptest::{collection::vec, prelude::*};
use std::io::Read;
use stocktake_codec::{DeflateBlocks, Dispatch, Layout, SnappyBlocks};

/// Both compressors, used again and again.
struct Blocks {
    snappy: SnappyBlocks,
    deflate: DeflateBlocks,
}

impl Blocks {
    fn new() -> Self {
        Self { snappy: SnappyBlocks::new(), deflate: DeflateBlocks::new() }
    }

    /// Compresses in both ways, decodes each in two ways, and returns what was made.
    fn check(&mut self, block: &[u8], layout: Layout<'_>) -> [Vec<u8>; 2] {
        let (mut snappy, mut deflated) = (b"before".to_vec(), b"before".to_vec());
        self.snappy.compress(block, layout, &mut snappy);
        self.deflate.compress(block, layout, &mut deflated);
        let made = [snappy, deflated].map(|out| out.strip_prefix(b"before").unwrap().to_vec());
        let [snappy, deflated] = &made;
        assert!(unsnapped(snappy) == block, "snappy by the format's description: {layout:?}");
        assert!(snap::raw::Decoder::new().decompress_vec(snappy).unwrap() == block, "snap: {layout:?}");
        let mut decoder = DeflateDecoder::new(&**deflated);
        let mut text = Vec::new();
        decoder.read_to_end(&mut text).unwrap();
        assert!(text == block, "zlib-rs: {layout:?}");
        assert_eq!(decoder.total_in(), deflated.len() as u64, "bytes after the last block");
        assert!(miniz_oxide::inflate::decompress_to_vec(deflated).unwrap() == block, "miniz_oxide: {layout:?}");
        assert!(snappy.len() <= SnappyBlocks::compressed_bytes_max(block.len()));
        assert!(deflated.len() <= DeflateBlocks::compressed_bytes_max(block.len()));
        made
    }
}

/// Decodes Snappy as its description says; panics at anything that is not sound.
fn unsnapped(mut from: &[u8]) -> Vec<u8> {
    let mut take = |bytes: usize| {
        let (taken, rest) = from.split_at(bytes);
        from = rest;
        let mut value = [0; 8];
        if bytes <= 4 {
            value[..bytes].copy_from_slice(taken);
        }
        (taken, u64::from_le_bytes(value) as usize)
    };
    let (mut length, mut shift) = (0, 0);
    loop {
        let byte = take(1).1;
        length |= (byte & 127) << shift;
        shift += 7;
        if byte < 128 {
            break;
        }
    }
    let mut text: Vec<u8> = Vec::new();
    while text.len() < length {
        let tag = take(1).1;
        let (bytes, distance) = match tag & 3 {
            0 => {
                let less = if tag >> 2 < 60 { tag >> 2 } else { take((tag >> 2) - 59).1 };
                text.extend(take(less + 1).0);
                continue;
            }
            1 => ((tag >> 2 & 7) + 4, (tag >> 5) << 8 | take(1).1),
            2 => ((tag >> 2) + 1, take(2).1),
            _ => ((tag >> 2) + 1, take(4).1),
        };
        assert!(distance > 0 && distance <= text.len(), "a copy from before the text");
        (0..bytes).for_each(|_| text.push(text[text.len() - distance]));
    }
    assert_eq!((text.len(), from.len()), (length, 0));
    text
}

/// Values one after another, each after its length if lengths take any bytes; and where each begins.
fn block_of<V: AsRef<[u8]>>(head: &[u8], values: &[V], length_bytes: usize) -> (Vec<u8>, Vec<u32>) {
    let (mut block, mut starts) = (head.to_vec(), Vec::new());
    for value in values.iter().map(AsRef::as_ref) {
        starts.push(block.len() as u32);
        block.extend(&value.len().to_le_bytes()[..length_bytes]);
        block.extend(value);
    }
    (block, starts)
}

/// What may be said of a block, right or wrong, whatever starts it has.
fn layouts(starts: &[u32]) -> Vec<Layout<'_>> {
    let mut layouts = vec![Layout::Unknown];
    for length_bytes in [0, 4, 9, usize::MAX] {
        layouts.push(Layout::Sorted { starts, length_bytes });
        layouts.push(Layout::Random { starts, length_bytes });
    }
    for (head, width) in [(0, 8), (6, 4), (1, 3), (0, 1), (0, 0), (usize::MAX, 8), (0, usize::MAX)] {
        layouts.push(Layout::Words { head, width });
    }
    layouts
}

fn check_all(block: &[u8], starts: &[u32], blocks: &mut Blocks) {
    for layout in layouts(starts) {
        let made = blocks.check(block, layout);
        assert!(Blocks::new().check(block, layout) == made, "an earlier block leaves a trace: {layout:?}");
    }
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => vec(97..100u8, 0..30),
        4 => vec(any::<u8>(), 0..40),
        4 => vec(prop_oneof![Just(b'/'), Just(b'+'), Just(b' '), 97..100u8], 0..30),
        1 => vec(any::<u8>(), 250..600),
        1 => (97..99u8, 0..3000usize).prop_map(|(byte, length)| vec![byte; length]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_values_come_back_in_any_layout(
        mut values in vec(value(), 0..60),
        head in vec(any::<u8>(), 0..9),
        sorted in any::<bool>(),
        length_bytes in prop_oneof![Just(0usize), Just(4)],
        lies in vec(any::<u32>(), 0..4),
    ) {
        if sorted {
            values.sort();
        }
        let (block, mut starts) = block_of(&head, &values, length_bytes);
        let mut blocks = Blocks::new();
        check_all(&block, &starts, &mut blocks);
        for lie in lies {
            let at = lie as usize % (starts.len() + 1);
            starts.insert(at, lie % (block.len() as u32 * 2 + 1));
            check_all(&block, &starts, &mut blocks);
        }
    }
}

#[test]
fn edges_come_back() {
    let mut numbers = Numbers(11);
    let mut random = |length: usize| (0..length).map(|_| numbers.next() as u8).collect::<Vec<u8>>();
    let (short, long, longest) = (random(300), random(70_000), random(140_000));
    let mut blocks = Blocks::new();
    for length_bytes in [0, 4] {
        for values in [
            vec![],
            vec![vec![]],
            vec![vec![]; 1000],
            vec![b"a/b/c d+e".to_vec()],
            vec![b"a/b/c d+e".to_vec(); 9000],
            vec![vec![b'/'; 256]; 500],
            (0..1024).map(|length| vec![b'/'; length]).collect(),
            vec![short.clone(); 300],
            vec![long.clone(), long.clone(), short.clone(), long.clone()],
            vec![longest.clone(), vec![], longest.clone()],
            // Lengths that differ in their second byte only.
            (0..40).map(|number| vec![b'k'; 100 + 256 * (number % 3)]).collect(),
        ] {
            let (block, starts) = block_of(b"", &values, length_bytes);
            check_all(&block, &starts, &mut blocks);
        }
    }
}

#[test]
fn starts_that_lie_are_ignored() {
    let block: Vec<u8> = (0..2000u32).flat_map(|number| format!("key/{:05}", number / 2).into_bytes()).collect();
    let mut blocks = Blocks::new();
    for starts in [&[5, 3, 9][..], &[0, 0, 0], &[u32::MAX], &[0, u32::MAX, 9], &[7, 18_000, 18_001, 18_002], &[17_999]]
    {
        check_all(&block, starts, &mut blocks);
    }
}

#[test]
fn blocks_that_repeat_nothing_do_not_grow() {
    let mut numbers = Numbers(2);
    let block: Vec<u8> = (0..300_000).map(|_| numbers.next() as u8).collect();
    let starts: Vec<u32> = (0..300_000 / 24).map(|value| value * 24).collect();
    let mut blocks = Blocks::new();
    check_all(&block, &starts, &mut blocks);
    assert!(blocks.deflate.memory_bytes() <= 5 << 18, "{}", blocks.deflate.memory_bytes());
    assert!(blocks.snappy.memory_bytes() <= (128 << 10) + 2 * block.len(), "{}", blocks.snappy.memory_bytes());
}

/// Keys as logs have them, and what other columns hold beside them.
fn columns() -> [Vec<Vec<u8>>; 3] {
    let mut numbers = Numbers(3);
    let mut keys: Vec<Vec<u8>> = (0..5000)
        .map(|number| {
            format!("logs/host-{:03}/app-{:07x}.json.gz", number / 40, numbers.next() % (1 << 28)).into_bytes()
        })
        .collect();
    keys.sort();
    let hashes = (0..5000).map(|_| format!("{:016x}{:016x}", numbers.next() << 17, numbers.next() << 17).into_bytes());
    let hashes = hashes.collect();
    let mut numbers = Numbers(4);
    [keys, hashes, (0..5000).map(|_| (1_700_000_000_000 + numbers.below(1 << 35)).to_le_bytes().to_vec()).collect()]
}

#[test]
fn what_is_known_is_found() {
    let [keys, hashes, words] = columns();
    let mut blocks = Blocks::new();
    let mut bytes_of = |values: &[Vec<u8>], length_bytes, layout: fn(&[u32], usize) -> Layout<'_>| {
        let (block, starts) = block_of(b"", values, length_bytes);
        let made = blocks.check(&block, layout(&starts, length_bytes));
        made.map(|out| out.len() as f64 / values.len() as f64)
    };
    let [snappy, _] = bytes_of(&keys, 4, |starts, length_bytes| Layout::Sorted { starts, length_bytes });
    // Six digits of seven, a tag for them and a copy.
    assert!(snappy < 10.6, "{snappy}");
    let [_, deflated] = bytes_of(&keys, 0, |starts, length_bytes| Layout::Sorted { starts, length_bytes });
    assert!(deflated < 5.0, "{deflated}");
    let [snappy, _] = bytes_of(&hashes, 4, |starts, length_bytes| Layout::Random { starts, length_bytes });
    // A tag, 32 digits but for two that chance saves, and a copy.
    assert!(snappy < 34.3, "{snappy}");
    let [_, deflated] = bytes_of(&hashes, 0, |starts, length_bytes| Layout::Random { starts, length_bytes });
    assert!(deflated < 16.5, "{deflated}");
    let counted: Vec<Vec<u8>> = (0..5000)
        .map(|number| format!("backups/vm-04/2025-07-02T03:00:00Z/disk-0/block-{number:014}.bin").into())
        .collect();
    let [snappy, _] = bytes_of(&counted, 4, |starts, length_bytes| Layout::Sorted { starts, length_bytes });
    // Two copies: one from a number with the same last digit on, one of the rest.
    assert!(snappy < 5.3, "{snappy}");
    let tagged: Vec<Vec<u8>> = (0..5000)
        .map(|number| {
            let tag = String::from_utf8_lossy(&hashes[number][..12]);
            format!("warehouse/orders/region=eu/dt=2025-01-01/hour=00/part-{number:08}-{tag}.snappy.parquet").into()
        })
        .collect();
    let [snappy, _] = bytes_of(&tagged, 4, |starts, length_bytes| Layout::Sorted { starts, length_bytes });
    // A tag, a digit, a hyphen and twelve more digits, of which two are in the first of two long copies.
    assert!(snappy < 19.6, "{snappy}");
    let [snappy, deflated] = bytes_of(&words, 0, |_, _| Layout::Words { head: 0, width: 8 });
    // Four bytes of five, a tag for them and a copy.
    assert!(snappy < 7.4 && deflated < 5.8, "{snappy} {deflated}");
}

#[test]
fn other_code_makes_the_same_bytes() {
    for values in columns() {
        let (block, starts) = block_of(b"", &values, 0);
        for layout in layouts(&starts) {
            let [mut best, mut portable] = [Vec::new(), Vec::new()];
            DeflateBlocks::new().compress(&block, layout, &mut best);
            let mut blocks = DeflateBlocks::new();
            blocks.set_dispatch(Dispatch::Portable);
            blocks.compress(&block, layout, &mut portable);
            assert!(best == portable, "{layout:?}");
            let [mut best, mut portable] = [Vec::new(), Vec::new()];
            SnappyBlocks::new().compress(&block, layout, &mut best);
            let mut blocks = SnappyBlocks::new();
            blocks.set_dispatch(Dispatch::Portable);
            blocks.compress(&block, layout, &mut portable);
            assert!(best == portable, "{layout:?}");
            let mut room = vec![0xee; SnappyBlocks::room_bytes(block.len()) + 9];
            let length = SnappyBlocks::new().compress_into(&block, layout, &mut room);
            assert!(room[..length] == best && room.ends_with(&[0xee; 9]), "{layout:?}");
        }
    }
}
