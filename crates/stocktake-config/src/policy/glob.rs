//! Wildcards against names of which parts are not known yet.
//!
//! The key of a data file ends in a digest, that of a manifest in a time. A pattern may match them whatever they will be,
//! or never, or it depends; the three are told apart.

/// Whether something holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Truth {
    Yes,
    /// And why.
    No(String),
    /// It cannot be said, and why.
    Unknown(String),
}

/// A character of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Symbol {
    Known(char),
    /// Any digit.
    Digit,
    /// Any lower-case hexadecimal digit.
    Hex,
}

/// A character of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Literal(char),
    /// `?`
    One,
    /// `*`
    Many,
}

/// What is known of a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    Always,
    Never,
    Depends,
}

/// The symbols of a text that is known.
pub(super) fn known(text: &str) -> Vec<Symbol> {
    text.chars().map(Symbol::Known).collect()
}

/// The pattern of a text in which `*` and `?` are wildcards.
pub(super) fn parts(text: &str) -> Vec<Part> {
    let part = |c| match c {
        '*' => Part::Many,
        '?' => Part::One,
        c => Part::Literal(c),
    };
    text.chars().map(part).collect()
}

/// Compares a pattern with a name.
pub(super) fn matches(pattern: &[Part], name: &[Symbol], ignore_case: bool) -> Match {
    if !match_with(pattern, name, &|c, symbol| may_be(c, symbol, ignore_case)) {
        Match::Never
    } else if match_with(pattern, name, &|c, symbol| must_be(c, symbol, ignore_case)) {
        Match::Always
    } else {
        Match::Depends
    }
}

fn may_be(c: char, symbol: Symbol, ignore_case: bool) -> bool {
    match symbol {
        Symbol::Known(_) => must_be(c, symbol, ignore_case),
        Symbol::Digit => c.is_ascii_digit(),
        Symbol::Hex => matches!(c, '0'..='9' | 'a'..='f') || ignore_case && matches!(c, 'A'..='F'),
    }
}

fn must_be(c: char, symbol: Symbol, ignore_case: bool) -> bool {
    matches!(symbol, Symbol::Known(known) if known == c || ignore_case && known.eq_ignore_ascii_case(&c))
}

/// Whether the whole name fits the whole pattern. Time is the product of their lengths, memory the name's length.
fn match_with(pattern: &[Part], name: &[Symbol], fits: &dyn Fn(char, Symbol) -> bool) -> bool {
    // Which beginnings of the name the pattern's beginning fits.
    let mut reached = vec![false; name.len() + 1];
    reached[0] = true;
    for part in pattern {
        match part {
            Part::Many => {
                let mut any = false;
                for place in &mut reached {
                    any |= *place;
                    *place = any;
                }
            }
            Part::One | Part::Literal(_) => {
                for index in (0..name.len()).rev() {
                    let here = match part {
                        Part::Literal(c) => fits(*c, name[index]),
                        _ => true,
                    };
                    reached[index + 1] = reached[index] && here;
                }
                reached[0] = false;
            }
        }
    }
    reached[name.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, name: &[Symbol]) -> Match {
        matches(&parts(pattern), name, false)
    }

    #[test]
    fn wildcards_on_known_names() {
        for (pattern, name, fits) in [
            ("", "", true),
            ("*", "", true),
            ("?", "", false),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a?c", "abc", true),
            ("a??c", "abc", false),
            ("*b*", "abc", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("**", "x", true),
            ("A", "a", false),
            ("a/*", "a/b/c", true),
            ("é?", "éü", true),
        ] {
            let found = check(pattern, &known(name));
            assert_eq!(found, if fits { Match::Always } else { Match::Never }, "{pattern} {name}");
        }
        assert_eq!(matches(&parts("S3:put*"), &known("s3:PutObject"), true), Match::Always);
    }

    #[test]
    fn parts_that_are_not_known_decide_only_what_they_can() {
        let mut name = known("data/");
        name.extend([Symbol::Hex; 3]);
        name.extend(known(".csv.gz"));
        for (pattern, found) in [
            ("data/*", Match::Always),
            ("data/???.csv.gz", Match::Always),
            ("*.csv.gz", Match::Always),
            ("*.orc", Match::Never),
            ("data/g*", Match::Never),
            ("data/a*", Match::Depends),
            ("data/*a*", Match::Depends),
            ("*csv*", Match::Always),
            ("data/abc.csv.gz", Match::Depends),
            ("data/????.csv.gz", Match::Never),
            ("data/A*", Match::Never),
        ] {
            assert_eq!(check(pattern, &name), found, "{pattern}");
        }
        assert_eq!(check("x*", &[Symbol::Digit]), Match::Never);
        assert_eq!(check("7", &[Symbol::Digit]), Match::Depends);
    }
}
