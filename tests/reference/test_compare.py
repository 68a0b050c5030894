"""The comparison against a service made of the model itself: it agrees, and any change to an answer is seen.

What it cannot show: that a real service reads and writes the JSON as assumed here.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from unittest.mock import patch

import compare
import model
from histories import timestamp
from model import Event, instant


class Service:
    """Keeps histories in memory and answers from the model, with one answer bent on request."""

    def __init__(self, bend=lambda call, answer: None):
        self.bend = bend
        self.deals: dict[str, list[Event]] = {}

    def answer(self, path: str, body: dict) -> dict:
        call = path.rpartition("/")[2]
        match call:
            case "UpsertDeal":
                answer = self.append(body["deal"]["dealId"], "deal", [body["deal"]])
            case "UpsertStakeholders":
                answer = self.append(body["dealId"], "stakeholder", body["stakeholders"])
            case "UpsertMilestones":
                answer = self.append(body["dealId"], "milestone", body["milestones"])
            case "RecordOutcome":
                answer = self.append(body["dealId"], "outcome", [body["outcome"]])
            case "RetractBuyerStatement":
                answer = self.append(body["dealId"], "retraction", [body])
            case "ConfirmClaims":
                answer = self.append(body["dealId"], "confirmation", [body])
            case "RecordBuyerStatement":
                answer = self.append(body["statement"]["dealId"], "statement", [body["statement"]])
            case "ListDealHistory":
                answer = self.history(body)
            case "ScoreDeal":
                answer = {"score": score_json(model.score(*self.question(body)))}
            case "ExplainStall":
                answer = {"explanation": explanation_json(model.explain(*self.question(body)))}
        self.bend(call, answer)
        return answer

    def append(self, deal_id: str, kind: str, payloads: list[dict]) -> dict:
        events = self.deals.setdefault(deal_id, [])
        now_ns = time.time_ns()
        for payload in payloads:
            when = payload.get("effectiveAt") or payload.get("saidAt")
            effective_ns = instant(when) if when else now_ns
            events.append(Event(kind, effective_ns, now_ns, len(events) + 1, payload))
        return {"revision": str(len(events))}

    def history(self, body: dict) -> dict:
        start = int(body.get("pageToken", 0))
        events = self.deals[body["dealId"]]
        page = events[start : start + body["pageSize"]]
        answer = {
            "events": [
                {
                    "revision": str(e.order),
                    "recordedAt": timestamp(e.recorded_ns),
                    "effectiveAt": timestamp(e.effective_ns),
                    e.kind: e.payload,
                }
                for e in page
            ]
        }
        if start + len(page) < len(events):
            answer["nextPageToken"] = str(start + len(page))
        return answer

    def question(self, body: dict) -> tuple:
        as_of = instant(body["asOf"]) if "asOf" in body else None
        known_at = instant(body["knownAt"]) if "knownAt" in body else None
        return self.deals[body["dealId"]], as_of, known_at, time.time_ns()


def without_zeros(message: dict) -> dict:
    return {name: value for name, value in message.items() if value not in (0, False, "", None)}


def score_json(sheet: model.Sheet) -> dict:
    answer = without_zeros(
        {
            "asOf": timestamp(sheet.as_of),
            "score": sheet.score,
            "base": sheet.base,
            "band": f"BAND_{sheet.band}",
            "forecastCategory": f"FORECAST_CATEGORY_{sheet.forecast_category}",
            "criteria": [without_zeros({"topic": f"TOPIC_{t}"} | vars(c)) for t, c in sheet.criteria.items()],
            "modifiers": [without_zeros({"modifier": f"MODIFIER_{m}"} | vars(v)) for m, v in sheet.modifiers.items()],
            "gates": [without_zeros({"gate": f"GATE_{g}"} | vars(v)) for g, v in sheet.gates.items()],
            "capPoints": sheet.cap_points,
            "buyerStage": f"BUYING_STAGE_{sheet.buyer_stage}",
            "buyerStageSource": f"STAGE_SOURCE_{sheet.buyer_stage_source}",
            "sellerStage": sheet.seller_stage,
            "stageGap": sheet.stage_gap,
            "stakeholdersActive": sheet.stakeholders_active,
        }
    )
    return answer if sheet.momentum is None else answer | {"momentum": sheet.momentum}


def explanation_json(stall: model.Explanation) -> dict:
    return without_zeros(
        {
            "asOf": timestamp(stall.as_of),
            "score": stall.score,
            "state": f"DEAL_STATE_{stall.state}",
            "causes": [
                without_zeros(
                    {
                        "cause": f"STALL_CAUSE_{c.cause}",
                        "points": c.points,
                        "scoreIfResolved": c.score_if_resolved,
                        "lift": c.lift,
                    }
                )
                for c in stall.causes
            ],
            "nextSteps": [{"cause": f"STALL_CAUSE_{c}", "scoreAfter": after} for c, after in stall.next_steps],
            "walkAway": without_zeros({"recommended": stall.walk_away}),
        }
    )


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = json.dumps(self.server.service.answer(self.path, body)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *arguments):
        pass


class Compare(unittest.TestCase):
    def run_against(self, service: Service, *arguments: str) -> tuple[int, str]:
        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            server.service = service
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, daemon=True).start()
            out = io.StringIO()
            address = f"http://127.0.0.1:{server.server_port}"
            with patch.object(sys, "argv", ["compare", "--server", address, *arguments]), contextlib.redirect_stdout(out):
                code = compare.main()
            server.shutdown()
        return code, out.getvalue()

    def test_the_model_agrees_with_itself(self):
        code, out = self.run_against(Service(), "--histories", "20", "--strict-ties")
        self.assertEqual(code, 0, out)
        self.assertIn("compared 20 histories", out)

    def test_any_bent_answer_is_seen(self):
        def at(call: str, *path):
            def bend(actual: str, answer: dict) -> None:
                if actual == call:
                    for name in path[:-1]:
                        answer = answer[name]
                    value = answer.get(path[-1], 0)
                    answer[path[-1]] = value + 2e-6 if isinstance(value, (int, float)) else "ANOTHER"

            return bend

        for call, *path in [
            ("ScoreDeal", "score", "score"),
            ("ScoreDeal", "score", "base"),
            ("ScoreDeal", "score", "band"),
            ("ScoreDeal", "score", "momentum"),
            ("ScoreDeal", "score", "criteria", 3, "opposition"),
            ("ScoreDeal", "score", "modifiers", 2, "factor"),
            ("ScoreDeal", "score", "capPoints"),
            ("ScoreDeal", "score", "buyerStage"),
            ("ScoreDeal", "score", "sellerStage"),
            ("ExplainStall", "explanation", "state"),
            ("ExplainStall", "explanation", "causes", 0, "cause"),
            ("ExplainStall", "explanation", "causes", 0, "points"),
            ("ExplainStall", "explanation", "causes", 0, "lift"),
            ("ExplainStall", "explanation", "nextSteps", 0, "scoreAfter"),
            ("ListDealHistory", "events", 0, "effectiveAt"),
        ]:
            with self.subTest(call=call, path=path):
                def bend(actual, answer, bent=at(call, *path)):
                    with contextlib.suppress(IndexError, KeyError):
                        bent(actual, answer)

                code, out = self.run_against(Service(bend), "--histories", "10")
                self.assertEqual(code, 1)
                self.assertIn("disagree", out)

    def test_another_rule_is_seen(self):
        rules = [
            ("DEFERRED_FACTOR", 0.51),
            ("DEPARTED_FACTOR", 0.26),
            ("COVERAGE_FLOOR", 3.01),
            ("LEVEL_GATE_MIN", 0.11),
            ("NEXT_STEPS_MAX", 4),
        ]
        for name, value in rules:
            with self.subTest(name):
                true_value = getattr(model, name)
                service = Service()
                truly = service.answer

                def answer(path, body):
                    # The two sides take turns, so the rule can be bent for one of them.
                    setattr(model, name, value)
                    try:
                        return truly(path, body)
                    finally:
                        setattr(model, name, true_value)

                service.answer = answer
                code, out = self.run_against(service, "--histories", "60")
                self.assertEqual(code, 1, out)

    def test_an_answer_without_its_fields_is_shown(self):
        def empty(call: str, answer: dict) -> None:
            if call == "ScoreDeal":
                answer["score"] = {"asOf": "2025-01-01T00:00:00Z"}

        code, out = self.run_against(Service(empty), "--histories", "1")
        self.assertEqual(code, 1)
        self.assertIn("again: --seed 1 --only 1", out)


if __name__ == "__main__":
    unittest.main()
