//! An inspection as a table for people.

use super::{Inspection, Spread};
use std::fmt::{self, Display, Formatter};
use stocktake_core::{FileFormat, Versions, grouped};

/// Columns of the names, wide enough for the longest.
const NAME_COLUMNS: usize = 18;

/// Columns of a line of field names.
const TEXT_COLUMNS: usize = 80;

impl Display for Inspection {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let unknown = || "unknown".to_owned();
        let number = |number: Option<u64>| number.map_or_else(unknown, grouped);
        let text = |text: &Option<String>| text.as_deref().map_or_else(unknown, visible);
        line(f, "Manifest", &visible(&self.manifest))?;
        line(f, "Complete", if self.complete { "yes" } else { "no" })?;
        line(f, "Source bucket", &visible(&self.source_bucket))?;
        line(f, "Destination bucket", &visible(&self.destination_bucket))?;
        match self.destination_prefix.as_deref() {
            Some("") => line(f, "Destination prefix", "none")?,
            _ => line(f, "Destination prefix", &text(&self.destination_prefix))?,
        }
        line(f, "Configuration", &text(&self.configuration_id))?;
        line(f, "Created", &text(&self.created_at))?;
        line(f, "Format", if self.format == FileFormat::Csv { "CSV, gzip" } else { self.format.name() })?;
        line(f, "Versions", if self.versions == Versions::All { "all" } else { "current" })?;
        fields(f, &self.fields.iter().map(|field| visible(&field.name)).collect::<Vec<_>>())?;
        line(f, "Files", &grouped(self.files))?;
        line(f, "Bytes", &(grouped(self.bytes) + &spread(self.file_bytes)))?;
        line(f, "Rows", &(number(self.rows) + &spread(self.file_rows)))?;
        line(f, "Sorted by key", self.sorted.map_or("unknown", |sorted| if sorted { "yes" } else { "no" }))?;
        if self.rows != Some(0) {
            line(f, "First key", &text(&self.first_key))?;
            line(f, "Last key", &text(&self.last_key))?;
        }
        line(f, "Skipped entries", &number(self.skipped_entries))?;
        if let (Some(ranges), Some(requests)) = (self.listed_ranges, self.listing_requests) {
            line(f, "Listed in", &format!("{} ranges, {} requests", grouped(ranges), grouped(requests)))?;
        }
        line(f, "Written by", &text(&self.generator))?;
        self.notes.iter().try_for_each(|note| line(f, "Note", &visible(note)))
    }
}

fn line(f: &mut Formatter<'_>, name: &str, text: &str) -> fmt::Result {
    writeln!(f, "{name:NAME_COLUMNS$}  {text}")
}

/// The number of fields and their names, on as many lines as they need.
fn fields(f: &mut Formatter<'_>, names: &[String]) -> fmt::Result {
    line(f, "Fields", &names.len().to_string())?;
    let mut row = String::new();
    for (index, name) in names.iter().enumerate() {
        if !row.is_empty() && row.len() + 1 + name.len() > TEXT_COLUMNS {
            line(f, "", &std::mem::take(&mut row))?;
        }
        row += if row.is_empty() { "" } else { " " };
        row += name;
        row += if index + 1 < names.len() { "," } else { "" };
    }
    if row.is_empty() { Ok(()) } else { line(f, "", &row) }
}

fn spread(spread: Option<Spread>) -> String {
    let text = |s: Spread| {
        format!(" ({} to {} in a file, {} on average)", grouped(s.smallest), grouped(s.largest), grouped(s.mean))
    };
    spread.map(text).unwrap_or_default()
}

/// Text with control characters escaped, so that no key can draw outside of its line.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_escaped() {
        assert_eq!(visible("a\n\u{1b}[1mé\u{9b}"), "a\\n\\u{1b}[1mé\\u{9b}");
    }
}
