"""A container of Azurite: what reports leave there is read by Azure's SDK, and what the command line reads there is compared with it."""

import argparse
import csv
import gzip
import hashlib
import io
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse

from azure.core.exceptions import AzureError
from azure.storage.blob import BlobServiceClient

ROWS = 200_000
PART_BYTES = 8 << 20
# The account and key that every Azurite has.
ACCOUNT, KEY = "devstoreaccount1", "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--azurite", required=True)
    arguments = parser.parse_args()
    with socket.socket() as free, tempfile.TemporaryDirectory() as folder:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        options = ["--blobPort", str(port), "--location", folder, "--silent", "--disableTelemetry", "--skipApiVersionCheck"]
        server = subprocess.Popen([arguments.azurite, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            check = Check(os.path.abspath(arguments.binary), f"http://127.0.0.1:{port}")
            check.look_ahead()
            for form in ["csv", "orc", "parquet"]:
                check.report(form)
            check.killed()
            check.pruned()
        finally:
            server.terminate()
            server.wait()
    print("azure: reports in Azurite's container agree with Azure's SDK")


class Check:
    def __init__(self, binary, url):
        self.binary = binary
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("AZURE_")}
        self.environment |= {"AZURE_STORAGE_USE_EMULATOR": "true", "AZURITE_BLOB_STORAGE_URL": url}
        endpoint = f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={url}/{ACCOUNT};"
        service = BlobServiceClient.from_connection_string(endpoint, retry_total=0)
        self.container = service.get_container_client("reports")
        for attempt in range(100):
            try:
                self.container.create_container()
                break
            except AzureError:
                # The server takes a moment to begin.
                assert attempt < 99
                time.sleep(0.2)

    def run(self, *arguments, code=0):
        ran = subprocess.run([self.binary, *arguments], env=self.environment, capture_output=True, text=True)
        assert ran.returncode == code, (arguments, ran.returncode, ran.stdout[:2000], ran.stderr)
        return ran.stdout

    def generate(self, identifier, *options):
        source = ["--source", f"synthetic:rows={ROWS},seed=7", "--destination", "az://reports/inv"]
        return ["generate", *source, "--at", "2026-11-22T01:00:00Z", "--id", identifier, "--progress", "never", *options]

    def body(self, key):
        return self.container.download_blob(key).readall()

    def keys(self, prefix=""):
        return {blob.name for blob in self.container.list_blobs(name_starts_with=prefix)}

    def look_ahead(self):
        out = self.run("check-destination", "--destination", "az://reports/inv")
        assert out.count("ok      ") == 7 and not self.keys(), out

    def report(self, form):
        """A report whose data files have several blocks, read back by Azure's SDK; and by every verb."""
        options = ["--format", form, "--fields", "all", "--row-digest", "--shard-target", "64MiB"]
        done = json.loads(self.run(*self.generate(form, *options)).splitlines()[-1])
        text = self.body(done["manifest"])
        folder = done["manifest"].rsplit("/", 1)[0]
        assert self.body(f"{folder}/manifest.checksum").decode().strip() == hashlib.md5(text).hexdigest()
        manifest, rows = json.loads(text), []
        for file in manifest["files"]:
            data = self.body(file["key"])
            assert (len(data), hashlib.md5(data).hexdigest()) == (file["size"], file["MD5checksum"])
            committed, uncommitted = self.container.get_blob_client(file["key"]).get_block_list("all")
            # What is no longer than a block goes whole.
            blocks = 0 if file["size"] <= PART_BYTES else -(-file["size"] // PART_BYTES)
            assert (len(committed), uncommitted) == (blocks, []), (committed, uncommitted, file["size"])
            if form == "csv":
                rows += csv.reader(io.StringIO(gzip.decompress(data).decode(), newline=""))
        root = folder.rsplit("/", 1)[0]
        symlink = self.body(f"{root}/hive/dt=2026-11-22-01-00/symlink.txt").decode().splitlines()
        address = f"abfss://reports@{ACCOUNT}.dfs.core.windows.net"
        assert symlink == [f"{address}/{file['key']}" for file in manifest["files"]], symlink
        if form == "csv":
            assert len(rows) == ROWS
            self.wanted = [urllib.parse.unquote(row[1]) for row in rows]
        path = done["manifest_path"]
        assert f"{ROWS} rows read, row digest" in self.run("verify", "--rows", path)
        printed = self.run("cat", "--format", "ndjson", "--columns", "Key", path).splitlines()
        assert [json.loads(line)["Key"] for line in printed] == self.wanted
        assert json.loads(self.run("inspect", "--json", "--rows", path))["rows"] == ROWS
        self.run("diff", path, "az://reports/inv/synthetic/csv/2026-11-22T01-00Z/manifest.json")
        assert address in self.run("ddl", "--for", "spark", path)

    def killed(self):
        """A run that is killed, and carried on to the same objects; blocks that it left are in no listing."""
        options = ["--shard-target", "1MiB", "--chunk-rows", "10000"]
        self.run(*self.generate("whole", *options))
        whole = {key.rsplit("/", 1)[-1]: self.body(key) for key in self.keys("inv/synthetic/whole/")}
        run = subprocess.Popen([self.binary, *self.generate("killed", *options)], env=self.environment, stdout=subprocess.DEVNULL)
        while not any("/data/" in key for key in self.keys("inv/synthetic/killed/")):
            time.sleep(0.05)
        run.send_signal(signal.SIGKILL)
        run.wait()
        self.run(*self.generate("killed", *options, "--resume"))
        killed = {key.rsplit("/", 1)[-1]: self.body(key) for key in self.keys("inv/synthetic/killed/")}
        data = lambda objects: sorted(hashlib.md5(body).hexdigest() for name, body in objects.items() if name.endswith(".csv.gz"))
        assert data(killed) == data(whole) and len(killed) == len(whole)

    def pruned(self):
        before = self.keys()
        assert "1 reports would go" not in self.run("prune", "az://reports/inv", "--keep", "1")
        assert self.keys() == before
        later = [word.replace("2026-11-22", "2026-11-23") for word in self.generate("csv")]
        self.run(*later)
        assert "1 reports would go" in self.run("prune", "az://reports/inv", "--keep", "1")
        assert "1 reports removed" in self.run("prune", "az://reports/inv", "--keep", "1", "--yes")
        assert not any("/csv/2026-11-22" in key for key in self.keys())


if __name__ == "__main__":
    main()
