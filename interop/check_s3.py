"""Buckets of moto's server: what a report says of them is compared with what boto3 lists, and what moto stored with what was asked.

Runs that list them are killed by SIGKILL and carried on, too.
"""

import argparse
import asyncio
import csv
import datetime
import gzip
import hashlib
import io
import json
import logging
import os
import pathlib
import random
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

import boto3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from moto.server import ThreadedMotoServer

PAGE = 300
KEYS = ["a//b", "/", "/lead", "trail/", "..", "a/../b", " ", "a b", "a+b", "a%20b", "a&<>\"'b", "~*()", "é", "日本/語", "k" * 1000]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    binary = os.path.abspath(parser.parse_args().binary)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_REGION": "us-east-1"}
    environment["AWS_ENDPOINT_URL"] = f"http://{host}:{port}"
    os.environ |= environment
    try:
        check = Check(binary, environment)
        check.current()
        check.versions()
        check.enriched()
        check.multipart()
        check.destination()
        check.stored()
        check.killed()
        check.role()
        check.listings()
        check.tls()
    finally:
        server.stop()
    print("s3: reports of moto's buckets agree with boto3")


class Check:
    def __init__(self, binary, environment):
        self.binary, self.environment = binary, environment
        options = {"endpoint_url": environment["AWS_ENDPOINT_URL"], "region_name": "us-east-1"}
        self.s3 = boto3.client("s3", **options)
        self.kms = boto3.client("kms", **options).create_key()["KeyMetadata"]["Arn"]
        for bucket in ["plain", "versioned", "reports"]:
            self.s3.create_bucket(Bucket=bucket)
        self.s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
        for key in KEYS + [f"logs/{n % 7}/file {n:04}" for n in range(PAGE * 4)]:
            self.s3.put_object(Bucket="plain", Key=key, Body=key.encode(), StorageClass="STANDARD_IA" if len(key) % 2 else "STANDARD")
        for turn in range(3):
            for key in KEYS[:8] + [f"v/{n:03}" for n in range(60)]:
                if (len(key) + turn) % 3:
                    self.s3.put_object(Bucket="versioned", Key=key, Body=b"x" * turn)
                else:
                    self.s3.delete_object(Bucket="versioned", Key=key)

    def run(self, *arguments):
        ran = subprocess.run([self.binary, *arguments], env=self.environment, capture_output=True, text=True)
        assert ran.returncode == 0, (arguments, ran.returncode, ran.stdout, ran.stderr)
        return ran.stdout

    def report(self, identifier, source, *options):
        """Generates a report and reads it back with boto3, gzip and csv; rows by column."""
        out = self.run("generate", "--source", source, "--destination", "s3://reports/inv", "--id", identifier, *options)
        manifest_key = json.loads(out.splitlines()[-1])["manifest"]
        body = lambda key: self.s3.get_object(Bucket="reports", Key=key)["Body"].read()
        text = body(manifest_key)
        checksum = body(manifest_key.replace("manifest.json", "manifest.checksum")).decode().strip()
        assert checksum == hashlib.md5(text).hexdigest()
        manifest = json.loads(text)
        names = manifest["fileSchema"].split(", ")
        rows = []
        for file in manifest["files"]:
            data = body(file["key"])
            assert (len(data), hashlib.md5(data).hexdigest()) == (file["size"], file["MD5checksum"])
            for row in csv.reader(io.StringIO(gzip.decompress(data).decode(), newline="")):
                rows.append(dict(zip(names, row, strict=True)))
        for row in rows:
            row["Key"] = urllib.parse.unquote(row["Key"])
        return rows

    def current(self):
        wanted = []
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket="plain"):
            for entry in page.get("Contents", []):
                e_tag, size = entry["ETag"].strip('"'), str(entry["Size"])
                wanted.append((entry["Key"], size, e_tag, entry["StorageClass"], stamp(entry["LastModified"])))
        assert len(wanted) == len(KEYS) + PAGE * 4
        wanted.sort(key=lambda row: row[0].encode())
        members = ["Key", "Size", "ETag", "StorageClass", "LastModifiedDate"]
        found = [tuple(row[name] for name in members) for row in self.report("current", "s3://plain")]
        # boto3 gives whole seconds of a time, as moto lists it.
        equal([row[:4] + (row[4][:19],) for row in found], [row[:4] + (row[4][:19],) for row in wanted])
        lanes = self.report("lanes", "s3://plain", "--lanes", "3", "--threads", "3", "--cross-check")
        equal([tuple(row[name] for name in members) for row in lanes], found)
        below = self.report("below", "s3://plain/logs/3/")
        equal([row["Key"] for row in below], [row[0] for row in wanted if row[0].startswith("logs/3/")])

    def versions(self):
        wanted = []
        for page in self.s3.get_paginator("list_object_versions").paginate(Bucket="versioned"):
            for marker, entries in [("false", page.get("Versions", [])), ("true", page.get("DeleteMarkers", []))]:
                for entry in entries:
                    latest = str(entry["IsLatest"]).lower()
                    wanted.append((entry["Key"], entry["VersionId"], latest, marker, str(entry.get("Size", ""))))
        # Behind a key-marker that is no key, moto leaves a version out, which the seams between ranges must not let pass.
        rows = self.report("versions", "s3://versioned", "--versions", "all", "--fields", "Size")
        members = ["Key", "VersionId", "IsLatest", "IsDeleteMarker", "Size"]
        found = [tuple(row[name] for name in members) for row in rows]
        equal(sorted(found), sorted(wanted))
        options = ["--versions", "all", "--fields", "Size", "--lanes", "3", "--threads", "3", "--cross-check"]
        lanes = self.report("version-lanes", "s3://versioned", *options)
        equal([tuple(row[name] for name in members) for row in lanes], found)
        assert [row[0].encode() for row in found] == sorted(row[0].encode() for row in found)
        for before, row in zip(found, found[1:]):
            assert before[0] == row[0] or row[2] == "true", ("the latest version is not first", row)

    def enriched(self):
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.kms, "BucketKeyEnabled": True}
        self.s3.put_object(Bucket="plain", Key="kms", Body=b"1", **encryption)
        self.s3.put_object(Bucket="plain", Key="s3", Body=b"1", ServerSideEncryption="AES256")
        rows = self.report("enriched", "s3://plain", "--fields", "EncryptionStatus,BucketKeyStatus", "--enrich", "head")
        found = {row["Key"]: (row["EncryptionStatus"], row["BucketKeyStatus"]) for row in rows}
        assert found["kms"] == ("SSE-KMS", "ENABLED"), found["kms"]
        assert found["s3"] == ("SSE-S3", "DISABLED"), found["s3"]

    def multipart(self):
        """A data file of several parts, encrypted by a key."""
        options = ["--sse", "aws:kms", "--sse-kms-key-id", self.kms, "--sse-bucket-key", "--shard-target", "32MiB"]
        rows = self.report("parts", "synthetic:rows=400000,seed=7", *options)
        assert len(rows) == 400_000
        entries = [entry for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket="reports", Prefix="inv/synthetic/parts/") for entry in page["Contents"]]
        assert any(entry["ETag"].strip('"').split("-")[1:] > ["1"] for entry in entries), entries
        for entry in entries:
            head = self.s3.head_object(Bucket="reports", Key=entry["Key"])
            assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", self.kms), head
        assert not self.s3.list_multipart_uploads(Bucket="reports").get("Uploads")

    def stored(self):
        """Reports in a bucket are read there, through ranged reads of one version of each object."""
        for form in ["csv", "orc", "parquet"]:
            options = ["--id", form, "--format", form, "--shard-target", "4MiB", "--row-digest", "--fields", "all"]
            out = self.run("generate", "--source", "synthetic:rows=120000,seed=7", "--destination", "s3://reports/inv", *options)
            manifest = json.loads(out.splitlines()[-1])["manifest_path"]
            assert manifest.startswith("s3://reports/inv/"), manifest
            assert "120000 rows read, row digest" in self.run("verify", "--rows", manifest)
            keys = [json.loads(line)["Key"] for line in self.run("cat", "--format", "ndjson", "--columns", "Key", manifest).splitlines()]
            assert len(keys) == 120_000 and keys == sorted(keys, key=str.encode)
            assert json.loads(self.run("inspect", "--json", "--rows", manifest))["rows"] == 120_000
            assert "s3://reports/inv/" in self.run("ddl", "--for", "athena", manifest)
            options = ["--id", "of-" + form, "--format", "csv", "--fields", "all"]
            out = self.run("generate", "--source", f"inventory:{manifest}", "--destination", "s3://reports/inv", *options)
            self.run("diff", manifest, json.loads(out.splitlines()[-1])["manifest_path"])

    def destination(self):
        out = self.run("check-destination", "--destination", "s3://reports/inv", "--sse", "aws:kms", "--sse-kms-key-id", self.kms)
        assert out.count("ok ") == 10, out
        left = [entry["Key"] for entry in self.s3.list_objects_v2(Bucket="reports", Prefix="inv/stocktake-check").get("Contents", [])]
        assert not left, left

    def killed(self):
        """A run from one bucket into another is killed again and again, wherever it is, and carried on to what an undisturbed run writes."""
        for lanes in ["1", "3"]:
            command = ["generate", "--source", "s3://plain", "--destination", "s3://reports/inv", "--id", "killed" + lanes, "--at", "2026-11-22T01:00:00Z"]
            # Slowed down, so that kills fall into its middle.
            command += ["--lanes", lanes, "--threads", "3", "--chunk-rows", "120", "--shard-target", "1", "--requests", "2", "--requests-per-second", "40"]
            began = time.monotonic()
            self.run(*command)
            undisturbed_s = time.monotonic() - began
            root = f"inv/plain/killed{lanes}/"
            expected = self.objects(root)
            self.remove(root)
            moments, kills = random.Random(1), 0
            while True:
                process = subprocess.Popen([self.binary, *command, "--resume"], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                try:
                    out, err = process.communicate(timeout=moments.uniform(0.1, 0.45) * undisturbed_s if kills < 5 else None)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.communicate()
                    kills += 1
                    continue
                assert process.returncode == 0, err
                break
            assert kills, "the run was too fast to be killed"
            found = self.objects(root)
            assert found == expected, sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))
            assert not self.s3.list_multipart_uploads(Bucket="reports").get("Uploads")

    def role(self):
        """Keys of a role that a profile assumes at moto's security token service."""
        with tempfile.TemporaryDirectory() as home:
            config = pathlib.Path(home) / "config"
            config.write_text("[profile inventory]\nrole_arn = arn:aws:iam::123456789012:role/lister\nsource_profile = base\n"
                              "[profile base]\naws_access_key_id = testing\naws_secret_access_key = testing\n")
            environment = {name: value for name, value in self.environment.items() if "KEY" not in name}
            arguments = ["generate", "--source", "s3://plain/logs/", "--destination", f"{home}/out", "--aws-profile", "inventory"]
            ran = subprocess.run([self.binary, *arguments], env=environment | {"AWS_CONFIG_FILE": str(config)}, capture_output=True, text=True)
            assert ran.returncode == 0, ran.stderr
            assert json.loads(ran.stdout.splitlines()[-1])["rows"] == PAGE * 4

    def listings(self):
        """What AWS's own command line prints of a bucket makes the report that the bucket itself makes."""
        aws = os.path.join(os.path.dirname(sys.executable), "aws")
        with tempfile.TemporaryDirectory() as folder:
            def listing(*arguments):
                path = os.path.join(folder, "listing.json")
                with open(path, "wb") as file:
                    subprocess.run([aws, "s3api", *arguments, "--output", "json"], env=self.environment, stdout=file, check=True)
                return f"ndjson:{path}"

            versions = ["--versions", "all", "--fields", "Size,ETag,StorageClass,LastModifiedDate"]
            source = listing("list-object-versions", "--bucket", "versioned")
            equal(self.report("cli-versions", source, "--bucket", "versioned", *versions), self.report("own-versions", "s3://versioned", *versions))
            fields = ["--fields", "Size,ETag,StorageClass,LastModifiedDate"]
            # moto lists in the order of characters, not of bytes.
            source = listing("list-objects-v2", "--bucket", "plain")
            equal(self.report("cli-current", source, "--bucket", "plain", "--unsorted", "sort", *fields), self.report("own-current", "s3://plain", *fields))
            # A page as the server gave it names its bucket.
            source = listing("list-objects-v2", "--bucket", "plain", "--prefix", "logs/3/", "--no-paginate")
            rows = self.report("cli-named", source, *fields)
            assert len(rows) > 100 and all(row["Bucket"] == "plain" for row in rows), rows[:1]

    def tls(self):
        """A server behind TLS whose certificate only a file of the user's knows."""
        with tempfile.TemporaryDirectory() as folder:
            certificate = os.path.join(folder, "certificate.pem")
            port = tls_before(self.environment["AWS_ENDPOINT_URL"], certificate)
            command = [self.binary, "generate", "--source", "s3://plain/logs/3/", "--destination", f"{folder}/out"]
            environment = self.environment | {"AWS_ENDPOINT_URL": f"https://localhost:{port}"}
            known = subprocess.run(command, env=environment | {"AWS_CA_BUNDLE": certificate}, capture_output=True, text=True)
            assert known.returncode == 0 and json.loads(known.stdout.splitlines()[-1])["rows"] > 100, known.stderr

    def objects(self, prefix):
        """Digests by key. Receipts tell of the ranges that the last run listed, which are others after a kill."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket="reports", Prefix=prefix)
        return {entry["Key"]: entry["ETag"] for page in pages for entry in page.get("Contents", []) if not entry["Key"].endswith("/receipts.ndjson")}

    def remove(self, prefix):
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket="reports", Prefix=prefix):
            self.s3.delete_objects(Bucket="reports", Delete={"Objects": [{"Key": entry["Key"]} for entry in page["Contents"]]})


def tls_before(url, certificate):
    """Begins to pass connections by TLS on to a server; writes the certificate, returns the port."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    made = made.not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False).sign(key, hashes.SHA256())
    with open(certificate, "wb") as file:
        file.write(made.public_bytes(serialization.Encoding.PEM))
    secret = certificate + ".key"
    with open(secret, "wb") as file:
        file.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, secret)
    address = urllib.parse.urlsplit(url)

    async def pump(reader, writer):
        try:
            while piece := await reader.read(65536):
                writer.write(piece)
                await writer.drain()
        except OSError:
            pass
        writer.close()

    async def serve(reader, writer):
        inner_reader, inner_writer = await asyncio.open_connection(address.hostname, address.port)
        await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer))

    ready, port = threading.Event(), []

    async def run():
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        port.append(server.sockets[0].getsockname()[1])
        ready.set()
        await server.serve_forever()

    threading.Thread(target=lambda: asyncio.run(run()), daemon=True).start()
    assert ready.wait(30)
    return port[0]


def stamp(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def equal(found, wanted):
    assert len(found) == len(wanted), (len(found), len(wanted))
    for pair in zip(found, wanted):
        assert pair[0] == pair[1], pair


if __name__ == "__main__":
    main()
