"""The model against examples worked out by hand, and against the laws of the contract.

    python3 -m unittest discover tests/reference

The examples are short histories in a notation of days: day 0 is midnight UTC of 2025-01-01, everything is
recorded in the order written, and numbers come from the formulas by hand.
"""

from __future__ import annotations

import unittest
from dataclasses import replace
from random import Random

import model
from histories import Write, boundaries, events_of, random_history, shuffled, timestamp
from model import DAY_NS, Event, explain, instant, score

DAY_0 = instant("2025-01-01T00:00:00Z")
NOW = instant("2025-06-01T09:30:00.123456789Z")
ENOUGH_HISTORIES = 150


def at(day: float) -> int:
    return DAY_0 + round(day * DAY_NS)


def person(day: float, who: str, *roles: str, **facts) -> tuple[float, str, dict]:
    payload = {"stakeholderId": who} | facts
    if roles:
        payload["roles"] = [f"BUYING_ROLE_{role}" for role in roles]
    return (day, "stakeholder", payload)


def left(day: float, who: str) -> tuple[float, str, dict]:
    return person(day, who, presence="PRESENCE_DEPARTED")


def says(day: float, who: str, *claims: str, attribution: str = "VERBATIM", id: str = "") -> tuple[float, str, dict]:
    """Claims as `TOPIC stance conviction key=value…`, all but the topic optional."""
    payload = {
        "statementId": id or f"{who} {day} {claims} {attribution}",
        "attribution": f"ATTRIBUTION_{attribution}",
        "claims": [claim(text) for text in claims],
    }
    if who:
        payload["speaker"] = {"stakeholderId": who}
    return (day, "statement", payload)


def claim(text: str) -> dict:
    topic, *rest = text.split()
    result: dict = {"topic": f"TOPIC_{topic}"}
    for part in rest:
        if part in ("SUPPORTS", "OPPOSES", "DEFERS"):
            result["stance"] = f"STANCE_{part}"
        elif part in model.CONVICTION:
            result["conviction"] = f"CONVICTION_{part}"
        elif part.startswith("confidence="):
            result["confidence"] = float(part.removeprefix("confidence="))
        elif part.startswith("by="):
            result["targetDate"] = part.removeprefix("by=")
        else:
            result["buyingStage"] = f"BUYING_STAGE_{part}"
    return result


def deal(day: float, **facts) -> tuple[float, str, dict]:
    return (day, "deal", facts)


def step(day: float, milestone: str, **facts) -> tuple[float, str, dict]:
    if "completed" in facts:
        facts["completedAt"] = timestamp(at(facts.pop("completed")))
    return (day, "milestone", {"milestoneId": milestone} | facts)


def won(day: float) -> tuple[float, str, dict]:
    return (day, "outcome", {"outcome": "OUTCOME_WON"})


def retracts(id: str) -> tuple[float, str, dict]:
    return (0, "retraction", {"statementId": id, "reason": "No."})


def judges(id: str, *claims: str) -> tuple[float, str, dict]:
    return (0, "confirmation", {"statementId": id, "claims": [claim(text) for text in claims]})


def made_of(*parts: tuple[float, str, dict]) -> list[Event]:
    """Recorded one a second from day 1000 on."""
    return events_of([Write(kind, at(day), payload) for day, kind, payload in parts], at(1000))


BUYER = person(0, "ann", "ECONOMIC_BUYER")
# All nine criteria in full, but for CONSENSUS, of which one voice in a group of three covers 1/3.
CONVINCED = says(
    0, "ann", *[f"{topic} COMMITTED" for topic in model.CRITERIA if topic != "GO_LIVE"], "GO_LIVE COMMITTED by=2025-03-01"
)
CONVINCED_SCORE = 90 + 10 * (0.5 + 0.5 / 3)


class Examples(unittest.TestCase):
    def level(self, topic: str, day: float, expected: float, *parts) -> None:
        self.assertAlmostEqual(score(made_of(*parts), at(day), None, 0).criteria[topic].level, expected, 12)

    def factor(self, modifier: str, day: float, expected: float, *parts) -> None:
        self.assertAlmostEqual(score(made_of(*parts), at(day), None, 0).modifiers[modifier].factor, expected, 12)

    def total(self, day: float, expected: float, *parts) -> model.Sheet:
        sheet = score(made_of(*parts), at(day), None, 0)
        self.assertAlmostEqual(sheet.score, expected, 9)
        return sheet

    def state(self, day: float, expected: str, *parts) -> None:
        self.assertEqual(explain(made_of(*parts), at(day), None, 0).state, expected)

    def causes(self, day: float, *parts) -> dict[str, model.Cause]:
        return {c.cause: c for c in explain(made_of(*parts), at(day), None, 0).causes}

    # Levels

    def test_nobody_said_anything(self):
        sheet = self.total(0, 0)
        self.assertEqual((sheet.band, sheet.forecast_category, sheet.momentum), ("NOT_BUYING", "OMITTED", None))
        self.assertEqual(list(sheet.gates), list(model.CAPS)[2:])
        causes = self.causes(0)
        self.assertEqual(causes["CONSEQUENCE_UNKNOWN"].points, 22)
        self.assertEqual(sum(c.points for c in causes.values()), 100)

    def test_one_claim_is_a_product_of_five(self):
        self.level("PROBLEM", 0, 0.75, BUYER, says(0, "ann", "PROBLEM"))
        self.level("PROBLEM", 90, 0.375, BUYER, says(0, "ann", "PROBLEM"))
        notes = says(0, "bob", "PROBLEM ACKNOWLEDGED confidence=0.9", attribution="PARAPHRASED")
        self.level("PROBLEM", 0, 0.4 * 0.7 * 0.5 * 0.9, notes)
        self.level("PROBLEM", 1, 0, BUYER, says(0, "ann", "PROBLEM", attribution="INFERRED"))
        self.level("PROBLEM", 0, 0.8, person(0, "cat", "USER", "CHAMPION"), says(0, "cat", "PROBLEM COMMITTED"))

    def test_two_people_add_up_like_chances(self):
        self.level("PROBLEM", 0, 1 - 0.25 * (1 - 0.375), BUYER, says(0, "ann", "PROBLEM"), says(0, "bob", "PROBLEM"))

    def test_restating_replaces_on_the_same_rung_only(self):
        first = says(0, "ann", "PROBLEM confidence=0.9")
        self.level("PROBLEM", 90, 0.75 * 0.4, BUYER, first, says(90, "ann", "PROBLEM confidence=0.4"))
        self.level("PROBLEM", 90, 0.75 * 0.45, BUYER, first, says(90, "ann", "PROBLEM ACKNOWLEDGED confidence=0.5"))

    def test_minds_change_and_change_back(self):
        yes, no, again = says(0, "ann", "VALUE"), says(1, "ann", "VALUE OPPOSES"), says(2, "ann", "VALUE ACKNOWLEDGED")
        self.level("VALUE", 1, 0, BUYER, yes, no)
        self.level("VALUE", 2, 0.4, BUYER, yes, no, again)
        self.level("VALUE", 0, 0, BUYER, yes, says(0, "ann", "VALUE OPPOSES"))

    def test_somebody_else_opposes(self):
        self.level("VALUE", 0, 0.75 * 0.5, BUYER, says(0, "ann", "VALUE"), says(0, "bob", "VALUE OPPOSES COMMITTED"))

    def test_a_later_deferral_halves(self):
        yes = says(0, "ann", "VALUE")
        fresh = 0.75 * 0.5 ** (1 / 60)
        self.level("VALUE", 1, fresh / 2, BUYER, yes, says(1, "ann", "VALUE DEFERS"))
        self.level("VALUE", 1, fresh, BUYER, yes, says(0, "ann", "VALUE DEFERS"))
        self.level("VALUE", 1, fresh, BUYER, yes, says(1, "bob", "VALUE DEFERS"))

    def test_a_go_live_date_counts_until_its_end(self):
        date = says(0, "ann", "GO_LIVE by=2025-01-11")
        self.level("GO_LIVE", 11 - 1e-9, 0.75, BUYER, date)
        self.level("GO_LIVE", 11, 0, BUYER, date)
        self.assertAlmostEqual(self.causes(11, BUYER, date)["GO_LIVE_PASSED"].points, 9)

    def test_a_go_live_without_a_date_is_a_nod_that_fades(self):
        soon = says(0, "ann", "GO_LIVE COMMITTED")
        self.level("GO_LIVE", 30, 0.2, BUYER, soon)
        # It is on the rung of a nod, so a later nod replaces it.
        self.level("GO_LIVE", 30, 0.04, BUYER, soon, says(30, "ann", "GO_LIVE ACKNOWLEDGED confidence=0.1"))

    def test_consensus_looks_at_who_was_heard(self):
        one = [BUYER, says(0, "ann", "STATUS_QUO", "CONSEQUENCE COMMITTED")]
        self.level("CONSENSUS", 0, 0.5 * 1 / 3, *one)
        # Standing 1.0 + 1.0 + 0.8 + 0.5 = 3.3 is above the floor of 3.
        others = [person(0, "bob", "DECISION_MAKER"), person(0, "cat", "CHAMPION"), person(0, "dan")]
        self.level("CONSENSUS", 0, 0.5 * 1 / 3.3, *one, *others)
        self.level("CONSENSUS", 0, 0.5 * 0.4 + 0.5 / 3.3, *one, *others, says(0, "ann", "CONSENSUS ACKNOWLEDGED"))
        # Departed, bob leaves the group: 2.3, hence the floor.
        self.level("CONSENSUS", 0, 0.5 * 1 / 3, *one, *others, left(0, "bob"))

    def test_roles_and_presence_are_those_of_the_moment(self):
        said = says(0, "ann", "PROBLEM COMMITTED")
        self.level("PROBLEM", 0, 0.5, said, person(1, "ann", "CHAMPION"))
        self.level("PROBLEM", 90, 0.4, said, person(1, "ann", "CHAMPION"))
        self.level("PROBLEM", 90, 0.1, said, person(1, "ann", "CHAMPION"), left(2, "ann"))
        self.level("PROBLEM", 90, 0.25, said, person(1, "ann", "CHAMPION"), person(2, "ann", noRoles=True))

    # The whole score

    def test_almost_everything(self):
        sheet = self.total(0, CONVINCED_SCORE, BUYER, CONVINCED)
        self.assertEqual((sheet.band, sheet.forecast_category, sheet.gates), ("COMPELLED", "COMMIT", {}))
        self.assertEqual((sheet.buyer_stage, sheet.buyer_stage_source), ("APPROVAL", "DERIVED"))
        steps = explain(made_of(BUYER, CONVINCED), at(0), None, 0).next_steps
        self.assertEqual(steps, [])

    def test_the_seller_is_ahead_of_the_buyer(self):
        crm = deal(0, sellerStage="negotiation review")
        self.factor("STAGE_MISALIGNMENT", 0, 0.825**2, crm)
        self.factor("STAGE_MISALIGNMENT", 0, 0.825**5, crm, says(0, "bob", "VALUE PROBLEM_IDENTIFICATION"))
        self.factor("STAGE_MISALIGNMENT", 0, 1, crm, says(0, "bob", "VALUE IMPLEMENTATION"))
        self.factor("STAGE_MISALIGNMENT", 0, 0.825**2, crm, says(0, "bob", "VALUE IMPLEMENTATION"), left(0, "bob"))
        self.factor("STAGE_MISALIGNMENT", 0, 1, deal(0, sellerStage="Our own"))

    def test_close_dates_slip_by_a_week(self):
        dates = [deal(0, closeDate="2025-03-01"), deal(1, closeDate="2025-03-07"), deal(2, closeDate="2025-03-14")]
        self.factor("CLOSE_DATE_SLIPS", 1, 1, *dates)
        self.factor("CLOSE_DATE_SLIPS", 2, 0.95, *dates)
        self.factor("CLOSE_DATE_SLIPS", 2, 0.95, *reversed(dates))
        self.factor("CLOSE_DATE_SLIPS", 2, 1, deal(0, closeDate="2025-03-01"), deal(0, closeDate="2025-05-01"))
        months = [deal(i, closeDate=f"{2025 + i}-01-01") for i in range(15)]
        self.factor("CLOSE_DATE_SLIPS", 20, 0.60, *months)

    def test_plans_slip_at_the_end_of_the_day(self):
        plan = [step(0, "pilot", dueDate="2025-01-03"), step(0, "legal", dueDate="2025-01-03"), step(0, "whenever")]
        self.factor("PLAN_SLIPPAGE", 3 - 1e-9, 1, *plan)
        self.factor("PLAN_SLIPPAGE", 3, 0.97**2, *plan)
        self.factor("PLAN_SLIPPAGE", 9, 0.97, *plan, step(8, "pilot", completed=8))
        self.factor("PLAN_SLIPPAGE", 9, 0.97, *plan, step(8, "pilot", dueDate="2025-02-01"))

    def test_signals_take_away(self):
        self.factor("PRIORITY", 0, 1 - 0.5 * 0.5 * 0.75, BUYER, says(0, "ann", "PRIORITY DEFERS"))
        self.factor("PRIORITY", 0, 1 - 0.5 * 0.75, BUYER, says(0, "ann", "PRIORITY OPPOSES"))
        self.factor("PRIORITY", 1, 1, BUYER, says(0, "ann", "PRIORITY DEFERS"), says(1, "ann", "PRIORITY"))
        self.factor("ALTERNATIVE", 45, 1 - 0.6 * 0.2, BUYER, says(0, "ann", "ALTERNATIVE OPPOSES ACKNOWLEDGED"))
        self.factor("ENGAGEMENT", 21, 1 - 0.3 * 0.25, says(0, "bob", "ENGAGEMENT OPPOSES COMMITTED"))

    def test_what_a_decision_maker_turns_down_caps(self):
        chosen = says(0, "ann", "ALTERNATIVE OPPOSES COMMITTED")
        sheet = self.total(0, 5, BUYER, CONVINCED, chosen)
        self.assertAlmostEqual(sheet.cap_points, 5 - CONVINCED_SCORE * 0.4)
        self.assertTrue(sheet.gates["ALTERNATIVE_CHOSEN"].binding)
        self.assertTrue(explain(made_of(BUYER, CONVINCED, chosen), at(0), None, 0).walk_away)
        # Softened to a preference, by somebody without the say, or taken back: no gate.
        for parts in (
            [BUYER, CONVINCED, chosen, says(0, "ann", "ALTERNATIVE OPPOSES")],
            [person(0, "ann", "CHAMPION"), CONVINCED, chosen],
            [BUYER, CONVINCED, says(-1, "ann", "ALTERNATIVE OPPOSES COMMITTED"), says(0, "ann", "ALTERNATIVE")],
        ):
            self.assertNotIn("ALTERNATIVE_CHOSEN", score(made_of(*parts), at(0), None, 0).gates)

    def test_accepting_the_risk_caps_however_old(self):
        other = person(0, "bob", "DECISION_MAKER")
        accepted = says(-900, "bob", "STATUS_QUO OPPOSES ACKNOWLEDGED")
        self.total(0, 15, BUYER, other, CONVINCED, accepted)

    def test_unheard_things_cap(self):
        def but(*topics: str):
            return says(
                0, "ann", *[f"{t} COMMITTED by=2025-03-01" for t in model.CRITERIA if t not in topics]
            )

        self.total(0, 25, BUYER, but("PROBLEM"))
        self.total(0, 30, BUYER, but("CONSEQUENCE"))
        self.total(0, 45, BUYER, but("STATUS_QUO"))
        # A champion alone: levels 0.8, coverage 0.8 / 3.
        self.total(0, 55, person(0, "ann", "CHAMPION"), CONVINCED)

    def test_momentum_is_two_weeks(self):
        sheet = score(made_of(BUYER, says(10, "ann", "PROBLEM COMMITTED")), at(14), None, 0)
        self.assertAlmostEqual(sheet.momentum, 12 * 0.5 ** (4 / 90))
        self.assertIsNone(score(made_of(BUYER), at(14) - 1, None, 0).momentum)

    # What is known

    def test_a_retraction_holds_for_every_moment_but_not_for_what_was_known(self):
        events = made_of(BUYER, says(0, "ann", "PROBLEM", id="said"), retracts("said"))
        self.assertEqual(score(events, at(0), None, 0).score, 0)
        self.assertEqual(score(events, at(0), at(1000) + 3 * 10**9, 0).score, 0)
        self.assertAlmostEqual(score(events, at(0), at(1000) + 3 * 10**9 - 1, 0).score, 9)

    def test_a_confirmation_holds_for_every_moment_but_not_for_what_was_known(self):
        said = says(0, "ann", "PROBLEM confidence=0.5", id="said")
        events = made_of(BUYER, said, judges("said", "CONSEQUENCE confidence=0.1"), judges("said"))
        known = [at(1000) + second * 10**9 for second in (2, 3, 4)]
        scores = [score(events, at(0), known_at, 0).base for known_at in known]
        self.assertAlmostEqual(scores[0], 12 * 0.75 * 0.5)
        # A consequence counts towards consensus, too: half of 0.75 / 3.
        self.assertAlmostEqual(scores[1], 22 * 0.75 + 10 * 0.5 * 0.75 / 3)
        self.assertEqual(scores[2], 0)
        self.assertEqual(score(events, at(0), None, 0).base, 0)

    def test_a_closed_deal_is_scored_when_it_closed(self):
        events = made_of(BUYER, says(0, "ann", "PROBLEM"), won(90))
        sheet = score(events, None, None, at(999))
        self.assertEqual((sheet.as_of, sheet.forecast_category), (at(90), "CLOSED"))
        self.assertAlmostEqual(sheet.score, 4.5)
        self.assertEqual(score(events, at(89), None, 0).forecast_category, "OMITTED")
        self.assertEqual(score(events, None, at(1000) + 2 * 10**9, at(999)).as_of, at(999))

    # Losses

    def test_losses_follow_the_impairments(self):
        parts = [
            BUYER,
            person(0, "bob", "CHAMPION"),
            says(0, "bob", "PROBLEM COMMITTED"),
            left(1, "bob"),
        ]
        cells = explain(made_of(*parts), at(90), None, 0).cells["PROBLEM"]
        # Level 0.8 × 0.5 × 0.25 = 0.1; fresh 0.2; back in the role 0.8.
        for impairment, points in {"drifted": 1.2, "departed_others": 7.2, "departed_deciders": 0, "missing": 2.4}.items():
            self.assertAlmostEqual(cells[impairment], points)
        cells = explain(made_of(*parts, says(90, "bob", "PROBLEM OPPOSES ACKNOWLEDGED")), at(90), None, 0).cells["PROBLEM"]
        self.assertAlmostEqual(cells["opposed"], 1.2)
        self.assertAlmostEqual(cells["drifted"], 1.2)
        cells = explain(made_of(*parts, says(90, "bob", "PROBLEM DEFERS")), at(90), None, 0).cells["PROBLEM"]
        self.assertAlmostEqual(cells["deferred"], 0.6)

    def test_two_kinds_of_departed_share_the_loss(self):
        parts = [
            BUYER,
            person(0, "bob", "CHAMPION"),
            says(0, "ann", "VALUE COMMITTED"),
            says(0, "bob", "VALUE COMMITTED"),
            left(0, "ann"),
            left(0, "bob"),
        ]
        cells = explain(made_of(*parts), at(0), None, 0).cells["VALUE"]
        # Fresh 1 - 0.75 × 0.8 = 0.4; ann alone restores 0.6, bob alone 1 - 0.75 × 0.2 - 0.4 = 0.45.
        self.assertAlmostEqual(cells["departed_deciders"], 6 * 0.6 * 0.6 / 1.05)
        self.assertAlmostEqual(cells["departed_others"], 6 * 0.6 * 0.45 / 1.05)

    def test_resolving_lifts_level_and_cap(self):
        but = says(0, "ann", *[f"{t} COMMITTED by=2025-03-01" for t in model.CRITERIA if t != "CONSEQUENCE"])
        causes = self.causes(0, BUYER, but)
        base = 100 - 22 - 10 * 0.5 * 2 / 3
        self.assertAlmostEqual(causes["CONSEQUENCE_UNKNOWN"].points, 22 + base - 30)
        self.assertAlmostEqual(causes["CONSEQUENCE_UNKNOWN"].score_if_resolved, base + 22)
        self.assertEqual(causes["BUYING_GROUP_NOT_ALIGNED"].lift, 0)
        steps = explain(made_of(BUYER, but), at(0), None, 0).next_steps
        self.assertEqual([cause for cause, _ in steps], ["CONSEQUENCE_UNKNOWN"])

    def test_drift_can_hide_behind_a_cap(self):
        # 0.75 × 0.5^4 is below 0.10, so the gate applies; lifting age alone opens it.
        causes = self.causes(360, BUYER, says(0, "ann", "PROBLEM"))
        self.assertIn("PROBLEM_NOT_VOICED", causes)
        self.assertAlmostEqual(causes["ATTENTION_DRIFT"].points, 12 * 0.75 * 15 / 16)
        self.assertAlmostEqual(causes["ATTENTION_DRIFT"].score_if_resolved, 9)

    def test_who_owns_the_unheard_decision_maker(self):
        heard = says(0, "bob", "PROBLEM")
        self.assertIn("DECISION_MAKER_UNHEARD", self.causes(0, heard))
        causes = self.causes(0, heard, BUYER, left(0, "ann"))
        self.assertIn("DECISION_MAKER_CHANGED", causes)
        self.assertNotIn("DECISION_MAKER_UNHEARD", causes)

    def test_equal_lifts_go_by_the_table(self):
        expected = [
            ("CONSEQUENCE_UNKNOWN", 22),
            # STATUS_QUO is worth 18, but the cap of PROBLEM_UNVOICED would leave 3 of them.
            ("PROBLEM_NOT_VOICED", 34),
            ("NO_COMMITMENT_TO_CHANGE", 52),
            # Five criteria lead to the cap of DECISION_MAKER_UNHEARD: the first of them.
            ("NO_GO_LIVE_TARGET", 55),
            ("DECISION_MAKER_UNHEARD", 64),
        ]
        self.assertEqual(explain(made_of(), at(0), None, 0).next_steps, expected)

    # State

    def test_states(self):
        spoke = says(0, "bob", "PROBLEM")
        self.state(0, "CLOSED", spoke, won(0))
        self.state(30, "SLOWING", spoke)
        self.state(30 + 1e-9, "DARK", spoke)
        self.state(14, "MOVING", deal(0, owner="us"))
        self.state(14 + 1e-9, "DARK", deal(0, owner="us"))
        self.state(14, "MOVING", spoke)
        self.state(14 + 1e-9, "SLOWING", spoke)
        again = says(30, "bob", "PROBLEM")
        self.state(30, "SLOWING", spoke, again)
        self.state(30 + 1e-9, "STALLED", spoke, again)
        self.state(31, "MOVING", spoke, says(30, "bob", "PROBLEM COMMITTED"))
        self.state(31, "MOVING", spoke, says(30, "bob", "PROBLEM STATUS_QUO"))
        self.state(31, "MOVING", spoke, again, step(31, "pilot", completed=20))
        self.state(31, "STALLED", spoke, again, step(31, "pilot", completed=0.5))
        self.state(1, "SLOWING", spoke, step(0, "pilot", dueDate="2025-01-01"))

    def test_stalled_by_slips_or_by_priority(self):
        dates = [deal(i, closeDate=f"2025-0{i + 1}-01") for i in range(4)]
        self.state(3, "STALLED", *dates, says(3, "bob", "PROBLEM"))
        self.state(4, "MOVING", *dates, says(4, "bob", "PROBLEM"))
        self.state(4, "STALLED", BUYER, says(4, "ann", "PROBLEM", "PRIORITY DEFERS"))
        self.state(4, "MOVING", BUYER, says(4, "bob", "PROBLEM", "PRIORITY DEFERS"))
        self.state(5, "MOVING", BUYER, says(4, "ann", "PRIORITY DEFERS"), says(5, "ann", "PRIORITY"))

    def test_slowing_by_momentum(self):
        recent = says(14, "ann", "ENGAGEMENT")
        self.state(15, "MOVING", BUYER, says(0, "ann", "PROBLEM COMMITTED"), recent)
        # The date passes: 12 points.
        self.state(15, "SLOWING", BUYER, says(0, "ann", "PROBLEM COMMITTED", "GO_LIVE COMMITTED by=2025-01-10"), recent)


class Laws(unittest.TestCase):
    def histories(self):
        for seed in range(ENOUGH_HISTORIES):
            rng = Random(f"laws {seed}")
            writes = random_history(seed, NOW)
            with self.subTest(seed=seed):
                yield rng, writes, events_of(writes, NOW)

    def some_moments(self, writes: list[Write], rng: Random) -> list[int]:
        edges = boundaries(writes, NOW)
        return [NOW, NOW - rng.randrange(200 * DAY_NS)] + rng.sample(edges, k=min(2, len(edges)))

    def assertAlike(self, some, other):
        """Equal but for the noise of adding up in another order."""
        for a, b in zip(flat(some), flat(other), strict=True):
            if isinstance(a, float):
                self.assertAlmostEqual(a, b, 9)
            else:
                self.assertEqual(a, b)

    def test_both_ledgers_add_up_within_bounds(self):
        for rng, writes, events in self.histories():
            for as_of in self.some_moments(writes, rng):
                sheet = score(events, as_of, None, NOW)
                gains = [c.points for c in sheet.criteria.values()] + [m.points for m in sheet.modifiers.values()]
                self.assertAlmostEqual(sum(gains) + sheet.cap_points, sheet.score, delta=1e-9)
                self.assertTrue(0 <= sheet.score <= 100)
                self.assertTrue(all(0 <= c.level <= 1 for c in sheet.criteria.values()))
                self.assertTrue(all(0 < m.factor <= 1 and m.points <= 0 for m in sheet.modifiers.values()))
                self.assertTrue(sheet.cap_points <= 0)
                self.assertLessEqual(sum(g.binding for g in sheet.gates.values()), 1)

                stall = explain(events, as_of, None, NOW)
                self.assertAlmostEqual(sum(c.points for c in stall.causes), 100 - sheet.score, delta=1e-9)
                self.assertTrue(all(p > -1e-12 for cells in stall.cells.values() for p in cells.values()))
                self.assertTrue(all(c.lift > -1e-9 for c in stall.causes))

    def test_resolving_everything_gives_100(self):
        for rng, writes, events in self.histories():
            stall = explain(events, NOW, None, NOW)
            self.assertAlmostEqual(stall.ledger.resolved([c.cause for c in stall.causes]), 100, 6)
            self.assertAlmostEqual(stall.ledger.resolved([]), stall.score, 9)

    def test_next_steps_only_lift(self):
        for rng, writes, events in self.histories():
            stall = explain(events, NOW, None, NOW)
            reached = [stall.score] + [after for _, after in stall.next_steps]
            self.assertEqual(reached, sorted(reached))
            if stall.next_steps:
                lift = max(c.lift for c in stall.causes)
                self.assertAlmostEqual(reached[1] - reached[0], lift, 9)

    def test_the_order_of_arrival_does_not_matter(self):
        for rng, writes, events in self.histories():
            others = events_of(shuffled(writes, rng), NOW)
            for as_of in self.some_moments(writes, rng):
                self.assertAlike(score(events, as_of, None, NOW), score(others, as_of, None, NOW))
                self.assertAlike(explain(events, as_of, None, NOW), explain(others, as_of, None, NOW))

    def test_hypotheses_never_change_a_score(self):
        for rng, writes, events in self.histories():
            heard = [e for e in events if e.payload.get("attribution") != "ATTRIBUTION_INFERRED"]
            with_it, without = score(events, NOW, None, NOW), score(heard, NOW, None, NOW)
            # They may make the deal older, so that there is a momentum to tell.
            self.assertAlike(replace(with_it, momentum=None), replace(without, momentum=None))

    def test_retracted_is_never_recorded(self):
        for rng, writes, events in self.histories():
            gone = {e.payload["statementId"] for e in events if e.kind == "retraction"}
            never = [e for e in events if e.payload.get("statementId") not in gone]
            for as_of in self.some_moments(writes, rng):
                self.assertAlike(explain(events, as_of, None, NOW), explain(never, as_of, None, NOW))
                self.assertAlike(score(events, as_of, None, NOW), score(never, as_of, None, NOW))

    def test_what_was_known_is_what_a_shorter_history_says(self):
        for rng, writes, events in self.histories():
            cut = rng.randint(1, len(events))
            known_at = events[cut - 1].recorded_ns
            self.assertAlike(score(events, NOW, known_at, NOW), score(events[:cut], NOW, None, NOW))

    def test_restating_never_lowers(self):
        for rng, writes, events in self.histories():
            supports = [
                (e, c)
                for e in events
                if e.kind == "statement" and e.payload["attribution"] != "ATTRIBUTION_INFERRED"
                for c in e.payload["claims"]
                if c.get("stance", "STANCE_SUPPORTS") == "STANCE_SUPPORTS" and "buyingStage" not in c
            ]
            if not supports or any(e.kind in ("retraction", "confirmation") for e in events):
                continue
            said, claim = rng.choice(supports)
            # Nothing said meanwhile on the same rung with more confidence or a later date.
            claims = [c | {"confidence": 1.0, "targetDate": "2030-01-01"} for c in [claim]]
            speaker = {"stakeholderId": said.payload["speaker"]["stakeholderId"]}
            again = said.payload | {"statementId": "again", "claims": claims, "speaker": speaker}
            restated = events + [Event("statement", NOW, NOW, len(events) + 1, again)]
            self.assertGreaterEqual(score(restated, NOW, None, NOW).score, score(events, NOW, None, NOW).score - 1e-9)

    def test_levels_only_fall_with_time_when_nothing_happens(self):
        for rng, writes, events in self.histories():
            agreeing = [e for e in events if e.kind == "statement" and all_support(e)]
            scores = [score(agreeing, NOW + day * DAY_NS, None, NOW).score for day in (0, 1, 10, 100, 1000)]
            for earlier, later in zip(scores, scores[1:]):
                self.assertLessEqual(later, earlier + 1e-9)


def all_support(statement: Event) -> bool:
    return all(c.get("stance", "STANCE_SUPPORTS") == "STANCE_SUPPORTS" for c in statement.payload["claims"])


def flat(value) -> list:
    """The leaves of an answer, floats and words, in a fixed order; ties in rank do not matter."""
    if isinstance(value, model.Ledger):
        return []
    if hasattr(value, "__dataclass_fields__"):
        return [leaf for name in value.__dataclass_fields__ for leaf in flat(getattr(value, name))]
    if isinstance(value, dict):
        return [leaf for key in sorted(value) for leaf in [key] + flat(value[key])]
    if isinstance(value, (list, tuple)):
        if value and isinstance(value[0], model.Cause):
            value = sorted(value, key=lambda cause: cause.cause)
        return [leaf for item in value for leaf in flat(item)]
    return [value]


if __name__ == "__main__":
    unittest.main()
