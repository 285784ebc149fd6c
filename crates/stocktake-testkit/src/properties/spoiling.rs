//! Texts that are spoiled in a few places: what a damaged or odd dump may look like.

use arbitrary::Unstructured;

/// What spoils a line of JSON, or does not.
pub(super) const SNIPPETS: &[&str] = &[
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "-",
    "0",
    "1",
    ".",
    "e",
    "+",
    " ",
    "\t",
    "\r",
    "\n",
    "n",
    "\u{1}",
    "\u{7f}",
    "null",
    "true",
    "\"size\":1,",
    "\"key\":\"k\",",
    "\"Key\":null,",
    "\"bucket\":\"c\",",
    "\\u",
    "\\ud83d",
    "\\udE00",
    "\\u0041",
    "00",
    "9223372036854775808",
    "é",
    "😀",
    "\u{feff}",
    "\"x\":[],",
    "1e400",
    "-0",
    "\\/",
];

/// A place, how much is taken out there, and which snippet is put in.
pub(super) type Edit = (u16, u8, u8);

/// Up to three edits.
pub(super) fn edits(u: &mut Unstructured<'_>) -> arbitrary::Result<Vec<Edit>> {
    (0..u.int_in_range(0..=3)?).map(|_| u.arbitrary()).collect()
}

/// Carries edits out: whole values of members most of the time, else up to three bytes, which may leave half a character.
pub(super) fn spoil(text: &mut Vec<u8>, edits: &[Edit], snippets: &[&str]) {
    for (at, removed, snippet) in edits {
        let at = usize::from(*at) % (text.len() + 1);
        let found =
            |from: usize, ends: &[u8]| text[from..].iter().position(|byte| ends.contains(byte)).map(|at| from + at);
        let (at, end) = match found(at, b":").and_then(|colon| Some((colon + 1, found(colon, b",}\n")?))) {
            Some((at, end)) if *removed >= 128 => (at, end),
            _ => (at, (at + usize::from(removed % 4)).min(text.len())),
        };
        let snippet = snippets.get(usize::from(*snippet) % (snippets.len() + 1)).copied().unwrap_or("");
        text.splice(at..end, snippet.bytes());
    }
}

/// Whether the source takes the bytes for compressed ones, which are not the matter here.
pub(super) fn is_compressed(dump: &[u8]) -> bool {
    matches!(dump, [0x1F, 0x8B, ..] | [0x28, 0xB5, 0x2F, 0xFD, ..] | [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..])
}
