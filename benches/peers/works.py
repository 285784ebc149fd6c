"""What is measured: for each work the competitors, and the command of each. Ours come first.

Every competitor gets the same rows in memory and leaves files at a path. No peer computes checksums of what it writes, percent-encodes
keys (but for the one that says so) or publishes anything; ours do.
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent

# Work: (codec, ours by name with the arguments of `encode`, Rust peers by name with their writer, Python peers).
WORKS = {
    "csv": ("gzip", {"stocktake": ["--format", "csv"]}, {"csv + flate2": "csv"},
            ["pyarrow", "pyarrow + isal", "pyarrow + zlib-ng", "duckdb", "duckdb, keys encoded", "polars", "chdb"]),
    "orc": ("zlib", {"stocktake": ["--format", "orc"]}, {"orc-rust": "orc-rust"}, ["pyarrow", "pyarrow, dictionaries", "chdb"]),
    "parquet-snappy": ("snappy", {"stocktake": ["--format", "parquet"], "stocktake delta": ["--format", "parquet", "--profile", "delta"]},
                       {"ArrowWriter": "arrow-writer"}, ["pyarrow", "pyarrow, no dictionaries of random texts", "duckdb", "polars", "chdb"]),
    "parquet-zstd": ("zstd", {"stocktake compact": ["--format", "parquet", "--profile", "compact"]}, {"ArrowWriter": "arrow-writer"},
                     ["pyarrow", "duckdb", "polars", "chdb"]),
    # From text to files: reading the rows is measured too.
    "ndjson-csv": ("gzip", {"stocktake": ["--format", "csv"]}, {}, ["pyarrow", "pyarrow + isal", "duckdb", "polars", "chdb"]),
    "ndjson-orc": ("zlib", {"stocktake": ["--format", "orc"]}, {}, ["pyarrow", "chdb"]),
    "ndjson-parquet": ("snappy", {"stocktake": ["--format", "parquet"], "stocktake delta": ["--format", "parquet", "--profile", "delta"]}, {},
                       ["pyarrow", "duckdb", "polars", "chdb"]),
}


# A report of this size has several data files, whose MD5 is made side by side; peers write one, and so do we if asked to.
WAYS = {"": [], ", one file": ["--shard-target-mib", "4096"]}


def reads(work):
    """Ending of the file that a work reads."""
    return "ndjson" if work.startswith("ndjson-") else "arrow"


def file_format(work):
    """What a work writes."""
    return work.removeprefix("ndjson-").split("-")[0]


def competitors(work, target, source):
    """Pairs of name and a function from output path and threads to a command."""
    codec, ours, rust, python = WORKS[work]
    target = pathlib.Path(target)
    found = []
    ways = [(name + way, [*arguments, *more]) for name, arguments in ours.items() for way, more in WAYS.items()]
    for name, arguments in ways:
        command = [target / "release" / "encode", "--in", source, *arguments]
        found.append((name, lambda out, threads, command=command: [*command, "--out", out, "--threads", threads]))
    for name, writer in rust.items():
        command = [target / "peers" / "release" / "stocktake-peers", "--in", source, "--writer", writer, "--codec", codec]
        found.append((name, lambda out, threads, command=command: [*command, "--out", out, "--threads", threads]))
    for name in python:
        command = [sys.executable, HERE / "write.py", "--in", source, "--work", file_format(work), "--writer", name, "--codec", codec]
        found.append((name, lambda out, threads, command=command: [*command, "--out", out, "--threads", threads]))
    return found


def is_ours(name):
    return name.startswith("stocktake")
