#!/usr/bin/env python3
"""What each feature costs: TPC-H lineitem with and without it, interleaved.

    cargo build --release
    pip install tpchgen-cli
    tpchgen-cli csv -s 1 --tables=lineitem --output-dir=/tmp/tpch
    python3 benches/compare/features.py /tmp/tpch/lineitem.csv --runs 5

Each run of a job with a feature follows a run of the plain conversion (Snappy,
one local target). Prints the medians of the ratios of CPU seconds and of wall
seconds as percent of the plain run, and the largest resident set. Counts in the
run report are checked: a feature that did nothing would cost nothing.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from process import measure
from workloads import LINEITEM

LINES = 6_001_215

FIELDS = [{"name": name, "type": column_type} for name, column_type in LINEITEM.items()]


def fields(**constraints):
    return [
        {**field, "constraints": constraints[field["name"]]} if field["name"] in constraints else field
        for field in FIELDS
    ]


def steps(*transforms, **job):
    return {"transforms": list(transforms), **job}


#: Name, what it adds to the job, what the totals of the report must then say.
FEATURES = [
    ("bad values and records rejected (none is)", {"errors": {"bad_value": "reject", "bad_record": "reject"}}, {}),
    (
        "1 % of the records rejected, with quarantine",
        {
            "errors": {"bad_value": "reject"},
            "schema": {"fields": fields(l_partkey={"minimum": 2_000})},
        },
        {"rejected": None},
    ),
    (
        "constraints: 4 bounds, 1 enumeration, 1 pattern",
        {
            "schema": {
                "fields": fields(
                    l_quantity={"minimum": 0, "maximum": 100},
                    l_shipdate={"minimum": "1990-01-01", "maximum": "2000-01-01"},
                    l_returnflag={"enum": ["A", "N", "R"]},
                    l_shipmode={"pattern": "[A-Z ]+"},
                )
            }
        },
        {},
    ),
    (
        "unique key of two columns",
        {
            "schema": {"fields": FIELDS, "uniqueKeys": [["l_orderkey", "l_linenumber"]]},
            "engine": {"key_bytes": 256 << 20},
        },
        {},
    ),
    ("select 4 of 16 columns", steps({"select": ["l_orderkey", "l_quantity", "l_shipdate", "l_shipmode"]}), {}),
    ("filter, keeps half", steps({"filter": "l_quantity > 25"}), {"filtered": None}),
    (
        "derive: one number, one text",
        steps({"derive": {"net": "l_extendedprice * (1 - l_discount)", "mode": "lower(l_shipmode)"}}),
        {},
    ),
    ("cast of two columns", steps({"cast": {"l_orderkey": "int32", "l_quantity": "int16"}}), {}),
    ("check of one expression", steps({"check": {"expression": "l_receiptdate >= l_shipdate"}}), {}),
    (
        "deduplicate, first, in memory",
        steps(
            {"deduplicate": {"key": ["l_orderkey", "l_linenumber"], "keep": "first"}},
            engine={"key_bytes": 256 << 20},
        ),
        {},
    ),
    (
        "deduplicate, first, two thirds on disk",
        steps({"deduplicate": {"key": ["l_orderkey", "l_linenumber"], "keep": "first"}}),
        {},
    ),
    (
        "deduplicate, last (all on disk)",
        steps({"deduplicate": {"key": ["l_orderkey", "l_linenumber"], "keep": "last"}}),
        {},
    ),
    ("mask of one column", steps({"mask": {"l_comment": {"keep_last": 4}}}), {}),
    ("salted hash of one column", steps({"hash": {"columns": ["l_partkey"], "salt_env": "SALT"}}), {}),
    ("lineage: URL and record number", steps({"lineage": {"url": "source_url", "record": "record_number"}}), {}),
    ("sorted files, on disk", {"output": {"sort_by": ["l_shipdate"]}}, {}),
    ("84 partitions", {"output": {"partition_by": ["year(l_shipdate)", "month(l_shipdate)"]}}, {}),
    ("84 partitions, sorted files", {"output": {"partition_by": ["year(l_shipdate)", "month(l_shipdate)"], "sort_by": ["l_orderkey"]}}, {}),
    ("bloom filter on l_orderkey", {"output": {"columns": {"l_orderkey": {"bloom_filter": True}}}}, {}),
    ("zstd(1)", {"output": {"compression": "zstd(1)"}}, {}),
    ("no statistics", {"output": {"statistics": "none"}}, {}),
    ("fixed-length decimals", {"output": {"decimals": "fixed"}}, {}),
    ("trimmed fields", {"dialect": {"delimiter": ",", "trim": "both"}}, {}),
    ("stray quotes kept", {"dialect": {"delimiter": ",", "strayQuotes": "keep"}}, {}),
    ("a second target", {"targets": 2}, {}),
]


def job(csv, directory, extra):
    """The job file with `extra` in it."""
    targets = extra.get("targets", 1)
    return {
        "source": {"inputs": [str(csv)]},
        "dialect": {"delimiter": ",", "lineTerminator": "\n"},
        "schema": {"fields": FIELDS},
        **extra,
        "targets": [{"url": f"{directory}/out{number}/"} for number in range(targets)],
    }


def run(sawmill, directory, csv, extra, expected):
    path = directory / "job.json"
    path.write_text(json.dumps(job(csv, directory, extra)))
    for output in directory.glob("out*"):
        shutil.rmtree(output)
    figures = measure([sawmill, "run", str(path)])
    manifest = json.loads((directory / "out0" / "_SUCCESS").read_text())["records"]
    if manifest["read"] != LINES:
        sys.exit(f"{manifest} is not lineitem at scale 1")
    for count in ("filtered", "rejected", "deduplicated"):
        if (manifest[count] > 0) != (count in expected):
            sys.exit(f"{extra}: {manifest}")
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv", type=Path, help="lineitem.csv of scale 1")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--sawmill", default="target/release/sawmill")
    parser.add_argument("--only", default="", help="features whose name contains this")
    arguments = parser.parse_args()
    subprocess.run([arguments.sawmill, "--version"], check=True, stdout=subprocess.DEVNULL)
    print("| feature | CPU | wall | RSS, MiB |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        plain = lambda: run(arguments.sawmill, directory, arguments.csv.resolve(), {}, {})
        plain()
        for feature, extra, expected in FEATURES:
            if arguments.only not in feature:
                continue
            cpu, wall, rss = [], [], []
            for _ in range(arguments.runs):
                base = plain()
                with_it = run(arguments.sawmill, directory, arguments.csv.resolve(), extra, expected)
                wall.append(with_it[0] / base[0])
                cpu.append(with_it[1] / base[1])
                rss.append(with_it[2])
            change = lambda ratios: f"{100 * (statistics.median(ratios) - 1):+.0f} %"
            print(f"| {feature} | {change(cpu)} | {change(wall)} | {max(rss):.0f} |", flush=True)


if __name__ == "__main__":
    main()
