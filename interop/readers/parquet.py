"""Reads Parquet data files with pyarrow, DuckDB, Polars, ClickHouse and fastparquet: each function returns the canonical table.

A function casts between equal types of different width (text views, microseconds); the values themselves it leaves alone.
"""

import duckdb
import fastparquet
import polars
import pyarrow
import pyarrow.parquet

from compare import compare
from readers import clickhouse
from rows import ARROW, KIND, TIME, table_of


def check(report, rows, columns, profile="aws"):
    assert report.format == "Parquet"
    expected = table_of(rows, columns)
    if not report.files:
        assert not rows
        return
    readers = [read_pyarrow, read_duckdb, read_polars, clickhouse.read_parquet]
    if profile == "aws":
        readers.append(read_fastparquet)
    for reader in readers:
        compare(f"{reader.__module__}.{reader.__name__}", reader(report.files, columns), expected, TIMES.get(reader))


def canonical(table, columns):
    return pyarrow.table([table[name].cast(ARROW[KIND[name]]) for name in columns], columns)


def read_pyarrow(paths, columns):
    """Checks the checksum of every page too, and that the types are those of the report without a cast."""
    tables = [pyarrow.parquet.read_table(path, page_checksum_verification=True) for path in paths]
    for table in tables:
        assert table.column_names == columns
        for field in table.schema:
            assert field.type == ARROW[KIND[field.name]], f"{field.name} is {field.type}"
            assert field.nullable == (field.name not in ("bucket", "key")), f"{field.name} is required or optional"
    return canonical(pyarrow.concat_tables(tables), columns)


def read_duckdb(paths, columns):
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET preserve_insertion_order = true")
        relation = connection.read_parquet([str(path) for path in paths])
        for name, found in zip(relation.columns, relation.types):
            assert (str(found) == "TIMESTAMP WITH TIME ZONE") == (KIND[name] == "time"), f"{name} is {found}"
        table = relation.to_arrow_table()
    assert table.column_names == columns
    return canonical(table, columns)


def read_polars(paths, columns):
    frame = polars.concat([polars.read_parquet(path, use_statistics=True) for path in paths])
    for name in columns:
        if KIND[name] == "time":
            assert frame.schema[name] == polars.Datetime("ms", "UTC"), frame.schema[name]
    assert frame.columns == columns
    return canonical(frame.to_arrow(), columns)


def read_fastparquet(paths, columns):
    """Has no nulls of its own for texts and times: pandas' are taken for them."""
    found = {name: [] for name in columns}
    for path in paths:
        file = fastparquet.ParquetFile(str(path))
        assert file.columns == columns
        frame = file.to_pandas()
        for name in columns:
            values = frame[name]
            if KIND[name] == "time":
                assert values.dtype.kind == "M", f"{name} is {values.dtype}"
                if values.dt.tz is not None:
                    values = values.dt.tz_convert("UTC").dt.tz_localize(None)
                numbers = values.to_numpy().astype("datetime64[ms]")
                found[name].append(pyarrow.array(numbers).cast(pyarrow.timestamp("ms")).cast(TIME))
            else:
                found[name].append(pyarrow.array(values, ARROW[KIND[name]], from_pandas=True))
    return pyarrow.table([pyarrow.chunked_array(found[name]) for name in columns], columns)


# What readers can hold of the years 0 to 9999, in milliseconds since 1970, where it is less.
TIMES = {clickhouse.read_parquet: clickhouse.TIMES}
