//! Times as fields: the date of a day is rendered once and remembered, hours to milliseconds are rendered each time.

use crate::{
    marks::{self, Marks},
    number::two_digits,
    page::{Full, Page},
};
use stocktake_codec::Hint;
use stocktake_core::{ISO_BYTES, Timestamp};

const DAY_MS: u64 = 86_400_000;

/// From the first day that is counted to 1970: more than the years from 0000 on.
const FIRST_DAY_MS: i64 = 720_000 * DAY_MS.cast_signed();

/// The colons of a clock.
const COLONS: u64 = u64::from_le_bytes(*b"\0\0:\0\0:\0\0");

/// Days that are remembered: the days of five years do not meet in one place, and all of them fill 32 KiB.
const DAYS: usize = marks::DAYS as usize;

/// The number of a day in which no time lies that a report can spell.
const NO_DAY: u32 = u32::MAX;

/// Length of a date with the quote before it and the `T` after it.
const DATE_BYTES: usize = 12;

/// Length of a field from the colon before its second on.
const SECOND_FROM_END: usize = 10;

/// Length of a field from the point on.
const FRACTION_FROM_END: usize = 7;

/// Fields of times, with the dates rendered lately.
pub(crate) struct TimeFields {
    /// A date each, followed by the number of its day in four bytes.
    dates: [[u8; 16]; DAYS],
}

/// A number that is no time a report can spell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeFault {
    Full,
    OutOfRange,
}

impl From<Full> for TimeFault {
    fn from(Full: Full) -> Self {
        Self::Full
    }
}

impl TimeFields {
    pub(crate) fn new() -> Self {
        let mut date = [0; 16];
        date[DATE_BYTES..].copy_from_slice(&NO_DAY.to_le_bytes());
        Self { dates: [date; DAYS] }
    }

    /// Writes a time as a field with its comma; whether its seconds have a mark.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "remainders")]
    pub(crate) fn put(
        &mut self,
        ms: i64,
        seconds: bool,
        page: &mut Page<'_>,
        marks: &mut Marks<'_>,
    ) -> Result<(), TimeFault> {
        // Times before the first day wrap to days far beyond the last one.
        let since_first = ms.wrapping_add(FIRST_DAY_MS).cast_unsigned();
        let day = u32::try_from(since_first / DAY_MS).unwrap_or(NO_DAY);
        let ms_of_day = (since_first % DAY_MS) as u32;
        let place = place_of(day);
        if self.dates[place][DATE_BYTES..] != day.to_le_bytes() || day == NO_DAY {
            self.render(ms, day, place)?;
        }
        let (second, millisecond) = (ms_of_day / 1000, ms_of_day % 1000);
        let (minute, second) = (second / 60, second % 60);
        let pair = |number: u32| u64::from(u16::from_le_bytes(two_digits(u64::from(number))));
        let clock = pair(minute / 60) | pair(minute % 60) << 24 | pair(second) << 48 | COLONS;
        let mut fraction = *b".000Z\",\0";
        if millisecond != 0 {
            fraction[1] = two_digits(u64::from(millisecond / 100))[1];
            fraction[2..4].copy_from_slice(&two_digits(u64::from(millisecond % 100)));
        }
        let block = page.block::<28>()?;
        block[..16].copy_from_slice(&self.dates[place]);
        block[12..20].copy_from_slice(&clock.to_le_bytes());
        block[20..].copy_from_slice(&fraction);
        marks.push(page, marks::day(place as u32));
        page.advance(DATE_BYTES + 15);
        if seconds {
            let whole = if millisecond == 0 { marks::second(second) } else { Hint::Nothing };
            marks.push_at(page, SECOND_FROM_END, whole);
        }
        marks.push_at(page, FRACTION_FROM_END, Hint::Above);
        Ok(())
    }

    /// Writes an absent time as a field with its comma.
    #[inline(always)]
    pub(crate) fn put_absent(seconds: bool, page: &mut Page<'_>, marks: &mut Marks<'_>) -> Result<(), Full> {
        marks.push(page, Hint::Above);
        page.put(b"\"\",")?;
        marks.skip(page, 1 + usize::from(seconds));
        Ok(())
    }

    #[cold]
    fn render(&mut self, ms: i64, day: u32, place: usize) -> Result<(), TimeFault> {
        let time = Timestamp::try_from_ms(ms).map_err(|_| TimeFault::OutOfRange)?;
        let mut iso = [0; ISO_BYTES];
        time.write_iso(&mut iso);
        self.dates[place][0] = b'"';
        self.dates[place][1..DATE_BYTES].copy_from_slice(&iso[..DATE_BYTES - 1]);
        self.dates[place][DATE_BYTES..].copy_from_slice(&day.to_le_bytes());
        Ok(())
    }
}

#[inline(always)]
fn place_of(day: u32) -> usize {
    day as usize % DAYS
}

impl std::fmt::Debug for TimeFields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TimeFields").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::marks::RowMarks;

    fn field(times: &mut TimeFields, ms: i64) -> String {
        let mut out = [0; 40];
        let mut page = Page::new(&mut out, 0);
        let mut marks = RowMarks::default();
        times.put(ms, true, &mut page, &mut marks.begin(&Page::new(&mut [], 0))).unwrap();
        let at = page.at();
        String::from_utf8(out[..at].to_vec()).unwrap()
    }

    #[test]
    fn fields_agree_with_the_core_whatever_was_rendered_before() {
        let mut times = TimeFields::new();
        let edges = [Timestamp::MIN.ms(), -1, 0, 1, 951_782_400_000, 1_715_035_068_123, Timestamp::MAX.ms()];
        let steps = (0..20_000).map(|step| Timestamp::MIN.ms() + step * 15_778_476_123);
        for ms in edges.into_iter().chain(steps) {
            assert_eq!(field(&mut times, ms), format!("\"{}\",", Timestamp::try_from_ms(ms).unwrap()));
        }
    }

    #[test]
    fn times_that_no_report_can_spell_are_refused() {
        let mut times = TimeFields::new();
        let mut out = [0; 40];
        let no_day = i64::from(NO_DAY) * DAY_MS.cast_signed() - FIRST_DAY_MS;
        for ms in [i64::MIN, Timestamp::MIN.ms() - 1, Timestamp::MAX.ms() + 1, no_day - 1, no_day, i64::MAX] {
            let (mut marks, mut page) = (RowMarks::default(), Page::new(&mut out, 0));
            assert_eq!(
                times.put(ms, true, &mut page, &mut marks.begin(&Page::new(&mut [], 0))),
                Err(TimeFault::OutOfRange)
            );
        }
    }
}
