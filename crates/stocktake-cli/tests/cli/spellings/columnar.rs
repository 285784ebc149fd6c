//! ORC and Parquet: texts of schemas, types of columns; values in every format.

use super::*;

#[test]
fn orc_as_s3_writes_it() {
    let file = orc_file(&columns_2024()).unwrap();
    Delivery::new("ORC", ORC_2024, file.clone()).reads(&rows_2024());
    Delivery::new("ORC", ORC_2024.replace(',', ", ").replace(':', ": "), file).reads(&rows_2024());
}

#[test]
fn orc_whose_times_have_a_zone() {
    let zoned = columns_2024().into_iter().map(|(name, cells)| match cells {
        Cells::Time(times) => (name, Cells::ZonedTime(times)),
        cells => (name, cells),
    });
    let schema = ORC_2024.replace(":timestamp", ":timestamp with local time zone");
    Delivery::new("ORC", schema, orc_file(&zoned.collect::<Vec<_>>()).unwrap()).reads(&rows_2024());
}

fn parquet_2024(message: &str) -> Vec<u8> {
    let columns: Vec<_> = columns_2024().into_iter().map(|(_, cells)| cells).collect();
    parquet_file(message, &columns).unwrap()
}

#[test]
fn parquet_as_s3_writes_it() {
    Delivery::new("Parquet", PARQUET_2024, parquet_2024(PARQUET_2024)).reads(&rows_2024());
}

#[test]
fn parquet_as_the_documents_show_it() {
    let documented =
        PARQUET_2024.replace("(STRING)", "(UTF8)").replace("(TIMESTAMP(MILLIS,true))", "(TIMESTAMP_MILLIS)");
    let documented = documented.replace("  ", " ").replace(";}", "; }");
    assert!(
        documented.starts_with("message s3.inventory { required binary bucket (UTF8); ")
            && documented.ends_with("(UTF8); }")
    );
    Delivery::new("Parquet", &*documented, parquet_2024(&documented)).reads(&rows_2024());
    // Either text over a file of the other.
    Delivery::new("Parquet", documented, parquet_2024(PARQUET_2024)).reads(&rows_2024());
    // One column a line, as Java prints it.
    let in_lines = PARQUET_2024.replace("{  ", "{\n  ").replace(";  ", ";\n  ").replace(";}", ";\n}\n");
    Delivery::new("Parquet", in_lines, parquet_2024(PARQUET_2024)).reads(&rows_2024());
}

#[test]
fn parquet_whose_texts_have_no_annotation() {
    let bare = PARQUET_2024.replace(" (STRING)", "");
    Delivery::new("Parquet", &*bare, parquet_2024(&bare)).reads(&rows_2024());
}

#[test]
fn sizes_beyond_32_bits() {
    let sizes = [2_147_483_647, 2_147_483_648, 4_294_967_296, 53_687_091_200_000, i64::MAX];
    let keys = ["a", "b", "c", "d", "e"];
    let rows: Vec<_> =
        keys.iter().zip(sizes).map(|(key, size)| json!({"Bucket": "photos", "Key": key, "Size": size})).collect();
    let csv: String = keys.iter().zip(sizes).map(|(key, size)| format!("\"photos\",\"{key}\",\"{size}\"\n")).collect();
    Delivery::csv("Bucket, Key, Size", &[&csv]).reads(&rows);
    let text = |texts: [&'static str; 5]| Cells::Text(texts.map(Some).to_vec());
    let columns =
        [("bucket", text(["photos"; 5])), ("key", text(keys)), ("size", Cells::Number(sizes.map(Some).to_vec()))];
    Delivery::new("ORC", "struct<bucket:string,key:string,size:bigint>", orc_file(&columns).unwrap()).reads(&rows);
    let schema = "message s3.inventory {  required binary bucket (STRING);  required binary key (STRING);  optional int64 size;}";
    let columns = columns.map(|(_, cells)| cells);
    Delivery::new("Parquet", schema, parquet_file(schema, &columns).unwrap()).reads(&rows);
}

#[test]
fn the_null_version_in_its_spellings() {
    let rows = [
        json!({"Bucket": "photos", "Key": "a", "IsLatest": true}),
        json!({"Bucket": "photos", "Key": "b", "IsLatest": true}),
    ];
    let file = "\"photos\",\"a\",\"\",\"true\"\n\"photos\",\"b\",\"null\",\"true\"\n";
    let csv = Delivery::csv("Bucket, Key, VersionId, IsLatest", &[file]);
    let path = csv.write().display().to_string();
    assert_eq!(lines(&stocktake(["cat", "--format", "ndjson", &path]).out), rows);
    let other =
        Delivery::csv("Bucket, Key, VersionId, IsLatest", &[&file.replace("null", "").replacen("\"\"", "\"null\"", 1)]);
    let other = other.write().display().to_string();
    assert_eq!(stocktake(["diff", &path, &other]).code, Some(0));
}
