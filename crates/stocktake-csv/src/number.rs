//! Counts as fields: decimal digits, two at a time.

use crate::page::{Full, Page};

/// The digits of 00 to 99.
static PAIRS: [[u8; 2]; 100] = pairs();

/// Most digits of a 64-bit count.
const DIGITS_MAX: usize = 20;

/// Writes a count as a field with its comma.
#[inline(always)]
pub(crate) fn put_count(mut count: u64, page: &mut Page<'_>) -> Result<(), Full> {
    let digits = count.checked_ilog10().unwrap_or(0) as usize + 1;
    let block = page.block::<{ DIGITS_MAX + 3 }>()?;
    block[0] = b'"';
    let mut at = digits + 1;
    while count >= 100 {
        at -= 2;
        block[at..at + 2].copy_from_slice(&two_digits(count % 100));
        count /= 100;
    }
    let pair = two_digits(count);
    block[1] = if at == 3 { pair[0] } else { pair[1] };
    if at == 3 {
        block[2] = pair[1];
    }
    block[digits + 1..digits + 3].copy_from_slice(b"\",");
    page.advance(digits + 3);
    Ok(())
}

/// The digits of a number below 100.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "callers keep the value below 100")]
pub(crate) fn two_digits(value: u64) -> [u8; 2] {
    PAIRS[value as usize]
}

const fn pairs() -> [[u8; 2]; 100] {
    let mut pairs = [[0; 2]; 100];
    let mut value: u8 = 0;
    while value < 100 {
        pairs[value as usize] = [b'0' + value / 10, b'0' + value % 10];
        value += 1;
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(count: u64) {
        let mut out = [0; 32];
        let mut page = Page::new(&mut out, 0);
        put_count(count, &mut page).unwrap();
        let at = page.at();
        assert_eq!(std::str::from_utf8(&out[..at]).unwrap(), format!("\"{count}\","));
    }

    #[test]
    fn counts_of_every_length() {
        (0..=12_345).for_each(check);
        for power in 0..20 {
            let count = 10u64.pow(power);
            [count - 1, count, count + 1, count.wrapping_mul(9)].into_iter().for_each(check);
        }
        check(u64::MAX);
    }
}
