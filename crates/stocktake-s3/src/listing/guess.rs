//! Where in the key space to begin another range: a guess from the keys that were listed.
//!
//! A wrong guess costs requests and nothing else: any text is a sound boundary. Keys are taken as numbers whose digits, at each
//! place, are the characters that keys have there; what lies ahead is reckoned from how far a page came.

/// Places of a key at which characters are noted.
const PLACES: usize = 96;

/// Places that a reckoning spans: what it counts stays below 2^127.
const WINDOW: usize = 18;

/// Keys between two that are looked at.
const SAMPLE: usize = 13;

/// Characters seen at each place of keys.
#[derive(Clone, Debug)]
pub(super) struct Alphabet {
    seen: Vec<u128>,
}

impl Alphabet {
    pub(super) fn new() -> Self {
        Self { seen: vec![0; PLACES] }
    }

    /// Notes the characters of some of a page's keys.
    pub(super) fn note<'a>(&mut self, keys: impl Iterator<Item = &'a str>) {
        for key in keys.step_by(SAMPLE) {
            self.note_key(key);
        }
    }

    pub(super) fn note_key(&mut self, key: &str) {
        for (seen, byte) in self.seen.iter_mut().zip(key.bytes()).filter(|(_, byte)| byte.is_ascii()) {
            *seen |= 1 << byte;
        }
    }

    /// Characters that may stand at a place: those seen, and with them the others of their kind.
    fn characters(&self, place: usize) -> u128 {
        const DIGITS: u128 = 0x3ff << 48;
        const UPPER: u128 = 0x3ff_ffff << 65;
        const LOWER: u128 = 0x3ff_ffff << 97;
        const UPPER_HEX: u128 = 0x3f << 65;
        const LOWER_HEX: u128 = 0x3f << 97;
        let seen = self.seen.get(place).copied().unwrap_or(0);
        let mut all = seen;
        if seen & DIGITS != 0 {
            all |= DIGITS;
        }
        for (letters, hex) in [(UPPER, UPPER_HEX), (LOWER, LOWER_HEX)] {
            if seen & letters != 0 {
                all |= if seen & letters & !hex == 0 && seen & DIGITS != 0 { hex } else { letters };
            }
        }
        all
    }

    /// A key about `pages` pages behind `at`, where a page reached from `from` to `at`.
    pub(super) fn ahead(&self, from: &str, at: &str, pages: f64) -> Option<String> {
        let window = Window::of(self, from, at)?;
        let (first, last) = (window.value(from), window.value(at));
        let width = last.saturating_sub(first).max(1);
        // Below 2^127: a float holds it closely enough for a guess.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a positive number, cut at the largest"
        )]
        let step = (width as f64 * pages) as u128;
        window.key(last.checked_add(step.max(1))?).filter(|key| key.as_str() > at)
    }

    /// A key in the middle between two.
    pub(super) fn middle(&self, from: &str, to: &str) -> Option<String> {
        let window = Window::of(self, from, to)?;
        let (first, last) = (window.value(from), window.value(to));
        let middle = window.key(first + last.checked_sub(first)? / 2);
        middle.filter(|key| key.as_str() > from && key.as_str() < to)
    }
}

/// The places that a reckoning spans: some before the first difference, for carries, and those behind it.
struct Window<'a> {
    kept: &'a str,
    places: Vec<u128>,
}

impl<'a> Window<'a> {
    fn of(alphabet: &Alphabet, from: &str, at: &'a str) -> Option<Self> {
        let common = from.bytes().zip(at.bytes()).take_while(|(a, b)| a == b).count();
        let mut begin = common.saturating_sub(WINDOW / 2);
        // What is kept ends with a whole character, and no place before the difference is beyond ASCII.
        if let Some(odd) = at.as_bytes()[begin..common].iter().rposition(|byte| !byte.is_ascii()) {
            begin += odd + 1;
        }
        let place = |place: usize| {
            let own = |key: &str| key.as_bytes().get(place).filter(|byte| byte.is_ascii()).map_or(0, |byte| 1 << byte);
            alphabet.characters(place) | own(from) | own(at)
        };
        let mut places = Vec::new();
        let mut product = 1u128;
        for characters in (begin..begin + WINDOW).map(place) {
            let radix = u128::from(characters.count_ones()) + 1;
            let Some(next) = product.checked_mul(radix).filter(|product| *product < 1 << 126) else { break };
            product = next;
            places.push(characters);
        }
        Some(Self { kept: at.get(..begin)?, places })
    }

    /// The key as a number; a place that the key does not have is 0, and a character that stands nowhere is the one before it.
    fn value(&self, key: &str) -> u128 {
        let begin = self.kept.len();
        self.places.iter().enumerate().fold(0, |value, (place, characters)| {
            let digit = match key.as_bytes().get(begin + place) {
                None => 0,
                Some(byte) if byte.is_ascii() => {
                    let upto = (1u128 << byte) | ((1u128 << byte) - 1);
                    u128::from((characters & upto).count_ones())
                }
                Some(_) => u128::from(characters.count_ones()),
            };
            value * (u128::from(characters.count_ones()) + 1) + digit
        })
    }

    fn key(&self, mut value: u128) -> Option<String> {
        let mut digits = Vec::with_capacity(self.places.len());
        for characters in self.places.iter().rev() {
            let radix = u128::from(characters.count_ones()) + 1;
            digits.push((value % radix, *characters));
            value /= radix;
        }
        if value > 0 {
            return None;
        }
        let mut key = self.kept.to_owned();
        for (digit, characters) in digits.into_iter().rev() {
            // The end of a key: what would follow it does not matter.
            let Some(index) = digit.checked_sub(1) else { break };
            let mut rest = characters;
            (0..index).for_each(|_| rest &= rest - 1);
            key.push(char::from(u8::try_from(rest.trailing_zeros()).ok()?));
        }
        (!key.is_empty()).then_some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alphabet(keys: &[String]) -> Alphabet {
        let mut alphabet = Alphabet::new();
        keys.iter().for_each(|key| alphabet.note_key(key));
        alphabet
    }

    #[test]
    fn numbered_keys_are_reckoned_closely() {
        let keys: Vec<String> = (0..1000).map(|n| format!("logs/part-{n:012}.gz")).collect();
        let alphabet = alphabet(&keys);
        let guess = alphabet.ahead(&keys[0], &keys[999], 16.0).unwrap();
        assert!(guess.as_str() > "logs/part-000000014000" && guess.as_str() < "logs/part-000000022000", "{guess}");
        let middle = alphabet.middle(&keys[0], "logs/part-000001000000.gz").unwrap();
        assert!(middle.as_str() > "logs/part-000000300000" && middle.as_str() < "logs/part-000000700000", "{middle}");
    }

    #[test]
    fn guesses_lie_behind_and_between() {
        let keys: Vec<String> =
            ["a", "a/é/x1", "a/é/x2", "user-1/photo", "user-2", "\u{10ffff}"].map(String::from).to_vec();
        let alphabet = alphabet(&keys);
        for (index, from) in keys.iter().enumerate() {
            for at in &keys[index..] {
                if let Some(guess) = alphabet.ahead(from, at, 3.0) {
                    assert!(guess > *at, "{from:?} {at:?} {guess:?}");
                }
                if let Some(guess) = alphabet.middle(from, at) {
                    assert!(guess < *at && guess > *from, "{from:?} {at:?} {guess:?}");
                }
            }
        }
    }
}
