"""Compares inventory configurations with AWS's own SDK for Python: what botocore writes we read, what we write botocore reads.

Every configuration is a dictionary as boto3 takes it. Both ways of it through XML must end at that dictionary, member by
member. It needs no network: botocore's serializer and parser are called as its clients call them.
"""

import argparse
import itertools
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import boto3
import botocore.parsers
import botocore.serialize
import botocore.session
from botocore.validate import ParamValidator

ODD_TEXTS = ["", "a/b", "a & b <c> \"d\" 'e'", "übergröße/日本/😀", " edges ", "]]>", "%20+", "line\nbreak\ttab"]


def configurations(model, count, seed):
    """The corners first, then random ones."""
    chosen = random.Random(seed)
    fields = model.shape_for("InventoryOptionalField").enum
    formats = model.shape_for("InventoryFormat").enum
    frequencies = model.shape_for("InventoryFrequency").enum
    versions = model.shape_for("InventoryIncludedObjectVersions").enum
    encryptions = [None, {"SSES3": {}}, {"SSEKMS": {"KeyId": "arn:aws:kms:eu-west-1:123456789012:key/k"}}]

    def one(format_, frequency, version, encryption, prefix, filter_prefix, account, names, enabled):
        destination = {"Bucket": "arn:aws:s3:::reports", "Format": format_}
        if account:
            destination["AccountId"] = account
        if prefix is not None:
            destination["Prefix"] = prefix
        if encryption is not None:
            destination["Encryption"] = encryption
        made = {
            "Destination": {"S3BucketDestination": destination},
            "IsEnabled": enabled,
            "Id": "report-1",
            "IncludedObjectVersions": version,
            "Schedule": {"Frequency": frequency},
        }
        if filter_prefix is not None:
            made["Filter"] = {"Prefix": filter_prefix}
        if names:
            made["OptionalFields"] = names
        return made

    for corner in itertools.product(formats, frequencies, versions, encryptions):
        yield one(*corner, "p", "f/", "123456789012", fields, True)
    for text in ODD_TEXTS:
        yield one("CSV", "Daily", "All", None, None, text, None, fields[:1], False)
    for _ in range(count):
        names = chosen.sample(fields, chosen.randrange(len(fields) + 1))
        yield one(
            chosen.choice(formats),
            chosen.choice(frequencies),
            chosen.choice(versions),
            chosen.choice(encryptions),
            chosen.choice([None, "p", "a/b/"]),
            chosen.choice([None, *ODD_TEXTS]),
            chosen.choice([None, "123456789012"]),
            names,
            chosen.random() < 0.5,
        )


class Checker:
    def __init__(self, binary, folder):
        self.binary = binary
        self.folder = folder
        self.model = botocore.session.get_session().get_service_model("s3")
        self.serializer = botocore.serialize.create_serializer("rest-xml")
        self.parser = botocore.parsers.create_parser("rest-xml")

    def convert(self, text, form):
        file = self.folder / "document"
        file.write_bytes(text)
        done = subprocess.run(
            [self.binary, "config", "show", "--as", form, str(file)], capture_output=True, check=False
        )
        if done.returncode != 0:
            raise SystemExit(f"refused: {done.stderr.decode()}\n{text.decode()}")
        return done.stdout

    def botocore_xml(self, configuration):
        parameters = {"Bucket": "b", "Id": configuration["Id"], "InventoryConfiguration": configuration}
        operation = self.model.operation_model("PutBucketInventoryConfiguration")
        report = ParamValidator().validate(parameters, operation.input_shape)
        assert not report.has_errors(), report.generate_report()
        return self.serializer.serialize_to_request(parameters, operation)["body"]

    def botocore_read(self, xml):
        operation = self.model.operation_model("GetBucketInventoryConfiguration")
        reply = {"body": xml, "headers": {}, "status_code": 200}
        return self.parser.parse(reply, operation.output_shape)["InventoryConfiguration"]

    def check(self, configuration):
        """Both ways; returns the members that differ."""
        ours_read = json.loads(self.convert(self.botocore_xml(configuration), "json"))
        ours_xml = self.convert(json.dumps(configuration).encode(), "xml")
        theirs_read = self.botocore_read(ours_xml)
        return differences("we read", ours_read, configuration) + differences("botocore reads", theirs_read, configuration)

    def check_list(self, configurations):
        """A list reply that botocore would take apart is made of our documents."""
        members = []
        for configuration in configurations:
            xml = self.convert(json.dumps(configuration).encode(), "xml").decode()
            members.append(xml[xml.index("<InventoryConfiguration") :])
        reply = f"<ListInventoryConfigurationsResult>{''.join(members)}<IsTruncated>false</IsTruncated></ListInventoryConfigurationsResult>"
        operation = self.model.operation_model("ListBucketInventoryConfigurations")
        parsed = self.parser.parse({"body": reply.encode(), "headers": {}, "status_code": 200}, operation.output_shape)
        return differences("botocore lists", parsed["InventoryConfigurationList"], configurations)


def differences(what, found, wanted, path=""):
    if isinstance(found, dict) and isinstance(wanted, dict):
        names = sorted(found.keys() | wanted.keys())
        absent = object()
        return [d for n in names for d in differences(what, found.get(n, absent), wanted.get(n, absent), f"{path}.{n}")]
    if isinstance(found, list) and isinstance(wanted, list) and len(found) == len(wanted):
        return [d for i, (f, w) in enumerate(zip(found, wanted)) for d in differences(what, f, w, f"{path}[{i}]")]
    return [] if found == wanted and type(found) is type(wanted) else [f"{what} {path or '.'}: {found!r} instead of {wanted!r}"]


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--binary", required=True, help="the program stocktake")
    arguments.add_argument("--random", type=int, default=150, help="random configurations beside the corners")
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        checker = Checker(options.binary, pathlib.Path(folder))
        made = list(configurations(checker.model, options.random, options.seed))
        wrong = [(c, d) for c in made for d in checker.check(c)]
        wrong += [(None, d) for d in checker.check_list(made[:100])]
    for configuration, difference in wrong[:20]:
        print(f"{difference}\n  {json.dumps(configuration)}", file=sys.stderr)
    print(f"{len(made)} configurations, both ways, against boto3 {boto3.__version__}: {len(wrong)} differences")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
