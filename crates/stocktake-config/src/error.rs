//! Refusals in the words of the S3 API: a code, an HTTP status, and a sentence that names the element.

use std::fmt;

/// Code of an error reply of the S3 API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum S3ErrorCode {
    /// The document is not well-formed, or not what the API's schema asks for.
    MalformedXml,
    /// A value is well-formed and not allowed.
    InvalidArgument,
    /// The destination bucket is not one that reports can go to.
    InvalidS3DestinationBucket,
    /// The bucket has as many configurations as it may have.
    TooManyConfigurations,
    /// The bucket has no configuration with this id.
    NoSuchConfiguration,
    /// The caller may not do this, or the bucket is not whose it was expected to be.
    AccessDenied,
    /// The kind of bucket does not know what was asked for.
    NotImplemented,
}

impl S3ErrorCode {
    /// The code as the API spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MalformedXml => "MalformedXML",
            Self::InvalidArgument => "InvalidArgument",
            Self::InvalidS3DestinationBucket => "InvalidS3DestinationBucket",
            Self::TooManyConfigurations => "TooManyConfigurations",
            Self::NoSuchConfiguration => "NoSuchConfiguration",
            Self::AccessDenied => "AccessDenied",
            Self::NotImplemented => "NotImplemented",
        }
    }

    /// The HTTP status of the reply.
    pub const fn http_status(self) -> u16 {
        match self {
            Self::MalformedXml
            | Self::InvalidArgument
            | Self::InvalidS3DestinationBucket
            | Self::TooManyConfigurations => 400,
            Self::AccessDenied => 403,
            Self::NoSuchConfiguration => 404,
            Self::NotImplemented => 501,
        }
    }
}

impl fmt::Display for S3ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A refusal by the rules of the S3 API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Error {
    code: S3ErrorCode,
    element: String,
    message: String,
    position: Option<(u64, u64)>,
}

impl S3Error {
    /// A refusal about an element, named by its path in the XML document (`Schedule.Frequency`).
    ///
    /// The message is a clause in lower case that goes on where the element's name ends.
    pub fn new(code: S3ErrorCode, element: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code, element: element.into(), message: message.into(), position: None }
    }

    pub(crate) fn malformed(element: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(S3ErrorCode::MalformedXml, element, message)
    }

    pub(crate) fn argument(element: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(S3ErrorCode::InvalidArgument, element, message)
    }

    /// States the line and column of the document, from 1.
    #[must_use]
    pub(crate) fn at(mut self, position: (u64, u64)) -> Self {
        self.position = Some(position);
        self
    }

    /// The code.
    pub fn code(&self) -> S3ErrorCode {
        self.code
    }

    /// Path of the element in the XML document.
    pub fn element(&self) -> &str {
        &self.element
    }

    /// The body of an error reply, `<Error>` with code and message.
    pub fn to_xml(&self) -> String {
        let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>");
        text += self.code.name();
        text += "</Code><Message>";
        crate::document::escape_into(&mut text, &self.sentence());
        text += "</Message></Error>";
        text
    }

    fn sentence(&self) -> String {
        let position = self.position.map(|(line, column)| format!("line {line}, column {column}: "));
        format!("{}{} {}", position.unwrap_or_default(), self.element, self.message)
    }
}

impl fmt::Display for S3Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.sentence())
    }
}

impl std::error::Error for S3Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_a_code_a_status_and_a_sentence() {
        let error = S3Error::malformed("Schedule.Frequency", "is `<Yearly>`").at((3, 9));
        assert_eq!(error.to_string(), "MalformedXML: line 3, column 9: Schedule.Frequency is `<Yearly>`");
        assert!(
            error.to_xml().contains("<Code>MalformedXML</Code><Message>line 3, column 9: Schedule.Frequency is `&lt;Y")
        );
        assert_eq!(error.code().http_status(), 400);
        assert_eq!(S3ErrorCode::NoSuchConfiguration.http_status(), 404);
        assert_eq!(S3ErrorCode::AccessDenied.http_status(), 403);
    }
}
