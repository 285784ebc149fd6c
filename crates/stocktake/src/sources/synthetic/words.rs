//! Texts of generated names, each list in byte order and free of prefixes of one another, so that what follows a text
//! never decides the order.

/// Words of file names and folders that people choose.
pub(super) const WORDS: [&str; 32] = [
    "#1 hit",
    "50% off",
    "IMG_2041",
    "Quarterly Report",
    "R&D",
    "Screenshot 10.22.31",
    "a=b",
    "backup copy",
    "budget (final)",
    "contract",
    "draft",
    "emoji 🎉",
    "in/out",
    "invoice",
    "it's",
    "lease~1",
    "meeting \"minutes\"",
    "notes",
    "old",
    "photo",
    "plan",
    "presentación",
    "re:sumé",
    "sales+marketing",
    "scan",
    "vacation",
    "x, y; z",
    "Übersicht",
    "árvíztűrő",
    "отчёт",
    "データ",
    "契約書",
];

/// Tables of a data lake.
pub(super) const TABLES: [&str; 10] = [
    "ad_impressions",
    "clickstream_events",
    "customers",
    "inventory_snapshot",
    "order_items",
    "orders",
    "payments",
    "product_catalog",
    "sessions_daily",
    "web_vitals",
];

/// Ends of file names; the order does not matter.
pub(super) const ENDINGS: [&str; 8] = [".pdf", ".docx", ".jpg", ".png", ".xlsx", ".txt", ".mov", ".zip"];

/// What stands in the place of a space in a few names; the order does not matter.
pub(super) const CONTROLS: [&str; 4] = ["\n", "\t", "\u{1}", "\u{7f}"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_in_order_and_free_of_prefixes() {
        for list in [&WORDS[..], &TABLES] {
            for pair in list.windows(2) {
                assert!(pair[0] < pair[1] && !pair[1].starts_with(pair[0]), "{pair:?}");
            }
        }
    }
}
