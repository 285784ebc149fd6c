"""Reads CSV data files with gzip, csv, pyarrow, DuckDB and Polars, and compares every cell.

In CSV a value is a text; what it must be is spelled out here, independently of Stocktake.
"""

import csv
import gzip
import io
import urllib.parse
import zlib

import duckdb
import polars
import pyarrow
import pyarrow.csv

from rows import ARROW, BUCKET, FIELDS, KIND, UNSETTLED, iso

CSV_NAME = {name: csv_name for name, csv_name, _ in FIELDS + UNSETTLED}

# A reader may look at so much of a file to find its first row.
HEAD_BYTES = 1024


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


def check(report, rows, columns, space="%20", null_version=""):
    assert report.format == "CSV"
    assert report.schema_text.split(", ") == [CSV_NAME[name] for name in columns], report.schema_text
    expected = expected_cells(rows, columns, space, null_version)
    text = b"".join(check_text(path) for path in report.files)
    assert text.count(b"\n") >= len(rows) and (not rows or text.endswith(b"\n")) and b"\r\n" not in text
    same_cells("csv", list(csv.reader(io.StringIO(text.decode("utf-8"), newline=""))), expected)
    for line, cells in zip(text.split(b'"\n'), expected):
        assert line.startswith(b'"') and line == b'"' + b'","'.join(cell.replace('"', '""').encode() for cell in cells), "every field is quoted"
    if not rows:
        return
    decode = urllib.parse.unquote_plus if space == "+" else urllib.parse.unquote
    assert [decode(cells[1]) for cells in expected] == [row["key"] for row in rows], "keys decode to what they were"
    for reader in (read_pyarrow, read_duckdb, read_polars):
        same_cells(reader.__name__, reader(report.files, columns), expected)
    if "size" in columns:
        check_types(report.files[0], rows, columns)


def check_text(path):
    data = path.read_bytes()
    head = zlib.decompressobj(wbits=31).decompress(data[:HEAD_BYTES])
    text = one_member(data)
    assert gzip.decompress(data) == text
    first = text.split(b"\n", 1)[0]
    if len(first) < 1500:
        assert head.startswith(first + b"\n"), "the first row inflates from the first 1,024 bytes"
    return text


def read_pyarrow(paths, columns):
    options = pyarrow.csv.ConvertOptions(column_types={name: pyarrow.string() for name in columns}, strings_can_be_null=False)
    parse, read = pyarrow.csv.ParseOptions(newlines_in_values=True), pyarrow.csv.ReadOptions(column_names=columns)
    tables = [pyarrow.csv.read_csv(path, read, parse, options) for path in paths]
    return [list(row.values()) for row in pyarrow.concat_tables(tables).to_pylist()]


def read_duckdb(paths, columns):
    relation = duckdb.read_csv([str(path) for path in paths], header=False, columns={name: "VARCHAR" for name in columns}, quotechar='"', escapechar='"',
                               delimiter=",", compression="gzip", max_line_size=1 << 22)
    return [[cell if cell is not None else "" for cell in row] for row in relation.fetchall()]


def read_polars(paths, columns):
    frames = [polars.read_csv(io.BytesIO(one_member(path.read_bytes())), has_header=False, new_columns=columns, infer_schema=False) for path in paths]
    return [[cell or "" for cell in row] for row in polars.concat(frames).rows()]


def check_types(path, rows, columns):
    """Numbers, booleans and times are read as such."""
    options = pyarrow.csv.ConvertOptions(column_types={name: ARROW[KIND[name]] for name in columns}, null_values=[""], quoted_strings_can_be_null=True,
                                         timestamp_parsers=["%Y-%m-%dT%H:%M:%S.%fZ", pyarrow.csv.ISO8601])
    read, parse = pyarrow.csv.ReadOptions(column_names=columns), pyarrow.csv.ParseOptions(newlines_in_values=True)
    typed = pyarrow.csv.read_csv(path, read, parse, options)
    head = rows[: typed.num_rows]
    for name in columns:
        if KIND[name] != "text":
            found = typed[name].cast(pyarrow.int64()) if KIND[name] == "time" else typed[name]
            assert found.to_pylist() == [row.get(name) for row in head], f"{name} as {typed[name].type}"


def same_cells(reader, found, expected):
    assert len(found) == len(expected), f"{reader}: {len(found)} rows, not {len(expected)}"
    for number, (left, right) in enumerate(zip(found, expected)):
        assert list(left) == list(right), f"{reader}: row {number}: {left} is not {right}"
