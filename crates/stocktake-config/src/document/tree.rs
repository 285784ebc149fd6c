//! A document as a tree of named elements, whatever it was written in.
//!
//! Both forms of the document become this tree, so that one reader decides what is known, missing and doubled.

use crate::error::S3Error;

/// Most levels of elements; the deepest element of a list reply is on the eighth.
pub(super) const DEPTH_MAX: usize = 16;

/// An element.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) content: Content,
    /// Line and column from 1, where the form tells them.
    pub(super) position: Option<(u64, u64)>,
}

/// What an element holds.
#[derive(Debug)]
pub(super) enum Content {
    /// Nothing, which XML writes alike for an empty text and a structure without members.
    Empty,
    Text(String),
    /// JSON's own booleans; XML spells them as text.
    Bool(bool),
    Children(Vec<Node>),
}

impl Node {
    /// An error about this element.
    pub(super) fn malformed(&self, path: &str, message: impl Into<String>) -> S3Error {
        let error = S3Error::malformed(path, message);
        match self.position {
            Some(position) => error.at(position),
            None => error,
        }
    }

    /// The children of a structure.
    pub(super) fn children(&self, path: &str) -> Result<&[Self], S3Error> {
        match &self.content {
            Content::Empty => Ok(&[]),
            Content::Children(children) => Ok(children),
            Content::Text(_) | Content::Bool(_) => Err(self.malformed(path, "holds a text in place of elements")),
        }
    }

    /// The text of a leaf.
    pub(super) fn text(&self, path: &str) -> Result<&str, S3Error> {
        match &self.content {
            Content::Empty => Ok(""),
            Content::Text(text) => Ok(text),
            Content::Bool(_) => Err(self.malformed(path, "is a boolean in place of a text")),
            Content::Children(_) => Err(self.malformed(path, "holds elements in place of a text")),
        }
    }
}
