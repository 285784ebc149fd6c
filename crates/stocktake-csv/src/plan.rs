//! How the rows of one segment become text: its columns, resolved once.

use crate::{
    few::{Combinations, MEMBERS_MAX, Member},
    format::{Dialect, Prefix},
    key::{BEHIND_BYTES, Escapes, escapes_of, put_key},
    marks::{self, Marks, RowMarks, SPAN_MARKS},
    number::put_count,
    page::{Full, Page},
    tail::{self, NO_NUMBER, SpanColumns, Spans},
    time::{TimeFault, TimeFields},
};
use std::ops::Range;
use stocktake_codec::{Hint, Mark};
use stocktake_core::{Column, Field, FieldType, IntColumn, NullVersion, ObjectBatch, TextColumn};

/// What is remembered from row to row, 0.3 MiB; without influence on the text.
#[derive(Debug)]
pub(crate) struct Memory {
    times: Box<TimeFields>,
    /// As many as the groups of a plan.
    groups: Vec<Combinations>,
    /// As many as the spans of a tail.
    spans: [Spans; SPANS],
    /// A key that is not followed by enough bytes where it lies.
    key: Vec<u8>,
}

impl Memory {
    pub(crate) fn new() -> Self {
        Self {
            times: Box::new(TimeFields::new()),
            groups: Vec::new(),
            spans: std::array::from_fn(|_| Spans::new()),
            key: Vec::new(),
        }
    }
}

/// Why rows are not written on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// A row did not fit into the page.
    Full,
    /// A row holds a number that the field cannot.
    Number { row: usize, field: Field, number: i64 },
}

/// The columns of a segment in file order.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    prefix: &'a Prefix,
    keys: &'a TextColumn,
    key_texts: Option<(&'a [i32], &'a [u8])>,
    escapes: &'static Escapes,
    cells: Vec<Cell<'a>>,
    tail: Option<Tail<'a>>,
}

/// The columns behind the last one with many values, if they are some.
#[derive(Debug)]
struct Tail<'a> {
    spans: [Span<'a>; SPANS],
}

/// Parts of a tail.
const SPANS: usize = 2;

/// Neighbouring columns, combinations of whose values are remembered together.
#[derive(Debug, Default)]
struct Span<'a> {
    columns: SpanColumns<'a>,
    cells: Vec<Cell<'a>>,
    /// Groups among the cells before.
    groups_before: usize,
}

/// One column, or neighbouring columns that are written together.
#[derive(Debug)]
enum Cell<'a> {
    /// A text that is the same in every row, with its comma.
    Constant(&'static [u8]),
    /// A number that is absent in every row; whether it has a mark.
    NoCount(bool),
    /// A time that is absent in every row.
    NoTime,
    Text(&'a TextColumn),
    /// A text with another spelling of "absent", with its comma.
    TextOr(&'a TextColumn, &'static [u8]),
    /// Whether it has a mark: behind the key's end it stands as far from the number above as that does.
    Count(Field, &'a IntColumn, bool),
    Time(Field, &'a IntColumn),
    Few(Vec<Member<'a>>),
}

/// Marks of a time, whether it is absent or not.
const TIME_MARKS: usize = 3;

const ABSENT: &[u8] = b"\"\",";
const NULL_VERSION: &[u8] = b"\"null\",";

impl<'a> Plan<'a> {
    /// A plan of a segment. What the memory knows of another segment's groups is forgotten.
    pub(crate) fn new(dialect: &'a Dialect, segment: &'a ObjectBatch, memory: &mut Memory) -> Self {
        let fields = dialect.fields.without(Field::Bucket).without(Field::Key);
        let mut cells = Vec::with_capacity(fields.len());
        let mut many_end = 0;
        for field in fields.iter() {
            add_cell(&mut cells, dialect, segment, field);
            if field.field_type() == FieldType::Text || matches!(field, Field::Size | Field::LastModifiedDate) {
                many_end = cells.len();
            }
        }
        let groups = groups_of(&cells);
        memory.groups.truncate(groups);
        memory.groups.iter_mut().for_each(Combinations::clear);
        memory.groups.resize_with(groups, Combinations::new);
        memory.spans.iter_mut().for_each(Spans::clear);
        let tail = Tail::split_off(&mut cells, many_end);
        let keys = segment.keys();
        Self {
            prefix: &dialect.prefix,
            keys,
            key_texts: keys.as_offsets(),
            escapes: escapes_of(dialect.options.key_encoding),
            cells,
            tail,
        }
    }

    /// Writes rows until the page has `enough_bytes`; returns the first row that is not written.
    ///
    /// # Errors
    /// [`Stop`], together with the row that is not written; the page ends with the row before it.
    pub(crate) fn write_rows(
        &self,
        rows: Range<usize>,
        memory: &mut Memory,
        page: &mut Page<'_>,
        enough_bytes: usize,
    ) -> (usize, Option<Stop>) {
        let mut marks = RowMarks::default();
        for row in rows.clone() {
            if page.at() >= enough_bytes {
                return (row, None);
            }
            let start = page.at();
            if let Err(stop) = self.write_row(row, memory, &mut marks, page) {
                page.truncate(start);
                return (row, Some(stop));
            }
        }
        (rows.end, None)
    }

    /// Writes a row and its marks, which are the same whichever columns a batch left out.
    #[inline(always)]
    pub(crate) fn write_row(
        &self,
        row: usize,
        memory: &mut Memory,
        row_marks: &mut RowMarks,
        page: &mut Page<'_>,
    ) -> Result<(), Stop> {
        let Memory { times, groups, spans, key } = memory;
        let mut marks = row_marks.begin(page);
        // The bucket before the key stands as far from the bucket above as the keys do from each other.
        self.prefix.put(page)?;
        marks.push(page, Hint::Sorted);
        let (text, bytes) = self.key(row, key);
        put_key(text, bytes, self.escapes, page)?;
        marks.push(page, Hint::SortedEnd);
        page.put(b"\",")?;
        put_cells(&self.cells, row, self.tail.is_none(), times, groups, page, &mut marks)?;
        if let Some(Tail { spans: columns }) = &self.tail {
            let mut numbers = [NO_NUMBER; SPANS];
            let (mut begins, mut front) = ([const { None }; SPANS], None);
            for place in 0..SPANS {
                let (span, memory) = (&columns[place], &mut spans[place]);
                begins[place] = marks.begin_part(page);
                if place == 0 {
                    front = marks.keep(page);
                }
                numbers[place] = match memory.put(&span.columns, row, page, &mut marks)? {
                    Some(number) => number,
                    None => {
                        marks.apart(|marks| page.apart(|page| span.put(row, times, groups, memory, page, marks)))?
                    }
                };
            }
            let [first, second] = begins;
            let hints = [marks::whole(numbers), marks::front(numbers[0]), marks::whole([0, numbers[1]])];
            for (mark, hint) in [first, front, second].into_iter().flatten().zip(hints) {
                mark.hint = hint;
            }
        }
        // In the place of the last field's comma.
        page.replace_last(b'\n');
        let left = marks.left();
        row_marks.end(left);
        Ok(())
    }

    /// A key's length, and a text that begins with it and goes on for [`BEHIND_BYTES`].
    #[inline(always)]
    fn key<'t>(&'t self, row: usize, copy: &'t mut Vec<u8>) -> (&'t [u8], usize) {
        if let Some((offsets, texts)) = self.key_texts
            && let Some([from, to]) = offsets.get(row..).and_then(<[i32]>::first_chunk)
        {
            let (from, to) = (from.cast_unsigned() as usize, to.cast_unsigned() as usize);
            if let Some(text) = texts.get(from..to + BEHIND_BYTES) {
                return (text, to - from);
            }
        }
        self.copied_key(row, copy)
    }

    /// As [`Plan::key`], of a key that lies alone, or at the end.
    #[inline(never)]
    fn copied_key<'t>(&self, row: usize, copy: &'t mut Vec<u8>) -> (&'t [u8], usize) {
        let key = self.keys.value(row).as_bytes();
        copy.clear();
        copy.extend_from_slice(key);
        copy.extend_from_slice(&[0; BEHIND_BYTES]);
        (copy, key.len())
    }
}

/// Writes the fields of a row in some columns; whether the seconds of times have marks.
#[inline(always)]
fn put_cells(
    cells: &[Cell<'_>],
    row: usize,
    seconds: bool,
    times: &mut TimeFields,
    groups: &mut [Combinations],
    page: &mut Page<'_>,
    marks: &mut Marks<'_>,
) -> Result<(), Stop> {
    let mut groups = groups.iter_mut();
    for cell in cells {
        match cell {
            Cell::Constant(text) => {
                marks.push(page, Hint::Random);
                page.put(text)?;
            }
            Cell::NoCount(marked) => {
                if *marked {
                    marks.push(page, Hint::Random);
                }
                page.put(ABSENT)?;
            }
            Cell::NoTime => TimeFields::put_absent(seconds, page, marks)?,
            Cell::Text(column) => {
                marks.push(page, Hint::Random);
                page.put_field(column.value(row))?;
            }
            Cell::TextOr(column, absent) => {
                marks.push(page, Hint::Random);
                match column.value(row) {
                    "" => page.put(absent)?,
                    text => page.put_field(text)?,
                }
            }
            Cell::Count(field, column, marked) => {
                if *marked {
                    marks.push(page, Hint::Random);
                }
                match column.value(row) {
                    None => page.put(ABSENT)?,
                    Some(number) => {
                        let count = u64::try_from(number).map_err(|_| Stop::Number { row, field: *field, number })?;
                        put_count(count, page)?;
                    }
                }
            }
            Cell::Time(field, column) => match column.value(row) {
                None => TimeFields::put_absent(seconds, page, marks)?,
                Some(number) => times.put(number, seconds, page, marks).map_err(|fault| match fault {
                    TimeFault::Full => Stop::Full,
                    TimeFault::OutOfRange => Stop::Number { row, field: *field, number },
                })?,
            },
            Cell::Few(members) => {
                if let Some(group) = groups.next() {
                    group.put(members, row, page, marks)?;
                }
            }
        }
    }
    Ok(())
}

fn groups_of(cells: &[Cell<'_>]) -> usize {
    cells.iter().filter(|cell| matches!(cell, Cell::Few(_))).count()
}

impl<'a> Tail<'a> {
    /// Takes the cells from one on, if they are enough for all spans and not more than those remember. That depends on the
    /// report's fields only.
    fn split_off(cells: &mut Vec<Cell<'a>>, from: usize) -> Option<Self> {
        let (mut spans, mut members, mut marks, mut ends) = ([Span::default(), Span::default()], 0, 0, Vec::new());
        for (place, cell) in cells.iter().enumerate().skip(from) {
            let (more_members, more_marks) = match cell {
                Cell::Few(some) => (some.len(), 1),
                Cell::Count(_, _, marked) | Cell::NoCount(marked) => (0, usize::from(*marked)),
                Cell::Time(..) | Cell::NoTime => (0, TIME_MARKS),
                Cell::Constant(_) | Cell::Text(_) | Cell::TextOr(..) => return None,
            };
            if members + more_members > tail::MEMBERS_MAX || marks + more_marks > SPAN_MARKS {
                ends.push(place);
                (members, marks) = (0, 0);
            }
            members += more_members;
            marks += more_marks;
        }
        let [end] = ends[..] else { return None };
        spans[1].cells = cells.split_off(end);
        spans[0].cells = cells.split_off(from);
        spans[0].groups_before = groups_of(cells);
        spans[1].groups_before = spans[0].groups_before + groups_of(&spans[0].cells);
        spans.iter_mut().for_each(Span::resolve);
        Some(Self { spans })
    }
}

impl Span<'_> {
    fn resolve(&mut self) {
        for cell in &self.cells {
            match cell {
                Cell::Few(members) => self.columns.push_members(members),
                Cell::Count(_, column, _) | Cell::Time(_, column) => self.columns.push_number(column),
                _ => {}
            }
        }
    }

    /// Writes a row's fields one by one, and remembers them together; returns the number of their text.
    #[inline(never)]
    fn put(
        &self,
        row: usize,
        times: &mut TimeFields,
        groups: &mut [Combinations],
        memory: &mut Spans,
        page: &mut Page<'_>,
        marks: &mut Marks<'_>,
    ) -> Result<u32, Stop> {
        let from = page.at();
        let mut own = [Mark { at: 0, hint: Hint::Nothing }; SPAN_MARKS];
        let mut own_marks = Marks::new(&mut own, page);
        put_cells(&self.cells, row, true, times, &mut groups[self.groups_before..], page, &mut own_marks)?;
        let count = SPAN_MARKS - own_marks.left();
        marks.put(&own, count);
        Ok(memory.learn(&self.columns, row, page.filled_from(from), &own[..count]))
    }
}

impl From<Full> for Stop {
    fn from(Full: Full) -> Self {
        Self::Full
    }
}

fn add_cell<'a>(cells: &mut Vec<Cell<'a>>, dialect: &Dialect, segment: &'a ObjectBatch, field: Field) {
    let null = field == Field::VersionId && dialect.options.null_version == NullVersion::Null;
    let cell = match segment.column(field) {
        Some(Column::Text(column)) if null => Cell::TextOr(column, NULL_VERSION),
        Some(Column::Text(column)) => Cell::Text(column),
        Some(Column::Int(column)) if field.field_type() == FieldType::Timestamp => Cell::Time(field, column),
        Some(Column::Int(column)) => Cell::Count(field, column, !cells.is_empty()),
        Some(Column::Code(column)) => return add_member(cells, field, Member::code(column)),
        Some(Column::Bool(column)) => return add_member(cells, field, Member::Bool(column)),
        None => match field.field_type() {
            FieldType::Code | FieldType::Boolean => return add_member(cells, field, Member::Absent),
            FieldType::Timestamp => Cell::NoTime,
            FieldType::Int64 | FieldType::Int32 => Cell::NoCount(!cells.is_empty()),
            _ if null => Cell::Constant(NULL_VERSION),
            _ => Cell::Constant(ABSENT),
        },
        Some(column) => unreachable!("a column of a kind that the core does not have: {column:?}"),
    };
    cells.push(cell);
}

/// Adds a column to the group before it, or begins one.
fn add_member<'a>(cells: &mut Vec<Cell<'a>>, field: Field, member: Member<'a>) {
    // Their values are long: with others they would keep these from being remembered.
    let alone = |field: Field| matches!(field, Field::ObjectAccessControlList | Field::ObjectOwner);
    match cells.last_mut() {
        Some(Cell::Few(members)) if !alone(field) && members.len() < MEMBERS_MAX => members.push(member),
        _ => cells.push(Cell::Few(vec![member])),
    }
}
