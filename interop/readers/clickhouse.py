"""Reads Parquet and ORC data files with ClickHouse (chdb), which has readers of its own for both."""

import chdb
import pyarrow

from rows import ARROW, KIND, ms

# DateTime64 ends here.
TIMES = (ms("1900-01-01T00:00:00.000"), ms("2262-04-11T23:47:16.854"))

TYPES = {"text": "Nullable(String)", "int": "Nullable(Int64)", "int32": "Nullable(Int32)", "bool": "Nullable(Bool)", "time": "Nullable(DateTime64(3, \\'UTC\\'))"}
SETTINGS = "max_threads=1, input_format_parquet_preserve_order=1, output_format_arrow_string_as_string=1, session_timezone='UTC'"


def read_parquet(paths, columns):
    return read(paths, columns, "Parquet")


def read_orc(paths, columns):
    return read(paths, columns, "ORC")


def read(paths, columns, format):
    structure = ", ".join(f"{name} {TYPES[KIND[name]]}" for name in columns)
    tables = []
    for path in paths:
        query = f"SELECT * FROM file('{path}', '{format}', '{structure}') SETTINGS {SETTINGS}"
        answer = chdb.query(query, "ArrowStream").bytes()
        tables.append(pyarrow.ipc.open_stream(answer).read_all())
    table = pyarrow.concat_tables(tables)
    return pyarrow.table([table[name].cast(ARROW[KIND[name]]) for name in columns], columns)
