//! Rows of fields come back, and their repetitions are found.

use crate::support::{Numbers, inflated};
use stocktake_codec::{Deflater, Hint, Mark, Rows};

fn deflated(rows: &[Vec<(Vec<u8>, Hint)>], teller: &mut Rows, deflater: &mut Deflater) -> (Vec<u8>, Vec<u8>) {
    let (mut text, mut out) = (Vec::new(), Vec::new());
    deflater.begin();
    teller.begin();
    for row in rows {
        let from = text.len();
        let marks = laid(row, &mut text);
        let bytes = &text[from..];
        deflater.room(bytes.len())[..bytes.len()].copy_from_slice(bytes);
        assert_eq!(deflater.position(), from);
        assert_eq!(teller.push([(bytes.len(), &marks[..])].into_iter(), deflater), 1);
        if deflater.is_full() {
            deflater.end_block(&mut out);
        }
    }
    deflater.end(&mut out);
    (text, out)
}

/// Appends a row; returns its marks, which count from the last of those that others count from.
fn laid(row: &[(Vec<u8>, Hint)], text: &mut Vec<u8>) -> Vec<Mark> {
    let (mut from, mut marks) = (text.len(), Vec::new());
    for (field, hint) in row {
        marks.push(Mark { at: (text.len() - from) as u32, hint: *hint });
        if matches!(hint, Hint::Whole(_)) {
            from = text.len();
        }
        text.extend(field);
    }
    marks
}

/// As [`deflated`], of rows that are written and handed over some at a time.
fn deflated_together(rows: &[Vec<(Vec<u8>, Hint)>], together: usize, teller: &mut Rows) -> Vec<u8> {
    let (mut deflater, mut out) = (Deflater::new(), Vec::new());
    deflater.begin();
    teller.begin();
    for rows in rows.chunks(together) {
        let (mut text, mut all) = (Vec::new(), Vec::new());
        for row in rows {
            let from = text.len();
            let marks = laid(row, &mut text);
            all.push((text.len() - from, marks));
        }
        deflater.room(text.len())[..text.len()].copy_from_slice(&text);
        let (mut untold, mut ahead) = (&all[..], text.len());
        while !untold.is_empty() {
            let told = teller.push(untold.iter().map(|(bytes, marks)| (*bytes, &marks[..])), &mut deflater);
            ahead -= untold[..told].iter().map(|(bytes, _)| bytes).sum::<usize>();
            untold = &untold[told..];
            if deflater.is_full() {
                deflater.end_block_before(ahead, &mut out);
            }
        }
    }
    deflater.end(&mut out);
    out
}

#[test]
fn how_many_rows_are_handed_over_at_a_time_leaves_no_trace() {
    let mut rows = log_rows(20_000);
    // Rows that repeat others wholly, so that matches reach over many.
    let repeated = rows[9_000].clone();
    rows[9_001..9_400].fill(repeated);
    let (text, one_by_one) = deflated(&rows, &mut Rows::new(4, b"/"), &mut Deflater::new());
    assert!(inflated(&one_by_one) == text);
    for together in [2, 8, 61] {
        assert!(deflated_together(&rows, together, &mut Rows::new(4, b"/")) == one_by_one, "{together}");
    }
}

fn log_rows(count: u64) -> Vec<Vec<(Vec<u8>, Hint)>> {
    let mut numbers = Numbers(3);
    let row = |number: u64| {
        let status = numbers.below(3);
        let random = format!("{:016x}", numbers.next() << 17);
        vec![
            (format!("\"bucket\",\"logs/{:04}/part-{number:08}", number / 40).into_bytes(), Hint::Sorted),
            (b"\",\"".to_vec(), Hint::SortedEnd),
            (random.into_bytes(), Hint::Random),
            (format!("\",\"STATUS-{status}-OF-THREE\"\n").into_bytes(), Hint::Last(status as u32)),
        ]
    };
    (0..count).map(row).collect()
}

#[test]
fn rows_come_back_in_few_bytes() {
    let (mut teller, mut deflater) = (Rows::new(4, b"/"), Deflater::new());
    let rows = log_rows(20_000);
    let (text, out) = deflated(&rows, &mut teller, &mut deflater);
    assert!(inflated(&out) == text);
    // Eight bytes of chance, and about three matches a row.
    assert!(out.len() < 22 * rows.len(), "{}", out.len() / rows.len());
    assert!(deflated(&rows, &mut teller, &mut deflater).1 == out, "an earlier run leaves a trace");
}

#[test]
fn wrong_hints_cost_bytes_and_nothing_else() {
    let mut numbers = Numbers(5);
    let (mut teller, mut deflater) = (Rows::new(3, b"/a\x00"), Deflater::new());
    let hints = [
        [Hint::Above, Hint::Last(0), Hint::Last(9), Hint::Only(1), Hint::Random],
        [Hint::Sorted, Hint::SortedEnd, Hint::Whole(2), Hint::Whole(9), Hint::Front(1)],
    ]
    .concat();
    for round in 1..60 {
        let field = |numbers: &mut Numbers| {
            let (length, values) = (numbers.below(round * 40), 1 + numbers.below(100));
            let hint = hints[numbers.below(10) as usize];
            ((0..length).map(|_| b'a' + numbers.below(values) as u8).collect::<Vec<u8>>(), hint)
        };
        let rows: Vec<Vec<_>> =
            (0..100).map(|_| (0..1 + numbers.below(6)).map(|_| field(&mut numbers)).collect()).collect();
        let (text, out) = deflated(&rows, &mut teller, &mut deflater);
        assert!(inflated(&out) == text, "round {round}");
        assert!(deflated_together(&rows, 7, &mut teller) == out, "round {round}");
    }
}

/// Rows whose ends are of so many kinds, in two parts; with hints of the whole, of its front and of its fields, or of some.
fn rows_with_ends(count: u64, kinds: u64, hinted: impl Fn(Hint) -> bool) -> Vec<Vec<(Vec<u8>, Hint)>> {
    let mut numbers = Numbers(7);
    let row = |number: u64| {
        let (front, back) = (numbers.below(kinds), numbers.below(kinds));
        let random = format!("{:016x}", numbers.next() << 17);
        let number_of = |kind: u64| kind as u32;
        let fields = [
            (format!("logs/{number:08}"), Hint::Sorted),
            (String::new(), Hint::SortedEnd),
            (random, Hint::Random),
            (String::new(), Hint::Whole(number_of(front * kinds + back))),
            (String::new(), Hint::Front(number_of(100 + front))),
            (format!(",CLASS-{front}-OF-MANY"), Hint::Last(number_of(200 + front))),
            (format!(",\"TIER {front} OF SOME\""), Hint::Last(number_of(300 + front))),
            (String::new(), Hint::Whole(number_of(400 + back))),
            (format!(",OWNER-{}", "x".repeat(300 + back as usize)), Hint::Last(number_of(500 + back))),
            (format!(",{back}\n"), Hint::Above),
        ];
        fields.map(|(text, hint)| (text.into_bytes(), if hinted(hint) { hint } else { Hint::Nothing })).to_vec()
    };
    (0..count).map(row).collect()
}

#[test]
fn ends_of_rows_are_found_as_a_whole_in_parts_and_field_by_field() {
    let some_hints: [fn(Hint) -> bool; 3] =
        [|_| true, |hint| !matches!(hint, Hint::Front(_)), |hint| !matches!(hint, Hint::Last(_))];
    // Of few kinds, nearly all are near enough; of many, seldom the whole, and the parts are.
    for (kinds, bytes_max) in [(2, 17), (9, 21)] {
        let sizes = some_hints.map(|hinted| {
            let rows = rows_with_ends(4000, kinds, hinted);
            let (text, out) = deflated(&rows, &mut Rows::new(600, b"/"), &mut Deflater::new());
            assert!(inflated(&out) == text);
            assert!(deflated_together(&rows, 8, &mut Rows::new(600, b"/")) == out);
            out.len() / rows.len()
        });
        assert!(sizes.iter().all(|bytes| *bytes <= bytes_max), "{sizes:?}");
    }
}
