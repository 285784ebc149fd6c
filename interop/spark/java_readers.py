"""Asks Java ORC and parquet-mr themselves, through the virtual machine that Spark runs in: rows and bytes that they read under a predicate."""

import pyarrow
from py4j.java_gateway import get_field


def orc_rows(spark, path, column, low, high):
    """Rows of the row groups that Java ORC does not skip for `low <= column <= high`, by the row index.

    Numbers must lie beyond 32 bits: the bridge to Java makes longs of those alone.
    """
    jvm, gateway = spark._jvm, spark.sparkContext._gateway
    orc, sarg = jvm.org.apache.orc, jvm.org.apache.hadoop.hive.ql.io.sarg
    reader = orc.OrcFile.createReader(jvm.org.apache.hadoop.fs.Path(str(path)), orc.OrcFile.readerOptions(spark._jsc.hadoopConfiguration()))
    kind = getattr(sarg, "PredicateLeaf$Type").valueOf("STRING" if isinstance(low, str) else "LONG")
    predicate = sarg.SearchArgumentFactory.newBuilder().startAnd().between(column, kind, low, high).end().build()
    names = gateway.new_array(jvm.java.lang.String, 1)
    names[0] = column
    rows = reader.rows(reader.options().searchArgument(predicate, names))
    batch, count = reader.getSchema().createRowBatch(), 0
    while rows.nextBatch(batch):
        count += get_field(batch, "size")
    rows.close()
    reader.close()
    return count


def orc_about(spark, path):
    """Writer version and software as Java ORC names them."""
    orc = spark._jvm.org.apache.orc
    reader = orc.OrcFile.createReader(spark._jvm.org.apache.hadoop.fs.Path(str(path)), orc.OrcFile.readerOptions(spark._jsc.hadoopConfiguration()))
    about = f"{reader.getWriterVersion()}, {reader.getSoftwareVersion()}"
    reader.close()
    return about


def parquet_one_key(spark, paths, key, columns=None):
    """Rows and bytes that parquet-mr reads for `key = ...` through statistics, column index and bloom filter, over all files."""
    jvm = spark._jvm
    parquet, conf = jvm.org.apache.parquet, spark._jsc.hadoopConfiguration()
    # Hadoop's statistics do not count vectored reads.
    conf.setBoolean("parquet.hadoop.vectored.io.enabled", False)
    api = parquet.filter2.predicate.FilterApi
    predicate = api.eq(api.binaryColumn("key"), parquet.io.api.Binary.fromString(key))
    options = parquet.HadoopReadOptions.builder(conf).withRecordFilter(parquet.filter2.compat.FilterCompat.get(predicate)).build()
    before, rows = bytes_read(spark), 0
    for path in paths:
        file = parquet.hadoop.util.HadoopInputFile.fromPath(jvm.org.apache.hadoop.fs.Path(str(path)), conf)
        reader = parquet.hadoop.ParquetFileReader.open(file, options)
        if columns:
            schema = reader.getFileMetaData().getSchema()
            fields = jvm.java.util.ArrayList()
            for name in columns:
                fields.add(schema.getType(name))
            reader.setRequestedSchema(parquet.schema.MessageType(schema.getName(), fields))
        while (pages := reader.readNextFilteredRowGroup()) is not None:
            rows += pages.getRowCount()
            pages.close()
        reader.close()
    return rows, bytes_read(spark) - before


def bytes_read(spark):
    statistics = spark._jvm.org.apache.hadoop.fs.FileSystem.getAllStatistics()
    return sum(statistics.get(at).getBytesRead() for at in range(statistics.size()) if statistics.get(at).getScheme() == "file")


def table(frame, columns, types):
    """What a Spark frame holds, in the canonical types."""
    found = frame.select(*columns).toArrow()
    return pyarrow.table([found[name].cast(kind) for name, kind in zip(columns, types)], columns)
