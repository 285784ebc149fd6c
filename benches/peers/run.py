"""Measures Stocktake and its peers in turns (A B C A B C ...) and writes tables of medians and ratios to benches/results.

With one thread every competitor is pinned to one processor, the last one that this process may use. Ratios within one run count: the speed of
a machine drifts between runs. `run.sh` sets everything up and calls this.
"""

import argparse
import json
import os
import pathlib
import platform
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile

import results
import rows
import works

ROOT = pathlib.Path(__file__).resolve().parents[2]

# A competitor that takes longer than this for one write has failed.
WRITE_SECONDS_MAX = 600


def prepare(threads, real_time):
    if threads == 1:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-1:])
    if real_time:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


def run_once(command, threads, out, real_time):
    for left in out.parent.glob(out.name + "*"):
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, preexec_fn=lambda: prepare(threads, real_time), timeout=WRITE_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        return None, f"longer than {WRITE_SECONDS_MAX} s"
    if done.returncode:
        return None, (done.stderr.strip().splitlines() or ["no message"])[-1][:200]
    return json.loads(done.stdout.strip().splitlines()[-1]), None


def measure(work, source, threads, options, folder):
    """Runs of each competitor that finished, and why others did not."""
    competitors = [(name, make) for name, make in works.competitors(work, options.target, source) if not options.only or works.is_ours(name) or name in options.only]
    runs, failed, commands = {name: [] for name, _ in competitors}, {}, {}
    for turn in range(options.rounds):
        for name, make in competitors:
            if name in failed:
                continue
            out = folder / "out"
            command = make(out, threads)
            commands[name] = shlex.join(str(word) for word in command).replace(f"{ROOT}/", "").replace(f"{folder.parent}/", "")
            found, fault = run_once(command, threads, out, options.real_time)
            if fault:
                failed[name] = fault
                print(f"# {work}: {name}: {fault}", file=sys.stderr)
            else:
                runs[name].append(found)
        print(f"# {work}, {threads} threads: turn {turn + 1} of {options.rounds}", file=sys.stderr)
    return {"runs": {name: found for name, found in runs.items() if found and name not in failed}, "failed": failed, "commands": commands}


def machine():
    text = pathlib.Path("/proc/cpuinfo").read_text() if pathlib.Path("/proc/cpuinfo").exists() else ""
    model = next((line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith("model name")), platform.machine())
    return {"processor": model, "processors": len(os.sched_getaffinity(0)), "system": platform.platform(), "python": platform.python_version(),
            "rustc": subprocess.run(["rustc", "--version"], capture_output=True, text=True).stdout.strip(),
            "commit": subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=ROOT).stdout.strip(),
            "peers": [line for line in (pathlib.Path(__file__).with_name("requirements.txt")).read_text().split()]}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", default=str(ROOT / "target"))
    parser.add_argument("--works", default=",".join(works.WORKS))
    parser.add_argument("--shapes", default="current,versions")
    parser.add_argument("--in", dest="source", action="append", default=[], help="Arrow IPC files with the report's column names, instead of synthetic rows")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", type=lambda text: text.split(";"), default=[], help="peers to measure, separated by semicolons")
    parser.add_argument("--work-dir", default="/dev/shm" if os.path.isdir("/dev/shm") else None, help="where rows and files go; memory by default")
    parser.add_argument("--results", default=str(ROOT / "benches" / "results"))
    parser.add_argument("--name", default="peers", help="name of the files of results")
    parser.add_argument("--real-time", action="store_true", help="real-time priority for every competitor, where others use the machine too; needs the right to it")
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="stocktake-peers.", dir=options.work_dir))
    record = {"machine": machine(), "command": shlex.join(["benches/peers/run.sh", *sys.argv[1:]]), "measurements": []}
    try:
        sources = [(pathlib.Path(path).stem, path) for path in options.source]
        if not sources:
            for shape in options.shapes.split(","):
                path = folder / f"{shape}.arrow"
                rows.make(str(pathlib.Path(options.target) / "release" / "stocktake"), shape, options.rows, path)
                sources.append((shape, path))
        (folder / "written").mkdir()
        for work in options.works.split(","):
            for shape, path in sources:
                path = pathlib.Path(path).with_suffix("." + works.reads(work))
                if not path.exists():
                    print(f"# {work}: there is no {path}", file=sys.stderr)
                    continue
                for threads in map(int, options.threads.split(",")):
                    found = measure(work, str(path), threads, options, folder / "written")
                    measurement = {"work": work, "rows_of": shape, "threads": threads, **found}
                    record["measurements"].append(measurement)
                    print(results.table(measurement), flush=True)
                    results.write(record, pathlib.Path(options.results), options.name)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
