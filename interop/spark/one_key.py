"""Rows and bytes that parquet-mr reads for one key: files and keys as JSON on standard input, answers as JSON on the last line."""

import json
import sys

import java_readers
import session


def main():
    asked, spark = json.load(sys.stdin), session.start()
    answers = {}
    for name, columns in [("all columns", None), ("key and size", ["key", "size"])]:
        answers[name] = [java_readers.parquet_one_key(spark, asked["files"], key, columns) for key in asked["keys"]]
    spark.stop()
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
