#!/usr/bin/env python3
"""What calls send to PostgreSQL and what they leave there: statements a call, counted in the database's own log, rows read
by going through a whole table, and bytes an event. Counts, so they hold on any machine. Checked: a score from memory asks
the database nothing, and no call nor a backup reads a whole table of what was said.

Usage: with-server statements.py VERBATIM
"""

import collections
import concurrent.futures
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CALLS = 100
CALLERS = 50
PATIENCE_SECONDS = 60
SERVICE = "/verbatim.v1."
TABLES = ("events", "changes", "deals", "projections")
# While a table has a page or two, going through it is the quickest way; this many rows are on them.
ROWS_SCANNED_MAX = 50


def sql(text):
    asked = ["psql", os.environ["VERBATIM_TEST_POSTGRES"], "-AtXc", text]
    return subprocess.run(asked, check=True, capture_output=True, text=True, timeout=PATIENCE_SECONDS).stdout.strip()


class Statements:
    """The statements in the log of the database since the last time."""

    def __init__(self):
        sql("ALTER SYSTEM SET log_statement = 'all'")
        sql("ALTER SYSTEM SET log_line_prefix = '%a|'")
        sql("SELECT pg_reload_conf()")
        self.log = Path(sql("SHOW data_directory")).parent / "log"
        self.read = self.log.stat().st_size

    def taken(self):
        with self.log.open() as log:
            log.seek(self.read)
            text = log.read()
            self.read = log.tell()
        found = re.findall(r"^[^|\n]*\|LOG:  (?:statement|execute [^:]*): (.*)$", text, re.M)
        return collections.Counter(each.split(" FROM")[0][:40].strip() for each in found)


def start(verbatim):
    environment = {"PATH": os.environ["PATH"], "VERBATIM_STORE": os.environ["VERBATIM_TEST_POSTGRES"]}
    subprocess.run([verbatim, "migrate"], env=environment, check=True, capture_output=True, timeout=PATIENCE_SECONDS)
    serve = [verbatim, "serve", "--listen", "127.0.0.1:0", "--log-level", "off", "--drain-ms", "0"]
    process = subprocess.Popen(serve, env=environment, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        found = re.search(r"listens on http://127.0.0.1:(\d+)", line)
        if found:
            return process, http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=PATIENCE_SECONDS)
    sys.exit("the service does not listen")


def call(connection, method, message):
    connection.request("POST", SERVICE + method, json.dumps(message), {"content-type": "application/json"})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        sys.exit(f"{method}: {answer.status} {body}")


def record(connection, deal, number):
    statement = {
        "statementId": f"{deal}-{number}",
        "dealId": deal,
        "speaker": {"stakeholderId": "p1", "displayName": "Ana Ruiz"},
        "quote": "We lose about 40k a month because orders get typed in by hand.",
        "attribution": "ATTRIBUTION_VERBATIM",
        "claims": [{"topic": "TOPIC_PROBLEM"}],
    }
    call(connection, "QualificationService/RecordBuyerStatement", {"statement": statement})


def measure(verbatim):
    process, connection = start(verbatim)
    statements = Statements()
    time.sleep(2)
    # What each process asks by itself, whether or not it is called.
    idle = statements.taken()

    def counted(what, calls):
        statements.taken()
        for number in range(CALLS):
            calls(number)
        sent = {text: count for text, count in statements.taken().items() if text not in idle}
        print(f"{what}: {sum(sent.values()) / CALLS:.2f} statements a call {dict(sent)}")
        return sum(sent.values())

    print(f"by itself, in 2 s: {sum(idle.values())} {dict(idle)}")
    try:
        counted("RecordBuyerStatement, a new deal", lambda number: record(connection, f"d{number}", 0))
        counted("RecordBuyerStatement, a deal in memory", lambda number: record(connection, f"d{number}", 1))
        score = lambda number: call(connection, "QualificationService/ScoreDeal", {"dealId": f"d{number}"})
        explain = lambda number: call(connection, "QualificationService/ExplainStall", {"dealId": f"d{number}"})
        scored = counted("ScoreDeal, a deal in memory", score)
        counted("ExplainStall, a deal in memory", explain)
        process.terminate()
        process.wait(PATIENCE_SECONDS)
        process, connection = start(verbatim)
        counted("ScoreDeal, a deal that is not in memory", score)
        # Callers side by side, whose writes are made durable in groups.
        port = connection.port

        def records(deal):
            own = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
            for number in range(2, 20):
                record(own, f"d{deal}", number)

        with concurrent.futures.ThreadPoolExecutor(CALLERS) as callers:
            list(callers.map(records, range(CALLS)))
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)
    scans = "SELECT seq_scan, seq_tup_read FROM pg_stat_user_tables WHERE relname = 'verbatim_events'"
    print(f"rows read by going through a table: by calls {sql(scans)}", end=", ")
    with tempfile.TemporaryDirectory() as home:
        keep = [verbatim, "backup", "--data", os.environ["VERBATIM_TEST_POSTGRES"], "--to", f"{home}/backup"]
        subprocess.run(keep, check=True, capture_output=True, timeout=PATIENCE_SECONDS)
    scanned = sql(scans)
    print(f"and by a backup {scanned}")
    sql("VACUUM ANALYZE")
    count, kept = map(int, sql("SELECT count(*), sum(length(body)) FROM verbatim_events").split("|"))
    print(f"{count} events of {kept / count:.0f} bytes")
    sizes = {table: int(sql(f"SELECT pg_total_relation_size('verbatim_{table}')")) for table in TABLES}
    for table, size in sizes.items():
        print(f"verbatim_{table} with its indexes: {size / count:.0f} bytes an event")
    print(f"together {sum(sizes.values()) / count:.0f} bytes an event, {sum(sizes.values()) / kept:.2f} for each byte of event")
    if scored:
        sys.exit("a score from memory asked the database")
    times, rows = map(int, scanned.split("|"))
    if times * ROWS_SCANNED_MAX < rows:
        sys.exit("whole tables were read")


measure(*sys.argv[1:])
