//! Run-length encoding of bytes: three or more equal ones as a run, others as they are.

/// Least and most bytes of a run of equal ones.
const RUN_MIN: usize = 3;
const RUN_MAX: usize = 130;

/// Most bytes of a run of different ones.
const LITERALS_MAX: usize = 128;

/// Appends the encoding of bytes.
pub(crate) fn encode(bytes: &[u8], out: &mut Vec<u8>) {
    let mut rest = bytes;
    while let Some(&first) = rest.first() {
        let equal = equal_length(rest);
        if equal >= RUN_MIN {
            let run = equal.min(RUN_MAX);
            // At most 127.
            out.extend([(run - RUN_MIN).to_le_bytes()[0], first]);
            rest = &rest[run..];
            continue;
        }
        let window = &rest[..rest.len().min(LITERALS_MAX)];
        let literals =
            rest.windows(RUN_MIN).take(window.len()).position(|three| three[0] == three[1] && three[1] == three[2]);
        let (literals, after) = rest.split_at(literals.unwrap_or(window.len()).min(window.len()));
        out.push((literals.len().wrapping_neg()).to_le_bytes()[0]);
        out.extend_from_slice(literals);
        rest = after;
    }
}

/// How many of the first bytes are equal, counted up to the longest run.
fn equal_length(bytes: &[u8]) -> usize {
    let window = &bytes[..bytes.len().min(RUN_MAX)];
    window.iter().position(|byte| *byte != window[0]).unwrap_or(window.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: &[u8]) {
        let mut out = Vec::new();
        encode(bytes, &mut out);
        assert_eq!(out, expected, "{bytes:?}");
    }

    #[test]
    fn runs_and_literals() {
        check(&[], &[]);
        check(&[0; 100], &[0x61, 0]);
        check(&[0x44, 0x45], &[0xfe, 0x44, 0x45]);
        check(&[7, 7], &[0xfe, 7, 7]);
        check(&[1, 2, 2, 2], &[0xff, 1, 0, 2]);
        check(&[5; 132], &[127, 5, 0xfe, 5, 5]);
        let mut literals: Vec<u8> = (0..=129).collect();
        let mut expected = vec![0x80];
        expected.extend(0..128);
        expected.extend([0xfe, 128, 129]);
        check(&literals, &expected);
        literals.truncate(127);
        literals.extend([9, 9, 9]);
        let mut expected = vec![0x81];
        expected.extend(0..127);
        expected.extend([0, 9]);
        check(&literals, &expected);
    }
}
