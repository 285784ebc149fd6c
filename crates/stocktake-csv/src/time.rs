//! Times as fields: the date of a day is rendered once and remembered, hours to milliseconds are rendered each time.

use crate::{
    number::two_digits,
    page::{Full, Page},
};
use stocktake_core::{ISO_BYTES, Timestamp};

const DAY_MS: i64 = 86_400_000;

/// Days that are remembered: more than a year, so that the days of a year do not meet in one place.
const DAYS: usize = 512;

/// Length of a date with the quote before it and the `T` after it.
const DATE_BYTES: usize = 12;

/// Fields of times, with the dates rendered lately.
pub(crate) struct TimeFields {
    days: [i64; DAYS],
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
        // No time lies in this day.
        Self { days: [i64::MAX; DAYS], dates: [[0; 16]; DAYS] }
    }

    /// Writes a time as a field with its comma.
    #[inline(always)]
    pub(crate) fn put(&mut self, ms: i64, page: &mut Page<'_>) -> Result<(), TimeFault> {
        let day = ms.div_euclid(DAY_MS);
        let ms_of_day = ms.rem_euclid(DAY_MS).unsigned_abs();
        let place = place_of(day);
        if self.days[place] != day {
            self.render(ms, day, place)?;
        }
        let block = page.block::<32>()?;
        block[..16].copy_from_slice(&self.dates[place]);
        let second = ms_of_day / 1000;
        block[12..14].copy_from_slice(&two_digits(second / 3600));
        block[14] = b':';
        block[15..17].copy_from_slice(&two_digits(second / 60 % 60));
        block[17] = b':';
        block[18..20].copy_from_slice(&two_digits(second % 60));
        let millisecond = ms_of_day % 1000;
        block[20] = b'.';
        block[21] = two_digits(millisecond / 100)[1];
        block[22..24].copy_from_slice(&two_digits(millisecond % 100));
        block[24..27].copy_from_slice(b"Z\",");
        page.advance(DATE_BYTES + 15);
        Ok(())
    }

    #[cold]
    fn render(&mut self, ms: i64, day: i64, place: usize) -> Result<(), TimeFault> {
        let time = Timestamp::try_from_ms(ms).map_err(|_| TimeFault::OutOfRange)?;
        let mut iso = [0; ISO_BYTES];
        time.write_iso(&mut iso);
        self.dates[place][0] = b'"';
        self.dates[place][1..DATE_BYTES].copy_from_slice(&iso[..DATE_BYTES - 1]);
        self.days[place] = day;
        Ok(())
    }
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "a remainder of 512")]
fn place_of(day: i64) -> usize {
    day.rem_euclid(DAYS as i64) as usize
}

impl std::fmt::Debug for TimeFields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TimeFields").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(times: &mut TimeFields, ms: i64) -> String {
        let mut out = [0; 40];
        let mut page = Page::new(&mut out, 0);
        times.put(ms, &mut page).unwrap();
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
        for ms in [i64::MIN, Timestamp::MIN.ms() - 1, Timestamp::MAX.ms() + 1, i64::MAX] {
            assert_eq!(times.put(ms, &mut Page::new(&mut out, 0)), Err(TimeFault::OutOfRange));
        }
    }
}
