//! Replies taken apart: a walk over elements, and single values.

use quick_xml::{Reader, events::Event};

/// What a walk meets.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    /// An element begins; the root has depth 1.
    Open { depth: usize, name: &'a str },
    /// An element ends; `text` is what it holds beside other elements, behind the last of them.
    Close { depth: usize, name: &'a str, text: &'a str },
}

/// Walks over the elements of a reply, names without their prefixes.
///
/// # Errors
/// XML that is not well-formed, or ends within an element; and what `visit` says.
pub(crate) fn walk(body: &[u8], visit: impl FnMut(Step<'_>) -> Result<(), String>) -> Result<(), String> {
    walk_text(std::str::from_utf8(body).map_err(|_| "the reply is not UTF-8".to_owned())?, visit)
}

/// As [`walk`], over what is known to be text.
pub(crate) fn walk_text(body: &str, mut visit: impl FnMut(Step<'_>) -> Result<(), String>) -> Result<(), String> {
    let mut reader = Reader::from_str(body);
    let mut text = String::new();
    let mut depth = 0;
    loop {
        match reader.read_event().map_err(|error| format!("the reply is not XML: {error}"))? {
            Event::Start(tag) => {
                depth += 1;
                text.clear();
                visit(Step::Open { depth, name: tag.local_name().into_inner() })?;
            }
            Event::Empty(tag) => {
                let name = tag.local_name().into_inner();
                visit(Step::Open { depth: depth + 1, name })?;
                visit(Step::Close { depth: depth + 1, name, text: "" })?;
                text.clear();
            }
            Event::End(tag) => {
                visit(Step::Close { depth, name: tag.local_name().into_inner(), text: &text })?;
                text.clear();
                depth -= 1;
            }
            Event::Text(more) => text.push_str(&more),
            Event::CData(more) => text.push_str(&more),
            Event::GeneralRef(reference) => {
                let named = match &*reference {
                    "lt" => Some('<'),
                    "gt" => Some('>'),
                    "amp" => Some('&'),
                    "quot" => Some('"'),
                    "apos" => Some('\''),
                    _ => reference.resolve_char_ref().ok().flatten(),
                };
                text.push(named.ok_or_else(|| format!("the reply has the unknown entity &{};", &*reference))?);
            }
            Event::Eof if depth == 0 => return Ok(()),
            Event::Eof => return Err("the reply ends within an element".to_owned()),
            _ => {}
        }
    }
}

/// The text of the first element of this name, wherever it stands.
pub(crate) fn text_of(body: &[u8], wanted: &str) -> Option<String> {
    let mut found = None;
    // A body that is no XML has no such text.
    let _ = walk(body, |step| {
        if let (Step::Close { name, text, .. }, None) = (step, &found)
            && name == wanted
        {
            found = Some(text.to_owned());
        }
        Ok(())
    });
    found
}

/// The name of the root.
pub(crate) fn root_of(body: &[u8]) -> Option<String> {
    let mut root = None;
    // The walk ends at the first element.
    let _ = walk(body, |step| {
        if let Step::Open { name, .. } = step {
            root = Some(name.to_owned());
        }
        Err(String::new())
    });
    root
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_and_decoded() {
        let body = b"<?xml version='1.0'?>\n<Error xmlns='x'><Code>A&amp;B</Code><Message>&#x41; <![CDATA[<]]></Message><X/></Error>";
        assert_eq!(text_of(body, "Code").as_deref(), Some("A&B"));
        assert_eq!(text_of(body, "Message").as_deref(), Some("A <"));
        assert_eq!(text_of(body, "X").as_deref(), Some(""));
        assert_eq!(text_of(body, "Y"), None);
        assert_eq!(root_of(body).as_deref(), Some("Error"));
        assert_eq!(root_of(b"nothing"), None);
    }

    #[test]
    fn what_is_cut_off_is_no_reply() {
        let whole = "<a><b>x</b></a>";
        assert!(walk(whole.as_bytes(), |_| Ok(())).is_ok());
        for end in 1..whole.len() {
            assert!(walk(&whole.as_bytes()[..end], |_| Ok(())).is_err(), "{end}");
        }
    }
}
