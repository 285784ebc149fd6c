"""Has Stocktake generate a report, and checks everything about it but the rows: manifest, checksums, symlink, names.

It knows where the data files are; what stands in them is the readers' business.
"""

import hashlib
import json
import pathlib
import subprocess

from rows import BUCKET

STAMP = "2026-11-22T01:00:00Z"
STAMP_MS = "1795309200000"
MANIFEST_MEMBERS = ["sourceBucket", "destinationBucket", "version", "creationTimestamp", "fileFormat", "fileSchema", "files"]
ENDINGS = {"CSV": ".csv.gz", "ORC": ".orc", "Parquet": ".parquet"}


def run(binary, *arguments):
    command = [*binary, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def generate(binary, folder, source, *arguments):
    done = run(binary, "generate", "--source", source, "--destination", folder, "--bucket", BUCKET, "--at", STAMP, *arguments)
    assert done.returncode == 0, f"{done.args}: {done.stderr}"
    return json.loads(done.stdout.splitlines()[-1])


class Report:
    """A report on disk whose companions are all right: manifest, names and `files` are what they should be."""

    def __init__(self, folder, summary):
        self.root = pathlib.Path(folder)
        self.path = self.root / summary["manifest"]
        text = self.path.read_bytes()
        checksum = self.path.with_name("manifest.checksum").read_bytes()
        assert checksum == hashlib.md5(text).hexdigest().encode() + b"\n", "manifest.checksum"
        self.manifest = json.loads(text)
        assert list(self.manifest) == MANIFEST_MEMBERS
        assert self.manifest["sourceBucket"] == BUCKET and self.manifest["version"] == "2016-11-30"
        assert self.manifest["destinationBucket"] == f"arn:aws:s3:::{self.root.name}"
        assert self.manifest["creationTimestamp"] == STAMP_MS, self.manifest["creationTimestamp"]
        self.format, self.schema_text = self.manifest["fileFormat"], self.manifest["fileSchema"]
        self.files = []
        for file in self.manifest["files"]:
            data = (self.root / file["key"]).read_bytes()
            assert len(data) == file["size"] and hashlib.md5(data).hexdigest() == file["MD5checksum"], file
            self.files.append(self.root / file["key"])
        assert all(path.name.endswith(ENDINGS[self.format]) for path in self.files), self.files
        symlink = self.root / BUCKET / summary["manifest"].split("/")[1] / "hive" / "dt=2026-11-22-01-00" / "symlink.txt"
        assert symlink.read_text() == "\n".join(f"s3://{self.root.name}/{file['key']}" for file in self.manifest["files"])
        written = {str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file()}
        expected = {file["key"] for file in self.manifest["files"]} | {str(symlink.relative_to(self.root))}
        stamp = pathlib.PurePath(summary["manifest"]).parent
        expected |= {str(stamp / name) for name in ["manifest.json", "manifest.checksum", "receipts.ndjson"]}
        assert written == expected, written ^ expected

    def check_verify(self, binary):
        """`stocktake verify` finds no difference, and finds one once a bit of a data file is flipped. Spoils the report."""
        checked = run(binary, "verify", self.path)
        assert checked.returncode == 0, checked
        if self.files:
            data = self.files[0].read_bytes()
            self.files[0].write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
            checked = run(binary, "verify", self.path)
            assert checked.returncode == 4, f"a flipped bit must be found: {checked}"
