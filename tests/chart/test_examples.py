"""Each values file gives objects that Kubernetes takes, in the oldest version the chart allows and in a new one."""

import re
import unittest

import helm_python
import kubernetes_validate

import rendering

OLDEST = "1.27"
# Kinds of other projects, whose schemas do not come with Kubernetes: their form is held in test_doors and test_watching.
FOREIGN = {"ServiceMonitor", "PrometheusRule", "GRPCRoute", "HTTPRoute"}
VALUES = {path.name: rendering.read(path) for path in rendering.EXAMPLES}
VALUES["everything"] = rendering.read(rendering.EVERYTHING)
VALUES["everything, postgres"] = rendering.EVERYTHING_POSTGRES


class Examples(unittest.TestCase):
    def test_every_object_is_valid_in_the_oldest_and_the_newest_kubernetes(self):
        newest = kubernetes_validate.latest_version()
        for name, values in VALUES.items():
            made = rendering.objects(values)
            self.assertGreater(len(made), 4, name)
            for each in made:
                for version in (OLDEST, newest):
                    with self.subTest(values=name, kind=each["kind"], version=version):
                        if each["kind"] in FOREIGN:
                            continue
                        kubernetes_validate.validate(each, version, strict=True)

    def test_the_check_would_see_a_misspelt_field(self):
        wrong = rendering.one("StatefulSet", {})
        wrong["spec"]["template"]["spec"]["securityContex"] = {}
        with self.assertRaises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate(wrong, OLDEST, strict=True)

    def test_the_oldest_version_is_the_one_the_chart_names(self):
        chart = rendering.read(rendering.CHART / "Chart.yaml")
        self.assertEqual(chart["kubeVersion"], f">={OLDEST}.0-0")

    def test_the_examples_that_are_promised_are_there(self):
        names = [path.stem for path in rendering.EXAMPLES]
        self.assertEqual(names, ["otlp", "production-postgres", "production-sled", "small"])

    def test_everything_switches_everything_on(self):
        both = [VALUES["everything"], VALUES["everything, postgres"]]
        kinds = {each["kind"] for values in both for each in rendering.objects(values)}
        files = [path for path in (rendering.CHART / "templates").rglob("*.yaml") if path.stem != "extraobjects"]
        wanted = {re.search(r"^kind: (\w+)", path.read_text(), re.M).group(1) for path in files}
        self.assertEqual(kinds, wanted)

    def test_no_two_objects_have_one_name_and_each_is_of_this_release(self):
        for path, values in VALUES.items():
            made = rendering.objects(values)
            names = [(each["kind"], each["metadata"]["name"]) for each in made]
            self.assertEqual(len(names), len(set(names)), path)
            for kind, name in names:
                self.assertTrue(name.startswith("demo"), f"{kind} {name}")

    def test_lint_finds_nothing(self):
        for path in rendering.EXAMPLES:
            found = helm_python.lint(str(rendering.CHART), rendering.read(path))
            self.assertEqual(found["errors"], [], path)
            self.assertEqual([each["error"] for each in found["messages"]], ["icon is recommended"], path)

    def test_the_app_version_is_that_of_the_program(self):
        cargo = (rendering.ROOT / "Cargo.toml").read_text()
        version = re.search(r'^version = "(.+)"', cargo, re.M).group(1)
        self.assertEqual(rendering.read(rendering.CHART / "Chart.yaml")["appVersion"], version)
