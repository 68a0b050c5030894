"""The scoring contract (domain.md, sections 1 to 7), computed a second time, naively.

What it is: an oracle. It takes the whole list of a deal's events and computes every answer from
nothing, one formula of the page after another, so that a newcomer can read the two side by side.
What always holds: pure. No clock, no randomness, no I/O, no caching between calls.
What is deliberately absent: speed, validation, and every text meant for a person (summaries,
questions, remedies, evidence, reminders, contradictions, tactic warnings).

    sheet = score(events, as_of, known_at, now)          # what `ScoreDeal` answers
    stall = explain(events, as_of, known_at, now)        # what `ExplainStall` answers

Instants are integers, nanoseconds since 1970-01-01 UTC. Words (topics, stances, causes, …) are the
names of the page, without the prefix that they carry in the JSON.


Readings
========

Where the page can be read in more than one way, this is what is computed here.

Time and order

 R1. Events are ordered by (effective instant, recorded order, index of the claim in its statement).
     "The latest" is the last in that order. "At or before", "later than" and "after" between two
     claims of one person compare the effective instants alone.
 R2. A retraction is not filtered by `as_of`, only by `known_at` (recorded at or before it): its
     effective instant is when it was recorded, yet the statement "counts nowhere".
 R3. A retracted statement takes everything with it: its claims, the stakeholder that it created,
     the roles that its speaker field set, its place as the deal's earliest event. The retraction
     itself is not an event of the deal for "earliest event" or momentum either.
     A confirmation is filtered like a retraction. Of several the last recorded holds: its claims take the
     place of the statement's, with confidence 1, as if the statement had come with them.
 R4. An INFERRED statement is an event of the deal: it counts for "the deal's earliest event" (the
     age behind DARK, STALLED and SLOWING; whether momentum is set) and for nothing else. Its claims are left out
     of every rule, not only given strength 0: they void nothing, undo no deferral, name no stage.
 R5. `known_at` does not move the default of `as_of`: that stays now, or the closing instant when the
     outcome was recorded by `known_at`. A closing instant ahead of now is used as it stands.
 R6. Of several outcomes the one with the latest effective instant closes the deal and is the default
     `as_of`. With an earlier outcome effective at `as_of` the deal is already closed then.
     An explicit `as_of` after closing lets evidence go on fading to `as_of`.
 R7. Without any event that counts (`as_of` before all of them) the answer is that of an empty
     deal: score 0, momentum unset, age 0, hence MOVING.
 R8. Two writes of one field with one effective instant: only the later recorded was ever in force.
     With `known_at`, that is decided among the events recorded by then.

Evidence

 R9. Confidence is the claim's own `confidence`, 1 when unset, whoever gave the claim.
R10. A GO_LIVE SUPPORTS without a target date is taken to be ACKNOWLEDGED before anything else looks at
     it: strength, rung of restatement, rung of progress. OPPOSES and DEFERS keep their conviction.
R11. A GO_LIVE claim with a target date has freshness 1 or 0 whatever its stance. At 0 a SUPPORTS is still
     live: it voids an earlier opposition, and a DEFERS must be later than it.
     Target dates on other topics mean nothing to the score.
R12. "Live" SUPPORTS are those not void. Which claim of a rung is the latest is decided among the live ones.
R13. A DEFERS leaves `oppose` alone; SUPPORTS and DEFERS at one instant: no halving.
R14. Roles and presence are those at `as_of`, for old claims as well. Somebody who speaks after departing
     stays departed until an update says ACTIVE. A milestone's owner does not become a stakeholder.
R15. S, O and D run over everybody with claims, the departed included (with their 0.25). Only coverage, the
     stated stage, three of the gates and the STALLED rule ask for active people.

Modifiers and gates

R16. The stage named by a claim counts whatever the claim's stance and even when the claim is void.
R17. `stage_gap` is the gap as it counts: at most 2 against a DERIVED step.
     IMPLEMENTATION is never derived. Seller stages are compared by their letters and digits, in lower case.
R18. A slip compares a close date with the one in force just before it, not with the furthest so far. The
     first close date is no change.
R19. A milestone is completed at `as_of` when the `completed_at` in force is at or before `as_of`; it is overdue from
     the first instant after its due day. Without a due date it is never overdue.
R20. The gates about opposition look at the person's latest OPPOSES only, and only at whether it is void: its age
     and strength do not matter. Somebody who went from COMMITTED back to OWNED no longer triggers ALTERNATIVE_CHOSEN.
R21. Economic buyer or decision maker: among the person's roles at `as_of`, beside whichever others.
R22. A gate is binding when it has the lowest cap of those that apply and that cap is below base × Π modifiers
     (strictly). At most one is. The cap's loss is that one's.
R23. A criterion's `support` and `opposition` in the answer are S(c) and O(c); CONSENSUS's `support` is without coverage.

Losses and causes

R24. Lifting opposition makes every SUPPORTS live, so "the latest live SUPPORTS" of the deferral rule is then taken
     among all of them.
R25. For CONSENSUS each lift applies to S(CONSENSUS), to O(CONSENSUS), and to the supports on STATUS_QUO and
     CONSEQUENCE inside coverage, together. Departure does not touch coverage (it counts active people only).
R26. "Was economic buyer or decision maker", for a departed speaker: is one at `as_of`, by the roles in force.
R27. The cap DECISION_MAKER_UNHEARD belongs to DECISION_MAKER_CHANGED as soon as any departed stakeholder has one of the two
     roles at `as_of`, whether or not that person ever spoke.
R28. A departed cell is split as level restored by the one kind alone : level restored by the other kind alone,
     both on top of lifts 1 to 3.
R29. Resolving re-judges the three level gates (PROBLEM_UNVOICED, CONSEQUENCE_UNKNOWN, NO_COMMITMENT_TO_CHANGE) on level' and
     nothing else: the derived step, the stage gap and the other gates stay as they were.
     "Caps of the set vanish" also for caps that do not bind.
R30. A cause is listed when it owns a cell with points > 1e-9, or a modifier whose factor is < 1, or a gate that
     applies, binding or not.
R31. `next_steps` picks among the listed causes by the score reached. It stops when no cause lifts more than 1e-9, at five, or
     at a score of 75 or more (also at once, when the deal is there already).
R32. Ties, in the ranking of causes and in `next_steps`, are values within 1e-9 of the greatest: the order of the table
     decides among them. (BUYING_PROCESS and MANAGEMENT, both missing in full, lift alike but for the noise of adding up.)

State

R33. Progress looks at claims that are not INFERRED, on all 12 topics, in the order of R1, void ones and those of departed people
     included. "Held before" is ever, by that person on that topic. The first stage named at all is progress, and a stage
     is compared with those named by anybody, with any stance.
R34. A milestone's completion is progress at the `completed_at` in force, when that is at or before `as_of`; one that was
     replaced by a later write is not.
R35. "No progress for > n days" counts from the last progress or, without any, from the deal's earliest effective event.
R36. "No progress since the last slip": none strictly later than the slip; with no progress at all, that holds.
R37. "Latest PRIORITY claim OPPOSES or DEFERS": the last in the order of R1, INFERRED aside, however old.
R38. "No statement for > 30 days" looks at statements by anybody, with or without claims, departed speakers included.
R39. "momentum < −5" does not apply while momentum is unset.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timezone
from math import prod
from typing import Iterable, NamedTuple, Optional

DAY_NS = 86_400 * 10**9

# ---------------------------------------------------------------------------------------------
# The numbers of the default model, "model v1"
# ---------------------------------------------------------------------------------------------

# Section 3. Criterion: weight. They add up to 100.
WEIGHTS = {
    "PROBLEM": 12,
    "CONSEQUENCE": 22,
    "STATUS_QUO": 18,
    "GO_LIVE": 12,
    "BUYING_PROCESS": 8,
    "CONSENSUS": 10,
    "MANAGEMENT": 8,
    "VALUE": 6,
    "CHANGE_RISK": 4,
}
CRITERIA = list(WEIGHTS)
SIGNALS = ["PRIORITY", "ALTERNATIVE", "ENGAGEMENT"]
TOPICS = CRITERIA + SIGNALS

# Section 3. GO_LIVE's is the one of claims without a target date (section 5).
HALF_LIFE_DAYS = {
    "PROBLEM": 90,
    "CONSEQUENCE": 45,
    "STATUS_QUO": 45,
    "GO_LIVE": 30,
    "BUYING_PROCESS": 60,
    "CONSENSUS": 45,
    "MANAGEMENT": 60,
    "VALUE": 60,
    "CHANGE_RISK": 60,
    "PRIORITY": 30,
    "ALTERNATIVE": 45,
    "ENGAGEMENT": 21,
}

# Section 5.
CONVICTION = {"ACKNOWLEDGED": 0.40, "OWNED": 0.75, "COMMITTED": 1.00}
ATTRIBUTION = {"VERBATIM": 1.0, "PARAPHRASED": 0.7}
STANDING = {
    "ECONOMIC_BUYER": 1.0,
    "DECISION_MAKER": 1.0,
    "EXECUTIVE_SPONSOR": 0.9,
    "CHAMPION": 0.8,
    "TECHNICAL_EVALUATOR": 0.6,
    "INFLUENCER": 0.6,
    "BLOCKER": 0.6,
    "USER": 0.5,
    "PROCUREMENT": 0.5,
    "LEGAL": 0.5,
}
STANDING_UNKNOWN = 0.5
DEPARTED_FACTOR = 0.25
DEFERRED_FACTOR = 0.5
COVERAGE_FLOOR = 3.0

# Section 2: the buyer's steps, 0 to 7.
STAGES = [
    "STATUS_QUO",
    "PROBLEM_IDENTIFICATION",
    "SOLUTION_EXPLORATION",
    "REQUIREMENTS_BUILDING",
    "SUPPLIER_SELECTION",
    "CONSENSUS_CREATION",
    "APPROVAL",
    "IMPLEMENTATION",
]

# Section 6: the buyer's step that a seller stage presumes.
PRESUMED_STEPS = {
    "prospecting": 0,
    "qualification": 1,
    "needsanalysis": 2,
    "valueproposition": 3,
    "iddecisionmakers": 3,
    "perceptionanalysis": 4,
    "proposalpricequote": 5,
    "negotiationreview": 6,
    "closedwon": 7,
    "appointmentscheduled": 1,
    "qualifiedtobuy": 2,
    "presentationscheduled": 3,
    "decisionmakerboughtin": 5,
    "contractsent": 6,
}

MODIFIERS = ["STAGE_MISALIGNMENT", "CLOSE_DATE_SLIPS", "PLAN_SLIPPAGE", "PRIORITY", "ALTERNATIVE", "ENGAGEMENT"]

# Section 6: gate and cap, in the order of the table.
CAPS = {
    "ALTERNATIVE_CHOSEN": 5,
    "RISK_ACCEPTED": 15,
    "PROBLEM_UNVOICED": 25,
    "CONSEQUENCE_UNKNOWN": 30,
    "NO_COMMITMENT_TO_CHANGE": 45,
    "DECISION_MAKER_UNHEARD": 55,
}
LEVEL_GATES = {
    "PROBLEM_UNVOICED": "PROBLEM",
    "CONSEQUENCE_UNKNOWN": "CONSEQUENCE",
    "NO_COMMITMENT_TO_CHANGE": "STATUS_QUO",
}
LEVEL_GATE_MIN = 0.10

# Section 7: causes in the order of the table.
CAUSES = [
    "PROBLEM_NOT_VOICED",
    "CONSEQUENCE_UNKNOWN",
    "NO_COMMITMENT_TO_CHANGE",
    "NO_GO_LIVE_TARGET",
    "GO_LIVE_PASSED",
    "BUYING_PROCESS_UNKNOWN",
    "BUYING_GROUP_NOT_ALIGNED",
    "MANAGEMENT_NOT_SOLD",
    "VALUE_NOT_OWNED",
    "CHANGE_FEELS_RISKIER",
    "RISK_ACCEPTED",
    "DEPRIORITIZED",
    "POLITE_DEFERRAL",
    "ATTENTION_DRIFT",
    "DECISION_MAKER_CHANGED",
    "SPONSOR_LEFT",
    "DECISION_MAKER_UNHEARD",
    "STAGE_MISALIGNED",
    "CLOSE_DATE_SLIPPING",
    "BUYING_PLAN_SLIPPING",
    "ALTERNATIVE_PREFERRED",
    "BUYER_DISENGAGED",
]
COMMIT_SCORE = 75
NEXT_STEPS_MAX = 5
TINY = 1e-9

# ---------------------------------------------------------------------------------------------
# What goes in
# ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Event:
    """One entry of a deal's history."""

    kind: str  # deal, stakeholder, statement, milestone, outcome, retraction, confirmation
    effective_ns: int
    recorded_ns: int
    order: int  # recorded order
    payload: dict  # in the JSON names of the interface


def instant(text: str) -> int:
    """Nanoseconds of an RFC 3339 timestamp in UTC, such as `2024-05-01T10:00:00.25Z`."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    seconds = int(datetime.fromisoformat(whole).replace(tzinfo=timezone.utc).timestamp())
    return seconds * 10**9 + int(fraction.ljust(9, "0") or 0)


def end_of_day(text: str) -> int:
    """The first instant after a date `YYYY-MM-DD`, in UTC."""
    return (date.fromisoformat(text).toordinal() + 1 - date(1970, 1, 1).toordinal()) * DAY_NS


def word(payload: dict, name: str, prefix: str) -> Optional[str]:
    """The enum of a JSON field without its prefix; None when unset."""
    value = payload.get(name, "").removeprefix(prefix)
    return None if value in ("", "UNSPECIFIED") else value


# ---------------------------------------------------------------------------------------------
# What is known at a moment (section 4)
# ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Person:
    roles: frozenset
    departed: bool

    @property
    def decides(self) -> bool:
        return bool(self.roles & {"ECONOMIC_BUYER", "DECISION_MAKER"})


@dataclass(frozen=True)
class Claim:
    person: str
    said_ns: int
    topic: str
    stance: str
    conviction: str
    attribution: str
    confidence: float
    target_date: Optional[str]
    stage: Optional[int]


@dataclass(frozen=True)
class Milestone:
    due_date: Optional[str]
    completed_ns: Optional[int]


@dataclass
class Deal:
    """Everything that counts at `as_of`, put in order."""

    as_of: int
    earliest_ns: Optional[int]
    closed: bool
    people: dict[str, Person]
    claims: list[Claim]  # INFERRED ones left out
    statements: list[tuple[int, str]]  # (said, speaker), INFERRED ones left out
    seller_stage: str
    close_dates: list[tuple[int, str]]
    milestones: list[Milestone]
    by_person_and_topic: dict[tuple[str, str], list[Claim]] = field(default_factory=dict)

    def said(self, person: str, topic: str, stance: str) -> list[Claim]:
        """The claims of a person on a topic with a stance, in order."""
        return [c for c in self.by_person_and_topic.get((person, topic), []) if c.stance == stance]

    def active(self) -> list[str]:
        return [p for p, person in self.people.items() if not person.departed]

    def deciders(self) -> list[str]:
        """Active economic buyers and decision makers."""
        return [p for p in self.active() if self.people[p].decides]


def counted(events: Iterable[Event], as_of: Optional[int], known_at: Optional[int]) -> list[Event]:
    """The events that count, in order. Without `as_of`: at whatever effective instant."""
    recorded = [e for e in events if known_at is None or e.recorded_ns <= known_at]
    retracted = {e.payload["statementId"] for e in recorded if e.kind == "retraction"}
    judged = {
        e.payload["statementId"]: [claim | {"confidence": 1.0} for claim in e.payload.get("claims", [])]
        for e in sorted(recorded, key=lambda e: e.order)
        if e.kind == "confirmation"
    }

    def as_judged(e: Event) -> Event:
        if e.kind != "statement" or e.payload["statementId"] not in judged:
            return e
        return replace(e, payload=e.payload | {"claims": judged[e.payload["statementId"]]})

    result = [
        as_judged(e)
        for e in recorded
        if e.kind not in ("retraction", "confirmation")
        and (as_of is None or e.effective_ns <= as_of)
        and not (e.kind == "statement" and e.payload["statementId"] in retracted)
    ]
    return sorted(result, key=lambda e: (e.effective_ns, e.order))


def moment(events: Iterable[Event], as_of: Optional[int], known_at: Optional[int], now: int) -> int:
    """`as_of`, or its default."""
    if as_of is not None:
        return as_of
    closings = [e.effective_ns for e in counted(events, None, known_at) if e.kind == "outcome"]
    return max(closings, default=now)


def in_force(writes: Iterable[tuple[int, object]]) -> list[tuple[int, object]]:
    """The values that a field had, each with its instant: of one instant, only the last written."""
    return list(dict(writes).items())


def last(writes: Iterable[tuple[int, object]], default):
    """The value in force at the end."""
    return ([default] + [value for _, value in writes])[-1]


def deal_at(events: Iterable[Event], as_of: int, known_at: Optional[int]) -> Deal:
    known = counted(events, as_of, known_at)

    def of(kind: str) -> list[Event]:
        return [e for e in known if e.kind == kind]

    heard = [e for e in of("statement") if word(e.payload, "attribution", "ATTRIBUTION_") != "INFERRED"]
    deal = Deal(
        as_of=as_of,
        earliest_ns=known[0].effective_ns if known else None,
        closed=bool(of("outcome")),
        people=people_of([e for e in known if e.kind == "stakeholder" or e in heard]),
        claims=[claim for e in heard for claim in claims_of(e)],
        statements=[(e.effective_ns, e.payload["speaker"]["stakeholderId"]) for e in heard],
        seller_stage=last(
            [(e.effective_ns, e.payload["sellerStage"]) for e in of("deal") if "sellerStage" in e.payload], ""
        ),
        close_dates=in_force(
            (e.effective_ns, e.payload["closeDate"]) for e in of("deal") if "closeDate" in e.payload
        ),
        milestones=milestones_of(of("milestone")),
    )
    for claim in deal.claims:
        deal.by_person_and_topic.setdefault((claim.person, claim.topic), []).append(claim)
    return deal


def people_of(events: list[Event]) -> dict[str, Person]:
    """Everybody who was written down or has spoken."""
    roles: dict[str, frozenset] = {}
    departed: dict[str, bool] = {}
    for e in events:
        facts = e.payload if e.kind == "stakeholder" else e.payload["speaker"]
        person = facts["stakeholderId"]
        roles.setdefault(person, frozenset())
        departed.setdefault(person, False)
        if facts.get("roles"):
            roles[person] = frozenset(r.removeprefix("BUYING_ROLE_") for r in facts["roles"])
        elif facts.get("noRoles"):
            roles[person] = frozenset()
        presence = word(facts, "presence", "PRESENCE_")
        if presence is not None:
            departed[person] = presence == "DEPARTED"
    return {person: Person(roles[person], departed[person]) for person in roles}


def claims_of(statement: Event) -> list[Claim]:
    return [claim_of(statement, payload) for payload in statement.payload.get("claims", [])]


def claim_of(statement: Event, payload: dict) -> Claim:
    topic = word(payload, "topic", "TOPIC_")
    stance = word(payload, "stance", "STANCE_") or "SUPPORTS"
    conviction = word(payload, "conviction", "CONVICTION_") or "OWNED"
    target_date = payload.get("targetDate") or None
    stage = word(payload, "buyingStage", "BUYING_STAGE_")
    if topic == "GO_LIVE" and stance == "SUPPORTS" and target_date is None:
        conviction = "ACKNOWLEDGED"
    return Claim(
        person=statement.payload["speaker"]["stakeholderId"],
        said_ns=statement.effective_ns,
        topic=topic,
        stance=stance,
        conviction=conviction,
        attribution=word(statement.payload, "attribution", "ATTRIBUTION_"),
        confidence=payload.get("confidence", 1.0),
        target_date=target_date,
        stage=None if stage is None else STAGES.index(stage),
    )


def milestones_of(events: list[Event]) -> list[Milestone]:
    due: dict[str, Optional[str]] = {}
    completed: dict[str, Optional[int]] = {}
    for e in events:
        milestone = e.payload["milestoneId"]
        due.setdefault(milestone, None)
        completed.setdefault(milestone, None)
        if "dueDate" in e.payload:
            due[milestone] = e.payload["dueDate"]
        if "completedAt" in e.payload:
            completed[milestone] = instant(e.payload["completedAt"])
    return [Milestone(due[m], completed[m]) for m in due]


# ---------------------------------------------------------------------------------------------
# Levels of evidence (section 5), with impairments lifted on demand (section 7)
# ---------------------------------------------------------------------------------------------


class Lift(NamedTuple):
    """Which impairments are thought away."""

    opposition: bool = False
    deferral: bool = False
    age: bool = False
    departure: frozenset = frozenset()  # of these people


AS_IT_IS = Lift()


def standing(deal: Deal, person: str, lift: Lift) -> float:
    best = max((STANDING[r] for r in deal.people[person].roles), default=STANDING_UNKNOWN)
    gone = deal.people[person].departed and person not in lift.departure
    return best * DEPARTED_FACTOR if gone else best


def freshness(deal: Deal, claim: Claim, lift: Lift) -> float:
    if lift.age:
        return 1.0
    if claim.topic == "GO_LIVE" and claim.target_date is not None:
        return 1.0 if deal.as_of < end_of_day(claim.target_date) else 0.0
    age_days = (deal.as_of - claim.said_ns) / DAY_NS
    return 0.5 ** (age_days / HALF_LIFE_DAYS[claim.topic])


def strength(deal: Deal, claim: Claim, lift: Lift) -> float:
    return (
        CONVICTION[claim.conviction]
        * ATTRIBUTION[claim.attribution]
        * standing(deal, claim.person, lift)
        * freshness(deal, claim, lift)
        * claim.confidence
    )


def live_supports(deal: Deal, person: str, topic: str, lift: Lift) -> list[Claim]:
    supports = deal.said(person, topic, "SUPPORTS")
    opposes = deal.said(person, topic, "OPPOSES")
    if lift.opposition or not opposes:
        return supports
    return [c for c in supports if c.said_ns > opposes[-1].said_ns]


def opposition(deal: Deal, person: str, topic: str) -> Optional[Claim]:
    """The person's latest OPPOSES, if it is not void."""
    opposes = deal.said(person, topic, "OPPOSES")
    if not opposes or any(c.said_ns > opposes[-1].said_ns for c in deal.said(person, topic, "SUPPORTS")):
        return None
    return opposes[-1]


def support(deal: Deal, person: str, topic: str, lift: Lift = AS_IT_IS) -> float:
    live = live_supports(deal, person, topic, lift)
    if not live:
        return 0.0
    latest_of_rung = {(c.conviction, c.attribution): c for c in live}
    greatest = max(strength(deal, c, lift) for c in latest_of_rung.values())
    deferred = any(d.said_ns > live[-1].said_ns for d in deal.said(person, topic, "DEFERS"))
    return greatest * DEFERRED_FACTOR if deferred and not lift.deferral else greatest


def oppose(deal: Deal, person: str, topic: str) -> float:
    claim = opposition(deal, person, topic)
    return 0.0 if claim is None else strength(deal, claim, AS_IT_IS)


def total_support(deal: Deal, topic: str, lift: Lift = AS_IT_IS) -> float:
    """S(c)."""
    return 1 - prod(1 - support(deal, p, topic, lift) for p in deal.people)


def total_opposition(deal: Deal, topic: str, lift: Lift = AS_IT_IS) -> float:
    """O(c)."""
    return 0.0 if lift.opposition else 1 - prod(1 - oppose(deal, p, topic) for p in deal.people)


def total_deferral(deal: Deal, topic: str) -> float:
    """D(c)."""
    deferring = [
        claims[-1]
        for p in deal.people
        if (claims := deal.by_person_and_topic.get((p, topic))) and claims[-1].stance == "DEFERS"
    ]
    return 1 - prod(1 - 0.5 * strength(deal, c, AS_IT_IS) for c in deferring)


def coverage(deal: Deal, lift: Lift) -> float:
    heard = sum(
        max(support(deal, p, "STATUS_QUO", lift), support(deal, p, "CONSEQUENCE", lift)) for p in deal.active()
    )
    return heard / max(sum(standing(deal, p, lift) for p in deal.active()), COVERAGE_FLOOR)


def level(deal: Deal, topic: str, lift: Lift = AS_IT_IS) -> float:
    supported = total_support(deal, topic, lift)
    if topic == "CONSENSUS":
        supported = 0.5 * supported + 0.5 * coverage(deal, lift)
    return supported * (1 - total_opposition(deal, topic, lift))


# ---------------------------------------------------------------------------------------------
# Modifiers and caps (section 6)
# ---------------------------------------------------------------------------------------------


def stated_step(deal: Deal) -> Optional[int]:
    return last(
        [(c.said_ns, c.stage) for c in deal.claims if c.stage is not None and c.person in deal.active()], None
    )


def derived_step(levels: dict[str, float]) -> int:
    rungs = [
        levels["PROBLEM"] >= 0.10,
        levels["CONSEQUENCE"] >= 0.10 or levels["STATUS_QUO"] >= 0.10,
        levels["BUYING_PROCESS"] >= 0.10,
        levels["VALUE"] >= 0.30,
        levels["CONSENSUS"] >= 0.30,
        levels["MANAGEMENT"] >= 0.30,
    ]
    return (rungs + [False]).index(False)


def stage_gap(deal: Deal, levels: dict[str, float]) -> int:
    presumed = PRESUMED_STEPS.get("".join(ch for ch in deal.seller_stage.lower() if ch.isalnum()))
    if presumed is None:
        return 0
    stated = stated_step(deal)
    if stated is not None:
        return max(0, presumed - stated)
    return min(2, max(0, presumed - derived_step(levels)))


def slips(deal: Deal) -> list[int]:
    """When the close date moved to a date at least 7 days later."""
    result = []
    for (_, before), (changed_ns, after) in zip(deal.close_dates, deal.close_dates[1:]):
        if (date.fromisoformat(after) - date.fromisoformat(before)).days >= 7:
            result.append(changed_ns)
    return result


def completed(deal: Deal, milestone: Milestone) -> bool:
    return milestone.completed_ns is not None and milestone.completed_ns <= deal.as_of


def overdue(deal: Deal) -> int:
    return sum(
        m.due_date is not None and end_of_day(m.due_date) <= deal.as_of and not completed(deal, m)
        for m in deal.milestones
    )


def factors(deal: Deal, levels: dict[str, float]) -> dict[str, float]:
    return {
        "STAGE_MISALIGNMENT": (1 - 0.175) ** stage_gap(deal, levels),
        "CLOSE_DATE_SLIPS": max(0.60, 0.95 ** len(slips(deal))),
        "PLAN_SLIPPAGE": max(0.80, 0.97 ** overdue(deal)),
        "PRIORITY": 1 - 0.5 * max(total_opposition(deal, "PRIORITY"), total_deferral(deal, "PRIORITY")),
        "ALTERNATIVE": 1 - 0.6 * total_opposition(deal, "ALTERNATIVE"),
        "ENGAGEMENT": 1 - 0.3 * total_opposition(deal, "ENGAGEMENT"),
    }


def gates_that_apply(deal: Deal, levels: dict[str, float]) -> list[str]:
    """In the order of the table."""
    deciders = deal.deciders()
    chosen = [opposition(deal, p, "ALTERNATIVE") for p in deciders]
    accepted = [opposition(deal, p, topic) for p in deciders for topic in ("CONSEQUENCE", "STATUS_QUO")]
    applies = {
        "ALTERNATIVE_CHOSEN": any(c is not None and c.conviction == "COMMITTED" for c in chosen),
        "RISK_ACCEPTED": any(c is not None for c in accepted),
        "DECISION_MAKER_UNHEARD": not any(speaker in deciders for _, speaker in deal.statements),
    }
    for gate, topic in LEVEL_GATES.items():
        applies[gate] = levels[topic] < LEVEL_GATE_MIN
    return [gate for gate in CAPS if applies[gate]]


def band(points: float) -> str:
    for bound, name in [(20, "NOT_BUYING"), (45, "EXPLORING"), (65, "CONSIDERING"), (85, "COMMITTED")]:
        if points < bound:
            return name
    return "COMPELLED"


def forecast_category(points: float, closed: bool) -> str:
    if closed:
        return "CLOSED"
    for bound, name in [(20, "OMITTED"), (55, "PIPELINE"), (COMMIT_SCORE, "BEST_CASE")]:
        if points < bound:
            return name
    return "COMMIT"


# ---------------------------------------------------------------------------------------------
# The gains: what `ScoreDeal` answers
# ---------------------------------------------------------------------------------------------


@dataclass
class Criterion:
    weight: float
    level: float
    points: float
    support: float
    opposition: float


@dataclass
class Modifier:
    factor: float
    points: float


@dataclass
class Gate:
    cap: float
    binding: bool


@dataclass
class Sheet:
    as_of: int
    score: float
    base: float
    band: str
    forecast_category: str
    momentum: Optional[float]
    criteria: dict[str, Criterion]
    modifiers: dict[str, Modifier]
    gates: dict[str, Gate]
    cap_points: float
    buyer_stage: str
    buyer_stage_source: str
    seller_stage: str
    stage_gap: int
    stakeholders_active: int

    def levels(self) -> dict[str, float]:
        return {topic: criterion.level for topic, criterion in self.criteria.items()}


def score(events: list[Event], as_of: Optional[int], known_at: Optional[int], now: int) -> Sheet:
    as_of = moment(events, as_of, known_at, now)
    sheet = sheet_of(deal_at(events, as_of, known_at))
    earlier = deal_at(events, as_of - 14 * DAY_NS, known_at)
    if earlier.earliest_ns is not None:
        sheet.momentum = sheet.score - sheet_of(earlier).score
    return sheet


def sheet_of(deal: Deal) -> Sheet:
    """Everything but momentum."""
    levels = {topic: level(deal, topic) for topic in CRITERIA}
    criteria = {
        topic: Criterion(
            weight=WEIGHTS[topic],
            level=levels[topic],
            points=WEIGHTS[topic] * levels[topic],
            support=total_support(deal, topic),
            opposition=total_opposition(deal, topic),
        )
        for topic in CRITERIA
    }
    base = sum(criterion.points for criterion in criteria.values())

    running = base
    modifiers = {}
    for name, factor in factors(deal, levels).items():
        modifiers[name] = Modifier(factor, running * factor - running)
        running = running * factor

    applying = gates_that_apply(deal, levels)
    lowest = min(applying, key=CAPS.get, default=None)
    points = running if lowest is None else min(running, CAPS[lowest])
    gates = {gate: Gate(CAPS[gate], gate == lowest and CAPS[gate] < running) for gate in applying}

    stated = stated_step(deal)
    return Sheet(
        as_of=deal.as_of,
        score=points,
        base=base,
        band=band(points),
        forecast_category=forecast_category(points, deal.closed),
        momentum=None,
        criteria=criteria,
        modifiers=modifiers,
        gates=gates,
        cap_points=points - running,
        buyer_stage=STAGES[derived_step(levels) if stated is None else stated],
        buyer_stage_source="DERIVED" if stated is None else "STATED",
        seller_stage=deal.seller_stage,
        stage_gap=stage_gap(deal, levels),
        stakeholders_active=len(deal.active()),
    )


# ---------------------------------------------------------------------------------------------
# The losses: what `ExplainStall` answers (section 7)
# ---------------------------------------------------------------------------------------------


@dataclass
class Cause:
    cause: str
    points: float
    score_if_resolved: float
    lift: float


@dataclass
class Explanation:
    as_of: int
    score: float
    state: str
    cells: dict[str, dict[str, float]]  # criterion: impairment: points
    causes: list[Cause]  # ranked
    next_steps: list[tuple[str, float]]  # cause, score after
    walk_away: bool
    ledger: Ledger = field(repr=False)  # to resolve further sets of causes


def cells_of(deal: Deal, topic: str) -> dict[str, float]:
    """The points that a criterion lost, one cell an impairment."""
    gone = frozenset(p for p, person in deal.people.items() if person.departed)
    gone_deciders = frozenset(p for p in gone if deal.people[p].decides)

    as_it_is = level(deal, topic)
    unopposed = level(deal, topic, Lift(opposition=True))
    undeferred = level(deal, topic, Lift(opposition=True, deferral=True))
    fresh = level(deal, topic, Lift(opposition=True, deferral=True, age=True))

    def with_back(people: frozenset) -> float:
        return level(deal, topic, Lift(opposition=True, deferral=True, age=True, departure=people))

    complete = with_back(gone)
    by_deciders = with_back(gone_deciders) - fresh
    by_others = with_back(gone - gone_deciders) - fresh
    share = by_deciders / (by_deciders + by_others) if by_deciders + by_others > 0 else 0.0

    weight = WEIGHTS[topic]
    return {
        "opposed": weight * (unopposed - as_it_is),
        "deferred": weight * (undeferred - unopposed),
        "drifted": weight * (fresh - undeferred),
        "departed_deciders": weight * (complete - fresh) * share,
        "departed_others": weight * (complete - fresh) * (1 - share),
        "missing": weight * (1 - complete),
    }


CAUSE_OF_MISSING = {
    "PROBLEM": "PROBLEM_NOT_VOICED",
    "CONSEQUENCE": "CONSEQUENCE_UNKNOWN",
    "STATUS_QUO": "NO_COMMITMENT_TO_CHANGE",
    "GO_LIVE": "NO_GO_LIVE_TARGET",
    "BUYING_PROCESS": "BUYING_PROCESS_UNKNOWN",
    "CONSENSUS": "BUYING_GROUP_NOT_ALIGNED",
    "MANAGEMENT": "MANAGEMENT_NOT_SOLD",
    "VALUE": "VALUE_NOT_OWNED",
    "CHANGE_RISK": "CHANGE_FEELS_RISKIER",
}
CAUSE_OF_OPPOSED = {
    "PROBLEM": "DEPRIORITIZED",
    "CONSEQUENCE": "RISK_ACCEPTED",
    "STATUS_QUO": "RISK_ACCEPTED",
    "GO_LIVE": "DEPRIORITIZED",
    "BUYING_PROCESS": "DEPRIORITIZED",
    "CONSENSUS": "BUYING_GROUP_NOT_ALIGNED",
    "MANAGEMENT": "MANAGEMENT_NOT_SOLD",
    "VALUE": "VALUE_NOT_OWNED",
    "CHANGE_RISK": "CHANGE_FEELS_RISKIER",
}
CAUSE_OF_MODIFIER = {
    "STAGE_MISALIGNMENT": "STAGE_MISALIGNED",
    "CLOSE_DATE_SLIPS": "CLOSE_DATE_SLIPPING",
    "PLAN_SLIPPAGE": "BUYING_PLAN_SLIPPING",
    "PRIORITY": "DEPRIORITIZED",
    "ALTERNATIVE": "ALTERNATIVE_PREFERRED",
    "ENGAGEMENT": "BUYER_DISENGAGED",
}
CAUSE_OF_GATE = {
    "ALTERNATIVE_CHOSEN": "ALTERNATIVE_PREFERRED",
    "RISK_ACCEPTED": "RISK_ACCEPTED",
    "PROBLEM_UNVOICED": "PROBLEM_NOT_VOICED",
    "CONSEQUENCE_UNKNOWN": "CONSEQUENCE_UNKNOWN",
    "NO_COMMITMENT_TO_CHANGE": "NO_COMMITMENT_TO_CHANGE",
    "DECISION_MAKER_UNHEARD": "DECISION_MAKER_UNHEARD",
}


def cause_of_cell(topic: str, impairment: str) -> str:
    match impairment:
        case "missing":
            return CAUSE_OF_MISSING[topic]
        case "opposed":
            return CAUSE_OF_OPPOSED[topic]
        case "deferred":
            return "POLITE_DEFERRAL"
        case "drifted":
            return "GO_LIVE_PASSED" if topic == "GO_LIVE" else "ATTENTION_DRIFT"
        case "departed_deciders":
            return "DECISION_MAKER_CHANGED"
        case "departed_others":
            return "SPONSOR_LEFT"
    raise ValueError(impairment)


def cause_of_gate(deal: Deal, gate: str) -> str:
    if gate == "DECISION_MAKER_UNHEARD" and any(p.departed and p.decides for p in deal.people.values()):
        return "DECISION_MAKER_CHANGED"
    return CAUSE_OF_GATE[gate]


@dataclass
class Ledger:
    """Who owns what was lost."""

    sheet: Sheet
    cells: dict[str, dict[str, float]]
    owner_of_gate: dict[str, str]

    def points(self, cause: str) -> float:
        return sum(self.owned(cause))

    def owned(self, cause: str) -> list[float]:
        """The points of each cell of a cause."""
        of_criteria = [
            points
            for topic, cells in self.cells.items()
            for impairment, points in cells.items()
            if cause_of_cell(topic, impairment) == cause
        ]
        of_modifiers = [
            -modifier.points
            for name, modifier in self.sheet.modifiers.items()
            if CAUSE_OF_MODIFIER[name] == cause
        ]
        of_caps = [
            -self.sheet.cap_points
            for name, gate in self.sheet.gates.items()
            if gate.binding and self.owner_of_gate[name] == cause
        ]
        return of_criteria + of_modifiers + of_caps

    def is_listed(self, cause: str) -> bool:
        return (
            any(points > TINY for points in self.owned(cause))
            or any(m.factor < 1 and CAUSE_OF_MODIFIER[n] == cause for n, m in self.sheet.modifiers.items())
            or any(self.owner_of_gate[gate] == cause for gate in self.sheet.gates)
        )

    def resolved(self, causes: Iterable[str]) -> float:
        """The score with a set of causes out of the way."""
        causes = set(causes)
        levels = {
            topic: criterion.level
            + sum(p for impairment, p in self.cells[topic].items() if cause_of_cell(topic, impairment) in causes)
            / criterion.weight
            for topic, criterion in self.sheet.criteria.items()
        }
        base = sum(WEIGHTS[topic] * levels[topic] for topic in CRITERIA)
        kept = [m.factor for name, m in self.sheet.modifiers.items() if CAUSE_OF_MODIFIER[name] not in causes]
        caps = [
            gate.cap
            for name, gate in self.sheet.gates.items()
            if self.owner_of_gate[name] not in causes
            and (name not in LEVEL_GATES or levels[LEVEL_GATES[name]] < LEVEL_GATE_MIN)
        ]
        return min([base * prod(kept)] + caps)


def ledger_of(deal: Deal) -> Ledger:
    sheet = sheet_of(deal)
    return Ledger(
        sheet=sheet,
        cells={topic: cells_of(deal, topic) for topic in CRITERIA},
        owner_of_gate={gate: cause_of_gate(deal, gate) for gate in sheet.gates},
    )


def explain(events: list[Event], as_of: Optional[int], known_at: Optional[int], now: int) -> Explanation:
    sheet = score(events, as_of, known_at, now)
    deal = deal_at(events, sheet.as_of, known_at)
    ledger = ledger_of(deal)

    listed = [cause for cause in CAUSES if ledger.is_listed(cause)]
    causes = []
    for cause in listed:
        after = ledger.resolved([cause])
        causes.append(Cause(cause, ledger.points(cause), after, after - sheet.score))
    return Explanation(
        as_of=sheet.as_of,
        score=sheet.score,
        state=state_of(deal, sheet.momentum),
        cells=ledger.cells,
        causes=ranked(causes),
        next_steps=next_steps_of(ledger, listed),
        walk_away="RISK_ACCEPTED" in sheet.gates or "ALTERNATIVE_CHOSEN" in sheet.gates,
        ledger=ledger,
    )


def ranked(causes: list[Cause]) -> list[Cause]:
    """By points lost; the order given, which is that of the table, decides among equals."""
    left, result = list(causes), []
    while left:
        greatest = max(cause.points for cause in left)
        result.append(next(cause for cause in left if cause.points >= greatest - TINY))
        left.remove(result[-1])
    return result


def next_steps_of(ledger: Ledger, listed: list[str]) -> list[tuple[str, float]]:
    steps: list[tuple[str, float]] = []
    reached = ledger.sheet.score
    while len(steps) < NEXT_STEPS_MAX and reached < COMMIT_SCORE:
        taken = [cause for cause, _ in steps]
        options = [(cause, ledger.resolved(taken + [cause])) for cause in listed if cause not in taken]
        greatest = max((after for _, after in options), default=reached)
        if greatest - reached <= TINY:
            break
        # Two causes that lift alike differ by the noise of adding up: the first of the table among them.
        cause, reached = next(option for option in options if option[1] >= greatest - TINY)
        steps.append((cause, reached))
    return steps


# ---------------------------------------------------------------------------------------------
# State
# ---------------------------------------------------------------------------------------------


def progress(deal: Deal) -> list[int]:
    """The instants at which the deal moved, in no particular order."""
    result = []
    held: dict[tuple[str, str], float] = {}
    furthest = -1
    for claim in deal.claims:
        if claim.stance == "SUPPORTS":
            rung = CONVICTION[claim.conviction]
            before = held.get((claim.person, claim.topic), 0.0)
            if rung > before:
                result.append(claim.said_ns)
                held[claim.person, claim.topic] = rung
        if claim.stage is not None and claim.stage > furthest:
            result.append(claim.said_ns)
            furthest = claim.stage
    result += [m.completed_ns for m in deal.milestones if completed(deal, m)]
    return result


def state_of(deal: Deal, momentum: Optional[float]) -> str:
    earliest_ns = deal.as_of if deal.earliest_ns is None else deal.earliest_ns
    progress_ns = progress(deal)
    idle_ns = deal.as_of - max(progress_ns, default=earliest_ns)
    slip_ns = slips(deal)

    if deal.closed:
        return "CLOSED"

    if deal.statements:
        dark = deal.as_of - deal.statements[-1][0] > 30 * DAY_NS
    else:
        dark = deal.as_of - earliest_ns > 14 * DAY_NS
    if dark:
        return "DARK"

    slipping = len(slip_ns) >= 3 and not any(at > slip_ns[-1] for at in progress_ns)
    latest_priority = [deal.by_person_and_topic.get((p, "PRIORITY"), [])[-1:] for p in deal.deciders()]
    put_off = any(c.stance in ("OPPOSES", "DEFERS") for claims in latest_priority for c in claims)
    if idle_ns > 30 * DAY_NS or slipping or put_off:
        return "STALLED"

    falling = momentum is not None and momentum < -5
    if idle_ns > 14 * DAY_NS or falling or overdue(deal) > 0:
        return "SLOWING"

    return "MOVING"
