#!/usr/bin/env bash
# Measures Stocktake and its peers in turns: sets up the pinned peers, builds both sides, makes the rows, writes benches/results.
#
#   benches/peers/run.sh                                  everything, at one and two threads
#   benches/peers/run.sh --works orc --threads 1          arguments go to run.py
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."

venv="$here/.venv"
stamp="$venv/requirements.txt"
if ! cmp -s "$here/requirements.txt" "$stamp"; then
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$stamp"
fi
target=${CARGO_TARGET_DIR:-$PWD/target}
cargo build --release --quiet --package stocktake-cli --package stocktake-benches --bins
cargo build --release --quiet --locked --manifest-path "$here/rust/Cargo.toml" --target-dir "$target/peers"
"$venv/bin/python" "$here/run.py" --target "$target" "$@"
