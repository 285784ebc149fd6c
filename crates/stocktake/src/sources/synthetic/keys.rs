//! The keys in order: the number of a key to its text, by arithmetic.
//!
//! A bucket is a list of sections in byte order, a section a list of leaves (folders), and a leaf is so many keys that
//! differ in one ascending number: a value drawn from the stratum that the key's place in the leaf has for its own. What
//! follows that number in a key is free.

use super::{
    key_text::{KeyText, uuid},
    random::{Draw, Draws, Seed, below, decimal, hex, hex_shuffled},
    words::{CONTROLS, ENDINGS, TABLES, WORDS},
};

/// Parts of a bucket, in byte order of their folders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Backups,
    Exports,
    Images,
    Logs,
    Tiles,
    Uploads,
    Warehouse,
}

/// Sections with their share of the keys in percent.
const SECTIONS: [(Section, u64); 7] = [
    (Section::Backups, 10),
    (Section::Exports, 5),
    (Section::Images, 20),
    (Section::Logs, 30),
    (Section::Tiles, 5),
    (Section::Uploads, 10),
    (Section::Warehouse, 20),
];

/// 2025-01-01T00:00:00Z; dated folders are of this year.
pub(super) const YEAR_START_MS: i64 = 1_735_689_600_000;
const HOUR_MS: i64 = 3_600_000;
const DAYS: u64 = 365;

/// Numbers that an upload may have behind its two words.
const UPLOAD_NUMBERS: u64 = 10_000;

/// All keys of a bucket.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    seed: Seed,
    count: u64,
    sections: [Folders; SECTIONS.len()],
}

/// The leaves of a section: `first..end` are numbers of keys.
#[derive(Clone, Copy, Debug)]
struct Folders {
    section: Section,
    first: u64,
    end: u64,
    /// Number of leaves.
    leaves: u64,
    /// The part of the leaves' shape that grows with the section: machines, users, days.
    scale: u64,
}

/// A folder's keys.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaf {
    pub(super) section: Section,
    /// Numbers of its keys.
    first: u64,
    end: u64,
    /// Width of a key's stratum.
    step: u64,
    /// When its objects were written, if the folder's name says so: earliest time, and seconds that it took.
    pub(super) written: Option<(i64, u64)>,
}

impl Keys {
    pub(super) fn new(count: u64, seed: u64) -> Self {
        let mut share = 0;
        let sections = SECTIONS.map(|(section, percent)| {
            let first = count * share / 100;
            share += percent;
            Folders::new(section, first, count * share / 100)
        });
        Self { seed: Seed::new(seed), count, sections }
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn draws(&self, key: u64) -> Draws {
        Draws::of_key(self.seed, key)
    }
}

impl Folders {
    fn new(section: Section, first: u64, end: u64) -> Self {
        let keys = end - first;
        // How many leaves there are for each unit of scale, how many keys a leaf has where scale decides, and its most.
        let (leaves, leaf_keys, scale_max) = match section {
            Section::Backups => (52 * 2, 100, 999_999),
            Section::Exports => (WORDS.len() as u64, 40, WORDS.len() as u64),
            Section::Images => (1, u64::MAX, 1),
            Section::Logs => (DAYS, 60, 999_999),
            Section::Tiles => (9, 150, 999_999),
            Section::Uploads => (1, 12, 1_000_000_000),
            Section::Warehouse => (TABLES.len() as u64 * 24, 20, DAYS),
        };
        let scale = (keys / leaf_keys / leaves).clamp(1, scale_max);
        Self { section, first, end, leaves: leaves * scale, scale }
    }

    /// Number of the leaf that holds a key, and the keys that it holds.
    fn leaf(&self, key: u64) -> (u64, u64, u64) {
        let (keys, leaves) = (u128::from(self.end - self.first), u128::from(self.leaves));
        let leaf = ((u128::from(key - self.first) + 1) * leaves - 1) / keys;
        // Less than the leaves or keys of a section.
        let narrow = |value: u128| u64::try_from(value).unwrap_or(u64::MAX);
        let start = |leaf: u128| self.first + narrow(keys * leaf / leaves);
        (narrow(leaf), start(leaf), start(leaf + 1))
    }
}

/// Writes keys, those of one leaf at little cost.
#[derive(Debug)]
pub(super) struct KeyWriter<'a> {
    keys: &'a Keys,
    leaf: Leaf,
    text: KeyText,
    /// Where the part that differs from key to key begins.
    tail: usize,
}

impl<'a> KeyWriter<'a> {
    pub(super) fn new(keys: &'a Keys) -> Self {
        let leaf = Leaf { section: Section::Backups, first: 0, end: 0, step: 0, written: None };
        Self { keys, leaf, text: KeyText::new(), tail: 0 }
    }

    pub(super) fn leaf(&self) -> &Leaf {
        &self.leaf
    }

    /// The text of a key, below the number of keys.
    pub(super) fn write_at(&mut self, key: u64) -> &str {
        self.write(key, self.keys.draws(key));
        self.as_str()
    }

    pub(super) fn as_str(&self) -> &str {
        self.text.as_str()
    }

    /// Writes a key whose draws are known.
    #[inline]
    pub(super) fn write(&mut self, key: u64, draws: Draws) {
        if key < self.leaf.first || key >= self.leaf.end {
            self.enter(key);
        }
        let value = (key - self.leaf.first) * self.leaf.step + below(draws.bits(Draw::Stratum), self.leaf.step);
        let (text, tail) = (&mut self.text, self.tail);
        match self.leaf.section {
            Section::Backups => *text.at(tail) = decimal::<8>(value),
            Section::Tiles => *text.at(tail) = decimal::<6>(value),
            Section::Images => {
                let digits = hex(value);
                let text = text.at::<38>(tail);
                text[..2].copy_from_slice(&digits[..2]);
                text[3..5].copy_from_slice(&digits[2..4]);
                text[6..22].copy_from_slice(&digits);
                text[22..].copy_from_slice(&hex_shuffled(draws.bits(Draw::Name)));
            }
            Section::Logs => uuid(text.at(tail), hex(value), hex_shuffled(draws.bits(Draw::Name))),
            Section::Warehouse => {
                let text = text.at::<45>(tail);
                text[..8].copy_from_slice(&decimal::<8>(value));
                if let Some(text) = text.last_chunk_mut() {
                    uuid(text, hex_shuffled(draws.bits(Draw::NameHigh)), hex_shuffled(draws.bits(Draw::Name)));
                }
            }
            Section::Uploads => self.write_upload(value, draws.bits(Draw::Name)),
            Section::Exports => self.write_export(value, draws.bits(Draw::Name)),
        }
    }

    fn write_upload(&mut self, value: u64, random: u64) {
        let (words, number) = (value / UPLOAD_NUMBERS, value % UPLOAD_NUMBERS);
        self.text.truncate(self.tail);
        self.text.push(item(&WORDS, words / WORDS.len() as u64));
        self.text.push(" ");
        self.text.push(item(&WORDS, words % WORDS.len() as u64));
        self.text.push(" ");
        self.text.push_decimal::<4>(number);
        if random & 0xFF == 0 {
            self.text.push(item(&CONTROLS, random >> 8));
        }
        self.text.push(item(&ENDINGS, random >> 16));
        self.text.close();
    }

    fn write_export(&mut self, value: u64, random: u64) {
        self.text.truncate(self.tail);
        self.text.push_decimal::<2>(value / 100_000_000);
        self.text.push_decimal::<8>(value % 100_000_000);
        self.text.push(if random & 0x7F == 0 { item(&CONTROLS, random >> 8) } else { " " });
        self.text.push("& co, v");
        self.text.push_decimal::<2>(below(random, 50));
        self.text.push(".csv");
        self.text.close();
    }

    /// Moves to the leaf of a key: writes its folder, and whatever stands at a fixed place behind the tail.
    #[cold]
    fn enter(&mut self, key: u64) {
        let Some(folders) = self.keys.sections.iter().find(|folders| key < folders.end) else {
            unreachable!("the sections hold every key below the number of keys")
        };
        let (number, first, end) = folders.leaf(key);
        self.text.truncate(0);
        let jitter = self.keys.seed.bits(0x2545_F491_4F6C_DD1D, number);
        let (space, written, rest) = self.write_folder(folders, number, end - first, jitter);
        self.tail = self.text.len();
        self.text.push(rest);
        self.text.close();
        self.leaf = Leaf { section: folders.section, first, end, step: space / (end - first), written };
    }

    /// Writes the folder of a leaf of so many keys. Returns how many values its number may have, when the objects were
    /// written, and a text of the length of the tail that holds what stands in all keys.
    fn write_folder(
        &mut self,
        folders: &Folders,
        leaf: u64,
        keys: u64,
        jitter: u64,
    ) -> (u64, Option<(i64, u64)>, &'static str) {
        let scale = folders.scale;
        let text = &mut self.text;
        match folders.section {
            Section::Backups => {
                let (week, disk) = (leaf / 2 % 52, leaf % 2);
                text.push("backups/vm-");
                text.push_decimal::<6>(leaf / 104);
                text.push("/");
                text.push_date("-", week * 7);
                text.push("T03:00:00Z/disk-");
                text.push_decimal::<1>(disk);
                text.push("/block-");
                let start = day_ms(week * 7) + 3 * HOUR_MS;
                // Blocks are numbered without gaps, and so are parts of a table.
                (keys, Some((start, 7200)), "00000000.bin")
            }
            Section::Exports => {
                let (one, other) =
                    (item(&WORDS, leaf / scale), item(&WORDS, leaf % scale * WORDS.len() as u64 / scale));
                for part in ["data export/", one, "+", other, "/100%25 \"", one, "\" report #"] {
                    text.push(part);
                }
                (10_000_000_000, None, "")
            }
            Section::Images => {
                text.push("images/");
                (u64::MAX, None, "00/00/00000000000000000000000000000000.jpg")
            }
            Section::Logs => {
                let (day, host) = (leaf / scale, leaf % scale);
                text.push("logs/");
                text.push_date("/", day);
                text.push("/host-");
                text.push_decimal::<6>(host);
                text.push("/app-");
                (u64::MAX, Some((day_ms(day), 86_400)), "00000000-0000-0000-0000-000000000000.json.gz")
            }
            Section::Tiles => {
                let (zoom, x) = (leaf / scale, leaf % scale);
                let width = 1_000_000 / scale;
                text.push("map-tiles/v3/streets/");
                text.push_decimal::<2>(10 + zoom);
                text.push("/");
                text.push_decimal::<6>(x * width + below(jitter, width));
                text.push("/");
                (1_000_000, None, "000000@2x.png")
            }
            Section::Uploads => {
                let width = 10_000_000_000 / folders.leaves;
                text.push("users/");
                let user = leaf * width + below(jitter, width);
                text.push_decimal::<2>(user / 100_000_000);
                text.push_decimal::<8>(user % 100_000_000);
                text.push("/uploads/");
                ((WORDS.len() * WORDS.len()) as u64 * UPLOAD_NUMBERS, None, "")
            }
            Section::Warehouse => {
                let (table, hour) = (leaf / 24 / scale, leaf % 24);
                let day = leaf / 24 % scale * DAYS / scale;
                text.push("warehouse/");
                text.push(item(&TABLES, table));
                text.push("/dt=");
                text.push_date("-", day);
                text.push("/hour=");
                text.push_decimal::<2>(hour);
                text.push("/part-");
                let start = day_ms(day) + (1 + i64::try_from(hour).unwrap_or(0)) * HOUR_MS;
                (keys, Some((start, 1200)), "00000000-00000000-0000-0000-0000-000000000000.snappy.parquet")
            }
        }
    }
}

/// The text at a place of a list that begins anew at its end.
fn item<const N: usize>(list: &[&'static str; N], at: u64) -> &'static str {
    // Below the length of a short list.
    list[usize::try_from(at % N as u64).unwrap_or(0)]
}

fn day_ms(day: u64) -> i64 {
    // A day of one year.
    YEAR_START_MS + i64::try_from(day).unwrap_or(0) * 24 * HOUR_MS
}
