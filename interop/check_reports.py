"""Makes rows, has Stocktake report them in every format, and compares every value with what foreign readers find.

The rows come from here, not from Stocktake, and nothing here uses Stocktake's own code to read anything.
"""

import argparse
import pathlib
import sys
import tempfile
import time
import traceback

import pyarrow

import layout.orc
import layout.parquet
import readers.csv
import readers.ddl
import readers.insight
import readers.orc
import readers.parquet
import readers.statements
from report import Report, generate, run
from rows import (ALL_COLUMNS, BUCKET, CURRENT_COLUMNS, DEFAULT_COLUMNS, FAR_TIMES, KIND, LAST_SECOND, UNSETTLED, make_alike,
                  make_groups, make_rows, with_unsettled, write_arrow,
                  write_ndjson)

SMALL = ["--shard-target", "100KiB", "--chunk-rows", "1000"]
ALL = ["--versions", "all", "--fields", "all"]
BLOOM_COLUMNS = {False: ("key", "e_tag"), True: ("key", "version_id", "e_tag")}


def check_csv(report, rows, columns, **spelling):
    readers.csv.check(report, rows, columns, **spelling)


def check_parquet(report, rows, columns, profile="aws", sorted_keys=True, bloom=()):
    readers.parquet.check(report, rows, columns, profile)
    layout.parquet.check(report, rows, columns, profile, sorted_keys, bloom)


def check_orc(report, rows, columns, compression="zlib", sorted_keys=True, bloom=()):
    readers.orc.check(report, rows, columns)
    layout.orc.check(report, rows, columns, compression, bloom)


CHECKS = {"csv": check_csv, "parquet": check_parquet, "orc": check_orc}
# The option that chooses a format's variant, and the variants; the first is the default.
VARIANTS = {"csv": (None, [None]), "parquet": ("profile", ["aws", "delta", "compact"]), "orc": ("compression", ["zlib", "snappy", "zstd", "none"])}


class Inputs:
    """The source files of all cases, and the rows that they hold."""

    def __init__(self, folder, keys):
        self.folder = folder
        plain, versioned = make_rows(1, keys, False), make_rows(2, keys // 2, True)
        far, second = make_rows(3, 300, True, FAR_TIMES), make_rows(7, 300, True, LAST_SECOND)
        self.rows = {
            "plain.ndjson": plain, "versioned.ndjson": versioned, "far.ndjson": far, "second.ndjson": second, "empty.ndjson": [], "alike.ndjson": make_alike(30_000),
            "groups.arrow": make_groups(4, 5), "few.ndjson": make_rows(6, 1, True), "unsettled.ndjson": with_unsettled(versioned[:5000], 5),
            "unsorted.ndjson": plain[len(plain) // 2 :] + plain[: len(plain) // 2],
            "plain.arrow": plain, "versioned.arrow": versioned, "views.arrow": versioned,
        }
        types = {"plain.arrow": (pyarrow.string(), pyarrow.string()), "versioned.arrow": (pyarrow.large_string(), "dictionary"),
                 "views.arrow": (pyarrow.string_view(), pyarrow.string_view()), "groups.arrow": (pyarrow.string(), "dictionary")}
        for name, rows in self.rows.items():
            if name.endswith(".arrow"):
                write_arrow(rows, folder / name, *types[name])
            else:
                write_ndjson(rows, folder / name)

    def source(self, name):
        return f"{name.rsplit('.')[1]}:{self.folder / name}"


def latest(rows):
    return [row for row in rows if row["is_latest"] and not row["is_delete_marker"]]


def cases(format, inputs):
    """Title, source file, arguments, rows, columns, options of the check."""
    rows = inputs.rows
    plain, versioned = rows["plain.ndjson"], rows["versioned.ndjson"]
    option, variants = VARIANTS[format]
    for variant in variants:
        chosen, options, title = ([f"--{option}", variant], {option: variant}, f" ({variant})") if variant else ([], {}, "")
        yield "plain report" + title, "plain.ndjson", chosen, plain, DEFAULT_COLUMNS, options
        yield "all versions, every field, several files" + title, "versioned.ndjson", chosen + ALL + SMALL, versioned, ALL_COLUMNS, options
        if variant:
            yield "columns absent for whole groups of rows" + title, "groups.arrow", chosen + ALL, rows["groups.arrow"], ALL_COLUMNS, options
            yield "rows that are all alike" + title, "alike.ndjson", chosen + ["--fields", "all"], rows["alike.ndjson"], CURRENT_COLUMNS, options
    yield "plain report of an Arrow file", "plain.arrow", ["--threads", "2"], plain, DEFAULT_COLUMNS, {}
    yield "every field", "plain.ndjson", ["--fields", "all", *SMALL], plain, CURRENT_COLUMNS, {}
    yield "all versions of dictionaries", "versioned.arrow", ALL, versioned, ALL_COLUMNS, {}
    yield "all versions of string views in lanes", "views.arrow", [*ALL, "--lanes", "3"], versioned, ALL_COLUMNS, {}
    yield "current versions of a versioned source", "versioned.ndjson", ["--fields", "all"], latest(versioned), CURRENT_COLUMNS, {}
    yield "a prefix", "plain.ndjson", ["--prefix", "odd/"], [row for row in plain if row["key"].startswith("odd/")], DEFAULT_COLUMNS, {}
    yield "chunks of seven rows", "versioned.ndjson", [*ALL, "--chunk-rows", "7", "--prefix", "odd/"], [row for row in versioned if row["key"].startswith("odd/")], ALL_COLUMNS, {}
    yield "an empty report", "empty.ndjson", [], [], ["bucket", "key"], {}
    yield "few rows", "few.ndjson", ALL, rows["few.ndjson"], ALL_COLUMNS, {}
    yield "three columns", "plain.ndjson", ["--fields", "Size"], plain, ["bucket", "key", "size"], {}
    yield "times of the years 0 to 9999", "far.ndjson", ALL, rows["far.ndjson"], ALL_COLUMNS, {}
    if format != "orc":
        yield "times of the last second before 1970", "second.ndjson", ALL, rows["second.ndjson"], ALL_COLUMNS, {}
    names = ["Size", "ObjectLockEventHoldStatus", "ObjectLockEventHoldDuration", "IntelligentTieringReferenceDate"]
    columns = [name for name in ALL_COLUMNS[:6]] + [name for name, _, _ in UNSETTLED]
    yield "fields that are not settled", "unsettled.ndjson", ["--versions", "all", "--fields", ",".join(names)], rows["unsettled.ndjson"], columns, {}
    if format == "csv":
        yield "AWS's spelling of a space", "plain.ndjson", ["--key-encoding", "form"], plain, DEFAULT_COLUMNS, {"space": "+"}
        yield "null versions as null", "versioned.ndjson", [*ALL, "--null-version", "null"], versioned, ALL_COLUMNS, {"null_version": "null"}
    else:
        for source, arguments, found, columns in [("plain.ndjson", [], plain, DEFAULT_COLUMNS), ("versioned.ndjson", ALL + SMALL, versioned, ALL_COLUMNS)]:
            bloom = BLOOM_COLUMNS[columns is ALL_COLUMNS]
            yield f"bloom filters of {', '.join(bloom)}", source, [*arguments, "--bloom", ",".join(bloom)], found, columns, {"bloom": bloom}
        yield "keys as the source delivers them", "unsorted.ndjson", ["--unsorted", "allow"], rows["unsorted.ndjson"], DEFAULT_COLUMNS, {"sorted_keys": False}


class Tally:
    """Runs checks to the last, and counts."""

    passed = failed = 0

    def run(self, title, check, *arguments):
        started = time.monotonic()
        try:
            check(*arguments)
        except Exception as error:
            self.failed += 1
            print(f"FAILED: {title}: {type(error).__name__}: {str(error)[:2000]}", flush=True)
            if not isinstance(error, AssertionError):
                traceback.print_exc()
        else:
            self.passed += 1
            print(f"ok: {title}, {time.monotonic() - started:.1f} s", flush=True)


def check_case(binary, destination, source, arguments, rows, columns, check, how):
    summary = generate(binary, destination, source, *arguments)
    assert summary["rows"] == len(rows), summary
    report = Report(destination, summary)
    check(report, rows, columns, **how)
    readers.ddl.check(binary, report, rows, columns, **how)
    readers.statements.check(binary, report, columns)
    readers.insight.check(binary, report, rows, columns)
    if SMALL[0] in arguments:
        assert len(report.files) > 1, "several files"
    report.check_verify(binary)


def check_refusal(binary, folder, inputs):
    """A value that ORC cannot hold ends the run, with its key, and leaves nothing behind."""
    rows = inputs.rows["second.ndjson"]
    columns = [name for name in ALL_COLUMNS if KIND[name] == "time"]
    refused = {row["key"] for row in rows if any(row.get(name) in LAST_SECOND for name in columns)}
    done = run(binary, "generate", "--source", inputs.source("second.ndjson"), "--destination", folder, "--bucket", BUCKET, "--format", "orc", *ALL)
    assert done.returncode == 1 and "1970" in done.stderr, done
    # The message may escape a key; most need no escaping.
    assert any(key in done.stderr for key in refused), done.stderr
    assert not [path for path in folder.rglob("*") if path.is_file()], "a failed run leaves nothing behind"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True, help="the command line, with arguments before `generate` if it needs any")
    parser.add_argument("--formats", default="csv,parquet,orc")
    parser.add_argument("--keys", type=int, default=20_000)
    parser.add_argument("--only", default="", help="only cases whose title holds this text")
    options = parser.parse_args()
    binary = options.binary.split()
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        inputs = Inputs(pathlib.Path(folder), options.keys)
        for format in options.formats.split(","):
            for number, (title, source, arguments, rows, columns, how) in enumerate(cases(format, inputs)):
                if options.only not in title:
                    continue
                tally.run(f"{format}: {title}: {len(rows)} rows", check_case, binary, pathlib.Path(folder) / f"{format}-{number}", inputs.source(source),
                          ["--format", format, *arguments], rows, columns, CHECKS[format], how)
            if format == "orc" and not options.only:
                tally.run("orc: a time that ORC cannot hold", check_refusal, binary, pathlib.Path(folder) / "refused", inputs)
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
