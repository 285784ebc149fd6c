//! In place of buckets, in a program that was built without them.

use crate::{
    args::{CheckDestinationArgs, GenerateArgs, S3Args, SseArgs},
    cross_check::Findings,
    exit::{Failure, Outcome},
    listing::Listing,
    source_text::S3Text,
    target::Target,
};
use std::{num::NonZeroUsize, sync::Arc};
use stocktake::{BucketName, Destination, FieldSet, ObjectSource, ReportStore, ServerSideEncryption};

fn absent() -> Failure {
    Failure::usage("this program was built without S3")
}

pub(crate) fn source(_: &GenerateArgs, _: &S3Text) -> Result<(Box<dyn ObjectSource>, Listing), Failure> {
    Err(absent())
}

pub(crate) fn cross_checked(
    _: &GenerateArgs,
    _: &S3Text,
) -> Result<(Box<dyn ObjectSource>, Listing, Findings), Failure> {
    Err(absent())
}

pub(crate) fn enriched_fields() -> FieldSet {
    FieldSet::EMPTY
}

pub(crate) fn target(
    _: &S3Args,
    _: &SseArgs,
    _: &S3Text,
    _: NonZeroUsize,
    _: Option<ServerSideEncryption>,
    _: Option<&str>,
) -> Result<Target, Failure> {
    Err(absent())
}

pub(crate) fn store(_: &S3Args, _: &S3Text, _: NonZeroUsize) -> Result<Arc<dyn ReportStore>, Failure> {
    Err(absent())
}

pub(crate) fn bucket(_: &S3Args, _: &S3Text) -> Result<Box<dyn Destination>, Failure> {
    Err(absent())
}

pub(crate) enum PolicyClient {}

impl PolicyClient {
    pub(crate) fn read(&self) -> Result<Option<String>, Failure> {
        match *self {}
    }

    pub(crate) fn put(&self, _: &str) -> Result<(), Failure> {
        match *self {}
    }
}

pub(crate) fn policy_client(_: &S3Args, _: &BucketName) -> Result<PolicyClient, Failure> {
    Err(absent())
}

pub(crate) fn check_destination(_: &CheckDestinationArgs) -> Result<Outcome, Failure> {
    Err(absent())
}
