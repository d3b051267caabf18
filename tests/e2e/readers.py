"""Runs calls of docs/reading.md as the page has them, in the readers' own libraries.

One JSON request on each line of standard input, one JSON answer on each line
of standard output: {"ok": rows} or {"error": text}. None of the code under test
runs here. Ends when standard input closes.
"""

import json
import os
import sys
import traceback

# Libraries that print must not come between the answers.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def rows_of(result):
    """Number of rows of whatever a reader gives; all of them are read."""
    if hasattr(result, "collect") and not hasattr(result, "count_rows"):
        result = result.collect()  # a lazy frame of Polars, a frame of Spark
    if hasattr(result, "fetchall"):
        result = result.fetchall()  # a relation of DuckDB
    if hasattr(result, "to_table"):
        result = result.to_table()  # a dataset of pyarrow
    return result.num_rows if hasattr(result, "num_rows") else len(result)


def spark_session():
    from pyspark.sql import SparkSession

    # `spark-submit` on the PATH of the machine may belong to another Spark.
    os.environ.pop("SPARK_HOME", None)
    os.environ["PYSPARK_PYTHON"] = sys.executable
    return (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .getOrCreate()
    )


class Names(dict):
    """What the calls may name; a library is imported when one does."""

    def __missing__(self, name):
        if name == "spark":
            value = spark_session()
        elif name in IMPORTS:
            value = __import__(IMPORTS[name], fromlist=["_"])
        else:
            raise KeyError(name)
        self[name] = value
        return value


IMPORTS = {
    "duckdb": "duckdb",
    "pl": "polars",
    "pd": "pandas",
    "ds": "pyarrow.dataset",
    "pq": "pyarrow.parquet",
    "wr": "awswrangler",
}


def call(text):
    """Rows that an expression reads."""
    return rows_of(eval(text, Names()))


def script(text, result):
    """Rows in a variable that a script leaves behind."""
    names = {}
    exec(text, names)
    return rows_of(names[result])


def statements(text):
    """Rows of the last of several statements of DuckDB."""
    import duckdb

    return len(duckdb.connect().execute(text).fetchall())


def use_server(endpoint, region):
    """From here on this is where the readers find S3, as they would find AWS."""
    os.environ.update(
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",
        AWS_DEFAULT_REGION=region,
        AWS_REGION=region,
        AWS_ENDPOINT_URL=endpoint,
        AWS_ALLOW_HTTP="true",
    )


def register(root, database, table):
    """A table of Glue with a partition for each directory `day=…`, as a crawler would make it."""
    import awswrangler as wr

    days = {key.split("/day=")[1].split("/")[0] for key in wr.s3.list_objects(root) if "/day=" in key}
    wr.catalog.create_database(database, exist_ok=True)
    wr.catalog.create_parquet_table(
        database=database,
        table=table,
        path=root,
        columns_types={"id": "int", "name": "string"},
        partitions_types={"day": "date"},
    )
    wr.catalog.add_parquet_partitions(database, table, {f"{root}day={day}/": [day] for day in days})
    return len(days)


def use_httpfs(endpoint, region):
    """The same for DuckDB, with the extension that came as a package."""
    from pathlib import Path

    import duckdb
    import duckdb_extension_httpfs

    package = Path(duckdb_extension_httpfs.__file__).parent
    [extension] = package.glob("extensions/*/httpfs.duckdb_extension")
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    connection.execute(f"LOAD '{extension}'")
    host = endpoint.removeprefix("http://")
    connection.execute(
        f"CREATE SECRET (TYPE s3, KEY_ID 'test', SECRET 'test', REGION '{region}', ENDPOINT '{host}',"
        " URL_STYLE 'path', USE_SSL false)"
    )
    duckdb.set_default_connection(connection)


operations = {
    function.__name__: function for function in (call, script, statements, use_server, register, use_httpfs)
}

for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = {"ok": operations[request.pop("operation")](**request)}
    except Exception:
        answer = {"error": traceback.format_exc()}
    print(json.dumps(answer), file=answers, flush=True)
os._exit(0)
