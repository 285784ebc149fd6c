"""Reads ORC data files with pyarrow and pyorc (both Apache ORC C++, in different versions) and ClickHouse: the canonical table each.

ORC has times without a zone that stand for UTC here; the functions only say so, they do not shift.
"""

import pyarrow
import pyarrow.compute
import pyarrow.orc
import pyorc
from pyorc.converters import ORCConverter

from compare import NANOSECOND_TIMES, compare
from readers import clickhouse
from rows import ARROW, KIND, TIME, table_of

# Rows that pyorc hands over at once.
BATCH_ROWS = 16_384


class Milliseconds(ORCConverter):
    """Takes times as the file has them: seconds since 1970 and nanoseconds after that."""

    @staticmethod
    def from_orc(seconds, nanoseconds, timezone):
        assert nanoseconds % 1_000_000 == 0, nanoseconds
        return seconds * 1000 + nanoseconds // 1_000_000

    @staticmethod
    def to_orc(value, timezone):
        return value // 1000, value % 1000 * 1_000_000


def check(report, rows, columns):
    assert report.format == "ORC"
    expected = table_of(rows, columns)
    if not report.files:
        assert not rows
        return
    compare("pyorc", read_pyorc(report.files, columns), expected)
    compare("clickhouse", clickhouse.read_orc(report.files, columns), expected, clickhouse.TIMES)
    held = [name for name in columns if KIND[name] != "time" or within_nanoseconds(expected[name])]
    compare("pyarrow", read_pyarrow(report.files, held), expected.select(held))


def read_pyarrow(paths, columns):
    """Refuses a file with one time beyond 64 bits of nanoseconds: `check` asks it only for columns without such times."""
    types = {"text": pyarrow.string(), "int": pyarrow.int64(), "int32": pyarrow.int32(), "bool": pyarrow.bool_(), "time": pyarrow.timestamp("ns")}
    tables = []
    for path in paths:
        file = pyarrow.orc.ORCFile(path)
        tables.append(file.read(columns=columns))
        for name in columns:
            assert file.schema.field(name).type == types[KIND[name]], file.schema
    table = pyarrow.concat_tables(tables)
    return pyarrow.table([table[name].cast(pyarrow.timestamp("ms")).cast(TIME) if KIND[name] == "time" else table[name] for name in columns], columns)


def within_nanoseconds(values):
    bounds = pyarrow.compute.min_max(values.cast(pyarrow.int64())).as_py()
    return bounds["min"] is None or NANOSECOND_TIMES[0] <= bounds["min"] and bounds["max"] <= NANOSECOND_TIMES[1]


def read_pyorc(paths, columns):
    values = {name: [] for name in columns}
    for path in paths:
        with open(path, "rb") as file:
            reader = pyorc.Reader(file, converters={pyorc.TypeKind.TIMESTAMP: Milliseconds})
            assert list(reader.schema.fields) == columns
            while rows := reader.read(BATCH_ROWS):
                for name, column in zip(columns, zip(*rows)):
                    values[name].extend(column)
    arrays = [pyarrow.array(values[name], pyarrow.int64() if KIND[name] == "time" else ARROW[KIND[name]]) for name in columns]
    return pyarrow.table([array.cast(TIME) if KIND[name] == "time" else array for name, array in zip(columns, arrays)], columns)

