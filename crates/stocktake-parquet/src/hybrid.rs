//! The hybrid of run-length and bit-packed numbers: dictionary ranks and definition levels.

use crate::thrift::put_varint;

/// Groups of eight equal numbers from which a run is shorter than packing them.
const RUN_GROUPS: usize = 2;

/// Appends numbers below `1 << width`; `width` is at most 16.
///
/// Numbers are looked at in groups of eight: a run begins and ends at a group, but for the last, which may be short.
pub(crate) fn put_hybrid(out: &mut Vec<u8>, numbers: &[u16], width: u32) {
    let whole = numbers.len() / 8;
    let group = |at: usize| -> &[u16; 8] {
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
        while end < whole && are_all(group(end), first) {
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

/// As [`put_hybrid`] of numbers of one bit, which are given as bits, the first in the lowest of the first byte; those past the last
/// are 0.
pub(crate) fn put_bits(out: &mut Vec<u8>, bits: &[u8], rows: usize) {
    let whole = rows / 8;
    let packed = |out: &mut Vec<u8>, groups: &[u8]| {
        if !groups.is_empty() {
            put_varint(out, (groups.len() as u64) << 1 | 1);
            out.extend_from_slice(groups);
        }
    };
    let mut packed_from = 0;
    let mut at = 0;
    while at < whole {
        let first = bits[at];
        if first != 0 && first != 0xff {
            at += 1;
            continue;
        }
        let end = at + bits[at..whole].iter().take_while(|group| **group == first).count();
        if end - at < RUN_GROUPS {
            at = end;
            continue;
        }
        packed(out, &bits[packed_from..at]);
        let mut run = 8 * (end - at);
        let left = rows - 8 * end;
        // The last numbers are no whole group.
        if end == whole && left > 0 && bits[end] == first >> (8 - left) {
            run += left;
        }
        put_run(out, run, u16::from(first & 1), 1);
        if 8 * at + run == rows {
            return;
        }
        packed_from = end;
        at = end;
    }
    packed(out, &bits[packed_from..]);
}

/// Whether eight numbers are this one.
#[inline]
fn are_all(group: &[u16; 8], number: u16) -> bool {
    group.iter().fold(0, |differ, one| differ | (one ^ number)) == 0
}

/// Appends a run of equal numbers.
pub(crate) fn put_run(out: &mut Vec<u8>, length: usize, number: u16, width: u32) {
    if length == 0 {
        return;
    }
    put_varint(out, (length as u64) << 1);
    out.extend_from_slice(&number.to_le_bytes()[..width.div_ceil(8).min(2) as usize]);
}

/// Appends bit-packed groups of eight; the last is filled up with zeros.
fn put_packed(out: &mut Vec<u8>, numbers: &[u16], width: u32) {
    if numbers.is_empty() {
        return;
    }
    put_varint(out, (numbers.len().div_ceil(8) as u64) << 1 | 1);
    let (groups, rest) = numbers.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let groups = groups.iter().chain((!rest.is_empty()).then_some(&last));
    // Eight numbers of at most 16 bits fill as many bytes as one has bits. Each group is written with what may follow it.
    let (start, step) = (out.len(), width.min(16) as usize);
    out.resize(start + numbers.len().div_ceil(8) * step + 16, 0);
    let mut at = start;
    if width <= 8 {
        for group in groups {
            let packed = group.iter().rev().fold(0, |packed: u64, number| packed << width | u64::from(*number));
            out[at..at + 8].copy_from_slice(&packed.to_le_bytes());
            at += step;
        }
    } else {
        for group in groups {
            let packed = group.iter().rev().fold(0, |packed: u128, number| packed << width | u128::from(*number));
            out[at..at + 16].copy_from_slice(&packed.to_le_bytes());
            at += step;
        }
    }
    out.truncate(at);
}

/// Bits that numbers up to `max` need.
pub(crate) fn width_of(max: u16) -> u32 {
    u16::BITS - max.leading_zeros()
}
