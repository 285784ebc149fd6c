"""Compares what `stocktake inspect --rows --json` says with what DuckDB's SQL says of the rows themselves."""

import json

import duckdb

from report import run
from rows import table_of

LIST = 1000
VALUES = {"IsMultipartUploaded": "is_multipart_uploaded", "ReplicationStatus": "replication_status", "EncryptionStatus": "encryption_status",
          "ObjectLockMode": "object_lock_mode", "ObjectLockLegalHoldStatus": "object_lock_legal_hold_status",
          "IntelligentTieringAccessTier": "intelligent_tiering_access_tier", "BucketKeyStatus": "bucket_key_status",
          "ChecksumAlgorithm": "checksum_algorithm", "ObjectOwner": "object_owner"}
# What starts with the n-th slash's end, in code points as SQL counts them.
PREFIX = "regexp_extract(key, '^([^/]*/){{{depth}}}', 0, 's')"


def check(binary, report, rows, columns):
    done = run(binary, "inspect", "--rows", "--json", "--top", str(LIST), "--threads", "2", report.path)
    assert done.returncode == 0, done
    told = json.loads(done.stdout)["insight"]
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.register("delivered", table_of(rows, columns))
        marker = "coalesce(is_delete_marker, false)" if "is_delete_marker" in columns else "false"
        latest = "coalesce(is_latest, true)" if "is_latest" in columns else "true"
        # A size that is none counts no bytes.
        size = "greatest(coalesce(size, 0), 0)" if "size" in columns else "0"
        connection.execute(f"CREATE TABLE found AS SELECT *, ({size})::HUGEINT AS bytes, {latest} AS latest FROM delivered WHERE NOT {marker}")
        markers = connection.sql(f"SELECT count(*) FROM delivered WHERE {marker}").fetchall()[0][0]
        compare_all(connection, told, columns, markers)


def compare_all(connection, told, columns, markers):
    # Sums end at 64 bits; sizes here are as large as a column holds.
    most = f"least(coalesce({{}}, 0)::HUGEINT, {2**64 - 1}::HUGEINT)"
    sums = ", ".join(["count(*)", most.format("sum(bytes)"), most.format("sum(bytes) FILTER (NOT latest)")])
    total = connection.sql(f"SELECT {sums} FROM found").fetchall()[0]
    assert tally(told["total"]) == total, (told["total"], total)
    versioned = "is_delete_marker" in columns and "is_latest" in columns
    assert told["delete_markers"] == (markers if versioned else None) and told["rows"] == total[0] + markers

    def by(name):
        return {row[0]: row[1:] for row in connection.sql(f"SELECT {name}, {sums} FROM found GROUP BY ALL").fetchall()}

    classes = by("coalesce(storage_class, '')") if "storage_class" in columns else ({"": total} if total[0] else {})
    assert shares(told["storage_classes"]) == classes, (told["storage_classes"], classes)
    for field in told["values"]:
        if not field["others"]:
            expected = by(f"coalesce({VALUES[field['field']]}::VARCHAR, '')")
            assert shares(field["values"]) == expected, (field, expected)
    for ranking in told["prefixes"]:
        expected = by(PREFIX.format(depth=ranking["depth"]))
        expected.pop("", None)
        assert ranking["exact"] and ranking["distinct"] == len(expected), (ranking["depth"], ranking["distinct"], len(expected))
        leading(ranking["by_bytes"], expected, 1)
        leading(ranking["by_objects"], expected, 0)
    if "size" in columns:
        largest = [row[0] for row in connection.sql(f"SELECT size FROM found WHERE size >= 0 ORDER BY size DESC LIMIT {LIST}").fetchall()]
        assert [found["bytes"] for found in told["largest"]] == largest
    if "size" in columns and "e_tag" in columns:
        copies = connection.sql(f"""SELECT count(*), {most.format('sum((n - 1) * bytes)')} FROM (
            SELECT e_tag, bytes, count(*) AS n FROM found WHERE coalesce(e_tag, '') <> '' AND bytes > 0 GROUP BY ALL HAVING n > 1)""").fetchall()[0]
        found = told["duplicates"]
        assert not found["exact"] or (found["contents"], found["bytes"]) == copies, (found["contents"], found["bytes"], copies)


def tally(share):
    return share["objects"], share["bytes"], share["noncurrent_bytes"]


def shares(told):
    return {share["name"]: tally(share) for share in told}


def leading(told, expected, place):
    assert all(expected[share["name"]] == tally(share) for share in told), "a prefix has other sums"
    counts = sorted((sums[place] for sums in expected.values()), reverse=True)[:LIST]
    assert [tally(share)[place] for share in told] == counts, "other prefixes lead"
