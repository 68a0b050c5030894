"""The CronJob that backs up: by the running service, into a volume that outlives the release, let in by the policy."""

import unittest

import rendering

EVERYTHING = rendering.read(rendering.EVERYTHING)
ON = {"backup": {"enabled": True}}


class Backup(unittest.TestCase):
    def test_it_is_asked_for(self):
        kinds = [each["kind"] for each in rendering.objects({})]
        self.assertFalse({"CronJob", "PersistentVolumeClaim"} & set(kinds))

    def test_it_asks_the_service_in_either_mode_and_keeps_so_many(self):
        for values in (ON, rendering.many(ON)):
            spec = rendering.job(values, "backup")["spec"]
            (container,) = spec["containers"]
            self.assertNotIn("command", container, "the image has no shell")
            self.assertEqual(
                container["args"],
                ["backup", "--server=http://demo-verbatim:7450", "--into=/backups", "--keep=14"],
            )
            (mount,) = container["volumeMounts"]
            (volume,) = spec["volumes"]
            self.assertEqual((mount["name"], mount["mountPath"]), (volume["name"], "/backups"))

    def test_one_at_a_time_when_you_say(self):
        made = rendering.one("CronJob", EVERYTHING)["spec"]
        self.assertEqual(made["concurrencyPolicy"], "Forbid")
        self.assertEqual((made["schedule"], made["timeZone"]), ("*/30 * * * *", "Europe/Zurich"))
        self.assertIn("--keep=7", rendering.job(EVERYTHING, "backup")["spec"]["containers"][0]["args"])

    def test_backups_outlive_the_release_or_go_where_you_say(self):
        claim = rendering.one("PersistentVolumeClaim", EVERYTHING)
        self.assertEqual(claim["metadata"]["annotations"], {"helm.sh/resource-policy": "keep"})
        self.assertEqual(claim["spec"]["resources"]["requests"]["storage"], "30Gi")
        self.assertEqual(claim["spec"]["storageClassName"], "slow")
        mine = {"backup": {"enabled": True, "persistence": {"existingClaim": "mine"}}}
        self.assertNotIn("PersistentVolumeClaim", [each["kind"] for each in rendering.objects(mine)])
        (volume,) = rendering.job(mine, "backup")["spec"]["volumes"]
        self.assertEqual(volume["persistentVolumeClaim"], {"claimName": "mine"})

    def test_it_is_let_in_and_is_no_target_of_the_service(self):
        labels = rendering.job(ON, "backup")["metadata"]["labels"]
        calls = rendering.one("NetworkPolicy", ON, name="demo-verbatim")["spec"]["ingress"][0]["from"]
        peers = [peer["podSelector"].get("matchLabels") for peer in calls]
        self.assertIn(labels, peers)
        own = rendering.one("NetworkPolicy", ON, name="demo-verbatim-backup")["spec"]
        self.assertEqual(own["podSelector"]["matchLabels"], labels)
        (to,) = own["egress"][-1]["to"]
        self.assertLessEqual(to["podSelector"]["matchLabels"].items(), rendering.pod(ON)["metadata"]["labels"].items())
        self.assertNotIn("ingress", own)
        selector = rendering.one("Service", ON, name="demo-verbatim")["spec"]["selector"]
        self.assertFalse(selector.items() <= labels.items())
