//! Numbers as people read them.

/// A number with commas between thousands: `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_stand_between_thousands() {
        let grouped = [0, 999, 1000, 1_234_567, 100_000].map(grouped);
        assert_eq!(grouped, ["0", "999", "1,000", "1,234,567", "100,000"]);
    }
}
