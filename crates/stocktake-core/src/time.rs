//! Times as reports spell them: milliseconds since 1970-01-01 UTC, `2026-11-22T01:00:00.000Z`, folder and hive stamps.
//!
//! It reads no clock. Civil dates follow the proleptic Gregorian calendar in the years 0000 to 9999.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Length of a rendered time in bytes.
pub const ISO_BYTES: usize = 24;

const DAY_MS: i64 = 86_400_000;

/// A point in time in milliseconds since 1970-01-01 UTC, within the years 0000 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Timestamp(i64);

impl Timestamp {
    /// The first representable time, `0000-01-01T00:00:00.000Z`.
    pub const MIN: Self = Self(-62_167_219_200_000);
    /// The last representable time, `9999-12-31T23:59:59.999Z`.
    pub const MAX: Self = Self(253_402_300_799_999);

    /// A time from milliseconds since 1970-01-01 UTC.
    ///
    /// # Errors
    /// Refuses times outside the years 0000 to 9999, which no report can spell.
    pub fn try_from_ms(ms: i64) -> Result<Self, TimeError> {
        if (Self::MIN.0..=Self::MAX.0).contains(&ms) { Ok(Self(ms)) } else { Err(TimeError(ms.to_string())) }
    }

    /// Milliseconds since 1970-01-01 UTC.
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// Parses an RFC 3339 time: `2026-11-22T01:00:00Z`, with any fraction (cut to milliseconds) and any offset.
    ///
    /// A space or a lower-case `t` may stand for the `T`, a lower-case `z` for the `Z`.
    ///
    /// # Errors
    /// Refuses anything else, dates that do not exist, and times outside the years 0000 to 9999. A leap second is
    /// taken as the last second of its minute.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        parse_ms(text.as_bytes()).and_then(|ms| Self::try_from_ms(ms).ok()).ok_or_else(|| TimeError(text.to_owned()))
    }

    /// Renders `yyyy-MM-ddTHH:mm:ss.SSSZ`.
    pub fn write_iso(self, out: &mut [u8; ISO_BYTES]) {
        let civil = self.civil();
        *out = *b"0000-00-00T00:00:00.000Z";
        digits(&mut out[0..4], civil.year);
        digits(&mut out[5..7], civil.month);
        digits(&mut out[8..10], civil.day);
        digits(&mut out[11..13], civil.hour);
        digits(&mut out[14..16], civil.minute);
        digits(&mut out[17..19], civil.second);
        digits(&mut out[20..23], civil.millisecond);
    }

    /// Name of the folder of the report's manifest, `2026-11-22T01-00Z`.
    pub fn folder_stamp(self) -> String {
        let c = self.civil();
        format!("{:04}-{:02}-{:02}T{:02}-{:02}Z", c.year, c.month, c.day, c.hour, c.minute)
    }

    /// Value of the hive partition `dt`, `2026-11-22-01-00`.
    pub fn hive_stamp(self) -> String {
        let c = self.civil();
        format!("{:04}-{:02}-{:02}-{:02}-{:02}", c.year, c.month, c.day, c.hour, c.minute)
    }

    fn civil(self) -> Civil {
        let days = self.0.div_euclid(DAY_MS);
        // Both remainders are non-negative and below 86,400,000.
        let ms = u32::try_from(self.0.rem_euclid(DAY_MS)).unwrap_or(0);
        let (year, month, day) = civil_from_days(days);
        let second = ms / 1000;
        Civil {
            year,
            month,
            day,
            hour: second / 3600,
            minute: second / 60 % 60,
            second: second % 60,
            millisecond: ms % 1000,
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; ISO_BYTES];
        self.write_iso(&mut text);
        text.iter().try_for_each(|byte| write!(f, "{}", char::from(*byte)))
    }
}

impl TryFrom<i64> for Timestamp {
    type Error = TimeError;
    fn try_from(ms: i64) -> Result<Self, TimeError> {
        Self::try_from_ms(ms)
    }
}

impl From<Timestamp> for i64 {
    fn from(time: Timestamp) -> Self {
        time.0
    }
}

/// A text or number that is no time a report can spell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeError(String);

impl fmt::Display for TimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no time of the years 0000 to 9999 in the form 2026-11-22T01:00:00.000Z", self.0)
    }
}

impl std::error::Error for TimeError {}

struct Civil {
    year: u32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    millisecond: u32,
}

fn digits(out: &mut [u8], mut value: u32) {
    for byte in out.iter_mut().rev() {
        *byte = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

/// Year, month and day of a day number since 1970-01-01, counting years from March so that the leap day comes last.
fn civil_from_days(days: i64) -> (u32, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let small = |value: i64| u32::try_from(value).unwrap_or(0);
    (small(year), small(month), small(day))
}

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn parse_ms(text: &[u8]) -> Option<i64> {
    let number = |range: std::ops::Range<usize>| -> Option<i64> {
        text.get(range)?
            .iter()
            .try_fold(0i64, |value, byte| byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0')))
    };
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let punctuation = text[4] == b'-'
        && text[7] == b'-'
        && matches!(text[10], b'T' | b't' | b' ')
        && text[13] == b':'
        && text[16] == b':';
    let leap_year = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let month_days = match month {
        2 => 28 + i64::from(leap_year),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let in_range =
        (1..=12).contains(&month) && (1..=month_days).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    if !punctuation || !in_range {
        return None;
    }
    let mut at = 19;
    let mut millisecond = 0;
    if text.get(at) == Some(&b'.') {
        let length = text[at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if length == 0 {
            return None;
        }
        let taken = length.min(3);
        millisecond = number(at + 1..at + 1 + taken)? * [1, 100, 10, 1][taken];
        at += 1 + length;
    }
    let offset_minutes = match (text.get(at)?, text.len() - at) {
        (b'Z' | b'z', 1) => 0,
        (sign @ (b'+' | b'-'), 6) if text[at + 3] == b':' => {
            let (hours, minutes) = (number(at + 1..at + 3)?, number(at + 4..at + 6)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 60 + minutes) * if *sign == b'-' { -1 } else { 1 }
        }
        _ => return None,
    };
    let seconds = hour * 3600 + (minute - offset_minutes) * 60 + second.min(59);
    Some(days_from_civil(year, month, day) * DAY_MS + seconds * 1000 + millisecond)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ms: i64, text: &str) {
        let time = Timestamp::try_from_ms(ms).unwrap();
        assert_eq!(time.to_string(), text);
        assert_eq!(Timestamp::parse(text).unwrap(), time);
    }

    #[test]
    fn renders_and_parses_edges() {
        check(0, "1970-01-01T00:00:00.000Z");
        check(-1, "1969-12-31T23:59:59.999Z");
        check(1_715_035_068_000, "2024-05-06T22:37:48.000Z");
        check(951_782_400_000, "2000-02-29T00:00:00.000Z");
        check(Timestamp::MIN.ms(), "0000-01-01T00:00:00.000Z");
        check(Timestamp::MAX.ms(), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn every_day_of_four_centuries_goes_both_ways() {
        for day in 0..146_097 {
            let ms = Timestamp::try_from_ms(day * DAY_MS).unwrap();
            assert_eq!(Timestamp::parse(&ms.to_string()).unwrap(), ms);
        }
    }

    #[test]
    fn offsets_and_fractions_are_taken() {
        let at = |text| Timestamp::parse(text).unwrap().ms();
        assert_eq!(at("2024-05-06T22:37:48Z"), 1_715_035_068_000);
        assert_eq!(at("2024-05-07T00:37:48+02:00"), 1_715_035_068_000);
        assert_eq!(at("2024-05-06 22:37:48.1239999z"), 1_715_035_068_123);
        assert_eq!(at("2024-05-06T22:37:48.5-00:00"), 1_715_035_068_500);
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "2024",
            "2024-02-30T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "2024-05-06T24:00:00Z",
            "2024-05-06T22:37:48",
            "2024-05-06T22:37:48.Z",
            "2024-05-06T22:37:48ZZ",
            "2024-05-06T22:37:48+2:00",
            "2024-13-06T22:37:48Z",
            "x024-05-06T22:37:48Z",
        ] {
            assert!(Timestamp::parse(text).is_err(), "{text}");
        }
        assert!(Timestamp::try_from_ms(Timestamp::MAX.ms() + 1).is_err());
    }

    #[test]
    fn stamps_differ_in_punctuation() {
        let time = Timestamp::parse("2025-06-02T01:00:00Z").unwrap();
        assert_eq!(time.folder_stamp(), "2025-06-02T01-00Z");
        assert_eq!(time.hive_stamp(), "2025-06-02-01-00");
    }
}
