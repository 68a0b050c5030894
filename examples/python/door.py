"""What every way to the service has in common: how a call is named, how it fails, and how long to wait.

A door has two methods. Requests and answers are the proto3 JSON of the interface, as plain dictionaries:

    call("QualificationService/ScoreDeal", {"dealId": "opp-1"})      the answer
    stream("ForecastService/WatchDeals", {})                         the messages, as they come

Both raise `Refused`.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from random import random
from time import monotonic
from time import sleep
from typing import Protocol

PACKAGE = "verbatim.v1"
# Longer than the service gives a call (`--deadline-ms`), so that its own answer is seen.
DEADLINE_S = 15.0

FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 5.0


@dataclass
class Refused(Exception):
    """A call that was not carried out, or not known to be."""

    # In the JSON door's words: `invalid_argument`, `unavailable`, …
    code: str
    message: str
    # Of `ErrorReason`, without the prefix; empty when the service did not say so itself.
    reason: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    # Path of the field, and what is allowed.
    violations: list[tuple[str, str]] = field(default_factory=list)
    # Seconds after which a retry helps; None: the service did not say.
    retry_after: float | None = None

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    @property
    def passes(self) -> bool:
        """Whether the same call may succeed later, with nothing changed but time."""
        return self.retry_after is not None or self.code in ("unavailable", "deadline_exceeded")


class Door(Protocol):
    def call(self, name: str, request: dict) -> dict: ...

    def stream(self, name: str, request: dict) -> Iterator[dict]: ...


def refused_by(code: str, message: str, details: list[dict], retry_after: float | None = None) -> Refused:
    """Reads the details of a `google.rpc.Status`, in their JSON form."""
    refused = Refused(code, message, retry_after=retry_after)
    for detail in details:
        match detail.get("@type", "").rpartition(".")[2]:
            case "ErrorInfo":
                refused.reason = detail.get("reason", "")
                refused.metadata = detail.get("metadata", {})
            case "BadRequest":
                violations = detail.get("fieldViolations", [])
                refused.violations = [(each.get("field", ""), each.get("description", "")) for each in violations]
            case "RetryInfo":
                # The JSON of a duration: `0.100s`.
                refused.retry_after = float(detail.get("retryDelay", "0s").removesuffix("s"))
    return refused


def patiently(
    attempt: Callable[[], dict],
    patience_s: float,
    on_wait: Callable[[Refused, float], None] = lambda refused, wait: None,
    pause: Callable[[float], None] = sleep,
    clock: Callable[[], float] = monotonic,
) -> dict:
    """Tries until it succeeds, until trying again cannot help, or until the next wait would outlast the patience.

    Waits at least as long as the service says, otherwise twice as long each time; with a random part, so that many
    callers do not come back at once. Only for calls that may be repeated: reads, and writes with ids or moments.
    """
    until = clock() + patience_s
    backoff = FIRST_WAIT_S
    while True:
        try:
            return attempt()
        except Refused as refused:
            wait = max(refused.retry_after or 0.0, backoff) * (1.0 + 0.5 * random())
            if not refused.passes or until < clock() + wait:
                raise
            on_wait(refused, wait)
            pause(wait)
            backoff = min(2.0 * backoff, LONGEST_WAIT_S)
