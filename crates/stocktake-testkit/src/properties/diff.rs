//! Two reports compared: what is told is what sets of their rows say.

use super::{
    expected::expected_rows,
    fault,
    reader::{open, without_null},
    setup::{Setup, arbitrary_setup},
};
use crate::{
    rows::{Row, Value, arbitrary_rows, cut},
    source::MemorySource,
};
use arbitrary::Unstructured;
use std::collections::BTreeMap;
use stocktake::{GenerateOptions, destinations::MemoryDestination, generate};
use stocktake_core::{Field, FieldSet, FileFormat, Versions};
use stocktake_reader::{DiffOptions, Difference, Differences};

/// A difference: its kind, key and version id, and the fields that differ.
type Told = (&'static str, String, String, FieldSet);

/// Two reports, in any formats, whose rows have some in common: differences, totals and moved objects are as maps of their
/// rows have them, whatever the formats, shards, threads and order of versions.
///
/// # Errors
/// If the comparison says something else, or fails.
pub fn diff_matches_sets(bytes: &[u8]) -> Result<(), String> {
    let mut u = Unstructured::new(bytes);
    let Ok(Some((old, new, prefix))) = arbitrary_pair(&mut u) else { return Ok(()) };
    let (Some(first), Some(second)) = (Published::of(&old)?, Published::of(&new)?) else { return Ok(()) };
    let mut options = DiffOptions::default();
    options.prefix = (!prefix.is_empty()).then(|| prefix.as_str().into());
    // So little that candidates of moves go to files.
    options.memory_bytes = 64 << 10;
    let mut differences = Differences::begin(&first.report()?, &second.report()?, &options)
        .map_err(|error| fault("the comparison does not begin")(&error))?;
    let (mut told, mut moved) = (Vec::new(), 0);
    while let Some(difference) = differences.next().map_err(|error| fault("the comparison fails")(&error))? {
        let version = |id: Option<&str>| id.unwrap_or_default().to_owned();
        told.push(match difference {
            Difference::Added(row) => ("added", row.key().to_owned(), version(row.version_id()), FieldSet::EMPTY),
            Difference::Removed(row) => ("removed", row.key().to_owned(), version(row.version_id()), FieldSet::EMPTY),
            Difference::Changed { new, fields, .. } => {
                ("changed", new.key().to_owned(), version(new.version_id()), fields)
            }
            _ => {
                moved += 1;
                continue;
            }
        });
    }
    if !told.is_sorted_by(|one, two| one.1 <= two.1) {
        return Err("differences are not in the order of keys".to_owned());
    }
    told.sort_by(|one, two| (&one.1, &one.2, one.0).cmp(&(&two.1, &two.2, two.0)));
    let model = Model::new(&first, &second, &prefix);
    let totals = differences.totals();
    if model.repeats {
        // Two versions of one key that both say that they are the latest, compared with a report that has no versions: which of
        // them stands for the object nothing says, but both are told of.
        let both = totals.unchanged.rows + totals.changed_new.rows;
        let taken = (both + totals.removed.rows, both + totals.added.rows);
        return if taken == model.rows {
            Ok(())
        } else {
            Err(format!("rows are {:?}, told of are {taken:?}", model.rows))
        };
    }
    if told != model.told {
        return Err(format!("told {told:?}, but sets say {:?}", model.told));
    }
    let count = |kind| model.told.iter().filter(|told| told.0 == kind).count() as u64;
    let counted = (totals.added.rows, totals.removed.rows, totals.changed_new.rows, totals.unchanged.rows);
    if counted != (count("added"), count("removed"), count("changed"), model.unchanged) {
        return Err(format!("totals are {totals:?}"));
    }
    if moved != model.moved || totals.moved.map_or(0, |moved| moved.rows) != model.moved {
        return Err(format!("{moved} objects are moved, sets say {}", model.moved));
    }
    Ok(())
}

/// Two reports and a prefix; the rows of the second are those of the first with changes, and some others.
fn arbitrary_pair(u: &mut Unstructured<'_>) -> arbitrary::Result<Option<(Setup, Setup, String)>> {
    let formats = [FileFormat::Csv, FileFormat::Orc, FileFormat::Parquet];
    let (one, two) = (*u.choose(&formats)?, *u.choose(&formats)?);
    let (whole, prefix_of): (bool, u8) = (u.arbitrary()?, u.arbitrary()?);
    let choices: Vec<u8> = (0..16).map(|_| u.arbitrary()).collect::<arbitrary::Result<_>>()?;
    let (Ok(mut old), Ok(mut new)) = (arbitrary_setup(u, one)?, arbitrary_setup(u, two)?) else { return Ok(None) };
    if whole {
        // The same columns and kind of versions, which chance seldom gives.
        new.spec.clone_from(&old.spec);
        new.provides = old.provides;
    }
    let mut rows = Vec::new();
    for (row, choice) in old.rows.iter().zip(choices.iter().cycle()) {
        let mut row = row.clone();
        match choice % 8 {
            0 => continue,
            1 => row.set(Field::Size, Value::Int(i64::from(*choice))),
            2 => row.set(Field::ETag, Value::Text(format!("{choice:02x}"))),
            3 => row = renamed(&row, &format!("{}~", row.key())),
            _ => {}
        }
        rows.push(row);
    }
    rows.extend(arbitrary_rows(u)?);
    rows.sort_by(|one, two| one.key().cmp(two.key()));
    if choices[0] % 2 == 1 {
        // Versions of a key in another order.
        rows.reverse();
        rows.sort_by(|one, two| one.key().cmp(two.key()));
    }
    new.rows = rows;
    old.rows.sort_by(|one, two| one.key().cmp(two.key()));
    let prefix = match old.rows.get(usize::from(prefix_of)) {
        Some(row) => cut(row.key(), 1 + row.key().len() / 2).to_owned(),
        None => String::new(),
    };
    Ok(Some((old, new, prefix)))
}

fn renamed(row: &Row, key: &str) -> Row {
    row.values().fold(Row::new(cut(key, 1024)), |made, (field, value)| made.with(field, value.clone()))
}

/// A report and the rows that it has.
struct Published {
    destination: MemoryDestination,
    manifest: String,
    rows: Vec<Row>,
    fields: FieldSet,
    versioned: bool,
}

impl Published {
    /// The report; none if its rows make none.
    fn of(setup: &Setup) -> Result<Option<Self>, String> {
        let destination = MemoryDestination::new();
        let source = MemorySource::new(setup.rows.clone(), setup.provides);
        let options = GenerateOptions::default();
        let (Ok(summary), Ok(rows)) = (generate(&source, &setup.spec, &destination, &options), expected_rows(setup))
        else {
            // Rows that no report can hold are the business of another property.
            return Ok(None);
        };
        Ok(Some(Self {
            destination,
            manifest: summary.manifest_key.to_string(),
            rows: rows.into_iter().map(without_null).collect(),
            fields: setup.spec.fields(),
            versioned: setup.spec.versions() == Versions::All,
        }))
    }

    fn report(&self) -> Result<stocktake_reader::Report, String> {
        open(&self.destination, &self.manifest).map_err(|error| fault("the report cannot be opened")(&error))
    }
}

/// What maps of rows say.
struct Model {
    /// Rows of both reports that are compared.
    rows: (u64, u64),
    /// A row that stands for an object is not the only one.
    repeats: bool,
    told: Vec<Told>,
    unchanged: u64,
    moved: u64,
}

impl Model {
    fn new(old: &Published, new: &Published, prefix: &str) -> Self {
        let versioned = old.versioned && new.versioned;
        let rows = |of: &'_ Published, other: &Published| -> (BTreeMap<(String, String), Row>, u64) {
            let current = of.versioned && !other.versioned;
            let kept = of.rows.iter().filter(|row| !current || row.is_current());
            let kept = kept.filter(|row| row.key().starts_with(prefix));
            let id = |row: &Row| if versioned { row.version_id().to_owned() } else { String::new() };
            let count = kept.clone().count() as u64;
            (kept.map(|row| ((row.key().to_owned(), id(row)), row.clone())).collect(), count)
        };
        let ((before, rows_before), (after, rows_after)) = (rows(old, new), rows(new, old));
        let repeats = (rows_before, rows_after) != (before.len() as u64, after.len() as u64);
        let common = old.fields.intersection(new.fields);
        let beside = if versioned { FieldSet::EMPTY.with(Field::VersionId) } else { FieldSet::VERSION_FIELDS };
        let compared = common.difference(FieldSet::REQUIRED.union(beside));
        let mut model = Self { rows: (rows_before, rows_after), repeats, told: Vec::new(), unchanged: 0, moved: 0 };
        let mut movable: BTreeMap<(String, i64), [u64; 2]> = BTreeMap::new();
        let mut note = |row: &Row, side: usize| {
            if let (Some(Value::Text(e_tag)), Some(Value::Int(size @ 1..))) =
                (row.value(Field::ETag), row.value(Field::Size))
            {
                movable.entry((e_tag.clone(), *size)).or_default()[side] += 1;
            }
        };
        for ((key, id), row) in &before {
            match after.get(&(key.clone(), id.clone())) {
                None => {
                    note(row, 0);
                    model.told.push(("removed", key.clone(), row.version_id().to_owned(), FieldSet::EMPTY));
                }
                Some(other) => {
                    let fields: FieldSet =
                        compared.iter().filter(|field| row.value(*field) != other.value(*field)).collect();
                    if fields.is_empty() {
                        model.unchanged += 1;
                    } else {
                        model.told.push(("changed", key.clone(), other.version_id().to_owned(), fields));
                    }
                }
            }
        }
        for ((key, id), row) in &after {
            if !before.contains_key(&(key.clone(), id.clone())) {
                note(row, 1);
                model.told.push(("added", key.clone(), row.version_id().to_owned(), FieldSet::EMPTY));
            }
        }
        model.told.sort_by(|one, two| (&one.1, &one.2, one.0).cmp(&(&two.1, &two.2, two.0)));
        if common.contains(Field::ETag) && common.contains(Field::Size) {
            model.moved = movable.values().map(|[removed, added]| *removed.min(added)).sum();
        }
        model
    }
}
