"""Reads a report through the statements that `stocktake ddl` prints, as they stand, in DuckDB."""

import duckdb
import pyarrow

from compare import compare
from readers.parquet import canonical
from report import run
from rows import table_of


def check(binary, report, rows, columns, null_version=None, **_):
    done = run(binary, "ddl", "--for", "duckdb", "--table", "found", report.path)
    if report.format == "ORC" and report.files:
        assert done.returncode == 1 and "ORC" in done.stderr, done
        return
    assert done.returncode == 0, done
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET preserve_insertion_order = true")
        connection.execute(done.stdout)
        table = connection.sql("SELECT * FROM found").to_arrow_table()
    assert table.column_names == columns, table.column_names
    expected = table_of(rows, columns)
    if null_version:
        place = columns.index("version_id")
        spelled = [version if version is not None else null_version for version in expected["version_id"].to_pylist()]
        expected = expected.set_column(place, "version_id", pyarrow.array(spelled, expected["version_id"].type))
    compare("ddl for DuckDB", canonical(table, columns), expected)
