"""Makes the rows that are measured: a report of a synthetic bucket, read back into an Arrow file with plain strings in every text column."""

import json
import pathlib
import subprocess
import tempfile
import urllib.parse

import pyarrow
import pyarrow.csv
import pyarrow.ipc

# Sizes, times and booleans of the columns that have them; everything else is text.
TYPES = {"size": pyarrow.int64()} | {name: pyarrow.timestamp("ms", "UTC") for name in ("last_modified_date", "object_lock_retain_until_date", "lifecycle_expiration_date")}
TYPES |= {name: pyarrow.bool_() for name in ("is_latest", "is_delete_marker", "is_multipart_uploaded")}

# Rows of a record batch.
BATCH_ROWS = 65_536

SHAPES = {"current": ("versions=0", []), "versions": ("versions=4", ["--versions", "all", "--fields", "all"])}


def make(binary, shape, rows, path):
    versions, arguments = SHAPES[shape]
    with tempfile.TemporaryDirectory() as folder:
        command = [binary, "generate", "--source", f"synthetic:rows={rows},seed=1,{versions}", "--destination", folder, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        manifest = json.loads((pathlib.Path(folder) / json.loads(done.stdout.splitlines()[-1])["manifest"]).read_text())
        names = [column_name(name) for name in manifest["fileSchema"].split(", ")]
        options = pyarrow.csv.ConvertOptions(column_types={name: TYPES.get(name, pyarrow.string()) for name in names}, null_values=[""], strings_can_be_null=True,
                                             quoted_strings_can_be_null=True, timestamp_parsers=["%Y-%m-%dT%H:%M:%S.%fZ", pyarrow.csv.ISO8601])
        tables = [pyarrow.csv.read_csv(pathlib.Path(folder) / file["key"], pyarrow.csv.ReadOptions(column_names=names), convert_options=options)
                  for file in manifest["files"]]
    table = pyarrow.concat_tables(tables)
    keys = pyarrow.array([urllib.parse.unquote(key) for key in table["key"].to_pylist()])
    table = table.set_column(names.index("key"), "key", keys)
    # A column without a value says nothing of a writer.
    table = table.select([name for name in names if table[name].null_count < table.num_rows])
    with pyarrow.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table.combine_chunks(), max_chunksize=BATCH_ROWS)
    write_lines(table, str(pathlib.Path(path).with_suffix(".ndjson")))


def write_lines(table, path):
    """The same rows as lines of JSON, times as S3 spells them."""
    import duckdb

    times = [name for name in table.column_names if pyarrow.types.is_timestamp(table.schema.field(name).type)]
    replaced = ", ".join(f"strftime({name} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%gZ') AS {name}" for name in times)
    connection = duckdb.connect(config={"threads": 1})
    connection.register("held", table)
    connection.execute(f"COPY (SELECT * REPLACE ({replaced}) FROM held) TO '{path}' (FORMAT json)")


def column_name(name):
    """`ETag` to `e_tag`, `LastModifiedDate` to `last_modified_date`."""
    return {"ETag": "e_tag"}.get(name) or "".join("_" + letter.lower() if letter.isupper() else letter for letter in name).lstrip("_")
