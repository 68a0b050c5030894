"""Alerts and dashboards: they ask only for metrics that there are, promtool takes them, and each alert has its runbook."""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import yaml

import rendering

EVERYTHING = rendering.read(rendering.EVERYTHING)
WATCHED = {"serviceMonitor": {"enabled": True}, "prometheusRule": {"enabled": True}}
HERE = pathlib.Path(__file__).parent

HISTOGRAMS = {
    "verbatim_request_duration_seconds": {"exported_service", "method", "code"},
    "verbatim_stream_duration_seconds": {"exported_service", "method", "code"},
    "verbatim_store_sync_duration_seconds": set(),
    "verbatim_store_group_appends": set(),
}
# What the operations port tells, with its labels. Prometheus adds those of the target, and since the target has a label
# `service`, that of the metric is kept as `exported_service`.
METRICS = {
    "verbatim_requests_total": {"exported_service", "method", "code"},
    "verbatim_requests_in_flight": set(),
    "verbatim_streams_open": {"method"},
    "verbatim_stream_messages_sent_total": {"exported_service", "method"},
    "verbatim_stream_messages_received_total": {"exported_service", "method"},
    "verbatim_store_appends_total": {"outcome"},
    "verbatim_store_queue_appends": set(),
    "verbatim_store_kept_event_bytes": set(),
    "verbatim_store_disk_bytes": set(),
    "verbatim_store_space_amplification_ratio": set(),
    "verbatim_store_free_bytes": set(),
    "verbatim_store_event_bytes_total": set(),
    "verbatim_store_connections": set(),
    "verbatim_store_connections_idle": set(),
    "verbatim_store_connections_wanted": set(),
    "verbatim_store_fault": {"kind"},
    "verbatim_store_open_seconds": set(),
    "verbatim_deal_cache_hits_total": set(),
    "verbatim_deal_cache_misses_total": set(),
    "verbatim_deal_cache_bytes": set(),
    "verbatim_watchers": set(),
    "verbatim_watch_lag_lots": set(),
    "verbatim_watchers_cut_total": set(),
    "verbatim_pipeline_deals": {"by", "is"},
    "verbatim_pipeline_amount": {"by", "is", "currency"},
    "verbatim_pipeline_expected_amount": {"by", "is", "currency"},
    "verbatim_pipeline_forecast_amount": {"of", "currency"},
    "verbatim_pipeline_score": {"statistic"},
    "verbatim_extractor_requests_total": {"outcome"},
    "verbatim_build_info": {"version", "rustc"},
    "verbatim_runtime_workers": set(),
    "verbatim_runtime_alive_tasks": set(),
    "verbatim_runtime_global_queue_depth": set(),
    "process_start_time_seconds": set(),
    "process_resident_memory_bytes": set(),
    "process_cpu_seconds_total": set(),
    "process_open_fds": set(),
    "process_max_fds": set(),
    "up": set(),
}
for histogram, labels in HISTOGRAMS.items():
    METRICS[f"{histogram}_bucket"] = labels | {"le"}
    METRICS[f"{histogram}_sum"] = METRICS[f"{histogram}_count"] = labels
OF_THE_TARGET = {"namespace", "service", "pod"}


def asked_for(expression):
    """The metrics of an expression, each with the labels it is selected by."""
    return [
        (name, set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", matchers)))
        for name, matchers in re.findall(r"([a-z_]\w*)\s*\{([^}]*)\}", expression)
    ]


def rules(values=WATCHED):
    return rendering.one("PrometheusRule", values)["spec"]["groups"][0]["rules"]


def alerts(values=WATCHED):
    return {rule["alert"]: rule for rule in rules(values) if "alert" in rule}


def dashboards():
    return {path.name: json.loads(path.read_text()) for path in (rendering.CHART / "dashboards").glob("*.json")}


def expressions(dashboard):
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for note in dashboard["annotations"]["list"]:
        yield note["name"], note["expr"]


class Monitor(unittest.TestCase):
    def test_it_finds_the_operations_port_of_this_release_and_no_other(self):
        made = rendering.one("ServiceMonitor", EVERYTHING)
        self.assertEqual(made["metadata"]["labels"]["release"], "prometheus")
        self.assertEqual(made["spec"]["namespaceSelector"], {"matchNames": [rendering.NAMESPACE]})
        wanted = made["spec"]["selector"]["matchLabels"].items()
        services = [each for each in rendering.objects(EVERYTHING) if each["kind"] == "Service"]
        hits = [each for each in services if wanted <= each["metadata"]["labels"].items()]
        self.assertEqual([each["metadata"]["name"] for each in hits], ["demo-verbatim-pods"])
        (endpoint,) = made["spec"]["endpoints"]
        self.assertEqual((endpoint["port"], endpoint["path"], endpoint["interval"]), ("ops", "/metrics", "15s"))
        self.assertIn(endpoint["port"], [port["name"] for port in hits[0]["spec"]["ports"]])


class Alerts(unittest.TestCase):
    def test_they_ask_only_for_metrics_there_are_of_this_release(self):
        for name, alert in alerts().items():
            found = asked_for(alert["expr"])
            self.assertTrue(found, name)
            for metric, labels in found:
                self.assertIn(metric, METRICS, name)
                self.assertLessEqual(labels, METRICS[metric] | OF_THE_TARGET, f"{name}: {metric}")
                self.assertLessEqual({"namespace", "service"}, labels, f"{name}: {metric}")
            # Every metric has a selector; one without would be of all releases.
            bare = re.sub(r"\{[^}]*\}", "{}", alert["expr"])
            for metric in re.findall(r"\b(?:verbatim_|process_)\w+(?!\w)(?!\{)", bare):
                self.fail(f"{name}: {metric} has no selector")

    def test_nothing_is_left_to_be_filled_in(self):
        for name, alert in alerts().items():
            for word in ("SELECTOR", "NAMESPACE", "CALLS_MAX", "FREE_MIB_MIN", "WRITE_QUEUE_MAX", "STARTUP_BUDGET"):
                self.assertNotIn(word, str(alert), name)

    def test_limits_are_those_of_the_settings(self):
        made = alerts(EVERYTHING)
        self.assertIn("0.8 * 2000", made["VerbatimCallsNearLimit"]["expr"])
        self.assertIn("0.5 * 10000", made["VerbatimWriteQueueLong"]["expr"])
        self.assertIn("3 * 512 *", made["VerbatimDiskNearlyFull"]["expr"])
        self.assertIn("0.5 * 901", made["VerbatimOpenSlow"]["expr"])

    def test_each_has_a_severity_a_summary_and_a_runbook_that_is_there(self):
        operations = (rendering.ROOT / "docs" / "operations.md").read_text()
        for name, alert in alerts().items():
            self.assertIn(alert["labels"]["severity"], ("critical", "warning"))
            self.assertTrue(alert["annotations"]["summary"].endswith("."), name)
            self.assertTrue(alert["annotations"]["description"].endswith("."), name)
            self.assertEqual(alert["annotations"]["runbook_url"], f"docs/operations.md#{name.lower()}")
            part = re.search(rf"^### {name}\n(.+?)(?=^##|\Z)", operations, re.M | re.S)
            self.assertIsNotNone(part, f"docs/operations.md has no runbook for {name}")
            for word in ("Cause", "See", "Do"):
                self.assertIn(f"**{word}.**", part.group(1), name)
        headings = set(re.findall(r"^### (Verbatim\w+)$", operations, re.M))
        self.assertEqual(headings, set(alerts()), "a runbook without an alert, or an alert without one")

    def test_values_reach_them(self):
        made = alerts(EVERYTHING)
        self.assertNotIn("VerbatimDealCacheSmall", made)
        for name, alert in made.items():
            self.assertEqual(alert["labels"]["team"], "revenue")
            self.assertEqual(alert["annotations"]["runbook_url"], f"https://wiki.example.com/verbatim#{name.lower()}")
        self.assertIn(EVERYTHING["prometheusRule"]["extraRules"][0], rules(EVERYTHING))

    def test_the_schema_knows_their_names(self):
        schema = json.loads((rendering.CHART / "values.schema.json").read_text())
        disabled = schema["properties"]["prometheusRule"]["properties"]["disabled"]
        self.assertEqual(disabled["items"]["enum"], list(alerts()))

    def test_promtool_takes_them_and_each_fires_when_it_should_and_not_else(self):
        promtool = os.environ.get("PROMTOOL")
        if not promtool:
            self.skipTest("no promtool here: see tests/chart/run")
        with tempfile.TemporaryDirectory() as home:
            for number, values in enumerate((WATCHED, EVERYTHING)):
                spec = rendering.one("PrometheusRule", values)["spec"]
                path = pathlib.Path(home) / f"rules{number or ''}.yaml"
                path.write_text(yaml.safe_dump(spec))
                self.run_promtool(promtool, "check", "rules", str(path))
            cases = pathlib.Path(home) / "alerts_test.yaml"
            cases.write_text((HERE / "alerts_test.yaml").read_text())
            self.run_promtool(promtool, "test", "rules", str(cases))

    def test_each_alert_is_tried_both_ways(self):
        tried = [case for group in yaml.safe_load((HERE / "alerts_test.yaml").read_text())["tests"] for case in group["alert_rule_test"]]
        for name in alerts():
            outcomes = {bool(case.get("exp_alerts")) for case in tried if case["alertname"] == name}
            self.assertEqual(outcomes, {True, False}, name)

    def run_promtool(self, *command):
        done = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class Dashboards(unittest.TestCase):
    def test_they_ask_only_for_metrics_there_are(self):
        for name, dashboard in dashboards().items():
            asked = list(expressions(dashboard))
            self.assertGreater(len(asked), 10, name)
            for title, expression in asked:
                found = asked_for(expression)
                self.assertTrue(found, title)
                for metric, labels in found:
                    self.assertIn(metric, METRICS, title)
                    self.assertLessEqual(labels, METRICS[metric] | OF_THE_TARGET, title)
                    self.assertLessEqual({"namespace", "pod"}, labels, title)

    def test_promtool_takes_their_expressions(self):
        promtool = os.environ.get("PROMTOOL")
        if not promtool:
            self.skipTest("no promtool here: see tests/chart/run")
        group = {"name": "dashboards", "rules": []}
        for dashboard in dashboards().values():
            for _, expression in expressions(dashboard):
                expression = expression.replace("$__rate_interval", "5m")
                # Names by their number: promtool refuses two of one name.
                group["rules"].append({"record": f"panel:{len(group['rules'])}", "expr": expression})
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump({"groups": [group]}, file)
            file.flush()
            done = subprocess.run([promtool, "check", "rules", file.name], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_panels_have_a_place_of_their_own_and_say_what_they_show(self):
        for name, dashboard in dashboards().items():
            panels = dashboard["panels"]
            numbers = [panel["id"] for panel in panels]
            self.assertEqual(len(numbers), len(set(numbers)), name)
            taken = set()
            for panel in panels:
                place = panel["gridPos"]
                self.assertLessEqual(place["x"] + place["w"], 24, panel["title"])
                cells = {
                    (x, y)
                    for x in range(place["x"], place["x"] + place["w"])
                    for y in range(place["y"], place["y"] + place["h"])
                }
                self.assertFalse(cells & taken, panel["title"])
                taken |= cells
                if panel["type"] != "row":
                    self.assertTrue(panel["description"].endswith("."), panel["title"])
                    self.assertTrue(panel["fieldConfig"]["defaults"]["unit"], panel["title"])

    def test_runbooks_they_name_are_alerts(self):
        for dashboard in dashboards().values():
            for panel in dashboard["panels"]:
                for name in re.findall(r"Verbatim[A-Z]\w+", panel.get("description", "")):
                    self.assertIn(name, alerts(), panel["title"])

    def test_each_becomes_a_config_map_as_it_is(self):
        made = [each for each in rendering.objects(EVERYTHING) if "grafana_dashboard" in each["metadata"].get("labels", {})]
        held = {name: json.loads(text) for each in made for name, text in each["data"].items()}
        self.assertEqual(held, dashboards())
        for each in made:
            self.assertEqual(each["metadata"]["annotations"], {"grafana_folder": "Verbatim"})
