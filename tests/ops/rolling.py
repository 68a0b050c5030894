#!/usr/bin/env python3
"""Two replicas over one PostgreSQL are restarted one after the other under load: no call is lost that is tried once more.

A caller writes and reads by either replica in turn, and tries a call that failed once more, by the other. Then every
statement is there, once. Also: a service refuses tables that are behind, and says so; `migrate` mends it.

Usage: rolling.py VERBATIM [ROUNDS], with VERBATIM_TEST_POSTGRES naming a database that is the test's own, as
tests/postgres/with-server makes one.
"""

import collections
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.parse

# Longer than anything here takes on a busy machine; reached only by what hangs.
PATIENCE_SECONDS = 60
CALLERS = 8
SERVICE = "/verbatim.v1."


def environment_of(store):
    """Without the variables of the tests, which are no settings."""
    without = {key: value for key, value in os.environ.items() if not key.startswith("VERBATIM_")}
    return without | {"VERBATIM_STORE": store}


class Replica:
    """One process, started anew on the port that it had: as a Pod behind its Service."""

    def __init__(self, verbatim, store):
        self.verbatim, self.store, self.port = verbatim, store, 0
        self.start()

    def start(self):
        command = [self.verbatim, "serve", "--listen", f"127.0.0.1:{self.port}", "--drain-ms", "300"]
        environment = environment_of(self.store)
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
        said = []
        for line in self.process.stderr:
            said.append(line)
            if found := re.search(r"listens on http://127\.0\.0\.1:([0-9]+)", line):
                self.port = int(found[1])
                # Read on, so that it never waits for somebody to read.
                threading.Thread(target=self.process.stderr.read, daemon=True).start()
                return
        sys.exit(f"a replica did not start: {''.join(said)}")

    def restart(self):
        self.process.send_signal(signal.SIGTERM)
        if (ended := self.process.wait(PATIENCE_SECONDS)) != 0:
            sys.exit(f"a replica ended with {ended}")
        self.start()


class Caller(threading.Thread):
    """Calls until it is told to stop; keeps what was acknowledged, and what failed twice."""

    def __init__(self, number, replicas, stop):
        super().__init__()
        self.number, self.replicas, self.stop = number, replicas, stop
        self.connections = {}
        self.recorded, self.lost = [], []
        self.calls = self.again = 0

    def run(self):
        deal = f"deal-{self.number}"
        for count in range(sys.maxsize):
            if self.stop.is_set():
                return
            statement = {
                "statementId": f"{deal}-{count}",
                "dealId": deal,
                "speaker": {"stakeholderId": "p1"},
                "quote": "We lose a day a week to this.",
                "attribution": "ATTRIBUTION_VERBATIM",
                "claims": [{"topic": "TOPIC_PROBLEM"}],
            }
            written = self.call("QualificationService/RecordBuyerStatement", {"statement": statement}, count)
            if written:
                self.recorded.append(statement["statementId"])
                # The write is seen by whichever replica is asked.
                wanted = {"dealId": deal, "minRevision": written["revision"]}
                self.call("QualificationService/ScoreDeal", wanted, count + 1)

    def call(self, method, message, turn):
        self.calls += 1
        first, second = self.replicas[turn % 2], self.replicas[(turn + 1) % 2]
        problems = []
        for replica in (first, second):
            try:
                status, answer = self.post(replica.port, method, message)
                if status == 200:
                    return answer
                problems.append(f"{status} {answer}")
            except (OSError, http.client.HTTPException) as error:
                problems.append(repr(error))
                self.connections.pop(replica.port, None)
            self.again += replica is first
        self.lost.append(f"{method}: {', then '.join(problems)}")
        return None

    def post(self, port, method, message):
        if port not in self.connections:
            self.connections[port] = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
        connection = self.connections[port]
        connection.request("POST", SERVICE + method, json.dumps(message), {"content-type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def history(port, deal):
    """The ids of the statements of a deal, oldest first."""
    ids, token = [], ""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    while True:
        body = json.dumps({"dealId": deal, "pageSize": 500, "pageToken": token})
        connection.request("POST", f"{SERVICE}DealService/ListDealHistory", body, {"content-type": "application/json"})
        page = json.loads(connection.getresponse().read())
        ids += re.findall(r'"statementId": ?"([^"]+)"', json.dumps(page["events"]))
        token = page.get("nextPageToken", "")
        if not token:
            return ids


def refused_before_it_is_migrated(verbatim, store):
    environment = environment_of(store)
    serve = [verbatim, "serve", "--listen", "127.0.0.1:0"]
    done = subprocess.run(serve, env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    if done.returncode != 69 or "verbatim migrate" not in done.stderr:
        sys.exit(f"tables that are behind are not refused: {done.returncode} {done.stderr}")
    print("tables that are behind are refused: yes")
    subprocess.run([verbatim, "migrate"], env=environment, check=True, timeout=PATIENCE_SECONDS)


def main():
    verbatim, *more = sys.argv[1:]
    rounds = int(more[0]) if more else 3
    store = os.environ["VERBATIM_TEST_POSTGRES"]
    refused_before_it_is_migrated(verbatim, store)
    replicas = [Replica(verbatim, store) for _ in range(2)]
    try:
        stop = threading.Event()
        callers = [Caller(number, replicas, stop) for number in range(CALLERS)]
        for caller in callers:
            caller.start()
        for _ in range(rounds):
            for replica in replicas:
                before = sum(caller.calls for caller in callers)
                until = time.monotonic() + PATIENCE_SECONDS
                # Under load: some hundred calls between two restarts.
                while sum(caller.calls for caller in callers) < before + 300:
                    if until < time.monotonic():
                        sys.exit("the callers do not get on")
                    time.sleep(0.01)
                replica.restart()
        stop.set()
        for caller in callers:
            caller.join(2 * PATIENCE_SECONDS)

        lost = [each for caller in callers for each in caller.lost]
        if lost:
            sys.exit(f"{len(lost)} calls failed twice, such as {lost[:3]}")
        for caller in callers:
            kept = collections.Counter(history(replicas[0].port, f"deal-{caller.number}"))
            missing = [each for each in caller.recorded if kept[each] != 1]
            if missing:
                sys.exit(f"not there once: {missing[:3]}")
        calls, again = (sum(getattr(each, name) for each in callers) for name in ("calls", "again"))
        recorded = sum(len(caller.recorded) for caller in callers)
        print(f"{2 * rounds} restarts under load: {calls} calls, {again} tried once more, none lost; {recorded} statements there once")
    finally:
        for replica in replicas:
            replica.process.terminate()
            replica.process.wait(PATIENCE_SECONDS)


if urllib.parse.urlparse(os.environ.get("VERBATIM_TEST_POSTGRES", "")).scheme != "postgres":
    sys.exit("VERBATIM_TEST_POSTGRES names no database: tests/postgres/with-server does")
main()
