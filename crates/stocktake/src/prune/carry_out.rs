//! Removes what a plan names, and nothing else.

use super::{PruneError, PrunePlan};
use serde::Serialize;
use stocktake_core::{CancelToken, Destination, ReportKey};

/// What a pruning removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Pruned {
    /// Reports that are gone whole.
    pub reports: u64,
    /// Objects that were removed, or were gone already.
    pub objects: u64,
}

impl PrunePlan {
    /// Removes what the plan names. After an error or an interruption a new plan finds the rest.
    ///
    /// # Errors
    /// With the first object that could not be removed, or if it was cancelled; it says what was removed before.
    pub fn carry_out(&self, destination: &dyn Destination, cancel: &CancelToken) -> Result<Pruned, PruneError> {
        let mut pruned = Pruned::default();
        for configuration in &self.configurations {
            for report in configuration.reports.iter().rev().filter(|report| report.fate.is_removed()) {
                report.objects.iter().try_for_each(|key| remove(destination, key, cancel, &mut pruned))?;
                pruned.reports += 1;
            }
            if configuration.removes_orphans {
                configuration.orphans.iter().try_for_each(|key| remove(destination, key, cancel, &mut pruned))?;
            }
        }
        Ok(pruned)
    }

    /// Folders that may be empty once the plan is carried out: those of reports, and of their symlinks.
    pub fn folders(&self) -> Vec<ReportKey> {
        let mut folders: Vec<ReportKey> = Vec::new();
        for key in self.objects() {
            let folder = key.as_str().rsplit_once('/').and_then(|(folder, _)| ReportKey::try_new(folder).ok());
            folders.extend(folder.filter(|folder| folders.last() != Some(folder)));
        }
        folders.sort_unstable();
        folders.dedup();
        folders
    }
}

fn remove(
    destination: &dyn Destination,
    key: &ReportKey,
    cancel: &CancelToken,
    pruned: &mut Pruned,
) -> Result<(), PruneError> {
    let so_far = |text: &str, pruned: &Pruned| {
        format!("{text} after {} reports and {} objects were removed; run it again", pruned.reports, pruned.objects)
    };
    if cancel.is_cancelled() {
        return Err(PruneError::new(so_far("interrupted", pruned)));
    }
    destination.remove(key).map_err(|error| PruneError::because(so_far("stopped", pruned), error))?;
    pruned.objects += 1;
    Ok(())
}
