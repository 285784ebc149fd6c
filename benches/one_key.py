"""States how many bytes readers read of a Parquet report for the rows of one key.

Readers: the `parquet` crate with its page index (benches/examples/one_key.rs), pyarrow, DuckDB, and with --spark also parquet-mr. Each
is given all data files of the report and must find by itself which of them holds the key. Run it with the environment of the foreign
readers: interop/.venv/bin/python benches/one_key.py --binary target/release/stocktake --rows 10000000
"""

import argparse
import io
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile

import duckdb
import fsspec
import pyarrow
import pyarrow.parquet
from fsspec.implementations.local import LocalFileSystem

ROOT = pathlib.Path(__file__).resolve().parents[1]


class Counting(io.RawIOBase):
    """A file that counts what is read of it."""

    total = 0

    def __init__(self, path):
        self.file = open(path, "rb", buffering=0)

    def readable(self):
        return True

    def seekable(self):
        return True

    def read(self, size=-1):
        data = self.file.read(size)
        Counting.total += len(data)
        return data

    def readinto(self, buffer):
        count = self.file.readinto(buffer)
        Counting.total += count
        return count

    def seek(self, offset, whence=0):
        return self.file.seek(offset, whence)

    def tell(self):
        return self.file.tell()


class CountingFileSystem(LocalFileSystem):
    """What DuckDB opens: it caches nothing and reads nothing ahead."""

    protocol = "counting"

    def _open(self, path, mode="rb", **options):
        return Counting(self._strip_protocol(path).removeprefix("counting://"))


def by_rust(program, files, key, columns, extra=()):
    command = [str(program), *(["--columns", ",".join(columns)] if columns else []), *extra, key, *map(str, files)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1])


def by_pyarrow(files, key, columns):
    Counting.total, rows = 0, 0
    for path in files:
        table = pyarrow.parquet.read_table(pyarrow.PythonFile(Counting(path), "r"), columns=columns, filters=[("key", "=", key)], pre_buffer=False)
        rows += table.num_rows
    return rows, Counting.total


def by_duckdb(files, key, columns):
    Counting.total = 0
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register_filesystem(CountingFileSystem())
        paths = [f"counting://{path}" for path in files]
        selected = ", ".join(columns) if columns else "*"
        rows = connection.sql(f"SELECT {selected} FROM read_parquet(?) WHERE key = ?", params=[paths, key]).to_arrow_table().num_rows
    return rows, Counting.total


def some_keys(files, count, seed):
    rng, keys = random.Random(seed), []
    for _ in range(count):
        file = pyarrow.parquet.ParquetFile(rng.choice(files))
        column = file.read_row_group(rng.randrange(file.num_row_groups), ["key"])["key"]
        keys.append(column[rng.randrange(len(column))].as_py())
    return keys


def report_files(options, folder):
    command = [options.binary, "generate", "--source", options.source.replace("{rows}", str(options.rows)), "--destination", str(folder),
               "--at", "2026-11-22T01:00:00Z", "--format", "parquet", "--profile", options.profile, *options.arguments.split()]
    summary = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1])
    manifest = json.loads((folder / summary["manifest"]).read_text())
    return [folder / file["key"] for file in manifest["files"]], summary


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", help="the command line, which makes a report of a synthetic bucket")
    parser.add_argument("--files", nargs="*", default=[], help="Parquet files to look into instead")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--source", default="synthetic:rows={rows},seed=1", help="{rows} is replaced")
    parser.add_argument("--profile", default="aws")
    parser.add_argument("--arguments", default="", help="further arguments of generate, separated by spaces")
    parser.add_argument("--keys", type=int, default=20)
    parser.add_argument("--work", default="/tmp")
    parser.add_argument("--limit-kib", type=float, help="fail if the parquet crate reads this much or more for any key and all columns")
    parser.add_argument("--spark", action="store_true", help="ask parquet-mr too, with the environment of interop/spark")
    options = parser.parse_args()
    work = pathlib.Path(tempfile.mkdtemp(dir=options.work))
    subprocess.run(["cargo", "build", "--release", "--quiet", "--package", "stocktake-benches", "--example", "one_key"], check=True, cwd=ROOT)
    program = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "examples" / "one_key"
    fsspec.register_implementation("counting", CountingFileSystem)
    try:
        files = [pathlib.Path(path).resolve() for path in options.files]
        if not files:
            files, summary = report_files(options, work / "report")
            print(f"{summary['rows']:,} rows, profile {options.profile}, {len(files)} files, {summary['bytes']:,} bytes")
        keys = some_keys(files, options.keys, 1)
        found = {}
        for key in keys:
            for name, columns in [("all columns", None), ("key and size", ["key", "size"])]:
                answers = {"parquet crate": by_rust(program, files, key, columns), "parquet crate, whole page index": by_rust(program, files, key, columns, ["--whole-index"])}
                answers = {reader: (answer["rows"], answer["bytes"], answer) for reader, answer in answers.items()}
                answers["pyarrow"] = by_pyarrow(files, key, columns)
                answers["DuckDB"] = by_duckdb(files, key, columns)
                assert len({answer[0] for answer in answers.values()}) == 1 and answers["pyarrow"][0] > 0, (key, answers)
                for reader, answer in answers.items():
                    found.setdefault((reader, name), []).append(answer)
        if options.spark:
            by_spark(files, keys, found)
        print(f"{'reader':34} {'answer':14} {'median bytes':>14} {'most':>14}   (over {len(keys)} keys)")
        for (reader, name), answers in found.items():
            sizes = [answer[1] for answer in answers]
            parts = ""
            if len(answers[0]) > 2:
                middle = {part: statistics.median(answer[2][f"{part}_bytes"] for answer in answers) for part in ("footer", "index", "page")}
                parts = "   footers {footer:,.0f}, index {index:,.0f}, pages {page:,.0f}".format(**middle)
            print(f"{reader:34} {name:14} {statistics.median(sizes):14,.0f} {max(sizes):14,}{parts}")
        most = max(answer[1] for answer in found["parquet crate", "all columns"])
        if options.limit_kib and most >= options.limit_kib * 1024:
            sys.exit(f"{most:,} bytes for one key; {options.limit_kib} KiB is the limit")
    finally:
        shutil.rmtree(work)


def by_spark(files, keys, found):
    folder = ROOT / "interop" / "spark"
    asked = json.dumps({"files": [str(path) for path in files], "keys": keys})
    done = subprocess.run([str(folder / ".venv/bin/python"), str(folder / "one_key.py")], input=asked, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    for name, answers in json.loads(done.stdout.splitlines()[-1]).items():
        found["parquet-mr", name] = [tuple(answer) for answer in answers]


if __name__ == "__main__":
    main()
