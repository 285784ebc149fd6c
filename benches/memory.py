"""Runs `generate` over synthetic buckets and watches its private memory (RssAnon), which must not grow with the rows.

With `--different`, over rows whose few-valued fields are different in every row, which no table of values makes small.
"""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import time


def anonymous_kib(pid):
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon:")), 0)


FEW_VALUED = ["storage_class", "replication_status", "encryption_status", "object_lock_mode", "object_lock_legal_hold_status", "intelligent_tiering_access_tier",
              "bucket_key_status", "checksum_algorithm", "object_access_control_list", "object_owner"]


def write_different(path, rows):
    with path.open("w") as file:
        for row in range(rows):
            # Multiplied by an odd number, so that the texts are not in order.
            number = row * 2_654_435_761 % 2**32
            file.write(json.dumps({"key": f"k{row:09}", "size": row} | {name: f"{number:08x}{place:02}" for place, name in enumerate(FEW_VALUED)}) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--rows", default="1000000,10000000")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", default="/tmp")
    parser.add_argument("--source", default="synthetic:rows={rows},seed=1,versions=0", help="{rows} is replaced")
    parser.add_argument("--different", action="store_true", help="few-valued fields are different in every row")
    parser.add_argument("--arguments", default="", help="further arguments of generate, separated by spaces")
    parser.add_argument("--limit-mib", type=float)
    parser.add_argument("--spread-mib", type=float)
    options = parser.parse_args()

    peaks = []
    for rows in options.rows.split(","):
        folder = pathlib.Path(options.work) / "memory-report"
        shutil.rmtree(folder, ignore_errors=True)
        different = pathlib.Path(options.work) / "memory-different.ndjson"
        if options.different:
            write_different(different, int(rows))
            options.source = f"ndjson:{different}"
        command = [options.binary, "generate", "--source", options.source.replace("{rows}", rows), "--destination", str(folder)]
        command += ["--threads", str(options.threads), "--at", "2026-11-22T01:00:00Z", *options.arguments.split()]
        command += ["--bucket", "example-source", "--fields", "all"] if options.different else []
        peak, started = 0, time.monotonic()
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            while process.poll() is None:
                peak = max(peak, anonymous_kib(process.pid))
                time.sleep(0.01)
            summary = json.loads(process.stdout.read().splitlines()[-1])
        seconds = time.monotonic() - started
        shutil.rmtree(folder, ignore_errors=True)
        different.unlink(missing_ok=True)
        assert process.returncode == 0 and summary["rows"] == int(rows), summary
        peaks.append(peak / 1024)
        print(f"{int(rows):>13,} rows  {peak / 1024:7.1f} MiB private at most  {seconds:7.1f} s  {int(rows) / seconds:>12,.0f} rows/s  {summary['files']} files", flush=True)
    failed = []
    if options.limit_mib and max(peaks) > options.limit_mib:
        failed.append(f"more than {options.limit_mib} MiB")
    if options.spread_mib and max(peaks) - min(peaks) > options.spread_mib:
        failed.append(f"not equal within {options.spread_mib} MiB")
    sys.exit("; ".join(failed) or 0)


if __name__ == "__main__":
    main()
