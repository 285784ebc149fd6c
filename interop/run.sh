#!/usr/bin/env bash
# Sets up the foreign readers and checks reports with them. Arguments go to check_reports.py.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.."

venv="$here/.venv"
stamp="$venv/requirements.txt"
if ! cmp -s "$here/requirements.txt" "$stamp"; then
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$stamp"
fi
cargo build --release --quiet --package stocktake-cli
"$venv/bin/python" "$here/check_reports.py" --binary "${CARGO_TARGET_DIR:-target}/release/stocktake" "$@"
"$venv/bin/python" "$here/check_diff.py" --binary "${CARGO_TARGET_DIR:-target}/release/stocktake"

# Configurations have an environment of their own, of a few packages: AWS's SDK.
venv="$here/.venv-configuration"
if ! cmp -s "$here/requirements-configuration.txt" "$venv/requirements.txt"; then
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements-configuration.txt"
    cp "$here/requirements-configuration.txt" "$venv/requirements.txt"
fi
"$venv/bin/python" "$here/check_configuration.py" --binary "${CARGO_TARGET_DIR:-target}/release/stocktake"

# Buckets: moto's server and AWS's SDK.
venv="$here/.venv-s3"
if ! cmp -s "$here/requirements-s3.txt" "$venv/requirements.txt"; then
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements-s3.txt"
    cp "$here/requirements-s3.txt" "$venv/requirements.txt"
fi
"$venv/bin/python" "$here/check_s3.py" --binary "${CARGO_TARGET_DIR:-target}/release/stocktake"

# Containers: Azurite, which npm has, and Azure's SDK.
if command -v npm >/dev/null 2>&1; then
    venv="$here/.venv-azure"
    if ! cmp -s "$here/requirements-azure.txt" "$venv/requirements.txt"; then
        python3 -m venv --clear "$venv"
        "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements-azure.txt"
        npm install --silent --no-audit --no-fund --prefix "$venv/node" azurite@3.35.0
        cp "$here/requirements-azure.txt" "$venv/requirements.txt"
    fi
    "$venv/bin/python" "$here/check_azure.py" --binary "${CARGO_TARGET_DIR:-target}/release/stocktake" --azurite "$venv/node/node_modules/.bin/azurite-blob"
else
    echo "azure: skipped, for there is no npm"
fi
