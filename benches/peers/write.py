"""One measured write by one library that has a Python face. The last line is the JSON that the runner reads.

An Arrow file is mapped and every page of it touched before the clock starts; what a library must do to make the rows its own, before it
can write them, is `import_s` and not part of the measured write. Lines of JSON are read by the library itself while the clock runs. With several threads, a library whose writer has one thread writes as
many contiguous files, each in a thread; the others write one file with their own threads.
"""

import argparse
import json
import os
import pathlib
import resource
import threading
import time


def load(path, threads):
    import numpy
    import pyarrow

    pyarrow.set_cpu_count(threads)
    pyarrow.set_io_thread_count(threads)
    mapped = pyarrow.memory_map(path)
    table = pyarrow.ipc.open_file(mapped).read_all()
    mapped.seek(0)
    numpy.frombuffer(mapped.read_buffer(), dtype=numpy.uint8)[:: os.sysconf("SC_PAGE_SIZE")].sum()
    return table


def in_parts(table, out, threads, write):
    """Writes contiguous parts of a table, each in a thread of its own."""
    rows = -(-table.num_rows // threads)
    paths = [out if part == 0 else f"{out}.{part}" for part in range(threads)]
    if threads == 1:
        return write(table, out)
    failures = []

    def one(part):
        try:
            write(table.slice(part * rows, rows), paths[part])
        except Exception as error:
            failures.append(error)

    running = [threading.Thread(target=one, args=[part]) for part in range(threads)]
    [thread.start() for thread in running]
    [thread.join() for thread in running]
    if failures:
        raise failures[0]


def pyarrow_csv(table, path, how):
    import pyarrow
    import pyarrow.csv

    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="all_valid", batch_size=8192)
    if how == "isal":
        from isal import igzip

        with igzip.open(path, "wb", compresslevel=2) as file:
            pyarrow.csv.write_csv(table, pyarrow.PythonFile(file, "w"), options)
    elif how == "zlib-ng":
        from zlib_ng import gzip_ng

        with gzip_ng.open(path, "wb", compresslevel=6) as file:
            pyarrow.csv.write_csv(table, pyarrow.PythonFile(file, "w"), options)
    else:
        with pyarrow.CompressedOutputStream(pyarrow.OSFile(path, "wb"), "gzip") as file:
            pyarrow.csv.write_csv(table, file, options)


def pyarrow_orc(table, path, codec, dictionaries):
    import pyarrow.orc

    more = {"dictionary_key_size_threshold": 0.8} if dictionaries else {}
    pyarrow.orc.write_table(table, path, compression=codec, **more)


def pyarrow_parquet(table, path, codec, but):
    import pyarrow.parquet

    dictionaries = [name for name in table.column_names if name not in ("key", "e_tag", "version_id", "size")] if but else True
    pyarrow.parquet.write_table(table, path, compression=codec, use_dictionary=dictionaries)


def lines_of(path):
    """Number of lines of a file, which is in the page cache after that."""
    with open(path, "rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def is_text(options):
    return options.source.endswith(".ndjson")


def prepare_pyarrow_text(options, how):
    import pyarrow
    import pyarrow.json

    pyarrow.set_cpu_count(options.threads)
    pyarrow.set_io_thread_count(options.threads)
    reading = pyarrow.json.ReadOptions(use_threads=options.threads > 1, block_size=4 << 20)

    def run():
        table = pyarrow.json.read_json(options.source, read_options=reading)
        if options.work == "csv":
            pyarrow_csv(table, options.out, how.removeprefix(" + "))
        elif options.work == "orc":
            pyarrow_orc(table, options.out, options.codec, False)
        else:
            pyarrow_parquet(table, options.out, options.codec, False)

    return lines_of(options.source), run


def prepare_pyarrow(options, how):
    if is_text(options):
        return prepare_pyarrow_text(options, how)
    table = load(options.source, options.threads)
    write = {"csv": lambda part, path: pyarrow_csv(part, path, how.removeprefix(" + ")), "orc": lambda part, path: pyarrow_orc(part, path, options.codec, bool(how)),
             "parquet": lambda part, path: pyarrow_parquet(part, path, options.codec, bool(how))}[options.work]
    return table.num_rows, lambda: in_parts(table, options.out, options.threads, write)


def prepare_duckdb(options, how):
    import duckdb

    connection = duckdb.connect(config={"threads": options.threads})
    if is_text(options):
        count, held = lines_of(options.source), f"read_json('{options.source}', format = 'newline_delimited')"
    else:
        rows = load(options.source, options.threads)
        connection.register("rows_in_memory", rows)
        count, held = rows.num_rows, "rows_in_memory"
    selected = "* REPLACE (url_encode(key) AS key)" if how else "*"
    form = "FORMAT csv, COMPRESSION gzip, FORCE_QUOTE *, HEADER false" if options.work == "csv" else f"FORMAT parquet, COMPRESSION {options.codec}"
    return count, lambda: connection.execute(f"COPY (SELECT {selected} FROM {held}) TO '{options.out}' ({form})")


def prepare_polars(options, how):
    import polars

    if is_text(options):
        count, frame = lines_of(options.source), polars.scan_ndjson(options.source, infer_schema_length=10_000, low_memory=True)
    else:
        held = polars.from_arrow(load(options.source, options.threads), rechunk=False)
        count, frame = held.height, held.lazy()
    if options.work == "csv":
        csv = {"include_header": False, "quote_style": "always", "compression": "gzip", "compression_level": 6, "check_extension": False}
        return count, lambda: frame.sink_csv(options.out, **csv)
    return count, lambda: frame.sink_parquet(options.out, compression=options.codec)


def prepare_chdb(options, how):
    from chdb import session

    running = session.Session()
    one = "max_threads = 1, max_insert_threads = 1"
    if is_text(options):
        rows, held = lines_of(options.source), f"file('{options.source}', 'JSONEachRow')"
    else:
        held = "held"
        running.query(f"CREATE TABLE held ENGINE = Memory AS SELECT * FROM file('{options.source}', 'Arrow') SETTINGS {one}")
        rows = int(running.query("SELECT count() FROM held", "CSV").bytes())
    format = {"csv": "CSV", "orc": "ORC", "parquet": "Parquet"}[options.work]
    settings = {"max_threads": options.threads, "max_insert_threads": options.threads, "engine_file_truncate_on_insert": 1}
    if options.work == "csv":
        settings |= {"output_format_compression_level": 6}
    else:
        settings |= {f"output_format_{options.work}_compression_method": f"'{options.codec}'"}
    if options.threads == 1:
        settings |= {"output_format_parallel_formatting": 0, "output_format_parquet_parallel_encoding": 0}
    compression = "gzip" if options.work == "csv" else "none"
    stated = ", ".join(f"{name} = {value}" for name, value in settings.items())
    query = f"INSERT INTO FUNCTION file('{options.out}', '{format}', 'auto', '{compression}') SELECT * FROM {held} SETTINGS {stated}"
    return rows, lambda: running.query(query)


PREPARE = {"pyarrow": prepare_pyarrow, "duckdb": prepare_duckdb, "polars": prepare_polars, "chdb": prepare_chdb}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--in", dest="source", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--work", choices=["csv", "orc", "parquet"], required=True)
    parser.add_argument("--writer", required=True)
    parser.add_argument("--codec", required=True)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    for name in ("POLARS_MAX_THREADS", "OMP_NUM_THREADS"):
        os.environ[name] = str(options.threads)
    library = next(name for name in PREPARE if options.writer.startswith(name))
    started = time.perf_counter()
    rows, write = PREPARE[library](options, options.writer[len(library) :])
    imported = time.perf_counter() - started
    wall, cpu = time.perf_counter(), time.process_time()
    write()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    out = pathlib.Path(options.out)
    size = sum(path.stat().st_size for path in out.parent.iterdir() if path.name == out.name or path.name.startswith(out.name + "."))
    print(json.dumps({"write_s": wall, "write_cpu_s": cpu, "import_s": imported, "rows": rows, "bytes": size}))


if __name__ == "__main__":
    main()
