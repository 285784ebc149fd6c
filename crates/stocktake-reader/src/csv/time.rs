//! Times in S3's spelling, `2026-11-22T01:00:00.000Z`, quickly; others in any that RFC 3339 allows.

use stocktake_core::{ISO_BYTES, Timestamp};

/// Reads times; most rows have the day of a row before them.
#[derive(Debug, Default)]
pub(super) struct TimeReader {
    day: Option<[u8; 10]>,
    day_ms: i64,
}

impl TimeReader {
    /// Milliseconds since 1970-01-01 UTC.
    ///
    /// # Errors
    /// If the text is no time of the years 0000 to 9999.
    pub(super) fn read(&mut self, text: &[u8]) -> Result<i64, String> {
        if let Some(day) = text.first_chunk::<10>()
            && Some(*day) == self.day
            && let Some(ms) = time_of_day(text)
        {
            return Ok(self.day_ms + ms);
        }
        let shown = String::from_utf8_lossy(text);
        let time = Timestamp::parse(&shown).map_err(|error| error.to_string())?.ms();
        if let (Some(day), Some(ms)) = (text.first_chunk::<10>(), time_of_day(text)) {
            (self.day, self.day_ms) = (Some(*day), time - ms);
        }
        Ok(time)
    }
}

/// Milliseconds of the day, of a text in S3's own spelling.
fn time_of_day(text: &[u8]) -> Option<i64> {
    let text: &[u8; ISO_BYTES] = text.try_into().ok()?;
    let digit = |at: usize| {
        let value = text[at].wrapping_sub(b'0');
        (value < 10).then_some(i64::from(value))
    };
    let two = |at: usize| Some(digit(at)? * 10 + digit(at + 1)?);
    let marks = (text[10], text[13], text[16], text[19], text[23]) == (b'T', b':', b':', b'.', b'Z');
    let (hour, minute, second) = (two(11)?, two(14)?, two(17)?);
    let ms = two(20)? * 10 + digit(22)?;
    // A leap second is left to the general parser.
    (marks && hour < 24 && minute < 60 && second < 60).then_some(((hour * 60 + minute) * 60 + second) * 1000 + ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_general_parser() {
        let mut reader = TimeReader::default();
        let texts = [
            "2026-11-22T01:00:00.000Z",
            "2026-11-22T23:59:59.999Z",
            "2026-11-22T23:59:60.999Z",
            "2026-11-23T00:00:00.001Z",
            "2026-11-23T00:00:00Z",
            "2026-11-23T02:00:00.000+02:00",
            "0000-01-01T00:00:00.000Z",
            "9999-12-31T23:59:59.999Z",
            "1969-12-31T23:59:59.999Z",
            "2026-11-23 00:00:00.001z",
        ];
        for text in texts.iter().chain(texts.iter().rev()) {
            assert_eq!(reader.read(text.as_bytes()), Ok(Timestamp::parse(text).unwrap().ms()), "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused_whatever_came_before() {
        let mut reader = TimeReader::default();
        reader.read(b"2026-11-22T01:00:00.000Z").unwrap();
        for text in
            ["2026-11-22T24:00:00.000Z", "2026-11-22T01:60:00.000Z", "2026-11-22", "2026-11-22T01:00:00.00xZ", "x"]
        {
            assert!(reader.read(text.as_bytes()).is_err(), "{text}");
        }
    }
}
