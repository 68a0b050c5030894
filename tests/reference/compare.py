"""Holds a running service against the model, over the JSON door.

    python3 tests/reference/compare.py --server http://127.0.0.1:7450 --histories 200 --seed 1

For each history: writes it to a fresh deal in a random order of arrival, reads the deal's history back
for the recorded times, asks `ScoreDeal` and `ExplainStall` at several moments, and compares every number.
At the first history that differs it prints what differs and exits 1.

What always holds: only the writes sent and the recorded times told by the service enter the model; what the
service says of its own facts is compared, never used.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import time
import traceback
from contextlib import closing
from random import Random
from urllib.parse import urlsplit

import model
from histories import DAYS, Write, boundaries, days_ending, event_of, random_history, shuffled, timestamp
from model import DAY_NS, Event, instant

TOLERANCE = 1e-6
LAW_TOLERANCE = 1e-9
BATCH_MAX = 3

DEALS = "/verbatim.v1.DealService"
QUALIFICATION = "/verbatim.v1.QualificationService"


class Mismatch(Exception):
    """The service and the model disagree; says about what."""


# ---------------------------------------------------------------------------------------------
# The JSON door
# ---------------------------------------------------------------------------------------------


class Door:
    """One kept-alive connection."""

    def __init__(self, server: str):
        address = urlsplit(server)
        self.connection = http.client.HTTPConnection(address.hostname, address.port or 80, timeout=60)

    def post(self, path: str, body: dict) -> dict:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        self.connection.request("POST", path, json.dumps(body), headers)
        response = self.connection.getresponse()
        text = response.read().decode()
        if response.status != 200:
            raise Mismatch(f"POST {path}\n{json.dumps(body, indent=2)}\nanswered {response.status}: {text}")
        return json.loads(text)


def request_of(deal_id: str, batch: list[Write]) -> tuple[str, dict]:
    """The call that makes some writes of one kind."""
    payloads = [w.payload for w in batch]
    match batch[0].kind:
        case "deal":
            return f"{DEALS}/UpsertDeal", {"deal": {"dealId": deal_id} | payloads[0]}
        case "stakeholder":
            return f"{DEALS}/UpsertStakeholders", {"dealId": deal_id, "stakeholders": payloads}
        case "milestone":
            return f"{DEALS}/UpsertMilestones", {"dealId": deal_id, "milestones": payloads}
        case "outcome":
            return f"{DEALS}/RecordOutcome", {"dealId": deal_id, "outcome": payloads[0]}
        case "retraction":
            return f"{DEALS}/RetractBuyerStatement", {"dealId": deal_id} | payloads[0]
        case "confirmation":
            return f"{QUALIFICATION}/ConfirmClaims", {"dealId": deal_id} | payloads[0]
        case "statement":
            return f"{QUALIFICATION}/RecordBuyerStatement", {"statement": {"dealId": deal_id} | payloads[0]}
    raise ValueError(batch[0].kind)


def in_batches(writes: list[Write], rng: Random) -> list[list[Write]]:
    """Neighbours of one kind together, where a call takes several about different people or steps."""
    batches: list[list[Write]] = []
    for write in writes:
        id_of = {"stakeholder": "stakeholderId", "milestone": "milestoneId"}.get(write.kind)
        if (
            id_of
            and batches
            and batches[-1][0].kind == write.kind
            and len(batches[-1]) < BATCH_MAX
            and write.payload[id_of] not in [w.payload[id_of] for w in batches[-1]]
            and rng.random() < 0.7
        ):
            batches[-1].append(write)
        else:
            batches.append([write])
    return batches


def record(door: Door, deal_id: str, writes: list[Write], rng: Random) -> list[Event]:
    """Sends the writes in this order and tells the history that they make."""
    revision = 0
    sent: list[tuple[Write, int]] = []  # with the revision at which it was recorded
    for batch in in_batches(writes, rng):
        path, body = request_of(deal_id, batch)
        before, revision = revision, int(door.post(path, body).get("revision", 0))
        # A write that changes nothing may leave the revision as it was; it has happened all the same.
        if revision not in (before, before + len(batch)):
            raise Mismatch(f"revision went from {before} to {revision} after {len(batch)} writes: {path} {body}")
        for i, write in enumerate(batch, start=1):
            sent.append((write, before + i if revision > before else revision))

    entries = history(door, deal_id, rng)
    if [int(entry["revision"]) for entry in entries] != list(range(1, revision + 1)):
        raise Mismatch(f"the history should have the revisions 1 to {revision}: {entries}")
    recorded = [instant(entry["recordedAt"]) for entry in entries]
    if recorded != sorted(recorded):
        raise Mismatch(f"recordedAt goes back in time: {entries}")

    events = []
    for order, (write, at) in enumerate(sent, start=1):
        event = event_of(write, order, recorded[at - 1])
        entry = entries[at - 1]
        if sum(other == at for _, other in sent) == 1:
            check_entry(event, entry)
        events.append(event)
    return events


def history(door: Door, deal_id: str, rng: Random) -> list[dict]:
    entries, token = [], ""
    while True:
        body = {"dealId": deal_id, "pageSize": rng.choice([1, 7, 50, 200])}
        if token:
            body["pageToken"] = token
        page = door.post(f"{DEALS}/ListDealHistory", body)
        entries += page.get("events", [])
        token = page.get("nextPageToken", "")
        if not token:
            return entries


def check_entry(event: Event, entry: dict) -> None:
    """The service kept what was written: the same kind, effective instant and id."""
    if event.kind not in entry:
        raise Mismatch(f"expected a {event.kind} in the history, got {entry}")
    if instant(entry["effectiveAt"]) != event.effective_ns:
        raise Mismatch(f"expected effectiveAt {timestamp(event.effective_ns)} in the history, got {entry}")
    for name in ("statementId", "stakeholderId", "milestoneId"):
        if name in event.payload and entry[event.kind].get(name) != event.payload[name]:
            raise Mismatch(f"expected {name} {event.payload[name]} in the history, got {entry}")


# ---------------------------------------------------------------------------------------------
# Moments to ask about
# ---------------------------------------------------------------------------------------------


def moments(events: list[Event], writes: list[Write], now_ns: int, rng: Random) -> list[tuple]:
    """Pairs of `as_of` and `known_at`, either of which may be None."""

    def past() -> int:
        return now_ns - int(rng.uniform(0, DAYS) * DAY_NS)

    result = [(None, None), (now_ns, None)]
    result += [(past(), None) for _ in range(3)]
    for edges in (boundaries(writes, now_ns), days_ending(writes, now_ns)):
        result += [(edge, None) for edge in rng.sample(edges, k=min(3, len(edges)))]
    for as_of in (now_ns, past(), None):
        i = rng.randrange(len(events))
        after = [e.recorded_ns for e in events if e.recorded_ns > events[i].recorded_ns]
        latest = min(after, default=events[i].recorded_ns + 10**9) - 1
        known_at = rng.choice([events[i].recorded_ns, rng.randint(events[i].recorded_ns, latest), latest])
        result.append((as_of, known_at))
    if rng.random() < 0.25:
        result.append((now_ns - (DAYS + 1) * DAY_NS, None))
    return result


# ---------------------------------------------------------------------------------------------
# Comparing
# ---------------------------------------------------------------------------------------------


class Comparison:
    """Collects differences."""

    def __init__(self) -> None:
        self.differences: list[str] = []
        self.ties: list[str] = []  # choices between equals that went against the order of the table

    def same(self, name: str, expected, got) -> None:
        if expected != got:
            self.differences.append(f"{name}: expected {expected}, got {got}")

    def close(self, name: str, expected: float, got, tolerance: float = TOLERANCE) -> None:
        # Written so that NaN is a difference.
        if not abs(expected - float(got)) <= tolerance:
            self.differences.append(f"{name}: expected {expected!r}, got {got!r}")


def named(items: list[dict], key: str, prefix: str) -> dict[str, dict]:
    return {item[key].removeprefix(prefix): item for item in items}


def compare_score(sheet: model.Sheet, got: dict, comparison: Comparison) -> None:
    same, close = comparison.same, comparison.close
    same("asOf", timestamp(sheet.as_of), timestamp(instant(got["asOf"])))
    close("score", sheet.score, got.get("score", 0))
    close("base", sheet.base, got.get("base", 0))
    same("band", f"BAND_{sheet.band}", got.get("band"))
    same("forecastCategory", f"FORECAST_CATEGORY_{sheet.forecast_category}", got.get("forecastCategory"))
    if sheet.momentum is None or "momentum" not in got:
        same("momentum", sheet.momentum, got.get("momentum"))
    else:
        close("momentum", sheet.momentum, got["momentum"])

    criteria = named(got.get("criteria", []), "topic", "TOPIC_")
    same("criteria", sorted(model.CRITERIA), sorted(criteria))
    for topic, expected in sheet.criteria.items():
        for name in ("weight", "level", "points", "support", "opposition"):
            close(f"{topic} {name}", getattr(expected, name), criteria.get(topic, {}).get(name, 0))

    modifiers = named(got.get("modifiers", []), "modifier", "MODIFIER_")
    # One that takes nothing may be left out.
    same("modifiers", [m for m in model.MODIFIERS if m in modifiers], list(modifiers))
    for name, expected in sheet.modifiers.items():
        answer = modifiers.get(name, {"factor": 1})
        close(f"{name} factor", expected.factor, answer.get("factor", 0))
        close(f"{name} points", expected.points, answer.get("points", 0))

    gates = named(got.get("gates", []), "gate", "GATE_")
    same("gates", sorted(sheet.gates), sorted(gates))
    for name, expected in sheet.gates.items():
        answer = gates.get(name, {})
        close(f"{name} cap", expected.cap, answer.get("cap", 0))
        same(f"{name} binding", expected.binding, answer.get("binding", False))
    close("capPoints", sheet.cap_points, got.get("capPoints", 0))

    same("buyerStage", f"BUYING_STAGE_{sheet.buyer_stage}", got.get("buyerStage"))
    same("buyerStageSource", f"STAGE_SOURCE_{sheet.buyer_stage_source}", got.get("buyerStageSource"))
    same("sellerStage", sheet.seller_stage, got.get("sellerStage", ""))
    same("stageGap", sheet.stage_gap, int(got.get("stageGap", 0)))
    same("stakeholdersActive", sheet.stakeholders_active, int(got.get("stakeholdersActive", 0)))

    gains = [item.get("points", 0) for item in [*criteria.values(), *modifiers.values()]]
    close("law: the sum of gains is the score", sum(gains) + got.get("capPoints", 0), got.get("score", 0), LAW_TOLERANCE)


def compare_explanation(expected: model.Explanation, got: dict, comparison: Comparison) -> None:
    same, close = comparison.same, comparison.close
    same("asOf", timestamp(expected.as_of), timestamp(instant(got["asOf"])))
    close("score", expected.score, got.get("score", 0))
    same("state", f"DEAL_STATE_{expected.state}", got.get("state"))
    same("walkAway", expected.walk_away, got.get("walkAway", {}).get("recommended", False))

    causes = named(got.get("causes", []), "cause", "STALL_CAUSE_")
    listed = [cause.cause for cause in expected.causes]
    # The service tells a loss from none at 1e-12, the model at 1e-9: what lies between may be listed or not.
    lost = [name for name, cause in causes.items() if name in listed or cause.get("points", 0) > model.TINY]
    same("causes", sorted(listed), sorted(lost))
    for cause in expected.causes:
        answer = causes.get(cause.cause, {})
        close(f"{cause.cause} points", cause.points, answer.get("points", 0))
        close(f"{cause.cause} scoreIfResolved", cause.score_if_resolved, answer.get("scoreIfResolved", 0))
        close(f"{cause.cause} lift", cause.lift, answer.get("lift", 0))
    compare_ranking(causes, comparison)
    compare_next_steps(expected, got.get("nextSteps", []), comparison)

    losses = [cause.get("points", 0) for cause in causes.values()]
    close("law: the sum of losses is 100 - score", sum(losses), 100 - got.get("score", 0), LAW_TOLERANCE)


def compare_ranking(causes: dict[str, dict], comparison: Comparison) -> None:
    """By points, then by the table. Equals are told apart only beyond the noise of adding up."""
    ranked = list(causes)
    for above, below in zip(ranked, ranked[1:]):
        lead = causes[above].get("points", 0) - causes[below].get("points", 0)
        if lead < -model.TINY:
            comparison.differences.append(f"causes: {above} ranks above {below}, which lost more")
        elif lead <= model.TINY and table_order(above) > table_order(below):
            comparison.ties.append(f"causes: {above} ranks above {below}, which lost as much and stands before it")


def compare_next_steps(expected: model.Explanation, got: list[dict], comparison: Comparison) -> None:
    """Follows the service's own choices, so that one tie does not make all that follows differ."""
    listed = [c for c in model.CAUSES if c in [cause.cause for cause in expected.causes]]
    taken: list[str] = []
    reached = expected.score

    def options() -> dict[str, float]:
        return {c: expected.ledger.resolved(taken + [c]) for c in listed if c not in taken}

    def is_complete() -> bool:
        greatest = max(options().values(), default=reached)
        return (
            len(taken) >= model.NEXT_STEPS_MAX or reached >= model.COMMIT_SCORE or greatest - reached <= model.TINY
        )

    for number, step in enumerate(got, start=1):
        cause = step["cause"].removeprefix("STALL_CAUSE_")
        name = f"nextSteps {number}, {cause}"
        after = options()
        if is_complete() or cause not in after:
            comparison.differences.append(f"{name}: expected none or another; the model has {expected.next_steps}")
            return
        comparison.close(f"{name} scoreAfter", after[cause], step.get("scoreAfter", 0))
        best = [c for c in after if after[c] >= max(after.values()) - model.TINY]
        if cause not in best:
            comparison.differences.append(f"{name}: lifts less than {best[0]}, from {reached!r}: {after}")
        elif cause != best[0]:
            comparison.ties.append(f"{name}: lifts as much as {best[0]}, which stands before it")
        taken.append(cause)
        reached = after[cause]
    if not is_complete():
        comparison.differences.append(f"nextSteps: ends after {len(got)}; the model has {expected.next_steps}")


def table_order(cause: str) -> int:
    return model.CAUSES.index(cause) if cause in model.CAUSES else -1


# ---------------------------------------------------------------------------------------------
# The command
# ---------------------------------------------------------------------------------------------


def question(deal_id: str, as_of: int | None, known_at: int | None) -> dict:
    body = {"dealId": deal_id}
    if as_of is not None:
        body["asOf"] = timestamp(as_of)
    if known_at is not None:
        body["knownAt"] = timestamp(known_at)
    return body


def compare_moment(door: Door, deal_id: str, events: list[Event], as_of, known_at) -> list[str]:
    """Asks both questions at one moment. Answers the ties; raises on a difference."""
    body = question(deal_id, as_of, known_at)
    comparisons = []
    for call, compare, answer_of, key in [
        ("ScoreDeal", compare_score, model.score, "score"),
        ("ExplainStall", compare_explanation, model.explain, "explanation"),
    ]:
        asked_ns = time.time_ns()
        got = door.post(f"{QUALIFICATION}/{call}", body)[key]
        # What the service took for now is known from its answer, unless the deal was closed.
        now_ns = instant(got["asOf"])
        expected = answer_of(events, as_of, known_at, now_ns)
        comparison = Comparison()
        if as_of is None and model.moment(events, None, known_at, -1) == -1:
            comparison.close("asOf is now, in seconds", asked_ns / 1e9, now_ns / 1e9, 300)
        compare(expected, got, comparison)
        if comparison.differences:
            lines = "\n".join(f"  {line}" for line in comparison.differences)
            raise Mismatch(f"{call} {json.dumps(body)}\n{lines}\nthe model says\n  {expected}\nthe service says\n  {got}")
        comparisons.append(comparison)
    return [tie for comparison in comparisons for tie in comparison.ties]


def run(arguments: argparse.Namespace) -> int:
    door = Door(arguments.server)
    with closing(door.connection):
        return compare_histories(door, arguments)


def compare_histories(door: Door, arguments: argparse.Namespace) -> int:
    now_ns = time.time_ns() if arguments.now is None else instant(arguments.now)
    fresh = f"{time.time_ns():x}"
    numbers = range(1, arguments.histories + 1) if arguments.only is None else [arguments.only]
    writes_sent = asked = 0
    ties: list[str] = []
    for number in numbers:
        seed = f"{arguments.seed}/{number}"
        deal_id = f"reference-{fresh}-{number}"
        rng = Random(f"arrival {seed}")
        writes = shuffled(random_history(seed, now_ns), rng)
        if arguments.show:
            for write in writes:
                print(write.kind, json.dumps(write.payload))
        try:
            events = record(door, deal_id, writes, rng)
            writes_sent += len(writes)
            for as_of, known_at in moments(events, writes, now_ns, rng):
                ties += [f"history {seed}: {tie}" for tie in compare_moment(door, deal_id, events, as_of, known_at)]
                asked += 1
        except (Mismatch, KeyError, ValueError) as mismatch:
            # An answer without a field, or with one that cannot be read, is a difference too.
            print(f"history {seed}, deal {deal_id}, {len(writes)} writes: the service and the model disagree")
            print(mismatch if isinstance(mismatch, Mismatch) else traceback.format_exc())
            print(f"again: --seed {arguments.seed} --only {number} --now {timestamp(now_ns)} --show")
            return 1
    if arguments.strict_ties and ties:
        print("\n".join(ties))
        return 1
    print(
        f"compared {len(numbers)} histories of {writes_sent} writes: {asked} scores and {asked} explanations agree; "
        f"{len(ties)} ties broken against the table"
    )
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description="Holds a running service against the model.")
    parser.add_argument("--server", default="http://127.0.0.1:7450")
    parser.add_argument("--histories", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="compare only this history of the seed")
    parser.add_argument("--now", help="the moment before which histories lie (default: this one)")
    parser.add_argument("--show", action="store_true", help="print the writes, in the order sent")
    parser.add_argument("--strict-ties", action="store_true", help="a tie broken against the table is a failure")
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
