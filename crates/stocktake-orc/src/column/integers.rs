//! Columns of integers and dates.

use super::{ColumnEncoder, ColumnPlan, Encoded, Encoding, StripeParts, groups};
use crate::{
    compress::ValueKind,
    error::OrcError,
    present::for_each_run,
    rle::{bytes, integers::Sign},
    schema::ColumnType,
    slice::{ColumnSlice, Values},
    statistics::Typed,
    stream::PositionKind,
};
use std::ops::Range;

impl ColumnEncoder {
    /// Integers of 16 bits and more, and days.
    pub(super) fn encode_integers(
        &mut self,
        plan: &mut ColumnPlan,
        slices: &[ColumnSlice<'_>],
        rows: usize,
        nulls: usize,
        parts: &mut StripeParts,
    ) -> Result<Encoded, OrcError> {
        self.data.begin(ValueKind::Other, &self.codec, &parts.data);
        for group in groups(rows, self.stride) {
            self.gather(plan, slices, nulls, &group)?;
            self.data.mark(&parts.data);
            self.encoded.clear();
            let extremes = self.integers.encode(&self.values, Sign::Signed, &mut self.encoded);
            self.data.push(&self.encoded, &mut self.codec, &mut parts.data)?;
            self.end_integers(plan, &group, extremes);
        }
        self.end_data(plan, parts)?;
        Ok(Encoded { encoding: Encoding::DirectV2, dictionary_size: None, data: PositionKind::Run, second: None })
    }

    /// Integers of 8 bits.
    pub(super) fn encode_bytes(
        &mut self,
        plan: &mut ColumnPlan,
        slices: &[ColumnSlice<'_>],
        rows: usize,
        nulls: usize,
        parts: &mut StripeParts,
    ) -> Result<Encoded, OrcError> {
        self.data.begin(ValueKind::Other, &self.codec, &parts.data);
        for group in groups(rows, self.stride) {
            self.gather(plan, slices, nulls, &group)?;
            self.data.mark(&parts.data);
            self.packed.clear();
            self.packed.extend(self.values.iter().map(|value| value.to_le_bytes()[0]));
            self.encoded.clear();
            bytes::encode(&self.packed, &mut self.encoded);
            self.data.push(&self.encoded, &mut self.codec, &mut parts.data)?;
            self.end_integers(plan, &group, extremes(&self.values));
        }
        self.end_data(plan, parts)?;
        Ok(Encoded { encoding: Encoding::Direct, dictionary_size: None, data: PositionKind::Run, second: None })
    }

    /// Collects a row group's values that are not null.
    fn gather(
        &mut self,
        plan: &ColumnPlan,
        slices: &[ColumnSlice<'_>],
        nulls: usize,
        group: &Range<usize>,
    ) -> Result<(), OrcError> {
        self.values.clear();
        let present = (nulls > 0).then_some(&self.present);
        let into = &mut self.values;
        let limits = match plan.column_type {
            ColumnType::SmallInt => i64::from(i16::MIN)..=i64::from(i16::MAX),
            ColumnType::Int => i64::from(i32::MIN)..=i64::from(i32::MAX),
            _ => i64::MIN..=i64::MAX,
        };
        for_each_run(slices, present, group.clone(), |slice, run, start| {
            match &slice.values {
                Values::Int8(values) => into.extend(values[run].iter().map(|value| i64::from(*value))),
                Values::Int16(values) => into.extend(values[run].iter().map(|value| i64::from(*value))),
                Values::Int32(values) | Values::Date(values) => {
                    into.extend(values[run].iter().map(|value| i64::from(*value)));
                }
                Values::Int64(values) if plan.column_type == ColumnType::BigInt => into.extend_from_slice(&values[run]),
                Values::Int64(values) => {
                    if let Some(at) = values[run.clone()].iter().position(|value| !limits.contains(value)) {
                        let (value, name) = (values[run.start + at], plan.column_type.name());
                        return Err(OrcError::value(start + at, format!("{value} is no {name}")));
                    }
                    into.extend_from_slice(&values[run]);
                }
                _ => {}
            }
            Ok(())
        })
    }

    fn end_integers(&mut self, plan: &mut ColumnPlan, group: &Range<usize>, extremes: Option<(i64, i64)>) {
        if let Some(bloom) = &mut plan.bloom {
            self.values.iter().for_each(|value| bloom.add_long(*value));
        }
        let typed = if plan.column_type == ColumnType::Date {
            // Days were gathered from 32 bits.
            let day = |value| i32::try_from(value).unwrap_or_default();
            Typed::Dates { extremes: extremes.map(|(min, max)| (day(min), day(max))) }
        } else {
            Typed::Integers { extremes, sum: sum(&self.values, extremes) }
        };
        self.end_group(plan, group, self.values.len(), typed);
    }
}

/// The least and the largest value.
pub(super) fn extremes(values: &[i64]) -> Option<(i64, i64)> {
    let first = *values.first()?;
    Some(values.iter().fold((first, first), |(min, max), value| (min.min(*value), max.max(*value))))
}

/// The sum of values of which the extremes are known, if it has 64 bits.
fn sum(values: &[i64], extremes: Option<(i64, i64)>) -> Option<i64> {
    let Some((min, max)) = extremes else { return Some(0) };
    // Rows of a group are far fewer than 2^32.
    if i32::try_from(min).is_ok() && i32::try_from(max).is_ok() {
        return Some(values.iter().sum());
    }
    // High and low halves cannot overflow.
    let (high, low) =
        values.iter().fold((0i64, 0i64), |(high, low), value| (high + (value >> 32), low + (value & 0xffff_ffff)));
    i64::try_from((i128::from(high) << 32) + i128::from(low)).ok()
}
