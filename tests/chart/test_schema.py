"""Wrong values are refused before anything is installed, and the refusal names the value."""

import json
import unittest

import rendering


def nested(path, value):
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


class Schema(unittest.TestCase):
    def refused(self, path, value, naming):
        with self.subTest(value=f"{path}={value!r}"):
            why = rendering.refusal(nested(path, value))
            self.assertIsNotNone(why, "it was taken")
            for word in naming.split():
                self.assertIn(word, why)

    def test_a_value_that_there_is_not_is_refused(self):
        self.refused("replicaCount", 2, "replicaCount")
        self.refused("image.name", "verbatim", "image name")
        self.refused("persistence.enabled", False, "persistence enabled")
        self.refused("service.ports", [], "service ports")
        self.refused("networkPolicy.ingress", [], "networkPolicy ingress")

    def test_a_setting_that_the_service_would_refuse_is_refused(self):
        self.refused("config.deadline_mss", 5000, "config deadline_mss")
        self.refused("config.deadline_ms", 9, "config deadline_ms 10")
        self.refused("config.deadline_ms", "5s", "config deadline_ms integer")
        self.refused("config.calls_max", 1_000_001, "config calls_max")
        self.refused("config.log_format", "xml", "config log_format console json")
        self.refused("config.cors_origins", "*", "config cors_origins array")

    def test_a_setting_that_the_chart_decides_is_refused(self):
        for key, value in {
            "data": "/data",
            "listen": "0.0.0.0:80",
            "store": "memory",
            "model": "/m.toml",
            "ops_listen": "0.0.0.0:81",
            "termination_log": "/x",
        }.items():
            self.refused(f"config.{key}", value, f"config {key}")

    def test_a_value_out_of_its_range_is_refused(self):
        self.refused("image.digest", "sha256:12", "image digest")
        self.refused("image.repository", "Registry/Verbatim", "image repository")
        self.refused("image.repository", "registry.example.com/verbatim:1", "image repository")
        self.refused("image.pullPolicy", "Sometimes", "image pullPolicy")
        self.refused("bindAddress", "127.0.0.1", "bindAddress")
        self.refused("persistence.accessMode", "ReadWriteMany", "persistence accessMode")
        self.refused("persistence.size", "ten", "persistence size")
        self.refused("startupBudgetSeconds", 9, "startupBudgetSeconds 10")
        self.refused("service.port", 0, "service port")
        self.refused("service.type", "ExternalName", "service type")
        self.refused("otlp.endpoint", "collector:4317", "otlp endpoint")
        self.refused("otlp.endpoint", "http://collector", "otlp endpoint")
        self.refused("otlp.endpoint", "grpc://collector:4317", "otlp endpoint")
        self.refused("otlp.signals", [], "otlp signals")
        self.refused("otlp.signals", ["spans"], "otlp signals")
        self.refused("mode", "memory", "mode embedded postgres")
        self.refused("replicas", 0, "replicas")
        self.refused("backup.keep", 0, "backup keep")
        self.refused("backup.schedule", "daily", "backup schedule")
        self.refused("otlp.resourceAttributes", {"a": "b,c=d"}, "otlp resourceAttributes")
        self.refused("serviceMonitor.interval", "30", "serviceMonitor interval")
        self.refused("prometheusRule.disabled", ["VerbatimUp"], "prometheusRule disabled")
        self.refused("fullnameOverride", "n" * 53, "fullnameOverride")

    def test_what_makes_the_container_powerful_is_refused(self):
        self.refused("securityContext.privileged", True, "securityContext privileged")
        self.refused("securityContext.allowPrivilegeEscalation", True, "securityContext allowPrivilegeEscalation")
        self.refused("securityContext.readOnlyRootFilesystem", False, "securityContext readOnlyRootFilesystem")

    def test_a_label_that_selects_cannot_be_replaced(self):
        self.refused("podLabels", {"app.kubernetes.io/name": "other"}, "podLabels app.kubernetes.io")
        self.refused("commonLabels", {"helm.sh/chart": "other"}, "commonLabels helm.sh")

    def test_what_could_not_work_together_is_refused_in_a_sentence(self):
        self.refused("image.repository", "", "image.repository needed")
        self.refused("terminationGracePeriodSeconds", 24, "terminationGracePeriodSeconds at least 25 24")
        self.refused("resources.limits.memory", "511Mi", "resources.limits.memory at least 512Mi 511Mi")
        self.refused("config.store_cache_mib", 300, "resources.limits.memory at least 1220Mi 1Gi")
        self.refused("model", {"toml": "a", "existingConfigMap": {"name": "b"}}, "model not both")
        self.refused("ingress.enabled", True, "ingress.hosts")
        self.refused("grpcRoute.enabled", True, "grpcRoute.parentRefs")
        self.refused("httpRoute.enabled", True, "httpRoute.parentRefs")
        self.refused("prometheusRule.enabled", True, "prometheusRule.enabled serviceMonitor.enabled")
        self.refused("mode", "postgres", "postgres.urlSecret.name needed")
        self.refused("autoscaling.enabled", True, "autoscaling.enabled mode postgres")
        many = {"mode": "postgres", "postgres": {"urlSecret": {"name": "db"}}}
        few = {"enabled": True, "minReplicas": 3, "maxReplicas": 2}
        self.assertIn("autoscaling.maxReplicas", rendering.refusal(many | {"autoscaling": few}) or "")

    def test_both_ends_of_what_is_checked_are_allowed(self):
        for values in (
            nested("terminationGracePeriodSeconds", 25),
            nested("resources.limits.memory", "512Mi"),
            nested("resources.limits.memory", "0.5G"),
            nested("startupBudgetSeconds", 10),
            nested("fullnameOverride", "n" * 52),
            nested("config.deadline_ms", 10),
            nested("image.digest", "sha256:" + "0" * 64),
            nested("otlp.endpoint", "https://collector"),
            nested("backup.schedule", "*/10 1-5 * * 1,3"),
        ):
            self.assertIsNone(rendering.refusal(values), values)

    def test_routes_of_two_kinds_share_no_host_name_on_one_listener(self):
        def routes(grpc, http, http_listener="a"):
            def route(names, listener):
                return {"enabled": True, "parentRefs": [{"name": listener}], "hostnames": names}

            return {"grpcRoute": route(grpc, "a"), "httpRoute": route(http, http_listener)}

        for values in (routes(["x.example"], ["x.example"]), routes([], ["x.example"]), routes(["x.example"], [])):
            self.assertIn("must differ", rendering.refusal(values) or "")
        self.assertIsNone(rendering.refusal(routes(["x.example"], ["y.example"])))
        self.assertIsNone(rendering.refusal(routes(["x.example"], ["x.example"], "b")))

    def test_no_object_of_the_chart_takes_keys_it_does_not_know(self):
        # What is passed on to Kubernetes as it is. Maps of strings have a schema for what they hold.
        passed_on = {"podSecurityContext", "securityContext", "global", "requests", "limits", "behavior"}
        passed_on |= {"nodeAffinity", "podAffinity", "podAntiAffinity"}

        def walk(path, schema):
            if schema.get("type") == "object" and path[-1] not in passed_on:
                self.assertIn("additionalProperties", schema, path)
                self.assertIsNot(schema["additionalProperties"], True, path)
            for key, below in schema.get("properties", {}).items():
                if below is False:
                    continue
                walk([*path, key], below)

        walk(["values"], json.loads((rendering.CHART / "values.schema.json").read_text()))

    def test_schema_and_values_know_the_same_keys(self):
        schema = json.loads((rendering.CHART / "values.schema.json").read_text())

        def walk(path, schema, values):
            if not schema.get("properties") or schema.get("additionalProperties") is not False:
                return
            missing = set(values) ^ set(schema["properties"])
            # Not all settings and limits have a value of the chart's.
            missing -= {"global", "claims", "nodeAffinity", "podAffinity", "podAntiAffinity"}
            if path != ["config"]:
                self.assertEqual(missing, set(), path)
            for key in set(values) & set(schema["properties"]):
                walk([*path, key], schema["properties"][key], values[key])

        walk([], schema, rendering.read(rendering.CHART / "values.yaml"))
