"""Counts the instructions that encoders take a row, and compares them with those on record.

    python3 benches/instructions.py             compares; ends with 1 if a work takes more than 5 % more than on record
    python3 benches/instructions.py --accept    puts the counts on record, in benches/results/instructions.json

What is counted is one more time of the same work, in the same process: starting, making rows and growing buffers cancel out. Valgrind shows
every program the same processor with AVX2 and BMI2, whichever newer one it runs on, so that counts repeat; on a processor without them, or
of another kind, nothing is compared. They do change with the compiler: accept them in a commit that says so.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import platform
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
RECORD = ROOT / "benches" / "results" / "instructions.json"

WORKS = [f"{form}/{shape}" for form in ("csv", "orc", "parquet-aws", "parquet-delta", "parquet-compact") for shape in ("nine", "twenty-one")]

# Rows of a work, as benches/src/bin/instructions.rs has them.
ROWS = 20_000

# A work that takes more than this share more than on record has become slower.
RISE_MAX = 0.05

# What the counts on record were made with; Valgrind offers it to programs only where the processor has it.
PROCESSOR_NEEDS = {"avx2", "bmi1", "bmi2", "pclmulqdq"}

# One run under Valgrind takes a few seconds; longer means that it hangs.
RUN_SECONDS_MAX = 300


def comparable():
    text = pathlib.Path("/proc/cpuinfo").read_text() if pathlib.Path("/proc/cpuinfo").exists() else ""
    return platform.machine() == "x86_64" and PROCESSOR_NEEDS <= set(text.split())


def build():
    command = ["cargo", "build", "--release", "--package", "stocktake-benches", "--bin", "instructions", "--message-format=json"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    messages = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    found = [message["executable"] for message in messages if message.get("target", {}).get("name") == "instructions" and message.get("executable")]
    return found[-1]


def run(binary, work, times):
    command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", binary, work, str(times)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_SECONDS_MAX)
    found = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    if done.returncode or not found:
        sys.exit(f"{work}: {done.stderr[-2000:]}")
    return int(found[1].replace(",", ""))


def count(binary, work):
    """Instructions a row of the second time."""
    return round((run(binary, work, 2) - run(binary, work, 1)) / ROWS, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--accept", action="store_true", help="put the counts on record")
    parser.add_argument("--binary", help="the program `instructions`, built before")
    options = parser.parse_args()
    if not comparable():
        print(f"not compared: the counts on record are of x86-64 with {', '.join(sorted(PROCESSOR_NEEDS))}")
        return
    binary = options.binary or build()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        counts = dict(zip(WORKS, pool.map(lambda work: count(binary, work), WORKS)))
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {"instructions_a_row": {}}
    made_with = {"rustc": subprocess.run(["rustc", "--version"], capture_output=True, text=True).stdout.strip(),
                 "valgrind": subprocess.run(["valgrind", "--version"], capture_output=True, text=True).stdout.strip()}
    slower = []
    for work, now in counts.items():
        before = record["instructions_a_row"].get(work)
        change = now / before - 1 if before else None
        print(f"{work:30} {now:9.1f} a row" + (f"  {change:+7.1%} against {before:.1f}" if before else "  not on record"))
        if change is None or change > RISE_MAX:
            slower.append(work)
    if options.accept:
        RECORD.write_text(json.dumps({"rows": ROWS, **made_with, "instructions_a_row": counts}, indent=1) + "\n")
        print(f"on record now: {RECORD.relative_to(ROOT)}")
    elif slower:
        made_before = {name: record.get(name) for name in made_with}
        print(f"made with {made_with}, on record with {made_before}")
        sys.exit(f"more than {RISE_MAX:.0%} above the record, or not on it: {', '.join(slower)}. "
                 "Make them faster, or run `python3 benches/instructions.py --accept` and say in the commit why")


if __name__ == "__main__":
    main()
