"""One process: seconds and memory."""

import os
import subprocess
import time


class Failed(Exception):
    """The process did not end with 0; the text is what it wrote to stderr."""


def measure(command, **options):
    """Wall seconds, CPU seconds and largest resident set (MiB) of one process."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **options)
    errors = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise Failed(errors)
    return time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
