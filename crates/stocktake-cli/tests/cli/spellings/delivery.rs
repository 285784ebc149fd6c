//! Manifests, checksums, keys and files around the rows.

use super::*;

#[test]
fn manifests_spaced_otherwise_and_with_more_members() {
    let delivery = Delivery::csv(SCHEMA_2024, &[ROWS_2024]);
    let pretty = delivery.manifest();
    let value: Value = serde_json::from_str(&pretty).unwrap();
    let mut more = value.clone();
    more["inventoryId"] = json!({"a": [1, null]});
    more["files"][0]["rows"] = json!(4);
    let dialects = [
        value.to_string(),
        serde_json::to_string_pretty(&value).unwrap(),
        serde_json::to_string_pretty(&value).unwrap().replace("  ", "    ") + "\n",
        pretty.replace('\n', "\r\n") + "\r\n",
        pretty.replace('\n', "\n\t"),
        more.to_string(),
    ];
    for manifest in dialects {
        delivery.write_as(&manifest, |md5| format!("{md5}\n"));
        delivery.reads_where_it_is(&rows_2024());
        fs::remove_dir_all(delivery.place.destination()).unwrap();
    }
}

#[test]
fn checksums_with_and_without_a_line_end() {
    let delivery = Delivery::csv(SCHEMA_2024, &[ROWS_2024]);
    for tail in ["", "\r\n", " \n\n"] {
        let path = delivery.write_as(&delivery.manifest(), |md5| md5.to_uppercase() + tail).display().to_string();
        let ran = stocktake(["verify", &path]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(ran.err.contains(" bytes instead of 33; some readers refuse it"), "{ran:?}");
        let rows = stocktake(["cat", "--format", "ndjson", &path]);
        assert_eq!((rows.code, lines(&rows.out)), (Some(0), rows_2024()));
    }
}

#[test]
fn reports_without_files() {
    for (format, schema) in [("CSV", SCHEMA_2024), ("ORC", ORC_2024), ("Parquet", PARQUET_2024)] {
        let delivery = Delivery::new(format, schema, Vec::new()).without_files();
        delivery.reads(&[]);
        fs::remove_dir_all(delivery.place.destination()).unwrap();
        delivery.write_as(&delivery.manifest().replace("[  ]", "[]"), |md5| format!("{md5}\n"));
        delivery.reads_where_it_is(&[]);
    }
}

#[test]
fn files_without_rows() {
    Delivery::csv(SCHEMA_2024, &[""]).reads(&[]);
    Delivery::csv(SCHEMA_2024, &["\n"]).reads(&[]);
    let columns: Vec<_> = columns_2024()
        .into_iter()
        .map(|(name, cells)| match cells {
            Cells::Text(_) => (name, Cells::Text(Vec::new())),
            Cells::Boolean(_) => (name, Cells::Boolean(Vec::new())),
            Cells::Number(_) => (name, Cells::Number(Vec::new())),
            _ => (name, Cells::Time(Vec::new())),
        })
        .collect();
    Delivery::new("ORC", ORC_2024, orc_file(&columns).unwrap()).reads(&[]);
    let columns: Vec<_> = columns.into_iter().map(|(_, cells)| cells).collect();
    Delivery::new("Parquet", PARQUET_2024, parquet_file(PARQUET_2024, &columns).unwrap()).reads(&[]);
}

#[test]
fn files_in_no_order_and_rows_in_none() {
    let mut delivery = Delivery::csv("Bucket, Key", &["\"photos\",\"m\"\n\"photos\",\"z\"\n"]);
    delivery
        .files
        .push((format!("{DATA}/00000000.csv.gz"), gzip_members(&["\"photos\",\"b\"\n\"photos\",\"a\"\n"]).unwrap()));
    delivery.sorted = false;
    delivery.reads(&["m", "z", "b", "a"].map(|key| json!({"Bucket": "photos", "Key": key})));
}

#[test]
fn destination_prefixes_with_more_slashes_than_needed() {
    for prefix in ["reports/", "a/b c/", "reports//", "a//b/"] {
        Delivery::csv(SCHEMA_2024, &[ROWS_2024]).with_prefix(prefix).reads(&rows_2024());
    }
}

/// Real deliveries, which checkouts share where they are.
#[test]
fn deliveries_of_may_2024() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|above| above.join("shared/fixtures/aws"));
    let Some(folder) = folder.into_iter().find(|folder| folder.is_dir()) else { return };
    let rows = lines(
        &stocktake(["cat".into(), "--format".into(), "ndjson".into(), folder.join("csv_inventory_manifest.json")]).out,
    );
    assert_eq!(rows.len(), 5);
    for (name, versions) in [
        ("csv_inventory", true),
        ("orc_inventory", true),
        ("parquet_inventory", true),
        ("csv_inventory_no_version", false),
    ] {
        let place = Place::new();
        // A copy, for a folder that is only read has no room for what is made of it.
        for file in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            place.write(&format!("aws/{}", file.file_name().display()), fs::read(file.path()).unwrap());
        }
        let options = Options { versions, sorted: true, layout: false, unknown: false };
        let current: Vec<_> = rows
            .iter()
            .filter(|row| versions || row["IsLatest"] == true && row["IsDeleteMarker"] == false)
            .cloned()
            .map(|mut row| {
                if !versions {
                    row.as_object_mut()
                        .unwrap()
                        .retain(|name, _| !["VersionId", "IsLatest", "IsDeleteMarker"].contains(&&**name));
                }
                row
            })
            .collect();
        every_verb_reads(&place, &place.path(&format!("aws/{name}_manifest.json")), &options, &current);
    }
}
