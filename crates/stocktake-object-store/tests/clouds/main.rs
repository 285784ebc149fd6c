//! The two clouds against a server in this process: the contract of destinations, parts, faults, whole reports.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panic too")]

mod destination;
mod reports;

use std::{num::NonZeroU32, sync::Arc, time::Duration};
use stocktake_core::{BucketName, ReportKey};
use stocktake_object_store::{CloudClient, CloudDestination, CloudSettings};
use stocktake_testkit::cloud::CloudServer;

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cloud {
    Google,
    Azure,
}

const CLOUDS: [Cloud; 2] = [Cloud::Google, Cloud::Azure];

fn client(server: &CloudServer, cloud: Cloud) -> Arc<CloudClient> {
    let mut settings = CloudSettings::default();
    settings.backoff = Duration::from_millis(1);
    settings.attempts_max = NonZeroU32::new(8).unwrap();
    let bucket = BucketName::try_new("b").unwrap();
    let client = match cloud {
        Cloud::Google => CloudClient::google(&server.google(), bucket, settings, 2),
        Cloud::Azure => CloudClient::azure(&server.azure(), bucket, settings, 2),
    };
    Arc::new(client.unwrap())
}

/// A destination with the smallest parts.
fn destination(server: &CloudServer, cloud: Cloud) -> CloudDestination {
    CloudDestination::new(client(server, cloud)).with_part_bytes(1)
}

fn key(key: &str) -> ReportKey {
    ReportKey::try_new(key).unwrap()
}

fn noise(bytes: usize) -> Vec<u8> {
    (0..bytes as u64).map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56).to_le_bytes()[0]).collect()
}
