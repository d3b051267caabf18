"""Runs the Spark side of `tests/e2e/spark/*.toml`, all in one session.

The code of a case is what a Spark user would write. It has `spark`, `F` (the
functions), `root` (the directory of the inputs), `csv` (the input, where there
is one) and `out`. It leaves its result in `table`, or writes it to `out`.

One JSON request on each line of standard input, one JSON answer on each line
of standard output: {"ok": value} or {"error": traceback}. None of the code
under test runs here. Ends when standard input closes.
"""

import json
import logging
import os
import sys
import traceback
import warnings

import duckdb

# Libraries that print must not come between the answers.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

# `spark-submit` on the PATH of the machine may belong to another Spark.
os.environ.pop("SPARK_HOME", None)
os.environ["PYSPARK_PYTHON"] = sys.executable

# Cases are to fail, and do so in their answers; versions of pandas are of no concern.
logging.disable()
warnings.simplefilter("ignore")

from pyspark.sql import SparkSession, functions  # noqa: E402 (reads the environment)

db = duckdb.connect()
db.execute("SET TimeZone = 'UTC'")


def start():
    return (
        SparkSession.builder.master("local[1]")
        .config("spark.driver.memory", "1g")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.log.level", "OFF")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "1")
        # Tables of a few rows: compiling a plan takes longer than running it.
        .config("spark.sql.codegen.wholeStage", "false")
        .config("spark.sql.adaptive.enabled", "false")
        .config("spark.sql.sources.parallelPartitionDiscovery.threshold", "1000")
        .getOrCreate()
    )


spark = None


def case(code, names, select):
    """The rows that the code gives, as text, and their types in DuckDB's terms;
    null if it wrote a table; what it raised if it failed."""
    global spark
    spark = spark or start()
    scope = {"spark": spark, "F": functions, **names}
    try:
        exec(code, scope)
        if "table" not in scope:
            return {"wrote": True}
        table = scope["table"].toArrow()
    except Exception as error:
        return {"raised": f"{type(error).__name__}: {error}"}
    db.register("t", table)
    types = [row[1] for row in db.execute(f"DESCRIBE {select}").fetchall()]
    return {"types": types, "rows": db.execute(f"SELECT COLUMNS(*)::VARCHAR FROM ({select})").fetchall()}


operations = {"case": case}

for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = {"ok": operations[request.pop("operation")](**request)}
    except Exception:
        answer = {"error": traceback.format_exc()}
    print(json.dumps(answer), file=answers, flush=True)
os._exit(0)
