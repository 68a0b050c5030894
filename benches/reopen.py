#!/usr/bin/env python3
"""How long a service takes to come back after kill -9, and how much disk it takes, against the size of its store.

    benches/reopen.py BINARY [--sizes 200000,1000000,2000000] [--directory DIR] [--plot docs/reopen.svg]

For each size: statements are recorded by the stream (`verbatim bench --mode ingest`), the service is killed without having closed its store,
its files are dropped from the system's cache, and it is started anew: until it listens, and until its first score. Then
`verbatim compact` gives space back. Aims: 10 s for 2,000,000 events, and 3 bytes of disk a byte of events after `compact`.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from plot import draw

REOPEN_SECONDS_MAX = 10
DISK_TO_EVENTS_MAX = 3
# Of the scores that the command asks for; the statements go to deals of their own.
DEALS = 200


class Service:
    """`verbatim serve` on a directory. All are gone at the end."""

    running = []

    def __init__(self, binary, data):
        self.started = time.monotonic()
        command = [binary, "serve", "--data", data, "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        Service.running.append(self.process)
        self.ops = None
        for line in self.process.stderr:
            if match := re.search(r"answers operators on (\S+)", line):
                self.ops = match.group(1)
            if match := re.search(r" listens on ([^;\s]+)", line):
                self.url = match.group(1)
                # A pipe that nobody reads would stop it once it is full.
                threading.Thread(target=self.process.stderr.read, daemon=True).start()
                return
        sys.exit("reopen.py: the service does not start")

    def metric(self, name):
        with urllib.request.urlopen(f"{self.ops}/metrics", timeout=60) as answer:
            text = answer.read().decode()
        return int(float(re.search(rf"^{name} (\S+)$", text, re.MULTILINE).group(1)))

    def kill(self):
        self.process.kill()
        self.process.wait()


def output(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"reopen.py: {command}: {done.stderr}")
    return done.stdout + done.stderr


def disk_bytes(directory):
    return sum(512 * file.stat().st_blocks for file in Path(directory).rglob("*") if file.is_file())


def forget(directory):
    """Has the system forget what it holds of the files, as after a restart of the machine."""
    for file in Path(directory).rglob("*"):
        if file.is_file():
            descriptor = os.open(file, os.O_RDONLY)
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def told(what):
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


def measure(binary, directory, statements):
    with tempfile.TemporaryDirectory(dir=directory, prefix="verbatim-reopen-") as home:
        data = Path(home) / "data"
        service = Service(binary, data)
        load = ["--mode", "ingest", "--deals", DEALS, "--statements", statements, "--seconds", 1, "--warm-up", 0]
        told(f"recording {statements} statements")
        output(binary, "bench", *load, "--server", service.url)
        event_bytes = service.metric("verbatim_store_event_bytes_total")
        service.kill()
        forget(data)

        told("starting again")
        service = Service(binary, data)
        listening = time.monotonic() - service.started
        output(binary, "score", "bench-000000", "--server", service.url)
        answered = time.monotonic() - service.started
        before = disk_bytes(data)
        service.process.terminate()
        service.process.wait()
        told("compacting")
        output(binary, "compact", "--data", data)
        events = int(re.search(r"([\d]+) events", output(binary, "verify", "--data", data)).group(1))
        return {
            "events": events,
            "event_bytes": event_bytes,
            "listens_seconds": round(listening, 2),
            "answers_seconds": round(answered, 2),
            "disk_bytes": before,
            "compacted_bytes": disk_bytes(data),
        }


def plot(measured, path):
    """Seconds, and bytes of disk a byte of events, against events."""
    to_events = lambda key: [one[key] / one["event_bytes"] for one in measured]
    panels = [
        (
            "seconds from start to the first score, after kill -9",
            REOPEN_SECONDS_MAX,
            {"reopened": [one["answers_seconds"] for one in measured]},
        ),
        (
            "bytes of disk a byte of events",
            DISK_TO_EVENTS_MAX,
            {"as it grew": to_events("disk_bytes"), "compacted": to_events("compacted_bytes")},
        ),
    ]
    draw(path, "events", [one["events"] for one in measured], panels)


def main():
    parser = argparse.ArgumentParser(description="Reopening and disk against the size of a store.")
    parser.add_argument("binary", help="a release build of verbatim")
    parser.add_argument("--sizes", default="200000,1000000,2000000", help="statements, by comma")
    parser.add_argument("--directory", default=".", help="on the disk that is meant")
    parser.add_argument("--plot", help="an SVG to write")
    options = parser.parse_args()
    # So that what was started is gone as well when this is told to stop.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("reopen.py: told to stop"))
    binary = str(Path(options.binary).resolve())
    try:
        measured = [measure(binary, options.directory, int(size)) for size in options.sizes.split(",")]
    finally:
        for process in Service.running:
            process.kill()
    for one in measured:
        print(json.dumps(one))
    if options.plot:
        plot(measured, options.plot)


if __name__ == "__main__":
    main()
