"""Runs engines on workloads, and looks whether the rows are right."""

import json
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import duckdb
from peers import keys, query, sql_type
from process import Failed, measure
from store import BUCKET, Store
from workloads import Data

HERE = Path(__file__).resolve().parent


class Comparison:
    def __init__(self, arguments, engines):
        self.sawmill = str(arguments.sawmill.absolute())
        self.engines = engines
        self.runs = arguments.runs
        self.cores = len(os.sched_getaffinity(0))
        tpchgen = str(Path(sys.executable).with_name("tpchgen-cli"))
        self.data = Data((arguments.work / "data").absolute(), arguments.scale, tpchgen)
        self.outputs = (arguments.work / "outputs").absolute()

    def workload(self, workload):
        """Figures of every engine, and its wall times over sawmill's, round by round."""
        print(f"{workload.name}: {workload.what}", file=sys.stderr)
        job = workload.job(self.data, self.cores)
        expected = digest(job, csv(job))
        job["endpoint"] = None
        if job["latency_ms"]:
            store = Store(Path(job["inputs"][0]).parent, job["latency_ms"])
            job["endpoint"] = store.endpoint
            job["inputs"] = [f"s3://{BUCKET}/{Path(path).name}" for path in job["inputs"]]
        figures = {engine: [] for engine in self.engines}
        failures = {}
        with tempfile.TemporaryDirectory(prefix="compare-") as directory:
            for number in range(self.runs + 1):
                for engine in self.engines:
                    if engine in failures:
                        continue
                    try:
                        figure = self.one(engine, job, Path(directory), expected)
                        print(f"  {engine:10} {figure['wall']:7.3f} s  {figure['cpu'] or 0:7.3f} CPU s", file=sys.stderr)
                        if number > 0:
                            figures[engine].append(figure)
                    except Failed as failed:
                        failures[engine] = (str(failed).strip().splitlines() or ["failed"])[-1]
                        print(f"  {engine:10} {failures[engine]}", file=sys.stderr)
        result = {"name": workload.name, "what": workload.what, "rows": expected[0], "input_bytes": input_bytes(workload, self.data)}
        result["engines"] = {engine: summary(runs) for engine, runs in figures.items() if runs}
        result["failures"] = failures
        ours = figures.get("sawmill", [])
        result["ratios"] = {
            engine: statistics.median(theirs["wall"] / own["wall"] for own, theirs in zip(ours, runs))
            for engine, runs in figures.items()
            if runs and ours and engine != "sawmill"
        }
        return result

    def one(self, engine, job, directory, expected):
        # A name of its own: to open an existing output for writing takes time, too.
        self.outputs.mkdir(parents=True, exist_ok=True)
        outputs = [Path(tempfile.mkdtemp(prefix=f"{engine}-", dir=self.outputs)) / "out" for _ in range(job["targets"])]
        document = directory / "job.json"
        environment = dict(os.environ)
        if engine == "sawmill":
            document.write_text(json.dumps(sawmill_job(job, outputs)))
            command = [self.sawmill, "run", str(document)]
            environment |= {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "us-east-1"}
        else:
            document.write_text(json.dumps(job))
            command = [sys.executable, str(HERE / "peers.py"), engine, str(document), str(outputs[0])]
        try:
            wall, cpu, peak = measure(command, env=environment)
            files = [path for path in outputs[0].rglob("*.parquet") if not path.relative_to(outputs[0]).parts[0].startswith("_")]
            for output in outputs if engine == "sawmill" else outputs[:1]:
                if (found := digest(job, parquet(engine, output))) != expected:
                    raise Failed(f"other rows than the CSV: {found}, expected {expected}")
            size = sum(path.stat().st_size for path in files)
            figure = {"wall": wall, "cpu": cpu, "peak_mib": peak, "output_bytes": size, "files": len(files)}
            if engine == "spark":
                # The engine is a child of the driver, which the driver does not wait for.
                figure |= {"cpu": None, "peak_mib": None}
            return figure
        finally:
            for output in outputs:
                shutil.rmtree(output.parent, ignore_errors=True)


def sawmill_job(job, outputs):
    transforms = [{"filter": job["filter"]}] if job["filter"] else []
    transforms += [{"derive": {name: {"expression": e} for name, e in job["derive"].items()}}] if job["derive"] else []
    compression = f"{job['compression']}({job['level']})" if job["level"] else job["compression"]
    source = {"inputs": job["inputs"]}
    if job["endpoint"]:
        source |= {"endpoint": job["endpoint"], "allow_http": True}
    return {
        "source": source,
        "schema": {"fields": [{"name": name, "type": kind} for name, kind in job["columns"].items()]},
        "transforms": transforms,
        "output": {"compression": compression, "partition_by": [partition(part) for part in job["partition_by"]]},
        "targets": [{"url": f"{output}/"} for output in outputs],
        "engine": {"threads": job["threads"]},
    }


def partition(part):
    return f"{part['part']}({part['column']})" if part["part"] else part["column"]


def csv(job):
    """The rows that a job should give, from DuckDB's reading of the CSV."""
    columns = ", ".join(f"'{name}': '{sql_type(kind)}'" for name, kind in job["columns"].items())
    files = ", ".join(f"'{path}'" for path in job["inputs"])
    source = f"read_csv([{files}], header = true, auto_detect = false, quote = '\"', escape = '\"', columns = {{{columns}}})"
    return f"({query(job, source)})"


def parquet(engine, output):
    """The rows of an output, read by another engine than wrote it."""
    if engine != "duckdb":
        return f"read_parquet('{output}/**/*.parquet', hive_partitioning = true)"
    import pyarrow.dataset

    table = pyarrow.dataset.dataset(str(output), format="parquet", partitioning="hive").to_table()
    duckdb.register("read_by_pyarrow", table)
    return "read_by_pyarrow"


def digest(job, table):
    """The number of rows and two sums over hashes of them, as the types of the job."""
    columns = [f"{name}::{sql_type(kind)}" for name, kind in job["columns"].items() if name not in keys(job)]
    columns += [f"{name}::BIGINT" for name in keys(job)]
    columns += [f"round({name}::DOUBLE, 6)" for name in job["derive"]]
    row = f"hash(({', '.join(columns)}))"
    return duckdb.sql(f"SELECT count(*), bit_xor({row}), sum({row}::HUGEINT) FROM {table}").fetchall()[0]


def input_bytes(workload, data):
    return sum(path.stat().st_size for path in getattr(data, workload.data)())


def summary(runs):
    """Medians; the peak is the largest."""
    result = {"wall": statistics.median(run["wall"] for run in runs)}
    result["cpu"] = statistics.median(run["cpu"] for run in runs) if runs[0]["cpu"] is not None else None
    result["peak_mib"] = max(run["peak_mib"] for run in runs) if runs[0]["peak_mib"] is not None else None
    return result | {"output_bytes": runs[-1]["output_bytes"], "files": runs[-1]["files"], "walls": [run["wall"] for run in runs]}
