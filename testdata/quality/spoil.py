#!/usr/bin/env python3
"""Makes testdata/quality/landing.csv: real flights, spoilt by hand.

    python3 spoil.py

Takes the flights of January from ../flights/flights-2013-h1.csv, makes of some
what landed files are like, and adds a trailer with the number of records.
"""

import hashlib
from pathlib import Path

HERE = Path(__file__).parent


def edit(record: str, column: int, value: str) -> str:
    fields = record.split(",")
    fields[column] = value
    return ",".join(fields)


def main() -> None:
    header, *records = (HERE.parent / "flights" / "flights-2013-h1.csv").read_text().splitlines()
    records = [record for record in records if record.startswith("2013,1,")]
    tailnum, dep_delay, carrier, origin, distance, day = 11, 5, 9, 12, 15, 2
    spoilt = {
        4: lambda r: edit(r, carrier, f" {r.split(',')[carrier].lower()} "),
        9: lambda r: edit(r, dep_delay, "on time"),
        17: lambda r: ",".join(r.split(",")[:11]),
        26: lambda r: edit(r, tailnum, 'N3"7'),
        33: lambda r: edit(r, distance, "-1"),
        41: lambda r: edit(r, origin, "SFO"),
        52: lambda r: edit(r, distance, "far"),
        60: lambda r: edit(r, dep_delay, "late"),
        71: lambda r: edit(r, day, "32"),
        83: lambda r: edit(r, distance, ""),
    }
    lines = [spoilt.get(number, lambda r: r)(record) for number, record in enumerate(records)]
    # Sent once more, with a later arrival delay: the last one counts.
    lines += [edit(records[number], 8, "90") for number in (2, 3, 5)]
    lines.append(f"TRAILER,{len(lines)}")
    text = "\n".join([header, *lines]) + "\n"
    (HERE / "landing.csv").write_text(text)
    print(f"{hashlib.sha256(text.encode()).hexdigest()}  landing.csv  {len(lines) - 1} records")


if __name__ == "__main__":
    main()
