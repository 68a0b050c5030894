"""The dashboards against a service that holds the demo's pipeline."""

from __future__ import annotations

import json
import subprocess
import sys
import unittest
from datetime import datetime
from datetime import timezone

from service import EXAMPLES
from service import PATIENCE_S
from service import PYTHON
from service import Service
from service import example
from service import folder
from service import free_port
from service import needs_grpc
from service import post
from service import verbatim


def now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def told(name: str, *arguments: str) -> list[dict]:
    return [json.loads(line) for line in example(name, "--json", *arguments).splitlines()]


class Pipeline(unittest.TestCase):
    """What both dashboards do. The service is started once for all."""

    program: str
    service: Service

    @classmethod
    def setUpClass(cls) -> None:
        cls.home = folder(cls)
        cls.service = Service(cls.home / "data")
        cls.addClassCleanup(cls.service.stop)
        verbatim("load", str(EXAMPLES / "pipeline.ndjson"), "--shift-to-today", "--server", cls.service.url)

    @classmethod
    def addCleanup(cls, *what) -> None:
        cls.addClassCleanup(*what)

    def ran(self, *arguments: str) -> list[dict]:
        return told(self.program, "--server", self.service.url, *arguments)


class Dashboard:
    def test_it_says_in_a_table_what_the_service_answers(self) -> None:
        moment = now()
        text = example(self.program, "--server", self.service.url, "--as-of", moment, "--top", "3")
        open_deals = {"status": "DEAL_STATUS_OPEN"}
        request = {"filter": open_deals, "asOf": moment, "order": "PIPELINE_ORDER_LIFT", "pageSize": 3}
        best = self.service.ask("ForecastService/ListDeals", {**request, "withTotal": True})
        self.assertIn(f"of {best['total']} open deals", text)
        for deal in best["deals"]:
            row = next(line for line in text.splitlines() if line.startswith(deal["dealId"]))
            self.assertIn(deal["name"], row)
            self.assertIn(f"{deal['score']:.1f}", row)
            self.assertIn(f"{deal['lift']:+.1f}", row)
        for owner in ("Inés Calderón", "Jonas Lindqvist", "Nadia Brandt", "Tom Ashworth"):
            self.assertIn(owner, text)
        top = best["deals"][0]["dealId"]
        stall = self.service.ask("QualificationService/ExplainStall", {"dealId": top, "asOf": moment})["explanation"]
        self.assertIn(f"Why {top} stalls: {stall['headline']}", text)
        self.assertIn(stall["causes"][0]["questions"][0], text)

    def test_all_pages_are_read_and_the_parts_add_up(self) -> None:
        [dashboard] = self.ran("--as-of", now(), "--top", "1000", "--page-size", "5")
        deals = dashboard["byLift"]
        self.assertLess(5, len(deals))
        self.assertEqual(len(deals), int(dashboard["summary"]["total"]["deals"]))
        self.assertEqual(len({deal["dealId"] for deal in deals}), len(deals))
        self.assertEqual([deal["lift"] for deal in deals], sorted((deal["lift"] for deal in deals), reverse=True))
        of_owners = sum(int(group["sums"]["deals"]) for group in dashboard["summary"]["groups"])
        self.assertEqual(of_owners, len(deals))
        self.assertAlmostEqual(sum(cause["points"] for cause in dashboard["stall"]["causes"]), 100 - deals[0]["score"])
        moved = sum(change["points"] for change in dashboard["changed"]["changes"])
        self.assertAlmostEqual(moved, dashboard["changed"]["difference"])

    def test_before_the_first_deal_there_is_nothing_to_explain(self) -> None:
        text = example(self.program, "--server", self.service.url, "--as-of", "2020-01-01T00:00:00Z")
        self.assertIn("of 0 open deals", text)
        self.assertNotIn("stalls", text)

    def test_it_goes_on_from_the_token_it_kept(self) -> None:
        deal = f"watched-{self.program}"
        place = self.home / f"{deal}.token"
        follow = ("--follow", str(place))

        # The first time: from now on. Nothing has changed since, and a token is kept.
        self.assertEqual(self.ran(*follow, "--idle", "0.5")[1:], [])
        first = place.read_text()

        for owner in ("Ann", "Ben", "Cem"):
            self.service.ask("DealService/UpsertDeal", {"deal": {"dealId": deal, "owner": owner}})
        owners = [change["owner"] for change in self.ran(*follow, "--items", "2")[1:]]
        self.assertEqual(owners, ["Ann", "Ben"])
        owners = [change["owner"] for change in self.ran(*follow, "--items", "1")[1:]]
        self.assertEqual(owners, ["Cem"])
        self.assertEqual(self.ran(*follow, "--idle", "0.5")[1:], [])

        # An older token tells the same again.
        place.write_text(first)
        again = [change["owner"] for change in self.ran(*follow, "--items", "3")[1:]]
        self.assertEqual(again, ["Ann", "Ben", "Cem"])

    def test_it_follows_through_a_restart_of_the_service(self) -> None:
        home = folder(self)
        service = Service(home / "data")
        self.addClassCleanup(lambda: service.stop())
        follow = ["--follow", str(home / "token"), "--items", "2", "--json"]
        command = [sys.executable, str(PYTHON / self.program), "--server", service.url, *follow]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watching:
            self.addClassCleanup(watching.kill)
            self.assertIn("summary", json.loads(watching.stdout.readline()))
            while not (home / "token").exists():
                self.assertIsNone(watching.poll())
            service.ask("DealService/UpsertDeal", {"deal": {"dealId": "opp-1", "owner": "Ann"}})
            self.assertEqual(json.loads(watching.stdout.readline())["owner"], "Ann")
            service.stop()
            service = Service(home / "data", service.url.removeprefix("http://"))
            service.ask("DealService/UpsertDeal", {"deal": {"dealId": "opp-1", "owner": "Ben"}})
            self.assertEqual(json.loads(watching.stdout.readline())["owner"], "Ben")
            self.assertEqual(watching.wait(PATIENCE_S), 0)

    def test_a_token_of_another_store_is_said_to_be_one(self) -> None:
        place = self.home / f"foreign-{self.program}.token"
        place.write_text("41.0000000000000000.00000000\n")
        done = self.failed("--server", self.service.url, "--follow", str(place), "--idle", "0.5")
        self.assertEqual(done.returncode, 1)
        self.assertIn("token", done.stderr)

    def test_without_a_service_it_says_so(self) -> None:
        done = self.failed("--server", f"http://127.0.0.1:{free_port()}")
        self.assertEqual(done.returncode, 75)
        self.assertIn("unavailable", done.stderr)
        self.assertNotIn("Traceback", done.stderr)

    def failed(self, *arguments: str) -> subprocess.CompletedProcess:
        command = [sys.executable, str(PYTHON / self.program), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)


class ByHttp(Dashboard, Pipeline):
    program = "dashboard_http.py"

    def test_the_history_that_a_chart_draws_is_there(self) -> None:
        url = self.service.url
        history = self.service.ask("ForecastService/GetScoreHistory", {"dealId": "opp-1031", "step": "TREND_STEP_WEEKLY"})
        self.assertLess(10, len(history["points"]))
        status, refused, _ = post(f"{url}/verbatim.v1.ForecastService/GetScoreHistory", {"dealId": "nobody"})
        self.assertEqual((status, refused["code"]), (404, "not_found"))


@needs_grpc
class ByGrpc(Dashboard, Pipeline):
    program = "dashboard_grpc.py"

    def test_both_doors_tell_the_same_numbers(self) -> None:
        moment = now()
        by_http = told("dashboard_http.py", "--server", self.service.url, "--as-of", moment)
        self.assertEqual(self.ran("--as-of", moment), by_http)


del Pipeline

if __name__ == "__main__":
    unittest.main()
