"""Breaks runs of the real program in every place that can be reached from outside, and looks at what is left.

After each broken run: nothing that was there before has changed; manifest.checksum exists only if the report is complete, which Python's own gzip, csv
and hashlib prove; what else is there is finished data files and the journal of a run that says so, or is named in its message. Then the run is
continued by `--resume` without a fault, and must end in the files of an undisturbed run, byte for byte.

Needs strace for the faults of system calls, and the right to mount a tmpfs for full disks; what cannot be had is said and counts as skipped.
"""

import argparse
import csv
import gzip
import hashlib
import io
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

STAMP = "2026-11-22T01-00Z"
FOREIGN = {"photos/inventory/data/foreign.csv.gz": b"not of this program", "photos/note.txt": b"a note"}

# System calls and the faults that a kernel can have for them, by the code that the program gets.
SYSCALLS = [
    ("write", "ENOSPC"), ("write", "EIO"), ("write", "EDQUOT"),
    ("fsync", "EIO"), ("fsync", "ENOSPC"),
    ("renameat2", "EIO"), ("renameat2", "EACCES"), ("renameat2", "ENOSPC"),
    ("openat", "EMFILE"), ("openat", "EACCES"), ("openat", "ENOSPC"),
    ("mkdir", "ENOSPC"), ("mkdir", "EACCES"),
    ("unlink", "EIO"), ("statx", "EIO"), ("read", "EIO"), ("clone3", "EAGAIN"), ("mmap", "ENOMEM"),
]
SIGNALS = [("write", "KILL"), ("fsync", "KILL"), ("renameat2", "KILL"), ("openat", "KILL"), ("unlink", "KILL"), ("write", "INT"), ("fsync", "TERM")]


class Broken(Exception):
    """An invariant that does not hold."""


def digests(folder):
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.md5(path.read_bytes()).hexdigest() for path in files}


def check(holds, text):
    if not holds:
        raise Broken(text)


def rows_of(folder):
    """Rows of the published report, by readers that are not the program's; every size and MD5 is compared."""
    stamp = folder / "photos/inventory" / STAMP
    text = (stamp / "manifest.json").read_bytes()
    check((stamp / "manifest.checksum").read_text().strip() == hashlib.md5(text).hexdigest(), "the checksum is another manifest's")
    rows = 0
    for file in json.loads(text)["files"]:
        data = (folder / file["key"]).read_bytes()
        check(len(data) == file["size"] and hashlib.md5(data).hexdigest() == file["MD5checksum"], f"{file['key']} is not as listed")
        rows += sum(1 for _ in csv.reader(io.TextIOWrapper(gzip.GzipFile(fileobj=io.BytesIO(data)), encoding="utf-8")))
    return rows


class Runs:
    def __init__(self, binary, rows, work):
        self.binary, self.rows, self.work = binary, rows, pathlib.Path(work)
        self.source = self.work / "listing.ndjson"
        report = self.work / "listing"
        made = [binary, "generate", "--source", f"synthetic:rows={rows},seed=9", "--bucket", "photos", "--destination", str(report), "--at", "2026-11-22T01:00:00Z"]
        manifest = json.loads(subprocess.run(made, check=True, capture_output=True, text=True).stdout)["manifest_path"]
        with self.source.open("w") as out:
            subprocess.run([binary, "cat", "--format", "ndjson", manifest], check=True, stdout=out)
        shutil.rmtree(report)
        folder = self.fresh()
        ran = self.run(folder)
        check(ran.returncode == 0, f"an undisturbed run fails: {ran.stderr}")
        check(rows_of(folder) == rows, "an undisturbed run has other rows")
        self.expected = digests(folder)
        self.counts = {"complete": 0, "failed": 0, "killed": 0}

    def fresh(self):
        folder = self.work / "run" / "reports"
        shutil.rmtree(folder.parent, ignore_errors=True)
        for name, content in FOREIGN.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        return folder

    def arguments(self, folder, *more):
        return [
            self.binary, "generate", "--source", f"ndjson:{self.source}", "--bucket", "photos", "--destination", str(folder), "--threads", "2",
            "--shard-target", "200KiB", "--chunk-rows", "2000", "--at", "2026-11-22T01:00:00Z", "--progress", "never", *more,
        ]

    def run(self, folder, *more, before=(), **options):
        return subprocess.run([*before, *self.arguments(folder, *more)], capture_output=True, text=True, errors="replace", timeout=120, **options)

    def judge(self, folder, ran, what):
        """Looks at what a run left, and continues it."""
        code = ran.returncode
        # Rust's own start of a thread ends the process where there is no memory for its signal stack: as a kill does.
        check("panicked" not in ran.stderr or code not in (0, 1, 130) and "alternative stack" in ran.stderr, f"{what}: {ran.stderr}")
        for name, content in FOREIGN.items():
            check((folder / name).read_bytes() == content, f"{what}: {name} was touched")
        published = (folder / "photos/inventory" / STAMP / "manifest.checksum").exists()
        if code == 0:
            check(published, f"{what}: exit code 0 without a report")
        if published:
            check(rows_of(folder) == self.rows, f"{what}: a published report lacks rows")
        else:
            self.look_at_remains(folder, ran, what)
        self.counts["complete" if code == 0 else "failed" if code in (1, 130) else "killed"] += 1
        check(code in (0, 1, 130) or code < 0 or code > 128, f"{what}: exit code {code}: {ran.stderr}")
        if not published:
            again = self.run(folder, "--resume")
            check(again.returncode == 0, f"{what}: cannot be continued: {again.stderr}; it had said: {ran.stderr}")
        left = digests(folder)
        extra, missing = sorted(set(left) - set(self.expected)), sorted(set(self.expected) - set(left))
        if published and (code != 0 or "left behind, to be removed by the next run" in ran.stderr):
            # What a run could not take away behind its last step, or was killed before it did: the journal, which the next run removes.
            extra = [name for name in extra if "/journal/" not in name]
        check(not extra and not missing, f"{what}: has {extra}, lacks {missing}; the run had said: {ran.stderr}")
        check(all(left[name] == self.expected[name] for name in self.expected), f"{what}: other bytes than an undisturbed run")

    def look_at_remains(self, folder, ran, what):
        remains = [name for name in digests(folder) if name not in FOREIGN]
        # A second interrupt ends the program at once, as it says: strace sends one to each thread.
        if ran.returncode not in (1, 130) or ran.stderr.endswith("stocktake: interrupted\n"):
            return
        kept = "kept:" in ran.stderr
        for name in remains:
            of_journal = "/journal/" in name or "/data/" in name and not pathlib.Path(name).name.startswith(".")
            check(kept and of_journal or pathlib.Path(name).name in ran.stderr or name in ran.stderr, f"{what}: {name} is left and not named: {ran.stderr}")


def injected(runs, syscall, fault, step):
    """Lets the n-th call of a kind fail, for every n until no call is left."""
    number, tried = 1, 0
    while True:
        folder = runs.fresh()
        log = runs.work / "strace.log"
        option = f"signal={fault}" if fault in ("KILL", "INT", "TERM") else f"error={fault}"
        strace = ["strace", "-f", "-qq", "-o", str(log), "-e", f"trace={syscall}", "-e", f"inject={syscall}:{option}:when={number}"]
        ran = runs.run(folder, before=strace)
        text = log.read_text(errors="replace")
        if "(INJECTED)" not in text and "killed by" not in text and "--- SIG" not in text:
            return tried
        # A fault before the program's own first statement is the loader's.
        if ran.returncode != 127:
            runs.judge(folder, ran, f"{syscall} {number} {fault}")
            tried += 1
        number += step


def signalled(runs, name, tries, seed):
    draw = random.Random(seed)
    for _ in range(tries):
        folder = runs.fresh()
        child = subprocess.Popen(runs.arguments(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(draw.uniform(0, 0.25))
        child.send_signal(getattr(signal, name))
        out, err = child.communicate(timeout=60)
        runs.judge(folder, subprocess.CompletedProcess(child.args, child.returncode, out, err), f"{name} at random")
    return tries


def full_disks(runs, step_kib):
    """Disks of every size from nothing to enough."""
    mount = runs.work / "disk"
    mount.mkdir(exist_ok=True)
    tried, size = 0, 64
    while True:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", str(mount)], capture_output=True, text=True)
        if mounted.returncode != 0:
            return None
        try:
            folder = mount / "reports"
            for name, content in FOREIGN.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(content)
            ran = runs.run(folder)
            what = f"a disk of {size} KiB"
            check("panicked" not in ran.stderr, f"{what}: {ran.stderr}")
            tried += 1
            if ran.returncode == 0:
                check(digests(folder) == runs.expected, f"{what}: other files")
                return tried
            check(ran.returncode == 1 and ("space" in ran.stderr or "ENOSPC" in ran.stderr), f"{what}: {ran.returncode} {ran.stderr}")
            subprocess.run(["mount", "-o", "remount,size=64m", str(mount)], check=True)
            runs.judge(folder, ran, what)
        finally:
            subprocess.run(["umount", str(mount)], check=False)
        size += step_kib


def slow(runs, rows):
    """A destination that is slow to take what is written: memory stays within its limit, and the report is whole."""
    if not shutil.which("strace"):
        return None
    folder = runs.fresh()
    command = [runs.binary, "generate", "--source", f"synthetic:rows={rows},seed=2", "--bucket", "photos", "--destination", str(folder), "--threads", "2", "--at", "2026-11-22T01:00:00Z"]
    delay = ["strace", "-f", "-qq", "-o", os.devnull, "-e", "trace=write,fsync", "-e", "inject=write,fsync:delay_enter=100000"]
    tracer = subprocess.Popen([*delay, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    peak = 0
    while tracer.poll() is None:
        for child in pathlib.Path(f"/proc/{tracer.pid}/task/{tracer.pid}/children").read_text().split():
            try:
                status = pathlib.Path(f"/proc/{child}/status").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            peak = max([peak, *(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("RssAnon:"))])
        time.sleep(0.02)
    out, err = tracer.communicate()
    check(tracer.returncode == 0 and json.loads(out.splitlines()[-1])["rows"] == rows, f"a slow destination: {tracer.returncode} {err}")
    check(rows_of(folder) == rows, "a slow destination: a published report lacks rows")
    check(peak <= 160, f"a slow destination: {peak:.0f} MiB of private memory")
    return 1


def together(runs, tries):
    """Two runs of one report at once: one report comes out, and no run that failed says otherwise."""
    for _ in range(tries):
        folder = runs.fresh()
        pair = [subprocess.Popen(runs.arguments(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
        ended = [(child.communicate(timeout=60), child.returncode) for child in pair]
        codes = sorted(code for _, code in ended)
        check(all(code in (0, 1) for code in codes), f"two runs at once: {ended}")
        check(all("panicked" not in err for (_, err), _ in ended), f"two runs at once: {ended}")
        published = (folder / "photos/inventory" / STAMP / "manifest.checksum").exists()
        check(published or codes == [1, 1], f"two runs at once: exit code 0 without a report: {ended}")
        if published:
            check(rows_of(folder) == runs.rows, f"two runs at once: a published report lacks rows: {ended}")
    return tries


def taken_away(runs, tries):
    """The destination is removed in the middle of a run: it fails, or its report is there."""
    draw = random.Random(3)
    for _ in range(tries):
        folder = runs.fresh()
        child = subprocess.Popen(runs.arguments(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(draw.uniform(0, 0.2))
        shutil.rmtree(folder, ignore_errors=True)
        _, err = child.communicate(timeout=60)
        check("panicked" not in err and child.returncode in (0, 1), f"destination removed: {child.returncode} {err}")
        published = (folder / "photos/inventory" / STAMP / "manifest.checksum").exists()
        if published:
            check(rows_of(folder) == runs.rows, "destination removed: a published report lacks rows")
        check(child.returncode == 1 or published or not folder.exists() or "manifest.checksum" not in str(list(folder.rglob("*"))), "destination removed: a report half there")
    return tries


def unprivileged(runs):
    """A destination that may not be written."""
    if os.geteuid() != 0:
        return None
    folder = runs.fresh()
    for path in [runs.work, *runs.work.rglob("*")]:
        os.chmod(path, 0o755 if path.is_dir() else 0o644)
    binary = runs.work / "stocktake"
    shutil.copy(runs.binary, binary)
    os.chmod(binary, 0o755)
    kept, runs.binary = runs.binary, str(binary)
    try:
        ran = runs.run(folder, user=65534, group=65534)
    finally:
        runs.binary = kept
        binary.unlink()
    check(ran.returncode == 1 and "ermission denied" in ran.stderr, f"a destination that may not be written: {ran.returncode} {ran.stderr}")
    check(set(digests(folder)) == set(FOREIGN), "a destination that may not be written was written")
    return 1


def limited(runs, rows):
    """A hard limit of 300 MB of private memory, stacks and all, whatever the format and the width of rows."""
    for form in ("csv", "orc", "parquet"):
        for source, more in ((f"synthetic:rows={rows},seed=1,versions=20", ["--versions", "all", "--fields", "all"]), (f"synthetic:rows={rows}", [])):
            folder = runs.fresh()
            command = [
                runs.binary, "generate", "--source", source, "--destination", str(folder), "--bucket", "photos", "--format", form, "--threads", "2",
                "--at", "2026-11-22T01:00:00Z", *more,
            ]
            ran = subprocess.run(command, capture_output=True, text=True, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (300_000_000, 300_000_000)))
            check(ran.returncode == 0, f"300 MB are too little for {form} of {rows} rows: {ran.stderr}")
            check(json.loads(ran.stdout.splitlines()[-1])["rows"] == rows, f"{form} lacks rows")
    return 6


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--rows", type=int, default=20_000, help="rows of the run that is broken")
    parser.add_argument("--step", type=int, default=1, help="every how many-th call of a kind fails")
    parser.add_argument("--limit-rows", type=int, default=3_000_000)
    parser.add_argument("--work", default=None)
    options = parser.parse_args()
    skipped, failed, passed = 0, 0, 0
    with tempfile.TemporaryDirectory(dir=options.work) as work:
        runs = Runs(str(pathlib.Path(options.binary).resolve()), options.rows, work)
        cases = []
        if shutil.which("strace"):
            for syscall, fault in [*SYSCALLS, *SIGNALS]:
                cases.append((f"{syscall} fails with {fault}", lambda s=syscall, f=fault: injected(runs, s, f, options.step)))
        else:
            skipped += 1
            print("skipped: faults of system calls, for there is no strace")
        tries = max(2, 20 // options.step)
        cases += [(f"{name} at random moments", lambda n=name: signalled(runs, n, tries, 5)) for name in ("SIGKILL", "SIGINT", "SIGTERM")]
        cases += [
            ("full disks", lambda: full_disks(runs, 16 * options.step)),
            ("a slow destination", lambda: slow(runs, options.limit_rows)),
            ("two runs at once", lambda: together(runs, tries)),
            ("a destination that is taken away", lambda: taken_away(runs, tries)),
            ("a destination that may not be written", lambda: unprivileged(runs)),
            ("300 MB of private memory", lambda: limited(runs, options.limit_rows)),
        ]
        for name, case in cases:
            began = time.monotonic()
            try:
                tried = case()
            except Broken as broken:
                failed += 1
                print(f"FAILED: {name}: {broken}", flush=True)
                continue
            if tried is None:
                skipped += 1
                print(f"skipped: {name}: not allowed here", flush=True)
            else:
                passed += 1
                print(f"{name}: {tried} runs, {time.monotonic() - began:.0f} s", flush=True)
        print(f"runs that ended: {runs.counts}")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed else 0)


main()
