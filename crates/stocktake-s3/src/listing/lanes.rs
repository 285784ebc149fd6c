//! Where a bucket is cut into lanes: behind keys that are there, found by asking the listing for them.
//!
//! The keys with a prefix fork at the character behind it. A page of a branch shows whether the branch is small, and where the
//! next one begins; branches that are not small are forked again, until there are enough of them to share out. A wrong weight
//! makes lanes uneven and nothing else: whatever the boundaries are, lanes join without gaps.
//!
//! A lane begins behind a key `K`. As a boundary, which is the first key that may be in the lane, that is `K` with U+0000 added:
//! no key stands between the two, so that the listing can be asked for exactly the keys of a lane.

use super::request::ListRequest;
use crate::{client::S3Client, error::S3Error};
use stocktake_core::{KEY_BYTES_MAX, ObjectKey};

/// Branches for each lane that are looked for: lanes are even to about an eighth of one.
const BRANCHES_PER_LANE: usize = 8;

/// Requests after which branches are taken as they are: half a minute at the pace of a far server.
const REQUESTS_MAX: usize = 256;

/// What a branch of more than a page counts: ten pages.
const LARGE_ROWS: usize = 10_000;

/// The last of characters: what begins with a branch stands before the branch with it added, but for keys that hold it too.
const LAST_CHARACTER: char = '\u{10ffff}';

/// Keys that begin alike.
#[derive(Clone, Debug)]
struct Branch {
    prefix: String,
    first: String,
    rows: usize,
    /// There is more of it than was seen.
    large: bool,
}

/// Keys behind which further lanes begin, in ascending order: at most one fewer than lanes.
pub(super) async fn boundaries(
    client: &S3Client,
    request: &ListRequest,
    lanes: usize,
) -> Result<Vec<ObjectKey>, S3Error> {
    let mut finder = Finder { client, request, requests_left: REQUESTS_MAX };
    let root = Branch { prefix: request.prefix.clone(), first: String::new(), rows: 0, large: true };
    let mut branches = vec![root];
    while branches.len() < lanes.saturating_mul(BRANCHES_PER_LANE) && branches.iter().any(|branch| branch.large) {
        let mut forked = Vec::with_capacity(branches.len() * 2);
        for branch in &branches {
            if branch.large {
                forked.extend(finder.fork(branch).await?);
            } else {
                forked.push(branch.clone());
            }
        }
        // Branches of one level compare; those that were forked in part do not.
        if finder.requests_left == 0 {
            break;
        }
        branches = forked;
    }
    Ok(share_out(&branches, lanes))
}

struct Finder<'a> {
    client: &'a S3Client,
    request: &'a ListRequest,
    requests_left: usize,
}

impl Finder<'_> {
    /// The branches of a branch, in ascending order.
    async fn fork(&mut self, branch: &Branch) -> Result<Vec<Branch>, S3Error> {
        let mut found: Vec<Branch> = Vec::new();
        let mut after = String::new();
        while self.requests_left > 0 {
            self.requests_left -= 1;
            let page = self.request.page_behind(self.client, &branch.prefix, &after).await?;
            for key in (0..page.len()).map(|row| page.key(row)).filter(|key| *key > after.as_str()) {
                let Some(rest) = key.strip_prefix(&branch.prefix) else { continue };
                let prefix = &key[..branch.prefix.len() + rest.chars().next().map_or(0, char::len_utf8)];
                match found.last_mut().filter(|last| last.prefix == prefix) {
                    Some(last) => last.rows += 1,
                    None => {
                        let (prefix, first) = (prefix.to_owned(), key.to_owned());
                        found.push(Branch { prefix, first, rows: 1, large: false });
                    }
                }
            }
            let Some(last) = found.last_mut().filter(|_| page.next.is_some()) else { break };
            // The key that is the prefix itself has no branches, but may have versions for more than a page.
            last.large = last.prefix != branch.prefix;
            let behind = if last.large { format!("{}{LAST_CHARACTER}", last.prefix) } else { last.first.clone() };
            if behind <= after {
                break;
            }
            after = behind;
        }
        Ok(found)
    }
}

/// The first keys of the branches at which the next lane has its share of rows.
fn share_out(branches: &[Branch], lanes: usize) -> Vec<ObjectKey> {
    let weight = |branch: &Branch| if branch.large { branch.rows.max(LARGE_ROWS) } else { branch.rows };
    let total: usize = branches.iter().map(weight).sum();
    let mut boundaries: Vec<ObjectKey> = Vec::new();
    let mut before = 0;
    for (index, branch) in branches.iter().enumerate() {
        let due = before * lanes >= total * (boundaries.len() + 1);
        before += weight(branch);
        if index == 0 || !due || boundaries.len() + 1 >= lanes || branch.first.len() >= KEY_BYTES_MAX {
            continue;
        }
        // A key that no boundary can be made of leaves a lane longer.
        if let Ok(boundary) = ObjectKey::try_new(format!("{}\0", branch.first))
            && boundaries.last().is_none_or(|last| *last < boundary)
        {
            boundaries.push(boundary);
        }
    }
    boundaries
}

/// The key behind which a lane begins, or with which it ends.
///
/// # Errors
/// A boundary that no plan of a bucket has.
pub(super) fn key_of(boundary: &ObjectKey) -> Result<&str, String> {
    boundary.as_str().strip_suffix('\0').ok_or_else(|| {
        let key = boundary.as_str();
        format!("a lane of a bucket begins behind a key, as U+0000 at its boundary's end says; {key:?} does not")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn branch(first: &str, rows: usize, large: bool) -> Branch {
        Branch { prefix: first[..1].to_owned(), first: first.to_owned(), rows, large }
    }

    fn shares(branches: &[Branch], lanes: usize) -> Vec<String> {
        let boundaries = share_out(branches, lanes);
        boundaries.iter().map(|boundary| key_of(boundary).unwrap().to_owned()).collect()
    }

    #[test]
    fn lanes_are_shared_out_by_rows() {
        let even: Vec<Branch> = ["a1", "b1", "c1", "d1"].map(|first| branch(first, 10, false)).into();
        assert_eq!(shares(&even, 2), ["c1"]);
        assert_eq!(shares(&even, 4), ["b1", "c1", "d1"]);
        assert_eq!(shares(&even, 9), ["b1", "c1", "d1"]);
        assert_eq!(shares(&[branch("a1", 500, true), branch("b1", 10, false), branch("c1", 10, false)], 2), ["b1"]);
        assert_eq!(shares(&[], 3), [""; 0]);
        let long = "b".repeat(KEY_BYTES_MAX);
        assert_eq!(shares(&[branch("a1", 1, false), branch(&long, 1, false), branch("c1", 1, false)], 2), ["c1"]);
    }

    #[test]
    fn a_boundary_that_is_no_key_of_the_listing_is_refused() {
        let fault = key_of(&ObjectKey::try_new("m").unwrap()).unwrap_err();
        assert!(fault.ends_with("\"m\" does not"), "{fault}");
    }
}
