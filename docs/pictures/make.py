#!/usr/bin/env python3
"""Draws the dashboards of helm/verbatim/dashboards from a Prometheus, as docs/operations.md shows them.

Grafana is not needed: each panel's own queries are asked of a Prometheus that scrapes a service, drawn as a page, and the
page becomes a picture by a headless Chromium. So the numbers are real and the look is not Grafana's.

Usage: make.py VERBATIM PROMETHEUS CHROMIUM [MINUTES]
"""

import html
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DASHBOARDS = ROOT / "helm" / "verbatim" / "dashboards"
HERE = Path(__file__).parent

COLUMN, LINE, GAP = 50, 26, 6
COLOURS = ["#3274d9", "#299c46", "#e0752d", "#b877d9", "#d44a3a", "#1f9bae", "#a0821c", "#777"]
NAMED = {"green": "#299c46", "red": "#d44a3a", "orange": "#e0752d", "yellow": "#e5ac0e", "blue": "#3274d9"}
# Those of a target on Kubernetes, which Prometheus adds there by itself.
TARGET = {"namespace": "sales", "pod": "verbatim-0", "service": "verbatim-pods"}
CONFIG = """
global:
  scrape_interval: 5s
scrape_configs:
  - job_name: verbatim
    static_configs:
      - targets: ["{ops}"]
        labels: {labels}
"""


def get(url, body=None):
    headers = {"content-type": "application/json"} if body else {}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30) as answer:
        return answer.read()


class Series:
    """A Prometheus, asked as a dashboard asks it."""

    def __init__(self, url, minutes):
        self.url, self.end = url, time.time()
        self.start = self.end - 60 * minutes
        self.step = max(5, int(60 * minutes / 150))

    def ask(self, path, **query):
        found = get(f"{self.url}/api/v1/{path}?" + urllib.parse.urlencode(query))
        return json.loads(found)["data"]["result"]

    def now(self, expression):
        return [(each["metric"], float(each["value"][1])) for each in self.ask("query", query=filled(expression))]

    def over_time(self, expression):
        span = {"start": self.start, "end": self.end, "step": self.step}
        found = self.ask("query_range", query=filled(expression), **span)
        return [(each["metric"], [(at, float(value)) for at, value in each["values"]]) for each in found]


def filled(expression):
    for name, value in {"$namespace": "sales", "$pod": ".*", "$currency": "EUR", "$__rate_interval": "1m"}.items():
        expression = expression.replace(name, value)
    return expression


def shown(value, unit):
    if value != value:
        return "no data"
    if unit == "percentunit":
        return f"{100 * value:.0f} %"
    if unit == "s":
        for size, name in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"), (1e-3, "ms"), (1e-6, "µs")):
            if abs(value) >= size:
                return f"{value / size:.3g} {name}"
        return "0 s"
    if unit in ("bytes", "Bps"):
        for size, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
            if abs(value) >= size:
                return f"{value / size:.3g} {name}" + ("/s" if unit == "Bps" else "")
        return f"{value:.3g} B" + ("/s" if unit == "Bps" else "")
    for size, name in ((1e9, " Bil"), (1e6, " Mil"), (1e3, " K")) if unit == "short" else ():
        if abs(value) >= size:
            return f"{value / size:.3g}{name}"
    text = f"{value:.0f}" if value == int(value) or abs(value) >= 100 else f"{value:.3g}"
    return text + {"reqps": "/s", "ops": "/s"}.get(unit, "")


def legend(target, metric):
    form = target.get("legendFormat") or ""
    return re.sub(r"\{\{(\w+)\}\}", lambda label: metric.get(label[1], ""), form)


def colour_of(value, panel):
    chosen = "#333"
    for step in panel["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", []):
        if step["value"] is None or value >= step["value"]:
            chosen = NAMED.get(step["color"], step["color"])
    return chosen


def text(x, y, words, size=12, anchor="start", colour="#333", weight="normal"):
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}" '
        f'font-weight="{weight}">{html.escape(words)}</text>'
    )


def stat(series, panel, width, height):
    found = [each for target in panel["targets"] for each in series.now(target["expr"])]
    if not found:
        return text(width / 2, height / 2 + 14, "no data", 18, "middle", "#999")
    metric, value = found[0]
    defaults = panel["fieldConfig"]["defaults"]
    words = legend(panel["targets"][0], metric) or shown(value, defaults["unit"])
    for mapping in defaults.get("mappings", []):
        words = mapping.get("options", {}).get(f"{value:.0f}", {}).get("text", words)
    return text(width / 2, height / 2 + 18, words, 24, "middle", colour_of(value, panel), "bold")


def bars(series, panel, width, height):
    found = [(legend(target, m), v) for target in panel["targets"] for m, v in series.now(target["expr"])]
    if not found:
        return text(width / 2, height / 2, "no data", 14, "middle", "#999")
    most = max(value for _, value in found) or 1
    line = min(26, (height - 30) / len(found))
    made, name = [], min(190, width * 0.42)
    for number, (words, value) in enumerate(found):
        y = 28 + number * line
        long = (width - name - 80) * value / most
        made.append(text(name - 6, y + line * 0.68, words, 11, "end"))
        made.append(f'<rect x="{name}" y="{y + 3:.1f}" width="{long:.1f}" height="{line - 6:.1f}" fill="#3274d9"/>')
        made.append(text(name + long + 6, y + line * 0.68, shown(value, panel["fieldConfig"]["defaults"]["unit"]), 11))
    return "".join(made)


def lines(series, panel, width, height):
    found = [
        (legend(target, metric), [(at, value) for at, value in values if value == value])
        for target in panel["targets"]
        for metric, values in series.over_time(target["expr"])
    ]
    found = [each for each in found if each[1]]
    unit = panel["fieldConfig"]["defaults"]["unit"]
    left, right, top, bottom = 58, 8, 28, 36
    if panel["fieldConfig"]["defaults"]["custom"]["stacking"]["mode"] == "normal":
        sums = {}
        for number, (words, values) in enumerate(found):
            stacked = []
            for at, value in values:
                sums[at] = sums.get(at, 0) + value
                stacked.append((at, sums[at]))
            found[number] = (words, stacked)
    most = max((value for _, values in found for _, value in values), default=1) or 1

    def place(at, value):
        x = left + (width - left - right) * (at - series.start) / (series.end - series.start)
        return x, top + (height - top - bottom) * (1 - value / most)

    made = []
    for part in (0, 0.5, 1):
        y = place(series.start, most * part)[1]
        made.append(f'<line x1="{left}" x2="{width - right}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e3e3e3"/>')
        made.append(text(left - 5, y + 4, shown(most * part, unit), 10, "end", "#777"))
    if not found:
        made.append(text(width / 2, height / 2, "nothing happened", 12, "middle", "#999"))
    x = left
    for number, (words, values) in enumerate(found):
        colour = COLOURS[number % len(COLOURS)]
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in (place(*value) for value in values))
        made.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.4"/>')
        if x + 14 + 6.2 * len(words) < width:
            made.append(f'<rect x="{x}" y="{height - 17}" width="10" height="3" fill="{colour}"/>')
            made.append(text(x + 14, height - 11, words, 10, colour="#555"))
            x += 26 + 6.2 * len(words)
    return "".join(made)


DRAWN = {"stat": stat, "bargauge": bars, "timeseries": lines}


def page(series, dashboard):
    made = []
    bottom = 0
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        x, y = at["x"] * COLUMN, 46 + at["y"] * LINE
        width, height = at["w"] * COLUMN - GAP, at["h"] * LINE - GAP
        bottom = max(bottom, y + height)
        if panel["type"] == "row":
            made.append(text(x + 4, y + 17, panel["title"], 14, weight="bold"))
            continue
        inner = DRAWN[panel["type"]](series, panel, width, height)
        frame = f'<rect width="{width}" height="{height}" fill="#fff" stroke="#ddd" rx="2"/>'
        title = text(8, 17, panel["title"], 12, weight="bold")
        made.append(f'<g transform="translate({x},{y})">{frame}{title}{inner}</g>')
    width = 24 * COLUMN
    head = text(4, 28, dashboard["title"], 18, weight="bold")
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{bottom + 10}">{head}{"".join(made)}</svg>'
    style = "body{margin:0;background:#f4f5f5}text{font-family:'DejaVu Sans',sans-serif}"
    return f"<!doctype html><meta charset=utf-8><style>{style}</style>{svg}", width, bottom + 10


def photograph(chromium, home, name, content, width, height):
    source, picture = home / f"{name}.html", HERE / f"{name}.png"
    source.write_text(content)
    flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    flags += " --disable-component-update --disable-sync --hide-scrollbars"
    command = [chromium, *flags.split(), f"--user-data-dir={home / 'chromium'}", f"--window-size={width},{height}"]
    command += [f"--screenshot={picture}", source.as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    print(f"{picture.relative_to(ROOT)}: {picture.stat().st_size // 1024} KiB")


def address(stream, words):
    for line in stream:
        found = re.search(words + r"=?\s*(?:http://)?(127\.0\.0\.1:[1-9][0-9]*)", line)
        if found:
            threading.Thread(target=stream.read, daemon=True).start()
            return found[1]
    sys.exit(f"nothing says {words}")


def live(verbatim, calls, minutes):
    """A team's morning: the demo's pipeline comes in, a tenth at a time, and people look at their deals."""
    lines = (ROOT / "examples" / "pipeline.ndjson").read_text().splitlines()
    writes = [line for line in lines if line.startswith("{")]
    # In every part, so that each is moved in time by as much: a statement with an id is recorded once.
    newest = max(writes, key=lambda line: max(re.findall(r"\d{4}-\d\d-\d\dT[0-9:]+", line), default=""))
    deals = sorted(set(re.findall(r'"dealId": ?"([^"]+)"', "\n".join(writes))))
    until, part, sent = time.monotonic() + 60 * minutes, len(writes) // 10 + 1, 0
    every = 60 * minutes / 14
    due = time.monotonic()
    while time.monotonic() < until:
        if due <= time.monotonic() and sent < len(writes):
            piece = "\n".join([newest, *writes[sent : sent + part]]) + "\n"
            load = [verbatim, "load", "--shift-to-today", "--server", calls, "-"]
            subprocess.run(load, input=piece, text=True, check=True, stdout=subprocess.DEVNULL)
            sent, due = sent + part, due + every
        for deal in [*deals, "nowhere"]:
            for method in ("ScoreDeal", "ExplainStall"):
                try:
                    get(f"{calls}/verbatim.v1.QualificationService/{method}", json.dumps({"dealId": deal}).encode())
                except urllib.error.HTTPError:
                    pass
        get(f"{calls}/verbatim.v1.ForecastService/SummarizePipeline", b"{}")
        time.sleep(0.2)


def main():
    verbatim, prometheus, chromium, *more = sys.argv[1:]
    minutes = float(more[0]) if more else 10
    running = []
    with tempfile.TemporaryDirectory() as home:
        home = Path(home)
        serve = [verbatim, "serve", "--data", home / "deals", "--listen=127.0.0.1:0", "--ops-listen=127.0.0.1:0"]
        serve += ["--pipeline-metrics-s=5"]
        try:
            service = subprocess.Popen(serve, stderr=subprocess.PIPE, text=True)
            running.append(service)
            ops = re.search(r"http://([0-9.:]+)", service.stderr.readline())[1]
            calls = "http://" + address(service.stderr, "listens on")
            (home / "prometheus.yml").write_text(CONFIG.format(ops=ops, labels=json.dumps(TARGET)))
            scraper = [prometheus, f"--config.file={home / 'prometheus.yml'}", f"--storage.tsdb.path={home / 'series'}"]
            scraper += ["--web.listen-address=127.0.0.1:0"]
            running.append(subprocess.Popen(scraper, stderr=subprocess.PIPE, text=True))
            url = "http://" + address(running[-1].stderr, "address")
            live(verbatim, calls, minutes)
            for path in sorted(DASHBOARDS.glob("*.json")):
                content, width, height = page(Series(url, minutes), json.loads(path.read_text()))
                photograph(chromium, home, path.stem, content, width, height)
        finally:
            for process in reversed(running):
                process.terminate()
                process.wait(60)


main()
