#!/usr/bin/env python3
"""What the two-region commit costs: requests and milliseconds, by number of files.

    cargo build --release
    pip install 'moto[server]'
    python3 benches/compare/protocol.py --files 1 100 10000

Each file is a partition of one record. `plan`, `task` and `commit` run one by
one against two S3 stand-ins on loopback that count what they are asked, and
again with two local directories. What the stand-ins take for an answer is
theirs (a few milliseconds, one at a time): requests are what carries over to S3.
"""

import argparse
import collections
import json
import logging
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

logging.getLogger("werkzeug").setLevel(logging.ERROR)

ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}


class Region:
    """A stand-in that counts requests by operation."""

    def __init__(self, name):
        self.name = name
        self.counts = collections.Counter()
        app = DomainDispatcherApplication(create_backend_app)

        def counting(environ, start_response):
            self.counts[operation(environ["REQUEST_METHOD"], environ.get("QUERY_STRING", ""), environ["PATH_INFO"])] += 1
            return app(environ, start_response)

        self.server = make_server("127.0.0.1", 0, counting, threaded=True, request_handler=MotoRequestHandler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"
        request = urllib.request.Request(f"{self.endpoint}/{self.bucket}", method="PUT")
        request.add_header("Authorization", "AWS4-HMAC-SHA256 Credential=test/20130524/us-east-1/s3/aws4_request")
        urllib.request.urlopen(request, timeout=30).close()
        self.counts.clear()

    @property
    def bucket(self):
        return f"protocol-{self.name}"

    def target(self):
        return {"url": f"s3://{self.bucket}/t/", "region": "us-east-1", "endpoint": self.endpoint}

    def taken(self):
        taken, self.counts = self.counts, collections.Counter()
        return taken


def operation(method, query, path):
    match method, query.split("=")[0].split("&")[0]:
        case "POST", "uploads":
            return "CreateMultipartUpload"
        case "POST", _:
            return "CompleteMultipartUpload"
        case "PUT", q if "uploadId" in query or q == "partNumber":
            return "UploadPart"
        case "PUT", _:
            return "PutObject"
        case "HEAD", _:
            return "HeadObject"
        case "DELETE", _:
            return "Delete"
        case "GET", _ if "uploads" in query.split("&") or query.startswith("uploads"):
            return "ListMultipartUploads"
        case "GET", _ if "list-type" in query:
            return "ListObjectsV2"
        case "GET", _:
            return "GetObject"
        case other, _:
            return other


def sawmill(binary, directory, *arguments):
    begun = time.perf_counter()
    run = subprocess.run([binary, *arguments], cwd=directory, env=ENVIRONMENT, capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"{arguments}: {run.stderr}")
    return time.perf_counter() - begun


def job(directory, files, targets):
    with open(directory / "in.csv", "w") as csv:
        csv.write("id,key\n")
        csv.writelines(f"{n},{n:05}\n" for n in range(files))
    document = {
        "schema": {"fields": [{"name": "id", "type": "int64"}, {"name": "key", "type": "string"}]},
        "source": {"inputs": ["in.csv"]},
        "targets": targets,
        "output": {"partition_by": ["key"]},
    }
    (directory / "job.json").write_text(json.dumps(document))


def measure(binary, files, regions):
    """Seconds and requests of each step."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        targets = [region.target() for region in regions] or [{"url": "one/"}, {"url": "two/"}]
        job(directory, files, targets)
        steps = {}
        for step in (
            ["plan", "job.json", "-o", "plan.json"],
            ["task", "plan.json", "-o", "report.json"],
            ["commit", "plan.json"],
        ):
            seconds = sawmill(binary, directory, *step)
            steps[step[0]] = (seconds, [region.taken() for region in regions])
        return steps


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, nargs="+", default=[1, 100, 10_000])
    parser.add_argument("--binary", default=Path(__file__).parents[2] / "target/release/sawmill", type=Path)
    options = parser.parse_args()
    binary = options.binary.resolve()
    print(f"{'files':>7} {'step':8} {'S3, ms':>10} {'local, ms':>10}  requests to home | to the other")
    for files in options.files:
        # Servers of their own: what an earlier table left would be listed.
        regions = [Region(f"{files}-{name}") for name in ("home", "other")]
        remote, local = measure(binary, files, regions), measure(binary, files, [])
        for step, (seconds, requests) in remote.items():
            shown = [", ".join(f"{n} {what}" for what, n in sorted(counts.items())) or "none" for counts in requests]
            print(f"{files:>7} {step:8} {seconds * 1e3:>10.0f} {local[step][0] * 1e3:>10.0f}  {' | '.join(shown)}")
        for region in regions:
            region.server.shutdown()


if __name__ == "__main__":
    main()
