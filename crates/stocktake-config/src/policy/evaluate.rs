//! A policy's answer to one request: an explicit Deny wins, without an Allow there is nothing.

use super::{
    condition,
    document::PolicyDocument,
    glob::{self, Match, Part, Symbol, Truth},
    request::Request,
    statement::{Clause, Statement},
};

/// A policy's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PolicyDecision {
    /// The request is allowed.
    Allowed,
    /// The request is denied: by a statement, or because no statement allows it.
    Denied,
    /// It depends on what is not known.
    Undecidable,
}

/// An answer with its reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) decision: PolicyDecision,
    pub(super) reasons: Vec<String>,
    /// Whether the policy lacks a statement that allows the request, or may lack it.
    pub(super) lacks_grant: bool,
}

/// Evaluates a policy.
pub(super) fn evaluate(policy: &PolicyDocument, request: &Request) -> Answer {
    let mut allowing = Vec::new();
    let mut perhaps_allowing = Vec::new();
    let mut not_allowing = Vec::new();
    let mut denying = Vec::new();
    let mut perhaps_denying = Vec::new();
    for (number, statement) in (1..).zip(policy.statements()) {
        let name = match &statement.sid {
            Some(sid) => format!("statement {number} ({sid})"),
            None => format!("statement {number}"),
        };
        match (applies(statement, request), statement.allows) {
            (Truth::Yes, true) => allowing.push(format!("{name} allows it")),
            (Truth::Yes, false) => denying.push(format!("{name} denies it")),
            (Truth::Unknown(why), true) => perhaps_allowing.push(format!("{name} may allow it: {why}")),
            (Truth::Unknown(why), false) => perhaps_denying.push(format!("{name} may deny it: {why}")),
            (Truth::No(why), true) => not_allowing.push(format!("{name} does not allow it: {why}")),
            (Truth::No(_), false) => {}
        }
    }
    let lacks_grant = allowing.is_empty();
    let (decision, reasons) = if !denying.is_empty() {
        (PolicyDecision::Denied, denying)
    } else if allowing.is_empty() && perhaps_allowing.is_empty() {
        not_allowing.insert(0, "no statement allows it".to_owned());
        (PolicyDecision::Denied, not_allowing)
    } else if allowing.is_empty() || !perhaps_denying.is_empty() {
        perhaps_allowing.append(&mut perhaps_denying);
        (PolicyDecision::Undecidable, perhaps_allowing)
    } else {
        (PolicyDecision::Allowed, allowing)
    };
    Answer { decision, reasons, lacks_grant }
}

/// Whether a statement speaks of the request: all of its parts do.
fn applies(statement: &Statement, request: &Request) -> Truth {
    let parts = [
        statement.principal.holds(),
        action_holds(&statement.action, request),
        resource_holds(&statement.resource, request, statement.variables),
    ];
    let conditions =
        statement.conditions.iter().map(|condition| condition::holds(condition, request, statement.variables));
    let mut unknown = None;
    for part in parts.into_iter().chain(conditions) {
        match part {
            Truth::Yes => {}
            Truth::No(why) => return Truth::No(why),
            Truth::Unknown(why) => unknown = unknown.or(Some(why)),
        }
    }
    unknown.map_or(Truth::Yes, Truth::Unknown)
}

fn action_holds(clause: &Clause, request: &Request) -> Truth {
    let action = glob::known(request.action);
    let named =
        clause.patterns.iter().any(|pattern| glob::matches(&glob::parts(pattern), &action, true) == Match::Always);
    if named != clause.negated {
        return Truth::Yes;
    }
    let not = if clause.negated { "NotAction" } else { "Action" };
    Truth::No(format!("its {not} is {}, the delivery needs {}", clause.patterns.join(", "), request.action))
}

fn resource_holds(clause: &Clause, request: &Request, variables: bool) -> Truth {
    let mut unknown = None;
    let mut named = false;
    for pattern in &clause.patterns {
        match resource_matches(pattern, request, variables) {
            Ok(Match::Always) => named = true,
            Ok(Match::Never) => {}
            Ok(Match::Depends) => {
                unknown = Some(format!("the resource {pattern} covers some names of {} only", request.resource_name));
            }
            Err(why) => unknown = Some(why),
        }
    }
    match (named, unknown) {
        (true, _) if clause.negated => Truth::No(format!("its NotResource covers {}", request.resource_name)),
        (true, _) => Truth::Yes,
        (false, Some(why)) => Truth::Unknown(why),
        (false, None) if clause.negated => Truth::Yes,
        (false, None) => Truth::No(format!(
            "its Resource is {}, the delivery needs {}",
            clause.patterns.join(", "),
            request.resource_name
        )),
    }
}

fn resource_matches(pattern: &str, request: &Request, variables: bool) -> Result<Match, String> {
    if pattern == "*" {
        return Ok(Match::Always);
    }
    let parts = condition::resolve(pattern, request, variables, true)?;
    let segments: Vec<&[Part]> = parts.splitn(6, |part| *part == Part::Literal(':')).collect();
    let Some((head, tail)) = &request.resource else {
        return Err(format!("whether {pattern} is this resource is not known without its ARN"));
    };
    let [head_patterns @ .., tail_pattern] = segments.as_slice() else {
        return Err(format!("the resource {pattern:?} is empty"));
    };
    if head_patterns.len() != head.len() {
        return Err(format!("the resource {pattern:?} is not an ARN of six segments"));
    }
    let fits = |(pattern, segment): (&&[Part], &String)| matches(pattern, &glob::known(segment)) == Match::Always;
    if !head_patterns.iter().zip(head).all(fits) {
        return Ok(Match::Never);
    }
    Ok(matches(tail_pattern, tail))
}

fn matches(pattern: &[Part], name: &[Symbol]) -> Match {
    glob::matches(pattern, name, false)
}
