//! Statistics of a column over a row group, a stripe or a file: counts, exact extremes, sums.
//!
//! Extremes are those of all values that are not null, or bounds of them: texts of more than 1,024 bytes are shortened to
//! bounds, and where a floating-point value is no number the bounds are infinite and the sum is no number either, by which
//! readers know.

use crate::{proto, schema::ColumnType};

/// Longest text that stands in statistics as it is.
const TEXT_BYTES_MAX: usize = 1024;

/// What is known of the values of a column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ColumnStatistics {
    /// Values that are not null.
    pub(crate) values: u64,
    pub(crate) has_null: bool,
    /// Bytes of the column's streams, without indexes; counted for stripes and files.
    pub(crate) stored_bytes: Option<u64>,
    pub(crate) typed: Typed,
}

/// What is known by type. Without values there are no extremes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Typed {
    /// The struct of a row.
    Struct,
    Integers {
        extremes: Option<(i64, i64)>,
        /// None if it leaves 64 bits.
        sum: Option<i64>,
    },
    Doubles {
        extremes: Option<(f64, f64)>,
        sum: f64,
    },
    Texts {
        extremes: Option<(String, String)>,
        bytes: u64,
    },
    Booleans {
        trues: u64,
    },
    Dates {
        extremes: Option<(i32, i32)>,
    },
    Binaries {
        bytes: u64,
    },
    Times {
        extremes: Option<(Time, Time)>,
    },
}

/// Milliseconds since 1970-01-01, and nanoseconds below the millisecond.
pub(crate) type Time = (i64, i32);

impl Typed {
    /// What is known of no values of a type.
    pub(crate) fn none_of(column_type: ColumnType) -> Self {
        match column_type {
            ColumnType::Boolean => Self::Booleans { trues: 0 },
            ColumnType::TinyInt | ColumnType::SmallInt | ColumnType::Int | ColumnType::BigInt => {
                Self::Integers { extremes: None, sum: Some(0) }
            }
            ColumnType::Float | ColumnType::Double => Self::Doubles { extremes: None, sum: 0.0 },
            ColumnType::String => Self::Texts { extremes: None, bytes: 0 },
            ColumnType::Binary => Self::Binaries { bytes: 0 },
            ColumnType::Date => Self::Dates { extremes: None },
            ColumnType::Timestamp | ColumnType::TimestampInstant => Self::Times { extremes: None },
        }
    }

    /// Adds what is known of other values of the same type.
    fn merge(&mut self, other: &Self) {
        match (self, other) {
            (Self::Struct, Self::Struct) => {}
            (Self::Integers { extremes, sum }, Self::Integers { extremes: others, sum: add }) => {
                widen(extremes, others);
                *sum = sum.zip(*add).and_then(|(sum, add)| sum.checked_add(add));
            }
            (Self::Doubles { extremes, sum }, Self::Doubles { extremes: others, sum: add }) => {
                if let Some((low, high)) = others {
                    let (min, max) = extremes.get_or_insert((*low, *high));
                    *min = if low.total_cmp(min).is_lt() { *low } else { *min };
                    *max = if high.total_cmp(max).is_gt() { *high } else { *max };
                }
                *sum += add;
            }
            (Self::Texts { extremes, bytes }, Self::Texts { extremes: others, bytes: add }) => {
                widen(extremes, others);
                *bytes += add;
            }
            (Self::Booleans { trues }, Self::Booleans { trues: add }) => *trues += add,
            (Self::Dates { extremes }, Self::Dates { extremes: others }) => widen(extremes, others),
            (Self::Binaries { bytes }, Self::Binaries { bytes: add }) => *bytes += add,
            (Self::Times { extremes }, Self::Times { extremes: others }) => widen(extremes, others),
            (one, other) => unreachable!("columns keep their type: {one:?}, {other:?}"),
        }
    }
}

fn widen<T: Clone + Ord>(extremes: &mut Option<(T, T)>, others: &Option<(T, T)>) {
    let Some((low, high)) = others else { return };
    match extremes {
        None => *extremes = Some((low.clone(), high.clone())),
        Some((min, max)) => {
            if low < min {
                min.clone_from(low);
            }
            if high > max {
                max.clone_from(high);
            }
        }
    }
}

impl ColumnStatistics {
    /// Statistics of no rows of a type.
    pub(crate) fn none_of(column_type: ColumnType) -> Self {
        Self { values: 0, has_null: false, stored_bytes: None, typed: Typed::none_of(column_type) }
    }

    /// Statistics of rows as such.
    pub(crate) fn of_rows(rows: u64) -> Self {
        Self { values: rows, has_null: false, stored_bytes: None, typed: Typed::Struct }
    }

    /// Adds those of other rows of the same column.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.values += other.values;
        self.has_null |= other.has_null;
        if let Some(bytes) = other.stored_bytes {
            *self.stored_bytes.get_or_insert(0) += bytes;
        }
        self.typed.merge(&other.typed);
    }

    pub(crate) fn to_proto(&self) -> proto::ColumnStatistics {
        let mut message = proto::ColumnStatistics {
            number_of_values: Some(self.values),
            has_null: Some(self.has_null),
            bytes_on_disk: self.stored_bytes,
            ..proto::ColumnStatistics::default()
        };
        match &self.typed {
            Typed::Struct => {}
            Typed::Integers { extremes, sum } => {
                let (minimum, maximum) = extremes.unzip();
                message.int_statistics = Some(proto::IntegerStatistics { minimum, maximum, sum: *sum });
            }
            Typed::Doubles { extremes, sum } => {
                let (minimum, maximum) = extremes.unzip();
                message.double_statistics = Some(proto::DoubleStatistics { minimum, maximum, sum: Some(*sum) });
            }
            Typed::Texts { extremes, bytes } => message.string_statistics = Some(texts(extremes.as_ref(), *bytes)),
            Typed::Booleans { trues } => {
                message.bucket_statistics = Some(proto::BucketStatistics { count: vec![*trues] });
            }
            Typed::Dates { extremes } => {
                let (minimum, maximum) = extremes.unzip();
                message.date_statistics = Some(proto::DateStatistics { minimum, maximum });
            }
            Typed::Binaries { bytes } => {
                message.binary_statistics = Some(proto::BinaryStatistics { sum: i64::try_from(*bytes).ok() });
            }
            Typed::Times { extremes } => message.timestamp_statistics = Some(times(extremes.as_ref())),
        }
        message
    }
}

fn texts(extremes: Option<&(String, String)>, bytes: u64) -> proto::StringStatistics {
    let mut message = proto::StringStatistics::default();
    if let Some((min, max)) = extremes {
        message.sum = i64::try_from(bytes).ok();
        if min.len() <= TEXT_BYTES_MAX {
            message.minimum = Some(min.clone());
        } else {
            message.lower_bound = Some(front(min).to_owned());
        }
        if max.len() <= TEXT_BYTES_MAX {
            message.maximum = Some(max.clone());
        } else {
            message.upper_bound = upper_bound(front(max));
        }
    }
    message
}

/// The longest front that statistics take; not after any text that begins with it.
fn front(text: &str) -> &str {
    let end = (0..=TEXT_BYTES_MAX.min(text.len())).rfind(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or_default()]
}

/// The least text of characters up to a front's length that is after every text that begins with the front, if there is
/// one: its last character that has a successor is replaced by that.
fn upper_bound(front: &str) -> Option<String> {
    let mut characters: Vec<char> = front.chars().collect();
    while let Some(last) = characters.pop() {
        let successor = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(successor) = successor {
            characters.push(successor);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

/// Nanoseconds below the millisecond are stored plus one. Those of the least default to 0, those of the largest to 999,999.
fn times(extremes: Option<&(Time, Time)>) -> proto::TimestampStatistics {
    let mut message = proto::TimestampStatistics::default();
    if let Some(((min, min_nanos), (max, max_nanos))) = extremes {
        message.minimum_utc = Some(*min);
        message.maximum_utc = Some(*max);
        message.minimum_nanos = (*min_nanos != 0).then_some(min_nanos + 1);
        message.maximum_nanos = (*max_nanos != 999_999).then_some(max_nanos + 1);
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_become_bounds() {
        let long = |last: &str| "a".repeat(1022) + last;
        let of = |min: &str, max: &str| texts(Some(&(min.to_owned(), max.to_owned())), 0);
        let exact = of(&long("zz"), &long("zz"));
        assert_eq!((exact.minimum, exact.maximum), (Some(long("zz")), Some(long("zz"))));
        let bounds = of(&long("zzz"), &long("zzz"));
        assert_eq!((bounds.lower_bound, bounds.upper_bound), (Some(long("zz")), Some(long("z{"))));
        assert_eq!((bounds.minimum, bounds.maximum), (None, None));
        // A character is not cut, the one below the surrogates is followed by the one above, the last by none.
        let bounds = of(&long("éé"), &long("zé"));
        assert_eq!((bounds.lower_bound, bounds.upper_bound), (Some(long("é")), Some(long("{"))));
        assert_eq!(upper_bound("a\u{d7ff}"), Some("a\u{e000}".to_owned()));
        assert_eq!(upper_bound("a\u{10ffff}\u{10ffff}"), Some("b".to_owned()));
        assert_eq!(upper_bound("\u{10ffff}"), None);
    }

    #[test]
    fn sums_that_overflow_are_left_out_for_good() {
        let of = |value: i64| ColumnStatistics {
            values: 1,
            typed: Typed::Integers { extremes: Some((value, value)), sum: Some(value) },
            ..ColumnStatistics::none_of(ColumnType::BigInt)
        };
        let mut all = of(i64::MAX);
        all.merge(&of(1));
        all.merge(&of(-5));
        assert_eq!(all.values, 3);
        assert_eq!(all.typed, Typed::Integers { extremes: Some((-5, i64::MAX)), sum: None });
    }
}
