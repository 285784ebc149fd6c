//! Lanes of a directory: ranges of its top-level names with as many names each, whatever lies below them.

use super::{
    BadEntries, DirectorySource, Symlinks, excluded::Exclusions, fault::Problem, listing::Lister, range::KeyRange,
};
use std::{num::NonZeroU32, os::fd::AsFd};
use stocktake_core::{CancelToken, ObjectKey, Plan, SourceError};

/// Splits the source at its top-level names; into fewer lanes if there are fewer names.
///
/// A boundary is a name as it stands in keys: `name` of a file, `name/` of a directory.
pub(super) fn plan(source: &DirectorySource, lanes: NonZeroU32) -> Result<Plan, SourceError> {
    let root = source.open_root(&Exclusions::resolve(&source.excluded))?;
    let mut title = format!("directory {}", source.root.display());
    // What else decides on rows, so that a run is continued only by the same.
    for (said, chosen) in [
        (", links followed", source.symlinks == Symlinks::Follow),
        (", bad entries left out", source.bad_entries == BadEntries::Skip),
    ] {
        title += if chosen { said } else { "" };
    }
    if lanes == NonZeroU32::MIN {
        return Ok(Plan::whole(title));
    }
    let (range, temp_dir, cancel) = (KeyRange::default(), source.temp_dir(), CancelToken::new());
    let lister = Lister { symlinks: source.symlinks, temp_dir: &temp_dir, limits: source.limits, cancel: &cancel };
    let fault = |problem: Problem| problem.of("", b"").into_error(&source.root);
    let mut listing = lister.list(root.as_fd(), range.within(""), &mut Vec::new()).map_err(fault)?;
    let (names, lanes) = (listing.count(), u64::from(lanes.get()));
    let mut boundaries = Vec::new();
    let (mut name, mut seen) = (Vec::new(), 0);
    while listing.next(&mut name).map_err(|error| fault(Problem::spill(&temp_dir, error)))?.is_some() {
        let share = (boundaries.len() as u64 + 1) * names / lanes;
        // A name that cannot stand in a key cannot be a boundary; the next one is as good.
        if seen > 0
            && seen >= share
            && (boundaries.len() as u64) < lanes - 1
            && let Some(key) = std::str::from_utf8(&name).ok().and_then(|name| ObjectKey::try_new(name).ok())
        {
            boundaries.push(key);
        }
        seen += 1;
    }
    let tokens = vec![None; boundaries.len() + 1];
    Plan::split(title, boundaries, tokens).map_err(|error| SourceError::malformed(error.to_string()))
}
