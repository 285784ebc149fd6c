"""A local Spark session with UTC for every clock, or a clear message why there is none."""

import shutil
import subprocess
import sys

JAVA_MIN = 17


def start():
    java = shutil.which("java")
    if not java:
        sys.exit(f"java is not installed; Spark needs Java {JAVA_MIN} or later (Debian: apt-get install openjdk-17-jre-headless)")
    text = subprocess.run([java, "-version"], capture_output=True, text=True).stderr
    words = text.split('"')
    version = int(words[1].split(".")[0]) if len(words) > 1 and words[1].split(".")[0].isdigit() else 0
    if version < JAVA_MIN:
        sys.exit(f"Spark needs Java {JAVA_MIN} or later; {java} is {text.strip()!r}")
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").appName("stocktake")
    for name, value in {
        "spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.driver.memory": "2g", "spark.driver.extraJavaOptions": "-Duser.timezone=UTC", "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1", "spark.sql.session.timeZone": "UTC", "spark.sql.files.maxPartitionBytes": "1g", "spark.log.level": "ERROR",
    }.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session
