#!/usr/bin/env python3
"""Inventories a flat bucket of the test server, both on this machine, and prints where the time went.

    python3 benches/listing.py --keys 2000000 [--failing 5] [--limit-mib 160] [--at-least 400000]

Keys a second are of the whole way: pages made by the server, listed, parsed, encoded as CSV, written to a folder.
"""

import argparse
import json
import os
import resource
import subprocess
import tempfile
import threading
import time
from pathlib import Path


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default="target/release/stocktake")
    parser.add_argument("--server", default="target/release/examples/s3_server")
    parser.add_argument("--keys", type=int, default=2_000_000)
    parser.add_argument("--failing", type=int, default=0, help="per cent of requests that fail")
    parser.add_argument("--pause-ms", type=int, default=0, help="pause in each reply, as a far server has")
    parser.add_argument("--threads", default="2")
    parser.add_argument("--arguments", default="", help="more arguments of generate")
    parser.add_argument("--limit-mib", type=float, help="fail if private memory exceeds this")
    parser.add_argument("--at-least", type=float, help="fail below so many keys a second")
    args = parser.parse_args()

    command = [args.server, str(args.keys), str(args.failing), str(args.pause_ms)]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    url = server.stdout.readline().strip()
    with tempfile.TemporaryDirectory() as folder:
        command = [args.binary, "generate", "--source", "s3://flat", "--bucket", "flat", "--destination", f"{folder}/out"]
        command += ["--endpoint-url", url, "--region", "us-east-1", "--threads", args.threads, "--fields", "default"]
        command += args.arguments.split()
        started = time.monotonic()
        keys = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret"}
        client = subprocess.Popen(command, env=os.environ | keys, stdout=subprocess.PIPE, text=True)
        peak = Peak(client.pid)
        out = client.stdout.read()
        client.wait()
        seconds = time.monotonic() - started
        of_client = resource.getrusage(resource.RUSAGE_CHILDREN)
        summary = json.loads(out.splitlines()[-1]) if client.returncode == 0 else {"rows": -1}
        rows = summary["rows"]
        subprocess.run([args.binary, "verify", *map(str, Path(folder).glob("out/flat/inventory/*/manifest.json"))], check=True)
    server.stdin.close()
    told = server.stdout.read().strip()
    server.wait()
    of_both = resource.getrusage(resource.RUSAGE_CHILDREN)
    rate = rows / seconds
    client_cpu = of_client.ru_utime + of_client.ru_stime
    print(f"{rows} keys in {seconds:.2f} s: {rate:,.0f} keys/s; private memory at most {peak.mib:.0f} MiB")
    print(f"processor: client {of_client.ru_utime:.2f} s user, {of_client.ru_stime:.2f} s system ({client_cpu / rows * 1e9:.0f} ns a key); "
          f"server {of_both.ru_utime - of_client.ru_utime:.2f} s user, {of_both.ru_stime - of_client.ru_stime:.2f} s system (verification in it)")
    print(f"server: {told}")
    if listing := summary.get("listing"):
        a_key = lambda seconds: f"{seconds / rows * 1e9:.0f} ns a key"
        waiting = listing["requesting_seconds"] - listing["parsing_seconds"] - listing["signing_seconds"]
        print(f"listing: {listing['requests']} requests in {listing['ranges']} ranges, at most {listing['at_once_max']} under way, {listing['requesting_seconds'] / seconds:.1f} in the mean; "
              f"XML {a_key(listing['parsing_seconds'])}, signatures {a_key(listing['signing_seconds'])}, network, server and waiting {a_key(waiting)} (of all requests together)")
    assert rows == args.keys, "keys are missing"
    assert args.limit_mib is None or peak.mib <= args.limit_mib, "too much memory"
    assert args.at_least is None or rate >= args.at_least, "too slow"


class Peak:
    """The most private memory that a process has while it runs."""

    def __init__(self, pid):
        self.mib = 0.0
        self.path = f"/proc/{pid}/status"
        threading.Thread(target=self.watch, daemon=True).start()

    def watch(self):
        while True:
            try:
                lines = Path(self.path).read_text().splitlines()
            except OSError:
                return
            for line in lines:
                if line.startswith("RssAnon:"):
                    self.mib = max(self.mib, int(line.split()[1]) / 1024)
            time.sleep(0.01)


if __name__ == "__main__":
    main()
