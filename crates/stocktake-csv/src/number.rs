//! Counts as fields: decimal digits.

use crate::page::{Full, Page};

/// The digits of 00 to 99.
static PAIRS: [[u8; 2]; 100] = pairs();

/// Most digits of a 64-bit count.
const DIGITS_MAX: usize = 20;

/// Counts below this have at most eight digits.
const SHORT_COUNT_END: u64 = 100_000_000;

/// Writes a count as a field with its comma.
#[inline(always)]
pub(crate) fn put_count(count: u64, page: &mut Page<'_>) -> Result<(), Full> {
    if count >= SHORT_COUNT_END {
        return page.apart(|page| put_long_count(count, page));
    }
    // How many digits there are cannot be foreseen: eight are found at once, and those before the first are shifted out.
    let digits = eight_digits(count);
    let before = (digits | 1 << 63).trailing_zeros() / 8;
    let shown = 8 - before as usize;
    let block = page.block::<11>()?;
    block[0] = b'"';
    block[1..9].copy_from_slice(&(digits >> (8 * before) | ZEROS >> (8 * before)).to_le_bytes());
    block[shown + 1..shown + 3].copy_from_slice(b"\",");
    page.advance(shown + 3);
    Ok(())
}

/// The digit 0 eight times.
const ZEROS: u64 = u64::MAX / 0xff * b'0' as u64;

/// The eight digits of a number below 100,000,000 as numbers, the first in the lowest byte.
#[inline(always)]
fn eight_digits(number: u64) -> u64 {
    // In each step, numbers part into two half as long: divisors become factors and shifts, which hold for such numbers.
    let fours = (number / 10_000) | ((number % 10_000) << 32);
    let hundreds = ((fours * 10_486) >> 20) & 0x7f_0000_007f;
    let twos = hundreds | ((fours - 100 * hundreds) << 16);
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | ((twos - 10 * tens) << 8)
}

#[cold]
#[inline(never)]
fn put_long_count(mut count: u64, page: &mut Page<'_>) -> Result<(), Full> {
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
    fn digits_of_eight() {
        let samples = (0..SHORT_COUNT_END).step_by(9_973).chain(SHORT_COUNT_END - 20_000..SHORT_COUNT_END);
        for number in samples.chain(0..20_000) {
            let digits = format!("{number:08}").bytes().rev().fold(0, |all, digit| all << 8 | u64::from(digit - b'0'));
            assert_eq!(eight_digits(number), digits, "{number}");
        }
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
