//! Columns of times: seconds since 2015-01-01, and nanoseconds without their trailing zeros.
//!
//! Readers take a second off a time before 1970 that has more than 999,999 nanoseconds (ORC-763), because the first writer
//! cut such seconds towards zero. So a second is added to those, and what lies less than a second before 1970 cannot be
//! written: its second is zero, which no reader takes for one before 1970.

use super::{ColumnEncoder, ColumnPlan, Encoded, Encoding, StripeParts, groups, integers::extremes};
use crate::{
    compress::ValueKind,
    error::OrcError,
    present::for_each_run,
    proto::stream::Kind,
    rle::integers::Sign,
    slice::{ColumnSlice, Values},
    statistics::{Time, Typed},
    stream::PositionKind,
};
use arrow_schema::TimeUnit;

/// 2015-01-01T00:00:00Z, from which seconds count.
const EPOCH_SECONDS: i64 = 1_420_070_400;

const NANOS: i64 = 1_000_000_000;

/// Nanoseconds up to which readers leave the second alone.
const NANOS_UNCHANGED_MAX: i64 = 999_999;

impl ColumnEncoder {
    pub(super) fn encode_times(
        &mut self,
        plan: &mut ColumnPlan,
        slices: &[ColumnSlice<'_>],
        rows: usize,
        nulls: usize,
        parts: &mut StripeParts,
    ) -> Result<Encoded, OrcError> {
        self.data.begin(ValueKind::Other, &self.codec, &parts.data);
        self.second.begin(ValueKind::Other, &self.codec, &self.second_out);
        for group in groups(rows, self.stride) {
            self.seconds.clear();
            self.values.clear();
            let mut known: Option<(Time, Time)> = None;
            let (seconds, nanos, bloom) = (&mut self.seconds, &mut self.values, &mut plan.bloom);
            let present = (nulls > 0).then_some(&self.present);
            for_each_run(slices, present, group.clone(), |slice, run, start| {
                let Values::Timestamp(values, unit) = &slice.values else { return Ok(()) };
                let (values, unit) = (&values[run], Unit::of(*unit));
                if let Err(at) = unit.split(values, seconds, nanos) {
                    return Err(OrcError::value(start + at, unit.refusal(values[at])));
                }
                if let Some((min, max)) = extremes(values) {
                    let (low, high) = (unit.millis(min), unit.millis(max));
                    known = Some(known.map_or((low, high), |(min, max)| (min.min(low), max.max(high))));
                }
                if let Some(bloom) = bloom {
                    values.iter().for_each(|value| bloom.add_long(unit.millis(*value).0));
                }
                Ok(())
            })?;
            self.data.mark(&parts.data);
            self.encoded.clear();
            self.integers.encode(&self.seconds, Sign::Signed, &mut self.encoded);
            self.data.push(&self.encoded, &mut self.codec, &mut parts.data)?;
            self.second.mark(&self.second_out);
            self.encoded.clear();
            self.integers.encode(&self.values, Sign::Unsigned, &mut self.encoded);
            self.second.push(&self.encoded, &mut self.codec, &mut self.second_out)?;
            self.end_group(plan, &group, self.values.len(), Typed::Times { extremes: known });
        }
        self.end_data(plan, parts)?;
        self.end_second(plan, Kind::Secondary, parts)?;
        Ok(Encoded {
            encoding: Encoding::DirectV2,
            dictionary_size: None,
            data: PositionKind::Run,
            second: Some(PositionKind::Run),
        })
    }
}

/// A unit of times.
#[derive(Clone, Copy, Debug)]
struct Unit {
    per_second: i64,
}

impl Unit {
    fn of(unit: TimeUnit) -> Self {
        Self {
            per_second: match unit {
                TimeUnit::Second => 1,
                TimeUnit::Millisecond => 1000,
                TimeUnit::Microsecond => 1_000_000,
                TimeUnit::Nanosecond => NANOS,
            },
        }
    }

    /// Appends seconds and nanoseconds as they are stored.
    ///
    /// # Errors
    /// The first value that cannot be stored.
    fn split(self, values: &[i64], seconds: &mut Vec<i64>, nanos: &mut Vec<i64>) -> Result<(), usize> {
        // The units as constants, so that nothing is divided.
        match self.per_second {
            1 => split_by::<1>(values, seconds, nanos),
            1000 => split_by::<1000>(values, seconds, nanos),
            1_000_000 => split_by::<1_000_000>(values, seconds, nanos),
            _ => split_by::<NANOS>(values, seconds, nanos),
        }
    }

    /// Milliseconds, and nanoseconds below them. Values that are stored have as many milliseconds as 64 bits hold.
    fn millis(self, value: i64) -> Time {
        let nanos = value.rem_euclid(self.per_second) * (NANOS / self.per_second);
        let millis = value.div_euclid(self.per_second).saturating_mul(1000).saturating_add(nanos / 1_000_000);
        (millis, i32::try_from(nanos % 1_000_000).unwrap_or_default())
    }

    fn refusal(self, value: i64) -> String {
        let unit = match self.per_second {
            1 => "seconds",
            1000 => "milliseconds",
            1_000_000 => "microseconds",
            _ => "nanoseconds",
        };
        let reason = if value < 0 && value > -self.per_second {
            "ORC cannot hold times less than a second before 1970"
        } else {
            "ORC cannot hold so many milliseconds"
        };
        format!("a time of {value} {unit}: {reason}")
    }
}

/// Seconds whose milliseconds, which statistics count, have 64 bits.
const SECONDS_MAX: i64 = i64::MAX / 1000 - 1;

fn split_by<const PER_SECOND: i64>(values: &[i64], seconds: &mut Vec<i64>, nanos: &mut Vec<i64>) -> Result<(), usize> {
    let (mut parts, mut early, mut far) = (0, false, false);
    let start = seconds.len();
    seconds.extend(values.iter().map(|value| {
        let second = value.div_euclid(PER_SECOND);
        parts |= value.wrapping_sub(second.wrapping_mul(PER_SECOND));
        early |= second < 0;
        far |= !(-SECONDS_MAX..=SECONDS_MAX).contains(&second);
        second.wrapping_sub(EPOCH_SECONDS)
    }));
    if far || (early && parts != 0) {
        seconds.truncate(start);
        return split_before_1970::<PER_SECOND>(values, seconds, nanos);
    }
    if parts == 0 {
        nanos.resize(nanos.len() + values.len(), 0);
    } else {
        nanos.extend(values.iter().map(|value| stored_nanos(value.rem_euclid(PER_SECOND) * (NANOS / PER_SECOND))));
    }
    Ok(())
}

/// As [`split_by`], with seconds before 1970 that have parts.
fn split_before_1970<const PER_SECOND: i64>(
    values: &[i64],
    seconds: &mut Vec<i64>,
    nanos: &mut Vec<i64>,
) -> Result<(), usize> {
    for (at, value) in values.iter().enumerate() {
        let second = value.div_euclid(PER_SECOND);
        let part = value.rem_euclid(PER_SECOND) * (NANOS / PER_SECOND);
        let moved = second < 0 && part > NANOS_UNCHANGED_MAX;
        if (moved && second == -1) || !(-SECONDS_MAX..=SECONDS_MAX).contains(&second) {
            return Err(at);
        }
        seconds.push(second + i64::from(moved) - EPOCH_SECONDS);
        nanos.push(stored_nanos(part));
    }
    Ok(())
}

/// Nanoseconds without their trailing zeros, if they have two or more; the lowest three bits count them, less one.
#[inline(always)]
fn stored_nanos(nanos: i64) -> i64 {
    if nanos == 0 {
        return 0;
    }
    if nanos % 100 != 0 {
        return nanos << 3;
    }
    let (mut nanos, mut zeros) = (nanos / 100, 1);
    while nanos % 10 == 0 && zeros < 7 {
        nanos /= 10;
        zeros += 1;
    }
    nanos << 3 | zeros
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second and nanosecond that readers make of what is stored.
    fn read(second: i64, nanos: i64) -> (i64, i64) {
        let zeros = nanos & 7;
        let nanos = if zeros == 0 { nanos >> 3 } else { (nanos >> 3) * 10i64.pow(u32::try_from(zeros).unwrap() + 1) };
        let second = second + EPOCH_SECONDS;
        (if second < 0 && nanos > NANOS_UNCHANGED_MAX { second - 1 } else { second }, nanos)
    }

    fn check(unit: TimeUnit, value: i64) {
        let (unit, mut seconds, mut nanos) = (Unit::of(unit), Vec::new(), Vec::new());
        unit.split(&[value], &mut seconds, &mut nanos).unwrap();
        let expected =
            (value.div_euclid(unit.per_second), value.rem_euclid(unit.per_second) * (NANOS / unit.per_second));
        assert_eq!(read(seconds[0], nanos[0]), expected, "{value} by {}", unit.per_second);
    }

    #[test]
    fn times_read_back_at_edges() {
        for value in
            [i64::MIN, i64::MAX, -1_000_000_000, -1_000_000_001, -2_000_000_000, -999_000_001, 0, 1, 999_999_999]
        {
            check(TimeUnit::Nanosecond, value);
        }
        for value in [-1000, -1001, -1999, -2000, 0, 1, 999, 1_420_070_400_000, 1_420_070_399_999, -62_167_219_200_000]
        {
            check(TimeUnit::Millisecond, value);
        }
        for value in [i64::MIN, i64::MAX, -1_000_000, -999_001, -1, 1, 120, 120_000] {
            // A nanosecond of up to 999,999 is left alone by readers.
            if value != -1 {
                check(TimeUnit::Microsecond, value);
            }
        }
        [-1, 0, SECONDS_MAX, -SECONDS_MAX].iter().for_each(|value| check(TimeUnit::Second, *value));
    }

    #[test]
    fn what_orc_cannot_hold_is_refused() {
        let split = |unit, values: &[i64]| Unit::of(unit).split(values, &mut Vec::new(), &mut Vec::new());
        assert_eq!(split(TimeUnit::Millisecond, &[0, -1]), Err(1));
        assert_eq!(split(TimeUnit::Millisecond, &[-999]), Err(0));
        assert_eq!(split(TimeUnit::Microsecond, &[-999_000]), Err(0));
        assert_eq!(split(TimeUnit::Second, &[i64::MAX]), Err(0));
        assert!(Unit::of(TimeUnit::Millisecond).refusal(-1).contains("before 1970"));
        assert!(Unit::of(TimeUnit::Second).refusal(i64::MAX).contains("so many"));
    }
}
