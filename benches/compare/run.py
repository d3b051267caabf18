#!/usr/bin/env python3
"""sawmill beside DuckDB, Polars, DataFusion, pyarrow, chDB and Spark.

    cargo build --release
    python3 benches/compare/run.py

The peers are installed into a venv in the work directory, the data is made there,
too. Every workload is run in rounds, each engine once a round and none of the first
counted. Each output is read back by another engine, and its rows are compared with
those of the CSV, before its time counts. Writes `results.json`, `results.md` and
`results.svg`.

In CI: `--baseline results.json` of an earlier run on the same kind of machine ends
with 1 where a ratio to a peer fell by more than `--threshold`. Ratios of one run
say more than seconds of two: other work on the machine slows both sides.
"""

import argparse
import fnmatch
import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENGINES = ["sawmill", "duckdb", "polars", "datafusion", "pyarrow", "chdb", "spark"]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("workloads", nargs="*", default=["*"], help="names or patterns such as 'lineitem*' (default: all)")
    parser.add_argument("--engines", default="sawmill,duckdb,polars", help=f"of {','.join(ENGINES)}; all: each of them (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=5, help="counted rounds (default: %(default)s)")
    parser.add_argument("--scale", type=float, default=1, help="TPC-H scale factor; millions of records of generated data (default: %(default)s)")
    parser.add_argument("--work", type=Path, default=Path("target/compare"), help="venv, data and outputs (default: %(default)s)")
    parser.add_argument("--results", type=Path, help="directory for the results (default: the work directory)")
    parser.add_argument("--sawmill", type=Path, default=Path("target/release/sawmill"), help="default: %(default)s")
    parser.add_argument("--baseline", type=Path, help="a results.json to compare the ratios with")
    parser.add_argument("--threshold", type=float, default=0.15, help="share by which a ratio may fall (default: %(default)s)")
    parser.add_argument("--installed", action="store_true", help="use the packages of this Python instead of a venv")
    parser.add_argument("--list", action="store_true", help="print the workloads and end")
    arguments = parser.parse_args()

    from workloads import WORKLOADS

    chosen = [w for w in WORKLOADS if any(fnmatch.fnmatchcase(w.name, pattern) for pattern in arguments.workloads)]
    if arguments.list:
        for workload in chosen:
            print(f"{workload.name:22} {workload.what}")
        return
    if not chosen:
        parser.error(f"no workload is named so: {' '.join(arguments.workloads)}; --list names them")
    engines = ENGINES if arguments.engines == "all" else arguments.engines.split(",")
    if unknown := set(engines) - set(ENGINES):
        parser.error(f"not an engine: {', '.join(sorted(unknown))}")
    if not arguments.sawmill.exists():
        parser.error(f"there is no {arguments.sawmill}: run `cargo build --release`, or give --sawmill")

    if not arguments.installed:
        python = venv(arguments.work)
        os.execv(python, [str(python), *sys.argv, "--installed"])

    import report
    from comparison import Comparison

    comparison = Comparison(arguments, engines)
    results = [comparison.workload(workload) for workload in chosen]
    document = {"machine": report.machine(), "versions": report.versions(arguments.sawmill), "scale": arguments.scale}
    document |= {"runs": arguments.runs, "workloads": results}
    directory = arguments.results or arguments.work
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "results.json").write_text(json.dumps(document, indent=1) + "\n")
    (directory / "results.md").write_text(report.markdown(document))
    (directory / "results.svg").write_text(report.chart(document))
    print(report.markdown(document))
    if arguments.baseline:
        fallen = report.fallen(document, json.loads(arguments.baseline.read_text()), arguments.threshold)
        for line in fallen:
            print(f"fell: {line}", file=sys.stderr)
        sys.exit(1 if fallen else 0)


def venv(work):
    """The interpreter of the venv with the peers, which is made if need be."""
    directory = (work / "venv").absolute()
    python = directory / "bin" / "python"
    requirements = HERE / "requirements.txt"
    stamp = directory / "requirements.txt"
    if not stamp.exists() or stamp.read_text() != requirements.read_text():
        print(f"installing the peers in {directory}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(directory)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(requirements)]
        subprocess.run(pip, check=True)
        stamp.write_text(requirements.read_text())
    return python


if __name__ == "__main__":
    main()
