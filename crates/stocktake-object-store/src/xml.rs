//! The little that is read of XML replies: texts of elements by their names.

use quick_xml::{Reader, events::Event};

/// Calls `each` with the name and text of every element that has no elements inside, until it says that it has enough.
///
/// # Errors
/// If the document is no XML or is cut short.
pub(crate) fn each_text(document: &[u8], mut each: impl FnMut(&str, &str) -> bool) -> Result<(), String> {
    let document = std::str::from_utf8(document).map_err(|_| "the reply is not UTF-8".to_owned())?;
    // What Azure writes begins with a mark of its encoding.
    let mut reader = Reader::from_str(document.strip_prefix('\u{feff}').unwrap_or(document));
    let (mut text, mut depth, mut is_leaf) = (String::new(), 0, false);
    loop {
        match reader.read_event().map_err(|error| format!("the reply is not XML: {error}"))? {
            Event::Start(_) => {
                depth += 1;
                is_leaf = true;
                text.clear();
            }
            Event::Empty(tag) if each(tag.local_name().into_inner(), "") => return Ok(()),
            Event::End(tag) => {
                depth -= 1;
                if std::mem::take(&mut is_leaf) && each(tag.local_name().into_inner(), &text) {
                    return Ok(());
                }
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

/// The text of the first element of a name.
pub(crate) fn text_of(document: &[u8], name: &str) -> Option<String> {
    let mut found = None;
    // What is broken behind it does not matter; what is broken before it has no text.
    let _ = each_text(document, |element, text| {
        let is_it = element == name;
        if is_it {
            found = Some(text.to_owned());
        }
        is_it
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_by_name() {
        let page = "\u{feff}<?xml version=\"1.0\"?><R><Key>a&amp;b&#233;</Key><Key><![CDATA[<]]></Key><Next/></R>";
        let page = page.as_bytes();
        let mut found = Vec::new();
        each_text(page, |name, text| {
            found.push(format!("{name}={text}"));
            false
        })
        .unwrap();
        assert_eq!(found, ["Key=a&b\u{e9}", "Key=<", "Next="]);
        assert_eq!(text_of(page, "Key").as_deref(), Some("a&b\u{e9}"));
        assert!(each_text(b"<R><Key>a</Key>", |_, _| false).is_err());
        assert!(text_of(b"not XML", "Key").is_none());
    }
}
