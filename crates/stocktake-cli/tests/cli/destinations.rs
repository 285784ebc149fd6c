//! Places that cannot take a report, and reports that are there already.

use crate::support::{AT, Place, Ran, files_below, manifest_path, program, stocktake};
use std::{fs, path::Path, process::Command};

fn generate_into(destination: &Path, source: &str) -> Ran {
    let mut command = program();
    command.args(["generate", "--destination-bucket", "d", "--at", AT, "--source", source, "--destination"]);
    command.arg(destination).output().unwrap().into()
}

#[test]
fn a_file_is_no_destination() {
    let place = Place::new();
    let file = place.write("file", "content");
    generate_into(&file, "synthetic:rows=10").failed(1, &["the destination cannot be used", "is not a folder"]);
    generate_into(&file.join("below"), "synthetic:rows=10").failed(1, &["the destination cannot be used"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "content");
    assert_eq!(files_below(&place.path("")).len(), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_read_only_place_is_no_destination() {
    for place in ["/proc/stocktake", "/sys/stocktake"] {
        generate_into(Path::new(place), "synthetic:rows=10").failed(1, &["the destination cannot be used"]);
        assert!(!Path::new(place).exists());
    }
}

/// A small file system in memory, if this process may mount one.
struct SmallDisk<'p>(&'p Path);

impl<'p> SmallDisk<'p> {
    fn mount(path: &'p Path) -> Option<Self> {
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(path).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self(path))
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        // Left mounted, it is 64 KiB of memory.
        let _ = Command::new("umount").arg(self.0).output();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_keeps_nothing() {
    let place = Place::new();
    fs::create_dir(place.path("disk")).unwrap();
    let path = place.path("disk");
    let Some(_disk) = SmallDisk::mount(&path) else {
        println!("skipped: this process may not mount a small disk");
        return;
    };
    generate_into(&path, "synthetic:rows=100000").failed(1, &["No space left on device"]);
    assert!(fs::read_dir(&path).unwrap().next().is_none(), "{:?}", files_below(&path));
}

#[test]
fn a_report_with_the_same_stamp_is_refused_or_replaced() {
    let place = Place::new();
    let first = place.generate("synthetic:rows=1000", &[]);
    let before = files_below(&place.destination());
    let refused = place.generate("synthetic:rows=2000", &[]);
    refused.failed(1, &["a report with this stamp exists: synthetic/inventory/2026-11-22T01-00Z", "--replace"]);
    assert_eq!(files_below(&place.destination()), before);
    assert_eq!(place.keys(&first).len(), 1000);

    // Another source under the same spec, then the same once more: data files never meet.
    for rows in [2000, 2000] {
        let replaced = place.generate(format!("synthetic:rows={rows}"), &["--replace"]);
        assert_eq!(replaced.summary()["rows"], rows);
        assert_eq!(place.keys(&replaced).len(), rows);
        let verified = stocktake(["verify".into(), manifest_path(&replaced)]);
        assert_eq!(verified.code, Some(0), "{verified:?}");
    }
    assert_eq!(files_below(&place.destination()).len(), before.len() + 2);
}

#[test]
fn a_failed_replacement_leaves_the_old_report() {
    let place = Place::new();
    let first = place.generate_ndjson("{\"Key\":\"a\"}\n", &[]);
    let before = files_below(&place.destination());
    place.generate_ndjson("{\"Key\":\"a\"}\nnonsense\n", &["--replace"]).failed(1, &["line 2"]);
    assert_eq!(files_below(&place.destination()), before);
    assert_eq!(stocktake(["verify".into(), manifest_path(&first)]).code, Some(0));
}
