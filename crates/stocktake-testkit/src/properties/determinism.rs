//! Bytes are a function of rows and spec: not of threads, memory, the processor, or how a source cuts its batches.

use super::{
    published::files_of,
    setup::{Setup, arbitrary_setup},
};
use crate::{rows::Slicing, source::MemorySource};
use arbitrary::{Arbitrary, Unstructured};
use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use stocktake::{Execution, GenerateOptions, ReportSummary, destinations::MemoryDestination, generate};
use stocktake_core::{Dispatch, Field, FileFormat, ObjectSource};

/// Two runs over the same rows with the same lanes publish the same objects, or are both refused, whatever their
/// batches, threads, memory and code; and no data file begins with the key that the one before ends with.
///
/// # Errors
/// Names the first object that differs.
pub fn pipeline_determinism(bytes: &[u8]) -> Result<(), String> {
    let mut u = Unstructured::new(bytes);
    let Ok((lanes, ways)) = ways(&mut u) else { return Ok(()) };
    let Ok(format) = u.choose(&[FileFormat::Csv, FileFormat::Orc, FileFormat::Parquet]).copied() else { return Ok(()) };
    let Ok(setup) = arbitrary_setup(&mut u, format) else { return Ok(()) };
    let setup = setup?;
    let [first, second] = ways.map(|way| (run(&setup, lanes, &way), way));
    match (&first.0, &second.0) {
        (Ok((of_first, summary)), Ok((of_second, _))) => {
            let (first_objects, second_objects) = (of_first.objects(), of_second.objects());
            if first_objects != second_objects {
                let keys = first_objects.keys().chain(second_objects.keys());
                let differs = keys.into_iter().find(|key| first_objects.get(key) != second_objects.get(key));
                return Err(format!("{differs:?} differs between {:?} and {:?}", first.1, second.1));
            }
            check_seams(&setup, of_first, summary)
        }
        (Err(_), Err(_)) => Ok(()),
        (Err(error), Ok(_)) => Err(format!("refused by {:?}, taken by {:?}: {error}", first.1, second.1)),
        (Ok(_), Err(error)) => Err(format!("taken by {:?}, refused by {:?}: {error}", first.1, second.1)),
    }
}

/// What may not reach the report.
#[derive(Debug)]
struct Way {
    slicing: Slicing,
    threads: NonZeroUsize,
    /// Memory above the least that works, in bytes.
    spare_bytes: u64,
    dispatch: Dispatch,
}

fn ways(u: &mut Unstructured<'_>) -> arbitrary::Result<(NonZeroU32, [Way; 2])> {
    let lanes = NonZeroU32::MIN.saturating_add(u.int_in_range(0..=3)?);
    let mut way = |dispatch| {
        Ok(Way {
            slicing: Slicing::arbitrary(u)?,
            threads: NonZeroUsize::MIN.saturating_add(u.int_in_range(0..=3)?),
            spare_bytes: if u.arbitrary()? { 0 } else { u.int_in_range(0..=64 << 20)? },
            dispatch,
        })
    };
    Ok((lanes, [way(Dispatch::Auto)?, way(Dispatch::Portable)?]))
}

fn run(setup: &Setup, lanes: NonZeroU32, way: &Way) -> Result<(MemoryDestination, ReportSummary), String> {
    let source = MemorySource::new(setup.rows.clone(), setup.provides).with_slicing(way.slicing.clone());
    let source: &dyn ObjectSource = &source;
    let memory_bytes = NonZeroU64::MIN.saturating_add(setup.spec.memory_floor() - 1 + way.spare_bytes);
    let execution = Execution::default().with_threads(way.threads).with_memory_bytes(memory_bytes);
    let execution = execution.with_dispatch(way.dispatch);
    let destination = MemoryDestination::new();
    let options = GenerateOptions::new(execution).with_lanes(lanes);
    let summary = generate(source, &setup.spec, &destination, &options).map_err(|error| error.to_string())?;
    Ok((destination, summary))
}

fn check_seams(setup: &Setup, destination: &MemoryDestination, summary: &ReportSummary) -> Result<(), String> {
    let files = files_of(destination, summary, &setup.spec)?;
    let mut before: Option<String> = None;
    for file in &files {
        let (Some(first), Some(last)) = (file.first(), file.last()) else { continue };
        let key = |row: &Vec<String>| row[Field::Key.index()].clone();
        let first = key(first);
        if before.as_ref().is_some_and(|before| *before >= first) {
            return Err(format!("a data file begins with {first:?}, and the one before ends with {before:?}"));
        }
        before = Some(key(last));
    }
    Ok(())
}
