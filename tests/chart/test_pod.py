"""What matters in the Pod: it has no power, keeps its deals, is one, and starts and stops in order."""

import re
import unittest

import rendering

EVERYTHING = rendering.read(rendering.EVERYTHING)


def settings(values, **more):
    data = rendering.one("ConfigMap", values, name="demo-verbatim", **more)["data"]
    return data["verbatim.toml"]


class Power(unittest.TestCase):
    def test_pods_have_no_user_rights_token_or_way_to_write_but_to_the_volume(self):
        for values in ({}, EVERYTHING, rendering.POSTGRES, rendering.EVERYTHING_POSTGRES):
            pods = [rendering.pod(values)["spec"], rendering.one("Pod", values)["spec"]]
            if values.get("backup"):
                pods.append(rendering.job(values, "backup")["spec"])
            if values.get("mode") == "postgres":
                pods.append(rendering.job(values, "migrate")["spec"])
            for spec in pods:
                self.assertIs(spec["automountServiceAccountToken"], False)
                self.assertIs(spec["enableServiceLinks"], False)
                self.assertIs(spec["securityContext"]["runAsNonRoot"], True)
                self.assertEqual(spec["securityContext"]["runAsUser"], 65532)
                self.assertEqual(spec["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"})
                self.assertFalse({"hostNetwork", "hostPID", "hostIPC"} & set(spec))
                own = [each for each in spec["containers"] if each["name"] not in ("proxy",)]
                own += [each for each in spec.get("initContainers", []) if each["name"] not in ("wait",)]
                for each in own:
                    self.assertEqual(
                        each["securityContext"],
                        {
                            "allowPrivilegeEscalation": False,
                            "readOnlyRootFilesystem": True,
                            "capabilities": {"drop": ["ALL"]},
                        },
                    )
            account = rendering.one("ServiceAccount", values)
            self.assertIs(account["automountServiceAccountToken"], False)
            kinds = {each["kind"] for each in rendering.objects(values)}
            self.assertFalse({"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "Secret"} & kinds)

    def test_a_service_account_of_yours_is_taken(self):
        values = {"serviceAccount": {"create": False, "name": "mine"}}
        self.assertEqual(rendering.pod(values)["spec"]["serviceAccountName"], "mine")
        self.assertNotIn("ServiceAccount", [each["kind"] for each in rendering.objects(values)])


class Deals(unittest.TestCase):
    def test_there_is_one_pod_and_its_volume_belongs_to_it_alone(self):
        made = rendering.one("StatefulSet", {})["spec"]
        self.assertEqual(made["replicas"], 1)
        self.assertEqual(made["updateStrategy"], {"type": "RollingUpdate"})
        self.assertEqual(made["podManagementPolicy"], "Parallel")
        claim = made["volumeClaimTemplates"][0]["spec"]
        self.assertEqual(claim["accessModes"], ["ReadWriteOncePod"])
        self.assertEqual(claim["resources"]["requests"]["storage"], "10Gi")
        self.assertNotIn("storageClassName", claim)

    def test_deals_outlive_the_release(self):
        made = rendering.one("StatefulSet", {})["spec"]
        self.assertEqual(made["persistentVolumeClaimRetentionPolicy"], {"whenDeleted": "Retain", "whenScaled": "Retain"})

    def test_the_data_directory_is_on_the_volume(self):
        service = rendering.container({})
        mount = next(each for each in service["volumeMounts"] if each["name"] == "data")
        directory = next(each for each in service["args"] if each.startswith("--data="))
        self.assertTrue(directory.startswith(f"--data={mount['mountPath']}/"))
        self.assertIn("--store=embedded", service["args"])

    def test_a_claim_of_yours_takes_the_place_of_the_template(self):
        made = rendering.one("StatefulSet", {"persistence": {"existingClaim": "mine"}})["spec"]
        self.assertNotIn("volumeClaimTemplates", made)
        volumes = made["template"]["spec"]["volumes"]
        self.assertIn({"name": "data", "persistentVolumeClaim": {"claimName": "mine"}}, volumes)


class Upgrades(unittest.TestCase):
    IMMUTABLE = ("selector", "serviceName", "volumeClaimTemplates", "podManagementPolicy")

    def test_what_kubernetes_never_changes_is_the_same_after_an_upgrade(self):
        def newer(chart):
            path = chart / "Chart.yaml"
            path.write_text(path.read_text().replace("0.1.0", "9.9.9"))

        home, chart = rendering.copy_of_chart(newer)
        with home:
            before = rendering.one("StatefulSet", {})["spec"]
            labels = {"commonLabels": {"team": "a"}, "podLabels": {"b": "c"}}
            after = rendering.one("StatefulSet", labels, chart=chart)["spec"]
        for key in self.IMMUTABLE:
            self.assertEqual(before[key], after[key], key)

    def test_selectors_hold_three_labels_and_every_selector_meets_the_pod(self):
        pod = rendering.pod(EVERYTHING)["metadata"]["labels"]
        three = {
            "app.kubernetes.io/name": "verbatim",
            "app.kubernetes.io/instance": "demo",
            "app.kubernetes.io/component": "service",
        }
        self.assertLessEqual(three.items(), pod.items())
        selectors = []
        for each in rendering.objects(EVERYTHING):
            spec = each.get("spec", {})
            if each["kind"] == "Service":
                selectors.append(spec["selector"])
            elif each["kind"] in ("StatefulSet", "PodDisruptionBudget"):
                selectors.append(spec["selector"]["matchLabels"])
            elif each["kind"] == "NetworkPolicy" and each["metadata"]["name"] == "demo-verbatim":
                selectors.append(spec["podSelector"]["matchLabels"])
        self.assertEqual(selectors, [three] * 5)
        test = rendering.one("Pod", EVERYTHING)["metadata"]["labels"]
        self.assertNotEqual(test["app.kubernetes.io/component"], "service")

    def test_a_change_of_the_settings_makes_a_new_pod_and_nothing_else_does(self):
        def checksum(values, **more):
            return rendering.pod(values, **more)["metadata"]["annotations"]["checksum/config"]

        self.assertNotEqual(checksum({}), checksum({"config": {"calls_max": 7}}))
        self.assertNotEqual(checksum({}), checksum({"model": {"toml": "x"}}))
        self.assertEqual(checksum({}), checksum({"service": {"port": 80}, "ingress": {"className": "x"}}))

        def newer(chart):
            path = chart / "Chart.yaml"
            path.write_text(path.read_text().replace("version: 0.1.0", "version: 9.9.9"))

        home, chart = rendering.copy_of_chart(newer)
        with home:
            self.assertEqual(rendering.pod({}), rendering.pod({}, chart=chart))

    def test_a_digest_wins_over_a_tag_over_the_version(self):
        digest = "sha256:" + "a" * 64
        for image, expected in (
            ({}, ":0.1.0"),
            ({"tag": "x"}, ":x"),
            ({"tag": "x", "digest": digest}, f"@{digest}"),
        ):
            made = rendering.container({"image": image})["image"]
            self.assertEqual(made, f"registry.example.com/verbatim{expected}")
            test = rendering.one("Pod", {"image": image})["spec"]["containers"][0]["image"]
            self.assertEqual(test, made)


class Life(unittest.TestCase):
    def test_probes_end_the_process_only_when_it_is_dead(self):
        made = rendering.container({})
        port = {each["name"]: each["containerPort"] for each in made["ports"]}
        self.assertEqual(port, {"grpc": 7450, "ops": 7451})
        # Bound once the store is open, however full the disk is; the operations port answers before.
        self.assertEqual(made["startupProbe"]["tcpSocket"], {"port": "grpc"})
        self.assertEqual(made["livenessProbe"]["httpGet"], {"path": "/livez", "port": "ops"})
        self.assertEqual(made["readinessProbe"]["httpGet"], {"path": "/readyz", "port": "ops"})

    def test_starting_may_take_the_budget_and_no_less(self):
        for budget in (10, 11, 300, 901):
            probe = rendering.container({"startupBudgetSeconds": budget})["startupProbe"]
            seconds = probe["periodSeconds"] * probe["failureThreshold"]
            self.assertIn(seconds - budget, (0, 1))

    def test_the_drain_fits_into_the_time_to_stop(self):
        def seconds(config):
            return rendering.pod({"config": config})["spec"]["terminationGracePeriodSeconds"]

        self.assertEqual(seconds({}), 10 + 10 + 15)
        self.assertEqual(seconds({"drain_ms": 0, "drain_timeout_ms": 0}), 15)
        self.assertEqual(seconds({"drain_ms": 30_001, "drain_timeout_ms": 60_000}), 91 + 15)

    def test_ports_and_files_that_the_chart_rests_on_are_flags_which_win_over_variables(self):
        args = rendering.container({})["args"]
        for flag in (
            "--config=/etc/verbatim/verbatim.toml",
            "--listen=0.0.0.0:7450",
            "--ops-listen=0.0.0.0:7451",
            "--termination-log=/dev/termination-log",
        ):
            self.assertIn(flag, args)
        self.assertIn("--listen=[::]:7450", rendering.container({"bindAddress": "[::]"})["args"])

    def test_settings_are_toml_of_their_kinds(self):
        import tomllib

        read = tomllib.loads(settings(EVERYTHING))
        self.assertEqual(
            read,
            {
                "calls_max": 2000,
                "cors_origins": ["https://crm.example.com", "https://a.example"],
                "deadline_ms": 5000,
                "drain_ms": 10000,
                "drain_timeout_ms": 10000,
                "free_mib_min": 512,
                "log_format": "json",
                "log_level": "info,sled=warn",
                "write_queue_max": 10000,
            },
        )
        odd = 'a "b" \\ c\n<ä>'
        self.assertEqual(tomllib.loads(settings({"config": {"log_level": odd}}))["log_level"], odd)

    def test_a_large_number_is_written_out_also_where_helm_takes_numbers_for_floats(self):
        def large(chart):
            path = chart / "values.yaml"
            path.write_text(path.read_text().replace("drain_ms: 10000", "drain_ms: 600000\n  calls_max: 1000000"))

        home, chart = rendering.copy_of_chart(large)
        with home:
            text = settings({}, chart=chart)
        self.assertIn("calls_max = 1000000\n", text)
        self.assertIn("drain_ms = 600000\n", text)

    def test_a_model_of_yours_is_mounted_and_named(self):
        for model, source in (
            ({"toml": "a = 1"}, "demo-verbatim"),
            ({"existingConfigMap": {"name": "mine", "key": "m"}}, "mine"),
        ):
            spec = rendering.pod({"model": model})["spec"]
            volume = next(each for each in spec["volumes"] if each["name"] == "model")
            self.assertEqual(volume["configMap"]["name"], source)
            mount = next(each for each in spec["containers"][0]["volumeMounts"] if each["name"] == "model")
            path = f"--model={mount['mountPath']}/{volume['configMap']['items'][0]['path']}"
            self.assertIn(path, spec["containers"][0]["args"])
        self.assertFalse([each for each in rendering.container({})["args"] if each.startswith("--model")])

    def test_no_volume_is_mounted_that_is_not_there(self):
        for values in ({}, EVERYTHING, {"persistence": {"existingClaim": "mine"}}):
            made = rendering.one("StatefulSet", values)["spec"]
            spec = made["template"]["spec"]
            there = [each["name"] for each in spec["volumes"]]
            there += [each["metadata"]["name"] for each in made.get("volumeClaimTemplates", [])]
            mounted = [each["name"] for each in spec["containers"][0]["volumeMounts"]]
            self.assertEqual(sorted(there), sorted(mounted))


class Extras(unittest.TestCase):
    def test_everything_extra_arrives(self):
        spec = rendering.pod(EVERYTHING)["spec"]
        service = rendering.container(EVERYTHING)
        for key in ("nodeSelector", "affinity", "tolerations", "topologySpreadConstraints", "priorityClassName"):
            self.assertEqual(spec[key], EVERYTHING[key], key)
        self.assertEqual(spec["initContainers"], EVERYTHING["initContainers"])
        self.assertEqual([each["name"] for each in spec["containers"]], ["verbatim", "proxy"])
        self.assertEqual(service["envFrom"], EVERYTHING["extraEnvFrom"])
        self.assertIn(EVERYTHING["extraEnv"][0], service["env"])
        self.assertIn(EVERYTHING["extraVolumes"][0], spec["volumes"])
        self.assertIn(EVERYTHING["extraVolumeMounts"][0], service["volumeMounts"])
        self.assertEqual(spec["imagePullSecrets"], [{"name": "registry-credentials"}])
        labels = rendering.pod(EVERYTHING)["metadata"]["labels"]
        self.assertEqual((labels["team"], labels["mesh"]), ("revenue", "off"))
        names = {each["metadata"]["name"] for each in rendering.objects(EVERYTHING) if each["kind"] == "ConfigMap"}
        self.assertLessEqual({"demo-verbatim-a", "demo-b"}, names)

    def test_telemetry_is_off_unless_an_endpoint_is_given(self):
        self.assertNotIn("env", rendering.container({}))
        env = {each["name"]: each for each in rendering.container(EVERYTHING)["env"]}
        self.assertEqual(env["OTEL_EXPORTER_OTLP_ENDPOINT"]["value"], "http://collector.example.com:4317/")
        secret = {"secretKeyRef": {"name": "otlp-token", "key": "token"}}
        self.assertEqual(env["OTEL_EXPORTER_OTLP_HEADERS"]["valueFrom"], secret)
        attributes = dict(each.split("=") for each in env["OTEL_RESOURCE_ATTRIBUTES"]["value"].split(","))
        self.assertEqual(env["OTEL_METRICS_EXPORTER"]["value"], "none")
        self.assertFalse({"OTEL_TRACES_EXPORTER", "OTEL_LOGS_EXPORTER"} & set(env))
        mount = next(each for each in rendering.container(EVERYTHING)["volumeMounts"] if each["name"] == "otlp-ca")
        self.assertEqual(env["OTEL_EXPORTER_OTLP_CERTIFICATE"]["value"], f"{mount['mountPath']}/ca.crt")
        self.assertEqual(attributes["deployment.environment.name"], "test")
        self.assertEqual(attributes["k8s.pod.name"], "$(K8S_POD_NAME)")
        # A variable can only use those before it.
        names = list(env)
        for used in re.findall(r"\$\((\w+)\)", env["OTEL_RESOURCE_ATTRIBUTES"]["value"]):
            self.assertLess(names.index(used), names.index("OTEL_RESOURCE_ATTRIBUTES"))

    def test_no_variable_of_the_chart_is_taken_for_a_setting(self):
        for values in (EVERYTHING, rendering.EVERYTHING_POSTGRES):
            names = [each["name"] for each in rendering.container(values)["env"]]
            ours = [name for name in names if name.startswith("VERBATIM_")]
            self.assertEqual(ours, ["VERBATIM_STORE"] if values.get("mode") else [])

    def test_names_fit_however_long_the_release_is(self):
        for values in (EVERYTHING, rendering.EVERYTHING_POSTGRES):
            for each in rendering.objects(values, release="r" * 53):
                # A CronJob adds eleven characters to its Jobs.
                longest = 52 if each["kind"] == "CronJob" else 63
                self.assertLessEqual(len(each["metadata"]["name"]), longest, each["kind"])
        made = rendering.one("StatefulSet", {}, release="r" * 53)["metadata"]["name"]
        self.assertLessEqual(len(made), 52)
        self.assertEqual(rendering.one("StatefulSet", {}, release="verbatim")["metadata"]["name"], "verbatim")


class HelmTest(unittest.TestCase):
    def test_it_records_then_closes_then_scores_one_deal_that_stays_the_same(self):
        made = rendering.one("Pod", {"tests": {"deal": "d"}, "service": {"port": 80}})
        self.assertEqual(made["metadata"]["annotations"]["helm.sh/hook"], "test")
        spec = made["spec"]
        steps = [*spec["initContainers"], *spec["containers"]]
        self.assertEqual([step["name"] for step in steps], ["record", "close", "score"])
        for step in steps:
            self.assertNotIn("command", step, "the image has no shell")
            self.assertIn("d", step["args"])
            self.assertEqual(step["env"], [{"name": "VERBATIM_SERVER", "value": "http://demo-verbatim:80"}])
        self.assertTrue([each for each in steps[0]["args"] if each.startswith("--id=")])
        self.assertTrue([each for each in steps[0]["args"] if each.startswith("--said-at=")])
        self.assertTrue([each for each in steps[1]["args"] if each.startswith("--at=")])
        self.assertEqual(spec["restartPolicy"], "Never")

    def test_it_can_be_left_out(self):
        kinds = [each["kind"] for each in rendering.objects({"tests": {"enabled": False}})]
        self.assertNotIn("Pod", kinds)
