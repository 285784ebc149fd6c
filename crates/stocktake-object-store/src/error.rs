//! What went wrong with a request.

use crate::xml;
use std::fmt;

/// A request that failed, after as many attempts as were allowed.
#[derive(Clone, Debug)]
pub struct CloudError {
    pub(crate) operation: &'static str,
    pub(crate) cause: Cause,
    pub(crate) attempts: u32,
}

#[derive(Clone, Debug)]
pub(crate) enum Cause {
    /// The server answered with an error.
    Refused { status: u16, code: String, message: String },
    /// There are no credentials, or they could not be renewed.
    Credentials(String),
    /// There was no whole answer.
    Transport(String),
    /// The answer is not what it should be.
    Malformed(String),
}

impl CloudError {
    /// HTTP status of the answer, if the server refused.
    pub fn status(&self) -> Option<u16> {
        match &self.cause {
            Cause::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The server's error code; empty if the answer has none.
    pub fn code(&self) -> &str {
        match &self.cause {
            Cause::Refused { code, .. } => code,
            _ => "",
        }
    }
}

impl Cause {
    pub(crate) fn refused(status: u16, code: &str, body: &[u8]) -> Self {
        let text = |name| xml::text_of(body, name).unwrap_or_default();
        let code = if code.is_empty() { text("Code") } else { code.to_owned() };
        // Azure adds lines with the request's id and time to its messages.
        let message = text("Message").lines().next().unwrap_or_default().to_owned();
        Self::Refused { status, code, message }
    }

    /// Whether another attempt may help.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Refused { status, .. } => matches!(status, 408 | 429 | 500 | 502 | 503 | 504),
            Self::Credentials(_) => false,
            Self::Transport(_) | Self::Malformed(_) => true,
        }
    }
}

impl fmt::Display for CloudError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.operation)?;
        match &self.cause {
            Cause::Refused { status, code, message } => {
                write!(f, "{status}")?;
                for text in [code, message].into_iter().filter(|text| !text.is_empty()) {
                    write!(f, " {}", text.trim_end_matches('.'))?;
                }
            }
            Cause::Credentials(text) | Cause::Transport(text) | Cause::Malformed(text) => f.write_str(text)?,
        }
        if self.attempts > 1 {
            write!(f, ", after {} attempts", self.attempts)?;
        }
        Ok(())
    }
}

impl std::error::Error for CloudError {}

/// An error and its causes in one line.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let told = error.to_string();
        if !text.ends_with(&told) {
            text = format!("{text}: {told}");
        }
        cause = error.source();
    }
    text
}
