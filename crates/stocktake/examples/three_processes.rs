//! Three processes each write a lane of one report, and a fourth commits it.
//!
//! What travels between them is text: the spec and the plan on the way there, receipts on the way back. A distributed
//! engine's driver and tasks would send the same.
//!
//! ```text
//! cargo run --release --example three_processes -- target/three-processes
//! ```
#![expect(clippy::print_stdout, reason = "an example that tells what it does")]

use std::{
    error::Error,
    io::Write,
    num::NonZeroU32,
    path::Path,
    process::{Command, Stdio},
};
use stocktake::{
    BucketName, ConfigurationId, Confirmation, Destination, Execution, Existing, FieldSelection, ObjectSource, Plan,
    Receipt, ReportSpec, Timestamp, Versions, commit, destinations::LocalDestination, plan, sources::SyntheticSource,
    write_lanes,
};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1..).unwrap_or_default() {
        [folder] => drive(Path::new(folder)),
        [folder, lane] => task(Path::new(folder), lane.parse()?),
        _ => Err("usage: three_processes FOLDER".into()),
    }
}

/// Plans the report, starts a process for each lane, confirms their receipts and commits.
fn drive(folder: &Path) -> Result<(), Box<dyn Error>> {
    let source = source()?;
    let spec = ReportSpec::builder(
        BucketName::try_new("big-bucket")?,
        ConfigurationId::try_new("daily")?,
        BucketName::try_new("reports")?,
    )
    .with_created_at(Timestamp::parse("2026-11-22T01:00:00Z")?)
    .with_fields(FieldSelection::Default.resolve(source.provides(), Versions::Current)?)
    .build()?;
    let plan = plan(&source, NonZeroU32::MIN.saturating_add(2))?;

    let program = std::env::current_exe()?;
    let task = |lane: &stocktake::LaneDescriptor| {
        let mut task = Command::new(&program)
            .arg(folder)
            .arg(lane.index.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        if let Some(mut input) = task.stdin.take() {
            writeln!(input, "{}\n{}", serde_json::to_string(&spec)?, serde_json::to_string(&plan)?)?;
        }
        Ok::<_, Box<dyn Error>>(task)
    };
    let tasks = plan.lanes().iter().map(task).collect::<Result<Vec<_>, _>>()?;

    let destination = LocalDestination::try_new(folder)?;
    let store = destination.store().ok_or("a local destination can be read")?;
    let mut shards = Vec::new();
    for (task, lane) in tasks.into_iter().zip(plan.lanes()) {
        let output = task.wait_with_output()?;
        if !output.status.success() {
            return Err(format!("the process of lane {} failed: {}", lane.index, output.status).into());
        }
        for line in String::from_utf8(output.stdout)?.lines() {
            shards.push(serde_json::from_str::<Receipt>(line)?.confirm(store, Confirmation::Content)?);
        }
    }
    let report = commit(&spec, &plan, shards, &destination, Existing::Replace)?;
    println!(
        "{} rows in {} data files of {} lanes: {}",
        report.rows,
        report.files,
        plan.lanes().len(),
        report.manifest_key
    );
    Ok(())
}

/// Writes one lane of the plan that stands on standard input and prints its receipts.
fn task(folder: &Path, lane: usize) -> Result<(), Box<dyn Error>> {
    let text = std::io::read_to_string(std::io::stdin())?;
    let (spec, plan) = text.split_once('\n').ok_or("spec and plan stand on two lines")?;
    let (spec, plan): (ReportSpec, Plan) = (serde_json::from_str(spec)?, serde_json::from_str(plan)?);
    let lane = plan.lanes().get(lane).ok_or("the plan has no such lane")?;
    let destination = LocalDestination::try_new(folder)?;
    // A lane that is written again takes the next attempt: data file names are never used twice.
    let store = destination.store().ok_or("a local destination can be read")?;
    let layout = stocktake::ReportLayout::new(&spec);
    let taken = |attempt: &u32| matches!(store.head(&layout.data(lane.index, 0, *attempt)), Ok(None));
    let attempt = (0..100).find(taken).ok_or("too many attempts")?;
    let shards = write_lanes(
        &source()?,
        &spec,
        &plan,
        std::slice::from_ref(lane),
        attempt,
        &destination,
        &Execution::default(),
    )?;
    for shard in shards {
        println!("{}", serde_json::to_string(shard.receipt())?);
    }
    Ok(())
}

fn source() -> Result<SyntheticSource, Box<dyn Error>> {
    Ok("rows=300000,seed=1,versions=0".parse()?)
}
