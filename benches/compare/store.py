"""A directory as a bucket, read-only, where each request takes a given time.

Speaks as much of S3 as readers need (HEAD, GET with ranges, ListObjectsV2). A
stand-in such as moto answers some hundred requests a second, and would be what
is measured.
"""

import asyncio
import hashlib
import threading
from email.utils import formatdate
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

BUCKET = "bucket"


class Store:
    """Serves `directory` on loopback until the process ends."""

    def __init__(self, directory, latency_ms):
        self.directory = Path(directory)
        self.latency = latency_ms / 1000
        self.objects = {path.name: path.stat() for path in sorted(self.directory.iterdir())}
        started = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._serve(started)), daemon=True).start()
        started.wait()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    async def _serve(self, started):
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0, backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await server.serve_forever()

    async def _connection(self, reader, writer):
        try:
            while line := await reader.readline():
                method, target, _ = line.decode().split(" ")
                headers = {}
                while (line := (await reader.readline()).decode().strip()) != "":
                    name, _, value = line.partition(":")
                    headers[name.lower()] = value.strip()
                await asyncio.sleep(self.latency)
                status, more, body = self._answer(method, target, headers)
                length = more.pop("content-length", len(body))
                head = [f"HTTP/1.1 {status}", f"content-length: {length}"] + [f"{k}: {v}" for k, v in more.items()]
                writer.write(("\r\n".join(head) + "\r\n\r\n").encode() + body)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def _answer(self, method, target, headers):
        url = urlsplit(target)
        path = unquote(url.path).strip("/").removeprefix(BUCKET).strip("/")
        if not path:
            return self._list(parse_qs(url.query, keep_blank_values=True))
        if path not in self.objects:
            return "404 Not Found", {}, b"<Error><Code>NoSuchKey</Code></Error>"
        stat = self.objects[path]
        known = {
            "etag": f'"{hashlib.md5(path.encode()).hexdigest()}"',
            "last-modified": formatdate(stat.st_mtime, usegmt=True),
            "accept-ranges": "bytes",
        }
        if method == "HEAD":
            return "200 OK", {**known, "content-length": stat.st_size}, b""
        body = (self.directory / path).read_bytes()
        if wanted := headers.get("range"):
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            first, end = (int(first), int(last) + 1 if last else len(body)) if first else (max(0, len(body) - int(last)), len(body))
            part = body[first : min(end, len(body))]
            known["content-range"] = f"bytes {first}-{first + len(part) - 1}/{len(body)}"
            return "206 Partial Content", known, part
        return "200 OK", known, body

    def _list(self, query):
        prefix = query.get("prefix", [""])[0]
        after = max(query.get("continuation-token", [""])[0], query.get("start-after", [""])[0])
        names = [name for name in self.objects if name.startswith(prefix) and name > after]
        page = names[:1000]
        contents = "".join(
            f"<Contents><Key>{escape(name)}</Key><Size>{self.objects[name].st_size}</Size>"
            f"<LastModified>2026-01-01T00:00:00.000Z</LastModified>"
            f'<ETag>"{hashlib.md5(name.encode()).hexdigest()}"</ETag></Contents>'
            for name in page
        )
        more = len(names) > len(page)
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
        body = (
            f"<?xml version='1.0'?><ListBucketResult><Name>{BUCKET}</Name><Prefix>{escape(prefix)}</Prefix>"
            f"<KeyCount>{len(page)}</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>{str(more).lower()}</IsTruncated>"
            f"{token}{contents}</ListBucketResult>"
        )
        return "200 OK", {"content-type": "application/xml"}, body.encode()
