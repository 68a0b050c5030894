"""What a CRM tells of its opportunities, as writes of the service.

The CRM here is made up, with the fields that real ones have: each notification is one JSON object

    {"event": "opportunity.updated", "occurredAt": "2026-11-20T10:00:00Z", "opportunity": {
        "id": "006A1", "name": "…", "accountName": "…", "ownerName": "…", "amount": "120000.50", "currency": "EUR",
        "stageName": "Proposal/Price Quote", "closeDate": "2026-12-18", "isClosed": false}}
    {"event": "contactRole.added", "occurredAt": "…", "opportunityId": "006A1",
        "contact": {"id": "003C1", "name": "Ana Ruiz", "title": "CFO", "role": "Economic Buyer"}}
    {"event": "email.received", "occurredAt": "…", "opportunityId": "006A1", "messageId": "02sM1",
        "from": {"id": "003C1", "name": "Ana Ruiz", "address": "ana@example.com"}, "mime": "From: …", "url": "https://…"}
    {"event": "call.noted", "occurredAt": "…", "opportunityId": "006A1", "noteId": "00TN1",
        "contact": {"id": "003C1", "name": "Ana Ruiz"}, "text": "…", "url": "https://…"}

Of `opportunity` only the fields that changed need be there. Everything has an id or a moment of the CRM's own, so a
notification that comes twice is kept once, and one that comes late takes its place in time.

No statement has claims: the service reads them from the words, which it can do better with every version.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from decimal import InvalidOperation

NANOS = 1_000_000_000
# Before the point: what a whole number of 64 bits always holds.
DIGITS_MAX = 18
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")

ROLES = {
    "Economic Buyer": "BUYING_ROLE_ECONOMIC_BUYER",
    "Economic Decision Maker": "BUYING_ROLE_ECONOMIC_BUYER",
    "Decision Maker": "BUYING_ROLE_DECISION_MAKER",
    "Executive Sponsor": "BUYING_ROLE_EXECUTIVE_SPONSOR",
    "Champion": "BUYING_ROLE_CHAMPION",
    "Technical Buyer": "BUYING_ROLE_TECHNICAL_EVALUATOR",
    "Evaluator": "BUYING_ROLE_TECHNICAL_EVALUATOR",
    "Influencer": "BUYING_ROLE_INFLUENCER",
    "Business User": "BUYING_ROLE_USER",
    "Procurement": "BUYING_ROLE_PROCUREMENT",
    "Legal": "BUYING_ROLE_LEGAL",
}

LOSSES = {
    "Lost to Competitor": "OUTCOME_LOST_TO_COMPETITOR",
    "No Decision": "OUTCOME_LOST_TO_NO_DECISION",
    "Disqualified": "OUTCOME_DISQUALIFIED",
}


@dataclass
class Write:
    """One call of the service that may be repeated."""

    call: str
    request: dict
    # Which field of the notification a field of the request came from, by the beginning of its path: so that the CRM is
    # told of its own field when the service refuses one.
    origins: dict[str, str]

    def blamed(self, field: str) -> str:
        """The notification's field behind a field of the request; the request's own name where there is none."""
        fitting = [path for path in self.origins if field == path or field.startswith((path + ".", path + "["))]
        return self.origins[max(fitting, key=len)] if fitting else field


class Unfit(Exception):
    """A notification that cannot be taken: the fields at fault, each with what is allowed."""

    def __init__(self, violations: list[tuple[str, str]]):
        super().__init__("; ".join(f"{field} {allowed}" for field, allowed in violations))
        self.violations = violations


class Fields:
    """Takes a notification apart and collects everything that is wrong with it."""

    def __init__(self, root: dict):
        self.root = root
        self.violations: list[tuple[str, str]] = []

    def blame(self, path: str, allowed: str) -> None:
        self.violations.append((path, allowed))

    def get(self, path: str):
        value = self.root
        for name in path.split("."):
            if not isinstance(value, dict):
                return None
            value = value.get(name)
        return value

    def text(self, path: str) -> str:
        """A text that may be absent: then it is empty."""
        value = self.get(path)
        if value is None or is_text(value):
            return value or ""
        self.blame(path, "must be a text")
        return ""

    def must(self, path: str) -> str:
        """A text that must be there."""
        value = self.get(path)
        if not is_text(value) or not value:
            self.blame(path, "must be set, to a text")
            return ""
        return value

    def moment(self, path: str) -> str:
        """A moment that must be there. The service tells whether it is one that it takes."""
        value = self.get(path)
        if not isinstance(value, str) or not MOMENT.fullmatch(value):
            self.blame(path, "must be set, to a moment such as 2026-11-20T10:00:00Z")
            return ""
        return value

    def flag(self, path: str) -> bool:
        value = self.get(path)
        if not isinstance(value, bool | None):
            self.blame(path, "must be true or false")
        return value is True

    def one_of(self, path: str, allowed: dict[str, str]) -> str | None:
        value = self.get(path)
        if isinstance(value, str) and value in allowed:
            return allowed[value]
        self.blame(path, f"must be one of {', '.join(allowed)}")
        return None


def writes(notification: dict) -> list[Write]:
    """The calls that keep what the notification says, in order. Raises `Unfit`."""
    fields = Fields(notification)
    told = MAPPINGS.get(str(fields.get("event")))
    if told is None:
        raise Unfit([("event", f"must be one of {', '.join(MAPPINGS)}")])
    # Without the CRM's own moment a notification that comes twice would be told twice.
    mapped = told(fields, fields.moment("occurredAt"))
    if fields.violations:
        raise Unfit(fields.violations)
    return mapped


def opportunity_updated(fields: Fields, at: str) -> list[Write]:
    deal_id = fields.must("opportunity.id")
    deal = {"dealId": deal_id, "effectiveAt": at}
    origins = {"deal.deal_id": "opportunity.id", "deal.effective_at": "occurredAt"}
    facts = [
        ("name", "name", "name"),
        ("account", "account", "accountName"),
        ("owner", "owner", "ownerName"),
        ("sellerStage", "seller_stage", "stageName"),
        ("closeDate", "close_date", "closeDate"),
    ]
    for name, path, theirs in facts:
        if value := fields.text(f"opportunity.{theirs}"):
            deal[name] = value
            origins[f"deal.{path}"] = f"opportunity.{theirs}"
    if fields.get("opportunity.amount") is not None:
        deal["amount"] = money(fields, "opportunity.amount", "opportunity.currency")
        origins["deal.amount"] = "opportunity.amount"
        origins["deal.amount.currency_code"] = "opportunity.currency"
    told = [Write("DealService/UpsertDeal", {"deal": deal}, origins)]
    if fields.flag("opportunity.isClosed"):
        told.append(closed(fields, deal_id, at))
    return told


def closed(fields: Fields, deal_id: str, at: str) -> Write:
    won = fields.flag("opportunity.isWon")
    outcome = "OUTCOME_WON" if won else fields.one_of("opportunity.lossReason", LOSSES)
    return Write(
        "DealService/RecordOutcome",
        {"dealId": deal_id, "outcome": {"outcome": outcome, "effectiveAt": at}},
        {"deal_id": "opportunity.id", "outcome.outcome": "opportunity.lossReason", "outcome.effective_at": "occurredAt"},
    )


def contact_role_added(fields: Fields, at: str) -> list[Write]:
    person = {
        "stakeholderId": fields.must("contact.id"),
        "displayName": fields.must("contact.name"),
        "roles": [fields.one_of("contact.role", ROLES)],
        "effectiveAt": at,
    }
    if title := fields.text("contact.title"):
        person["title"] = title
    origins = {
        "deal_id": "opportunityId",
        "stakeholders[0].stakeholder_id": "contact.id",
        "stakeholders[0].display_name": "contact.name",
        "stakeholders[0].title": "contact.title",
        "stakeholders[0].roles": "contact.role",
        "stakeholders[0].effective_at": "occurredAt",
    }
    request = {"dealId": fields.must("opportunityId"), "stakeholders": [person]}
    return [Write("DealService/UpsertStakeholders", request, origins)]


def email_received(fields: Fields, at: str) -> list[Write]:
    """The message as it came: the service cuts what it quotes, its signature and disclaimers."""
    mime = fields.must("mime")
    request = {
        "dealId": fields.must("opportunityId"),
        "transcriptId": fields.must("messageId"),
        "content": base64.b64encode(mime.encode()).decode(),
        "format": "TRANSCRIPT_FORMAT_EMAIL",
        "heldAt": at,
        "buyers": [{"label": fields.must("from.address"), "speaker": speaker(fields, "from")}],
        "sourceUri": fields.text("url"),
    }
    origins = {
        "deal_id": "opportunityId",
        "transcript_id": "messageId",
        "content": "mime",
        "held_at": "occurredAt",
        "buyers[0].label": "from.address",
        "buyers": "from.address",
        "buyers[0].speaker.stakeholder_id": "from.id",
        "buyers[0].speaker.display_name": "from.name",
        "source_uri": "url",
    }
    return [Write("IngestService/ImportTranscript", request, origins)]


def call_noted(fields: Fields, at: str) -> list[Write]:
    """Somebody's notes of what a buyer said; without a contact it is what the seller believes, and earns nothing."""
    statement = {
        "dealId": fields.must("opportunityId"),
        "statementId": fields.must("noteId"),
        "saidAt": at,
        "quote": fields.must("text"),
        "attribution": "ATTRIBUTION_INFERRED",
        "channel": "CHANNEL_CALL",
        "sourceUri": fields.text("url"),
    }
    if fields.get("contact") is not None:
        statement["attribution"] = "ATTRIBUTION_PARAPHRASED"
        statement["speaker"] = speaker(fields, "contact")
    origins = {
        "statement.deal_id": "opportunityId",
        "statement.statement_id": "noteId",
        "statement.said_at": "occurredAt",
        "statement.quote": "text",
        "statement.source_uri": "url",
        "statement.speaker.stakeholder_id": "contact.id",
        "statement.speaker.display_name": "contact.name",
    }
    return [Write("QualificationService/RecordBuyerStatement", {"statement": statement}, origins)]


def speaker(fields: Fields, path: str) -> dict:
    return {"stakeholderId": fields.must(f"{path}.id"), "displayName": fields.text(f"{path}.name")}


def is_text(value) -> bool:
    """Half a character, which JSON can hold, is none."""
    return isinstance(value, str) and not any("\ud800" <= char <= "\udfff" for char in value)


def money(fields: Fields, path: str, currency: str) -> dict:
    """Exact: as a text, or as a number that JSON's reader has kept as a decimal."""
    try:
        amount = Decimal(str(fields.get(path)))
        if not amount.is_finite() or DIGITS_MAX < amount.adjusted() + 1:
            raise InvalidOperation
        units = int(amount)
        nanos = (amount - units) * NANOS
        if nanos != int(nanos):
            raise InvalidOperation
    except InvalidOperation:
        allowed = f"must be a number of at most {DIGITS_MAX} digits and 9 decimals, such as \"120000.50\""
        fields.blame(path, allowed)
        units, nanos = 0, 0
    return {"currencyCode": fields.must(currency), "units": str(units), "nanos": int(nanos)}


MAPPINGS: dict[str, Callable[[Fields, str], list[Write]]] = {
    "opportunity.updated": opportunity_updated,
    "contactRole.added": contact_role_added,
    "email.received": email_received,
    "call.noted": call_noted,
}
