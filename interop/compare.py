"""Compares a table that a reader found with the one that it should have found, value by value.

A reader that cannot hold every time says which it can (`times`); the others are left out of its comparison, and only they.
"""

import pyarrow
import pyarrow.compute

from rows import TIME

# What a reader with 64 bits of nanoseconds can hold; pyarrow gives up one second earlier than it must before 1970.
NANOSECOND_TIMES = (-9_223_372_036_000, 9_223_372_036_854)


def compare(reader, found, expected, times=None):
    assert found.column_names == expected.column_names, f"{reader}: columns {found.column_names}, not {expected.column_names}"
    assert found.num_rows == expected.num_rows, f"{reader}: {found.num_rows} rows, not {expected.num_rows}"
    for name in expected.column_names:
        left, right = found[name], expected[name]
        assert left.type == right.type, f"{reader}: {name} is {left.type}, not {right.type}"
        if right.type == TIME and times:
            numbers = right.cast(pyarrow.int64())
            held = pyarrow.compute.and_(pyarrow.compute.greater_equal(numbers, times[0]), pyarrow.compute.less_equal(numbers, times[1]))
            held = pyarrow.compute.fill_null(held, True)
            left, right = left.filter(held), right.filter(held)
        if not left.equals(right):
            pairs = zip(left.cast(pyarrow.int64()) if right.type == TIME else left, right.cast(pyarrow.int64()) if right.type == TIME else right)
            row, (one, other) = next((row, pair) for row, pair in enumerate(pairs) if not pair[0].equals(pair[1]))
            raise AssertionError(f"{reader}: {name} of row {row}: {one.as_py()!r} is not {other.as_py()!r}")
