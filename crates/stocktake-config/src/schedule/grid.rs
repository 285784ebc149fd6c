//! The grid of due times: every due time has a number, and the numbers have no gap.

use super::SkippedRuns;
use crate::{document::Frequency, validate::ValidConfiguration};
use stocktake_core::Timestamp;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// The first Sunday of 1970 is its fourth day.
const FIRST_SUNDAY_MS: i64 = 3 * DAY_MS;

/// When reports of a configuration are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    frequency: Frequency,
    enabled: bool,
    hour: u8,
}

impl Schedule {
    /// Hour of the day (UTC) at which reports are due, as in S3's own deliveries since 2022.
    pub const HOUR_DEFAULT: u8 = 1;

    /// A schedule at [`Schedule::HOUR_DEFAULT`].
    pub fn new(frequency: Frequency) -> Self {
        Self { frequency, enabled: true, hour: Self::HOUR_DEFAULT }
    }

    /// The schedule of a configuration.
    pub fn of(configuration: &ValidConfiguration) -> Self {
        let document = configuration.document();
        Self::new(document.frequency).with_enabled(document.is_enabled)
    }

    /// States whether reports are made at all.
    #[must_use]
    pub fn with_enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// States the hour of the day (UTC), 0 to 23; greater ones are taken modulo 24. An hourly schedule has no such hour.
    #[must_use]
    pub fn with_hour(mut self, hour: u8) -> Self {
        self.hour = hour % 24;
        self
    }

    /// How often reports are made.
    pub fn frequency(&self) -> Frequency {
        self.frequency
    }

    /// Whether reports are made at all.
    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// The newest time of the grid that is not after `now`.
    pub(super) fn newest(&self, now: Timestamp) -> Option<Timestamp> {
        self.time_of(self.number(now))
    }

    /// The first time of the grid after `now`.
    pub(super) fn next(&self, now: Timestamp) -> Option<Timestamp> {
        self.time_of(self.number(now) + 1)
    }

    /// Times of the grid after `from` and before `to`.
    pub(super) fn between(&self, from: Timestamp, to: Timestamp) -> Option<SkippedRuns> {
        let first = self.number(from) + 1;
        let last = self.number(Timestamp::try_from_ms(to.ms() - 1).ok()?);
        let count = u64::try_from(last - first + 1).ok().filter(|count| *count > 0)?;
        Some(SkippedRuns { first: self.time_of(first)?, last: self.time_of(last)?, count })
    }

    /// Number of the newest time of the grid that is not after `time`.
    fn number(&self, time: Timestamp) -> i64 {
        let ms = time.ms() - self.offset_ms();
        match self.frequency {
            Frequency::Hourly => ms.div_euclid(HOUR_MS),
            Frequency::Daily => ms.div_euclid(DAY_MS),
            Frequency::Weekly => ms.div_euclid(7 * DAY_MS),
            Frequency::Monthly => {
                let shifted = Timestamp::try_from_ms(ms).unwrap_or(Timestamp::MIN);
                let (year, month) = year_and_month(shifted);
                year * 12 + month - 1
            }
        }
    }

    /// The time of the grid with this number; `None` beyond the years that reports can spell.
    fn time_of(&self, number: i64) -> Option<Timestamp> {
        let ms = match self.frequency {
            Frequency::Hourly => number.checked_mul(HOUR_MS)?,
            Frequency::Daily => number.checked_mul(DAY_MS)?,
            Frequency::Weekly => number.checked_mul(7 * DAY_MS)?,
            Frequency::Monthly => first_of_month(number.div_euclid(12), number.rem_euclid(12) + 1)?,
        };
        Timestamp::try_from_ms(ms.checked_add(self.offset_ms())?).ok()
    }

    fn offset_ms(&self) -> i64 {
        match self.frequency {
            Frequency::Hourly => 0,
            Frequency::Daily | Frequency::Monthly => i64::from(self.hour) * HOUR_MS,
            Frequency::Weekly => FIRST_SUNDAY_MS + i64::from(self.hour) * HOUR_MS,
        }
    }
}

/// The full hour that a time lies in.
pub(super) fn hour_of(time: Timestamp) -> Timestamp {
    floor(time, HOUR_MS)
}

/// The full minute that a time lies in.
pub(super) fn minute_of(time: Timestamp) -> Timestamp {
    floor(time, 60_000)
}

fn floor(time: Timestamp, unit_ms: i64) -> Timestamp {
    // The first representable time is a full hour, so that rounding down stays within bounds.
    Timestamp::try_from_ms(time.ms().div_euclid(unit_ms) * unit_ms).unwrap_or(Timestamp::MIN)
}

/// Year and month by the time's own text, the one place where civil dates are reckoned.
fn year_and_month(time: Timestamp) -> (i64, i64) {
    let stamp = time.folder_stamp();
    let number = |range: std::ops::Range<usize>| stamp.get(range).and_then(|digits| digits.parse().ok()).unwrap_or(0);
    (number(0..4), number(5..7))
}

fn first_of_month(year: i64, month: i64) -> Option<i64> {
    Timestamp::parse(&format!("{year:04}-{month:02}-01T00:00:00Z")).ok().map(Timestamp::ms)
}
