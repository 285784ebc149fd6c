//! Bucket and key policies for the delivery of reports: produced, merged into what is there, and checked.
//!
//! The evaluator follows the rules of IAM's documentation for one request by one service. What its documentation does not
//! settle, and what depends on facts that nobody told it, is undecided and said to be; nothing is guessed.

mod check;
mod condition;
mod document;
mod evaluate;
mod glob;
mod grant;
mod principal;
mod request;
mod statement;

pub use check::{Delivery, Verdict};
pub use document::{Merged, POLICY_BYTES_MAX, PolicyDocument, PolicyError, PolicyStatement};
pub use evaluate::PolicyDecision;
pub use grant::{Grant, KeyPolicyDialect};

#[cfg(test)]
mod table;
#[cfg(test)]
mod tests;
