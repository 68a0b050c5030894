#!/usr/bin/env python3
"""Watches the system calls of the service: no statement is answered before the log that holds it is on the disk.

    observe_sync.py BINARY

For each of many statements, recorded by several clients at once, the trace must show in this order: a write of its
words to the store's log, an fdatasync of the log that begins after that write has ended and ends with 0, and only then
the answer with its words to the caller. Needs strace. Ends with 0 when it held for all.
"""

import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

CLIENTS = 8
STATEMENTS_A_CLIENT = 25
CALLS = "fdatasync,fsync,write,writev,pwrite64,pwritev,sendto,sendmsg"

# pid, time, and either a whole call, the beginning of one, or its end.
LINE = re.compile(r"(\d+)\s+\S+ (.*)")
BEGINNING = re.compile(r"(\w+)\((\d+)<(.*?)>")
RESUMED = re.compile(r"<\.\.\. (\w+) resumed>")
WORDS = re.compile(r"words-(\d+)-")
# An answer may be cut in two where one buffer of a write ends and the next begins.
BUFFERS = re.compile(r'", iov_len=\d+}, {iov_base="')


class Call:
    def __init__(self, name, path, text, began):
        self.name, self.path, self.text, self.began = name, path, text, began
        self.ended = None
        self.result = None


def calls_of(trace):
    """The calls of a trace in the order in which they began; a place in it is the number of a line."""
    calls, open_calls = [], {}
    for place, line in enumerate(trace):
        match = LINE.match(line)
        if not match:
            continue
        thread, rest = match.groups()
        if resumed := RESUMED.match(rest):
            call = open_calls.pop(thread, None)
            if call is None or call.name != resumed.group(1):
                sys.exit(f"observe_sync.py: line {place + 1} of the trace ends a call that did not begin")
        elif beginning := BEGINNING.match(rest):
            name, _, path = beginning.groups()
            call = Call(name, path, rest, place)
            calls.append(call)
            if rest.endswith("<unfinished ...>"):
                open_calls[thread] = call
                continue
        else:
            continue
        call.ended = place
        call.result = rest.rsplit(" = ", 1)[-1]
    return calls


def check(calls, log, numbers):
    """The faults found, one sentence each."""
    written, answered, syncs, faults = {}, {}, [], []
    for call in calls:
        if call.name in ("fdatasync", "fsync"):
            if call.path == log and call.result == "0":
                syncs.append(call)
            continue
        for number in map(int, WORDS.findall(BUFFERS.sub("", call.text))):
            if call.path == log:
                written.setdefault(number, call)
            elif "TCP" in call.path or "socket" in call.path:
                answered.setdefault(number, call)
    for number in numbers:
        write, answer = written.get(number), answered.get(number)
        if write is None or answer is None:
            faults.append(f"statement {number}: its write or its answer is not in the trace")
        elif not any(write.ended < sync.began and sync.ended < answer.began for sync in syncs):
            faults.append(f"statement {number}: answered without an fdatasync after its write")
    if not faults:
        print(f"{len(answered)} statements, {len(syncs)} syncs of the log: each answered after a sync after its write")
    return faults


def lines(client):
    for place in range(STATEMENTS_A_CLIENT):
        number = client * STATEMENTS_A_CLIENT + place
        statement = {
            # An answer tells the id and not the quote.
            "statementId": f"words-{number}-of",
            "dealId": f"deal-{client}",
            "speaker": {"stakeholderId": "ana"},
            "saidAt": "2025-01-02T03:04:05Z",
            "attribution": "ATTRIBUTION_VERBATIM",
            "quote": f"words-{number}-of the buyer",
        }
        yield json.dumps({"recordBuyerStatement": {"statement": statement}}) + "\n"


def run(binary, home):
    trace = home / "trace"
    serve = [binary, "serve", "--data", home / "data", "--listen", "127.0.0.1:0"]
    strace = ["strace", "-f", "-y", "-tt", "-s", "1000000", "-e", f"trace={CALLS}", "-e", "signal=none", "-o", trace]
    service = subprocess.Popen([*strace, *serve], stderr=subprocess.PIPE, text=True)
    for line in service.stderr:
        if match := re.search(r" listens on (\S+);", line):
            break
    else:
        sys.exit("observe_sync.py: the service does not start under strace")

    clients = []
    for client in range(CLIENTS):
        load = [binary, "load", "-", "--server", match.group(1)]
        nowhere = subprocess.DEVNULL
        clients.append(subprocess.Popen(load, stdin=subprocess.PIPE, stdout=nowhere, stderr=nowhere, text=True))
    for number, client in enumerate(clients):
        client.stdin.writelines(lines(number))
    for client in clients:
        client.stdin.close()
        if client.wait(timeout=120) != 0:
            sys.exit("observe_sync.py: a client was refused")

    # strace passes the signal of its end on to nobody, so the service itself is told.
    tracee = Path(f"/proc/{service.pid}/task/{service.pid}/children").read_text().split()
    for pid in tracee:
        subprocess.run(["kill", "-TERM", pid], check=True)
    if service.wait(timeout=120) not in (0, -signal.SIGTERM):
        sys.exit(f"observe_sync.py: the service ended with {service.returncode}")
    return trace.read_text(errors="replace").splitlines()


def main():
    if shutil.which("strace") is None:
        sys.exit("observe_sync.py: strace is not installed; on Debian: apt-get install strace")
    binary = str(Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory).resolve()
        trace = run(binary, home)
        faults = check(calls_of(trace), str(home / "data" / "db"), range(CLIENTS * STATEMENTS_A_CLIENT))
    for fault in faults:
        print(fault, file=sys.stderr)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
