//! `stocktake prune`: old reports, told first and taken away when that is asked for.

use crate::{
    args::PruneArgs,
    clouds,
    exit::{Failure, Outcome, json_line, put_out, say, shown},
    interrupt::Interrupts,
    machine, s3,
    source_text::{CloudText, DestinationText, S3Text},
};
use serde::Serialize;
use stocktake::{
    CancelToken, Destination, DestinationPrefix, PruneOptions, PrunePlan, Pruned, PrunedConfiguration, ReportFate,
    ReportKey, Timestamp, destinations::LocalDestination, plan_prune,
};

const DAY_MS: i64 = 86_400_000;

/// Prints which reports go and which stay; removes them if the user said so.
///
/// # Errors
/// If the destination cannot be read, or something cannot be removed.
pub(crate) fn run(args: &PruneArgs) -> Result<Outcome, Failure> {
    Interrupts::listen()?;
    let place = Place::open(args)?;
    let Some(store) = place.destination().store() else {
        return Err(Failure::message("the destination cannot be read, so that nothing is known of its reports"));
    };
    let options = options(args, place.prefix.clone())?;
    let plan = plan_prune(store, &options).map_err(|error| Failure::of(&error))?;
    for note in plan.configurations.iter().flat_map(|configuration| &configuration.notes) {
        say(&format!("note: {}", shown(note)));
    }
    let pruned = if args.yes { Some(place.prune(&plan)?) } else { None };
    put_out(&if args.json { json_line(&Told { plan: &plan, removed: pruned }) } else { table(&plan, pruned) })?;
    Ok(Outcome::Complete)
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    plan: &'a PrunePlan,
    /// None if it was a dry run.
    removed: Option<Pruned>,
}

/// Where reports are.
struct Place {
    prefix: Option<DestinationPrefix>,
    kind: Kind,
}

enum Kind {
    Directory(LocalDestination),
    Bucket(Box<dyn Destination>),
}

impl Place {
    fn open(args: &PruneArgs) -> Result<Self, Failure> {
        match &args.destination {
            DestinationText::Directory(path) => {
                // A folder that is not there has no reports, and none is made.
                if !path.is_dir() {
                    return Err(Failure::message(format!("{} is no directory", path.display())));
                }
                let local = LocalDestination::try_new(path).map_err(|error| Failure::of(&error))?;
                Ok(Self { prefix: args.destination_prefix.clone(), kind: Kind::Directory(local) })
            }
            DestinationText::S3(S3Text { prefix, .. }) | DestinationText::Cloud(CloudText { prefix, .. }) => {
                let of_text =
                    DestinationPrefix::try_new(&**prefix).map_err(|error| Failure::usage(error.to_string()))?;
                let prefix = match (of_text.as_str(), &args.destination_prefix) {
                    ("", other) => other.clone(),
                    (_, None) => Some(of_text),
                    (one, Some(two)) if one == two.as_str() => Some(of_text),
                    (one, Some(two)) => {
                        let text = format!("the destination's prefix is {one:?} and {:?} at once", two.as_str());
                        return Err(Failure::usage(text));
                    }
                };
                let bucket = match &args.destination {
                    DestinationText::S3(text) => s3::bucket(&args.s3, text)?,
                    DestinationText::Cloud(text) => clouds::bucket(text)?,
                    DestinationText::Directory(_) => unreachable!("a directory is dealt with above"),
                };
                Ok(Self { prefix, kind: Kind::Bucket(bucket) })
            }
        }
    }

    fn destination(&self) -> &dyn Destination {
        match &self.kind {
            Kind::Directory(local) => local,
            Kind::Bucket(bucket) => &**bucket,
        }
    }

    fn prune(&self, plan: &PrunePlan) -> Result<Pruned, Failure> {
        let pruned = plan.carry_out(self.destination(), &CancelToken::new()).map_err(|error| Failure::of(&error))?;
        if let Kind::Directory(local) = &self.kind {
            let empty = |folder: &ReportKey| local.remove_empty(folder).map_err(|error| Failure::of(&error));
            plan.folders().iter().try_for_each(empty)?;
        }
        Ok(pruned)
    }
}

fn options(args: &PruneArgs, prefix: Option<DestinationPrefix>) -> Result<PruneOptions, Failure> {
    let since = match args.older_than {
        // Nothing is older than the first time there is.
        Some(days) => {
            Some(Timestamp::try_from_ms(machine::now()?.ms() - i64::from(days) * DAY_MS).unwrap_or(Timestamp::MIN))
        }
        None => None,
    };
    Ok(PruneOptions::new(args.keep)
        .with_keep_since(since)
        .with_prefix(prefix)
        .with_bucket(args.bucket.clone())
        .with_configuration(args.id.clone())
        .with_orphans(args.orphans))
}

fn table(plan: &PrunePlan, pruned: Option<Pruned>) -> String {
    let mut text = String::new();
    for configuration in &plan.configurations {
        text += &format!("{}\n", shown(&configuration.folder));
        for report in &configuration.reports {
            let what = match (report.fate, pruned.is_some()) {
                (ReportFate::Kept, _) => "kept",
                (ReportFate::Removed, true) => "removed",
                (ReportFate::Removed, false) => "would go",
                (ReportFate::RestRemoved, true) => "rest removed",
                (ReportFate::RestRemoved, false) => "rest would go",
                (_, _) => "incomplete, stays",
            };
            text += &format!("  {}  {what:17}  {:>6} files  {:>16} bytes\n", report.stamp, report.files, report.bytes);
        }
        text += &orphans(configuration, pruned.is_some());
    }
    let reports = plan.configurations.iter().flat_map(|configuration| &configuration.reports);
    let going: Vec<_> = reports.filter(|report| report.fate.is_removed()).collect();
    let bytes: u64 = going.iter().map(|report| report.bytes).fold(0, u64::saturating_add);
    text + &match pruned {
        Some(pruned) => format!(
            "{} reports removed, {bytes} bytes of data files; {} objects in all\n",
            pruned.reports, pruned.objects
        ),
        None if plan.is_empty() => "nothing would be removed\n".to_owned(),
        None => {
            let objects = plan.objects().count();
            format!(
                "{} reports would go, {bytes} bytes of data files; {objects} objects in all; --yes removes them\n",
                going.len()
            )
        }
    }
}

fn orphans(configuration: &PrunedConfiguration, done: bool) -> String {
    if configuration.orphans.is_empty() {
        return String::new();
    }
    let what = match (configuration.removes_orphans, done) {
        (true, true) => "removed",
        (true, false) => "would go",
        (false, _) => "stay",
    };
    let count = configuration.orphans.len();
    format!("  data files that no manifest names: {count}, {} bytes, {what}\n", configuration.orphan_bytes)
}
