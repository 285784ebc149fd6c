//! A policy document: every member and statement in its place, and statements taken apart for evaluation.

use super::statement::Statement;
use crate::json::Json;
use std::fmt;

/// Most bytes of a policy that is read: twice what a key's policy may have, three times a bucket's.
pub const POLICY_BYTES_MAX: usize = 64 << 10;

/// The language's version of the documents that are made here.
const VERSION: &str = "2012-10-17";

/// A resource policy.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyDocument {
    members: Vec<(String, Json)>,
    statements: Vec<Statement>,
}

/// One statement, as it stands in a document.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyStatement(pub(super) Json);

/// What merging a statement did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merged {
    /// The statement was added behind the others.
    Added,
    /// It is there already.
    Present,
}

/// A text that is no policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError(String);

impl PolicyError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// The error, found in the statement with this number from 1.
    pub(super) fn in_statement(self, number: usize) -> Self {
        Self(format!("statement {number}: {}", self.0))
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PolicyError {}

impl PolicyDocument {
    /// A document without statements, into which some will be merged.
    pub fn new() -> Self {
        let members = vec![("Version".to_owned(), text(VERSION)), ("Statement".to_owned(), Json::List(Vec::new()))];
        Self { members, statements: Vec::new() }
    }

    /// Reads a policy of at most [`POLICY_BYTES_MAX`] bytes.
    ///
    /// # Errors
    /// With the statement's number: what is not JSON, has an unknown or doubled member, lacks a needed one, or says
    /// neither Allow nor Deny.
    pub fn parse(policy: &[u8]) -> Result<Self, PolicyError> {
        if policy.len() > POLICY_BYTES_MAX {
            let message = format!("the policy has {} bytes; at most {POLICY_BYTES_MAX} are read", policy.len());
            return Err(PolicyError(message));
        }
        let json = serde_json::from_slice(policy).map_err(|error| PolicyError(format!("not JSON: {error}")))?;
        let Json::Object(members) = json else {
            return Err(PolicyError(format!("the policy is {} in place of an object", json.kind())));
        };
        let mut listed = None;
        for (name, value) in &members {
            match (name.as_str(), value) {
                ("Version", Json::Text(version)) if version == VERSION || version == "2008-10-17" => {}
                ("Version", _) => {
                    return Err(PolicyError::new("the policy's Version is neither 2012-10-17 nor 2008-10-17"));
                }
                ("Id", Json::Text(_)) => {}
                ("Statement", value) => listed = Some(value),
                (name, _) => return Err(PolicyError(format!("the policy has the unknown member {name:?}"))),
            }
        }
        let listed = listed.ok_or_else(|| PolicyError::new("the policy has no Statement"))?;
        let variables = has_variables(&members);
        let read = |(number, json)| Statement::read(json, variables).map_err(|error| error.in_statement(number));
        let statements = (1..).zip(listed.one_or_many()).map(read).collect::<Result<_, _>>()?;
        Ok(Self { members, statements })
    }

    /// The document as indented JSON; members and statements are in the order in which they were read.
    pub fn to_json(&self) -> String {
        Json::Object(self.members.clone()).to_pretty()
    }

    /// Adds a statement behind the others, unless it is there.
    ///
    /// Nothing else of the document changes. A statement whose `Sid` another one has gets a number behind it.
    pub fn merge(&mut self, statement: &PolicyStatement) -> Merged {
        let without_sid = |json: &Json| match json {
            Json::Object(members) => sorted(members.iter().filter(|(name, _)| name != "Sid").cloned().collect()),
            other => other.clone(),
        };
        let wanted = without_sid(&statement.0);
        if self.statement_list().iter().any(|json| without_sid(json) == wanted) {
            return Merged::Present;
        }
        let mut added = statement.0.clone();
        if let Json::Object(members) = &mut added
            && let Some((_, sid)) = members.iter_mut().find(|(name, _)| name == "Sid")
            && let Some(free) = sid.as_text().map(|wanted| self.free_sid(wanted))
        {
            *sid = Json::Text(free);
        }
        match Statement::read(&added, has_variables(&self.members)) {
            Ok(read) => self.statements.push(read),
            Err(error) => unreachable!("statements are made here alone: {error}"),
        }
        let mut list = self.statement_list().to_vec();
        list.push(added);
        for (name, value) in &mut self.members {
            if name == "Statement" {
                *value = Json::List(std::mem::take(&mut list));
            }
        }
        Merged::Added
    }

    /// The statements, taken apart.
    pub(super) fn statements(&self) -> &[Statement] {
        &self.statements
    }

    fn statement_list(&self) -> &[Json] {
        let listed = self.members.iter().find(|(name, _)| name == "Statement");
        listed.map(|(_, value)| value.one_or_many()).unwrap_or_default()
    }

    fn free_sid(&self, wanted: &str) -> String {
        let taken = |sid: &str| self.statements.iter().any(|statement| statement.sid.as_deref() == Some(sid));
        let numbered = (2..).map(|number: u64| format!("{wanted}{number}"));
        std::iter::once(wanted.to_owned()).chain(numbered).find(|sid| !taken(sid)).unwrap_or_else(|| wanted.to_owned())
    }
}

impl Default for PolicyDocument {
    fn default() -> Self {
        Self::new()
    }
}

impl PolicyStatement {
    /// A document of this statement alone.
    pub fn to_document(&self) -> PolicyDocument {
        let mut document = PolicyDocument::new();
        document.merge(self);
        document
    }
}

/// Whether the language's version is one that has variables; a document without a version is of 2008.
fn has_variables(members: &[(String, Json)]) -> bool {
    members.iter().any(|(name, value)| name == "Version" && value.as_text() == Some(VERSION))
}

/// The value with its members in one order and lists of one as that one, so that equal statements are found equal.
fn sorted(members: Vec<(String, Json)>) -> Json {
    let mut members: Vec<_> = members
        .into_iter()
        .map(|(name, value)| {
            let value = match value {
                Json::Object(members) => sorted(members),
                Json::List(values) => match <[Json; 1]>::try_from(values) {
                    Ok([one]) => one,
                    Err(values) => Json::List(values),
                },
                other => other,
            };
            (name, value)
        })
        .collect();
    members.sort_by(|a, b| a.0.cmp(&b.0));
    Json::Object(members)
}

pub(super) fn text(text: &str) -> Json {
    Json::Text(text.to_owned())
}

pub(super) fn object(members: Vec<(&str, Json)>) -> Json {
    Json::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}
