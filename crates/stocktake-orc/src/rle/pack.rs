//! Integers packed into a fixed number of bits each, the highest bit first.

/// Appends values of an existing width; the last byte is filled with zeros. Higher bits of values must be zero.
pub(super) fn pack(values: &[u64], width: u32, out: &mut Vec<u8>) {
    match width {
        1 => narrow::<1>(values, out),
        2 => narrow::<2>(values, out),
        3 => narrow::<3>(values, out),
        4 => narrow::<4>(values, out),
        5 => narrow::<5>(values, out),
        6 => narrow::<6>(values, out),
        7 => narrow::<7>(values, out),
        8 => words::<1>(values, out),
        9 => narrow::<9>(values, out),
        10 => narrow::<10>(values, out),
        11 => narrow::<11>(values, out),
        12 => narrow::<12>(values, out),
        13 => narrow::<13>(values, out),
        14 => narrow::<14>(values, out),
        15 => narrow::<15>(values, out),
        16 => words::<2>(values, out),
        17 => narrow::<17>(values, out),
        18 => narrow::<18>(values, out),
        19 => narrow::<19>(values, out),
        20 => narrow::<20>(values, out),
        21 => narrow::<21>(values, out),
        22 => narrow::<22>(values, out),
        23 => narrow::<23>(values, out),
        24 => words::<3>(values, out),
        26 => narrow::<26>(values, out),
        28 => narrow::<28>(values, out),
        30 => narrow::<30>(values, out),
        32 => words::<4>(values, out),
        40 => words::<5>(values, out),
        48 => words::<6>(values, out),
        56 => words::<7>(values, out),
        _ => words::<8>(values, out),
    }
}

/// Widths of whole bytes.
fn words<const BYTES: usize>(values: &[u64], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + values.len() * BYTES, 0);
    for (word, value) in out[start..].as_chunks_mut::<BYTES>().0.iter_mut().zip(values) {
        word.copy_from_slice(&value.to_be_bytes()[8 - BYTES..]);
    }
}

/// Widths below 32 bits. Eight values fill as many bytes as one has bits; all shifts are known then.
fn narrow<const WIDTH: usize>(values: &[u64], out: &mut Vec<u8>) {
    let start = out.len();
    let bytes = (values.len() * WIDTH).div_ceil(8);
    out.resize(start + bytes.next_multiple_of(WIDTH), 0);
    let (eights, rest) = values.as_chunks::<8>();
    let (packed, _) = out[start..].as_chunks_mut::<WIDTH>();
    for (packed, eight) in packed.iter_mut().zip(eights) {
        pack_eight(eight, packed);
    }
    if !rest.is_empty() {
        let mut eight = [0; 8];
        eight[..rest.len()].copy_from_slice(rest);
        pack_eight(&eight, &mut packed[eights.len()]);
    }
    out.truncate(start + bytes);
}

#[inline(always)]
fn pack_eight<const WIDTH: usize>(values: &[u64; 8], packed: &mut [u8; WIDTH]) {
    let (mut waiting, mut count, mut at) = (0u64, 0, 0);
    for value in values {
        waiting = waiting << WIDTH | value;
        count += WIDTH;
        // At most seven bits were left of the values before.
        while count >= 8 {
            count -= 8;
            packed[at] = (waiting >> count).to_le_bytes()[0];
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_width_packs_every_count() {
        for width in (1..=24).chain([26, 28, 30, 32, 40, 48, 56, 64]) {
            for count in 0..70u64 {
                let mask = u64::MAX >> (64 - width);
                let values: Vec<u64> = (0..count).map(|at| at.wrapping_mul(0x9e37_79b9_7f4a_7c15) & mask).collect();
                let mut out = vec![1];
                pack(&values, width, &mut out);
                let mut expected = String::new();
                values.iter().for_each(|value| expected += &format!("{value:064b}")[64 - width as usize..]);
                expected.extend(std::iter::repeat_n('0', expected.len().next_multiple_of(8) - expected.len()));
                let packed: String = out[1..].iter().map(|byte| format!("{byte:08b}")).collect();
                assert_eq!(packed, expected, "width {width}, {count} values");
            }
        }
    }
}
