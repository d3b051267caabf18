"""What is converted: data, made once in the work directory, and jobs over it."""

import gzip
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

LINEITEM = {
    "l_orderkey": "int64",
    "l_partkey": "int64",
    "l_suppkey": "int64",
    "l_linenumber": "int32",
    "l_quantity": "decimal(15,2)",
    "l_extendedprice": "decimal(15,2)",
    "l_discount": "decimal(15,2)",
    "l_tax": "decimal(15,2)",
    "l_returnflag": "string",
    "l_linestatus": "string",
    "l_shipdate": "date",
    "l_commitdate": "date",
    "l_receiptdate": "date",
    "l_shipinstruct": "string",
    "l_shipmode": "string",
    "l_comment": "string",
}

ORDERS = {
    "o_orderkey": "int64",
    "o_custkey": "int64",
    "o_orderstatus": "string",
    "o_totalprice": "decimal(15,2)",
    "o_orderdate": "date",
    "o_orderpriority": "string",
    "o_clerk": "string",
    "o_shippriority": "int32",
    "o_comment": "string",
}

#: Year and month of a date, as engines with SQL say it.
BY_MONTH = [
    {"name": "year", "sql": "date_part('year', l_shipdate)", "column": "l_shipdate", "part": "year"},
    {"name": "month", "sql": "date_part('month', l_shipdate)", "column": "l_shipdate", "part": "month"},
]


@dataclass
class Workload:
    """One conversion. `data` names a function of `Data` that gives the inputs."""

    name: str
    data: str
    columns: dict
    what: str
    partition_by: list = field(default_factory=list)
    compression: str = "snappy"
    level: int | None = None
    filter: str | None = None
    derive: dict = field(default_factory=dict)
    newlines: bool = False
    threads: int | None = None
    targets: int = 1
    #: Milliseconds that a request to the store takes; `None`: local files.
    latency_ms: int | None = None

    def job(self, data, cores):
        inputs = [str(path) for path in getattr(data, self.data)()]
        own = ("columns", "partition_by", "compression", "level", "filter", "derive", "newlines", "targets", "latency_ms")
        return {"inputs": inputs, "threads": self.threads or cores, **{key: getattr(self, key) for key in own}}


def key(name):
    return {"name": name, "sql": None, "column": name, "part": None}


NUMBERS = {f"i{n}": "int64" for n in range(5)} | {f"f{n}": "float64" for n in range(5)}
SPARSE = {f"c{n}": ("int64", "string", "date", "float64")[n % 4] for n in range(20)}
TEXTS = {"id": "int64", "a": "string", "b": "string", "c": "string"}
KEYED = {"id": "int64", "key": "int32", "amount": "decimal(15,2)", "day": "date", "note": "string"}

WORKLOADS = [
    Workload("lineitem", "lineitem", LINEITEM, "TPC-H lineitem into one table"),
    Workload("lineitem-84", "lineitem", LINEITEM, "the same by year and month of l_shipdate", BY_MONTH),
    Workload("lineitem-zstd", "lineitem", LINEITEM, "zstd at level 3", compression="zstd", level=3),
    Workload("lineitem-84-zstd", "lineitem", LINEITEM, "both", BY_MONTH, compression="zstd", level=3),
    Workload("lineitem-1-thread", "lineitem", LINEITEM, "one thread", threads=1),
    Workload("lineitem-4-threads", "lineitem", LINEITEM, "four threads", threads=4),
    Workload("lineitem-filter", "lineitem", LINEITEM, "a filter that keeps half", filter="l_quantity > 25"),
    Workload(
        "lineitem-derive", "lineitem", LINEITEM, "one derived column",
        derive={"net": "CAST(l_extendedprice * (1 - l_discount) AS DOUBLE)"},
    ),
    Workload("lineitem-two-targets", "lineitem", LINEITEM, "two targets (peers: one)", targets=2),
    Workload("orders", "orders", ORDERS, "TPC-H orders"),
    Workload("orders-gzip", "orders_gzip", ORDERS, "one gzip stream"),
    Workload("orders-gzip-16", "orders_gzip_16", ORDERS, "16 gzip streams"),
    Workload("small-files", "small_files", ORDERS, "2,000 files"),
    Workload("small-files-store", "small_files", ORDERS, "2,000 objects, 20 ms a request", latency_ms=20),
    Workload("unique-texts", "unique_texts", TEXTS, "wide texts, none twice"),
    Workload("random-numbers", "random_numbers", NUMBERS, "integers and floats, none twice"),
    Workload("nulls", "nulls", SPARSE, "20 columns, four fields of five empty"),
    Workload("quoted", "quoted", TEXTS, "texts with quotes, commas and line ends", newlines=True),
    Workload("skewed", "skewed", KEYED, "100 partitions, one with half of the rows", [key("key")]),
    Workload("partitions-10000", "many_keys", KEYED, "10,000 partitions", [key("key")]),
    Workload("tiny", "tiny", ORDERS, "a file of 1 KB: the start of the process"),
]


class Data:
    """Inputs under `directory`, each made when it is first asked for."""

    def __init__(self, directory, scale, tpchgen):
        self.directory = Path(directory)
        self.scale = scale
        self.tpchgen = tpchgen

    def _once(self, name, make):
        """`make(path)` fills a file or directory that takes its name when it is whole."""
        path = self.directory / f"sf{self.scale:g}" / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.parent / f"part-{name}"
            shutil.rmtree(part, ignore_errors=True)
            part.unlink(missing_ok=True)
            make(part)
            part.rename(path)
        return path

    def _tpch(self, table):
        def make(part):
            temporary = part.parent / f"tpch-{table}"
            command = [self.tpchgen, "csv", "-s", str(self.scale), f"--tables={table}", f"--output-dir={temporary}"]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            (temporary / f"{table}.csv").rename(part)
            shutil.rmtree(temporary)

        return self._once(f"{table}.csv", make)

    def _sql(self, name, select):
        """A table of DuckDB's as CSV; `{rows}` is a million at scale 1."""

        def make(part):
            import duckdb

            rows = max(1_000, int(1_000_000 * self.scale))
            duckdb.sql(f"COPY ({select.format(rows=rows)}) TO '{part}' (FORMAT csv, HEADER true)")

        return self._once(f"{name}.csv", make)

    def lineitem(self):
        return [self._tpch("lineitem")]

    def orders(self):
        return [self._tpch("orders")]

    def orders_gzip(self):
        [orders] = self.orders()

        def make(part):
            with open(orders, "rb") as source, gzip.open(part, "wb", compresslevel=6) as packed:
                shutil.copyfileobj(source, packed, 1 << 20)

        return [self._once("orders.csv.gz", make)]

    def _parts(self, name, count, ending=".csv", opened=open):
        """The records of `orders` in files of about the same size."""
        [orders] = self.orders()

        def make(part):
            part.mkdir()
            size = os.path.getsize(orders) // count
            with open(orders, "rb") as source:
                header = source.readline()
                for number in range(count):
                    lines = source.read() if number == count - 1 else source.read(size) + source.readline()
                    if not lines:
                        break
                    with opened(part / f"{number:04}{ending}", "wb") as target:
                        target.write(header + lines)

        return sorted(self._once(name, make).iterdir())

    def orders_gzip_16(self):
        return self._parts("orders-16", 16, ".csv.gz", gzip.open)

    def small_files(self):
        # Less data has fewer of the same size.
        return self._parts("orders-small", max(16, round(2_000 * min(1, self.scale))))

    def unique_texts(self):
        text = "md5((i * 3 + {n})::VARCHAR) || ' ' || md5((i * 5 + {n})::VARCHAR)".format
        columns = ", ".join(f"{text(n=n)} AS {name}" for n, name in enumerate("abc"))
        return [self._sql("unique-texts", f"SELECT i AS id, {columns} FROM range({{rows}}) t(i)")]

    def random_numbers(self):
        integers = [f"(hash(i * 10 + {n}) % 1000000000000)::BIGINT AS i{n}" for n in range(5)]
        floats = [f"(hash(i * 10 + {n}) % 1000000000)::DOUBLE / 65536 AS f{n}" for n in range(5)]
        return [self._sql("random-numbers", f"SELECT {', '.join(integers + floats)} FROM range({{rows}}) t(i)")]

    def nulls(self):
        value = {
            "int64": "(hash(i) % 100000)::BIGINT", "string": "md5((i % 977)::VARCHAR)", "date": "DATE '2020-01-01' + (i % 2000)::INT",
            "float64": "(i % 10007)::DOUBLE / 8",
        }
        columns = [
            f"CASE WHEN hash(i * 20 + {n}) % 5 = 0 THEN {value[kind]} END AS {name}"
            for n, (name, kind) in enumerate(SPARSE.items())
        ]
        return [self._sql("nulls", f"SELECT {', '.join(columns)} FROM range({{rows}}) t(i)")]

    def quoted(self):
        text = "'said \"' || substr(md5((i + {n})::VARCHAR), 1, 12) || '\",' || chr(10) || 'and so on'".format
        columns = ", ".join(f"{text(n=n)} AS {name}" for n, name in enumerate("abc"))
        return [self._sql("quoted", f"SELECT i AS id, {columns} FROM range({{rows}}) t(i)")]

    def _keyed(self, name, key):
        return [
            self._sql(
                name,
                f"SELECT i AS id, {key}::INTEGER AS key, ((hash(i + 1) % 1000000)::DECIMAL(15,2) / 100)::DECIMAL(15,2) AS amount, "
                "DATE '2024-01-01' + (i % 366)::INT AS day, 'note ' || (hash(i) % 5000) AS note FROM range({rows} * 2) t(i)",
            )
        ]

    def skewed(self):
        return self._keyed("skewed", "CASE WHEN i % 2 = 0 THEN 0 ELSE 1 + hash(i) % 99 END")

    def many_keys(self):
        return self._keyed("many-keys", "(hash(i) % 10000)")

    def tiny(self):
        [orders] = self.orders()

        def make(part):
            with open(orders, "rb") as source:
                part.write_bytes(b"".join(source.readline() for _ in range(9)))

        return [self._once("tiny.csv", make)]
