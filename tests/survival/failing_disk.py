#!/usr/bin/env python3
"""Disks that fail under the service: writes are refused, reads go on, the service says why and ends, nothing is lost.

    failing_disk.py BINARY

1. A file system that turns read-only under open files, as ext4 does when it finds a fault (`mount -o remount,abort`).
2. A disk that takes no more writes: they fail with EIO when they are made durable. It is a loop device whose own file lies
   on a file system that has run full.
3. A single sync that fails with EIO, by strace, on a file system that is well otherwise.

Each time callers write until they are refused. Every statement that was acknowledged must be there once the disk is well
again. Needs root, loop devices, ext4 and strace; what is made lies in a mount namespace of its own. Ends with 0 when all held.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from pathlib import Path

CALLERS = 4
WRITES_BEFORE = 300
# After a fault the service goes on for so long, so that reads can be seen to go on.
DRAIN_MS = 3000
TIMEOUT_S = 60


def run(*command):
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)


def output(*command):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout.strip()


class Service:
    """`verbatim serve` on a directory; what it says is kept. All are gone at the end."""

    running = []

    def __init__(self, binary, data):
        options = ["--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--drain-ms", str(DRAIN_MS)]
        command = [binary, "serve", "--data", str(data), "--free-mib-min", "1", *options]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        Service.running.append(self)
        self.said, self.url, self.ops = [], None, None
        for line in self.process.stderr:
            self.said.append(line)
            if match := re.search(r"answers operators on (\S+)", line):
                self.ops = match.group(1)
            if match := re.search(r" listens on ([^;\s]+)", line):
                self.url = match.group(1)
                break
        else:
            self.process.wait()
            return
        threading.Thread(target=lambda: self.said.extend(self.process.stderr), daemon=True).start()

    def call(self, method, message):
        """The answer, or the error with its reason."""
        request = urllib.request.Request(
            f"{self.url}/verbatim.v1.{method}",
            data=json.dumps(message).encode(),
            headers={"content-type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return {"refused": json.load(error)}

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"{self.ops}/readyz", timeout=TIMEOUT_S) as answer:
                return answer.status == 200
        except urllib.error.HTTPError:
            return False

    def record(self, number):
        statement = {
            "dealId": f"deal-{number % 5}",
            "statementId": f"s{number}",
            "speaker": {"stakeholderId": "ana", "roles": ["BUYING_ROLE_ECONOMIC_BUYER"]},
            "saidAt": "2025-01-02T03:04:05Z",
            "quote": f"statement {number} " + "of the buyer " * 100,
            "attribution": "ATTRIBUTION_VERBATIM",
            "claims": [{"topic": 1 + number % 9}],
        }
        return self.call("QualificationService/RecordBuyerStatement", {"statement": statement})

    def score(self):
        asked = {"dealId": "deal-1", "asOf": "2025-02-02T00:00:00Z"}
        return self.call("QualificationService/ScoreDeal", asked)

    def kept(self):
        """The ids of all statements that are there."""
        found = set()
        for deal in range(5):
            asked = {"dealId": f"deal-{deal}", "pageSize": 1000}
            while True:
                page = self.call("DealService/ListDealHistory", asked)
                found |= {event["statement"]["statementId"] for event in page["events"] if "statement" in event}
                if not page.get("nextPageToken"):
                    break
                asked["pageToken"] = page["nextPageToken"]
        return found

    def drop(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(timeout=TIMEOUT_S) != 0:
            sys.exit(f"it did not stop in good order: {''.join(self.said)}")


class Writers:
    """Callers who write until they are refused."""

    def __init__(self, service):
        self.service, self.acknowledged, self.refusals = service, set(), []
        self.numbers, self.lock = iter(range(1, 1 << 30)), threading.Lock()
        self.enough = threading.Event()
        self.threads = [threading.Thread(target=self.write) for _ in range(CALLERS)]
        for thread in self.threads:
            thread.start()

    def write(self):
        while True:
            with self.lock:
                number = next(self.numbers)
            answer = self.service.record(number)
            with self.lock:
                if "refused" in answer:
                    self.refusals.append(answer["refused"])
                    self.enough.set()
                    return
                self.acknowledged.add(f"s{number}")
                if WRITES_BEFORE <= len(self.acknowledged):
                    self.enough.set()

    def wait(self):
        for thread in self.threads:
            thread.join(timeout=TIMEOUT_S)
            if thread.is_alive():
                sys.exit("a caller hangs")


def fail_under_load(name, binary, data, fails):
    """Lets the disk fail under load. Answers what was acknowledged."""
    service = Service(binary, data)
    if service.url is None:
        sys.exit(f"{name}: it does not start: {''.join(service.said)}")
    for number in range(10_000_000, 10_000_010):
        service.record(number)
    before = service.score()
    if not service.is_ready():
        sys.exit(f"{name}: it is not ready before anything failed")
    writers = Writers(service)
    if not writers.enough.wait(TIMEOUT_S):
        sys.exit(f"{name}: the writers are stuck")
    mend = fails(service)
    writers.wait()

    for refusal in writers.refusals:
        if refusal["code"] != "unavailable":
            sys.exit(f"{name}: refused otherwise: {refusal}")
    later = service.record(20_000_000)
    if "refused" not in later:
        sys.exit(f"{name}: a write is taken after the fault: {later}")
    # Of this deal nothing but what is there may have changed the score, so it is asked again and not compared.
    now = service.score()
    if "refused" in now or now["score"]["revision"] < before["score"]["revision"]:
        sys.exit(f"{name}: reads do not go on: {now}")
    if service.is_ready():
        sys.exit(f"{name}: it says that it is ready")
    code = service.process.wait(timeout=TIMEOUT_S)
    said = "".join(service.said)
    last = said.strip().splitlines()[-1]
    if code != 70 or "the store refuses writes since a fault" not in last or "panicked at" in said:
        sys.exit(f"{name}: it ended with {code}: {said}")
    print(f"   refused: {writers.refusals[0]['message']}\n   ended with 70: {last}", flush=True)
    mend()
    return writers.acknowledged


def check_kept(name, binary, data, acknowledged):
    service = Service(binary, data)
    if service.url is None:
        sys.exit(f"{name}: it does not come up again: {''.join(service.said)}")
    lost = acknowledged - service.kept()
    if lost:
        sys.exit(f"{name}: {len(lost)} of {len(acknowledged)} acknowledged statements are lost: {sorted(lost)[:5]}")
    if "refused" in service.record(30_000_000):
        sys.exit(f"{name}: it takes no writes after the disk is well")
    service.stop()
    print(f"   {len(acknowledged)} acknowledged statements, all there", flush=True)


class LoopDisk:
    """An ext4 file system on a loop device whose file is in `place`."""

    def __init__(self, place, mount_at):
        self.mounted = Path(mount_at)
        self.mounted.mkdir()
        image = Path(place) / "image"
        run("truncate", "-s", "96m", image)
        # Nothing is written later than needed, so that the file takes only what is used.
        run("mkfs.ext4", "-q", image)
        self.device = output("losetup", "-f", "--show", image)
        self.mount()

    def mount(self):
        run("mount", "-t", "ext4", self.device, self.mounted)

    def unmount(self):
        run("umount", self.mounted)

    def drop(self):
        subprocess.run(["umount", str(self.mounted)], stderr=subprocess.DEVNULL, check=False)
        subprocess.run(["losetup", "-d", self.device], stderr=subprocess.DEVNULL, check=False)


def drop_all(disk):
    for service in Service.running:
        service.drop()
    disk.drop()


def read_only(binary, home):
    print("1. the file system turns read-only", flush=True)
    disk = LoopDisk(home, home / "abort")
    try:
        data = disk.mounted / "data"

        def fails(_service):
            run("mount", "-o", "remount,abort", disk.mounted)

            def mend():
                refused = Service(binary, data)
                if refused.url is not None or refused.process.returncode not in (69, 70):
                    sys.exit(f"on a read-only disk it should not start: {refused.said}")
                print(f"   started on it: {refused.said[-1].strip()}", flush=True)
                disk.unmount()
                disk.mount()

            return mend

        acknowledged = fail_under_load("read-only", binary, data, fails)
        check_kept("read-only", binary, data, acknowledged)
    finally:
        drop_all(disk)


def no_more_writes(binary, home):
    print("2. the disk takes no more writes", flush=True)
    below = home / "below"
    below.mkdir()
    run("mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", below)
    disk = LoopDisk(below, home / "thin")
    try:
        data = disk.mounted / "data"

        def fails(_service):
            filler = below / "filler"
            with open(filler, "wb") as file:
                try:
                    while True:
                        os.write(file.fileno(), bytes(4096))
                except OSError:
                    pass

            def mend():
                filler.unlink()
                disk.unmount()
                disk.mount()

            return mend

        acknowledged = fail_under_load("no more writes", binary, data, fails)
        check_kept("no more writes", binary, data, acknowledged)
    finally:
        drop_all(disk)
        run("umount", below)


def one_sync(binary, home):
    print("3. one sync fails", flush=True)
    data = home / "data"

    def fails(service):
        strace = ["strace", "-f", "-q", "-o", "/dev/null", "-e", "trace=fdatasync"]
        inject = ["-e", "inject=fdatasync:error=EIO:when=1"]
        tracer = subprocess.Popen([*strace, *inject, "-p", str(service.process.pid)], stderr=subprocess.DEVNULL)

        def mend():
            tracer.wait(timeout=TIMEOUT_S)

        return mend

    acknowledged = fail_under_load("one sync", binary, data, fails)
    check_kept("one sync", binary, data, acknowledged)


def main():
    binary = str(Path(sys.argv[1]).resolve())
    if sys.argv[2:] != ["inside"]:
        if os.geteuid() != 0:
            sys.exit("failing_disk.py: needs root to mount a file system")
        os.execvp("unshare", ["unshare", "--mount", sys.executable, __file__, binary, "inside"])
    if shutil.which("strace") is None:
        sys.exit("failing_disk.py: strace is not installed; on Debian: apt-get install strace")
    # So that what was mounted and started is gone as well when this is told to stop.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("failing_disk.py: told to stop"))
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory).resolve()
        read_only(binary, home)
        no_more_writes(binary, home)
        one_sync(binary, home)


if __name__ == "__main__":
    main()
