"""What mode postgres makes: many Pods without a volume, tables brought up to date before them, a password from a Secret."""

import unittest

import rendering

POSTGRES = rendering.POSTGRES
EVERYTHING = rendering.EVERYTHING_POSTGRES
# Of the chart, and no others.
SERVICE = {
    "app.kubernetes.io/name": "verbatim",
    "app.kubernetes.io/instance": "demo",
    "app.kubernetes.io/component": "service",
}


def kinds(values):
    return [each["kind"] for each in rendering.objects(values)]


class Pods(unittest.TestCase):
    def test_there_are_many_and_none_keeps_anything(self):
        made = rendering.one("Deployment", POSTGRES)["spec"]
        self.assertEqual(made["replicas"], 2)
        self.assertEqual(made["selector"]["matchLabels"], SERVICE)
        self.assertNotIn("StatefulSet", kinds(POSTGRES))
        spec = made["template"]["spec"]
        self.assertEqual([each["name"] for each in spec["volumes"]], ["config"])
        args = rendering.container(POSTGRES)["args"]
        self.assertFalse([arg for arg in args if arg.startswith(("--store", "--data"))])

    def test_an_update_takes_no_pod_before_there_is_another(self):
        made = rendering.one("Deployment", POSTGRES)["spec"]["strategy"]
        self.assertEqual(made, {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}})

    def test_the_url_comes_from_the_secret_and_stands_nowhere(self):
        (env,) = rendering.container(POSTGRES)["env"]
        self.assertEqual(env, {"name": "VERBATIM_STORE", "valueFrom": {"secretKeyRef": {"name": "db", "key": "url"}}})
        (env,) = rendering.job(EVERYTHING, "migrate")["spec"]["containers"][0]["env"]
        self.assertEqual(env["valueFrom"], {"secretKeyRef": {"name": "db", "key": "dsn"}})

    def test_they_are_spread_unless_you_say_how(self):
        spread = rendering.pod(POSTGRES)["spec"]["topologySpreadConstraints"]
        self.assertEqual(
            [(each["topologyKey"], each["whenUnsatisfiable"]) for each in spread],
            [("topology.kubernetes.io/zone", "ScheduleAnyway"), ("kubernetes.io/hostname", "ScheduleAnyway")],
        )
        for each in spread:
            self.assertEqual(each["labelSelector"]["matchLabels"], SERVICE)
        given = rendering.pod(EVERYTHING)["spec"]["topologySpreadConstraints"]
        self.assertEqual(given, EVERYTHING["topologySpreadConstraints"])
        self.assertNotIn("topologySpreadConstraints", rendering.pod({})["spec"])

    def test_memory_is_not_held_against_a_store_that_is_not_there(self):
        values = rendering.many({"resources": {"limits": {"memory": "320Mi"}}})
        self.assertIsNone(rendering.refusal(values))
        less = rendering.many({"resources": {"limits": {"memory": "319Mi"}}})
        self.assertIn("at least 320Mi", rendering.refusal(less) or "")

    def test_no_volume_is_mounted_that_is_not_there(self):
        for values in (POSTGRES, EVERYTHING):
            spec = rendering.pod(values)["spec"]
            there = [each["name"] for each in spec["volumes"]]
            mounted = [each["name"] for each in spec["containers"][0]["volumeMounts"]]
            self.assertEqual(sorted(there), sorted(mounted))


class Number(unittest.TestCase):
    def test_an_autoscaler_alone_says_how_many(self):
        self.assertNotIn("HorizontalPodAutoscaler", kinds(POSTGRES))
        self.assertNotIn("replicas", rendering.one("Deployment", EVERYTHING)["spec"])
        made = rendering.one("HorizontalPodAutoscaler", EVERYTHING)["spec"]
        self.assertEqual(made["scaleTargetRef"], {"apiVersion": "apps/v1", "kind": "Deployment", "name": "demo-verbatim"})
        self.assertEqual((made["minReplicas"], made["maxReplicas"]), (3, 9))
        self.assertEqual(made["metrics"][0]["resource"]["target"]["averageUtilization"], 60)
        self.assertEqual(made["behavior"], EVERYTHING["autoscaling"]["behavior"])

    def test_one_pod_may_go_at_a_time(self):
        made = rendering.one("PodDisruptionBudget", POSTGRES)["spec"]
        self.assertEqual((made["maxUnavailable"], made["selector"]["matchLabels"]), (1, SERVICE))
        without = rendering.many({"podDisruptionBudget": {"enabled": False}})
        self.assertNotIn("PodDisruptionBudget", kinds(without))


class Migration(unittest.TestCase):
    def test_it_comes_before_the_pods_and_uses_nothing_that_comes_with_them(self):
        made = rendering.one("Job", POSTGRES)
        notes = made["metadata"]["annotations"]
        self.assertEqual(notes["helm.sh/hook"], "pre-install,pre-upgrade")
        self.assertNotIn("hook-failed", notes["helm.sh/hook-delete-policy"])
        spec = made["spec"]["template"]["spec"]
        self.assertEqual(spec["serviceAccountName"], "default")
        self.assertNotIn("volumes", spec)
        self.assertEqual(spec["containers"][0]["args"], ["migrate"])
        self.assertEqual(spec["containers"][0]["image"], rendering.container(POSTGRES)["image"])
        own = {"serviceAccount": {"create": False, "name": "mine"}}
        self.assertEqual(rendering.job(rendering.many(own), "migrate")["spec"]["serviceAccountName"], "mine")

    def test_its_patience_is_yours(self):
        made = rendering.one("Job", EVERYTHING)["spec"]
        self.assertEqual((made["activeDeadlineSeconds"], made["backoffLimit"]), (900, 1))

    def test_it_can_be_left_to_you_and_is_not_for_the_embedded_store(self):
        without = rendering.many({"postgres": {"migration": {"enabled": False}}})
        self.assertNotIn("Job", kinds(without))
        self.assertNotIn("Job", kinds(rendering.read(rendering.EVERYTHING)))


class Around(unittest.TestCase):
    def test_the_database_is_let_out_to(self):
        made = rendering.one("NetworkPolicy", POSTGRES, name="demo-verbatim")["spec"]["egress"]
        self.assertEqual([port["port"] for rule in made for port in rule["ports"]], [53, 53, 5432])
        made = rendering.one("NetworkPolicy", EVERYTHING, name="demo-verbatim")["spec"]["egress"]
        ports = [port["port"] for rule in made for port in rule.get("ports", [])]
        self.assertEqual(ports, [53, 53, 26257, 4317])

    def test_the_migration_gets_out_to_the_database_before_it_runs(self):
        made = rendering.one("NetworkPolicy", EVERYTHING, name="demo-verbatim-migrate")
        labels = rendering.job(EVERYTHING, "migrate")["metadata"]["labels"]
        self.assertLessEqual(made["spec"]["podSelector"]["matchLabels"].items(), labels.items())
        ports = [port["port"] for rule in made["spec"]["egress"] for port in rule["ports"]]
        self.assertEqual(ports, [53, 53, 26257])
        weights = [each["metadata"]["annotations"]["helm.sh/hook-weight"] for each in (made, rendering.one("Job", EVERYTHING))]
        self.assertLess(int(weights[0]), int(weights[1]))

    def test_doors_and_watching_are_those_of_the_other_mode(self):
        ours = {"Ingress", "GRPCRoute", "HTTPRoute", "NetworkPolicy", "ServiceMonitor", "PrometheusRule", "Service"}
        embedded = rendering.objects(rendering.read(rendering.EVERYTHING))
        postgres = rendering.objects(EVERYTHING)
        for kind in ours - {"NetworkPolicy", "PrometheusRule"}:
            self.assertEqual(
                [each for each in embedded if each["kind"] == kind],
                [each for each in postgres if each["kind"] == kind],
            )
        self.assertLessEqual(ours, set(kinds(EVERYTHING)))

    def test_no_alert_is_about_a_volume(self):
        watched = {"serviceMonitor": {"enabled": True}, "prometheusRule": {"enabled": True}}
        (group,) = rendering.one("PrometheusRule", rendering.many(watched))["spec"]["groups"]
        text = str(group)
        for word in ("free_bytes", "disk_bytes", "open_seconds"):
            self.assertNotIn(word, text)
        for name in ("VerbatimDown", "VerbatimSyncSlow", "VerbatimConnectionsShort"):
            self.assertIn(name, text)

    def test_the_notes_speak_of_many_pods(self):
        notes = rendering.files(POSTGRES)["NOTES.txt"]
        for words in ("rollout status deployment/demo-verbatim", "database"):
            self.assertIn(words, notes)
        self.assertNotIn("One Pod", notes)
        self.assertNotIn("volume with the deals", notes)
