//! Validated names: buckets, configuration ids, destination prefixes, object keys, keys of report objects.
//!
//! Names go into object keys and paths unescaped, so what could climb out of a folder is refused here, once.

use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt};

/// Most bytes of an object key, as S3 limits it.
pub const KEY_BYTES_MAX: usize = 1024;

/// A name that breaks its rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameError {
    what: &'static str,
    name: String,
    rule: &'static str,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} is not valid: {}", self.what, self.name, self.rule)
    }
}

impl std::error::Error for NameError {}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            #[doc = concat!("Checks the rule: ", $rule, ".")]
            ///
            /// # Errors
            /// Names the rule that is broken.
            pub fn try_new(name: impl Into<String>) -> Result<Self, NameError> {
                let name: String = name.into();
                let check: fn(&str) -> bool = $check;
                if check(&name) { Ok(Self(name.into_boxed_str())) } else { Err(NameError { what: $what, name, rule: $rule }) }
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(name: String) -> Result<Self, NameError> {
                Self::try_new(name)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.into()
            }
        }
    };
}

name! {
    /// Name of a source or destination bucket.
    ///
    /// Wider than S3's own rule, because stores have their own: upper case and `_` are taken.
    BucketName, "bucket name", "1 to 255 letters, digits, `.`, `_` and `-`, without `..`", |name| is_plain(name, 255)
}

name! {
    /// Id of an inventory configuration; a folder of the report.
    ConfigurationId, "configuration id", "1 to 64 letters, digits, `.`, `_` and `-`, without `..`", |name| is_plain(name, 64)
}

name! {
    /// Key of an object of the source.
    ///
    /// Ordered as S3 orders keys: by unsigned bytes.
    ObjectKey, "object key", "1 to 1,024 bytes of UTF-8", |name| (1..=KEY_BYTES_MAX).contains(&name.len())
}

name! {
    /// Key of an object that a report consists of, below the destination bucket's root.
    ///
    /// Segments between `/` are not empty, `.` or `..` and hold no control characters or `\`, so that a key is a relative
    /// path on every system.
    ReportKey, "report key", "segments between `/` that are not empty, `.` or `..`, without control characters or `\\`",
    |name| name.len() <= KEY_BYTES_MAX && name.split('/').all(is_segment)
}

impl ReportKey {
    /// The key of an object of a report that another program wrote: as [`ReportKey::try_new`], but segments between the
    /// first and the last may be empty, as they are below a destination prefix such as `a//b`.
    ///
    /// It is for reading alone. On a file system empty segments make no difference: `a//b` and `a/b` are one file.
    ///
    /// # Errors
    /// Names the rule that is broken.
    pub fn try_foreign(name: impl Into<String>) -> Result<Self, NameError> {
        let name: String = name.into();
        let ends = !name.starts_with('/') && !name.ends_with('/');
        let fits =
            name.len() <= KEY_BYTES_MAX && ends && name.split('/').all(|part| part.is_empty() || is_segment(part));
        if fits && !name.is_empty() {
            return Ok(Self(name.into_boxed_str()));
        }
        let rule = "segments between `/` that are not `.` or `..`, none empty at either end, without control characters or `\\`";
        Err(NameError { what: "report key", name, rule })
    }

    /// The key without empty segments: the name of the same file on a file system.
    pub fn without_empty_segments(&self) -> Cow<'_, str> {
        if !self.0.contains("//") {
            return Cow::Borrowed(&self.0);
        }
        Cow::Owned(self.0.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/"))
    }
}

fn is_plain(name: &str, bytes_max: usize) -> bool {
    (1..=bytes_max).contains(&name.len())
        && name != "."
        && !name.contains("..")
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

fn is_segment(segment: &str) -> bool {
    !matches!(segment, "" | "." | "..") && !segment.contains(|c: char| c.is_control() || c == '\\')
}

/// Prefix of a report in the destination bucket; empty, or segments between `/` without a slash at either end.
///
/// Slashes at the ends are taken off when it is made: one string, built once, serves object keys and manifest alike.
/// (S3 itself wrote objects under `prefix//` and listed `prefix/` in the manifest when the prefix ended in a slash.)
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DestinationPrefix(String);

impl DestinationPrefix {
    /// Takes slashes off both ends and checks the segments.
    ///
    /// # Errors
    /// Refuses what a [`ReportKey`] refuses.
    pub fn try_new(prefix: impl Into<String>) -> Result<Self, NameError> {
        let prefix: String = prefix.into();
        let trimmed = prefix.trim_matches('/');
        // 512 bytes leave room for bucket, id and file name within a key.
        if trimmed.is_empty() || (trimmed.len() <= 512 && trimmed.split('/').all(is_segment)) {
            return Ok(Self(trimmed.to_owned()));
        }
        let rule = "at most 512 bytes in segments that are not empty, `.` or `..`, without control characters or `\\`";
        Err(NameError { what: "destination prefix", name: prefix, rule })
    }

    /// The prefix without slashes at its ends; may be empty.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for DestinationPrefix {
    type Error = NameError;
    fn try_from(prefix: String) -> Result<Self, NameError> {
        Self::try_new(prefix)
    }
}

impl From<DestinationPrefix> for String {
    fn from(prefix: DestinationPrefix) -> Self {
        prefix.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_climb_are_refused() {
        for name in ["", ".", "..", "a/b", "a..b", "a b", "ü", "a\\b", &"x".repeat(256)] {
            assert!(BucketName::try_new(name).is_err(), "{name}");
        }
        assert!(ConfigurationId::try_new("x".repeat(64)).is_ok());
        assert!(ConfigurationId::try_new("x".repeat(65)).is_err());
        assert!(BucketName::try_new("my.Bucket_1-x").is_ok());
    }

    #[test]
    fn report_keys_are_relative_paths() {
        for name in ["", "/a", "a/", "a//b", "a/../b", "./a", "a\nb", "a\\b"] {
            assert!(ReportKey::try_new(name).is_err(), "{name:?}");
        }
        assert!(ReportKey::try_new("p/b/id/2026-11-22T01-00Z/manifest.json").is_ok());
    }

    #[test]
    fn keys_of_foreign_reports_may_have_empty_segments() {
        for name in ["a//b", "a///b/c", "a/b"] {
            let key = ReportKey::try_foreign(name).unwrap();
            assert_eq!(key.as_str(), name);
            assert!(!key.without_empty_segments().contains("//"));
        }
        assert_eq!(ReportKey::try_foreign("a///b//c").unwrap().without_empty_segments(), "a/b/c");
        for name in
            ["", "/", "//", "/a", "//a", "a/", "a//", "a//../b", "./a", "a//.", "a\nb", "a\\b", &"x".repeat(1025)]
        {
            assert!(ReportKey::try_foreign(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn object_keys_may_be_anything_but_empty_or_long() {
        for key in ["/", "a//b", "..", " ", "\u{0}", "é"] {
            assert_eq!(ObjectKey::try_new(key).unwrap().as_str(), key);
        }
        assert!(ObjectKey::try_new("").is_err());
        assert!(ObjectKey::try_new("é".repeat(513)).is_err());
        assert!(ObjectKey::try_new("\u{ffff}").unwrap() < ObjectKey::try_new("\u{10000}").unwrap());
    }

    #[test]
    fn slashes_at_the_ends_of_a_prefix_are_taken_off() {
        assert_eq!(DestinationPrefix::try_new("/a/b//").unwrap().as_str(), "a/b");
        assert_eq!(DestinationPrefix::try_new("/").unwrap().as_str(), "");
        assert!(DestinationPrefix::try_new("a//b").is_err());
        assert!(DestinationPrefix::try_new("a/../b").is_err());
    }
}
