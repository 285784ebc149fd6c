//! Names of AWS's kind: bucket ARNs, account ids, ids of KMS keys.

use crate::error::{S3Error, S3ErrorCode};
use std::fmt;
use stocktake_core::BucketName;

/// ARN of a bucket, `arn:PARTITION:s3:::NAME`, without region and account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BucketArn {
    partition: Box<str>,
    bucket: BucketName,
}

impl BucketArn {
    /// ARN of a bucket in the partition `aws`.
    pub fn new(bucket: BucketName) -> Self {
        Self { partition: "aws".into(), bucket }
    }

    /// ARN of a bucket in a partition that was checked.
    pub(crate) fn of(partition: &str, bucket: BucketName) -> Self {
        Self { partition: partition.into(), bucket }
    }

    /// Parses the ARN that stands in `element`.
    ///
    /// # Errors
    /// `InvalidS3DestinationBucket` for anything else; an ARN with a region or an account gets S3's own words.
    pub fn parse(text: &str, element: &str) -> Result<Self, S3Error> {
        let refused = |message: String| Err(S3Error::new(S3ErrorCode::InvalidS3DestinationBucket, element, message));
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let &["arn", partition, service, region, account, name] = parts.as_slice() else {
            return refused(format!("is {text:?} and not a bucket's ARN in the form arn:aws:s3:::NAME"));
        };
        if service != "s3" {
            return refused(format!("is {text:?}; reports go to general purpose buckets, arn:aws:s3:::NAME"));
        }
        if !region.is_empty() || !account.is_empty() {
            return refused("is refused: Bucket ARN should not specify a namespace.".to_owned());
        }
        let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if partition.is_empty() || !partition.bytes().all(known) {
            return refused(format!("is {text:?}; its partition is not lower-case letters, digits and `-`"));
        }
        match BucketName::try_new(name) {
            Ok(bucket) => Ok(Self { partition: partition.into(), bucket }),
            Err(error) => refused(format!("is {text:?}: {error}")),
        }
    }

    /// The bucket.
    pub fn bucket(&self) -> &BucketName {
        &self.bucket
    }

    /// The partition, `aws` for most.
    pub fn partition(&self) -> &str {
        &self.partition
    }
}

impl fmt::Display for BucketArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "arn:{}:s3:::{}", self.partition, self.bucket)
    }
}

/// Id of an account: 12 digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AccountId(Box<str>);

impl AccountId {
    /// Parses the id that stands in `element`.
    ///
    /// # Errors
    /// `InvalidArgument` unless it is 12 digits.
    pub fn parse(text: &str, element: &str) -> Result<Self, S3Error> {
        if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Self(text.into()));
        }
        Err(S3Error::argument(element, format!("is {text:?} and not an account's 12 digits")))
    }

    /// The 12 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Most bytes of a key's id, as KMS limits it.
const KEY_ID_BYTES_MAX: usize = 2048;

/// Id, ARN or alias of a customer managed KMS key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyId(Box<str>);

impl KeyId {
    /// Parses the id that stands in `element`.
    ///
    /// # Errors
    /// `InvalidArgument` for an empty or overlong id, control characters, and for S3's own key, which cannot encrypt
    /// reports.
    pub fn parse(text: &str, element: &str) -> Result<Self, S3Error> {
        let refused = |message: String| Err(S3Error::argument(element, message));
        if text.is_empty() || text.len() > KEY_ID_BYTES_MAX || text.contains(|c: char| c.is_control() || c == ' ') {
            return refused(format!("is {text:?} and not the id of a key, its ARN or alias"));
        }
        if text == "alias/aws/s3" || text == "aws/s3" || text.ends_with(":alias/aws/s3") {
            return refused("names the AWS managed key aws/s3; reports take customer managed keys only".to_owned());
        }
        Ok(Self(text.into()))
    }

    /// The id as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is an ARN, which keys of another account need.
    pub fn is_arn(&self) -> bool {
        self.0.starts_with("arn:")
    }

    /// Region that a key's ARN names.
    pub fn region(&self) -> Option<&str> {
        self.is_arn().then(|| self.0.split(':').nth(3)).flatten().filter(|region| !region.is_empty())
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_an_arn_without_a_namespace() {
        let parse = |text| BucketArn::parse(text, "Bucket");
        assert_eq!(parse("arn:aws:s3:::dst").unwrap().bucket().as_str(), "dst");
        assert_eq!(parse("arn:aws-cn:s3:::dst").unwrap().to_string(), "arn:aws-cn:s3:::dst");
        let namespaced = parse("arn:aws:s3::123456789012:dst").unwrap_err();
        assert_eq!(namespaced.code(), S3ErrorCode::InvalidS3DestinationBucket);
        assert!(namespaced.to_string().ends_with("Bucket ARN should not specify a namespace."));
        for text in [
            "dst",
            "",
            "arn:aws:s3",
            "arn:aws:s3:::",
            "arn:aws:s3:::a/b",
            "arn:AWS:s3:::b",
            "arn::s3:::b",
            "arn:aws:s3express:us-east-1:123456789012:bucket/b",
            "ARN:aws:s3:::b",
        ] {
            assert_eq!(parse(text).unwrap_err().code(), S3ErrorCode::InvalidS3DestinationBucket, "{text}");
        }
    }

    #[test]
    fn accounts_and_keys() {
        assert!(AccountId::parse("123456789012", "AccountId").is_ok());
        for text in ["", "12345678901", "1234567890123", "12345678901x", "١23456789012"] {
            assert_eq!(AccountId::parse(text, "AccountId").unwrap_err().code(), S3ErrorCode::InvalidArgument);
        }
        let key = KeyId::parse("arn:aws:kms:eu-west-1:123456789012:key/1", "KeyId").unwrap();
        assert_eq!((key.is_arn(), key.region()), (true, Some("eu-west-1")));
        assert!(KeyId::parse("1234abcd", "KeyId").unwrap().region().is_none());
        for text in ["", "a b", "alias/aws/s3", "arn:aws:kms:eu-west-1:123456789012:alias/aws/s3"] {
            assert!(KeyId::parse(text, "KeyId").is_err(), "{text}");
        }
    }
}
