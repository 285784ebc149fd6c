//! An insight as one page: no script, nothing from elsewhere, charts as SVG, light or dark as its reader has it.

mod write;

use super::{
    amount::Amount,
    report::{ClassShare, Insight, ObjectFacts, Ranking, Share},
    shown::{bytes, fraction, minute, percent, value_name, visible},
};
use stocktake_core::grouped;
use write::{Html, bar, escaped, stack};

const STYLE: &str = include_str!("page.css");

impl Insight {
    /// The insight as a self-contained page of HTML. Keys and names are escaped.
    pub fn html(&self) -> String {
        let mut page = Html::default();
        let bucket = visible(&self.source_bucket);
        // The policy forbids what no page of this kind has: scripts, and anything fetched.
        page.push(&format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{} – inventory</title>\n<style>\n{STYLE}</style></head>\n<body><main>\n",
            escaped(&bucket)
        ));
        head(&mut page, self, &bucket);
        findings(&mut page, self);
        let total = self.total;
        page.push("<div class=\"two\">\n");
        ages(&mut page, self);
        sizes(&mut page, self);
        page.push("</div>\n<div class=\"pair\">\n");
        let overall = &self.prefixes_overall;
        if let Some(first) = self.prefixes.first().filter(|first| first.ranking.distinct > 0) {
            let ranking = &first.ranking;
            page.section("Prefixes of the first level", |page| ranked(page, ranking, &ranking.by_bytes, total));
            page.section("Prefixes of all levels", |page| ranked(page, overall, &overall.by_bytes, total));
            page.section("Prefixes with the most objects", |page| by_objects(page, overall, total));
        }
        page.section("File extensions", |page| ranked(page, &self.extensions, &self.extensions.by_bytes, total));
        page.push("</div>\n<div class=\"pair\">\n");
        for values in &self.values {
            if values.values.iter().any(|share| !share.name.is_empty()) {
                page.section(values.field.csv_name(), |page| {
                    shares(page, "value", &values.values, total);
                    if values.others > 0 {
                        page.soft(&format!("and {} more values", grouped(values.others)));
                    }
                });
            }
        }
        page.push("</div>\n");
        duplicates(&mut page, self);
        objects(&mut page, "Largest objects", &self.largest);
        objects(&mut page, "Not modified for longest", &self.oldest);
        objects(&mut page, "Modified last", &self.newest);
        foot(&mut page, self);
        page.push("</main></body></html>\n");
        page.finish()
    }
}

fn head(page: &mut Html, insight: &Insight, bucket: &str) {
    let time = insight.created_at.as_deref().map_or_else(|| "at an unknown time".to_owned(), minute);
    let text = format!("<header><h1><bdi>{}</bdi></h1>", escaped(bucket));
    page.push(&text);
    page.soft(&format!("Inventory of {time} · {} rows, {}", grouped(insight.rows), insight.format.name()));
    page.push("</header>\n<div class=\"tiles\">");
    let total = &insight.total;
    page.tile(&bytes(total.bytes), "stored");
    page.tile(&grouped(total.objects), "objects");
    if let Some(mean) = total.bytes.checked_div(total.objects) {
        page.tile(&bytes(mean), "on average");
    }
    if let (Some(noncurrent), Some(markers)) = (insight.noncurrent_objects, insight.delete_markers) {
        page.tile(&bytes(total.noncurrent_bytes), &format!("in {} non-current versions", grouped(noncurrent)));
        page.tile(&grouped(markers), "delete markers");
    }
    page.push("</div>\n");
}

fn findings(page: &mut Html, insight: &Insight) {
    page.section("What stands out", |page| {
        if insight.findings.is_empty() {
            let text = if insight.rows == 0 { "The bucket is empty." } else { "Nothing of what is looked for." };
            page.soft(text);
            return;
        }
        page.table(&["", "objects", "bytes", "share"], |page| {
            for finding in &insight.findings {
                let share = fraction(finding.bytes, insight.total.bytes);
                let name = format!("{}{}", escaped(finding.kind.text()), bar(share, "w"));
                page.figures(&name, finding.objects, finding.bytes, insight.total.bytes);
            }
        });
    });
}

/// Storage classes, each divided by age.
fn ages(page: &mut Html, insight: &Insight) {
    let total = insight.total;
    page.section("Storage classes by age", |page| {
        for class in &insight.storage_classes {
            let ClassShare { share, ages, .. } = class;
            let figures = format!(
                "{} · {} · {}",
                grouped(share.tally.objects),
                bytes(share.tally.bytes),
                percent(share.tally.bytes, total.bytes)
            );
            let parts = ages.iter().map(|age| fraction(age.bytes, share.tally.bytes));
            page.push(&format!(
                "<div class=\"stack\"><div><span><bdi>{}</bdi></span><span>{figures}</span></div>{}</div>\n",
                escaped(&value_name(&share.name)),
                stack(parts)
            ));
        }
        page.push("<p class=\"legend\">");
        for (index, age) in insight.ages.iter().enumerate().filter(|(_, age)| age.tally.objects > 0) {
            let share = percent(age.tally.bytes, total.bytes);
            page.push(&format!("<span><i class=\"a{index}\"></i>{} · {share}</span>", escaped(&age.name)));
        }
        page.push("</p>\n");
        page.soft("Time since the last modification, by bytes.");
    });
}

fn sizes(page: &mut Html, insight: &Insight) {
    let total = insight.total;
    page.section("Sizes", |page| {
        page.table(&["size", "objects", "bytes", "share"], |page| {
            for share in insight.sizes.iter().filter(|share| share.tally.objects > 0) {
                let Amount { objects, bytes, .. } = share.tally;
                let bars = bar(fraction(bytes, total.bytes), "m") + &bar(fraction(objects, total.objects), "s");
                page.figures(&format!("{}{bars}", escaped(&share.name)), objects, bytes, total.bytes);
            }
        });
        page.push("<p class=\"legend\"><span><i style=\"background:var(--mark)\"></i>bytes</span>");
        page.push("<span><i style=\"background:var(--second)\"></i>objects</span></p>\n");
    });
}

fn shares(page: &mut Html, title: &str, shares: &[Share], total: Amount) {
    page.table(&[title, "objects", "bytes", "share"], |page| {
        for share in shares {
            let name = format!("<bdi>{}</bdi>", escaped(&value_name(&share.name)));
            let bar = bar(fraction(share.tally.bytes, total.bytes), "m");
            page.figures(&format!("{name}{bar}"), share.tally.objects, share.tally.bytes, total.bytes);
        }
    });
}

fn ranked(page: &mut Html, ranking: &Ranking, leading: &[Share], total: Amount) {
    if leading.is_empty() {
        page.soft("None.");
        return;
    }
    shares(page, "", leading, total);
    exactness(page, ranking, leading.len());
}

fn by_objects(page: &mut Html, ranking: &Ranking, total: Amount) {
    page.table(&["", "objects", "bytes", "share"], |page| {
        for share in &ranking.by_objects {
            let name = format!("<bdi>{}</bdi>", escaped(&value_name(&share.name)));
            let bar = bar(fraction(share.tally.objects, total.objects), "s");
            let of_objects = percent(share.tally.objects, total.objects);
            page.cells(&format!("{name}{bar}"), share.tally.objects, share.tally.bytes, &of_objects);
        }
    });
    exactness(page, ranking, ranking.by_objects.len());
}

fn exactness(page: &mut Html, ranking: &Ranking, told: usize) {
    if ranking.distinct > told as u64 {
        page.soft(&format!("{} of {}", grouped(told as u64), grouped(ranking.distinct)));
    }
    if !ranking.exact {
        let missed = ranking.missed_at_most;
        let text = format!("{} objects and {}", grouped(missed.objects), bytes(missed.bytes));
        page.soft(&format!("Not exact: the report is not sorted and has many; each may have up to {text} more."));
    }
}

fn duplicates(page: &mut Html, insight: &Insight) {
    let Some(found) = insight.duplicates.as_ref().filter(|found| found.contents > 0) else { return };
    page.section("Copies of the same content", |page| {
        page.table(&["first key", "objects", "bytes", "share"], |page| {
            for copies in &found.leading {
                let name = format!("<bdi class=\"key\">{}</bdi>", escaped(&visible(&copies.key)));
                let bar = bar(fraction(copies.bytes, insight.total.bytes), "w");
                page.figures(&format!("{name}{bar}"), copies.objects, copies.bytes, insight.total.bytes);
            }
        });
        let about = if found.exact { "" } else { "About " };
        let sums = format!("{about}{} contents, {} in copies beyond the first", grouped(found.contents), bytes(found.bytes));
        let error = if found.exact {
            String::new()
        } else {
            format!(", with a standard error of {}", bytes(found.standard_error_bytes))
        };
        page.soft(&format!("{sums}{error}. Told by ETag and size: content that was encrypted by a key of KMS, or uploaded in other parts, is not recognised."));
    });
}

fn objects(page: &mut Html, title: &str, objects: &[ObjectFacts]) {
    if objects.is_empty() {
        return;
    }
    page.section(title, |page| {
        page.push("<table><colgroup><col><col class=\"b\"><col class=\"t\"></colgroup>");
        page.push("<tr><th>key</th><th>bytes</th><th>modified</th></tr>\n");
        for object in objects {
            let unknown = || "unknown".to_owned();
            let class = object
                .storage_class
                .as_deref()
                .map(|class| format!("<br><span class=\"soft\">{}</span>", escaped(&visible(class))));
            page.push(&format!(
                "<tr><td><bdi class=\"key\">{}</bdi>{}</td><td>{}</td><td class=\"t\">{}</td></tr>\n",
                escaped(&visible(&object.key)),
                class.unwrap_or_default(),
                object.bytes.map_or_else(unknown, bytes),
                object.last_modified.as_deref().map_or_else(unknown, |time| escaped(&minute(time))),
            ));
        }
        page.push("</table>\n");
    });
}

fn foot(page: &mut Html, insight: &Insight) {
    if !insight.columns_absent.is_empty() {
        let names: Vec<_> = insight.columns_absent.iter().map(|field| field.csv_name()).collect();
        page.soft(&format!("Not in the report, so not known: {}.", names.join(", ")));
    }
    for note in &insight.notes {
        page.soft(&visible(note));
    }
    page.soft(&visible(&insight.manifest));
}
