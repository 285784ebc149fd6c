#!/usr/bin/env bash
# Sets up Spark, which brings Java ORC and parquet-mr, and checks reports with it. Arguments go to check_spark.py.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."

if ! command -v java >/dev/null; then
    echo "java is not installed; Spark needs Java 17 or later (Debian: apt-get install openjdk-17-jre-headless)" >&2
    exit 1
fi
venv="$here/.venv"
stamp="$venv/requirements.txt"
if ! cmp -s "$here/requirements.txt" "$stamp"; then
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$stamp"
fi
cargo build --release --quiet --package stocktake-cli
"$venv/bin/python" "$here/check_spark.py" --binary "${CARGO_TARGET_DIR:-target}/release/stocktake" "$@"
