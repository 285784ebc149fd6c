//! One statement, taken apart.

use super::{document::PolicyError, principal::Principal};
use crate::json::Json;

/// A statement of a resource policy.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Statement {
    pub(super) sid: Option<String>,
    pub(super) allows: bool,
    pub(super) principal: Principal,
    pub(super) action: Clause,
    pub(super) resource: Clause,
    pub(super) conditions: Vec<Condition>,
    /// Whether `${..}` stands for a variable.
    pub(super) variables: bool,
}

/// Patterns of which one must match, or none.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Clause {
    pub(super) negated: bool,
    pub(super) patterns: Vec<String>,
}

/// One operator on one key.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Condition {
    pub(super) operator: String,
    pub(super) key: String,
    pub(super) values: Vec<String>,
}

impl Statement {
    /// Reads a statement.
    pub(super) fn read(json: &Json, variables: bool) -> Result<Self, PolicyError> {
        let Json::Object(members) = json else {
            return Err(PolicyError::new(format!("is {} in place of an object", json.kind())));
        };
        const KNOWN: &[&str] = &[
            "Sid",
            "Effect",
            "Principal",
            "NotPrincipal",
            "Action",
            "NotAction",
            "Resource",
            "NotResource",
            "Condition",
        ];
        if let Some((name, _)) = members.iter().find(|(name, _)| !KNOWN.contains(&name.as_str())) {
            return Err(PolicyError::new(format!("has the unknown member {name:?}")));
        }
        let sid = json.member("Sid").map(|sid| one_text(sid, "Sid")).transpose()?;
        let allows = match json.member("Effect").and_then(Json::as_text) {
            Some("Allow") => true,
            Some("Deny") => false,
            _ => return Err(PolicyError::new("the Effect is neither Allow nor Deny")),
        };
        let clause = |name: &str| {
            let (negated, value) = one_of(json, name)?;
            Ok(Clause { negated, patterns: texts(value, name)? })
        };
        let (negated, principal) = one_of(json, "Principal")?;
        Ok(Self {
            sid,
            allows,
            principal: Principal::read(principal, negated)?,
            action: clause("Action")?,
            resource: clause("Resource")?,
            conditions: json.member("Condition").map(conditions).transpose()?.unwrap_or_default(),
            variables,
        })
    }
}

/// The member of this name, or that of the name with `Not` before it.
fn one_of<'a>(json: &'a Json, name: &str) -> Result<(bool, &'a Json), PolicyError> {
    match (json.member(name), json.member(&format!("Not{name}"))) {
        (Some(value), None) => Ok((false, value)),
        (None, Some(value)) => Ok((true, value)),
        (Some(_), Some(_)) => Err(PolicyError::new(format!("has both {name} and Not{name}"))),
        (None, None) => Err(PolicyError::new(format!("has neither {name} nor Not{name}"))),
    }
}

fn conditions(json: &Json) -> Result<Vec<Condition>, PolicyError> {
    let refused = || PolicyError::new("the Condition is not an object of objects");
    let Json::Object(operators) = json else { return Err(refused()) };
    let mut conditions = Vec::new();
    for (operator, keys) in operators {
        let Json::Object(keys) = keys else { return Err(refused()) };
        for (key, values) in keys {
            let values = values.one_or_many().iter().map(|value| scalar(value, key)).collect::<Result<_, _>>()?;
            conditions.push(Condition { operator: operator.clone(), key: key.clone(), values });
        }
    }
    Ok(conditions)
}

/// Texts of a list, or the one text.
pub(super) fn texts(value: &Json, name: &str) -> Result<Vec<String>, PolicyError> {
    value.one_or_many().iter().map(|value| one_text(value, name)).collect()
}

fn one_text(value: &Json, name: &str) -> Result<String, PolicyError> {
    let text = value.as_text().ok_or_else(|| PolicyError::new(format!("{name} holds {}", value.kind())))?;
    Ok(text.to_owned())
}

/// A condition's value, which JSON may spell as a boolean or a number.
fn scalar(value: &Json, key: &str) -> Result<String, PolicyError> {
    match value {
        Json::Text(text) => Ok(text.clone()),
        Json::Bool(value) => Ok(value.to_string()),
        Json::Number(number) => Ok(number.to_string()),
        other => Err(PolicyError::new(format!("the condition on {key} holds {}", other.kind()))),
    }
}
