#!/usr/bin/env python3
"""sawmill beside DuckDB on TPC-H lineitem: whole processes, interleaved.

    cargo build --release
    pip install duckdb tpchgen-cli
    tpchgen-cli csv -s 1 --tables=lineitem --output-dir=/tmp/tpch
    python3 benches/compare/run.py /tmp/tpch/lineitem.csv --runs 5
    python3 benches/compare/run.py /tmp/tpch/lineitem.csv --runs 5 --partitioned

Both read the CSV with the same types and write Snappy Parquet to one local
directory. After the last run the row counts and a hash over all rows of both
outputs are compared; a time without that is worth nothing. Prints for each
engine the median wall and CPU seconds and the largest resident set, and the
median of the ratios pair by pair.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COLUMNS = {
    "l_orderkey": ("int64", "BIGINT"),
    "l_partkey": ("int64", "BIGINT"),
    "l_suppkey": ("int64", "BIGINT"),
    "l_linenumber": ("int32", "INTEGER"),
    "l_quantity": ("decimal(15,2)", "DECIMAL(15,2)"),
    "l_extendedprice": ("decimal(15,2)", "DECIMAL(15,2)"),
    "l_discount": ("decimal(15,2)", "DECIMAL(15,2)"),
    "l_tax": ("decimal(15,2)", "DECIMAL(15,2)"),
    "l_returnflag": ("string", "VARCHAR"),
    "l_linestatus": ("string", "VARCHAR"),
    "l_shipdate": ("date", "DATE"),
    "l_commitdate": ("date", "DATE"),
    "l_receiptdate": ("date", "DATE"),
    "l_shipinstruct": ("string", "VARCHAR"),
    "l_shipmode": ("string", "VARCHAR"),
    "l_comment": ("string", "VARCHAR"),
}


def measure(command):
    """Wall seconds, CPU seconds and largest resident set (MiB) of one process."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{command} failed:\n{errors.decode()}")
    return time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("csv", type=Path)
    parser.add_argument("--runs", type=int, default=5, help="counted pairs, after one that is not (default: 5)")
    parser.add_argument("--partitioned", action="store_true", help="by year and month of l_shipdate (84 partitions)")
    parser.add_argument("--sawmill", default="target/release/sawmill", help="default: %(default)s")
    arguments = parser.parse_args()

    import duckdb

    work = Path(tempfile.mkdtemp(prefix="compare-", dir=arguments.csv.resolve().parent))
    try:
        compare(arguments, work, duckdb)
    finally:
        shutil.rmtree(work)


def compare(arguments, work, duckdb):
    schema = work / "schema.json"
    fields = [{"name": name, "type": types[0]} for name, types in COLUMNS.items()]
    schema.write_text(json.dumps({"fields": fields}))
    ours, theirs = work / "sawmill", work / "duckdb"
    types = "{" + ", ".join(f"'{name}': '{types[1]}'" for name, types in COLUMNS.items()) + "}"
    source = f"read_csv('{arguments.csv}', header = true, columns = {types})"
    sawmill = [arguments.sawmill, "convert", str(arguments.csv), "-o", str(ours), "--schema", str(schema)]
    if arguments.partitioned:
        sawmill += ["--partition-by", "year(l_shipdate)", "--partition-by", "month(l_shipdate)"]
        copy = (
            f"COPY (SELECT *, year(l_shipdate) AS year, month(l_shipdate) AS month FROM {source}) "
            f"TO '{theirs}' (FORMAT parquet, COMPRESSION snappy, PARTITION_BY (year, month))"
        )
    else:
        theirs.mkdir()
        copy = f"COPY (FROM {source}) TO '{theirs}/data.parquet' (FORMAT parquet, COMPRESSION snappy)"
    program = f"import duckdb; duckdb.sql('SET preserve_insertion_order = false'); duckdb.sql({copy!r})"
    peer = [sys.executable, "-c", program]

    figures = {"sawmill": [], "DuckDB": []}
    for run in range(arguments.runs + 1):
        for name, command, output in (("sawmill", sawmill, ours), ("DuckDB", peer, theirs)):
            shutil.rmtree(output, ignore_errors=True)
            if name == "DuckDB" and not arguments.partitioned:
                output.mkdir()
            figure = measure(command)
            if run > 0:
                figures[name].append(figure)

    columns = ", ".join(COLUMNS)
    check = f"SELECT count(*), bit_xor(hash(({columns}))), sum(hash(({columns}))::HUGEINT) FROM "
    outputs = [
        duckdb.sql(check + f"read_parquet('{output}/**/*.parquet', hive_partitioning = false)").fetchall()[0]
        for output in (ours, theirs)
    ]
    if outputs[0] != outputs[1]:
        sys.exit(f"the outputs differ: {outputs}")

    print(f"{outputs[0][0]:,} records in both outputs, the same rows")
    for (name, rows), output in zip(figures.items(), (ours, theirs)):
        wall, cpu, memory = (list(column) for column in zip(*rows))
        size = sum(path.stat().st_size for path in output.rglob("*.parquet"))
        print(
            f"{name:8} wall {statistics.median(wall):6.2f} s  cpu {statistics.median(cpu):6.2f} s  "
            f"peak {max(memory):6.0f} MiB  size {size / 1e6:6.1f} MB"
        )
    ratios = [theirs[0] / ours[0] for ours, theirs in zip(figures["sawmill"], figures["DuckDB"])]
    print(f"DuckDB's wall time is {statistics.median(ratios):.2f} times sawmill's (median of {len(ratios)} pairs)")


if __name__ == "__main__":
    main()
