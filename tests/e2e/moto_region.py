"""One S3-compatible server on a free port of the loopback: one region.

Prints {"port": N} once it answers and ends when standard input closes, which
the kernel sees to even if the test process is killed.
"""

import json
import logging
import os
import sys
import urllib.request

from moto.server import ThreadedMotoServer

logging.getLogger("werkzeug").setLevel(logging.ERROR)

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
_, port = server.get_host_and_port()
urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/", timeout=30).close()
print(json.dumps({"port": port}), flush=True)

sys.stdin.read()
os._exit(0)
