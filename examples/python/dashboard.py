"""What a forecasting dashboard asks of the service, by whichever door; run `dashboard_http.py` or `dashboard_grpc.py`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from collections.abc import Iterator
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from pathlib import Path
from time import monotonic
from time import sleep

from door import Door
from door import Refused
from door import patiently

OPEN = {"status": "DEAL_STATUS_OPEN"}
COMPARED_WITH = timedelta(weeks=4)
CHANGED_SINCE = timedelta(weeks=1)
# A read that fails because the service is starting or busy is asked again for so long.
PATIENCE_S = 5.0
# The first wait before a feed that broke off is asked for again.
RESUME_S = 0.2
RESUME_LONGEST_S = 10.0


# ---------------------------------------------------------------------------------------------
# The questions
# ---------------------------------------------------------------------------------------------


def dashboard(door: Door, as_of: datetime, top: int, page_size: int) -> dict:
    """Every number of the dashboard, all as of one moment."""
    moment = timestamp(as_of)

    def ask(name: str, request: dict) -> dict:
        return patiently(lambda: door.call(name, request), PATIENCE_S)

    sums = ask(
        "ForecastService/SummarizePipeline",
        {
            "filter": OPEN,
            "groupBy": ["PIPELINE_GROUPING_OWNER"],
            "asOf": moment,
            "comparedWith": timestamp(as_of - COMPARED_WITH),
        },
    )
    deals = list(by_lift(ask, moment, page_size))
    told = {
        "asOf": moment,
        "modelVersion": sums["modelVersion"],
        "summary": sums["summary"],
        "compared": sums["compared"],
        "openDeals": len(deals),
        "byLift": deals[:top],
    }
    if deals:
        deal = {"dealId": deals[0]["dealId"]}
        told["stall"] = ask("QualificationService/ExplainStall", {**deal, "asOf": moment})["explanation"]
        since = {"asOf": timestamp(as_of - CHANGED_SINCE)}
        told["changed"] = ask("ForecastService/CompareScores", {**deal, "from": since, "to": {"asOf": moment}})
    return told


def by_lift(ask: Callable[[str, dict], dict], moment: str, page_size: int) -> Iterator[dict]:
    """All open deals, page by page, those with the most to win first."""
    request = {"filter": OPEN, "order": "PIPELINE_ORDER_LIFT", "asOf": moment, "pageSize": page_size}
    while True:
        page = ask("ForecastService/ListDeals", request)
        yield from page["deals"]
        if not page["nextPageToken"]:
            return
        request["pageToken"] = page["nextPageToken"]


def follow(door: Door, place: Path, items_max: int | None, idle_s: float) -> Iterator[dict]:
    """Yields what changes, going on where it was left; ends after so many changes, or so long without one.

    The token is kept in the file `place` once a change has been handled, which is when the next one is asked for: a
    change that was not handled to its end comes again.
    """
    token = place.read_text().strip() if place.exists() else ""
    told, quiet_since, wait = 0, monotonic(), RESUME_S
    while True:
        try:
            # Heartbeats come at least each second, so that the silence is noticed.
            for item in door.stream("ForecastService/WatchDeals", {"resumeToken": token, "heartbeatSeconds": 1}):
                wait = RESUME_S
                if "change" in item:
                    yield item["change"]
                    token = item["change"]["token"]
                    told, quiet_since = told + 1, monotonic()
                else:
                    token = item["heartbeat"]["token"]
                keep(token, place)
                if told == items_max or idle_s < monotonic() - quiet_since:
                    return
            pause = wait
        except Refused as refused:
            # Too slow, or shutting down, or out of reach: nothing is lost, since the token says where to go on.
            if not refused.passes or idle_s < monotonic() - quiet_since:
                raise
            pause = max(refused.retry_after or 0.0, wait)
        sleep(pause)
        wait = min(2.0 * wait, RESUME_LONGEST_S)


def keep(token: str, place: Path) -> None:
    """Replaces the file as a whole: a token cut in half would be refused."""
    fresh = place.with_name(place.name + ".new")
    fresh.write_text(token + "\n")
    os.replace(fresh, place)


# ---------------------------------------------------------------------------------------------
# For people
# ---------------------------------------------------------------------------------------------


def as_text(told: dict) -> str:
    now, then = told["summary"], told["compared"]
    lines = [f"Open pipeline as of {told['asOf']}, beside {then['asOf']} (model {told['modelVersion']})", ""]
    lines += table(
        ["Owner", "Deals", "Mean score", "", "Amount", "Expected", "4 weeks ago", "Happy-ears gap"],
        list(sums_rows(now, then)),
    )
    lines += ["", f"The most lift, of {told['openDeals']} open deals", ""]
    lines += table(
        ["Deal", "Name", "Score", "Lift", "State", "Costs most"],
        [
            [
                deal["dealId"],
                deal["name"],
                f"{deal['score']:.1f}",
                f"{deal['lift']:+.1f}",
                words(deal["state"], "DEAL_STATE_"),
                words(deal["topCause"], "STALL_CAUSE_"),
            ]
            for deal in told["byLift"]
        ],
    )
    if "stall" in told:
        lines += ["", *stall_lines(told["stall"])]
        lines += ["", *change_lines(told["changed"])]
    return "\n".join(lines)


def sums_rows(now: dict, then: dict) -> Iterator[list[str]]:
    """A row for each owner and currency: amounts of different currencies are never added."""
    earlier = {group["keys"][0]["value"]: group["sums"] for group in then["groups"]}
    groups = [(group["keys"][0]["value"], group["sums"]) for group in now["groups"]]
    # An owner may have had deals then and have none now; of what was left out beyond 1,000 groups, nothing is told.
    gone = [(owner, None) for owner in earlier if owner not in dict(groups)]
    for owner, sums in [*groups, *gone, (None, now["total"])]:
        before = then["total"] if owner is None else earlier.get(owner)
        label = "All" if owner is None else owner or "(none)"
        yield from owner_rows(label, sums, before)


def owner_rows(label: str, sums: dict | None, before: dict | None) -> Iterator[list[str]]:
    of_now = {each["currencyCode"]: each for each in sums["amounts"]} if sums else {}
    of_then = {each["currencyCode"]: each for each in before["amounts"]} if before else {}
    counted = [
        f"{sums['deals'] if sums else 0} ({before['deals'] if before else 0})",
        f"{mean(sums)} ({mean(before)})",
    ]
    for currency in sorted(of_now.keys() | of_then.keys()) or [""]:
        row = of_now.get(currency, {})
        expected_then = money(of_then.get(currency, {}).get("expected"))
        amounts = [money(row.get(name)) for name in ("amount", "expected")]
        yield [label, *counted, currency, *amounts, expected_then, money(row.get("happyEarsGap"))]
        label, counted = "", ["", ""]


def stall_lines(stall: dict) -> Iterator[str]:
    yield f"Why {stall['dealId']} stalls: {stall['headline']}"
    for cause in stall["causes"][:3]:
        yield f"  −{cause['points']:.1f}  {words(cause['cause'], 'STALL_CAUSE_')}: {cause['summary']}"
        for evidence in cause["evidence"][:1]:
            yield f"         {evidence['displayName']}, {evidence['saidAt'][:10]}: “{evidence['quote']}”"
        for question in cause["questions"][:1]:
            yield f"         Ask: {question}"


def change_lines(changed: dict) -> Iterator[str]:
    before, after, moved = (changed[name] for name in ("scoreBefore", "scoreAfter", "difference"))
    yield f"Since {changed['from']['asOf']}: {before:.1f} → {after:.1f} ({moved:+.1f})"
    for change in changed["changes"]:
        yield f"  {change['points']:+6.1f}  {change['at'][:10]}  {change['summary']}"


def change_line(change: dict) -> str:
    before = f"{change['scoreBefore']:.1f} → " if "scoreBefore" in change else ""
    what = ", ".join(words(kind, "EVENT_KIND_") for kind in change["events"]) or "time"
    crossed = " ".join(
        words(change[name], prefix)
        for name, prefix, told in (("band", "BAND_", "bandCrossed"), ("state", "DEAL_STATE_", "stateCrossed"))
        if change[told]
    )
    return f"{change['at']}  {change['dealId']}  {before}{change['score']:.1f}  {what}  {crossed}".rstrip()


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    numbers = {"Deals", "Mean score", "Amount", "Expected", "4 weeks ago", "Happy-ears gap", "Score", "Lift"}
    aligned = [
        [cell.rjust(width) if title in numbers else cell.ljust(width) for title, cell, width in zip(head, row, widths)]
        for row in [head, ["─" * width for width in widths], *rows]
    ]
    return ["  ".join(row).rstrip() for row in aligned]


def money(amount: dict | None) -> str:
    """Whole units: 64-bit numbers are texts in JSON."""
    return f"{int(amount['units']):,}" if amount else "–"


def mean(sums: dict | None) -> str:
    return f"{sums['scoreMean']:.1f}" if sums and "scoreMean" in sums else "–"


def words(value: str | None, prefix: str) -> str:
    return (value or "").removeprefix(prefix).replace("_", " ").lower()


# ---------------------------------------------------------------------------------------------
# The command line
# ---------------------------------------------------------------------------------------------


def timestamp(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(text: str) -> datetime:
    told = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if told.tzinfo is None:
        raise ValueError("without a zone")
    return told


def main(door_to: Callable[[str], Door], about: str) -> int:
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--server", default="http://127.0.0.1:7450", help="default: %(default)s")
    parser.add_argument("--as-of", type=moment, help="a moment such as 2026-11-20T12:00:00Z; default: now")
    parser.add_argument("--top", type=int, default=5, help="how many deals to list; default: %(default)s")
    parser.add_argument("--page-size", type=int, default=200, help="deals asked for at once; default: %(default)s")
    parser.add_argument("--json", action="store_true", help="JSON, the dashboard on one line and each change on one")
    parser.add_argument("--follow", type=Path, metavar="FILE", help="then tell what changes since the token in FILE")
    parser.add_argument("--items", type=int, help="end after so many changes; default: never")
    parser.add_argument("--idle", type=float, default=float("inf"), help="end after so many seconds without a change")
    args = parser.parse_args()
    try:
        door = door_to(args.server)
        told = dashboard(door, args.as_of or datetime.now(timezone.utc), args.top, args.page_size)
        print(json.dumps(told) if args.json else as_text(told), flush=True)
        if args.follow:
            for change in follow(door, args.follow, args.items, args.idle):
                print(json.dumps(change) if args.json else change_line(change), flush=True)
    except ValueError as error:
        parser.error(str(error))
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 75 if refused.passes else 1
    except KeyboardInterrupt:
        return 130
    return 0
