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
    """Two panels: seconds, and bytes of disk a byte of events, against events."""
    most = max(one["events"] for one in measured)
    panels = [
        ("seconds from start to the first score, after kill -9", REOPEN_SECONDS_MAX, [("reopened", "answers_seconds", None)]),
        (
            "bytes of disk a byte of events",
            DISK_TO_EVENTS_MAX,
            [("as it grew", "disk_bytes", "event_bytes"), ("compacted", "compacted_bytes", "event_bytes")],
        ),
    ]
    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="760" height="300" font-family="sans-serif" font-size="12">']
    out.append('<rect width="760" height="300" fill="white"/>')
    colours = ["#1f6f8b", "#c8553d"]
    for place, (title, aim, rows) in enumerate(panels):
        left, bottom, width, height = 50 + 380 * place, 250, 300, 190
        values = [[one[key] / (one[by] if by else 1) for one in measured] for _, key, by in rows]
        top = 1.15 * max([aim, *(value for row in values for value in row)])
        x = lambda events: left + width * events / most
        y = lambda value: bottom - height * value / top
        out.append(f'<text x="{left - 20}" y="30" font-weight="bold">{title}</text>')
        out.append(f'<path d="M{left} {bottom - height}V{bottom}H{left + width}" fill="none" stroke="#444"/>')
        out.append(f'<path d="M{left} {y(aim):.1f}H{left + width}" stroke="#999" stroke-dasharray="4 3"/>')
        out.append(f'<text x="{left - 6}" y="{y(aim) + 4:.1f}" text-anchor="end">{aim}</text>')
        out.append(f'<text x="{left - 6}" y="{bottom + 4}" text-anchor="end">0</text>')
        for one in measured:
            label = f"{one['events'] / 1e6:.1f} M"
            out.append(f'<text x="{x(one["events"]):.1f}" y="{bottom + 18}" text-anchor="middle">{label}</text>')
        for (name, _, _), row, colour in zip(rows, values, colours):
            points = [(x(one["events"]), y(value)) for one, value in zip(measured, row)]
            path_of = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
            out.append(f'<polyline points="{path_of}" fill="none" stroke="{colour}" stroke-width="2"/>')
            for (a, b), value in zip(points, row):
                out.append(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>')
                out.append(f'<text x="{a:.1f}" y="{b - 7:.1f}" text-anchor="middle" fill="{colour}">{value:.1f}</text>')
            if 1 < len(rows):
                out.append(f'<text x="{left + 8}" y="{points[0][1] - 20:.1f}" fill="{colour}">{name}</text>')
        out.append(f'<text x="{left + width / 2}" y="285" text-anchor="middle">events</text>')
    out.append("</svg>")
    Path(path).write_text("\n".join(out) + "\n")


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
