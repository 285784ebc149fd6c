//! A look ahead: does the destination take what a report will be written with?

use super::{CloudDestination, delete, fault, object};
use crate::client::Service;
use hyper::Method;
use std::{error::Error, io::Write};
use stocktake_core::{
    CheckStep, Destination, DestinationError, DestinationErrorKind, ObjectAttributes, RemoteObjects, ReportKey,
    ReportStore,
};

/// What is written to try.
const PROBE: &[u8] = b"stocktake tries whether it may write here\n";

impl CloudDestination {
    /// Tries, with an object of this key, all that writing a report does, and removes the object.
    pub fn check(&self, key: &ReportKey) -> Vec<CheckStep> {
        let google = matches!(self.shared.client.service(), Service::Google { .. });
        let needs = |of_google, of_azure| if google { of_google } else { of_azure };
        let (write, read, list, remove) = (
            needs("storage.objects.create", "Microsoft.Storage/../blobs/write"),
            needs("storage.objects.get", "Microsoft.Storage/../blobs/read"),
            needs("storage.objects.list", "Microsoft.Storage/../blobs/read"),
            needs("storage.objects.delete", "Microsoft.Storage/../blobs/delete"),
        );
        let mut steps = Vec::new();
        let mut tell = |operation, permission, outcome: Result<(), String>| {
            let succeeded = outcome.is_ok();
            steps.push(CheckStep::new(operation, permission, outcome));
            succeeded
        };
        let attributes = ObjectAttributes::new("text/plain");
        tell("look at an object", read, self.head(key).map(drop).map_err(said));
        let put = || {
            let mut pending = self.create(key, &attributes)?;
            pending.write_all(PROBE).map_err(|error| DestinationError::io(key, "cannot be written", error))?;
            pending.publish()
        };
        let written = tell("write an object", write, put().map_err(said));
        if written {
            let same = || {
                let (mut bytes, end) = (Vec::new(), PROBE.len() as u64);
                self.open_range(key, 0..end)
                    .map_err(said)?
                    .read_to_end(&mut bytes)
                    .map_err(|error| error.to_string())?;
                if bytes == PROBE { Ok(()) } else { Err("what was read is not what was written".to_owned()) }
            };
            tell("read it", read, same());
            let refused = match put() {
                Err(error) if error.kind() == DestinationErrorKind::AlreadyExists => Ok(()),
                Err(error) => Err(said(error)),
                Ok(()) => Err("the server overwrites an object though it was told not to".to_owned()),
            };
            tell("be refused to write over it", "none", refused);
        }
        tell("begin an object of many parts, and give it up", write, self.begin_and_drop(key, &attributes));
        let listed = self.objects().list(key.as_str()).map_err(said).and_then(|keys| {
            if !written || keys.contains(key) { Ok(()) } else { Err("the listing lacks the object".to_owned()) }
        });
        tell("list objects, by which journals of unfinished runs are found", list, listed);
        if written {
            let client = &self.shared.client;
            let removed = client.block_on(client.send(&delete(key))).map(drop);
            let outcome = removed.map_err(|error| error.to_string());
            tell("remove it, by which a failed run takes back what it wrote", remove, outcome);
        }
        steps
    }

    /// Sends a part of an object that is never published: its key is the probe's with another ending.
    fn begin_and_drop(&self, key: &ReportKey, attributes: &ObjectAttributes) -> Result<(), String> {
        let key = ReportKey::try_new(format!("{key}-parts")).map_err(|error| error.to_string())?;
        let mut pending = self.create(&key, attributes).map_err(said)?;
        let part = vec![0; self.shared.part_bytes + 1];
        pending.write_all(&part).map_err(|error| error.to_string())?;
        drop(pending);
        let client = &self.shared.client;
        match client.block_on(client.send(&object("HeadObject", Method::HEAD, &key))) {
            Err(error) if error.status() == Some(404) => Ok(()),
            Err(error) => Err(said(fault(&key, &error))),
            Ok(_) => Err("what was never published is visible".to_owned()),
        }
    }
}

fn said(error: DestinationError) -> String {
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{error}{cause}")
}
