//! Numbers and names as people read them.

use std::fmt::Write;

/// A number of bytes in three digits or so, in powers of 1,024.
pub(super) fn bytes(number: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if number < 1024 {
        return format!("{number} B");
    }
    let mut scaled = number as f64 / 1024.0;
    let mut unit = 0;
    // 1023.95 would be rounded up to four digits.
    while scaled >= 999.95 && unit + 1 < UNITS.len() {
        scaled /= 1024.0;
        unit += 1;
    }
    let decimals = if scaled < 9.995 { 2 } else { 1 };
    format!("{scaled:.decimals$} {}", UNITS[unit])
}

/// A part of a whole in per cent; nothing of nothing is none.
pub(super) fn percent(part: u64, whole: u64) -> String {
    match fraction(part, whole) * 100.0 {
        _ if part == 0 => "0 %".to_owned(),
        share if share < 0.1 => "<0.1 %".to_owned(),
        share => format!("{share:.1} %"),
    }
}

/// A part of a whole, 0 to 1.
pub(super) fn fraction(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { (part as f64 / whole as f64).min(1.0) }
}

/// Text with what could draw elsewhere escaped: control characters, and those that turn the direction of the line.
pub(super) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_invisible(c) {
            // Writing to a text does not fail.
            let _ = write!(shown, "{}", c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Marks, embeddings, overrides and isolates of directions, spaces without width, line separators, tags.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// The name of a value: an absent one has a name too.
pub(super) fn value_name(name: &str) -> String {
    if name.is_empty() { "(none)".to_owned() } else { visible(name) }
}

/// The day and minute of a time in its whole spelling.
pub(super) fn minute(time: &str) -> String {
    match time.get(..16) {
        Some(minute) => format!("{} UTC", minute.replace('T', " ")),
        None => visible(time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_three_digits() {
        let cases = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.00 KiB"),
            (10 * 1024, "10.0 KiB"),
            (1_048_000, "1.00 MiB"),
            (5 << 30, "5.00 GiB"),
            (u64::MAX, "16.0 EiB"),
        ];
        for (number, expected) in cases {
            assert_eq!(bytes(number), expected);
        }
        let shares = [(0, 0), (0, 5), (1, 3), (1, 10_000), (5, 5)].map(|(part, whole)| percent(part, whole));
        assert_eq!(shares, ["0 %", "0 %", "33.3 %", "<0.1 %", "100.0 %"]);
    }

    #[test]
    fn nothing_draws_outside_of_its_place() {
        assert_eq!(visible("a\n\u{1b}[1m\u{202e}x\u{200b}é"), "a\\n\\u{1b}[1m\\u{202e}x\\u{200b}é");
        assert_eq!(value_name(""), "(none)");
        assert_eq!(minute("2026-11-22T01:00:00.000Z"), "2026-11-22 01:00 UTC");
    }
}
