//! Whatever is said of a text, two decoders that share no code give it back.

use crate::support::{Numbers, inflated};
use proptest::{collection::vec, prelude::*};
use stocktake_codec::{BLOCK_BYTES, Deflater};

/// What is done with a deflater.
#[derive(Clone, Debug)]
enum Step {
    Text(Vec<u8>),
    /// Text that stands so far back, so many bytes of it.
    Again(usize, usize),
    /// A claim: so far before the end, at such a distance.
    Copy(usize, usize),
    EndBlock,
    EndRun,
}

fn distance() -> impl Strategy<Value = usize> {
    prop_oneof![0..4usize, 1..300usize, 32_000..33_000usize, any::<usize>()]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop_oneof![vec(97..100u8, 0..50), vec(any::<u8>(), 0..300), vec(Just(0u8), 0..3000)].prop_map(Step::Text),
        6 => (1..40_000usize, 1..2000usize).prop_map(|(back, length)| Step::Again(back, length)),
        12 => (0..3000usize, distance()).prop_map(|(back, distance)| Step::Copy(back, distance)),
        1 => Just(Step::EndBlock),
        1 => Just(Step::EndRun),
    ]
}

fn deflated(steps: &[Step], deflater: &mut Deflater) -> (Vec<u8>, Vec<u8>) {
    let (mut text, mut out, mut run) = (Vec::new(), Vec::new(), 0);
    deflater.begin();
    for step in steps {
        match step {
            Step::Text(bytes) => {
                text.extend(bytes);
                push(bytes, deflater);
            }
            Step::Again(back, length) => {
                let end = text.len();
                let from = end - (*back).min(end);
                (0..if from < end { *length } else { 0 }).for_each(|at| text.push(text[from + at]));
                push(&text[end..], deflater);
                // Half of them are told.
                if length % 2 == 0 {
                    deflater.copy(end.saturating_sub(run), end - from);
                }
            }
            Step::Copy(back, distance) => {
                deflater.copy((text.len() - run).saturating_sub(*back), *distance);
            }
            Step::EndBlock => deflater.end_block(&mut out),
            Step::EndRun => {
                deflater.end(&mut out);
                run = text.len();
            }
        }
    }
    deflater.end(&mut out);
    (text, out)
}

fn push(text: &[u8], deflater: &mut Deflater) {
    deflater.room(text.len())[..text.len()].copy_from_slice(text);
    deflater.push(text.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_comes_back_whatever_was_said_of_it(steps in vec(step(), 0..60)) {
        let (text, out) = deflated(&steps, &mut Deflater::new());
        prop_assert!(inflated(&out) == text);
        // What a deflater did before leaves no trace, nor does a run given up.
        let mut used = Deflater::new();
        deflated(&steps[steps.len() / 2..], &mut used);
        push(b"given up", &mut used);
        prop_assert!(deflated(&steps, &mut used).1 == out);
    }
}

/// Texts of one kind, long enough for several blocks, told of by chance.
fn check_long(mut byte: impl FnMut(&mut Numbers, usize) -> u8) {
    let mut numbers = Numbers(1);
    let text: Vec<u8> = (0..3 * BLOCK_BYTES + 12_345).map(|at| byte(&mut numbers, at)).collect();
    let (mut deflater, mut out) = (Deflater::new(), Vec::new());
    deflater.begin();
    for piece in text.chunks(777) {
        push(piece, &mut deflater);
        for _ in 0..numbers.below(20) {
            let (back, distance) = (numbers.below(777), numbers.below(33_000));
            deflater.copy((deflater.settled() + 777).saturating_sub(back as usize), distance as usize);
        }
        if deflater.is_full() {
            deflater.end_block(&mut out);
        }
    }
    deflater.end(&mut out);
    assert!(inflated(&out) == text);
    assert!(out.len() <= text.len() + text.len() / 1000 + 20, "{} of {}", out.len(), text.len());
    assert!(deflater.memory_bytes() < 3 << 19, "{}", deflater.memory_bytes());
}

#[test]
fn long_texts_of_every_kind_come_back_and_never_grow() {
    check_long(|numbers, _| numbers.next() as u8);
    check_long(|numbers, _| numbers.below(3) as u8);
    check_long(|_, _| b'x');
    check_long(|_, at| (at / 3 % 251) as u8);
    // Almost incompressible: codes and plain text are about as long.
    check_long(|numbers, _| numbers.below(254) as u8);
    // Bytes that occur for the first time late in a block.
    check_long(|numbers, at| if at % BLOCK_BYTES < 200_000 { numbers.below(2) as u8 } else { numbers.next() as u8 });
    check_long(|numbers, at| if at % 5000 == 4999 { numbers.next() as u8 } else { b'a' + numbers.below(2) as u8 });
}

#[test]
fn a_run_without_text_is_an_empty_block() {
    let mut out = Vec::new();
    let mut deflater = Deflater::new();
    deflater.begin();
    deflater.end(&mut out);
    assert_eq!(out, [0, 0, 0, 0xff, 0xff]);
    assert!(inflated(&out).is_empty());
}

#[test]
fn every_length_and_distance_is_spelled() {
    let mut numbers = Numbers(7);
    let base: Vec<u8> = (0..40_000).map(|_| numbers.next() as u8).collect();
    let (mut deflater, mut out, mut text) = (Deflater::new(), Vec::new(), base.clone());
    deflater.begin();
    push(&base, &mut deflater);
    let distances =
        (1..=32_768).step_by(13).chain((0..15).flat_map(|power| [1 << power, (1 << power) + 1, 2 << power]));
    for (number, distance) in distances.enumerate() {
        let length = 5 + number % 600;
        let from = text.len() - distance;
        (0..length).for_each(|at| text.push(text[from + at]));
        text.push(numbers.next() as u8);
        let at = text.len() - length - 1;
        push(&text[at..], &mut deflater);
        assert!(deflater.copy(at, distance), "{distance} {length}");
        assert!(deflater.settled() >= at + length);
        if deflater.is_full() {
            deflater.end_block(&mut out);
        }
    }
    assert!(!deflater.copy(text.len() - 9, 0));
    assert!(!deflater.copy(text.len() - 9, 32_769));
    assert!(!deflater.copy(text.len() - 9, usize::MAX));
    deflater.end(&mut out);
    assert!(inflated(&out) == text);
}

/// What a text takes without repetitions, in pieces of a block each.
fn block_sizes(text: &[u8]) -> Vec<usize> {
    let (mut deflater, mut out, mut sizes) = (Deflater::new(), Vec::new(), Vec::new());
    deflater.begin();
    for piece in text.chunks(BLOCK_BYTES) {
        // Tokens enough for counts that are not exact: of every two hundred bytes, three are said to repeat.
        for bytes in piece.chunks(200) {
            push(bytes, &mut deflater);
            deflater.copy(deflater.position() - bytes.len(), 200);
        }
        let before = out.len();
        deflater.end_block(&mut out);
        sizes.push(out.len() - before);
    }
    deflater.end(&mut out);
    assert!(inflated(&out) == text);
    sizes
}

#[test]
fn codes_serve_texts_that_go_on_alike_and_no_others() {
    let mut numbers = Numbers(9);
    let mut block = |alphabet: u64| {
        let mut text: Vec<u8> = (0..BLOCK_BYTES).map(|_| (numbers.below(alphabet) as u8).wrapping_add(32)).collect();
        (200..text.len()).step_by(200).for_each(|at| text.copy_within(at - 200..at - 197, at));
        text
    };
    // Alike: hardly more than the first one takes, more often than codes serve. Then others, each with codes of its own,
    // and chance, which is better off plain and has no codes.
    let alphabets = [[16; 11].as_slice(), &[64, 16, 200, 16, 256, 16, 16]].concat();
    let sizes = block_sizes(&alphabets.iter().flat_map(|alphabet| block(*alphabet)).collect::<Vec<_>>());
    for (alphabet, bytes) in alphabets.iter().zip(&sizes) {
        let least = (*alphabet as f64).log2() * BLOCK_BYTES as f64 / 8.0;
        assert!((*bytes as f64) < 1.06 * least, "{alphabets:?} {sizes:?}");
    }
}
