//! CSV in its dialects, and columns in every format.

use super::*;

#[test]
fn csv_as_s3_writes_it() {
    Delivery::csv(SCHEMA_2024, &[ROWS_2024]).reads(&rows_2024());
}

#[test]
fn csv_in_several_gzip_members_and_with_more_newlines() {
    let (first, rest) = ROWS_2024.split_at(100);
    Delivery::csv(SCHEMA_2024, &[first, "", rest, "\n\n\n"]).reads(&rows_2024());
}

#[test]
fn csv_with_fewer_quotes_and_other_line_ends() {
    let bare = ROWS_2024.replace('"', "");
    Delivery::csv(SCHEMA_2024, &[&bare]).reads(&rows_2024());
    Delivery::csv(SCHEMA_2024, &[&bare.replace('\n', "\r\n")]).reads(&rows_2024());
    Delivery::csv(SCHEMA_2024, &[ROWS_2024.trim_end()]).reads(&rows_2024());
    // Some of the fields of a line, and a quote and a comma within.
    let mixed = "\"photos\",k,1,\"quo\"\"te, comma\"\n";
    let row = json!({"Bucket": "photos", "Key": "k", "Size": 1, "ETag": "quo\"te, comma"});
    Delivery::csv("Bucket, Key, Size, ETag", &[mixed]).reads(&[row]);
}

#[test]
fn csv_with_a_schema_spaced_otherwise() {
    let bare = SCHEMA_2024.replace(", ", ",");
    Delivery::csv(&bare, &[ROWS_2024]).reads(&rows_2024());
    Delivery::csv(&format!(" {} ", bare.replace(',', " ,  ")), &[ROWS_2024]).reads(&rows_2024());
}

#[test]
fn columns_in_another_order_and_few_of_them() {
    let row = json!({"Bucket": "photos", "Key": "a", "LastModifiedDate": "2026-11-21T00:00:00.000Z", "ETag": "00"});
    let file = "\"photos\",\"a\",\"2026-11-21T00:00:00.000Z\",\"00\"\n";
    Delivery::csv("Bucket, Key, LastModifiedDate, ETag", &[file]).reads(std::slice::from_ref(&row));
    let file = "\"00\",\"2026-11-21T00:00:00.000Z\",\"a\",\"photos\"\n";
    Delivery::csv("ETag, LastModifiedDate, Key, Bucket", &[file]).reads(std::slice::from_ref(&row));
    let delivery = Delivery::csv("Key", &["\"a\"\n"]);
    let keys = delivery.write().display().to_string();
    assert_eq!(stocktake(["cat", "--format", "ndjson", &keys]).out, "{\"Key\":\"a\"}\n");
    let text = |text| Cells::Text(vec![Some(text)]);
    let time = Cells::Time(vec![Some(1_795_219_200_000)]);
    let columns =
        [("e_tag", text("00")), ("last_modified_date", time.clone()), ("key", text("a")), ("bucket", text("photos"))];
    let schema = "struct<e_tag:string,last_modified_date:timestamp,key:string,bucket:string>";
    Delivery::new("ORC", schema, orc_file(&columns).unwrap()).reads(std::slice::from_ref(&row));
    let schema = "message s3.inventory {  optional binary e_tag (STRING);  optional int64 last_modified_date (TIMESTAMP(MILLIS,true));  \
        required binary key (STRING);  required binary bucket (STRING);}";
    let columns = columns.map(|(_, cells)| cells);
    Delivery::new("Parquet", schema, parquet_file(schema, &columns).unwrap()).reads(&[row]);
}

#[test]
fn csv_of_the_first_years() {
    let schema = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, StorageClass, MultipartUploaded, ReplicationStatus";
    let file = r#""photos","k","v","TRUE","False","7","2016-11-06T21:32:00.000Z","00","GLACIER","TRUE","FAILED"
"#;
    let row = json!({"Bucket": "photos", "Key": "k", "VersionId": "v", "IsLatest": true, "IsDeleteMarker": false, "Size": 7,
        "LastModifiedDate": "2016-11-06T21:32:00.000Z", "ETag": "00", "StorageClass": "GLACIER", "IsMultipartUploaded": true,
        "ReplicationStatus": "FAILED"});
    let mut delivery = Delivery::csv(schema, &[file]);
    // Data files stood beside the manifest.
    delivery.files[0].0 = format!("{STAMP}/files/3f0a5c61.csv.gz");
    delivery.reads(&[row]);
    let trino = stocktake(["ddl", "--for", "trino", &delivery.manifest_path().display().to_string()]);
    assert!(trino.out.contains(&format!("external_location = 's3://reports/{STAMP}/files/'")), "{}", trino.out);
}

#[test]
fn columns_that_are_not_known() {
    let row = json!({"Bucket": "photos", "Key": "k", "Size": 1});
    let check = |delivery: Delivery, shown: &str| {
        let path = delivery.write().display().to_string();
        let ran = stocktake(["cat", "--header", "--columns", "Key,Colour,Weight", &path]);
        assert_eq!(
            (ran.code, ran.out),
            (Some(0), format!("\"Key\",\"Colour\",\"Weight\"\n{shown}\n")),
            "{:?}",
            ran.err
        );
        let shown = stocktake(["cat", "--format", "ndjson", "--columns", "Key,Colour", &path]);
        assert_eq!(lines(&shown.out), [json!({"Key": "k", "Colour": "re\"d"})]);
        let inspected = stocktake(["inspect", &path]);
        assert!(inspected.out.contains("Colour"), "{inspected:?}");
        delivery.reads_where_it_is(std::slice::from_ref(&row));
    };
    let csv = Delivery::csv("Bucket, Key, Size, Colour, Weight", &["\"photos\",\"k\",\"1\",\"re\"\"d\",\"1.5\"\n"]);
    check(csv, "\"k\",\"re\"\"d\",\"1.5\"");
    let text = |text| Cells::Text(vec![Some(text)]);
    let columns = [
        ("bucket", text("photos")),
        ("key", text("k")),
        ("size", Cells::Number(vec![Some(1)])),
        ("Colour", text("re\"d")),
        ("Weight", Cells::SmallNumber(vec![Some(15)])),
    ];
    let schema = "struct<bucket:string,key:string,size:bigint,Colour:string,Weight:int>";
    check(Delivery::new("ORC", schema, orc_file(&columns).unwrap()), "\"k\",\"re\"\"d\",\"15\"");
    let schema = "message s3.inventory {  required binary bucket (STRING);  required binary key (STRING);  optional int64 size;  \
        optional binary Colour (STRING);  optional int32 Weight;}";
    let columns = columns.map(|(_, cells)| cells);
    check(Delivery::new("Parquet", schema, parquet_file(schema, &columns).unwrap()), "\"k\",\"re\"\"d\",\"15\"");
}

#[test]
fn columns_of_event_holds_and_tiering() {
    let schema = "Bucket, Key, ObjectLockEventHoldStatus, ObjectLockEventHoldDuration, ObjectLockEventHoldDurationUnit, IntelligentTieringReferenceDate";
    let row = json!({"Bucket": "photos", "Key": "k", "ObjectLockEventHoldStatus": "ON", "ObjectLockEventHoldDuration": 36500,
        "ObjectLockEventHoldDurationUnit": "DAYS", "IntelligentTieringReferenceDate": "2026-10-01T00:00:00.000Z"});
    let csv = Delivery::csv(schema, &["\"photos\",\"k\",\"ON\",\"36500\",\"DAYS\",\"2026-10-01T00:00:00.000Z\"\n"]);
    csv.reads(std::slice::from_ref(&row));
    let text = |text| Cells::Text(vec![Some(text)]);
    let columns = [
        ("bucket", text("photos")),
        ("key", text("k")),
        ("object_lock_event_hold_status", text("ON")),
        ("object_lock_event_hold_duration", Cells::SmallNumber(vec![Some(36500)])),
        ("object_lock_event_hold_duration_unit", text("DAYS")),
        ("intelligent_tiering_reference_date", Cells::Time(vec![Some(1_790_812_800_000)])),
    ];
    let schema = "struct<bucket:string,key:string,object_lock_event_hold_status:string,object_lock_event_hold_duration:int,\
        object_lock_event_hold_duration_unit:string,intelligent_tiering_reference_date:timestamp>";
    Delivery::new("ORC", schema, orc_file(&columns).unwrap()).reads(std::slice::from_ref(&row));
    let schema = "message s3.inventory {  required binary bucket (STRING);  required binary key (STRING);  \
        optional binary object_lock_event_hold_status (STRING);  optional int32 object_lock_event_hold_duration;  \
        optional binary object_lock_event_hold_duration_unit (STRING);  \
        optional int64 intelligent_tiering_reference_date (TIMESTAMP(MILLIS,true));}";
    let columns = columns.map(|(_, cells)| cells);
    Delivery::new("Parquet", schema, parquet_file(schema, &columns).unwrap()).reads(&[row]);
}
