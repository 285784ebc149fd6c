//! The hybrid of run-length and bit-packed numbers: dictionary ranks and definition levels.

use crate::thrift::put_varint;

/// Groups of eight equal numbers from which a run is shorter than packing them.
const RUN_GROUPS: usize = 2;

/// Appends numbers below `1 << width`; `width` is at most 24.
///
/// Numbers are looked at in groups of eight: a run begins and ends at a group, but for the last, which may be short.
pub(crate) fn put_hybrid(out: &mut Vec<u8>, numbers: &[u32], width: u32) {
    let whole = numbers.len() / 8;
    let group = |at: usize| -> &[u32; 8] {
        match numbers[8 * at..].first_chunk() {
            Some(group) => group,
            None => unreachable!("a whole group"),
        }
    };
    let mut packed_from = 0;
    let mut at = 0;
    while at < whole {
        let first = group(at)[0];
        let mut end = at;
        while end < whole && *group(end) == [first; 8] {
            end += 1;
        }
        if end - at < RUN_GROUPS {
            at = end.max(at + 1);
            continue;
        }
        put_packed(out, &numbers[8 * packed_from..8 * at], width);
        let mut run = 8 * (end - at);
        let mut done = 8 * end;
        if end == whole {
            // The last numbers are no whole group.
            let rest = numbers[done..].iter().take_while(|number| **number == first).count();
            if done + rest == numbers.len() {
                run += rest;
                done += rest;
            }
        }
        put_run(out, run, first, width);
        if done == numbers.len() {
            return;
        }
        packed_from = end;
        at = end;
    }
    put_packed(out, &numbers[8 * packed_from..], width);
}

/// Appends a run of equal numbers.
pub(crate) fn put_run(out: &mut Vec<u8>, length: usize, number: u32, width: u32) {
    if length == 0 {
        return;
    }
    put_varint(out, (length as u64) << 1);
    out.extend_from_slice(&number.to_le_bytes()[..width.div_ceil(8) as usize]);
}

/// Appends bit-packed groups of eight; the last is filled up with zeros.
fn put_packed(out: &mut Vec<u8>, numbers: &[u32], width: u32) {
    if numbers.is_empty() {
        return;
    }
    put_varint(out, (numbers.len().div_ceil(8) as u64) << 1 | 1);
    let (groups, rest) = numbers.as_chunks::<8>();
    for group in groups {
        put_group(out, group, width);
    }
    if !rest.is_empty() {
        let mut group = [0; 8];
        group[..rest.len()].copy_from_slice(rest);
        put_group(out, &group, width);
    }
}

#[inline]
fn put_group(out: &mut Vec<u8>, group: &[u32; 8], width: u32) {
    if width <= 8 {
        let packed = group.iter().rev().fold(0, |packed: u64, number| packed << width | u64::from(*number));
        out.extend_from_slice(&packed.to_le_bytes()[..width as usize]);
    } else {
        // Four numbers of at most 24 bits fill at most 96 bits, and an even number of them ends on half a byte at least:
        // eight of them end on a byte.
        let packed =
            |half: &[u32]| half.iter().rev().fold(0, |packed: u128, number| packed << width | u128::from(*number));
        let [low, high] = [packed(&group[..4]), packed(&group[4..])];
        let bits = 4 * width;
        // At most 96 bits and at most 96 more: written as two numbers that meet within a byte or at its end.
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(&low.to_le_bytes());
        let at = (bits / 8) as usize;
        for (byte, more) in bytes[at..].iter_mut().zip((high << (bits % 8)).to_le_bytes()) {
            *byte |= more;
        }
        out.extend_from_slice(&bytes[..width as usize]);
    }
}

/// Bits that numbers up to `max` need.
pub(crate) fn width_of(max: u32) -> u32 {
    u32::BITS - max.leading_zeros()
}
