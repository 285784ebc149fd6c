//! XML to a tree: elements and text, nothing else.
//!
//! No document type is read, so no entity can grow or reach outside; depth and size are bounded before anything is kept.

use super::tree::{Content, DEPTH_MAX, Node};
use crate::error::S3Error;
use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

const DOCUMENT: &str = "the document";

/// Parses a document whose size in bytes is bounded; the tree's root is its root element.
///
/// Names are taken without their namespace's prefix. Declarations of namespaces are passed over; other attributes are
/// refused, since the API has none.
pub(super) fn parse(text: &[u8], bytes_max: usize) -> Result<Node, S3Error> {
    if text.len() > bytes_max {
        return Err(S3Error::malformed(DOCUMENT, format!("has {} bytes; at most {bytes_max} are read", text.len())));
    }
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let text = std::str::from_utf8(text)
        .map_err(|error| S3Error::malformed(DOCUMENT, format!("is not UTF-8 at byte {}", error.valid_up_to())))?;
    Parser { text, counted: 0, line: 1, column: 1, open: Vec::new(), root: None }.run()
}

struct Parser<'a> {
    text: &'a str,
    /// Bytes up to which lines and columns are counted.
    counted: usize,
    line: u64,
    column: u64,
    open: Vec<Open>,
    root: Option<Node>,
}

/// An element whose end has not been read.
struct Open {
    name: String,
    position: (u64, u64),
    text: String,
    children: Vec<Node>,
}

/// Whether a text without its namespace's prefix can name an element; beyond ASCII, every letter is let through.
fn is_name(text: &str) -> bool {
    let starts = |c: char| c == '_' || c.is_alphabetic();
    text.starts_with(starts) && text.chars().all(|c| starts(c) || c.is_numeric() || matches!(c, '-' | '.' | '\u{b7}'))
}

impl Parser<'_> {
    fn run(mut self) -> Result<Node, S3Error> {
        let mut reader = Reader::from_str(self.text);
        loop {
            let start = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
            let event = reader.read_event();
            let event = event.map_err(|error| {
                let at = usize::try_from(reader.error_position()).unwrap_or(usize::MAX);
                self.fault(at, format!("is not well-formed XML: {error}"))
            })?;
            match event {
                Event::Start(tag) => self.start(start, &tag)?,
                Event::Empty(tag) => {
                    self.start(start, &tag)?;
                    self.end(start)?;
                }
                Event::End(_) => self.end(start)?,
                Event::Text(text) => self.add_text(start, &text.xml10_content())?,
                Event::CData(text) => self.add_text(start, &text.xml10_content())?,
                Event::GeneralRef(reference) => {
                    let named = match &*reference {
                        "lt" => Some('<'),
                        "gt" => Some('>'),
                        "amp" => Some('&'),
                        "quot" => Some('"'),
                        "apos" => Some('\''),
                        _ => reference.resolve_char_ref().ok().flatten(),
                    };
                    let Some(c) = named else {
                        return Err(self.fault(start, format!("holds the unknown entity `&{};`", &*reference)));
                    };
                    self.add_text(start, c.encode_utf8(&mut [0; 4]))?;
                }
                Event::Decl(_) | Event::Comment(_) => {}
                Event::PI(_) => return Err(self.fault(start, "holds a processing instruction".to_owned())),
                Event::DocType(_) => return Err(self.fault(start, "has a document type, which is not read".to_owned())),
                Event::Eof => break,
            }
        }
        if let Some(open) = self.open.last() {
            let message = format!("ends inside the element {}", open.name);
            return Err(self.fault(self.text.len(), message));
        }
        self.root.take().ok_or_else(|| S3Error::malformed(DOCUMENT, "has no element"))
    }

    fn start(&mut self, offset: usize, tag: &BytesStart<'_>) -> Result<(), S3Error> {
        for attribute in tag.attributes() {
            let attribute =
                attribute.map_err(|error| self.fault(offset, format!("is not well-formed XML: {error}")))?;
            let name: &str = attribute.key.as_ref();
            if name != "xmlns" && !name.starts_with("xmlns:") {
                return Err(self.fault(offset, format!("has the unknown attribute `{name}`")));
            }
        }
        if self.open.len() == DEPTH_MAX {
            return Err(self.fault(offset, format!("has more than {DEPTH_MAX} levels of elements")));
        }
        if self.open.is_empty() && self.root.is_some() {
            return Err(self.fault(offset, "has a second root element".to_owned()));
        }
        let position = self.position(offset);
        let name: &str = tag.local_name().into_inner();
        if !is_name(name) {
            return Err(self.fault(offset, format!("has the element name {name:?}, which XML does not allow")));
        }
        self.open.push(Open { name: name.to_owned(), position, text: String::new(), children: Vec::new() });
        Ok(())
    }

    fn end(&mut self, offset: usize) -> Result<(), S3Error> {
        let Some(open) = self.open.pop() else {
            return Err(self.fault(offset, "ends an element that was not begun".to_owned()));
        };
        let content = if open.children.is_empty() {
            if open.text.is_empty() { Content::Empty } else { Content::Text(open.text) }
        } else if open.text.trim().is_empty() {
            Content::Children(open.children)
        } else {
            return Err(self.fault(offset, format!("has text between the elements of {}", open.name)));
        };
        let node = Node { name: open.name, content, position: Some(open.position) };
        match self.open.last_mut() {
            Some(parent) => parent.children.push(node),
            None => self.root = Some(node),
        }
        Ok(())
    }

    fn add_text(&mut self, offset: usize, text: &str) -> Result<(), S3Error> {
        if text.contains('\0') {
            return Err(self.fault(offset, "holds the character U+0000, which XML cannot".to_owned()));
        }
        match self.open.last_mut() {
            Some(open) => open.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(self.fault(offset, "has text outside of its root element".to_owned())),
        }
        Ok(())
    }

    fn fault(&mut self, offset: usize, message: String) -> S3Error {
        let position = self.position(offset);
        S3Error::malformed(DOCUMENT, message).at(position)
    }

    /// Line and column of an offset that is not before the last one asked for; columns count characters.
    fn position(&mut self, offset: usize) -> (u64, u64) {
        let mut offset = offset.min(self.text.len()).max(self.counted);
        while !self.text.is_char_boundary(offset) {
            offset += 1;
        }
        for c in self.text[self.counted..offset].chars() {
            (self.line, self.column) = if c == '\n' { (self.line + 1, 1) } else { (self.line, self.column + 1) };
        }
        self.counted = offset;
        (self.line, self.column)
    }
}
