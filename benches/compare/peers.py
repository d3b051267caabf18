"""One conversion by one of the peers, as a process of its own.

    python peers.py ENGINE JOB.json OUT

The job is what `workloads.py` describes: inputs, columns with their types, keys to
partition by, codec, filter, derived column, threads. Each peer does it in the way
its documentation recommends for data that need not fit into memory: types are
given, nothing is inferred, the order of rows is free where the peer can be told so.
OUT is a directory that does not exist; the peer makes it.
"""

import json
import os
import re
import sys
from pathlib import Path


def main():
    engine, job, out = sys.argv[1:]
    job = json.loads(Path(job).read_text())
    Path(out).mkdir()
    ENGINES[engine](job, out)


def sql_type(column_type):
    """The SQL type of a column's type, as DuckDB and Spark spell it."""
    names = {"int32": "INTEGER", "int64": "BIGINT", "float64": "DOUBLE", "string": "VARCHAR", "date": "DATE"}
    return names.get(column_type, column_type.upper())


def decimal(column_type):
    """Precision and scale of `decimal(p,s)`; `None` of any other type."""
    found = re.fullmatch(r"decimal\((\d+),(\d+)\)", column_type)
    return found and (int(found[1]), int(found[2]))


def query(job, table):
    """The SELECT that all engines with SQL run."""
    columns = ["*"]
    columns += [f"{expression} AS {name}" for name, expression in job["derive"].items()]
    columns += [f"{part['sql']} AS {part['name']}" for part in job["partition_by"] if part["sql"]]
    where = f" WHERE {job['filter']}" if job["filter"] else ""
    return f"SELECT {', '.join(columns)} FROM {table}{where}"


def keys(job):
    return [part["name"] for part in job["partition_by"]]


def local_only(job):
    if job["endpoint"]:
        sys.exit("unsupported: reads no store without an extension from elsewhere")


def duckdb(job, out):
    import duckdb

    local_only(job)
    duckdb.sql(f"SET preserve_insertion_order = false; SET threads = {job['threads']}")
    columns = ", ".join(f"'{name}': '{sql_type(kind)}'" for name, kind in job["columns"].items())
    files = ", ".join(f"'{path}'" for path in job["inputs"])
    source = f"read_csv([{files}], header = true, auto_detect = false, quote = '\"', escape = '\"', columns = {{{columns}}})"
    options = f"FORMAT parquet, COMPRESSION {job['compression']}"
    if job["level"]:
        options += f", COMPRESSION_LEVEL {job['level']}"
    if keys(job):
        options += f", PARTITION_BY ({', '.join(keys(job))}), OVERWRITE_OR_IGNORE"
    target = out if keys(job) else f"{out}/data.parquet"
    duckdb.sql(f"COPY ({query(job, source)}) TO '{target}' ({options})")


def polars(job, out):
    os.environ["POLARS_MAX_THREADS"] = str(job["threads"])
    import polars as pl

    def polars_type(kind):
        if decimal(kind):
            return pl.Decimal(*decimal(kind))
        return {
            "int32": pl.Int32, "int64": pl.Int64, "float64": pl.Float64, "string": pl.String, "date": pl.Date,
        }[kind]

    schema = {name: polars_type(kind) for name, kind in job["columns"].items()}
    store = None
    if job["endpoint"]:
        store = {
            "aws_endpoint_url": job["endpoint"], "aws_region": "us-east-1", "aws_skip_signature": "true", "aws_allow_http": "true",
        }
    frame = pl.scan_csv(job["inputs"], schema=schema, storage_options=store)
    if job["filter"]:
        frame = frame.filter(pl.sql_expr(job["filter"]))
    frame = frame.with_columns(
        *[pl.sql_expr(expression).alias(name) for name, expression in job["derive"].items()],
        *[getattr(pl.col(p["column"]).dt, p["part"])().alias(p["name"]) for p in job["partition_by"] if p["sql"]],
    )
    target = pl.PartitionBy(out, key=keys(job), include_key=False) if keys(job) else f"{out}/data.parquet"
    frame.sink_parquet(
        target, compression=job["compression"], compression_level=job["level"], maintain_order=False, mkdir=True
    )


def datafusion(job, out):
    import datafusion as df

    config = df.SessionConfig().with_target_partitions(job["threads"])
    config = config.set("datafusion.execution.parquet.compression", codec(job))
    config = config.set("datafusion.execution.keep_partition_by_columns", "false")
    context = df.SessionContext(config)
    if job["endpoint"]:
        from datafusion.object_store import AmazonS3

        store = AmazonS3("bucket", "us-east-1", "a", "b", None, job["endpoint"], True)
        context.register_object_store("s3://", store, None)
    first = job["inputs"][0]
    location = os.path.dirname(first) + "/" if len(job["inputs"]) > 1 else first
    definition = ", ".join(f'"{name}" {sql_type(kind)}' for name, kind in job["columns"].items())
    options = "'format.has_header' 'true'"
    if job["newlines"]:
        options += ", 'format.newlines_in_values' 'true'"
    if first.endswith(".gz"):
        options += ", 'format.compression' 'gzip'"
    context.sql(
        f"CREATE EXTERNAL TABLE source ({definition}) STORED AS CSV LOCATION '{location}' OPTIONS ({options})"
    ).collect()
    partitioned = f" PARTITIONED BY ({', '.join(keys(job))})" if keys(job) else ""
    target = out + "/" if keys(job) else f"{out}/data.parquet"
    context.sql(f"COPY ({query(job, 'source')}) TO '{target}' STORED AS PARQUET{partitioned}").collect()


def codec(job):
    return f"{job['compression']}({job['level']})" if job["level"] else job["compression"]


def arrow_schema(job, pa):
    def arrow_type(kind):
        if decimal(kind):
            return pa.decimal128(*decimal(kind))
        return {
            "int32": pa.int32(), "int64": pa.int64(), "float64": pa.float64(), "string": pa.string(), "date": pa.date32(),
        }[kind]

    return pa.schema([(name, arrow_type(kind)) for name, kind in job["columns"].items()])


def pyarrow(job, out):
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.csv as pcsv
    import pyarrow.dataset as ds

    pa.set_cpu_count(job["threads"])
    schema = arrow_schema(job, pa)
    read = ds.CsvFileFormat(
        parse_options=pcsv.ParseOptions(newlines_in_values=job["newlines"]),
        convert_options=pcsv.ConvertOptions(column_types=schema, strings_can_be_null=True, quoted_strings_can_be_null=False),
    )
    inputs, store = job["inputs"], None
    if job["endpoint"]:
        from pyarrow import fs

        host = job["endpoint"].removeprefix("http://")
        store = fs.S3FileSystem(anonymous=True, scheme="http", endpoint_override=host, region="us-east-1")
        inputs = [url.removeprefix("s3://") for url in inputs]
    source = ds.dataset(inputs, format=read, schema=schema, filesystem=store)
    columns = {name: ds.field(name) for name in schema.names}
    for part in job["partition_by"]:
        if part["sql"]:
            columns[part["name"]] = getattr(pc, part["part"])(ds.field(part["column"]))
    if job["derive"] or job["filter"]:
        sys.exit("unsupported: expressions of pyarrow are not SQL")
    scanner = source.scanner(columns=columns)
    options = ds.ParquetFileFormat().make_write_options(compression=job["compression"], compression_level=job["level"])
    parts = pa.schema([(name, pa.int64() if name not in schema.names else schema.field(name).type) for name in keys(job)])
    ds.write_dataset(
        scanner, out, format="parquet", file_options=options, existing_data_behavior="overwrite_or_ignore",
        partitioning=ds.partitioning(parts, flavor="hive") if keys(job) else None, max_partitions=20_000,
    )


def chdb(job, out):
    import chdb

    local_only(job)

    def clickhouse_type(kind):
        names = {"int32": "Int32", "int64": "Int64", "float64": "Float64", "string": "String", "date": "Date32"}
        return f"Nullable({names.get(kind, kind.replace('decimal', 'Decimal'))})"

    structure = ", ".join(f"{name} {clickhouse_type(kind)}" for name, kind in job["columns"].items())
    first = job["inputs"][0]
    path = f"{os.path.dirname(first)}/*" if len(job["inputs"]) > 1 else first
    compression = "gzip" if first.endswith(".gz") else "none"
    source = f"file('{path}', 'CSVWithNames', '{structure}', '{compression}')"
    settings = (
        f"max_threads = {job['threads']}, output_format_parquet_compression_method = '{job['compression']}', "
        "output_format_parquet_string_as_string = 1, engine_file_truncate_on_insert = 1, input_format_csv_empty_as_default = 1"
    )
    if keys(job):
        sys.exit("unsupported: chDB partitions by one expression that is part of a file name")
    chdb.query(f"INSERT INTO FUNCTION file('{out}/data.parquet', 'Parquet') {query(job, source)} SETTINGS {settings}")


def spark(job, out):
    from pyspark.sql import SparkSession

    local_only(job)
    session = (
        SparkSession.builder.master(f"local[{job['threads']}]").config("spark.ui.enabled", "false")
        .config("spark.driver.memory", "8g").config("spark.sql.session.timeZone", "UTC").getOrCreate()
    )
    schema = ", ".join(f"{name} {sql_type(kind).replace('VARCHAR', 'STRING')}" for name, kind in job["columns"].items())
    reader = session.read.schema(schema).option("header", True).option("escape", '"').option("multiLine", job["newlines"])
    reader.csv(job["inputs"]).createOrReplaceTempView("source")
    writer = session.sql(query(job, "source")).write.mode("overwrite").option("compression", job["compression"])
    if keys(job):
        writer = writer.partitionBy(*keys(job))
    writer.parquet(out)
    session.stop()


ENGINES = {
    "duckdb": duckdb,
    "polars": polars,
    "datafusion": datafusion,
    "pyarrow": pyarrow,
    "chdb": chdb,
    "spark": spark,
}

if __name__ == "__main__":
    main()
