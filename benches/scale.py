"""Writes reports of ever more rows to a destination that drops them, and looks whether time a row and private memory stay the same.

Each run's private memory (RssAnon) is sampled all the way; what is stated is the peak of its first and of its last tenth, and of all of it.
"""

import argparse
import json
import pathlib
import platform
import subprocess
import sys
import time


def anonymous_mib(pid):
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("RssAnon:")), None)


def measure(command):
    samples = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            samples.append(anonymous_mib(process.pid))
            time.sleep(0.05)
        out = process.stdout.read()
    if process.returncode != 0:
        sys.exit(f"{command} ended with {process.returncode}")
    samples = [sample for sample in samples if sample is not None]
    tenth = max(1, len(samples) // 10)
    return json.loads(out.splitlines()[-1]) | {"first_mib": max(samples[:tenth]), "last_mib": max(samples[-tenth:]), "peak_mib": max(samples)}


def processor():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]}, {len(names)} processors; {platform.platform()}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True, help="target/release/scale")
    parser.add_argument("--rows", default="10000000,100000000,1000000000")
    parser.add_argument("--formats", default="csv,orc,parquet")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--limit-mib", type=float, default=160)
    parser.add_argument("--spread", type=float, default=0.10, help="how much CPU seconds a row may differ between the fewest and the most rows")
    parser.add_argument("--out", help="a Markdown file; a JSON file is written beside it")
    options = parser.parse_args()
    results, faults = [], []
    for form in options.formats.split(","):
        of_form = []
        for rows in map(int, options.rows.split(",")):
            measured = measure([options.binary, "--rows", str(rows), "--format", form, "--threads", str(options.threads)])
            measured |= {"format": form, "cpu_ns_row": measured["cpu_s"] / rows * 1e9, "bytes_row": measured["bytes"] / rows}
            if measured["rows"] != rows:
                faults.append(f"{form}: {measured['rows']} of {rows} rows")
            if measured["peak_mib"] > options.limit_mib:
                faults.append(f"{form}, {rows} rows: {measured['peak_mib']:.1f} MiB")
            of_form.append(measured)
            print(json.dumps(measured), flush=True)
        ratio = of_form[-1]["cpu_ns_row"] / of_form[0]["cpu_ns_row"]
        if abs(ratio - 1) > options.spread:
            faults.append(f"{form}: CPU a row is {ratio:.2f} times that of the fewest rows")
        results += of_form
    if options.out:
        out = pathlib.Path(options.out)
        out.with_suffix(".json").write_text(json.dumps(results, indent=1) + "\n")
        lines = [
            "# One report of a thousand million rows",
            "",
            f"`python3 benches/scale.py --binary target/release/scale --rows {options.rows} --formats {options.formats} --threads {options.threads} --out benches/results/{out.name}`",
            "",
            f"{processor()}. Synthetic rows of the nine columns, made, checked, encoded, hashed and counted; the destination drops the bytes. Private memory is the peak of RssAnon.",
            "",
            "| format | rows | seconds | million rows/s | CPU ns a row | bytes a row | files | MiB, first tenth | MiB, last tenth | MiB, peak |",
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        ]
        for run in results:
            lines.append(
                f"| {run['format']} | {run['rows']:,} | {run['seconds']:.1f} | {run['rows'] / run['seconds'] / 1e6:.2f} | {run['cpu_ns_row']:.0f} | {run['bytes_row']:.1f} "
                f"| {run['files']:,} | {run['first_mib']:.1f} | {run['last_mib']:.1f} | {run['peak_mib']:.1f} |"
            )
        out.write_text("\n".join(lines) + "\n")
    for fault in faults:
        print(f"FAILED: {fault}")
    sys.exit(1 if faults else 0)


main()
