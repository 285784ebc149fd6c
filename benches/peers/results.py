"""Turns runs into tables: medians, spread, ratios to the fastest peer, and bytes beside the smallest file of a peer that is nearly as fast."""

import json
import statistics

import works

# Bytes are compared with the smallest file of a peer that takes at most so many times as long as the fastest.
NEARLY_AS_FAST = 1.5


def median(runs, what):
    return statistics.median(run[what] for run in runs)


def table(measurement):
    runs = measurement["runs"]
    peers = {name: median(found, "write_s") for name, found in runs.items() if not works.is_ours(name)}
    lines = [f"### {measurement['work']}, {measurement['rows_of']}, {measurement['threads']} thread{'s' if measurement['threads'] > 1 else ''}", ""]
    lines += ["| writer | seconds | from – to | million rows/s | times the fastest peer | CPU ns a row | bytes a row | files |",
              "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    fastest = min(peers.values(), default=None)
    for name in sorted(runs, key=lambda name: median(runs[name], "write_s")):
        found = runs[name]
        seconds, rows = median(found, "write_s"), found[0]["rows"]
        walls = [run["write_s"] for run in found]
        ratio = f"{fastest / seconds:.2f}" if fastest else "–"
        shown = f"**{name}**" if works.is_ours(name) else name
        lines.append(f"| {shown} | {seconds:.3f} | {min(walls):.3f} – {max(walls):.3f} | {rows / seconds / 1e6:.2f} | {ratio} "
                     f"| {median(found, 'write_cpu_s') / rows * 1e9:.0f} | {median(found, 'bytes') / rows:.1f} | {found[0].get('files', 1)} |")
    lines.append("")
    if peers:
        best = min(peers, key=peers.get)
        near = [name for name, seconds in peers.items() if seconds <= NEARLY_AS_FAST * fastest]
        smallest = min(near, key=lambda name: median(runs[name], "bytes"))
        for name in (name for name in runs if works.is_ours(name)):
            # Runs of one turn are neighbours in time: their ratios drift less than the medians of each.
            turns = statistics.median(theirs["write_s"] / ours["write_s"] for theirs, ours in zip(runs[best], runs[name]))
            size = median(runs[name], "bytes")
            lines.append(f"{name}: {fastest / median(runs[name], 'write_s'):.2f} times the fastest peer ({best}; {turns:.2f} as the median over turns), "
                         f"bytes {size / median(runs[best], 'bytes'):.3f} times its, {size / median(runs[smallest], 'bytes'):.3f} times the smallest "
                         f"of peers within {NEARLY_AS_FAST} times the fastest ({smallest}).")
            lines.append("")
    lines += [f"{name} failed: {fault}" for name, fault in measurement["failed"].items()]
    return "\n".join(lines).rstrip() + "\n"


def threads_table(measurements):
    """What a second thread brings: pairs of runs with one thread and with two, by turn."""
    lines = []
    for two in (found for found in measurements if found["threads"] == 2):
        one = next((found for found in measurements if (found["work"], found["rows_of"], found["threads"]) == (two["work"], two["rows_of"], 1)), None)
        for name in two["runs"]:
            if one and name in one["runs"] and works.is_ours(name):
                pairs = [left["write_s"] / right["write_s"] for left, right in zip(one["runs"][name], two["runs"][name])]
                lines.append(f"| {two['work']}, {two['rows_of']} | {name} | {statistics.median(pairs):.2f} | {max(pairs):.2f} |")
    head = ["### Two threads over one", "", "| work | writer | median of pairs | best pair |", "| --- | --- | ---: | ---: |"]
    return "\n".join(head + lines) + "\n" if lines else ""


def write(record, folder, name):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n")
    about, measurements = record["machine"], record["measurements"]
    text = ["# Stocktake and its peers", "", f"`{record['command']}` at commit {about['commit']}", "",
            f"{about['processor']}, {about['processors']} processors; {about['system']}; {about['rustc']}; Python {about['python']}; {', '.join(about['peers'])}.", "",
            f"{len(next(iter(measurements[0]['runs'].values()), []))} turns. Seconds are medians of the write alone; ours hold percent-encoding, interning, MD5 and publication, "
            "which no peer does. Ours leave several data files, as a report of that size does, and hash them side by side; \"one file\" is what a single one takes. "
            "With one thread a writer is pinned to one processor.", ""]
    text += [table(measurement) for measurement in measurements]
    text.append(threads_table(measurements))
    (folder / f"{name}.md").write_text("\n".join(text).rstrip() + "\n")
