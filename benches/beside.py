#!/usr/bin/env python3
"""Durable writes of the service beside PostgreSQL and Redis on the same disk, in one run.

    benches/beside.py BINARY [--seconds 10] [--rounds 3] [--directory DIR] [--json]

64 callers each, in turn, several rounds:

- the service: RecordBuyerStatement over gRPC (`verbatim bench --mode record`), each answered with its new score;
- the least that durability costs: a thread that appends the bytes of the same events and syncs once a group (same command);
- PostgreSQL: the same event and a state, in one prepared statement, by pgbench over a socket;
- Redis with `appendfsync always`: the same by a Lua script, by redis-benchmark over loopback.

PostgreSQL and Redis keep nothing but bytes; the service checks, scores twice and answers with the reasons. Both are started on
directories beside the service's and are gone at the end; what is missing is installed from Debian's packages, which needs root.
Figures drift with whatever else the machine does: the ratios are medians over the rounds.
"""

import argparse
import csv
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

CALLERS = 64
DEALS = 20_000
STATE_BYTES = 1_500
AIMS = {"postgresql": 2.5, "redis": 1.0, "file": 0.7}

SCHEMA = """
CREATE TABLE events (tenant text, deal text, revision bigint, bytes bytea, PRIMARY KEY (tenant, deal, revision));
CREATE TABLE states (tenant text, deal text, revision bigint, bytes bytea, PRIMARY KEY (tenant, deal));
INSERT INTO states SELECT 'default', 'deal-' || n, 0, '\\x' FROM generate_series(1, {deals}) n;
CHECKPOINT;
"""

STATEMENT = """
\\set deal random(1, {deals})
WITH state AS (UPDATE states SET revision = revision + 1, bytes = '{state}'
  WHERE tenant = 'default' AND deal = 'deal-' || :deal RETURNING revision)
INSERT INTO events SELECT 'default', 'deal-' || :deal, revision, '{event}' FROM state;
"""

SCRIPT = """
local revision = redis.call('HINCRBY', KEYS[1], 'revision', 1)
redis.call('HSET', KEYS[1], 'state', ARGV[2])
redis.call('RPUSH', KEYS[1] .. ':events', ARGV[1])
return revision
"""


def output(*command, **options):
    command = [str(word) for word in command]
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        sys.exit(f"beside.py: {' '.join(command)[:200]}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def postgres_binary(name):
    if found := shutil.which(name):
        return found
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else None


def install():
    missing = []
    if not postgres_binary("initdb") or not postgres_binary("pgbench"):
        missing += ["postgresql", "postgresql-contrib"]
    if not shutil.which("redis-server") or not shutil.which("redis-benchmark"):
        missing += ["redis-server", "redis-tools"]
    if missing:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        output("apt-get", "update", "-qq")
        output("apt-get", "install", "-y", "-qq", *missing, env=environment)


class Postgres:
    """A server of its own, as the user `postgres` when this is root, since it does not run as root."""

    def __init__(self, home, port, event_bytes):
        self.home, self.port = home / "postgres", port
        self.home.mkdir()
        self.prefix = []
        if os.geteuid() == 0:
            shutil.chown(self.home, "postgres")
            self.prefix = ["runuser", "-u", "postgres", "--"]
        self.data = self.home / "data"
        self.run("initdb", "-D", self.data, "-A", "trust", "-U", "postgres")
        options = f"-p {port} -k {self.home} -c listen_addresses='' -c shared_buffers=256MB -c max_wal_size=4GB"
        self.run("pg_ctl", "-D", self.data, "-w", "-l", self.home / "log", "-o", options, "start")
        schema = self.home / "schema.sql"
        schema.write_text(SCHEMA.format(deals=DEALS))
        self.run("psql", *self.where(), "-q", "-v", "ON_ERROR_STOP=1", "-f", schema)
        self.script = self.home / "statement.sql"
        text = STATEMENT.format(deals=DEALS, state="s" * STATE_BYTES, event="e" * event_bytes)
        self.script.write_text(text)

    def run(self, name, *arguments):
        return output(*self.prefix, postgres_binary(name), *arguments, cwd=self.home)

    def where(self):
        return ["-h", self.home, "-p", self.port, "-U", "postgres", "-d", "postgres"]

    def per_second(self, seconds):
        load = ["-n", "-c", CALLERS, "-j", 2, "-M", "prepared", "-T", seconds, "-f", self.script]
        where = ["-h", self.home, "-p", self.port, "-U", "postgres", "postgres"]
        told = self.run("pgbench", *load, *where)
        return float(re.search(r"tps = ([\d.]+)", told).group(1))

    def stop(self):
        self.run("pg_ctl", "-D", self.data, "-m", "immediate", "stop")


class Redis:
    """A server of its own that syncs before each answer."""

    def __init__(self, home, port, event_bytes):
        place = home / "redis"
        place.mkdir()
        options = ["--port", port, "--bind", "127.0.0.1", "--dir", place, "--save", ""]
        durable = ["--appendonly", "yes", "--appendfsync", "always"]
        command = ["redis-server", *options, *durable]
        self.server = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
        self.port = port
        while subprocess.run(["redis-cli", "-p", str(port), "ping"], capture_output=True, check=False).returncode != 0:
            if self.server.poll() is not None:
                sys.exit("beside.py: redis-server does not start")
        self.script = output("redis-cli", "-p", port, "script", "load", SCRIPT).strip()
        self.arguments = ["e" * event_bytes, "s" * STATE_BYTES]
        self.rate = self.measure(20_000)

    def measure(self, calls):
        load = ["-p", self.port, "-c", CALLERS, "-n", calls, "-r", DEALS, "--csv"]
        call = ["evalsha", self.script, 1, "deal:__rand_int__", *self.arguments]
        told = output("redis-benchmark", *load, *call)
        return float(list(csv.reader(told.strip().splitlines()))[-1][1])

    def per_second(self, seconds):
        self.rate = self.measure(max(1_000, int(self.rate * seconds)))
        return self.rate

    def stop(self):
        self.server.terminate()
        self.server.wait()


def service(binary, home, seconds):
    load = ["--mode", "record", "--callers", CALLERS, "--seconds", seconds, "--warm-up", 1]
    return json.loads(output(binary, "bench", *load, "--directory", home, "--json"))


def measure(options):
    rounds = []
    with tempfile.TemporaryDirectory(dir=options.directory, prefix="verbatim-beside-") as directory:
        home = Path(directory)
        # PostgreSQL's user has to get to its own directory in it.
        home.chmod(0o755)
        event_bytes = service(options.binary, home, 1)["record_bytes"]
        postgres, redis = Postgres(home, options.port, event_bytes), Redis(home, options.port + 1, event_bytes)
        try:
            for number in range(options.rounds):
                ours = service(options.binary, home, options.seconds)
                rounds.append(
                    {
                        "service": ours["service"]["calls_per_second"],
                        "file": ours["file"]["calls_per_second"],
                        "postgresql": postgres.per_second(options.seconds),
                        "redis": redis.per_second(options.seconds),
                    }
                )
                print(f"round {number + 1} of {options.rounds}: {rounds[-1]}", file=sys.stderr)
        finally:
            postgres.stop()
            redis.stop()
    return event_bytes, rounds


def main():
    parser = argparse.ArgumentParser(description="Durable writes beside PostgreSQL and Redis.")
    parser.add_argument("binary", help="a release build of verbatim")
    parser.add_argument("--seconds", type=int, default=10, help="of load on each, in each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--directory", default=".", help="on the disk that is meant")
    parser.add_argument("--port", type=int, default=22_040, help="of PostgreSQL's socket; Redis has the next one")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    # So that what was started is gone as well when this is told to stop.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("beside.py: told to stop"))
    options.binary = str(Path(options.binary).resolve())
    options.directory = str(Path(options.directory).resolve())
    install()
    event_bytes, rounds = measure(options)

    medians = {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
    ratios = {name: statistics.median(one["service"] / one[name] for one in rounds) for name in AIMS}
    if options.json:
        print(json.dumps({"event_bytes": event_bytes, "rounds": rounds, "per_second": medians, "service_to": ratios}))
        return
    print(f"{CALLERS} callers, {len(rounds)} rounds of {options.seconds} s each, medians; events of {event_bytes} B\n")
    print(f"{'':28}{'durable/s':>12}{'service to it':>16}{'aim':>8}")
    print(f"{'service, over gRPC':28}{medians['service']:12.0f}")
    names = {"postgresql": "PostgreSQL, pgbench", "redis": "Redis, a Lua script", "file": "file, one sync a group"}
    for name, told in names.items():
        print(f"{told:28}{medians[name]:12.0f}{ratios[name]:16.2f}{AIMS[name]:8.2f}")


if __name__ == "__main__":
    main()
