"""Times `generate --source arrow:FILE` pinned to one processor and with two threads, in turns.

Run it with the environment of the foreign readers, which has pyarrow: interop/.venv/bin/python benches/arrow.py --binary ...
Without --input it makes the file first, from a report of a synthetic bucket, with plain strings in every text column.
"""

import argparse
import json
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent / "peers"))

import rows


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--input", help="an Arrow IPC file with the report's column names")
    parser.add_argument("--bucket", default="synthetic")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--work", default="/dev/shm")
    parser.add_argument("--arguments", default="", help="further arguments of generate, separated by spaces")
    options = parser.parse_args()
    work = pathlib.Path(tempfile.mkdtemp(dir=options.work))
    try:
        source = options.input
        if not source:
            source = str(work / "rows.arrow")
            rows.make(options.binary, "current", options.rows, source)

        def run(threads, pin):
            shutil.rmtree(work / "report", ignore_errors=True)
            command = [*pin, options.binary, "generate", "--source", f"arrow:{source}", "--destination", str(work / "report"), "--bucket", options.bucket]
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            done = subprocess.run([*command, "--threads", str(threads), *options.arguments.split()], capture_output=True, text=True, check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            summary = json.loads(done.stdout.splitlines()[-1])
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            return summary["seconds"], cpu, summary["rows"], summary["bytes"]

        one, two = [], []
        for _ in range(options.runs):
            one.append(run(1, ["taskset", "-c", "0"]))
            two.append(run(2, []))
        count, size = one[0][2:]
        for name, runs in [("one thread, pinned", one), ("two threads", two)]:
            walls, cpus = [wall for wall, *_ in runs], [cpu for _, cpu, *_ in runs]
            wall, cpu = statistics.median(walls), statistics.median(cpus)
            print(f"{name:>18}: {wall:.3f} s ({min(walls):.3f} to {max(walls):.3f}), {count / wall / 1e6:.2f} million rows/s, {cpu / count * 1e9:.0f} ns CPU a row, {size / count:.1f} bytes a row")
        pairs = [left[0] / right[0] for left, right in zip(one, two)]
        print(f"two threads over one: median {statistics.median(pairs):.2f}, best pair {max(pairs):.2f}")
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
