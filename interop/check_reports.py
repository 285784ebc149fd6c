"""Makes rows, has Stocktake report them, and compares every value with what foreign readers find in the report.

The rows come from here, not from Stocktake, and no line below uses Stocktake's own code to read anything.
"""

import argparse
import csv
import gzip
import hashlib
import io
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import urllib.parse
import zlib
from datetime import datetime, timedelta, timezone

import duckdb
import polars
import pyarrow
import pyarrow.csv
import pyarrow.ipc

BUCKET = "example-source"
STAMP = "2026-11-22T01:00:00Z"

# Column name, CSV name, kind.
FIELDS = [
    ("bucket", "Bucket", "text"),
    ("key", "Key", "text"),
    ("version_id", "VersionId", "text"),
    ("is_latest", "IsLatest", "bool"),
    ("is_delete_marker", "IsDeleteMarker", "bool"),
    ("size", "Size", "int"),
    ("last_modified_date", "LastModifiedDate", "time"),
    ("e_tag", "ETag", "text"),
    ("storage_class", "StorageClass", "text"),
    ("is_multipart_uploaded", "IsMultipartUploaded", "bool"),
    ("replication_status", "ReplicationStatus", "text"),
    ("encryption_status", "EncryptionStatus", "text"),
    ("object_lock_retain_until_date", "ObjectLockRetainUntilDate", "time"),
    ("object_lock_mode", "ObjectLockMode", "text"),
    ("object_lock_legal_hold_status", "ObjectLockLegalHoldStatus", "text"),
    ("intelligent_tiering_access_tier", "IntelligentTieringAccessTier", "text"),
    ("bucket_key_status", "BucketKeyStatus", "text"),
    ("checksum_algorithm", "ChecksumAlgorithm", "text"),
    ("object_access_control_list", "ObjectAccessControlList", "text"),
    ("object_owner", "ObjectOwner", "text"),
    ("lifecycle_expiration_date", "LifecycleExpirationDate", "time"),
]
VERSION_FIELDS = {"version_id", "is_latest", "is_delete_marker"}
KIND = {name: kind for name, _, kind in FIELDS}

ODD_PARTS = [
    "a b", "a+b", "100%", 'say "hi"', "comma,comma", "semi;colon", "line\nbreak", "carriage\rreturn", "tab\there", "\x01\x02", "tilde~",
    "star*", "résumé", "契約書", "🎉", "\u2028", "a=b&c=d", "#frag", "?query", "back\\slash", "'single'", "..", ".", "", "%20", "%2B",
    "{json}", "null", "true", "1e5", " leading", "trailing ", "\x7f", "\ufeffbom",
]


def make_key(rng, number):
    kind = rng.randrange(4)
    if kind == 0:
        day = rng.randrange(28) + 1
        return f"logs/2026/{rng.randrange(12) + 1:02}/{day:02}/app-{number:08x}.json.gz"
    if kind == 1:
        return f"images/{rng.randrange(256):02x}/{rng.getrandbits(128):032x}.jpg"
    if kind == 2:
        return "/".join(["odd"] + [rng.choice(ODD_PARTS) for _ in range(rng.randrange(1, 5))]) + f"/{number}"
    return f"warehouse/db/t{rng.randrange(9)}/dt=2026-{rng.randrange(12) + 1:02}-01/hour={rng.randrange(24):02}/part-{number:05}.parquet"


def make_time(rng):
    return datetime(2020, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=rng.randrange(200_000_000), milliseconds=rng.choice([0, 0, 0, 7, 999]))


def make_rows(seed, keys, versions):
    """Rows as dictionaries by column name; absent values are absent members."""
    rng = random.Random(seed)
    names = {make_key(rng, number) for number in range(keys)} | {"k" * 1024, "é" * 512, "/", "//", "a", "a/", "a.b", "a/b", "a0"}
    owners = [f"{rng.getrandbits(256):064x}" for _ in range(3)]
    rows = []
    for key in sorted(names, key=lambda name: name.encode()):
        count = rng.choice([1, 1, 1, 2, 3, 12]) if versions else 1
        ids = [None] if rng.randrange(5) == 0 else []
        ids += ["".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._", k=32)) for _ in range(count - len(ids))]
        rng.shuffle(ids)
        for version, version_id in enumerate(ids):
            marker = versions and rng.randrange(9) == 0
            row = {"key": key, "last_modified_date": make_time(rng)}
            if versions:
                row |= {"is_latest": version == 0, "is_delete_marker": marker}
                if version_id is not None:
                    row["version_id"] = version_id
            row["bucket_key_status"] = rng.choice(["ENABLED", "DISABLED"])
            if not marker:
                size = int(rng.lognormvariate(11, 3))
                row |= {"size": size, "storage_class": rng.choice(["STANDARD", "STANDARD", "GLACIER", "My \"own\", class"])}
                row["is_multipart_uploaded"] = size > 8 << 20
                row["e_tag"] = f"{rng.getrandbits(128):032x}" + (f"-{size // (8 << 20) + 1}" if size > 8 << 20 else "")
                row["encryption_status"] = rng.choice(["SSE-S3", "SSE-S3", "SSE-KMS", "NOT-SSE"])
            if rng.randrange(4) == 0:
                row["replication_status"] = rng.choice(["COMPLETED", "PENDING", "FAILED", "REPLICA"])
            if rng.randrange(10) == 0:
                row |= {"object_lock_retain_until_date": make_time(rng), "object_lock_mode": "GOVERNANCE"}
                row["object_lock_legal_hold_status"] = rng.choice(["ON", "OFF"])
            if rng.randrange(6) == 0:
                row["intelligent_tiering_access_tier"] = rng.choice(["FREQUENT", "ARCHIVE_INSTANT_ACCESS"])
            if rng.randrange(3) == 0:
                row["checksum_algorithm"] = rng.choice(["CRC64NVME", "SHA256"])
            if rng.randrange(2) == 0:
                row["object_owner"] = rng.choice(owners)
                row["object_access_control_list"] = rng.choice(owners) * 5
            if rng.randrange(20) == 0:
                row["lifecycle_expiration_date"] = make_time(rng)
            rows.append(row)
    return rows


def iso(time):
    return time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03}Z"


def write_ndjson(rows, path):
    with open(path, "w", encoding="utf-8") as file:
        for row in rows:
            line = {name: iso(value) if KIND[name] == "time" else value for name, value in row.items()}
            file.write(json.dumps(line, ensure_ascii=len(row) % 2 == 0) + "\n")


def write_arrow(rows, path, text_type, coded_type):
    types = {"int": pyarrow.int64(), "bool": pyarrow.bool_(), "time": pyarrow.timestamp("ms", "UTC")}
    names = [name for name, _, _ in FIELDS if any(name in row for row in rows)]
    coded = {"storage_class", "replication_status", "encryption_status", "object_owner", "object_access_control_list"}
    columns = []
    for name in names:
        column_type = types.get(KIND[name]) or (coded_type if name in coded else text_type)
        values = pyarrow.array([row.get(name) for row in rows], pyarrow.string() if KIND[name] == "text" else column_type)
        columns.append(values.dictionary_encode() if column_type == "dictionary" else values.cast(column_type))
    table = pyarrow.table(columns, names)
    with pyarrow.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table, max_chunksize=777)


def generate(binary, folder, source, *arguments):
    command = [binary, "generate", "--source", source, "--destination", str(folder), "--bucket", BUCKET, "--at", STAMP, *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return json.loads(done.stdout.splitlines()[-1])


class Report:
    """A report on disk: checks everything about it but the rows, which it knows how to find."""

    def __init__(self, folder, summary):
        self.root = pathlib.Path(folder)
        path = self.root / summary["manifest"]
        text = path.read_bytes()
        checksum = path.with_name("manifest.checksum").read_bytes()
        assert checksum == hashlib.md5(text).hexdigest().encode() + b"\n", "manifest.checksum"
        self.manifest = json.loads(text)
        assert list(self.manifest) == ["sourceBucket", "destinationBucket", "version", "creationTimestamp", "fileFormat", "fileSchema", "files"]
        assert self.manifest["sourceBucket"] == BUCKET and self.manifest["version"] == "2016-11-30"
        assert self.manifest["destinationBucket"] == f"arn:aws:s3:::{self.root.name}"
        assert self.manifest["creationTimestamp"] == "1795309200000", self.manifest["creationTimestamp"]
        self.files = []
        for file in self.manifest["files"]:
            data = (self.root / file["key"]).read_bytes()
            assert len(data) == file["size"] and hashlib.md5(data).hexdigest() == file["MD5checksum"], file
            self.files.append(self.root / file["key"])
        symlink = self.root / BUCKET / summary["manifest"].split("/")[1] / "hive" / "dt=2026-11-22-01-00" / "symlink.txt"
        assert symlink.read_text() == "\n".join(f"s3://{self.root.name}/{file['key']}" for file in self.manifest["files"])
        written = {str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file()}
        expected = {file["key"] for file in self.manifest["files"]} | {str(symlink.relative_to(self.root))}
        stamp = pathlib.PurePath(summary["manifest"]).parent
        expected |= {str(stamp / name) for name in ["manifest.json", "manifest.checksum", "receipts.ndjson"]}
        assert written == expected, written ^ expected
        self.names = self.manifest["fileSchema"].split(", ")


def one_member(data):
    """Inflates exactly one gzip member and fails if anything follows it."""
    member = zlib.decompressobj(wbits=31)
    text = member.decompress(data)
    assert member.eof and not member.unused_data, "a data file is one gzip member"
    return text


def expected_cells(rows, columns, space, null_version):
    cells = []
    for row in rows:
        line = []
        for name in columns:
            value = row.get(name)
            if name == "bucket":
                line.append(BUCKET)
            elif name == "key":
                encoded = "".join(chr(byte) if chr(byte).isalnum() and byte < 128 or chr(byte) in "-_.*/" else f"%{byte:02X}" for byte in value.encode())
                line.append(encoded.replace("%20", space))
            elif value is None:
                line.append(null_version if name == "version_id" else "")
            elif KIND[name] == "bool":
                line.append("true" if value else "false")
            elif KIND[name] == "time":
                line.append(iso(value))
            else:
                line.append(str(value))
        cells.append(line)
    return cells


def check_csv(report, rows, columns, space="%20", null_version=""):
    assert report.manifest["fileFormat"] == "CSV"
    assert report.names == [csv_name for name, csv_name, _ in FIELDS if name in columns], report.names
    expected = expected_cells(rows, columns, space, null_version)
    texts = []
    for path in report.files:
        assert path.name.endswith(".csv.gz")
        data = path.read_bytes()
        head = zlib.decompressobj(wbits=31).decompress(data[:1024])
        texts.append(one_member(data))
        assert gzip.decompress(data) == texts[-1]
        first = texts[-1].split(b"\n", 1)[0]
        if len(first) < 1500:
            assert head.startswith(first + b"\n"), "the first row inflates from the first 1,024 bytes"
    text = b"".join(texts)
    assert text.count(b"\n") >= len(rows) and (not rows or text.endswith(b"\n")) and b"\r\n" not in text
    compare("csv", list(csv.reader(io.StringIO(text.decode("utf-8"), newline=""))), expected)
    for line, cells in zip(text.split(b'"\n'), expected):
        assert line.startswith(b'"') and line == b'"' + b'","'.join(cell.replace('"', '""').encode() for cell in cells), "every field is quoted"
    if not rows:
        return
    for cells in expected:
        decode = urllib.parse.unquote_plus if space == "+" else urllib.parse.unquote
        cells[1] = decode(cells[1])
    assert [cells[1] for cells in expected] == [row["key"] for row in rows], "keys decode to what they were"
    expected = expected_cells(rows, columns, space, null_version)

    tables = [
        pyarrow.csv.read_csv(
            path,
            pyarrow.csv.ReadOptions(column_names=columns),
            pyarrow.csv.ParseOptions(newlines_in_values=True),
            pyarrow.csv.ConvertOptions(column_types={name: pyarrow.string() for name in columns}, strings_can_be_null=False),
        )
        for path in report.files
    ]
    compare("pyarrow", [list(row.values()) for row in pyarrow.concat_tables(tables).to_pylist()], expected)

    types = {name: "VARCHAR" for name in columns}
    relation = duckdb.read_csv([str(path) for path in report.files], header=False, columns=types, quotechar='"', escapechar='"', delimiter=",",
                               compression="gzip", max_line_size=1 << 22)
    found = [[cell if cell is not None else "" for cell in row] for row in relation.fetchall()]
    compare("duckdb", found, expected)

    frames = [
        polars.read_csv(io.BytesIO(one_member(path.read_bytes())), has_header=False, new_columns=columns, infer_schema=False)
        for path in report.files
    ]
    compare("polars", [[cell or "" for cell in row] for row in polars.concat(frames).rows()], expected)
    if "size" in columns:
        typed = pyarrow.csv.read_csv(
            report.files[0],
            pyarrow.csv.ReadOptions(column_names=columns),
            pyarrow.csv.ParseOptions(newlines_in_values=True),
            pyarrow.csv.ConvertOptions(
                column_types={name: {"text": pyarrow.string(), "int": pyarrow.int64(), "bool": pyarrow.bool_(), "time": pyarrow.timestamp("ms", "UTC")}[KIND[name]] for name in columns},
                timestamp_parsers=["%Y-%m-%dT%H:%M:%S.%fZ", pyarrow.csv.ISO8601],
                null_values=[""],
                quoted_strings_can_be_null=True,
            ),
        )
        head = rows[: typed.num_rows]
        assert typed["size"].to_pylist() == [row.get("size") for row in head]
        assert typed["is_multipart_uploaded"].to_pylist() == [row.get("is_multipart_uploaded") for row in head]
        assert typed["last_modified_date"].to_pylist() == [row["last_modified_date"] for row in head]


def compare(reader, found, expected):
    assert len(found) == len(expected), f"{reader}: {len(found)} rows, not {len(expected)}"
    for number, (left, right) in enumerate(zip(found, expected)):
        assert list(left) == list(right), f"{reader}: row {number}: {left} is not {right}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--keys", type=int, default=20_000)
    options = parser.parse_args()
    binary = str(pathlib.Path(options.binary).resolve())
    all_columns = [name for name, _, _ in FIELDS]
    current_columns = [name for name in all_columns if name not in VERSION_FIELDS]
    default_columns = [name for name in current_columns[:9]]
    passed = 0

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        plain, versioned = make_rows(1, options.keys, False), make_rows(2, options.keys // 2, True)
        latest = [row for row in versioned if row["is_latest"] and not row["is_delete_marker"]]
        write_ndjson(plain, folder / "plain.ndjson")
        write_ndjson(versioned, folder / "versioned.ndjson")
        write_arrow(plain, folder / "plain.arrow", pyarrow.string(), pyarrow.string())
        write_arrow(versioned, folder / "versioned.arrow", pyarrow.large_string(), "dictionary")
        write_arrow(versioned, folder / "views.arrow", pyarrow.string_view(), pyarrow.string_view())
        (folder / "empty.ndjson").write_text("")
        small = ["--shard-target", "100KiB", "--chunk-rows", "1000"]
        cases = [
            ("plain report", "ndjson:plain.ndjson", [], plain, default_columns, {}),
            ("plain report of an Arrow file", "arrow:plain.arrow", ["--threads", "2"], plain, default_columns, {}),
            ("every field", "ndjson:plain.ndjson", ["--fields", "all", *small], plain, current_columns, {}),
            ("AWS's spelling of a space", "ndjson:plain.ndjson", ["--key-encoding", "form"], plain, default_columns, {"space": "+"}),
            ("all versions", "ndjson:versioned.ndjson", ["--versions", "all", "--fields", "all", *small], versioned, all_columns, {}),
            ("all versions of an Arrow file", "arrow:versioned.arrow", ["--versions", "all", "--fields", "all"], versioned, all_columns, {}),
            ("all versions of string views", "arrow:views.arrow", ["--versions", "all", "--fields", "all", "--lanes", "3"], versioned, all_columns, {}),
            ("null versions as null", "ndjson:versioned.ndjson", ["--versions", "all", "--fields", "all", "--null-version", "null"], versioned, all_columns, {"null_version": "null"}),
            ("current versions of a versioned source", "ndjson:versioned.ndjson", ["--fields", "all"], latest, current_columns, {}),
            ("a prefix", "ndjson:plain.ndjson", ["--prefix", "odd/"], [row for row in plain if row["key"].startswith("odd/")], default_columns, {}),
            ("an empty report", "ndjson:empty.ndjson", ["--fields", "default"], [], ["bucket", "key"], {}),
        ]
        for number, (title, source, arguments, rows, columns, spelling) in enumerate(cases):
            scheme, name = source.split(":")
            destination = folder / f"reports-{number}"
            summary = generate(binary, destination, f"{scheme}:{folder / name}", *arguments)
            assert summary["rows"] == len(rows), f"{title}: {summary}"
            report = Report(destination, summary)
            check_csv(report, rows, columns, **spelling)
            if small[0] in arguments:
                assert len(report.files) > 1, f"{title}: several files"
            checked = subprocess.run([binary, "verify", str(destination / summary["manifest"])], capture_output=True, text=True)
            assert checked.returncode == 0, checked
            if report.files:
                data = report.files[0].read_bytes()
                report.files[0].write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
                checked = subprocess.run([binary, "verify", str(destination / summary["manifest"])], capture_output=True, text=True)
                assert checked.returncode == 4, f"{title}: a flipped bit must be found: {checked}"
            print(f"ok: {title}: {len(rows)} rows in {len(report.files)} files", flush=True)
            passed += 1
    print(f"{passed} passed, 0 failed")


if __name__ == "__main__":
    sys.exit(main())
