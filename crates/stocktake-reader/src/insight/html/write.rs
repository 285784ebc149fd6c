//! Pieces of a page.

use super::super::shown::{bytes, percent};
use std::fmt::Write;
use stocktake_core::grouped;

/// A page that is being written.
#[derive(Debug, Default)]
pub(super) struct Html(String);

impl Html {
    /// Adds markup as it stands.
    pub(super) fn push(&mut self, markup: &str) {
        self.0.push_str(markup);
    }

    pub(super) fn section(&mut self, title: &str, content: impl FnOnce(&mut Self)) {
        self.push(&format!("<section><h2>{}</h2>\n", escaped(title)));
        content(self);
        self.push("</section>\n");
    }

    /// A line of small text.
    pub(super) fn soft(&mut self, text: &str) {
        self.push(&format!("<p class=\"soft\">{}</p>\n", escaped(text)));
    }

    pub(super) fn tile(&mut self, figure: &str, what: &str) {
        self.push(&format!("<div class=\"tile\"><b>{}</b><span>{}</span></div>", escaped(figure), escaped(what)));
    }

    /// A table of a name and three figures.
    pub(super) fn table(&mut self, titles: &[&str; 4], rows: impl FnOnce(&mut Self)) {
        self.push("<table><colgroup><col><col class=\"n\"><col class=\"b\"><col class=\"p\"></colgroup><tr>");
        titles.iter().for_each(|title| self.push(&format!("<th>{}</th>", escaped(title))));
        self.push("</tr>\n");
        rows(self);
        self.push("</table>\n");
    }

    /// A row of such a table, with the share by bytes; the name is markup.
    pub(super) fn figures(&mut self, name: &str, objects: u64, of_bytes: u64, total_bytes: u64) {
        self.cells(name, objects, of_bytes, &percent(of_bytes, total_bytes));
    }

    pub(super) fn cells(&mut self, name: &str, objects: u64, of_bytes: u64, share: &str) {
        let (objects, of_bytes) = (grouped(objects), bytes(of_bytes));
        let share = escaped(share);
        self.push(&format!("<tr><td>{name}</td><td>{objects}</td><td>{of_bytes}</td><td>{share}</td></tr>\n"));
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// Text for a place between tags.
pub(super) fn escaped(text: &str) -> String {
    let mut markup = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => markup.push_str("&amp;"),
            '<' => markup.push_str("&lt;"),
            '>' => markup.push_str("&gt;"),
            '"' => markup.push_str("&quot;"),
            '\'' => markup.push_str("&#39;"),
            c => markup.push(c),
        }
    }
    markup
}

/// A bar of a fraction of the width; what is more than nothing shows.
pub(super) fn bar(fraction: f64, class: &str) -> String {
    let width = if fraction > 0.0 { (fraction * 1000.0).max(3.0) } else { 0.0 };
    format!(
        "<svg viewBox=\"0 0 1000 1\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
         <rect class=\"{class}\" width=\"{width:.1}\" height=\"1\"/></svg>"
    )
}

/// A bar of parts that stand one behind the other, in the colours of ages.
pub(super) fn stack(parts: impl Iterator<Item = f64>) -> String {
    let mut markup =
        "<svg class=\"tall\" viewBox=\"0 0 1000 1\" preserveAspectRatio=\"none\" aria-hidden=\"true\">".to_owned();
    let mut x = 0.0;
    for (index, part) in parts.enumerate().filter(|(_, part)| *part > 0.0) {
        let width = part * 1000.0;
        // Writing to a text does not fail.
        let _ = write!(markup, "<rect class=\"a{index}\" x=\"{x:.1}\" width=\"{width:.1}\" height=\"1\"/>");
        x += width;
    }
    markup + "</svg>"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_markup() {
        assert_eq!(escaped("<script>\"&'"), "&lt;script&gt;&quot;&amp;&#39;");
    }
}
