"""Has Stocktake report rows in every format, and reads them with Spark: by the statements of `stocktake ddl`; Java ORC and parquet-mr, vectorised and row by row.

Every value is compared, and then predicates on key and size over many random ranges: what they return through row groups, column
index, row index and bloom filters is what the rows say, and groups are skipped.
"""

import argparse
import pathlib
import random
import sys
import tempfile
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import pyarrow
import pyarrow.compute as compute

import java_readers
import session
from compare import compare
from report import Report, generate, run
from rows import ALL_COLUMNS, ARROW, DEFAULT_COLUMNS, FAR_TIMES, GROUP_ROWS, KIND, make_groups, make_rows, table_of, write_arrow, write_ndjson

ALL = ["--versions", "all", "--fields", "all"]
VARIANTS = {"csv": [["--compression-level", level] for level in ("1", "6")], "parquet": [["--profile", name] for name in ("aws", "delta", "compact")], "orc": [["--compression", name] for name in ("zlib", "snappy", "zstd", "none")]}
BLOOM = ["--bloom", "key,e_tag"]

# Spark's rebasing of dates before the Gregorian calendar is not what is asked here.
GREGORIAN_MS = -12_219_292_800_000
LAST_MS = 253_402_300_799_999


def read(spark, format, report, columns):
    frames = [spark.read.format(format).load(str(path)) for path in report.files]
    tables = [java_readers.table(frame, columns, [ARROW[KIND[name]] for name in columns]) for frame in frames]
    return frames, pyarrow.concat_tables(tables)


def check_values(spark, format, report, expected):
    for vectorised in ("true", "false"):
        spark.conf.set(f"spark.sql.{format}.enableVectorizedReader", vectorised)
        frames, found = read(spark, format, report, expected.column_names)
        compare(f"spark, vectorised {vectorised}", found, expected, (GREGORIAN_MS, LAST_MS))
    for frame in frames:
        kinds = {"text": "string", "int": "bigint", "int32": "int", "bool": "boolean", "time": "timestamp"}
        assert [(name, kinds[KIND[name]]) for name in expected.column_names] == frame.dtypes, frame.dtypes


def check_predicates(spark, format, report, expected, trials, seed):
    """All files of a report as one table; ordered afterwards, since Spark promises no order."""
    from pyspark.sql.functions import col

    rng, frame = random.Random(seed), spark.read.format(format).load([str(path) for path in report.files])
    columns = ["key", "size", "replication_status", "last_modified_date"]
    keys, sizes = expected["key"], expected["size"]
    order = [("key", "ascending"), ("last_modified_date", "ascending"), ("size", "ascending")]
    for trial in range(trials):
        spark.conf.set(f"spark.sql.{format}.enableVectorizedReader", "true" if trial % 4 < 2 else "false")
        pick = lambda: keys[rng.randrange(len(keys))].as_py()
        kind = trial % 6
        if kind == 0:
            low, high = sorted((pick(), pick()), key=str.encode)
            where, mask = col("key").between(low, high), both(compute.greater_equal(keys, low), compute.less_equal(keys, high))
        elif kind == 1:
            key = pick() if trial % 4 else pick() + "absent"
            where, mask = col("key") == key, compute.equal(keys, key)
        elif kind == 2:
            some = [pick() for _ in range(5)]
            where, mask = col("key").isin(some), compute.is_in(keys, pyarrow.array(some))
        elif kind == 3:
            low = rng.choice([-5, 0, 1000, 4000, 10**6, 2**40])
            high = low + rng.choice([0, 10, 1000, 10**6])
            where, mask = col("size").between(low, high), both(compute.greater_equal(sizes, low), compute.less_equal(sizes, high))
        elif kind == 4:
            key = pick()
            where, mask = col("size").isNull() & (col("key") >= key), both(compute.is_null(sizes), compute.greater_equal(keys, key))
        else:
            key = pick()
            where = (col("replication_status") == "COMPLETED") & (col("key") < key)
            mask = both(compute.equal(expected["replication_status"], "COMPLETED"), compute.less(keys, key))
        found = java_readers.table(frame.filter(where), columns, [ARROW[KIND[name]] for name in columns])
        compare(f"spark, predicate {trial}", found.sort_by(order), expected.select(columns).filter(compute.fill_null(mask, False)).sort_by(order), (GREGORIAN_MS, LAST_MS))


def check_groups(spark, format, report, expected):
    """Every row group read alone, all columns: seeks into each stream, groups without a value and those at the end of a stripe included."""
    from pyspark.sql.functions import col

    frame, order = spark.read.format(format).load([str(path) for path in report.files]), [("key", "ascending")]
    for start in range(0, len(expected), GROUP_ROWS):
        group = expected.slice(start, GROUP_ROWS)
        low, high = group["key"][0].as_py(), group["key"][-1].as_py()
        for vectorised in ("true", "false"):
            spark.conf.set(f"spark.sql.{format}.enableVectorizedReader", vectorised)
            found = java_readers.table(frame.filter(col("key").between(low, high)), expected.column_names, expected.schema.types)
            compare(f"spark, rows from {start}, vectorised {vectorised}", found.sort_by(order), group, (GREGORIAN_MS, LAST_MS))


def check_statements(spark, binary, report, expected):
    """The statements of `stocktake ddl --for spark` as they stand: a view of the report's rows, in any order."""
    done = run(binary, "ddl", "--for", "spark", "--table", "found", "--base", f"file://{report.root}", report.path)
    assert done.returncode == 0, done
    spark.conf.set("spark.sql.ansi.enabled", "true")
    for statement in filter(None, (text.strip() for text in done.stdout.split(";\n"))):
        spark.sql(statement)
    frame = spark.table("found")
    assert frame.columns == expected.column_names, frame.columns
    found = java_readers.table(frame, expected.column_names, expected.schema.types)
    order = [(name, "ascending") for name in expected.column_names[1:]]
    compare("statements for Spark", found.sort_by(order), expected.sort_by(order), (GREGORIAN_MS, LAST_MS))


def both(left, right):
    return compute.and_kleene(left, right)


def check_skipping(spark, format, report, expected):
    """The readers themselves say how much they read: less than the whole."""
    path, rng = report.files[0], random.Random(5)
    key = expected["key"][rng.randrange(len(expected))].as_py()
    if format == "orc":
        rows = {name: java_readers.orc_rows(spark, path, name, *bounds) for name, bounds in {"key": (key, key), "size": (-(2**40), -(2**39))}.items()}
        assert 0 < rows["key"] <= 10_000 and rows["size"] == 0, rows
        return f"Java ORC ({java_readers.orc_about(spark, path)}) reads {rows['key']} of {len(expected)} rows for one key"
    rows, size = java_readers.parquet_one_key(spark, [path], key)
    wanted = compute.sum(compute.equal(expected["key"], key)).as_py()
    assert wanted <= rows < len(expected) / 4, (rows, len(expected))
    return f"parquet-mr reads {rows} of {len(expected)} rows, {size:,} of {path.stat().st_size:,} bytes for one key"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--formats", default="csv,parquet,orc")
    parser.add_argument("--keys", type=int, default=10_000)
    parser.add_argument("--trials", type=int, default=90, help="predicates for each report")
    options = parser.parse_args()
    spark, binary = session.start(), options.binary.split()
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        inputs = {"plain": (make_rows(1, options.keys, False), [], DEFAULT_COLUMNS), "versions": (make_rows(2, options.keys // 2, True), ALL, ALL_COLUMNS),
                  "far": (make_rows(3, 300, True, FAR_TIMES), ALL, ALL_COLUMNS), "groups": (make_groups(4, 5), ALL, ALL_COLUMNS)}
        write_ndjson(inputs["plain"][0], folder / "plain.ndjson")
        write_ndjson(inputs["versions"][0], folder / "versions.ndjson")
        write_ndjson(inputs["far"][0], folder / "far.ndjson")
        write_arrow(inputs["groups"][0], folder / "groups.arrow", pyarrow.string(), "dictionary")
        for format in options.formats.split(","):
            for number, variant in enumerate(VARIANTS[format]):
                for name, (rows, arguments, columns) in inputs.items():
                    started, title = time.monotonic(), f"{format} {variant[-1]}: {name}"
                    small = ["--shard-target", "200KiB", "--chunk-rows", "2000"] if name == "versions" else []
                    bloom = BLOOM if name == "groups" and number == 0 and format != "csv" else []
                    source = f"{'arrow' if name == 'groups' else 'ndjson'}:{folder / name}.{'arrow' if name == 'groups' else 'ndjson'}"
                    try:
                        summary = generate(binary, folder / f"{format}-{number}-{name}", source, "--format", format, *variant, *arguments, *small, *bloom)
                        report, expected, said = Report(folder / f"{format}-{number}-{name}", summary), table_of(rows, columns), ""
                        check_statements(spark, binary, report, expected)
                        if format != "csv":
                            check_values(spark, format, report, expected)
                        if name != "far" and format != "csv":
                            check_predicates(spark, format, report, expected, options.trials if number == 0 else options.trials // 6, number)
                        if name == "groups" and format != "csv":
                            check_groups(spark, format, report, expected)
                            said = "; " + check_skipping(spark, format, report, expected)
                    except Exception as error:
                        failed += 1
                        print(f"FAILED: {title}: {type(error).__name__}: {str(error)[:2000]}", flush=True)
                        if not isinstance(error, AssertionError):
                            traceback.print_exc()
                    else:
                        passed += 1
                        print(f"ok: {title}: {len(rows)} rows in {len(report.files)} files, {time.monotonic() - started:.1f} s{said}", flush=True)
    spark.stop()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
