//! A page of a listing: its rows, compactly, and where the next page begins.

use crate::{
    encoding::push_decoded,
    xml::{Step, walk_text},
};
use stocktake_core::{KEY_BYTES_MAX, Timestamp};

/// Rows of a page in memory that is one block of text and one of rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    /// Key, ETag and version id of each row, one behind the other.
    text: String,
    rows: Vec<Row>,
    /// Few-valued texts, each once; the first is empty.
    names: Vec<Box<str>>,
    /// Folders, where a delimiter was asked for.
    pub(crate) folders: Vec<String>,
    /// Where the next page begins; none: there is no next page.
    pub(crate) next: Option<Marker>,
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Marker {
    /// Behind a key; empty: with the first.
    Behind(String),
    /// Where a token of the server says.
    Token(String),
    /// Behind a version of a key.
    Version(String, String),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Row {
    key_end: u32,
    e_tag_end: u32,
    version_end: u32,
    class: u16,
    checksum: u16,
    owner: u16,
    flags: u16,
    size: u64,
    modified_ms: i64,
}

/// What is said of a page whose text or names are beyond the numbers that point into it.
const TOO_LARGE: &str = "the page is too large";

const LATEST: u16 = 1;
const MARKER: u16 = 2;
const HAS_SIZE: u16 = 4;

/// A row of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    pub(crate) key: &'a str,
    pub(crate) e_tag: &'a str,
    /// Version id as the server writes it: `null` for the null version.
    pub(crate) version_id: &'a str,
    pub(crate) size: Option<u64>,
    pub(crate) modified_ms: i64,
    pub(crate) class: &'a str,
    pub(crate) checksum: &'a str,
    pub(crate) owner: &'a str,
    pub(crate) is_latest: bool,
    pub(crate) is_marker: bool,
}

impl Page {
    /// Takes a reply of ListObjectsV2 or ListObjectVersions apart.
    ///
    /// # Errors
    /// Says what a whole, sound page would have: it ends, every row has its members, and a page that is not the last says
    /// where the next one begins.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, String> {
        let mut parser = Parser::default();
        parser.page.names.push(Box::from(""));
        // Some servers say so before their keys and some behind them; a key holds no `<`, so it cannot say it.
        let body = std::str::from_utf8(body).map_err(|_| "the reply is not UTF-8".to_owned())?;
        parser.encoded = body.contains("<EncodingType>url<");
        walk_text(body, |step| parser.step(step))?;
        parser.finish()
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Memory that the page takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.text.capacity() + self.rows.capacity() * size_of::<Row>() + 128
    }

    pub(crate) fn key(&self, row: usize) -> &str {
        &self.text[self.begin(row)..self.rows[row].key_end as usize]
    }

    /// Key and version id of a row, if there is one.
    pub(crate) fn row_id(&self, row: usize) -> Option<(String, String)> {
        (row < self.len()).then(|| self.entry(row)).map(|entry| (entry.key.to_owned(), entry.version_id.to_owned()))
    }

    pub(crate) fn last_key(&self) -> Option<&str> {
        self.rows.len().checked_sub(1).map(|row| self.key(row))
    }

    pub(crate) fn entry(&self, row: usize) -> Entry<'_> {
        let of = &self.rows[row];
        let name = |name: u16| &*self.names[usize::from(name)];
        Entry {
            key: self.key(row),
            e_tag: &self.text[of.key_end as usize..of.e_tag_end as usize],
            version_id: &self.text[of.e_tag_end as usize..of.version_end as usize],
            size: (of.flags & HAS_SIZE != 0).then_some(of.size),
            modified_ms: of.modified_ms,
            class: name(of.class),
            checksum: name(of.checksum),
            owner: name(of.owner),
            is_latest: of.flags & LATEST != 0,
            is_marker: of.flags & MARKER != 0,
        }
    }

    /// Adds a row behind the others.
    ///
    /// # Errors
    /// If the page has more text, or more different names, than a page can have.
    pub(super) fn push(&mut self, entry: &Entry<'_>) -> Result<(), String> {
        let flag = |set: bool, flag: u16| if set { flag } else { 0 };
        let mut row = Row { size: entry.size.unwrap_or(0), modified_ms: entry.modified_ms, ..Row::default() };
        row.flags =
            flag(entry.is_latest, LATEST) | flag(entry.is_marker, MARKER) | flag(entry.size.is_some(), HAS_SIZE);
        row.class = self.name(entry.class)?;
        row.checksum = self.name(entry.checksum)?;
        row.owner = self.name(entry.owner)?;
        for (text, end) in
            [(entry.key, &mut row.key_end), (entry.e_tag, &mut row.e_tag_end), (entry.version_id, &mut row.version_end)]
        {
            self.text.push_str(text);
            *end = u32::try_from(self.text.len()).map_err(|_| TOO_LARGE)?;
        }
        self.rows.push(row);
        Ok(())
    }

    /// The number of a few-valued text.
    fn name(&mut self, text: &str) -> Result<u16, String> {
        let at = self.names.iter().rposition(|name| **name == *text).unwrap_or_else(|| {
            self.names.push(Box::from(text));
            self.names.len() - 1
        });
        Ok(u16::try_from(at).map_err(|_| TOO_LARGE)?)
    }

    /// Keeps the first rows.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.rows.truncate(rows);
        self.text.truncate(self.rows.last().map_or(0, |row| row.version_end as usize));
    }

    /// Takes the rows from `row` on into a page of their own.
    pub(crate) fn split_off(&mut self, row: usize) -> Self {
        let begin = self.begin(row);
        // Offsets of one page are below 2^32, which the parser sees to.
        let cut = u32::try_from(begin).unwrap_or(u32::MAX);
        let mut rows = self.rows.split_off(row);
        for row in &mut rows {
            row.key_end -= cut;
            row.e_tag_end -= cut;
            row.version_end -= cut;
        }
        let text = self.text.split_off(begin);
        Self { text, rows, names: self.names.clone(), folders: Vec::new(), next: None }
    }

    /// The first row whose key is behind `key`.
    pub(crate) fn first_behind(&self, key: &str) -> usize {
        let mut range = 0..self.rows.len();
        while range.start < range.end {
            let middle = range.start + (range.end - range.start) / 2;
            if self.key(middle) <= key { range.start = middle + 1 } else { range.end = middle }
        }
        range.start
    }

    /// Checks that keys ascend, and that none stands twice unless a key may have many versions.
    ///
    /// # Errors
    /// Names the two keys.
    pub(crate) fn check_order(&self, versions: bool) -> Result<(), String> {
        for row in 1..self.len() {
            let (before, after) = (self.key(row - 1), self.key(row));
            if before > after || (before == after && !versions) {
                return Err(format!("the key {after:?} comes behind {before:?} in one page"));
            }
        }
        Ok(())
    }

    /// Makes one list of versions and delete markers: some servers write two lists, each in order.
    ///
    /// # Errors
    /// A list that is not in order.
    pub(crate) fn merge_lists(&mut self) -> Result<(), String> {
        for marker in [0, MARKER] {
            let mut of_list = (0..self.len()).filter(|row| self.rows[*row].flags & MARKER == marker);
            let mut before = of_list.next();
            for row in of_list {
                if let Some(before) = before.filter(|before| self.key(*before) > self.key(row)) {
                    return Err(format!("the key {:?} comes behind {:?} in one page", self.key(row), self.key(before)));
                }
                before = Some(row);
            }
        }
        if (1..self.len()).any(|row| self.key(row - 1) > self.key(row)) {
            let mut order: Vec<usize> = (0..self.len()).collect();
            // Stable: what the server wrote first of a key stays first.
            order.sort_by(|a, b| self.key(*a).cmp(self.key(*b)));
            let (mut text, mut rows) = (String::with_capacity(self.text.len()), Vec::with_capacity(self.rows.len()));
            // Offsets of one page are below 2^32, which the parser sees to.
            for from in order {
                let (begin, mut row) = (self.begin(from), self.rows[from]);
                let offset = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
                let moved = |end: u32| end - offset(begin) + offset(text.len());
                let ends = [moved(row.key_end), moved(row.e_tag_end), moved(row.version_end)];
                text.push_str(&self.text[begin..row.version_end as usize]);
                [row.key_end, row.e_tag_end, row.version_end] = ends;
                rows.push(row);
            }
            (self.text, self.rows) = (text, rows);
        }
        Ok(())
    }

    fn begin(&self, row: usize) -> usize {
        row.checked_sub(1).map_or(0, |before| self.rows[before].version_end as usize)
    }
}

#[derive(Debug, Default)]
struct Parser {
    page: Page,
    section: Section,
    key: String,
    e_tag: String,
    version: String,
    row: Row,
    has_time: bool,
    encoded: bool,
    truncated: Option<bool>,
    next_token: String,
    next_key: Option<String>,
    next_version: String,
    key_count: Option<usize>,
    versions: usize,
    /// The time that was parsed last, and its text: many objects are written in one second.
    time: (String, i64),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Section {
    #[default]
    Head,
    Row,
    Folder,
}

impl Parser {
    fn step(&mut self, step: Step<'_>) -> Result<(), String> {
        match step {
            Step::Open { depth: 1, name } if !matches!(name, "ListBucketResult" | "ListVersionsResult") => {
                Err(format!("the reply is <{name}>, not a listing"))
            }
            Step::Open { depth: 2, name } => {
                self.begin(name);
                Ok(())
            }
            Step::Open { .. } => Ok(()),
            Step::Close { depth: 2, name, text } => match self.section {
                Section::Row => self.end_row(),
                Section::Folder => Ok(()),
                Section::Head => self.head(name, text),
            },
            Step::Close { depth: 3, name, text } if self.section == Section::Row => self.member(name, text),
            Step::Close { depth: 4, name: "ID", text } if self.section == Section::Row => {
                self.row.owner = self.page.name(text)?;
                Ok(())
            }
            Step::Close { depth: 3, name: "Prefix", text } if self.section == Section::Folder => {
                self.page.folders.push(text.to_owned());
                Ok(())
            }
            Step::Close { .. } => Ok(()),
        }
    }

    fn begin(&mut self, name: &str) {
        self.section = match name {
            "Contents" | "Version" | "DeleteMarker" => Section::Row,
            "CommonPrefixes" => Section::Folder,
            _ => Section::Head,
        };
        if self.section == Section::Row {
            self.row = Row { flags: if name == "DeleteMarker" { MARKER } else { 0 }, ..Row::default() };
            (self.has_time, self.versions) = (false, self.versions + usize::from(name != "Contents"));
            [&mut self.key, &mut self.e_tag, &mut self.version].into_iter().for_each(String::clear);
        }
    }

    fn member(&mut self, name: &str, text: &str) -> Result<(), String> {
        match name {
            "Key" => self.key.push_str(text),
            "ETag" => self.e_tag.push_str(text.trim_matches('"')),
            "VersionId" => self.version.push_str(text),
            "Size" => {
                self.row.size = text.parse().map_err(|_| format!("the size {text:?} is none"))?;
                self.row.flags |= HAS_SIZE;
            }
            "LastModified" => {
                if self.time.0 != text {
                    let time = Timestamp::parse(text).map_err(|error| error.to_string())?;
                    self.time = (text.to_owned(), time.ms());
                }
                self.row.modified_ms = self.time.1;
                self.has_time = true;
            }
            "StorageClass" => self.row.class = self.page.name(text)?,
            "ChecksumAlgorithm" => self.row.checksum = self.page.name(text)?,
            "IsLatest" if text == "true" => self.row.flags |= LATEST,
            _ => {}
        }
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), String> {
        let page = &mut self.page;
        let before = page.text.len();
        if self.encoded {
            push_decoded(&mut page.text, self.key.as_bytes())?;
        } else {
            page.text.push_str(&self.key);
        }
        let key = &page.text[before..];
        if key.is_empty() || key.len() > KEY_BYTES_MAX {
            return Err(format!("a key has {} bytes", key.len()));
        }
        let needed = [(self.has_time, "LastModified"), (self.row.flags & (HAS_SIZE | MARKER) != 0, "Size")];
        if let Some((_, missing)) = needed.iter().find(|(has, _)| !has) {
            return Err(format!("the key {key:?} has no {missing}"));
        }
        let end = |text: &String| u32::try_from(text.len()).map_err(|_| TOO_LARGE.to_owned());
        self.row.key_end = end(&page.text)?;
        page.text.push_str(&self.e_tag);
        self.row.e_tag_end = end(&page.text)?;
        page.text.push_str(&self.version);
        self.row.version_end = end(&page.text)?;
        page.rows.push(self.row);
        Ok(())
    }

    fn head(&mut self, name: &str, text: &str) -> Result<(), String> {
        match name {
            "IsTruncated" => self.truncated = Some(text == "true"),
            "NextContinuationToken" => self.next_token.push_str(text),
            "NextKeyMarker" => self.next_key = Some(text.to_owned()),
            "NextVersionIdMarker" => self.next_version.push_str(text),
            "KeyCount" => self.key_count = text.parse().ok(),
            _ => {}
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Page, String> {
        let encoded = self.encoded;
        let decoded = |text: &str| {
            let mut out = String::new();
            if encoded {
                push_decoded(&mut out, text.as_bytes())?
            } else {
                out.push_str(text)
            }
            Ok::<_, String>(out)
        };
        for folder in &mut self.page.folders {
            *folder = decoded(folder)?;
        }
        let found = self.page.len() + self.page.folders.len();
        if self.key_count.is_some_and(|count| count != found) {
            return Err(format!("the page has {found} entries and says {:?}", self.key_count.unwrap_or(0)));
        }
        let more = self.truncated.ok_or("the page does not say whether it is the last")?;
        if more {
            let next = match self.next_key {
                Some(key) if self.next_version.is_empty() => Some(Marker::Behind(decoded(&key)?)),
                Some(key) => Some(Marker::Version(decoded(&key)?, self.next_version)),
                None if self.next_token.is_empty() => None,
                None => Some(Marker::Token(self.next_token)),
            };
            self.page.next = Some(next.ok_or("the page is not the last, but does not say where the next one begins")?);
        }
        self.page.text.shrink_to_fit();
        self.page.rows.shrink_to_fit();
        Ok(self.page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(head: &str, rows: &str) -> Result<Page, String> {
        Page::parse(
            format!("<ListBucketResult>{head}<IsTruncated>false</IsTruncated>{rows}</ListBucketResult>").as_bytes(),
        )
    }

    fn row(key: &str) -> String {
        format!("<Contents><Key>{key}</Key><LastModified>2026-11-22T01:00:00Z</LastModified><Size>5</Size></Contents>")
    }

    #[test]
    fn members_of_rows() {
        let rows = "<Contents><Key>a%2Fb+c</Key><LastModified>2026-11-22T01:00:00.123Z</LastModified>\
            <ETag>&quot;abc-2&quot;</ETag><ChecksumAlgorithm>CRC32</ChecksumAlgorithm><Size>5</Size>\
            <Owner><ID>me</ID><DisplayName>x</DisplayName></Owner><StorageClass>GLACIER</StorageClass>\
            <RestoreStatus><IsRestoreInProgress>true</IsRestoreInProgress></RestoreStatus></Contents>";
        let found = page("<EncodingType>url</EncodingType>", &(rows.to_owned() + &row("b"))).unwrap();
        let expected = Entry {
            key: "a/b c",
            e_tag: "abc-2",
            version_id: "",
            size: Some(5),
            modified_ms: 1_795_309_200_123,
            class: "GLACIER",
            checksum: "CRC32",
            owner: "me",
            is_latest: false,
            is_marker: false,
        };
        assert_eq!(found.entry(0), expected);
        assert_eq!((found.entry(1).key, found.entry(1).class, found.len()), ("b", "", 2));
        assert_eq!(page("", &(row("a+b") + "<EncodingType>url</EncodingType>")).unwrap().key(0), "a b");
        // Without an encoding a plus is a plus.
        assert_eq!(page("", &row("a+%20")).unwrap().key(0), "a+%20");
    }

    #[test]
    fn versions_and_markers_are_one_list() {
        let version = |element: &str, key: &str, id: &str| {
            format!(
                "<{element}><Key>{key}</Key><VersionId>{id}</VersionId><IsLatest>true</IsLatest>\
                 <LastModified>2026-11-22T01:00:00Z</LastModified>{}</{element}>",
                if element == "Version" { "<Size>1</Size>" } else { "" }
            )
        };
        let text =
            [version("Version", "a", "1"), version("Version", "c", "2"), version("DeleteMarker", "b", "3")].concat();
        let mut found = Page::parse(
            format!(
                "<ListVersionsResult><IsTruncated>true</IsTruncated><NextKeyMarker>c</NextKeyMarker>\
                 <NextVersionIdMarker>2</NextVersionIdMarker>{text}</ListVersionsResult>"
            )
            .as_bytes(),
        )
        .unwrap();
        assert!(found.check_order(true).is_err());
        found.merge_lists().unwrap();
        let ids: Vec<_> = (0..3).map(|row| found.entry(row)).map(|e| (e.key, e.version_id, e.is_marker)).collect();
        assert_eq!(ids, [("a", "1", false), ("b", "3", true), ("c", "2", false)]);
        assert_eq!(found.next, Some(Marker::Version("c".into(), "2".into())));
        found.truncate(2);
        assert_eq!((found.last_key(), found.first_behind("a"), found.first_behind("b")), (Some("b"), 1, 2));
    }

    #[test]
    fn unsound_pages_are_refused() {
        let fault = |head: &str, rows: &str| page(head, rows).unwrap_err();
        assert!(fault("<KeyCount>2</KeyCount>", &row("a")).contains("1 entries"));
        assert!(fault("", &row("")).contains("0 bytes"));
        assert!(fault("", "<Contents><Key>a</Key><Size>1</Size></Contents>").contains("no LastModified"));
        assert!(
            fault("", "<Contents><Key>a</Key><LastModified>2026-11-22T01:00:00Z</LastModified></Contents>")
                .contains("no Size")
        );
        assert!(Page::parse(b"<Other/>").unwrap_err().contains("not a listing"));
        assert!(Page::parse(b"<ListBucketResult></ListBucketResult>").unwrap_err().contains("the last"));
        let no_token = b"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>";
        assert!(Page::parse(no_token).unwrap_err().contains("where the next one begins"));
        let reversed = page("", &(row("b") + &row("a"))).unwrap();
        assert!(reversed.check_order(false).unwrap_err().contains("\"a\" comes behind \"b\""));
        assert!(page("", &(row("a") + &row("a"))).unwrap().check_order(false).is_err());
    }
}
