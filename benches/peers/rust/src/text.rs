//! Rows as CSV records, as a program writes them that knows its columns: texts as they are, times in ISO 8601.

use arrow_array::{
    Array, RecordBatch,
    cast::AsArray,
    types::{Int64Type, TimestampMillisecondType},
};
use arrow_schema::DataType;
use std::io::Write;

const DAY_MS: i64 = 86_400_000;

pub fn write<W: Write>(batch: &RecordBatch, writer: &mut csv::Writer<W>) -> Result<(), csv::Error> {
    let mut cell = Vec::with_capacity(32);
    for row in 0..batch.num_rows() {
        for column in batch.columns() {
            cell.clear();
            if column.is_valid(row) {
                match column.data_type() {
                    DataType::Utf8 => {
                        writer.write_field(column.as_string::<i32>().value(row))?;
                        continue;
                    }
                    DataType::Boolean => {
                        cell.extend(if column.as_boolean().value(row) { &b"true"[..] } else { b"false" })
                    }
                    DataType::Int64 => write!(cell, "{}", column.as_primitive::<Int64Type>().value(row))?,
                    DataType::Timestamp(..) => {
                        time(column.as_primitive::<TimestampMillisecondType>().value(row), &mut cell)?
                    }
                    other => return Err(std::io::Error::other(format!("no column may be {other}")).into()),
                }
            }
            writer.write_field(&cell)?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    Ok(())
}

/// Days since 1970 become a date by counting from March of the year 0, when leap days come last.
fn time(ms: i64, out: &mut Vec<u8>) -> std::io::Result<()> {
    let (days, of_day) = (ms.div_euclid(DAY_MS) + 719_468, ms.rem_euclid(DAY_MS));
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (second, millisecond) = (of_day / 1000, of_day % 1000);
    let (hour, minute) = (second / 3600, second / 60 % 60);
    write!(out, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}.{millisecond:03}Z", second % 60)
}
