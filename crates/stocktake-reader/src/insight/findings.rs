//! What stands out in the figures: what costs without need, and what is at risk.

use super::{
    amount::Amount,
    classes::{OLD_FROM, SMALL_BYTES, SMALL_UNTIL},
    report::{Finding, FindingKind, Insight},
};
use std::cmp::Reverse;
use stocktake_core::Field;

/// Storage classes that bill every object as 128 KiB at least.
const LEAST_BILLED: [&str; 3] = ["STANDARD_IA", "ONEZONE_IA", "GLACIER_IR"];

/// The findings, those with the most bytes first.
pub(super) fn findings(insight: &Insight) -> Vec<Finding> {
    let found = |kind, objects, bytes| Finding { kind, objects, bytes };
    let mut findings = vec![
        found(FindingKind::NoncurrentVersions, insight.noncurrent_objects.unwrap_or(0), insight.total.noncurrent_bytes),
        found(FindingKind::LatestDeleteMarkers, insight.latest_delete_markers.unwrap_or(0), 0),
    ];
    for class in &insight.storage_classes {
        if class.share.name == "STANDARD" {
            // The last class is of unknown ages.
            let old = class.ages.len().saturating_sub(1);
            let old = sum(&class.ages[OLD_FROM.min(old)..old]);
            findings.push(found(FindingKind::OldInStandard, old.objects, old.bytes));
        }
        if LEAST_BILLED.contains(&class.share.name.as_str()) {
            let small = sum(&class.sizes[..SMALL_UNTIL]);
            let billed = small.objects.saturating_mul(SMALL_BYTES);
            let more = billed.saturating_sub(small.bytes);
            findings.push(found(FindingKind::SmallInInfrequentAccess, small.objects, more));
        }
    }
    if let Some(duplicates) = &insight.duplicates {
        findings.push(found(FindingKind::Duplicates, duplicates.contents, duplicates.bytes));
    }
    for (field, value, kind) in [
        (Field::EncryptionStatus, "NOT-SSE", FindingKind::Unencrypted),
        (Field::ReplicationStatus, "FAILED", FindingKind::ReplicationFailed),
    ] {
        let shares = insight.values.iter().filter(|values| values.field == field).flat_map(|values| &values.values);
        for share in shares.filter(|share| share.name == value) {
            findings.push(found(kind, share.tally.objects, share.tally.bytes));
        }
    }
    let mut by_kind: Vec<Finding> = Vec::new();
    for finding in findings.into_iter().filter(|finding| finding.objects > 0) {
        match by_kind.iter_mut().find(|known| known.kind == finding.kind) {
            Some(known) => {
                known.objects += finding.objects;
                known.bytes = known.bytes.saturating_add(finding.bytes);
            }
            None => by_kind.push(finding),
        }
    }
    by_kind.sort_by_key(|finding| Reverse((finding.bytes, finding.objects)));
    by_kind
}

fn sum(tallies: &[Amount]) -> Amount {
    tallies.iter().fold(Amount::default(), |mut sum, tally| {
        sum.add(*tally);
        sum
    })
}
