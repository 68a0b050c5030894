#!/usr/bin/env python3
"""A real Prometheus scrapes the service: the text checks, the target is up, a call is counted and leads to its trace.

Usage: scrape.py VERBATIM PROMETHEUS PROMTOOL
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

# Longer than two scrapes take anywhere.
PATIENCE_SECONDS = 60

TRACE = "0af7651916cd43dd8448eb211c80319c"

CONFIG = """
global:
  scrape_interval: 1s
scrape_configs:
  - job_name: verbatim
    static_configs:
      - targets: ["{ops}"]
"""


def get(url, body=None, **headers):
    headers["content-type"] = "application/json"
    request = urllib.request.Request(url, data=body, headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read()


def query(prometheus, expression):
    """The value of an expression, or None while there is none."""
    found = get(f"{prometheus}/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
    result = json.loads(found)["data"]["result"]
    return float(result[0]["value"][1]) if result else None


def traces(prometheus, series):
    """The traces that the exemplars of a series lead to."""
    span = {"query": series, "start": time.time() - 600, "end": time.time() + 600}
    found = json.loads(get(f"{prometheus}/api/v1/query_exemplars?" + urllib.parse.urlencode(span)))
    return [exemplar["labels"].get("trace_id") for each in found["data"] for exemplar in each["exemplars"]]


def wait_for(what, holds):
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        try:
            if holds():
                print(f"{what}: yes")
                return
        except OSError:
            pass
        time.sleep(0.2)
    sys.exit(f"{what}: not within {PATIENCE_SECONDS} s")


def address(lines, words):
    for line in lines:
        found = re.search(words + r" on http://([0-9.:]+)", line)
        if found:
            return found[1]
    sys.exit(f"the service does not say what it {words}")


def check(verbatim, prometheus, promtool, home, running):
    ports = ["--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"]
    serve = [verbatim, "serve", "--data", str(home / "deals"), *ports]
    # Traces are taken and go nowhere: nobody is there, which a call does not notice.
    nowhere = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1"}
    service = subprocess.Popen(serve, stderr=subprocess.PIPE, text=True, env=os.environ | nowhere)
    running.append(service)
    ops = address(service.stderr, "answers operators")
    listens = address(service.stderr, "listens")

    deal = {"deal": {"dealId": "d1", "name": "A deal"}}
    body = json.dumps(deal).encode()
    get(f"http://{listens}/verbatim.v1.DealService/UpsertDeal", body, traceparent=f"00-{TRACE}-b7ad6b7169203331-01")
    text = get(f"http://{ops}/metrics")
    # Its remarks on names are for people; what it cannot read is for us.
    subprocess.run([promtool, "check", "metrics"], input=text, check=True)

    config = home / "prometheus.yml"
    config.write_text(CONFIG.format(ops=ops))
    scraper = [
        prometheus,
        f"--config.file={config}",
        f"--storage.tsdb.path={home / 'series'}",
        "--web.listen-address=127.0.0.1:0",
        "--enable-feature=exemplar-storage",
    ]
    process = subprocess.Popen(scraper, stderr=subprocess.PIPE, text=True)
    running.append(process)
    for line in process.stderr:
        found = re.search(r"address=(127\.0\.0\.1:[1-9][0-9]*)", line)
        if found:
            break
    else:
        sys.exit("prometheus does not say where it listens")
    url = f"http://{found[1]}"

    wait_for("the service is up", lambda: query(url, "up") == 1)
    calls = 'verbatim_requests_total{method="UpsertDeal",code="OK"}'
    wait_for("the call is counted", lambda: query(url, calls) == 1)
    syncs = "verbatim_store_sync_duration_seconds_count"
    wait_for("its sync is timed", lambda: (query(url, syncs) or 0) >= 1)
    durations = 'verbatim_request_duration_seconds_bucket{method="UpsertDeal"}'
    wait_for("its duration leads to its trace", lambda: TRACE in traces(url, durations))


def main():
    verbatim, prometheus, promtool = sys.argv[1:]
    running = []
    with tempfile.TemporaryDirectory() as home:
        try:
            check(verbatim, prometheus, promtool, Path(home), running)
        finally:
            for process in reversed(running):
                process.terminate()
                process.communicate(timeout=PATIENCE_SECONDS)


main()
