"""Who reaches the service, and by which way."""

import unittest

import rendering

EVERYTHING = rendering.read(rendering.EVERYTHING)


class Services(unittest.TestCase):
    def test_the_operations_port_is_on_no_service_that_can_face_the_world(self):
        service = rendering.one("Service", EVERYTHING, name="demo-verbatim")["spec"]
        self.assertEqual([port["name"] for port in service["ports"]], ["grpc"])
        self.assertEqual(service["ports"][0]["port"], 443)
        self.assertEqual(service["ports"][0]["appProtocol"], "kubernetes.io/h2c")
        self.assertEqual(service["ports"][0]["nodePort"], 30450)
        pods = rendering.one("Service", EVERYTHING, name="demo-verbatim-pods")["spec"]
        self.assertEqual(pods["clusterIP"], "None")
        self.assertEqual([port["name"] for port in pods["ports"]], ["grpc", "ops"])
        self.assertIs(pods["publishNotReadyAddresses"], True)

    def test_the_stateful_set_names_the_service_without_an_address(self):
        made = rendering.one("StatefulSet", {})["spec"]["serviceName"]
        self.assertEqual(rendering.one("Service", {}, name=made)["spec"]["clusterIP"], "None")

    def test_by_default_it_is_inside_the_cluster(self):
        kinds = {each["kind"] for each in rendering.objects({})}
        self.assertFalse({"Ingress", "GRPCRoute", "HTTPRoute"} & kinds)
        self.assertEqual(rendering.one("Service", {}, name="demo-verbatim")["spec"]["type"], "ClusterIP")


class Routes(unittest.TestCase):
    def test_an_ingress_sends_all_paths_of_each_host_to_the_service(self):
        made = rendering.one("Ingress", EVERYTHING)["spec"]
        self.assertEqual([rule["host"] for rule in made["rules"]], EVERYTHING["ingress"]["hosts"])
        for rule in made["rules"]:
            (path,) = rule["http"]["paths"]
            self.assertEqual((path["path"], path["pathType"]), ("/", "Prefix"))
            self.assertEqual(path["backend"]["service"], {"name": "demo-verbatim", "port": {"name": "grpc"}})
        self.assertEqual(made["tls"], EVERYTHING["ingress"]["tls"])
        self.assertEqual(made["ingressClassName"], "nginx")

    def test_routes_of_the_gateway_api_have_its_form(self):
        for kind, key in (("GRPCRoute", "grpcRoute"), ("HTTPRoute", "httpRoute")):
            made = rendering.one(kind, EVERYTHING)
            self.assertEqual(made["apiVersion"], "gateway.networking.k8s.io/v1")
            given = EVERYTHING[key]
            self.assertEqual(
                made["spec"],
                {
                    "parentRefs": given["parentRefs"],
                    "hostnames": given["hostnames"],
                    "rules": [
                        {
                            "backendRefs": [{"name": "demo-verbatim", "port": 443}],
                            "matches": given["matches"],
                            "filters": given["filters"],
                        }
                    ],
                },
            )


class Network(unittest.TestCase):
    def policy(self, values):
        return rendering.one("NetworkPolicy", values)["spec"]

    def test_by_default_the_namespace_calls_and_monitoring_watches_and_nothing_goes_out(self):
        made = self.policy({})
        self.assertEqual(made["policyTypes"], ["Ingress", "Egress"])
        calls, watching = made["ingress"]
        self.assertEqual(calls["ports"], [{"port": "grpc", "protocol": "TCP"}])
        self.assertEqual(calls["from"][0], {"podSelector": {}})
        self.assertEqual(watching["ports"], [{"port": "ops", "protocol": "TCP"}])
        (monitor,) = watching["from"]
        self.assertEqual(monitor["namespaceSelector"]["matchLabels"], {"kubernetes.io/metadata.name": "monitoring"})
        self.assertEqual(made["egress"], [])

    def test_with_nobody_let_in_only_the_test_gets_in(self):
        made = self.policy({"networkPolicy": {"clients": [], "monitors": []}})
        (calls,) = made["ingress"]
        (peer,) = calls["from"]
        labels = rendering.one("Pod", {})["metadata"]["labels"]
        self.assertLessEqual(peer["podSelector"]["matchLabels"].items(), labels.items())

    def test_telemetry_gets_out_to_its_port(self):
        def ports(endpoint):
            return [
                port["port"] for rule in self.policy({"otlp": {"endpoint": endpoint}})["egress"] for port in rule["ports"]
            ]

        self.assertEqual(ports("http://collector.monitoring:4317"), [53, 53, 4317])
        self.assertEqual(ports("http://[fd00::1]:4318/"), [53, 53, 4318])
        self.assertEqual(ports("https://collector2"), [53, 53, 443])

    def test_the_reader_of_quotes_is_reached_at_its_port(self):
        def ports(extractor):
            made = self.policy({"config": {"extractor": extractor}})["egress"]
            return [port["port"] for rule in made for port in rule["ports"]]

        self.assertEqual(ports("http://reader2.sales:7460/"), [53, 53, 7460])
        self.assertEqual(ports("http://reader2"), [53, 53, 80])

    def test_it_can_be_left_out(self):
        values = {"networkPolicy": {"enabled": False}}
        self.assertNotIn("NetworkPolicy", [each["kind"] for each in rendering.objects(values)])


class Disruption(unittest.TestCase):
    def test_a_budget_is_asked_for_and_then_forbids_and_lets_a_broken_pod_go(self):
        self.assertNotIn("PodDisruptionBudget", [each["kind"] for each in rendering.objects({})])
        made = rendering.one("PodDisruptionBudget", EVERYTHING)["spec"]
        self.assertEqual((made["maxUnavailable"], made["unhealthyPodEvictionPolicy"]), (0, "AlwaysAllow"))
