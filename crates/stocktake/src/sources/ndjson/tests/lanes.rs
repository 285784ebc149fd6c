//! Lanes of a plain file give together what the whole gives; a lane can be opened behind a key.

use super::*;

fn key(text: &str) -> ObjectKey {
    ObjectKey::try_new(text).unwrap()
}

fn values(rows: Vec<(u64, Row)>) -> Vec<Row> {
    rows.into_iter().map(|(_, row)| row).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn lanes_join_to_the_whole(
        rows in rows(), seed in any::<u64>(), lanes in 1u32..12, piece_bytes in 1usize..2000, threads in 1usize..4,
    ) {
        let (text, _) = dump(&rows, seed);
        let file = file_of(text.as_bytes());
        let mut source = NdjsonSource::try_open(file.path()).unwrap();
        source.piece_bytes = piece_bytes;
        let plan = source.plan(NonZeroU32::new(lanes).unwrap()).unwrap();
        prop_assert!(plan.lanes().len() <= lanes as usize);
        let mut read_rows = Vec::new();
        for lane in plan.lanes() {
            let rows = values(read(&source, lane, None, &with_threads(threads)).unwrap());
            for row in &rows {
                let key = key(&row[&Field::Key]);
                prop_assert!(lane.start.as_ref().is_none_or(|start| *start <= key));
                prop_assert!(lane.end.as_ref().is_none_or(|end| key < *end));
            }
            prop_assert!(!rows.is_empty() || plan.lanes().len() == 1);
            read_rows.extend(rows);
        }
        prop_assert_eq!(read_rows, rows);
    }

    #[test]
    fn a_lane_opened_behind_a_key_gives_the_rest(
        rows in rows(), seed in any::<u64>(), lanes in 1u32..4, after in text(), at in any::<proptest::sample::Index>(),
    ) {
        let (text, numbers) = dump(&rows, seed);
        let after = if rows.is_empty() { after } else { rows[at.index(rows.len())][&Field::Key].clone() };
        let rest: Vec<_> = expected(&rows, &numbers).into_iter().filter(|(_, row)| row[&Field::Key] > after).collect();
        let file = file_of(text.as_bytes());
        let source = NdjsonSource::try_open(file.path()).unwrap();
        let mut read_rows = Vec::new();
        for lane in source.plan(NonZeroU32::new(lanes).unwrap()).unwrap().lanes() {
            read_rows.extend(values(read(&source, lane, Some(&key(&after)), &context()).unwrap()));
        }
        prop_assert_eq!(&read_rows, &values(rest.clone()));
        let stream = NdjsonSource::try_from_reader("x", std::io::Cursor::new(text)).unwrap();
        let plan = Plan::whole("x");
        prop_assert_eq!(read(&stream, &plan.lanes()[0], Some(&key(&after)), &context()).unwrap(), rest);
    }
}

#[test]
fn a_large_file_is_split_evenly_and_searched() {
    let text: String = (0..40_000).map(|row| format!("{{\"key\":\"k{:08}\",\"size\":{row}}}\n", row / 3)).collect();
    let file = file_of(text.as_bytes());
    let source = NdjsonSource::try_open(file.path()).unwrap();
    let plan = source.plan(NonZeroU32::new(4).unwrap()).unwrap();
    assert_eq!(plan.lanes().len(), 4);
    let mut total = 0;
    for lane in plan.lanes() {
        let rows = read(&source, lane, None, &with_threads(2)).unwrap();
        assert!((9_000..11_000).contains(&rows.len()), "{}", rows.len());
        total += rows.len();
    }
    assert_eq!(total, 40_000);
    for after in [0, 1, 6_000, 13_332, 13_333] {
        let rows =
            read(&source, &Plan::whole("x").lanes()[0], Some(&key(&format!("k{after:08}"))), &context()).unwrap();
        assert_eq!(rows.len(), 40_000 - (3 * (after + 1)).min(40_000));
    }
}

#[test]
fn a_key_with_many_versions_is_not_split() {
    let text = "{\"key\":\"a\"}\n".repeat(1000) + &"{\"key\":\"b\"}\n".repeat(10);
    let file = file_of(text.as_bytes());
    let plan = NdjsonSource::try_open(file.path()).unwrap().plan(NonZeroU32::new(16).unwrap()).unwrap();
    let starts: Vec<_> = plan.lanes().iter().filter_map(|lane| lane.start.as_ref()).map(ObjectKey::as_str).collect();
    assert_eq!(starts, ["b"]);
}

#[test]
fn mistakes_in_later_lanes_are_told_by_byte() {
    let good: String = (0..1000).map(|row| format!("{{\"key\":\"k{row:04}\"}}\n")).collect();
    let file = file_of(good.as_bytes());
    let source = NdjsonSource::try_open(file.path()).unwrap();
    let plan = source.plan(NonZeroU32::new(2).unwrap()).unwrap();
    let spoiled = good.replace("k0900", "k090\u{1}");
    let at = spoiled.find('\u{1}').unwrap();
    std::fs::write(file.path(), &spoiled).unwrap();
    assert!(read(&source, &plan.lanes()[0], None, &context()).is_ok());
    let error = read(&source, &plan.lanes()[1], None, &context()).unwrap_err();
    assert!(error.position().unwrap().ends_with(&format!(", byte offset {at}")), "{error}");
}

#[test]
fn lanes_of_another_plan_are_refused() {
    let file = file_of(b"{\"key\":\"a\"}\n{\"key\":\"b\"}\n{\"key\":\"c\"}\n");
    let source = NdjsonSource::try_open(file.path()).unwrap();
    let open = |json: &str| {
        let plan: Plan = serde_json::from_str(&format!("{{\"source\":\"s\",\"lanes\":[{json}]}}")).unwrap();
        source.open(&plan.lanes()[0], None, &context()).err().map(|error| error.kind())
    };
    assert_eq!(open(r#"{"index":0,"token":"bytes 0-36 of 36"}"#), None);
    assert_eq!(open(r#"{"index":0}"#), None);
    for bad in [
        r#"{"index":0,"token":"bytes 0-36 of 37"}"#,
        r#"{"index":0,"token":"bytes 0-37 of 36"}"#,
        r#"{"index":0,"token":"bytes 5-1 of 36"}"#,
        r#"{"index":0,"token":"x"}"#,
        r#"{"index":0,"end":"b"},{"index":1,"start":"b"}"#,
    ] {
        assert_eq!(open(bad), Some(SourceErrorKind::Unsupported), "{bad}");
    }
    let mut unsorted = context();
    unsorted.unsorted = true;
    let refused = read(&source, &Plan::whole("x").lanes()[0], Some(&key("a")), &unsorted).unwrap_err();
    assert_eq!(refused.kind(), SourceErrorKind::Unsupported);
    assert_eq!(source.plan(one()).unwrap().lanes()[0].token.as_deref(), Some("bytes 0-36 of 36"));
}
