"""The chart's README has every value, with its default and what it means."""

import re
import unittest

import readme
import rendering


class Readme(unittest.TestCase):
    def test_its_table_is_that_of_the_values(self):
        self.assertEqual(readme.parts()[1], readme.table(), "run tests/chart/readme.py --write")

    def test_every_value_is_in_the_table(self):
        rows = re.findall(r"^\| `([^`]+)` \|", readme.parts()[1], re.M)
        self.assertEqual(len(rows), len(set(rows)))

        def walk(path, value):
            if path in rows:
                return
            self.assertIsInstance(value, dict, f"{path} is not in the table")
            self.assertTrue(value, f"{path} is not in the table")
            for key, below in value.items():
                walk(f"{path}.{key}", below)

        for key, value in rendering.read(rendering.CHART / "values.yaml").items():
            walk(key, value)

    def test_what_it_and_the_notes_name_is_there(self):
        text = (rendering.CHART / "README.md").read_text()
        for path in re.findall(r"\]\(([^)#]+)", text):
            self.assertTrue((rendering.CHART / path).exists(), path)
        for name in re.findall(r"examples/([\w-]+)\.yaml", text):
            self.assertIn(name, [path.stem for path in rendering.EXAMPLES])

    def test_the_notes_say_what_to_do_next(self):
        notes = rendering.files({})["NOTES.txt"]
        for words in ("rollout status statefulset/demo-verbatim", "test demo --logs", "data-demo-verbatim-0"):
            self.assertIn(words, notes)
        self.assertNotIn("helm", rendering.files({"tests": {"enabled": False}})["NOTES.txt"].split("To know")[0])
        open_to_all = rendering.files({"networkPolicy": {"enabled": False}})["NOTES.txt"]
        self.assertIn("every Pod of the cluster", open_to_all)
