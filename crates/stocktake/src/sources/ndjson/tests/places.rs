//! Mistakes are told with the line and column where they stand.

use super::*;

fn fault_of(text: impl AsRef<[u8]>) -> SourceError {
    let file = file_of(text.as_ref());
    match NdjsonSource::try_open(file.path()) {
        Err(error) => error,
        Ok(source) => read_whole(&source, &context()).expect_err("a mistake"),
    }
}

fn check(text: impl AsRef<[u8]>, place: &str, message: &str) {
    let error = fault_of(text);
    assert_eq!(error.kind(), SourceErrorKind::Malformed, "{error}");
    assert!(error.position().unwrap().ends_with(&format!(", {place}")), "{error}, expected {place}");
    assert!(error.to_string().contains(message), "{error}, expected {message}");
}

#[test]
fn lines_and_columns_are_told() {
    for (text, place, message) in [
        (r#"{"key":"a","size":-1}"#, "line 1, column 19", "Size takes a whole number from 0"),
        (r#"{"key":"a","size":1.5}"#, "line 1, column 19", "whole number"),
        (r#"{"key":"a","size":1e3}"#, "line 1, column 19", "whole number"),
        (r#"{"key":"a","size":01}"#, "line 1, column 19", "leading zeros"),
        (r#"{"key":"a","size":"12a"}"#, "line 1, column 19", "Size takes"),
        (r#"{"key":"a","size":9223372036854775808}"#, "line 1, column 19", "64 bits"),
        (r#"{"key":"a","size":true}"#, "line 1, column 19", "Size takes"),
        (r#"{"key":"a","e_tag":12}"#, "line 1, column 20", "ETag takes a string (key `a`)"),
        (r#"{"key":"a","is_latest":1}"#, "line 1, column 24", "IsLatest takes `true` or `false`"),
        (r#"{"key":"a","is_latest":"TRUE"}"#, "line 1, column 24", "IsLatest takes `true` or `false`"),
        (r#"{"key":"a","last_modified_date":"yesterday"}"#, "line 1, column 33", "LastModifiedDate takes a time"),
        (r#"{"key":"a","e_tag":{"x":1}}"#, "line 1, column 20", "not nested"),
        (r#"{"key":"a","e_tag":[]}"#, "line 1, column 20", "not nested"),
        (r#"{"key":"a","etag":"x"}"#, "line 1, column 12", "the member `etag` is no field of a report (key `a`)"),
        (r#"{"key":"a","size":1,"Size":1}"#, "line 1, column 21", "`Size`, or `size`, stands twice (key `a`)"),
        (r#"{"key":"a","key":"a"}"#, "line 1, column 12", "stands twice"),
        (r#"  {"size":1}"#, "line 1, column 3", "the row has no key"),
        (r#"{"key":null}"#, "line 1, column 8", "the row has no key"),
        (r#"{"key":""}"#, "line 1, column 8", "the row has no key"),
        (r#"{}"#, "line 1, column 1", "the row has no key"),
        (r#"{"key":"a"} x"#, "line 1, column 13", "only one JSON object"),
        (r#"{"key":"a"}{"key":"b"}"#, "line 1, column 12", "only one JSON object"),
        (r#"{"key":"a""#, "line 1, column 11", "found the end of the line"),
        (r#"{"key":"a,"#, "line 1, column 8", "the line ends within the string"),
        (r#"{"key":"a",}"#, "line 1, column 12", "name in quotes"),
        (r#"{"key" "a"}"#, "line 1, column 8", "`:` is expected"),
        (r#"{"key":"a" "size":1}"#, "line 1, column 12", "`,` or `}` is expected"),
        (r#"{"key":"a\x"}"#, "line 1, column 10", "no escape"),
        (r#"{"key":"a\ud800"}"#, "line 1, column 10", "surrogate"),
        (r#"{"key":"a\udc00\ud800"}"#, "line 1, column 10", "surrogate"),
        (r#"{"key":"é\ud800A"}"#, "line 1, column 11", "surrogate"),
        ("{\"key\":\"a\tb\"}", "line 1, column 10", "control character"),
        (r#"{"key":nul}"#, "line 1, column 8", "no JSON value"),
        (r#"{"key":'a'}"#, "line 1, column 8", "JSON value is expected"),
        (r#"["key"]"#, "line 1, column 1", "a JSON object is expected, found '['"),
        ("{\"key\":\"a\"}\r\n\n \n{\"key\":\"b\",\"size\":-1}", "line 4, column 19", "(key `b`)"),
        ("\u{FEFF}{\"key\":1}\n", "line 1, column 8", "Key takes a string"),
        ("{\"key\":\"a\"}\n\u{FEFF}{\"key\":\"b\"}\n", "line 2, column 1", "a JSON object is expected"),
        (
            r#"{"bucket":"other","key":"a"}"#,
            "line 1, column 11",
            "the bucket is `other`, not `b` as the report's (key `a`)",
        ),
    ] {
        check(text, place, message);
    }
    check(b"{\"key\":\"a\"}\n{\"key\":\"b\xFF\"}\n", "line 2, column 10", "not UTF-8");
    check(b"{\"key\":\"a\"}\n{\"key\":\"b\xC3\n\"}\n", "line 2, column 10", "not UTF-8");
    check(b"{\"key\":1}\n{\"key\":\"b\xFF\"}\n", "line 1, column 8", "Key takes a string");
}

#[test]
fn what_a_report_cannot_hold_is_told_at_its_value() {
    let long = "x".repeat(2000);
    check(format!("{{\"e_tag\":\"e\",\"key\":\"{long}\"}}"), "line 1, column 20", "a key has 1 to 1024 bytes");
    check(
        format!("{{\"e_tag\":\"{long}\",\"key\":\"a\"}}"),
        "line 1, column 10",
        "ETag of key \"a\": a value of 2000 bytes",
    );
}

#[test]
fn a_line_has_a_longest_length() {
    let mut text = b"{\"key\":\"a\"}\n{\"key\":\"b\"".to_vec();
    text.resize(12 + LINE_BYTES_MAX - 1, b' ');
    text.extend_from_slice(b"}\n{\"key\":\"c\"}\n");
    assert_eq!(read_bytes(&text, &context()).unwrap().len(), 3);
    text.insert(30, b' ');
    check(&text, "line 2, column 1", "longer than 4194304 bytes");
    text.truncate(LINE_BYTES_MAX + 100);
    check(&text, "line 2, column 1", "longer than 4194304 bytes");
    let source = NdjsonSource::try_from_reader("x", std::io::Cursor::new(text)).unwrap();
    let error = read_whole(&source, &context()).unwrap_err();
    assert_eq!(error.position(), Some("x, line 2, column 1"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn the_first_mistake_is_told_wherever_seams_fall(
        rows in rows(), seed in any::<u64>(), at in any::<proptest::sample::Index>(), piece_bytes in 1usize..400, threads in 1usize..4,
    ) {
        prop_assume!(!rows.is_empty());
        let (text, numbers) = dump(&rows, seed);
        let spoiled = at.index(rows.len());
        let mut lines: Vec<String> = text.trim_start_matches('\u{FEFF}').split('\n').map(str::to_owned).collect();
        let line = usize::try_from(numbers[spoiled]).unwrap() - 1;
        lines[line] = lines[line].trim_end_matches('\r').to_owned() + "!";
        lines.push("?".to_owned());
        let place = format!("x, line {}, column {}", line + 1, lines[line].len());
        let text = lines.join("\n");
        let file = file_of(text.as_bytes());
        // The front is looked at first: a source of good lines is made, and then given the bad ones.
        let good = file_of(b"");
        let mut sources = [NdjsonSource::try_open(good.path()).unwrap(), NdjsonSource::try_open(good.path()).unwrap()];
        sources[0].input = SourceInput::Plain(
            PlainFile::try_new(Arc::new(file.reopen().unwrap()), "x".into(), text.len() as u64).unwrap());
        sources[1].input = SourceInput::Once(Mutex::new(Some(Box::new(
            Input::try_new(Box::new(std::io::Cursor::new(text))).unwrap()))));
        for mut source in sources {
            source.name = "x".to_owned();
            source.piece_bytes = piece_bytes;
            let source = source.with_fields(every_field());
            let error = read_whole(&source, &with_threads(threads)).unwrap_err();
            prop_assert_eq!(error.position(), Some(&*place), "{}", error);
        }
    }
}
