//! Sizes as people write them: `160MiB`, `1GB`, `4096`.

const UNITS: [(&str, u64); 10] = [
    ("", 1),
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
];

/// The bytes that a whole number with a unit stands for; upper and lower case are alike, a space may stand between.
///
/// # Errors
/// Says what a size looks like. A size beyond 64 bits is an error, never a smaller one.
pub(crate) fn parse_size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let factor = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit.trim_start())).map(|(_, factor)| *factor);
    let bytes = number.parse::<u64>().ok().zip(factor).and_then(|(number, factor)| number.checked_mul(factor));
    bytes.ok_or_else(|| {
        "a size is a whole number of bytes, or of B, KiB, MiB, GiB, TiB, kB, MB, GB or TB, below 16 EiB".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_binary_or_decimal() {
        let sizes = [
            ("0", 0),
            ("4096", 4096),
            ("12B", 12),
            ("160MiB", 160 << 20),
            ("160 mib", 160 << 20),
            ("1GB", 1_000_000_000),
            ("16777215TiB", 16_777_215 << 40),
            ("18446744073709551615", u64::MAX),
        ];
        for (text, bytes) in sizes {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "MiB", "-1", "1.5GiB", "1Mi", "1M", "16777216TiB", "18446744073709551616", "1 0", "1MiBs"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }
}
