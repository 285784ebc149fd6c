//! What went wrong with a request.

use crate::xml;
use std::fmt;

/// A request that failed, after as many attempts as were allowed.
#[derive(Clone, Debug)]
pub struct S3Error {
    pub(crate) operation: &'static str,
    pub(crate) cause: Cause,
    pub(crate) attempts: u32,
}

#[derive(Clone, Debug)]
pub(crate) enum Cause {
    /// The server answered with an error.
    Refused {
        status: u16,
        code: String,
        message: String,
        request_id: String,
        /// Region in which the server says the bucket is; empty if it does not say.
        region: Box<str>,
    },
    /// There was no whole answer.
    Transport(String),
    /// The answer is not what it should be.
    Malformed(String),
}

impl S3Error {
    pub(crate) fn malformed(operation: &'static str, text: impl Into<String>) -> Self {
        Self { operation, cause: Cause::Malformed(text.into()), attempts: 1 }
    }

    /// HTTP status of the answer, if the server refused.
    pub fn status(&self) -> Option<u16> {
        match &self.cause {
            Cause::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// S3's error code; empty if the answer has none.
    pub fn code(&self) -> &str {
        match &self.cause {
            Cause::Refused { code, .. } => code,
            _ => "",
        }
    }

    /// Whether the answer is not what the protocol says.
    pub(crate) fn is_malformed(&self) -> bool {
        matches!(self.cause, Cause::Malformed(_))
    }
}

impl Cause {
    pub(crate) fn refused(status: u16, request_id: &str, region: &str, body: &[u8]) -> Self {
        let text = |name| xml::text_of(body, name).unwrap_or_default();
        let region = if region.is_empty() { text("Region").into() } else { region.into() };
        Self::Refused {
            status,
            code: text("Code"),
            message: text("Message"),
            request_id: request_id.to_owned(),
            region,
        }
    }

    /// The region in which the bucket is, where the request was refused for being sent to or signed for another one.
    pub(crate) fn region(&self) -> Option<&str> {
        match self {
            Self::Refused { status: 301 | 307 | 400, region, .. } if !region.is_empty() => Some(region),
            _ => None,
        }
    }

    /// Whether another attempt may help.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Refused { status, code, .. } => {
                matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
                    || matches!(
                        code.as_str(),
                        "RequestTimeout"
                            | "SlowDown"
                            | "InternalError"
                            | "OperationAborted"
                            | "ConditionalRequestConflict"
                    )
            }
            Self::Transport(_) | Self::Malformed(_) => true,
        }
    }

    /// Whether the server asks for fewer requests.
    pub(crate) fn is_slow_down(&self) -> bool {
        matches!(self, Self::Refused { status, code, .. }
            if *status == 429 || matches!(code.as_str(), "SlowDown" | "TooManyRequests" | "RequestLimitExceeded"))
    }
}

impl fmt::Display for S3Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.operation)?;
        match &self.cause {
            Cause::Refused { status, code, message, request_id, .. } => {
                write!(f, "{status}")?;
                for text in [code, message].into_iter().filter(|text| !text.is_empty()) {
                    write!(f, " {}", text.trim_end_matches('.'))?;
                }
                if !request_id.is_empty() {
                    write!(f, " (request {request_id})")?;
                }
            }
            Cause::Transport(text) | Cause::Malformed(text) => f.write_str(text)?,
        }
        if self.attempts > 1 {
            write!(f, ", after {} attempts", self.attempts)?;
        }
        Ok(())
    }
}

impl std::error::Error for S3Error {}
