"""Makes the rows that reports are made of, and the files that Stocktake reads them from.

Nothing here knows how a format encodes anything. Times are milliseconds since 1970 (Python's own dates lack the year 0).
"""

import json
import random

import numpy
import pyarrow
import pyarrow.ipc

BUCKET = "example-source"
TIME = pyarrow.timestamp("ms", "UTC")

# Column name, CSV name, kind, in the order of a report.
FIELDS = [
    ("bucket", "Bucket", "text"),
    ("key", "Key", "text"),
    ("version_id", "VersionId", "text"),
    ("is_latest", "IsLatest", "bool"),
    ("is_delete_marker", "IsDeleteMarker", "bool"),
    ("size", "Size", "int"),
    ("last_modified_date", "LastModifiedDate", "time"),
    ("e_tag", "ETag", "text"),
    ("storage_class", "StorageClass", "text"),
    ("is_multipart_uploaded", "IsMultipartUploaded", "bool"),
    ("replication_status", "ReplicationStatus", "text"),
    ("encryption_status", "EncryptionStatus", "text"),
    ("object_lock_retain_until_date", "ObjectLockRetainUntilDate", "time"),
    ("object_lock_mode", "ObjectLockMode", "text"),
    ("object_lock_legal_hold_status", "ObjectLockLegalHoldStatus", "text"),
    ("intelligent_tiering_access_tier", "IntelligentTieringAccessTier", "text"),
    ("bucket_key_status", "BucketKeyStatus", "text"),
    ("checksum_algorithm", "ChecksumAlgorithm", "text"),
    ("object_access_control_list", "ObjectAccessControlList", "text"),
    ("object_owner", "ObjectOwner", "text"),
    ("lifecycle_expiration_date", "LifecycleExpirationDate", "time"),
]
# Fields whose place in S3's own files is not settled: they are in a report only by name.
UNSETTLED = [
    ("object_lock_event_hold_status", "ObjectLockEventHoldStatus", "text"),
    ("object_lock_event_hold_duration", "ObjectLockEventHoldDuration", "int32"),
    ("object_lock_event_hold_duration_unit", "ObjectLockEventHoldDurationUnit", "text"),
    ("intelligent_tiering_reference_date", "IntelligentTieringReferenceDate", "time"),
]
VERSION_FIELDS = {"version_id", "is_latest", "is_delete_marker"}
KIND = {name: kind for name, _, kind in FIELDS + UNSETTLED}
ARROW = {"text": pyarrow.string(), "int": pyarrow.int64(), "int32": pyarrow.int32(), "bool": pyarrow.bool_(), "time": TIME}

ALL_COLUMNS = [name for name, _, _ in FIELDS]
CURRENT_COLUMNS = [name for name in ALL_COLUMNS if name not in VERSION_FIELDS]
DEFAULT_COLUMNS = CURRENT_COLUMNS[:9]

ODD_PARTS = [
    "a b", "a+b", "100%", 'say "hi"', "comma,comma", "semi;colon", "line\nbreak", "carriage\rreturn", "tab\there", "\x01\x02", "tilde~",
    "star*", "résumé", "契約書", "🎉", "\u2028", "a=b&c=d", "#frag", "?query", "back\\slash", "'single'", "..", ".", "", "%20", "%2B",
    "{json}", "null", "true", "1e5", " leading", "trailing ", "\x7f", "\ufeffbom",
]

# Keys at the limit of 1,024 bytes: they share a beginning longer than any shortened statistic, or cannot be rounded up.
LONG_KEYS = {"k" * 1024, "k" * 1023, "k" * 1023 + "\x01", "é" * 512, "契" * 341, "\U0010ffff" * 256, "\U0010ffff" * 255 + "a", "\x7f" * 1024, "\x01"}


def ms(text):
    return int(numpy.datetime64(text, "ms").astype("int64"))


# Either side of 1970, the first year of ORC's clock, a leap day, both ends of 32 bits of seconds and of 64 bits of nanoseconds.
EDGE_TIMES = [ms(text) for text in (
    "1970-01-01T00:00:00.000", "1969-12-31T23:59:59.000", "1969-12-31T23:59:58.999", "1969-12-31T23:59:58.001", "2015-01-01T00:00:00.000",
    "2014-12-31T23:59:59.999", "2014-12-31T23:59:59.000", "2000-02-29T12:00:00.500", "2038-01-19T03:14:08.000", "1901-12-13T20:45:51.999",
    "1900-01-01T00:00:00.000", "2262-04-11T23:47:16.854", "1677-09-21T00:12:44.000")]

# The first and the last moment that reports can hold, before the Gregorian calendar, beyond 64 bits of nanoseconds.
FAR_TIMES = [ms(text) for text in ("9999-12-31T23:59:59.999", "2262-04-11T23:47:16.855", "0000-01-01T00:00:00.000", "0001-01-01T00:00:00.001",
                                   "1582-10-04T23:59:59.999", "1582-10-15T00:00:00.000", "1677-09-21T00:12:43.145")]

# The last second before 1970, which ORC cannot tell from the first one after unless it is whole.
LAST_SECOND = [ms("1969-12-31T23:59:59.999"), ms("1969-12-31T23:59:59.001")]


def make_key(rng, number):
    kind = rng.randrange(4)
    if kind == 0:
        day = rng.randrange(28) + 1
        return f"logs/2026/{rng.randrange(12) + 1:02}/{day:02}/app-{number:08x}.json.gz"
    if kind == 1:
        return f"images/{rng.randrange(256):02x}/{rng.getrandbits(128):032x}.jpg"
    if kind == 2:
        return "/".join(["odd"] + [rng.choice(ODD_PARTS) for _ in range(rng.randrange(1, 5))]) + f"/{number}"
    return f"warehouse/db/t{rng.randrange(9)}/dt=2026-{rng.randrange(12) + 1:02}-01/hour={rng.randrange(24):02}/part-{number:05}.parquet"


def make_time(rng, edges=EDGE_TIMES):
    if rng.randrange(50) == 0:
        return rng.choice(edges)
    return 1_577_836_800_000 + rng.randrange(200_000_000) * 1000 + rng.choice([0, 0, 0, 7, 999])


def make_rows(seed, keys, versions, edges=EDGE_TIMES):
    """Rows as dictionaries by column name; absent values are absent members."""
    rng = random.Random(seed)
    names = {make_key(rng, number) for number in range(keys)} | LONG_KEYS | {"/", "//", "a", "a/", "a.b", "a/b", "a0"}
    owners = [f"{rng.getrandbits(256):064x}" for _ in range(3)]
    rows = []
    for key in sorted(names, key=lambda name: name.encode()):
        count = rng.choice([1, 1, 1, 2, 3, 12]) if versions else 1
        ids = [None] if rng.randrange(5) == 0 else []
        ids += ["".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._", k=32)) for _ in range(count - len(ids))]
        rng.shuffle(ids)
        for version, version_id in enumerate(ids):
            marker = versions and rng.randrange(9) == 0
            row = {"key": key, "last_modified_date": make_time(rng, edges)}
            if versions:
                row |= {"is_latest": version == 0, "is_delete_marker": marker}
                if version_id is not None:
                    row["version_id"] = version_id
            row["bucket_key_status"] = rng.choice(["ENABLED", "DISABLED"])
            if not marker:
                size = rng.choice([0, 1, 2**31, 2**53 + 1, 2**63 - 1]) if rng.randrange(100) == 0 else int(rng.lognormvariate(11, 3))
                row |= {"size": size, "storage_class": rng.choice(["STANDARD", "STANDARD", "GLACIER", "My \"own\", class"])}
                row["is_multipart_uploaded"] = size > 8 << 20
                row["e_tag"] = f"{rng.getrandbits(128):032x}" + (f"-{size // (8 << 20) % 10_000 + 1}" if size > 8 << 20 else "")
                row["encryption_status"] = rng.choice(["SSE-S3", "SSE-S3", "SSE-KMS", "NOT-SSE"])
            if rng.randrange(4) == 0:
                row["replication_status"] = rng.choice(["COMPLETED", "PENDING", "FAILED", "REPLICA"])
            if rng.randrange(10) == 0:
                row |= {"object_lock_retain_until_date": make_time(rng, edges), "object_lock_mode": "GOVERNANCE"}
                row["object_lock_legal_hold_status"] = rng.choice(["ON", "OFF"])
            if rng.randrange(6) == 0:
                row["intelligent_tiering_access_tier"] = rng.choice(["FREQUENT", "ARCHIVE_INSTANT_ACCESS"])
            if rng.randrange(3) == 0:
                row["checksum_algorithm"] = rng.choice(["CRC64NVME", "SHA256"])
            if rng.randrange(2) == 0:
                row["object_owner"] = rng.choice(owners)
                row["object_access_control_list"] = rng.choice(owners) * 5
            if rng.randrange(20) == 0:
                row["lifecycle_expiration_date"] = make_time(rng, edges)
            rows.append(row)
    return rows


# Rows of a row group of ORC's index; what is absent is absent for at least one of them.
GROUP_ROWS = 10_000


def make_groups(seed, groups):
    """All-versions rows in which every optional column is absent for whole groups of rows, in some, or nowhere.

    Booleans change at rows that are no multiple of eight, the last group is short, and every odd group's keys are long.
    """
    rng = random.Random(seed)
    optional = [name for name in ALL_COLUMNS if name not in ("bucket", "key", "is_latest", "is_delete_marker")]
    rows = []
    for group in range(groups):
        absent = {name: rng.choice([0, 1, 2, 2]) for name in optional}
        # Every column is absent in one whole group at least, and whole in another.
        for place, name in enumerate(optional):
            absent[name] = {0: 2, 1: 0}.get((group + place) % groups, absent[name])
        count = GROUP_ROWS if group + 1 < groups else GROUP_ROWS // 3 + 5
        for number in range(count):
            folder = "long-" * 60 if group % 2 else "short"
            row = {"key": f"group-{group:02}/{folder}/{number:08}", "version_id": f"v{rng.getrandbits(96):024x}", "size": number * 37 % 5003 + group * 1000,
                   "is_latest": number % 3 == 0, "is_delete_marker": False, "last_modified_date": 1_600_000_000_000 + group * 86_400_000 + number * 1000,
                   "e_tag": f"{rng.getrandbits(128):032x}", "storage_class": "STANDARD" if number % 13 else "GLACIER", "is_multipart_uploaded": number % 11 == 0,
                   "replication_status": "COMPLETED", "encryption_status": "SSE-S3", "object_lock_retain_until_date": make_time(rng), "object_lock_mode": "COMPLIANCE",
                   "object_lock_legal_hold_status": "OFF", "intelligent_tiering_access_tier": "FREQUENT", "bucket_key_status": "DISABLED",
                   "checksum_algorithm": f"A{number % 700}", "object_access_control_list": "eyJ2ZXJzaW9uIjoi", "object_owner": f"owner-{group}",
                   "lifecycle_expiration_date": 1_900_000_000_000}
            rows.append({name: value for name, value in row.items() if not (absent.get(name) == 2 or absent.get(name) == 1 and rng.randrange(3) == 0)})
    return rows


def make_alike(count):
    """Rows that differ in nothing but the version id's absence: one key, no version but the null version of each."""
    return [{"key": f"same/{number:07}", "size": 5, "last_modified_date": 0, "e_tag": "d41d8cd98f00b204e9800998ecf8427e", "storage_class": "STANDARD",
             "is_multipart_uploaded": False} for number in range(count)]


def with_unsettled(rows, seed):
    """The rows with values in the unsettled fields too."""
    rng = random.Random(seed)
    return [row | ({"object_lock_event_hold_status": rng.choice(["ON", "OFF"]), "object_lock_event_hold_duration": rng.choice([1, 36_500, 2**31 - 1]),
                    "object_lock_event_hold_duration_unit": rng.choice(["DAYS", "YEARS"]), "intelligent_tiering_reference_date": make_time(rng)}
                   if rng.randrange(3) else {}) for row in rows]


def iso(time):
    return str(numpy.datetime64(time, "ms")) + "Z"


def table_of(rows, columns):
    """What every reader should find in a report of these columns."""
    def values(name):
        if name == "bucket":
            return pyarrow.array([BUCKET] * len(rows), pyarrow.string())
        found = [row.get(name) for row in rows]
        if KIND[name] == "time":
            return pyarrow.array(found, pyarrow.int64()).cast(TIME)
        return pyarrow.array(found, ARROW[KIND[name]])

    return pyarrow.table([values(name) for name in columns], columns)


def write_ndjson(rows, path):
    with open(path, "w", encoding="utf-8") as file:
        for row in rows:
            line = {name: iso(value) if KIND[name] == "time" else value for name, value in row.items()}
            file.write(json.dumps(line, ensure_ascii=len(row) % 2 == 0) + "\n")


def write_arrow(rows, path, text_type, coded_type):
    """An Arrow IPC file; `coded_type` may be "dictionary", for the fields that have few values."""
    names = [name for name in KIND if any(name in row for row in rows)]
    coded = {"storage_class", "replication_status", "encryption_status", "object_owner", "object_access_control_list"}
    plain = table_of(rows, names)
    columns = []
    for name in names:
        wanted = plain[name].type if KIND[name] != "text" else coded_type if name in coded else text_type
        columns.append(plain[name].dictionary_encode() if wanted == "dictionary" else plain[name].cast(wanted))
    table = pyarrow.table(columns, names)
    with pyarrow.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table, max_chunksize=777)
