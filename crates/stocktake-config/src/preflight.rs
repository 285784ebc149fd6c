//! What can be known before the first report: the rules of S3 that its API does not check when a configuration is put.
//!
//! S3 finds these out late and in silence; a store can say them at once.

use crate::{arn::AccountId, validate::ValidConfiguration};
use std::fmt;

/// What is known of source and destination. What is `None` is not looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Preflight {
    /// Region of the source bucket.
    pub source_region: Option<String>,
    /// Region of the destination bucket.
    pub destination_region: Option<String>,
    /// Account that owns the destination bucket.
    pub destination_owner: Option<AccountId>,
}

/// A reason why reports would not be delivered, or not be readable.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PreflightFinding {
    /// Source and destination are in different Regions.
    Region {
        /// The source's.
        source: String,
        /// The destination's.
        destination: String,
    },
    /// The key is in another Region than the destination.
    KeyRegion {
        /// The key's.
        key: String,
        /// The destination's.
        destination: String,
    },
    /// The destination belongs to another account than the configuration says.
    Owner {
        /// The account that the configuration names.
        expected: AccountId,
        /// The account that owns the bucket.
        owner: AccountId,
    },
}

impl fmt::Display for PreflightFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Region { source, destination } => write!(
                f,
                "the source bucket is in {source}, the destination bucket in {destination}; reports stay in one Region"
            ),
            Self::KeyRegion { key, destination } => {
                write!(f, "the key is in {key}, the destination bucket in {destination}; a key works in its own Region")
            }
            Self::Owner { expected, owner } => {
                write!(f, "the destination bucket belongs to {owner}, the configuration expects {expected}")
            }
        }
    }
}

impl Preflight {
    /// Knows nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// States the Regions of source and destination bucket.
    #[must_use]
    pub fn with_regions(mut self, source: impl Into<String>, destination: impl Into<String>) -> Self {
        (self.source_region, self.destination_region) = (Some(source.into()), Some(destination.into()));
        self
    }

    /// States the account that owns the destination bucket.
    #[must_use]
    pub fn with_destination_owner(mut self, owner: AccountId) -> Self {
        self.destination_owner = Some(owner);
        self
    }

    /// Everything that would keep a report of this configuration from being delivered or read.
    pub fn findings(&self, configuration: &ValidConfiguration) -> Vec<PreflightFinding> {
        let mut findings = Vec::new();
        if let (Some(source), Some(destination)) = (&self.source_region, &self.destination_region)
            && source != destination
        {
            findings.push(PreflightFinding::Region { source: source.clone(), destination: destination.clone() });
        }
        if let (Some(key), Some(destination)) =
            (configuration.key().and_then(|key| key.region()), &self.destination_region)
            && key != destination
        {
            let finding = PreflightFinding::KeyRegion { key: key.to_owned(), destination: destination.clone() };
            findings.push(finding);
        }
        if let (Some(expected), Some(owner)) = (configuration.destination_owner(), &self.destination_owner)
            && expected != owner
        {
            findings.push(PreflightFinding::Owner { expected: expected.clone(), owner: owner.clone() });
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{InventoryConfiguration, Rules};

    fn configuration() -> ValidConfiguration {
        let text = r#"{"Destination":{"S3BucketDestination":{"AccountId":"111111111111","Bucket":"arn:aws:s3:::d",
            "Format":"CSV","Encryption":{"SSEKMS":{"KeyId":"arn:aws:kms:eu-west-1:111111111111:key/k"}}}},
            "IsEnabled":true,"Id":"i","IncludedObjectVersions":"All","Schedule":{"Frequency":"Daily"}}"#;
        Rules::new().check(InventoryConfiguration::parse(text.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn what_is_known_is_compared() {
        let owner = |text| AccountId::parse(text, "x").unwrap();
        let fine =
            Preflight::new().with_regions("eu-west-1", "eu-west-1").with_destination_owner(owner("111111111111"));
        assert_eq!(fine.findings(&configuration()), []);
        assert_eq!(Preflight::new().findings(&configuration()), []);
        let wrong =
            Preflight::new().with_regions("eu-west-1", "eu-west-2").with_destination_owner(owner("222222222222"));
        let found: Vec<_> = wrong.findings(&configuration()).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 3);
        assert!(found[0].contains("reports stay in one Region") && found[2].contains("belongs to 222222222222"));
    }
}
