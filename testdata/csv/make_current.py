"""Writes current_percent.csv and current_form.csv with Python's csv and urllib, which share no code with the encoder."""

import csv
import io
import pathlib
import urllib.parse

ROWS = [
    ["#1 hit/50% off.txt", "0", "", "", "", "", "", ""],
    ["-_.*/~!$&'(),:;=?@[]\\^`{|}", "", "1969-12-31T23:59:59.999Z", 'odd "tag", quoted', "", "", "", ""],
    ['a b+c\td\ne"f', str(2**63 - 1), "", "", 'STORE "OWN"', "", "", ""],
    ["emoji 🎉/契約書/résumé", "", "", "", "", "true", "PENDING", ""],
    ["plain/key-1_2.json", "1234", "2025-12-31T23:59:59.999Z", "d41d8cd98f00b204e9800998ecf8427e-12",
     "INTELLIGENT_TIERING", "false", "", "DSSE-KMS"],
]


def key(text: str, space: str) -> str:
    # quote() leaves a tilde alone, S3 does not.
    return urllib.parse.quote(text, safe="-_.*/").replace("~", "%7E").replace("%20", space)


for name, space in [("current_percent.csv", "%20"), ("current_form.csv", "+")]:
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows(["photos", key(row[0], space), *row[1:]] for row in ROWS)
    pathlib.Path(__file__).with_name(name).write_text(out.getvalue(), encoding="utf-8", newline="")
