"""Makes a directory tree and compares `generate` with `find -printf | sort` over it, in turns, with a warm cache.

The keys of the report are compared with `find -type f | sort` byte by byte.
"""

import argparse
import gzip
import json
import pathlib
import shutil
import statistics
import subprocess
import time
import urllib.parse


def make_tree(root, files, flat):
    """`files` empty files: all in one directory, or 500 to a directory two levels down."""
    for number in range(files):
        if flat:
            if number == 0:
                root.mkdir(parents=True)
            path = root / f"object-{number * 7919 % files:08d}"
        else:
            folder = root / f"d{number // 50_000:02d}" / f"part-{number // 500 % 100:03d}"
            if number % 500 == 0:
                folder.mkdir(parents=True)
            path = folder / f"file {number % 500:04d}.bin"
        path.touch()


def keys_of(root, summary):
    manifest = json.loads((root / summary["manifest"]).read_text())
    for file in manifest["files"]:
        with gzip.open(root / file["key"], "rt", newline="") as rows:
            for row in rows:
                yield urllib.parse.unquote_to_bytes(row.split('","')[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--files", type=int, default=500_000)
    parser.add_argument("--flat", action="store_true")
    parser.add_argument("--no-compare", action="store_true", help="only generate, and watch private memory")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--work", default="/tmp")
    options = parser.parse_args()
    work = pathlib.Path(options.work)
    tree, report = work / "tree", work / "report"
    shutil.rmtree(tree, ignore_errors=True)
    make_tree(tree, options.files, options.flat)

    def generate():
        shutil.rmtree(report, ignore_errors=True)
        command = [options.binary, "generate", "--source", str(tree), "--destination", str(report), "--bucket", "b", "--threads", str(options.threads)]
        started, peak = time.monotonic(), 0
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            while process.poll() is None:
                if options.no_compare:
                    lines = pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines()
                    peak = max([peak] + [int(line.split()[1]) for line in lines if line.startswith("RssAnon:")])
                time.sleep(0.002)
            summary = json.loads(process.stdout.read().splitlines()[-1])
        assert process.returncode == 0 and summary["rows"] == options.files, summary
        return time.monotonic() - started, peak, summary

    def find():
        started = time.monotonic()
        subprocess.run(f"find {tree} -printf '%p %s %T@\\n' | LC_ALL=C sort > {work}/find.txt", shell=True, check=True)
        return time.monotonic() - started

    ours, theirs = [], []
    if not options.no_compare:
        generate(), find()
    for _ in range(options.runs):
        seconds, peak, summary = generate()
        ours.append(seconds)
        if not options.no_compare:
            theirs.append(find())
    if options.no_compare:
        print(f"{options.files:,} files: {statistics.median(ours):.2f} s, {peak / 1024:.1f} MiB private at most")
    else:
        print(f"{options.files:,} files, median of {options.runs}: generate {statistics.median(ours):.2f} s ({min(ours):.2f} to {max(ours):.2f}), "
              f"find | sort {statistics.median(theirs):.2f} s ({min(theirs):.2f} to {max(theirs):.2f}), ratio {statistics.median(ours) / statistics.median(theirs):.2f}")
    listed = subprocess.run(f"find {tree} -type f -printf '%P\\0' | LC_ALL=C sort -z", shell=True, check=True, capture_output=True).stdout
    assert all(left == right for left, right in zip(listed.split(b"\0")[:-1], keys_of(report, summary), strict=True)), "keys in the order of find and sort"
    print("keys equal those of find | sort, in order")
    shutil.rmtree(tree)
    shutil.rmtree(report)


if __name__ == "__main__":
    main()
