"""Random histories of a deal, as writes of the interface.

What always holds: one seed and one `now` give one history. Every write says when it was true, within
the 200 days before `now`. Nothing is said after the deal closed.
What is deliberately absent: any rule of the score.

    history = random_history(seed, now_ns)   # writes in effective order
    shuffled(history, rng)                   # the same, in an order of arrival that changes nothing
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from model import CONVICTION, DAY_NS, STANDING, STAGES, TOPICS, Event, instant

DAYS = 200

SELLER_STAGES = [
    "Prospecting",
    "Qualification",
    "Needs Analysis",
    "value proposition",
    "Id. Decision Makers",
    "Perception Analysis",
    "Proposal/Price Quote",
    "NEGOTIATION / REVIEW",
    "Closed Won",
    "appointmentscheduled",
    "Qualified to Buy",
    "presentation-scheduled",
    "decisionmakerboughtin",
    "contractSent",
    "Discovery (ours)",
    "Some stage of our own",
]
OUTCOMES = ["WON", "LOST_TO_COMPETITOR", "LOST_TO_NO_DECISION", "DISQUALIFIED"]


@dataclass(frozen=True)
class Write:
    kind: str  # as in `model.Event`
    effective_ns: int  # of a retraction or a confirmation: that of its statement
    payload: dict  # the message itself, in JSON names, without the deal's id


@dataclass(frozen=True)
class Temper:
    """What kind of deal this is, so that scores of every height turn up."""

    support: float  # probability that a claim SUPPORTS
    verbatim: float
    inferred: float
    roles: list[str]
    topics: list[str]
    stages: float  # probability that a claim names a buying stage
    recency: float  # 1: spread evenly over the days; above: closer to now
    convictions: list[str]
    vague: float  # probability that a claim has a confidence
    departures: float
    statements: tuple[int, int]
    changes: list[int]  # how many writes of deal facts, to choose from


WARM = Temper(
    support=0.97,
    verbatim=1.0,
    inferred=0.05,
    roles=["ECONOMIC_BUYER", "DECISION_MAKER", "EXECUTIVE_SPONSOR", "CHAMPION"],
    topics=TOPICS,
    stages=0.02,
    recency=4.0,
    convictions=["OWNED", "COMMITTED", "COMMITTED"],
    vague=0.05,
    departures=0.1,
    statements=(10, 60),
    changes=[0, 1, 2],
)


def timestamp(ns: int, rng: Random | None = None) -> str:
    """RFC 3339 with as few digits as needed, or, given `rng`, sometimes more."""
    seconds, nanos = divmod(ns, 10**9)
    day, second = divmod(seconds, 86_400)
    text = f"{date.fromordinal(date(1970, 1, 1).toordinal() + day)}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
    digits = f"{nanos:09}".rstrip("0")
    if rng is not None:
        digits = digits.ljust(rng.randint(len(digits), 9), "0")
    return f"{text}.{digits}Z" if digits else f"{text}Z"


def day_of(ns: int) -> date:
    return date.fromordinal(date(1970, 1, 1).toordinal() + ns // DAY_NS)


def random_history(seed: object, now_ns: int) -> list[Write]:
    return Generator(seed, now_ns).history()


ABOUT_STATEMENTS = ("confirmation", "retraction")


def shuffled(writes: list[Write], rng: Random) -> list[Write]:
    """Another order of arrival that must not change any answer.

    Writes of one effective instant stay in their order, because the later recorded wins among them;
    confirmations come after their statement and stay in their order, and a retraction comes after them.
    """
    facts = [w for w in writes if w.kind not in ABOUT_STATEMENTS]
    rng.shuffle(facts)
    in_order = {}
    for write in writes:
        if write.kind not in ABOUT_STATEMENTS:
            in_order.setdefault(write.effective_ns, []).append(write)
    queues = {ns: iter(group) for ns, group in in_order.items()}
    result = [next(queues[w.effective_ns]) for w in facts]
    for write in (w for w in writes if w.kind in ABOUT_STATEMENTS):
        before = max(
            i for i, w in enumerate(result) if w.payload.get("statementId") == write.payload["statementId"]
        )
        result.insert(rng.randint(before + 1, len(result)), write)
    return result


def events_of(writes: list[Write], recorded_from_ns: int) -> list[Event]:
    """The history that a service keeps of writes arriving in this order, one a second."""
    return [
        event_of(write, order, recorded_from_ns + order * 10**9)
        for order, write in enumerate(writes, start=1)
    ]


def event_of(write: Write, order: int, recorded_ns: int) -> Event:
    effective_ns = recorded_ns if write.kind in ABOUT_STATEMENTS else write.effective_ns
    return Event(write.kind, effective_ns, recorded_ns, order, write.payload)


class Generator:
    def __init__(self, seed: object, now_ns: int):
        self.rng = Random(f"history {seed}")
        self.now_ns = now_ns
        self.instants: list[int] = []
        self.claims: list[tuple[str, dict]] = []  # person, claim
        self.statements = 0

    # Small things

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def some_instant(self, until_ns: int) -> int:
        """An instant of the last days, sometimes one that was used already."""
        rng = self.rng
        used = [ns for ns in self.instants if ns <= until_ns]
        if used and self.chance(0.12):
            return rng.choice(used)
        days_ago = DAYS * rng.random() ** self.temper.recency
        unit = rng.choice([1, 1, 10**3, 10**6, 10**8, 10**9, 60 * 10**9])
        ns = until_ns - int(days_ago * DAY_NS)
        ns = max(ns // unit * unit, self.now_ns - DAYS * DAY_NS)
        if self.chance(0.02):
            ns = ns // DAY_NS * DAY_NS  # midnight, UTC
        self.instants.append(ns)
        return ns

    def some_date(self, around_ns: int, days_before: int, days_after: int) -> str:
        return str(day_of(around_ns) + timedelta(days=self.rng.randint(-days_before, days_after)))

    def some_roles(self) -> list[str]:
        roles = self.rng.sample(self.temper.roles, k=min(len(self.temper.roles), self.rng.choice([1, 1, 1, 2, 3])))
        return [f"BUYING_ROLE_{role}" for role in roles]

    # The whole

    def history(self) -> list[Write]:
        rng = self.rng
        self.temper = self.some_temper()
        self.people = [f"person-{i}" for i in range(1, rng.randint(1, 8) + 1)]
        # Most histories end in the present; a closed one ended at its outcome.
        closed_ns = None
        if self.chance(0.15):
            closed_ns = self.now_ns - int(rng.uniform(0.01, 90) * DAY_NS)
        end_ns = self.now_ns if closed_ns is None else closed_ns

        writes = []
        for person in self.people:
            if self.chance(0.8):
                writes += self.stakeholder_updates(person, end_ns)
        for _ in range(rng.randint(*self.temper.statements)):
            writes.append(self.statement(end_ns))
        writes += self.deal_facts(self.now_ns)
        for i in range(rng.choice([0, 0, 1, 3, 9])):
            writes += self.milestone_updates(f"milestone-{i}", self.now_ns)
        if closed_ns is not None:
            writes.append(self.outcome(closed_ns))
            if self.chance(0.2):
                writes.append(self.outcome(closed_ns + int(rng.random() * (self.now_ns - closed_ns))))
        if not writes:
            writes.append(self.statement(end_ns))

        writes.sort(key=lambda w: w.effective_ns)
        said = [w for w in writes if w.kind == "statement"]
        retracted = rng.sample(said, k=sum(self.chance(0.08) for _ in said))
        confirmed = [w for w in said for _ in range(rng.choice([1, 1, 2])) if self.chance(0.1)]
        return writes + [self.confirmation(w) for w in confirmed] + [self.retraction(w) for w in retracted]

    def some_temper(self) -> Temper:
        rng = self.rng
        if self.chance(0.4):
            # Deals that are going well, but for one thing.
            return replace(
                WARM,
                **rng.choice(
                    [
                        {},
                        {"support": 0.9},
                        {"departures": 0.8},
                        {"changes": [6, 9]},
                        {"recency": 1.5},
                        {"roles": ["USER", "CHAMPION"]},
                        {"topics": rng.sample(TOPICS, k=len(TOPICS) - 1)},
                        {"stages": 0.1, "changes": [4]},
                    ]
                ),
            )
        roles = list(STANDING)
        return Temper(
            support=rng.choice([1.0, 0.9, 0.75, 0.5, 0.2]),
            verbatim=rng.choice([1.0, 0.7, 0.3]),
            inferred=rng.choice([0.0, 0.1, 0.1, 0.5]),
            roles=rng.choice([roles, roles, ["ECONOMIC_BUYER", "DECISION_MAKER", "CHAMPION"], ["USER", "LEGAL", "BLOCKER"]]),
            topics=rng.choice([TOPICS, TOPICS, TOPICS[:9], rng.sample(TOPICS, k=3)]),
            stages=rng.choice([0.0, 0.02, 0.15]),
            recency=rng.choice([1.0, 2.0, 4.0]),
            convictions=list(CONVICTION),
            vague=rng.choice([0.0, 0.3]),
            departures=0.5,
            statements=rng.choice([(0, 0), (1, 8), (5, 25), (20, 60)]),
            changes=[0, 1, 2, 4, 8],
        )

    # People

    def stakeholder_updates(self, person: str, until_ns: int) -> list[Write]:
        updates = []
        for i in range(self.rng.choice([1, 1, 2, 3])):
            payload = {"stakeholderId": person}
            if self.chance(0.3):
                payload["displayName"] = f"{person} the {i + 1}."
            if self.chance(0.75 if i == 0 else 0.5):
                payload["roles"] = self.some_roles()
            elif self.chance(0.2):
                payload["noRoles"] = True
            if self.chance(0.1 if i == 0 else self.temper.departures):
                payload["presence"] = "PRESENCE_DEPARTED"
            elif self.chance(0.3):
                payload["presence"] = "PRESENCE_ACTIVE"
            updates.append(self.at(self.some_instant(until_ns), "stakeholder", payload))
        return updates

    def at(self, ns: int, kind: str, payload: dict) -> Write:
        return Write(kind, ns, payload | {"effectiveAt": timestamp(ns, self.rng)})

    # Words

    def statement(self, until_ns: int) -> Write:
        rng = self.rng
        self.statements += 1
        said_ns = self.some_instant(until_ns)
        person = rng.choice(self.people)
        payload = {
            "statementId": f"statement-{self.statements}",
            "saidAt": timestamp(said_ns, rng),
            "quote": f"Words number {self.statements}.",
        }
        inferred = self.chance(self.temper.inferred)
        if inferred:
            payload["attribution"] = "ATTRIBUTION_INFERRED"
        else:
            payload["attribution"] = (
                "ATTRIBUTION_VERBATIM" if self.chance(self.temper.verbatim) else "ATTRIBUTION_PARAPHRASED"
            )
        if not inferred or self.chance(0.5):
            payload["speaker"] = {"stakeholderId": person}
            if self.chance(0.1):
                payload["speaker"]["roles"] = self.some_roles()
            if self.chance(0.1):
                payload["speaker"]["title"] = "Head of something"
        payload["claims"] = [self.claim(person, said_ns) for _ in range(rng.choice([1, 1, 1, 2, 3, 5]))]
        if self.chance(0.1):
            payload["claims"].append(self.turned(payload["claims"][-1]))
        if not inferred:
            self.claims += [(person, claim) for claim in payload["claims"]]
        return Write("statement", said_ns, payload)

    def claim(self, person: str, said_ns: int) -> dict:
        """Something new, something said before, or the contrary of it."""
        rng = self.rng
        before = [claim for speaker, claim in self.claims if speaker == person]
        if before and self.chance(0.2):
            return dict(rng.choice(before))
        if before and self.chance(0.15):
            return self.turned(rng.choice(before))

        topic = rng.choice(self.temper.topics)
        claim = {"topic": f"TOPIC_{topic}"}
        if not self.chance(self.temper.support):
            claim["stance"] = rng.choice(["STANCE_OPPOSES", "STANCE_DEFERS"])
        elif self.chance(0.5):
            claim["stance"] = "STANCE_SUPPORTS"
        if self.chance(0.8):
            claim["conviction"] = f"CONVICTION_{rng.choice(self.temper.convictions)}"
        if self.chance(self.temper.vague):
            claim["confidence"] = rng.choice([1.0, 0.93, 0.71, 0.37, 0.013])
        if self.chance(0.75 if topic == "GO_LIVE" else 0.03):
            claim["targetDate"] = self.some_date(said_ns, 10, rng.choice([5, 60, 300]))
        if self.chance(self.temper.stages):
            claim["buyingStage"] = f"BUYING_STAGE_{STAGES[min(rng.randrange(8), rng.randrange(8))]}"
        return claim

    def turned(self, claim: dict) -> dict:
        """The same topic with another stance."""
        return claim | {"stance": self.rng.choice(["STANCE_SUPPORTS", "STANCE_OPPOSES", "STANCE_DEFERS"])}

    def confirmation(self, statement: Write) -> Write:
        """What a person makes of its claims: others, some of them, the same, or none."""
        rng = self.rng
        speaker = statement.payload.get("speaker", {}).get("stakeholderId", self.people[0])
        kept = statement.payload["claims"]
        claims = rng.choice([
            [],
            kept,
            kept[:1],
            [self.turned(kept[0])],
            [self.claim(speaker, statement.effective_ns) for _ in range(rng.choice([1, 2]))],
        ])
        payload = {"statementId": statement.payload["statementId"], "claims": claims}
        return Write("confirmation", statement.effective_ns, payload)

    def retraction(self, statement: Write) -> Write:
        payload = {"statementId": statement.payload["statementId"], "reason": "Not what was said."}
        return Write("retraction", statement.effective_ns, payload)

    # Facts

    def deal_facts(self, until_ns: int) -> list[Write]:
        rng = self.rng
        facts = []
        close_date = day_of(self.now_ns) - timedelta(days=rng.randint(-30, 150))
        instants = sorted(self.some_instant(until_ns) for _ in range(rng.choice(self.temper.changes)))
        for ns in instants:
            payload = {}
            if self.chance(0.1):
                payload["name"] = f"Deal of {ns}"
            if self.chance(0.5):
                payload["sellerStage"] = rng.choice(SELLER_STAGES)
            if self.chance(0.7):
                close_date += timedelta(days=rng.choice([-20, 0, 3, 6, 7, 8, 30, 30, 60]))
                payload["closeDate"] = str(close_date)
            if not payload:
                payload["owner"] = "Somebody else"
            facts.append(self.at(ns, "deal", payload))
        return facts

    def milestone_updates(self, milestone: str, until_ns: int) -> list[Write]:
        updates = []
        for i in range(self.rng.choice([1, 1, 2, 3])):
            ns = self.some_instant(until_ns)
            payload = {"milestoneId": milestone}
            if i == 0 or self.chance(0.2):
                payload["name"] = f"Step {milestone} of {i}"
            if self.chance(0.8 if i == 0 else 0.4):
                payload["dueDate"] = self.some_date(ns, 5, 60)
            if self.chance(0.15 if i == 0 else 0.5):
                # Mostly told when it happened or soon after; rarely ahead.
                days_late = self.rng.choice([0, 0, 1, 10, -10])
                payload["completedAt"] = timestamp(min(ns - int(days_late * DAY_NS), self.now_ns), self.rng)
            updates.append(self.at(ns, "milestone", payload))
        return updates

    def outcome(self, ns: int) -> Write:
        return self.at(ns, "outcome", {"outcome": f"OUTCOME_{self.rng.choice(OUTCOMES)}"})


def boundaries(writes: list[Write], now_ns: int) -> list[int]:
    """Instants at which some rule changes its mind, and their neighbours."""
    edges = days_ending(writes, now_ns)
    for write in writes:
        happened = [write.effective_ns]
        if "completedAt" in write.payload:
            happened.append(instant(write.payload["completedAt"]))
        edges += nudged([ns + days * DAY_NS for ns in happened for days in (0, 14, 30)], now_ns)
    return sorted(edges)


def days_ending(writes: list[Write], now_ns: int) -> list[int]:
    """The ends of target and due dates, and their neighbours."""
    dates = [write.payload.get("dueDate") for write in writes]
    dates += [
        claim.get("targetDate")
        for write in writes
        for claim in write.payload.get("claims", [])
        if claim["topic"] == "TOPIC_GO_LIVE"
    ]
    return nudged([instant(f"{day}T00:00:00Z") + DAY_NS for day in dates if day], now_ns)


def nudged(edges: list[int], now_ns: int) -> list[int]:
    return sorted({edge + nudge for edge in edges for nudge in (-1, 0, 1) if edge + nudge <= now_ns})
