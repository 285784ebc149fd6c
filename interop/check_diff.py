"""Differences of two reports, as `stocktake diff` tells them and as DuckDB's full outer join does."""

import argparse
import json
import random
import subprocess
import tempfile
from pathlib import Path

import duckdb

COLUMNS = ["Size", "LastModifiedDate", "ETag", "StorageClass", "IsMultipartUploaded", "ReplicationStatus", "EncryptionStatus"]
NAMES = {
    "Size": "size",
    "LastModifiedDate": "last_modified_date",
    "ETag": "e_tag",
    "StorageClass": "storage_class",
    "IsMultipartUploaded": "is_multipart_uploaded",
    "ReplicationStatus": "replication_status",
    "EncryptionStatus": "encryption_status",
}


def generate(binary, source, root, identity, arguments=()):
    command = [binary, "generate", "--source", source, "--destination", str(root), "--bucket", "photos", "--id", identity]
    ran = subprocess.run([*command, "--shard-target", "2MiB", *arguments], check=True, capture_output=True, text=True)
    return json.loads(ran.stdout.splitlines()[-1])["manifest_path"]


def changed(listing, seed):
    """The listing with some rows left out, altered, renamed and added."""
    draw = random.Random(seed)
    rows = []
    for line in listing:
        row = json.loads(line)
        choice = draw.random()
        if choice < 0.02:
            continue
        if choice < 0.04:
            row["Size"] = draw.randrange(1 << 40)
        elif choice < 0.05:
            row["StorageClass"] = draw.choice(["GLACIER", "STANDARD_IA"])
            row.pop("ReplicationStatus", None)
        elif choice < 0.06:
            row["Key"] += ".moved"
        elif choice < 0.07:
            rows.append({**row, "Key": row["Key"] + "+new", "ETag": f"{draw.getrandbits(128):032x}"})
        rows.append(row)
    rows.sort(key=lambda row: row["Key"].encode())
    return rows


def files(manifest, root):
    return [str(Path(root) / file["key"]) for file in json.loads(Path(manifest).read_text())["files"]]


def joined(old, new):
    """Differences by DuckDB, over Parquet files."""
    differs = ", ".join(f"old.{name} IS DISTINCT FROM new.{name}" for name in NAMES.values())
    query = f"""
        SELECT coalesce(old.key, new.key), old.key IS NULL, new.key IS NULL, [{differs}]
        FROM read_parquet({old!r}) old FULL OUTER JOIN read_parquet({new!r}) new ON old.key = new.key
    """
    found = {}
    for key, added, removed, marks in duckdb.sql(query).fetchall():
        fields = tuple(column for column, mark in zip(COLUMNS, marks) if mark)
        if added or removed:
            found[key] = ("added" if added else "removed", ())
        elif fields:
            found[key] = ("changed", fields)
    return found


def told(binary, old, new):
    ran = subprocess.run([binary, "diff", "--format", "ndjson", old, new], capture_output=True, text=True)
    assert ran.returncode == 4, ran
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    moved = {(line["from"], line["to"]) for line in lines if line["change"] == "moved"}
    kept = [line for line in lines if line["change"] not in ("moved", "totals")]
    return {line["key"]: (line["change"], tuple(line.get("fields", ()))) for line in kept}, moved, lines[-1]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    binary = parser.parse_args().binary
    with tempfile.TemporaryDirectory() as folder:
        old = generate(binary, "synthetic:rows=60000,seed=5", folder, "old", ["--format", "parquet"])
        listing = subprocess.run([binary, "cat", "--format", "ndjson", old], check=True, capture_output=True, text=True).stdout
        dump = Path(folder) / "new.ndjson"
        dump.write_text("".join(json.dumps(row) + "\n" for row in changed(listing.splitlines(), 1)))
        new = {
            name: generate(binary, f"ndjson:{dump}", folder, f"new-{name}", ["--format", name, "--fields", ",".join(COLUMNS)])
            for name in ("parquet", "orc", "csv")
        }
        wanted = joined(files(old, folder), files(new["parquet"], folder))
        renamed = {key for key, (kind, _) in wanted.items() if kind == "added" and key.endswith(".moved")}
        for name, manifest in new.items():
            found, moved, totals = told(binary, old, manifest)
            assert found == wanted, sorted(set(found.items()) ^ set(wanted.items()))[:5]
            assert {to for _, to in moved} >= renamed, "a renamed object is not found"
            assert totals["old_rows"] - totals["removed"]["rows"] == totals["new_rows"] - totals["added"]["rows"]
            print(f"diff parquet to {name}: {len(found)} differences and {len(moved)} moved objects as DuckDB joins them")


main()
