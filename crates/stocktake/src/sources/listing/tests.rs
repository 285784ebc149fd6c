//! Listings of each program, whole and damaged.

use super::*;
use stocktake_core::{BucketName, ObjectBatchBuilder};

fn foreign(text: &str) -> Result<ListingSource, SourceError> {
    match JsonListing::try_from_reader("listing", std::io::Cursor::new(text.to_owned().into_bytes()))? {
        JsonListing::Foreign(source) => Ok(source),
        JsonListing::Ndjson(_) => panic!("taken for rows of a report: {text}"),
    }
}

/// Rows as text: key and the values of its fields in file order.
fn rows(source: &dyn ObjectSource) -> Result<Vec<String>, SourceError> {
    use stocktake_core::Column;
    let fields = Field::all().collect();
    let context = ReadContext::new(BucketName::try_new("bucket").unwrap(), fields);
    let plan = source.plan(NonZeroU32::MIN)?;
    let mut stream = source.open(&plan.lanes()[0], None, &context)?;
    let mut builder = ObjectBatchBuilder::new(fields);
    let mut all = Vec::new();
    while stream.next_batch(&mut builder)? {
        let batch = builder.finish();
        for row in 0..batch.len() {
            let values =
                Field::all().filter(|field| *field != Field::Key).filter_map(|field| match batch.column(field)? {
                    Column::Text(column) => Some(column.value(row).to_owned()),
                    Column::Code(column) => Some(column.value(row).to_owned()),
                    Column::Int(column) => column.value(row).map(|value| value.to_string()),
                    Column::Bool(column) => column.value(row).map(|value| value.to_string()),
                    other => panic!("a column of no known kind: {other:?}"),
                });
            let values: Vec<_> = values.filter(|value| !value.is_empty()).collect();
            all.push(format!("{} {}", batch.key(row), values.join(" ")));
        }
    }
    Ok(all)
}

fn refused(text: &str) -> String {
    let result = foreign(text).and_then(|source| rows(&source));
    result.expect_err(text).to_string()
}

#[test]
fn rclone_arrays_are_read() {
    let text = r#"[
{"Path":"a","Name":"a","Size":-1,"MimeType":"x","ModTime":"2026-01-02T03:04:05.678901234+01:00","IsDir":true},
{"Path":"a/b","Name":"b","Size":3,"MimeType":"x","ModTime":"2026-01-02T03:04:05.678901234+01:00","IsDir":false,"Hashes":{"md5":"ab"},"Tier":"STANDARD"},
{"Path":"c \"}","Size":-1,"ModTime":"1970-01-01T00:00:00Z","IsDir":false}
]
"#;
    let source = foreign(text).unwrap();
    assert!(!source.provides().contains(Field::IsMultipartUploaded));
    assert_eq!(rows(&source).unwrap(), ["a/b 3 1767319445678 ab STANDARD", "c \"} 0"]);
    assert!(refused("[{\"Path\":\"a\",\"Size\":0,\"IsDir\":true}]").contains("lsjson -R"));
    assert!(refused("[{\"Path\":\"a\",\"Size\":0,\"IsDir\":false}").contains("ends within"));
}

#[test]
fn mc_lines_are_read() {
    let line = |key: &str, rest: &str| {
        format!(
            "{{\"status\":\"success\",\"type\":\"file\",\"lastModified\":\"1970-01-01T00:00:01Z\",\"size\":7,\"key\":\"{key}\",\"etag\":\"e-2\"{rest}}}\n"
        )
    };
    let source = foreign(&format!("{}{}", line("a", ""), line("b", ",\"storageClass\":\"STANDARD\""))).unwrap();
    assert_eq!(rows(&source).unwrap(), ["a 7 1000 e-2 true", "b 7 1000 e-2 STANDARD true"]);

    let marker = ",\"versionId\":\"v2\",\"isDeleteMarker\":true";
    let versions = format!("{}{}", line("a", marker), line("a", ",\"versionId\":\"null\""));
    assert_eq!(rows(&foreign(&versions).unwrap()).unwrap(), ["a v2 true true 1000", "a false false 7 1000 e-2 true"]);

    let error = format!("{}{{\"status\":\"error\",\"error\":{{}}}}\n", line("a", ""));
    assert!(refused(&error).starts_with("listing, line 2, column 1: mc says `error`"), "{}", refused(&error));
    let folder = "{\"status\":\"success\",\"type\":\"folder\",\"key\":\"a/\",\"size\":0,\"etag\":\"\"}";
    assert!(refused(folder).contains("--recursive"));
}

#[test]
fn s5cmd_lines_are_read() {
    let line = "{\"key\":\"s3://bucket/a//b\",\"etag\":\"e\",\"last_modified\":\"1970-01-01T00:00:01Z\",\"type\":\"file\",\"size\":7,\"storage_class\":\"STANDARD\"}\n";
    assert_eq!(rows(&foreign(line).unwrap()).unwrap(), ["a//b 7 1000 e STANDARD false"]);
    let problem = refused(&line.replace("//bucket/", "//other/"));
    assert!(problem.contains("the bucket is `other`"), "{problem}");
    assert!(refused(&line.replace("\"file\"", "\"directory\"")).contains("recursively"));
}

#[test]
fn pages_of_aws_are_read() {
    let page = |key: &str, rest: &str| {
        format!(
            "{{\"IsTruncated\":{rest},\"Name\":\"bucket\",\"Contents\":[{{\"Key\":\"{key}\",\"LastModified\":\"1970-01-01T00:00:01+00:00\",\"ETag\":\"\\\"e\\\"\",\"ChecksumAlgorithm\":[\"CRC32\"],\"Size\":1,\"StorageClass\":\"STANDARD\"}}]}}\n"
        )
    };
    let source = foreign(&format!("{}{}", page("a", "true"), page("b", "false"))).unwrap();
    assert_eq!(rows(&source).unwrap(), ["a 1 1000 e STANDARD false CRC32", "b 1 1000 e STANDARD false CRC32"]);
    assert!(refused(&page("a", "true")).contains("more objects"));
    assert!(refused("{\"Contents\":[],\"CommonPrefixes\":[{\"Prefix\":\"a/\"}]}").contains("delimiter"));
    assert!(rows(&foreign("{\"RequestCharged\":null}").unwrap()).unwrap().is_empty());
}

#[test]
fn versions_and_delete_markers_of_aws_are_merged() {
    let version = |key: &str, id: &str, latest: bool, time: &str| {
        format!(
            "{{\"Key\":\"{key}\",\"VersionId\":\"{id}\",\"IsLatest\":{latest},\"LastModified\":\"1970-01-01T00:00:{time}Z\"}}"
        )
    };
    let text = format!(
        "{{\"Versions\":[{},{},{}],\"DeleteMarkers\":[{},{}]}}",
        version("a", "1", false, "01"),
        version("b", "2", false, "01"),
        version("b", "null", false, "02"),
        version("a", "4", true, "01"),
        version("b", "5", true, "03"),
    );
    let expected = [
        "a 4 true true 1000",
        "a 1 false false 1000",
        "b 5 true true 3000",
        "b false false 2000",
        "b 2 false false 1000",
    ];
    assert_eq!(rows(&foreign(&text).unwrap()).unwrap(), expected);
}

#[test]
fn places_of_mistakes_are_named() {
    let problem = refused("[\n {\"Path\":\"a\",\n  \"Size\":\"x\"}]");
    assert!(problem.starts_with("listing, line 3, column "), "{problem}");
}

#[test]
fn rows_of_a_report_are_left_to_their_own_source() {
    for text in ["{\"Key\":\"a\",\"Size\":1}\n", "{\"key\":\"a\",\"last_modified_date\":1}\n", "", "\n"] {
        let listing = JsonListing::try_from_reader("x", std::io::Cursor::new(text));
        assert!(matches!(listing, Ok(JsonListing::Ndjson(_))), "{text}");
    }
}

fn table(text: &str, form: CsvForm) -> Result<ListingSource, SourceError> {
    ListingSource::try_csv_from_reader("table", std::io::Cursor::new(text.to_owned().into_bytes()), form)
}

fn table_refused(text: &str) -> String {
    table(text, CsvForm::default()).and_then(|source| rows(&source)).expect_err(text).to_string()
}

#[test]
fn tables_are_read() {
    let text = "Last Modified,path,e_tag,Content-Length\n1970-01-01T00:00:01Z,\"a,\"\"b\",e,5\n,c,,\n";
    let source = table(text, CsvForm::default()).unwrap();
    assert_eq!(rows(&source).unwrap(), ["a,\"b 5 1000 e", "c "]);
    let form = CsvForm::default().with_delimiter(b'\t').with_columns(["bucket", "Key", "-", "Size"]);
    assert_eq!(rows(&table("bucket\ta\tx\t5\n", form.clone()).unwrap()).unwrap(), ["a 5"]);
    assert_eq!(rows(&table("b\tk\tx\ts\nbucket\ta\tx\t5\n", form.with_header()).unwrap()).unwrap(), ["a 5"]);
}

#[test]
fn mistakes_in_tables_are_named() {
    let cases = [
        ("", "names of the columns"),
        ("size\n1\n", "no column means Key"),
        ("key,colour\n", "`colour` is no field"),
        ("key,path\n", "two columns mean Key"),
        ("key,size\na\n", "line 2: 1 columns, not 2"),
        ("key,size\na,-1\n", "line 2, column 2 (Size): "),
        ("key,size\na,1\n,2\n", "line 3, column 1 (Key): "),
        ("key,size\r\na,1\r\n\r\n,2\r\n", "line 4, column 1 (Key): "),
        ("key,size\n\n\"a\n\",1\n\nb\n", "line 6: 1 columns, not 2"),
        ("\nkey,size,key\n", "line 2: two columns mean Key"),
        ("key,mtime\na,12\n", "a time in the form"),
        ("key,bucket\na,other\n", "the bucket is `other`"),
    ];
    for (text, expected) in cases {
        let problem = table_refused(text);
        assert!(problem.contains(expected), "{text:?}: {problem}");
    }
    let open = format!("key\n\"{}", "x".repeat(ENTRY_BYTES_MAX + front::FRONT_BYTES));
    let problem = table_refused(&open);
    assert!(problem.starts_with("table, line 2: ") && problem.contains("never closed"), "{problem}");
}

#[test]
fn a_listing_may_name_its_bucket() {
    let json = |text: &str| match JsonListing::try_from_reader("t", std::io::Cursor::new(text.to_owned())).unwrap() {
        JsonListing::Foreign(source) => source.bucket().map(ToOwned::to_owned),
        JsonListing::Ndjson(_) => panic!("a listing of another program"),
    };
    let s5cmd = "{\"key\":\"s3://photos/a\",\"last_modified\":\"1970-01-01T00:00:01Z\",\"type\":\"file\",\"size\":7}\n";
    assert_eq!(json(s5cmd).as_deref(), Some("photos"));
    let entry = "[{\"Key\":\"a\",\"LastModified\":\"1970-01-01T00:00:01Z\",\"Size\":1}]";
    assert_eq!(json(&format!("{{\"Name\":\"b1\",\"Contents\":{entry}}}")).as_deref(), Some("b1"));
    assert_eq!(json(&format!("{{\"Contents\":{entry},\"Name\":\"b2\"}}")).as_deref(), Some("b2"));
    assert_eq!(json(&format!("{{\"Contents\":{entry}}}")), None);
    let table = |text: &str| table(text, CsvForm::default()).unwrap().bucket().map(ToOwned::to_owned);
    assert_eq!(table("bucket,key\nlogs,a\n").as_deref(), Some("logs"));
    assert_eq!(table("key,size\na,1\n"), None);
}
