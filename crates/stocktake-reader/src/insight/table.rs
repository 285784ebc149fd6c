//! An insight as tables with bars, for a terminal of any width.

use super::{
    report::{Insight, ObjectFacts, Ranking, Share},
    shown::{bytes, fraction, minute, percent, value_name, visible},
};
use std::fmt::Write;
use stocktake_core::grouped;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Narrowest width that figures and some of a name fit in.
const WIDTH_MIN: usize = 60;

/// Beyond it a bar is far from its name.
const WIDTH_MAX: usize = 140;

/// Columns of the figures and of the gaps between.
const FIGURES: usize = 2 + 14 + 2 + 9 + 2 + 7 + 2;

/// How tables are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableStyle {
    /// Columns of the terminal; at least 60 and at most 140 are used.
    pub width: usize,
    /// Whether headings and bars are coloured.
    pub color: bool,
}

impl TableStyle {
    /// Tables of a width, coloured or not.
    pub const fn new(width: usize, color: bool) -> Self {
        Self { width, color }
    }
}

impl Insight {
    /// The insight as tables: what stands out first.
    pub fn table(&self, style: TableStyle) -> String {
        let width = style.width.clamp(WIDTH_MIN, WIDTH_MAX);
        let mut table = Table { text: String::new(), width, color: style.color };
        table.head(self);
        table.findings(self);
        let total = self.total.bytes;
        let classes: Vec<Share> = self.storage_classes.iter().map(|class| class.share.clone()).collect();
        table.shares("Storage class", &classes, total, value_name);
        table.shares("Not modified for", &used(&self.ages), total, visible);
        table.shares("Size", &used(&self.sizes), total, visible);
        for values in &self.values {
            if values.values.iter().any(|share| !share.name.is_empty()) {
                table.shares(values.field.csv_name(), &values.values, total, value_name);
                if values.others > 0 {
                    table.line(&format!("and {} more values", grouped(values.others)));
                }
            }
        }
        let overall = &self.prefixes_overall;
        for depth in self.prefixes.iter().take(1).filter(|depth| depth.ranking.distinct > 0) {
            table.ranking("Prefixes, first level, by bytes", &depth.ranking, &depth.ranking.by_bytes, total);
        }
        table.ranking("Prefixes, all levels, by bytes", overall, &overall.by_bytes, total);
        table.ranking("Prefixes, all levels, by objects", overall, &overall.by_objects, total);
        table.ranking("File extension, by bytes", &self.extensions, &self.extensions.by_bytes, total);
        table.objects("Largest objects", &self.largest);
        table.objects("Oldest objects", &self.oldest);
        table.objects("Newest objects", &self.newest);
        table.duplicates(self);
        for note in &self.notes {
            table.line(&format!("note: {}", visible(note)));
        }
        table.text
    }
}

/// Classes in their order, without those that have nothing.
fn used(shares: &[Share]) -> Vec<Share> {
    shares.iter().filter(|share| share.tally.objects > 0).cloned().collect()
}

struct Table {
    text: String,
    width: usize,
    color: bool,
}

impl Table {
    fn head(&mut self, insight: &Insight) {
        let time = insight.created_at.as_deref().map_or_else(|| "at an unknown time".to_owned(), minute);
        let title = format!("{}, {time}", visible(&insight.source_bucket));
        self.heading(&title, "");
        let total = &insight.total;
        let mean = total.bytes.checked_div(total.objects).map(|mean| format!(", {} on average", bytes(mean)));
        let figures = format!("{} objects, {}", grouped(total.objects), bytes(total.bytes));
        self.line(&format!("{figures}{}", mean.unwrap_or_default()));
        if let (Some(noncurrent), Some(markers)) = (insight.noncurrent_objects, insight.delete_markers) {
            let noncurrent = format!("{} non-current, {}", grouped(noncurrent), bytes(total.noncurrent_bytes));
            self.line(&format!("{noncurrent}; {} delete markers", grouped(markers)));
        }
        if !insight.columns_absent.is_empty() {
            let names: Vec<_> = insight.columns_absent.iter().map(|field| field.csv_name()).collect();
            self.wrapped("Not in the report, so not known: ", &names);
        }
    }

    fn findings(&mut self, insight: &Insight) {
        if insight.findings.is_empty() {
            return;
        }
        self.columns("What stands out");
        for finding in &insight.findings {
            self.row(finding.kind.text(), finding.objects, finding.bytes, insight.total.bytes);
        }
    }

    fn shares(&mut self, title: &str, shares: &[Share], total: u64, name: fn(&str) -> String) {
        if shares.is_empty() {
            return;
        }
        self.columns(title);
        for share in shares {
            self.row(&name(&share.name), share.tally.objects, share.tally.bytes, total);
        }
    }

    fn ranking(&mut self, title: &str, ranking: &Ranking, shares: &[Share], total: u64) {
        self.shares(title, shares, total, value_name);
        if !shares.is_empty() && ranking.distinct > shares.len() as u64 {
            self.line(&format!("{} of {}", grouped(shares.len() as u64), grouped(ranking.distinct)));
        }
        if !ranking.exact {
            let missed = ranking.missed_at_most;
            let text = format!("{} objects and {}", grouped(missed.objects), bytes(missed.bytes));
            self.line(&format!("not exact: each may have up to {text} more"));
        }
    }

    fn objects(&mut self, title: &str, objects: &[ObjectFacts]) {
        if objects.is_empty() {
            return;
        }
        self.blank();
        let name = self.width - 2 - 9 - 2 - 20;
        self.heading(&padded(title, name), &format!("  {:>9}  {:>20}", "bytes", "modified"));
        for object in objects {
            let size = object.bytes.map_or_else(|| "unknown".to_owned(), bytes);
            let modified = object.last_modified.as_deref().map_or_else(|| "unknown".to_owned(), minute);
            let key = padded(&visible(&object.key), name);
            self.line(&format!("{key}  {size:>9}  {modified:>20}"));
        }
    }

    fn duplicates(&mut self, insight: &Insight) {
        let Some(found) = insight.duplicates.as_ref().filter(|found| found.contents > 0) else { return };
        self.columns("Copies of the same content");
        for copies in &found.leading {
            self.row(&visible(&copies.key), copies.objects, copies.bytes, insight.total.bytes);
        }
        let about = if found.exact { "" } else { "about " };
        let sums = format!("{about}{} contents, {about}{} in copies", grouped(found.contents), bytes(found.bytes));
        if found.exact {
            self.line(&sums);
        } else {
            self.line(&format!("{sums} (standard error {})", bytes(found.standard_error_bytes)));
        }
    }

    fn columns(&mut self, title: &str) {
        self.blank();
        let (name, bar) = self.split();
        let figures = format!("  {:>14}  {:>9}  {:>7}  {:bar$}", "objects", "bytes", "share", "");
        self.heading(&padded(title, name), figures.trim_end());
    }

    fn row(&mut self, name: &str, objects: u64, of_bytes: u64, total: u64) {
        let (name_width, bar_width) = self.split();
        let figures = format!("{:>14}  {:>9}  {:>7}", grouped(objects), bytes(of_bytes), percent(of_bytes, total));
        let bar = bar(fraction(of_bytes, total), bar_width);
        let bar = if self.color && !bar.is_empty() { format!("\u{1b}[36m{bar}\u{1b}[0m") } else { bar };
        self.line(&format!("{}  {figures}  {bar}", padded(name, name_width)));
    }

    /// Columns of names and of bars.
    fn split(&self) -> (usize, usize) {
        let rest = self.width - FIGURES;
        let bar = (rest / 3).max(8).min(rest / 2);
        (rest - bar, bar)
    }

    fn heading(&mut self, title: &str, figures: &str) {
        let line = format!("{title}{figures}");
        let line = line.trim_end();
        if self.color {
            self.line(&format!("\u{1b}[1m{line}\u{1b}[0m"));
        } else {
            self.line(line);
        }
    }

    /// Words on as many lines as they need.
    fn wrapped(&mut self, before: &str, words: &[&str]) {
        let mut line = before.to_owned();
        for (index, word) in words.iter().enumerate() {
            let comma = if index + 1 < words.len() { ", " } else { "" };
            if line.width() + word.width() + 1 > self.width {
                let full = std::mem::replace(&mut line, "  ".to_owned());
                self.line(&full);
            }
            line += word;
            line += comma;
        }
        self.line(&line);
    }

    fn blank(&mut self) {
        self.text.push('\n');
    }

    fn line(&mut self, line: &str) {
        // Writing to a text does not fail.
        let _ = writeln!(self.text, "{}", line.trim_end());
    }
}

/// A bar of eighths of characters; what is more than nothing shows.
fn bar(fraction: f64, width: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let exact = fraction * width as f64 * 8.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a fraction of some hundred")]
    let eighths = (exact.round() as usize).max(usize::from(fraction > 0.0)).min(width * 8);
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

/// A text of exactly so many columns: what is longer loses its middle.
fn padded(text: &str, width: usize) -> String {
    let columns = text.width();
    if columns <= width {
        return format!("{text}{}", " ".repeat(width - columns));
    }
    // The end of a key tells more than its middle.
    let (head_width, tail_width) = ((width - 1) / 2, width - 1 - (width - 1) / 2);
    let head = cut(text.chars(), head_width);
    let tail: String = cut(text.chars().rev(), tail_width).chars().rev().collect();
    let cut = format!("{head}…{tail}");
    let columns = cut.width();
    format!("{cut}{}", " ".repeat(width.saturating_sub(columns)))
}

/// As many characters as fit into so many columns.
fn cut(chars: impl Iterator<Item = char>, width: usize) -> String {
    let mut used = 0;
    chars
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= width
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_and_names_keep_their_width() {
        assert_eq!(bar(0.0, 4), "");
        assert_eq!(bar(1e-9, 4), "▏");
        assert_eq!(bar(0.5, 4), "██");
        assert_eq!(bar(1.0, 4), "████");
        assert_eq!(padded("ab", 4), "ab  ");
        assert_eq!(padded("abcdefgh", 5), "ab…gh");
        for text in ["漢字漢字漢字漢字", "e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}", "אבגדהוזחטי"]
        {
            for width in 3..9 {
                assert_eq!(padded(text, width).width(), width, "{text} in {width}");
            }
        }
    }
}
