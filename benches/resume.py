"""Kills `generate` by SIGKILL at random moments, continues it each time by `--resume`, and compares what comes out with an undisturbed run.

Data files and manifest must be the same bytes, and nothing else may be there. What a kill costs is what has to be encoded again: the bytes of
data files that were not finished, or not written down, in the destination after each kill, in rows. A last run is killed and abandoned: nothing may be left of it.
"""

import argparse
import hashlib
import json
import pathlib
import random
import shutil
import subprocess
import sys
import time


# Finished data files of a lane that are not published yet, at most.
PENDING_SHARDS_MAX = 16


def digests(folder):
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                found[str(path.relative_to(folder))] = hashlib.file_digest(file, "md5").hexdigest()
    return found


def journaled(folder):
    """Rows, and the names of data files, that the journal tells of."""
    rows, names = 0, set()
    for path in folder.rglob("journal/*/*-*-*"):
        if path.name.startswith("."):
            continue
        receipt = json.loads(path.read_text().splitlines()[0])["receipt"]
        rows += receipt["rows"]
        if receipt["file"]:
            names.add(receipt["file"]["key"].rsplit("/", 1)[1])
    return rows, names


def unfinished_bytes(folder, names):
    """Bytes of each data file that is half written, or finished and not written down."""
    return [path.stat().st_size for path in folder.rglob("data/*") if path.is_file() and path.name not in names]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--rows", type=int, default=200_000_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--lanes", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--shard-mib", type=float, default=128)
    parser.add_argument("--chunk-rows", type=int, default=131_072)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", default="/tmp")
    parser.add_argument("--arguments", default="", help="further arguments of generate, separated by spaces")
    options = parser.parse_args()

    moments = random.Random(options.seed)
    folder = pathlib.Path(options.work) / "resume-report"
    shutil.rmtree(folder, ignore_errors=True)
    command = [options.binary, "generate", "--source", f"synthetic:rows={options.rows},seed=1,versions=0", "--destination", str(folder)]
    command += ["--at", "2026-11-22T01:00:00Z", "--threads", str(options.threads), "--lanes", str(options.lanes), "--chunk-rows", str(options.chunk_rows)]
    command += ["--shard-target", str(round(options.shard_mib * 2**20)), *options.arguments.split()]

    def run(more, seconds=None):
        """The summary of a run, or None if it was killed after so many seconds."""
        with subprocess.Popen([*command, *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                out, err = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                if process.returncode < 0:
                    return None
                out, err = "", "it ended when it was to be killed"
            if process.returncode != 0:
                sys.exit(f"{more}: {err}")
            return json.loads(out.splitlines()[-1])

    started = time.monotonic()
    whole = run([])
    undisturbed_s = time.monotonic() - started
    expected = digests(folder)
    shutil.rmtree(folder)
    bytes_a_row = whole["bytes"] / whole["rows"]
    shard_bytes = options.shard_mib * 2**20 + 1.5 * options.chunk_rows * bytes_a_row
    print(f"undisturbed: {whole['rows']:,} rows, {whole['files']} data files, {undisturbed_s:.1f} s", flush=True)

    kills, reports, again, worst, longest, failed = 0, 0, [], 0.0, 0.0, []
    while kills < options.kills:
        before_rows = 0
        while True:
            left = options.kills - kills
            # Moments are spread over the whole of what is left to do.
            share = undisturbed_s * (1 - before_rows / options.rows)
            seconds = moments.uniform(0, 2 * share / (left + 1)) if left else None
            began = time.monotonic()
            summary = run(["--resume"], seconds)
            if summary is not None:
                break
            kills += 1
            kept_rows, names = journaled(folder)
            lost = unfinished_bytes(folder, names)
            again.append(sum(lost) / bytes_a_row)
            worst = max([worst, *lost])
            longest = max(longest, sum(lost) / bytes_a_row)
            print(f"kill {kills:>2} after {time.monotonic() - began:6.2f} s: {kept_rows:>12,} rows kept, {sum(lost) / bytes_a_row:>11,.0f} rows to be encoded again", flush=True)
            # One is being written, and others may be finished and wait to be hashed together.
            if len(lost) > options.lanes * (1 + PENDING_SHARDS_MAX):
                failed.append(f"kill {kills}: {len(lost)} unfinished data files")
            if kept_rows < before_rows:
                failed.append(f"kill {kills}: rows that were kept are lost")
            before_rows = kept_rows
        reports += 1
        found = digests(folder)
        if found != expected:
            differing = sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))
            failed.append(f"report {reports} differs: {differing[:5]}")
        folders = [str(path) for path in folder.rglob("journal*")]
        if folders:
            failed.append(f"left behind: {folders}")
        shutil.rmtree(folder)
    if worst > shard_bytes:
        failed.append(f"{worst:,.0f} bytes of one data file are encoded again, more than a data file has")

    for _ in range(3):
        if run([], moments.uniform(0, min(undisturbed_s, 30))) is None:
            run(["--abandon"])
            left = [str(path) for path in folder.rglob("*")]
            if left:
                failed.append(f"left behind by --abandon: {left[:5]}")
        shutil.rmtree(folder, ignore_errors=True)

    result = {
        "rows": options.rows, "kills": kills, "reports": reports, "data_files": whole["files"], "lanes": options.lanes,
        "rows_a_data_file": round(options.rows / max(whole["files"], 1)), "rows_again_mean": round(sum(again) / max(len(again), 1)),
        "rows_again_max": round(longest), "undisturbed_s": round(undisturbed_s, 2), "failed": failed,
    }
    print(json.dumps(result))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
