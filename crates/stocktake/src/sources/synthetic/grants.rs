//! Owners and access control lists: few, and each text made once.

use super::random::{Seed, hex};

/// Number of owners; most objects have the first.
pub(super) const OWNERS: usize = 4;

/// Owners as canonical user ids, and their access control lists as base64 of a JSON text.
#[derive(Debug)]
pub(super) struct Grants {
    pub(super) owners: [String; OWNERS],
    /// The first owner's full control alone, then with a grant to another owner or to everybody.
    pub(super) lists: [String; OWNERS],
}

impl Grants {
    pub(super) fn new(seed: u64) -> Self {
        let seed = Seed::new(seed);
        let word = |at: u64| seed.bits(0x94D0_49BB_1331_11EB, at);
        let owners: [String; OWNERS] = std::array::from_fn(|owner| {
            let at = 4 * owner as u64;
            let digits = [at, at + 1, at + 2, at + 3].map(|at| hex(word(at)));
            digits.as_flattened().iter().map(|digit| char::from(*digit)).collect()
        });
        let lists = std::array::from_fn(|list| {
            let mut grants = user(&owners[0], "FULL_CONTROL");
            match list {
                0 => {}
                1 => {
                    grants += r#",{"uri":"http://acs.amazonaws.com/groups/global/AllUsers","type":"Group","permission":"READ"}"#
                }
                other => grants = format!("{grants},{}", user(&owners[other], "READ")),
            }
            base64(format!(r#"{{"version":"2022-11-10","status":"AVAILABLE","grants":[{grants}]}}"#).as_bytes())
        });
        Self { owners, lists }
    }
}

fn user(id: &str, permission: &str) -> String {
    format!(r#"{{"canonicalId":"{id}","type":"CanonicalUser","permission":"{permission}"}}"#)
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| usize::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            text.push(if at <= chunk.len() { char::from(DIGITS[bits >> (18 - 6 * at) & 63]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_pads() {
        let texts = ["", "f", "fo", "foo", "foob"].map(|text| base64(text.as_bytes()));
        assert_eq!(texts, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]);
    }

    #[test]
    fn owners_and_lists_differ() {
        let grants = Grants::new(1);
        assert!(grants.owners.iter().all(|owner| owner.len() == 64));
        for one in 0..OWNERS {
            for other in 0..one {
                assert!(grants.owners[one] != grants.owners[other] && grants.lists[one] != grants.lists[other]);
            }
        }
        assert!(grants.lists[0].starts_with("eyJ2ZXJzaW9uIjoiMjAyMi0xMS0xMCI"));
    }
}
