"""The chart and the service agree; runs when tests/chart/run is given the binary of the service."""

import os
import pathlib
import subprocess
import tempfile
import tomllib
import unittest

import rendering
import settings

BINARY = os.environ.get("VERBATIM_BINARY")


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
        environment = {key: value for key, value in os.environ.items() if not key.startswith("VERBATIM_")}
        done = subprocess.run([BINARY, *command], capture_output=True, text=True, env=environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout
