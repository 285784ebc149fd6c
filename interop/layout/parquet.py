"""Checks Parquet's schema, statistics, page index, pages and bloom filters against the rows and against S3's own file.

Statistics are compared with ones computed here from the rows; a bound may be wider than the values, never narrower.
"""

import json
import pathlib
import struct
import zlib

import duckdb
import pyarrow
import pyarrow.compute
import pyarrow.parquet

from layout.thrift import struct_at
from rows import ALL_COLUMNS, KIND, table_of

# A delivery of S3's own, where it is at hand.
FIXTURE = pathlib.Path(__file__).resolve().parents[3] / "shared" / "fixtures" / "aws"

BYTE_ORDER = {"text": lambda value: value.encode(), "int": lambda value: value, "int32": lambda value: value, "time": lambda value: value, "bool": lambda value: value}
UNPACK = {"text": bytes, "int": lambda raw: struct.unpack("<q", raw)[0], "time": lambda raw: struct.unpack("<q", raw)[0],
          "int32": lambda raw: struct.unpack("<i", raw)[0], "bool": lambda raw: raw != b"\0"}

PLAIN, DICTIONARY_OLD, RLE, DELTA, DELTA_LENGTH, DELTA_BYTES, DICTIONARY = 0, 2, 3, 5, 6, 7, 8
# Values' encodings, compression (SNAPPY, ZSTD) and page kinds (v1 is 0, v2 is 3) that a profile may use.
PROFILES = {
    "aws": ({PLAIN, DICTIONARY_OLD, DICTIONARY}, 1, {0}),
    "delta": ({PLAIN, RLE, DICTIONARY, DELTA, DELTA_LENGTH, DELTA_BYTES}, 1, {0, 3}),
    "compact": ({PLAIN, RLE, DICTIONARY, DELTA, DELTA_LENGTH, DELTA_BYTES}, 6, {0, 3}),
}
# Every page of these holds nearly the whole range: an index of them would say nothing.
RANDOM_COLUMNS = {"e_tag", "version_id"}


def check(report, rows, columns, profile="aws", sorted_keys=True, bloom=()):
    expected, at = table_of(rows, columns), 0
    for path in report.files:
        file = File(path)
        assert schema_text(path) == report.schema_text, f"{schema_text(path)} is not {report.schema_text}"
        if set(columns) <= set(ALL_COLUMNS):
            check_like_fixture(path, report.schema_text)
        assert b"ARROW:schema" not in file.metadata and file.created_by.startswith(b"stocktake"), (file.metadata, file.created_by)
        part = expected.slice(at, file.rows)
        at += file.rows
        check_facts(file, part)
        group_at = 0
        for group in file.groups:
            slice_ = part.slice(group_at, group[3])
            group_at += group[3]
            # SortingColumn: column number, descending, nulls first.
            sorting = [(column[1], column[2]) for column in group.get(4, [])]
            assert sorting == ([(columns.index("key"), False)] if sorted_keys else []), f"sorting columns {sorting}"
            for column, name in zip(group[1], columns, strict=True):
                check_column(file, column, name, slice_[name], PROFILES[profile], name in bloom)
        assert group_at == file.rows
        for name in bloom:
            check_bloom(path, name, part[name])
    assert at == len(rows)


class File:
    """The footer, decoded here and by nobody else's code."""

    def __init__(self, path):
        self.data = path.read_bytes()
        assert self.data[:4] == self.data[-4:] == b"PAR1"
        length = struct.unpack("<I", self.data[-8:-4])[0]
        footer, end = struct_at(self.data, len(self.data) - 8 - length)
        assert end == len(self.data) - 8
        self.rows, self.groups = footer[3], footer[4]
        self.metadata = {pair[1]: pair.get(2) for pair in footer.get(5, [])}
        self.created_by = footer[6]
        assert len(footer[7]) == len(self.groups[0][1]) and all(1 in order for order in footer[7]), "the order of each column is that of its type"


def schema_text(path):
    """The schema as S3's manifests spell it, from what DuckDB finds in the footer."""
    found = duckdb.sql(f"SELECT name, type, repetition_type, converted_type, logical_type FROM parquet_schema('{path}')").fetchall()
    assert found[0][0] == "s3.inventory", found[0]
    parts = []
    for name, kind, repetition, converted, logical in found[1:]:
        note = ""
        if kind == "BYTE_ARRAY":
            assert converted == "UTF8" and logical == "StringType()", (name, converted, logical)
            note = " (STRING)"
        elif logical:
            assert converted == "TIMESTAMP_MILLIS" and "isAdjustedToUTC=1" in logical and "MILLIS=MilliSeconds" in logical, (name, converted, logical)
            note = " (TIMESTAMP(MILLIS,true))"
        else:
            assert converted is None, (name, converted)
        spelled = {"BYTE_ARRAY": "binary"}.get(kind, kind.lower())
        parts.append(f"  {repetition.lower()} {spelled} {name}{note};")
    return "message s3.inventory {" + "".join(parts) + "}"


def check_like_fixture(path, text):
    if not FIXTURE.is_dir():
        return
    theirs, query = FIXTURE / "parquet_inventory.parquet", "SELECT * EXCLUDE (file_name, num_children, column_id) FROM parquet_schema('{}')"
    ours = {row[0]: row for row in duckdb.sql(query.format(path)).fetchall()}
    for row in duckdb.sql(query.format(theirs)).fetchall():
        assert row[0] not in ours or ours[row[0]] == row, f"{ours[row[0]]} is not {row}"
    manifest = json.loads((FIXTURE / "parquet_inventory_manifest.json").read_text())
    assert schema_text(theirs) == manifest["fileSchema"]
    columns = text.removesuffix("}").split(";")[:-1]
    shared = [column for column in manifest["fileSchema"].split(";")[:-1] if column in columns]
    assert [column for column in columns if column in shared] == shared and len(shared) >= 2, "columns stand in S3's order"


def check_facts(file, part):
    """What the footer says of the file beyond Parquet: rows, first and last key."""
    values = [value.decode() for value in file.metadata.values() if value is not None]
    wanted = [str(file.rows), part["key"][0].as_py(), part["key"][-1].as_py()]
    assert all(value in values for value in wanted), f"{file.metadata} lacks one of {wanted}"
    assert file.rows == sum(group[3] for group in file.groups)


def check_column(file, column, name, values, profile, bloom):
    kind, chunk = KIND[name], column[3]
    encodings, codec, page_kinds = profile
    assert chunk[3] == [name.encode()] and chunk[4] == codec and chunk[5] == len(values), (name, chunk)
    check_bounds(f"{name}: statistics", kind, chunk[12], values)
    assert (14 in chunk) == bloom, f"{name}: a bloom filter"
    pages = list(pages_of(file.data, chunk, page_kinds, encodings))
    check_offsets(file.data, column, pages, values, name)
    if 6 in column:
        check_index(file.data, column, pages, values, name)
    else:
        assert name in RANDOM_COLUMNS, f"{name}: no column index"


def check_bounds(what, kind, statistics, values):
    """Of `Statistics`: 3 null count, 5 and 6 the bounds, 7 and 8 whether they are exact; 1 and 2 are deprecated."""
    assert statistics.get(3) == values.null_count, f"{what}: {statistics.get(3)} nulls, not {values.null_count}"
    present = [BYTE_ORDER[kind](value) for value in plain(values.drop_null(), kind)]
    if not present:
        assert 5 not in statistics and 6 not in statistics, f"{what}: bounds of nothing"
        return
    high, low = UNPACK[kind](statistics[5]), UNPACK[kind](statistics[6])
    assert low <= min(present) and max(present) <= high, f"{what}: {low!r} to {high!r} is narrower than {min(present)!r} to {max(present)!r}"
    if statistics.get(8):
        assert low == min(present), f"{what}: the exact minimum"
    if statistics.get(7):
        assert high == max(present), f"{what}: the exact maximum"


def plain(values, kind):
    return (values.cast(pyarrow.int64()) if kind == "time" else values).to_pylist()


def pages_of(data, chunk, page_kinds, encodings):
    """Offset, length with header, and values of each data page; checks the checksum, kind and encoding of every page."""
    at = min(offset for offset in (chunk.get(11), chunk[9]) if offset)
    start, end = at, at + chunk[7]
    while at < end:
        header, body = struct_at(data, at)
        kind, size = header[1], header[3]
        assert header[4] & 0xFFFFFFFF == zlib.crc32(data[body : body + size]), "a page's checksum"
        if kind == 2:
            assert at == start and header[7][2] in (PLAIN, DICTIONARY_OLD), "a dictionary page is the first"
        else:
            assert kind in page_kinds, f"a page of kind {kind}"
            about = header[5] if kind == 0 else header[8]
            assert (about[2] if kind == 0 else about[4]) in encodings, f"an encoding: {about}"
            yield at, body + size - at, about[1]
        at = body + size
    assert at == end, "pages fill the column chunk"


def check_offsets(data, column, pages, values, name):
    index, end = struct_at(data, column[4])
    assert end == column[4] + column[5]
    rows = 0
    for location, (offset, length, count) in zip(index[1], pages, strict=True):
        assert (location[1], location[2], location[3]) == (offset, length, rows), f"{name}: page {location}"
        rows += count
    assert rows == len(values)


def check_index(data, column, pages, values, name):
    index, end = struct_at(data, column[6])
    assert end == column[6] + column[7]
    kind, at, ascending = KIND[name], 0, []
    for page, (_, _, count) in enumerate(pages):
        part = values.slice(at, count)
        at += count
        empty = index[1][page]
        assert empty == (part.null_count == count), f"{name}: page {page} is all null"
        bounds = {} if empty else {5: index[3][page], 6: index[2][page]}
        check_bounds(f"{name}: page {page}", kind, {3: index[5][page], **bounds}, part)
        if bounds:
            ascending.append((UNPACK[kind](bounds[6]), UNPACK[kind](bounds[5])))
    assert at == len(values)
    pairs = list(zip(ascending, ascending[1:]))
    if index[4] == 1:
        assert all(left[0] <= right[0] and left[1] <= right[1] for left, right in pairs), f"{name}: pages ascend"
    elif index[4] == 2:
        assert all(left[0] >= right[0] and left[1] >= right[1] for left, right in pairs), f"{name}: pages descend"


def check_bloom(path, name, values):
    """DuckDB asks the filters: no value of a row group is excluded from it, few others are not."""
    def excluded(value):
        query = "SELECT bloom_filter_excludes FROM parquet_bloom_probe(?, ?, ?) ORDER BY row_group_id"
        return [answer for answer, in duckdb.execute(query, [str(path), name, value]).fetchall()]

    metadata, at, false_positives, asked = pyarrow.parquet.read_metadata(path), 0, 0, 0
    for group in range(metadata.num_row_groups):
        part = values.slice(at, metadata.row_group(group).num_rows).drop_null()
        at += metadata.row_group(group).num_rows
        for row in range(0, len(part), max(1, len(part) // 5)):
            assert not excluded(part[row].as_py())[group], f"{name}: the filter of row group {group} lacks {part[row]}"
    for number in range(100):
        answers = excluded(f"absent-{number}")
        asked += len(answers)
        false_positives += answers.count(False)
    assert false_positives <= asked / 20, f"{name}: {false_positives} of {asked} answers are wrong"
