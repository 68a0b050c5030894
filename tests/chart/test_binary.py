"""The chart and the service agree; runs when tests/chart/run is given the binary of the service."""

import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import tomllib
import unittest
import urllib.request

import rendering
import settings
import test_watching

BINARY = os.environ.get("VERBATIM_BINARY")

# Families of which there is nothing to tell before something has happened that does not happen here.
LATER = {"verbatim_streams_open", "verbatim_extractor_requests_total"}
# Families that are there when they are asked for.
ASKED_FOR = "verbatim_pipeline_"
# Told where the store is a database.
OF_A_DATABASE = "verbatim_store_connections"


def clean_environment(**more):
    """Without settings of whoever runs the tests."""
    return {key: value for key, value in os.environ.items() if not key.startswith("VERBATIM_")} | more


@unittest.skipUnless(BINARY, "no binary given")
class Binary(unittest.TestCase):
    def test_the_schema_has_the_settings_of_the_service(self):
        self.assertEqual(settings.differences(BINARY), [], "run tests/chart/settings.py BINARY --write")

    def test_the_service_has_every_flag_that_the_chart_gives(self):
        told = self.told("serve", "--help")
        args = rendering.container({"model": {"toml": "x"}})["args"]
        self.assertEqual(args[0], "serve")
        for flag in args[1:]:
            self.assertIn(f"{flag.split('=')[0]} <", told)

    def test_the_test_pod_uses_commands_and_flags_that_there_are(self):
        spec = rendering.one("Pod", {})["spec"]
        for step in [*spec["initContainers"], *spec["containers"]]:
            words = [word for word in step["args"] if not word.startswith("--") and word != "helm-test"]
            told = self.told(*words, "--help")
            for flag in (word.split("=")[0] for word in step["args"] if word.startswith("--")):
                self.assertIn(f"{flag} <", told, step["name"])

    def test_the_jobs_use_commands_and_flags_that_there_are(self):
        values = rendering.many({"backup": {"enabled": True}})
        for name in ("migrate", "backup"):
            command, *flags = rendering.job(values, name)["spec"]["containers"][0]["args"]
            told = self.told(command, "--help")
            for flag in flags:
                self.assertIn(f"{flag.split('=')[0]} <", told, name)
        self.assertIn("VERBATIM_STORE", self.told("migrate", "--help"))

    def test_the_service_takes_the_settings_of_every_example_as_they_are_meant(self):
        for path in [*rendering.EXAMPLES, rendering.EVERYTHING]:
            values = rendering.read(path)
            text = rendering.one("ConfigMap", values, name="demo-verbatim")["data"]["verbatim.toml"]
            with tempfile.TemporaryDirectory() as home:
                file = pathlib.Path(home) / "verbatim.toml"
                file.write_text(text)
                in_force = tomllib.loads(self.told("serve", "--config", str(file), "--print-config"))
            self.assertLessEqual(tomllib.loads(text).items(), in_force.items(), path)

    def test_what_the_chart_takes_for_a_default_of_the_service_is_one(self):
        in_force = tomllib.loads(self.told("serve", "--print-config"))
        made = {each["alert"]: each for each in self.rules()}
        self.assertIn(f"0.8 * {in_force['calls_max']}", made["VerbatimCallsNearLimit"]["expr"])
        self.assertIn(f"0.5 * {in_force['write_queue_max']}", made["VerbatimWriteQueueLong"]["expr"])
        self.assertIn(f"3 * {in_force['free_mib_min']} *", made["VerbatimDiskNearlyFull"]["expr"])
        needed = in_force["deal_cache_mib"] + 3 * in_force["store_cache_mib"] + 256
        refusal = rendering.refusal({"resources": {"limits": {"memory": "1Mi"}}})
        self.assertIn(f"at least {needed}Mi", refusal)
        # The grace period takes both from the values, which give them; without, from what the template knows.
        text = (rendering.CHART / "templates" / "_settings.tpl").read_text()
        for key in ("drain_ms", "drain_timeout_ms"):
            self.assertIn(f'"{key}" {in_force[key]}', text)

    def rules(self):
        values = {"serviceMonitor": {"enabled": True}, "prometheusRule": {"enabled": True}}
        return rendering.one("PrometheusRule", values)["spec"]["groups"][0]["rules"]

    def told(self, *command):
        done = subprocess.run([BINARY, *command], capture_output=True, text=True, env=clean_environment())
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout


@unittest.skipUnless(BINARY, "no binary given")
class Running(unittest.TestCase):
    """The service started as the Pod starts it, but for places of this machine."""

    def setUp(self):
        home = tempfile.TemporaryDirectory()
        self.addCleanup(home.cleanup)
        here = pathlib.Path(home.name)
        (here / "verbatim.toml").write_text(rendering.one("ConfigMap", {}, name="demo-verbatim")["data"]["verbatim.toml"])
        of_this_machine = {
            "--config": f"{here}/verbatim.toml",
            "--data": f"{here}/deals",
            "--listen": "127.0.0.1:0",
            "--ops-listen": "127.0.0.1:0",
            "--termination-log": f"{here}/termination-log",
        }
        args = []
        for arg in rendering.container({})["args"]:
            flag = arg.split("=")[0]
            args.append(f"{flag}={of_this_machine[flag]}" if flag in of_this_machine else arg)
        self.service = subprocess.Popen(
            [BINARY, *args, "--drain-ms=0"], stderr=subprocess.PIPE, text=True, env=clean_environment()
        )
        self.addCleanup(self.service.stderr.close)
        self.addCleanup(self.service.wait)
        self.addCleanup(self.service.kill)
        said = {}
        while len(said) < 2:
            line = self.service.stderr.readline()
            if not line:
                self.fail(f"it ended with {self.service.wait()}, having said {said}")
            for door, words in (("calls", "listens on"), ("ops", "answers operators on")):
                found = re.search(rf"{words} (http://[0-9.:]+)", line)
                if found:
                    said[door] = found.group(1)
        self.calls, self.ops = said["calls"], said["ops"]

    def asked(self, path):
        with urllib.request.urlopen(self.ops + path, timeout=10) as answer:
            return answer.read().decode()

    def test_the_probes_find_what_they_ask_for_and_the_steps_of_helm_test_succeed_twice(self):
        service = rendering.container({})
        for kind in ("liveness", "readiness"):
            self.asked(service[f"{kind}Probe"]["httpGet"]["path"])
        spec = rendering.one("Pod", {})["spec"]
        for step in [*spec["initContainers"], *spec["containers"]] * 2:
            done = subprocess.run(
                [BINARY, *step["args"]],
                capture_output=True,
                text=True,
                env=clean_environment(VERBATIM_SERVER=self.calls),
            )
            self.assertEqual(done.returncode, 0, f"{step['name']}: {done.stderr}")

    def test_alerts_and_dashboards_ask_for_metrics_that_it_tells(self):
        path = rendering.one("ServiceMonitor", test_watching.WATCHED)["spec"]["endpoints"][0]["path"]
        # A store without an event has no ratio to tell.
        deal = json.dumps({"deal": {"dealId": "d1", "name": "A deal"}}).encode()
        call = f"{self.calls}/verbatim.v1.DealService/UpsertDeal"
        written = urllib.request.Request(call, deal, {"content-type": "application/json"})
        urllib.request.urlopen(written, timeout=10).close()
        text = self.asked(path)
        told = {}
        for name, labels in re.findall(r"^([a-z_]\w*)(?:\{(.*)\})? ", text, re.M):
            told.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
        for name, labels in test_watching.METRICS.items():
            if name in LATER or name == "up" or name.startswith((ASKED_FOR, OF_A_DATABASE)):
                continue
            self.assertIn(name, told)
            scraped = {label.removeprefix("exported_") for label in labels}
            self.assertEqual(told[name], scraped, name)

    def test_it_stops_in_good_order(self):
        self.service.send_signal(signal.SIGTERM)
        self.assertEqual(self.service.wait(timeout=30), 0)
