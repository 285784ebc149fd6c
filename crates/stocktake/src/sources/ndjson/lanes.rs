//! Finds keys in a sorted file without reading all of it: boundaries of lanes, and the place behind a key.

use super::{
    fault::Place,
    piece::each_line,
    plain::{PlainFile, Scan},
    row::RowReader,
};
use std::{fmt, num::NonZeroU32, ops::Range};
use stocktake_core::{Field, LaneDescriptor, ObjectKey, Plan, SourceError, SourceErrorKind};

/// A search for a key ends at a range of so many bytes, which is then read from its front.
const SEARCH_BYTES: u64 = 64 << 10;

/// Splits a file into at most `lanes` lanes of about as many bytes.
///
/// Lanes are fewer where keys are. Reads some lines at each boundary; no line is read twice.
///
/// # Errors
/// If the file cannot be read, or one of the lines that are looked at is malformed.
pub(super) fn split(file: &PlainFile, name: &str, lanes: NonZeroU32) -> Result<Plan, SourceError> {
    let range = file.range();
    let (mut boundaries, mut offsets) = (Vec::<ObjectKey>::new(), vec![range.start]);
    for lane in 1..u64::from(lanes.get()) {
        // In 128 bits, the product cannot overflow; the quotient is within the file.
        let share = u128::from(range.end - range.start) * u128::from(lane) / u128::from(lanes.get());
        let from = range.start + u64::try_from(share).unwrap_or(u64::MAX);
        if offsets.last().is_some_and(|last| from < *last) {
            continue;
        }
        let mut first: Option<ObjectKey> = None;
        let found = find(file, name, from, |key| match &first {
            Some(first) => key != first.as_str(),
            None => {
                first = ObjectKey::try_new(key).ok();
                false
            }
        })?;
        // Without another key up to the end there is none behind later places either.
        let Some((offset, key)) = found else { break };
        if boundaries.last().is_none_or(|last| *last < key) {
            boundaries.push(key);
            offsets.push(offset);
        }
    }
    let ends = offsets.iter().skip(1).chain([&range.end]);
    let tokens = offsets.iter().zip(ends);
    let tokens = tokens.map(|(start, end)| Some(Token::new(*start..*end, file.length_bytes).to_string())).collect();
    Plan::split(name, boundaries, tokens).map_err(|error| SourceError::malformed(error.to_string()).at(name))
}

/// Where in a lane's range to begin to read so that no key behind `after` is missed, and few others are read.
///
/// The file is sorted.
///
/// # Errors
/// As [`split`].
pub(super) fn seek(file: &PlainFile, name: &str, range: Range<u64>, after: &ObjectKey) -> Result<u64, SourceError> {
    let (mut low, mut high) = (range.start, range.end);
    while high - low > SEARCH_BYTES {
        let middle = low + (high - low) / 2;
        match find(file, name, middle, |_| true)? {
            Some((offset, key)) if offset < high && key <= *after => low = offset,
            _ => high = middle,
        }
    }
    Ok(low)
}

/// The first row from `from` on that is wanted: its offset and key.
fn find(
    file: &PlainFile,
    name: &str,
    from: u64,
    mut wanted: impl FnMut(&str) -> bool,
) -> Result<Option<(u64, ObjectKey)>, SourceError> {
    let mut row = RowReader::new();
    let mut scan = Scan::new(file, from);
    while let Some((offset, lines)) = scan.next_lines()? {
        let mut found = None;
        let (_, fault) = each_line(lines, |line| {
            if found.is_some() {
                return Ok(());
            }
            row.read(line.text)?;
            let key = row.key(line.text);
            if wanted(key) {
                let key = ObjectKey::try_new(key).map_err(|error| row.fault(Field::Key, error.to_string()))?;
                found = Some((offset + line.offset as u64, key));
            }
            Ok(())
        });
        if let Some(fault) = fault {
            return Err(fault.into_error(name, Place::Bytes(offset)));
        }
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// What the source notes in a plan for a lane: its bytes, and the length of the file, which must still be the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    range: Range<u64>,
    length_bytes: u64,
}

impl Token {
    fn new(range: Range<u64>, length_bytes: u64) -> Self {
        Self { range, length_bytes }
    }

    /// The bytes of a lane of this file.
    ///
    /// # Errors
    /// A lane that another source made, or of a file of another length.
    pub(super) fn range_of(lane: &LaneDescriptor, file: &PlainFile, name: &str) -> Result<Range<u64>, SourceError> {
        let unsupported = |problem: String| SourceError::new(SourceErrorKind::Unsupported, problem).at(name);
        let Some(text) = &lane.token else {
            return match (&lane.start, &lane.end) {
                (None, None) => Ok(file.range()),
                _ => Err(unsupported("the plan does not say where the lane stands in the file".to_owned())),
            };
        };
        let token = Self::parse(text).ok_or_else(|| {
            unsupported(format!("the plan's note `{}` is not of this kind of source", text.escape_debug()))
        })?;
        if token.length_bytes != file.length_bytes {
            let (planned, found) = (token.length_bytes, file.length_bytes);
            return Err(unsupported(format!("the file has {found} bytes, not {planned} as when it was planned")));
        }
        Ok(token.range)
    }

    fn parse(text: &str) -> Option<Self> {
        let (range, length) = text.strip_prefix("bytes ")?.split_once(" of ")?;
        let (start, end) = range.split_once('-')?;
        let token = Self::new(start.parse().ok()?..end.parse().ok()?, length.parse().ok()?);
        (token.range.start <= token.range.end && token.range.end <= token.length_bytes).then_some(token)
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bytes {}-{} of {}", self.range.start, self.range.end, self.length_bytes)
    }
}
