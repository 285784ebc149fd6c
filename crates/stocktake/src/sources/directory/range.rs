//! The keys that a walk is to yield, and which names of a directory can lead to them.

use stocktake_core::{LaneDescriptor, ObjectKey};

/// A range of keys, as bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct KeyRange {
    /// First key that may be in the range.
    lower: Vec<u8>,
    /// First key that is not; none for no end.
    upper: Option<Vec<u8>>,
}

impl KeyRange {
    /// The keys of a lane that come after `after` and begin with `prefix`.
    pub(super) fn new(lane: &LaneDescriptor, after: Option<&ObjectKey>, prefix: Option<&str>) -> Self {
        let bytes = |key: &ObjectKey| key.as_str().as_bytes().to_vec();
        let mut range =
            Self { lower: lane.start.as_ref().map(bytes).unwrap_or_default(), upper: lane.end.as_ref().map(bytes) };
        if let Some(after) = after {
            // The first key after a key is the key with a zero byte behind it.
            let next = [after.as_str().as_bytes(), &[0]].concat();
            range.lower = range.lower.max(next);
        }
        if let Some(prefix) = prefix.filter(|prefix| !prefix.is_empty()) {
            range.lower = range.lower.max(prefix.as_bytes().to_vec());
            let mut end = prefix.as_bytes().to_vec();
            if let Some(last) = end.last_mut() {
                // UTF-8 holds no byte 0xff.
                *last += 1;
            }
            range.upper = Some(range.upper.map_or(end.clone(), |upper| upper.min(end)));
        }
        range
    }

    /// The range seen from a directory, whose own prefix is one that the range can lie below.
    pub(super) fn within(&self, prefix: &str) -> NameRange<'_> {
        let prefix = prefix.as_bytes();
        NameRange {
            lower: self.lower.strip_prefix(prefix).unwrap_or_default(),
            upper: self.upper.as_deref().and_then(|upper| upper.strip_prefix(prefix)),
        }
    }
}

/// What a range asks of the names in one directory.
#[derive(Clone, Copy, Debug)]
pub(super) struct NameRange<'a> {
    lower: &'a [u8],
    upper: Option<&'a [u8]>,
}

impl NameRange<'_> {
    /// Whether a file of this name is in the range.
    pub(super) fn has_file(&self, name: &[u8]) -> bool {
        self.lower <= name && self.upper.is_none_or(|upper| name < upper)
    }

    /// Whether keys below a directory of this name, given without `/`, can be in the range.
    pub(super) fn meets_directory(&self, name: &[u8]) -> bool {
        // Keys below a directory begin with its name and a slash: they lie before a bound exactly if name and slash do,
        // unless the bound itself lies below the directory.
        let compared = |bound: &[u8]| match bound.strip_prefix(name) {
            Some(rest) => b"/".as_slice().cmp(rest),
            None => name.cmp(bound),
        };
        let lies_below = |bound: &[u8]| bound.strip_prefix(name).is_some_and(|rest| rest.first() == Some(&b'/'));
        (compared(self.lower).is_ge() || lies_below(self.lower))
            && self.upper.is_none_or(|upper| compared(upper).is_lt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: &str, end: &str) -> KeyRange {
        KeyRange { lower: start.into(), upper: (!end.is_empty()).then(|| end.into()) }
    }

    #[test]
    fn only_directories_that_can_hold_keys_are_met() {
        let range = range("a/m", "b/d");
        let names = range.within("");
        let met: Vec<_> = ["A", "a", "a.x", "a!", "aa", "b", "b!", "b.x", "b0", "c"]
            .into_iter()
            .filter(|name| names.meets_directory(name.as_bytes()))
            .collect();
        assert_eq!(met, ["a", "aa", "b", "b!", "b.x"]);
        assert!(!range.within("a/").has_file(b"l") && range.within("a/").has_file(b"m"));
        assert!(range.within("b/").has_file(b"czz") && !range.within("b/").has_file(b"d"));
        assert!(range.within("aa/").has_file(b"zzz") && range.within("aa/").has_file(b"!"));
    }

    #[test]
    fn every_directory_met_or_not_agrees_with_its_keys() {
        let bounds = ["", "a", "a/", "a/b", "a.", "a0", "b", "a\0", "a/b\0", "é"];
        for (start, end) in bounds.iter().flat_map(|start| bounds.map(|end| (*start, end))) {
            let range = range(start, end);
            for name in ["a", "a.", "a0", "b", "aa", "é"] {
                let inside = ["!", "b", "b!", "b/c", "c", "zz"].iter().any(|rest| {
                    let key = format!("{name}/{rest}");
                    key.as_str() >= start && (end.is_empty() || key.as_str() < end)
                });
                if inside {
                    assert!(range.within("").meets_directory(name.as_bytes()), "{start:?} {end:?} {name}");
                }
            }
        }
    }

    #[test]
    fn prefix_lane_and_after_are_intersected() {
        let key = |key: &str| ObjectKey::try_new(key).unwrap();
        let plan = stocktake_core::Plan::split("s", vec![key("b"), key("c")], vec![None; 3]).unwrap();
        let range = KeyRange::new(&plan.lanes()[1], Some(&key("b/x")), Some("b/"));
        assert_eq!((range.lower.as_slice(), range.upper.as_deref()), (b"b/x\0".as_slice(), Some(b"b0".as_slice())));
        let range = KeyRange::new(&plan.lanes()[2], None, Some("b/"));
        assert_eq!((range.lower.as_slice(), range.upper.as_deref()), (b"c".as_slice(), Some(b"b0".as_slice())));
    }
}
