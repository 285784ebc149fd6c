//! Conditions: operators, sets, absent keys, variables.
//!
//! By IAM's documentation: values of a key are alternatives, keys and operators must all hold; a negated operator holds for
//! no value of its list, and for a key that is absent; `IfExists` holds for an absent key; `ForAllValues` holds for an
//! absent key, `ForAnyValue` does not.

use super::{
    glob::{self, Match, Part, Truth},
    request::{ContextValue, Request},
    statement::Condition,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Set {
    Single,
    All,
    Any,
}

/// How one value is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equals,
    EqualsIgnoreCase,
    Like,
    Arn,
    Bool,
    Null,
    /// Numbers, dates, addresses, bytes: no key that is known has such values.
    Other,
}

struct Operator {
    set: Set,
    comparison: Comparison,
    negated: bool,
    if_exists: bool,
}

impl Operator {
    fn parse(text: &str) -> Option<Self> {
        let (set, text) = match text.split_once(':') {
            Some(("ForAllValues", rest)) => (Set::All, rest),
            Some(("ForAnyValue", rest)) => (Set::Any, rest),
            Some(_) => return None,
            None => (Set::Single, text),
        };
        let (text, if_exists) = match text.strip_suffix("IfExists") {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let (comparison, negated) = match text {
            "StringEquals" => (Comparison::Equals, false),
            "StringNotEquals" => (Comparison::Equals, true),
            "StringEqualsIgnoreCase" => (Comparison::EqualsIgnoreCase, false),
            "StringNotEqualsIgnoreCase" => (Comparison::EqualsIgnoreCase, true),
            "StringLike" => (Comparison::Like, false),
            "StringNotLike" => (Comparison::Like, true),
            "ArnEquals" | "ArnLike" => (Comparison::Arn, false),
            "ArnNotEquals" | "ArnNotLike" => (Comparison::Arn, true),
            "Bool" => (Comparison::Bool, false),
            "Null" if set == Set::Single && !if_exists => (Comparison::Null, false),
            "NumericEquals"
            | "NumericLessThan"
            | "NumericLessThanEquals"
            | "NumericGreaterThan"
            | "NumericGreaterThanEquals"
            | "DateEquals"
            | "DateLessThan"
            | "DateLessThanEquals"
            | "DateGreaterThan"
            | "DateGreaterThanEquals"
            | "IpAddress"
            | "BinaryEquals" => (Comparison::Other, false),
            "NumericNotEquals" | "DateNotEquals" | "NotIpAddress" => (Comparison::Other, true),
            _ => return None,
        };
        Some(Self { set, comparison, negated, if_exists })
    }
}

/// Whether a condition holds for a request.
pub(super) fn holds(condition: &Condition, request: &Request, variables: bool) -> Truth {
    let Condition { operator: name, key, values } = condition;
    let Some(operator) = Operator::parse(name) else {
        return Truth::Unknown(format!("the operator {name} is not known"));
    };
    let context = request.context(key);
    let value = match (&context, operator.comparison) {
        (ContextValue::Unknown, _) => return Truth::Unknown(format!("the delivery's {key} is not known")),
        (_, Comparison::Null) => return null(key, values, &context),
        (ContextValue::Absent, _) => return absent(&operator, name, key),
        (ContextValue::Known(value), _) => value,
    };
    // A request has one value of each key that is known; sets of one are like the one.
    let any = values.iter().map(|pattern| compare(&operator, pattern, value, request, variables));
    let any = any.reduce(either).unwrap_or_else(|| Truth::No(String::new()));
    let listed = || values.join(", ");
    match (any, operator.negated) {
        (Truth::Unknown(why), _) => Truth::Unknown(format!("{name} {key}: {why}")),
        (Truth::Yes, false) | (Truth::No(_), true) => Truth::Yes,
        (Truth::No(_), false) => Truth::No(format!("{name} {key} asks for {}, the delivery has {value}", listed())),
        (Truth::Yes, true) => Truth::No(format!("{name} {key} excludes {}, the delivery has {value}", listed())),
    }
}

fn null(key: &str, values: &[String], context: &ContextValue) -> Truth {
    let absent = *context == ContextValue::Absent;
    let wanted = |value: &String| value.eq_ignore_ascii_case(if absent { "true" } else { "false" });
    if values.iter().any(wanted) {
        return Truth::Yes;
    }
    Truth::No(format!("Null {key} asks for the contrary: the delivery {}", if absent { "lacks it" } else { "has it" }))
}

fn absent(operator: &Operator, name: &str, key: &str) -> Truth {
    match (operator.set, operator.if_exists, operator.negated) {
        (Set::Any, true, _) => {
            Truth::Unknown(format!("{name} {key}: the delivery lacks it, and IAM does not say what then"))
        }
        (Set::Any, false, _) => Truth::No(format!("{name} {key}: the delivery lacks it")),
        (Set::All, ..) | (Set::Single, true, _) | (Set::Single, false, true) => Truth::Yes,
        (Set::Single, false, false) => Truth::No(format!("{name} {key}: the delivery lacks it")),
    }
}

/// One value of the policy against the request's.
fn compare(operator: &Operator, pattern: &str, value: &str, request: &Request, variables: bool) -> Truth {
    let wildcards = matches!(operator.comparison, Comparison::Like | Comparison::Arn);
    let parts = match resolve(pattern, request, variables, wildcards) {
        Ok(parts) => parts,
        Err(why) => return Truth::Unknown(why),
    };
    let found = match operator.comparison {
        Comparison::Equals | Comparison::Like => glob::matches(&parts, &glob::known(value), false),
        Comparison::EqualsIgnoreCase | Comparison::Bool => glob::matches(&parts, &glob::known(value), true),
        Comparison::Arn => return arn(&parts, value),
        Comparison::Null | Comparison::Other => {
            return Truth::Unknown("numbers, dates, addresses and bytes are not compared".to_owned());
        }
    };
    if found == Match::Always { Truth::Yes } else { Truth::No(String::new()) }
}

/// ARNs are compared segment by segment; no wildcard reaches over a colon among the first five.
fn arn(pattern: &[Part], value: &str) -> Truth {
    let segments: Vec<&[Part]> = pattern.splitn(6, |part| *part == Part::Literal(':')).collect();
    let values: Vec<&str> = value.splitn(6, ':').collect();
    if segments.len() != 6 {
        return Truth::Unknown("a value is not an ARN of six segments".to_owned());
    }
    let fits = values.len() == 6
        && segments
            .iter()
            .zip(&values)
            .all(|(segment, value)| glob::matches(segment, &glob::known(value), false) == Match::Always);
    if fits { Truth::Yes } else { Truth::No(String::new()) }
}

fn either(one: Truth, other: Truth) -> Truth {
    match (one, other) {
        (Truth::Yes, _) | (_, Truth::Yes) => Truth::Yes,
        (Truth::Unknown(why), _) | (_, Truth::Unknown(why)) => Truth::Unknown(why),
        (Truth::No(why), Truth::No(_)) => Truth::No(why),
    }
}

/// A pattern with its variables replaced, if the policy's version has variables.
///
/// # Errors
/// Names a variable that the request does not tell.
pub(super) fn resolve(pattern: &str, request: &Request, variables: bool, wildcards: bool) -> Result<Vec<Part>, String> {
    let literal = |text: &str| -> Vec<Part> {
        if wildcards { glob::parts(text) } else { text.chars().map(Part::Literal).collect() }
    };
    let mut parts = Vec::new();
    let mut rest = pattern;
    while let Some((before, behind)) = rest.split_once("${").filter(|_| variables) {
        parts.extend(literal(before));
        let Some((variable, after)) = behind.split_once('}') else {
            return Err(format!("the variable in {pattern:?} has no end"));
        };
        match variable {
            "*" | "?" | "$" => parts.extend(variable.chars().map(Part::Literal)),
            variable => {
                let (key, default) = match variable.split_once(',') {
                    Some((key, default)) => (key.trim(), Some(default.trim())),
                    None => (variable.trim(), None),
                };
                let default = default.and_then(|text| text.strip_prefix('\'')?.strip_suffix('\''));
                match (request.context(key), default) {
                    (ContextValue::Known(value), _) => parts.extend(value.chars().map(Part::Literal)),
                    (ContextValue::Absent, Some(default)) => parts.extend(default.chars().map(Part::Literal)),
                    _ => return Err(format!("the variable ${{{variable}}} is not known of a delivery")),
                }
            }
        }
        rest = after;
    }
    parts.extend(literal(rest));
    Ok(parts)
}
