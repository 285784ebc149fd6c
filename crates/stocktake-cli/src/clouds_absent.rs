//! In place of the clouds that are no S3, in a program that was built without them.

use crate::{
    args::CheckDestinationArgs,
    exit::{Failure, Outcome},
    source_text::{Cloud, CloudText},
    target::Target,
};
use std::{num::NonZeroUsize, sync::Arc};
use stocktake::{Destination, ReportStore};

fn absent(text: &CloudText) -> Failure {
    let name = match text.cloud {
        Cloud::Google => "Google Cloud Storage",
        Cloud::Azure => "Azure Blob Storage",
    };
    Failure::usage(format!("this program was built without {name}"))
}

pub(crate) fn target(text: &CloudText, _: NonZeroUsize) -> Result<(Target, String), Failure> {
    Err(absent(text))
}

pub(crate) fn store(text: &CloudText, _: NonZeroUsize) -> Result<(Arc<dyn ReportStore>, String), Failure> {
    Err(absent(text))
}

pub(crate) fn bucket(text: &CloudText) -> Result<Box<dyn Destination>, Failure> {
    Err(absent(text))
}

pub(crate) fn check_destination(_: &CheckDestinationArgs, text: &CloudText) -> Result<Outcome, Failure> {
    Err(absent(text))
}
