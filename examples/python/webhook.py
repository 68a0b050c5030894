"""A small HTTP server that a CRM calls when something changes; run `webhook_http.py` or `webhook_grpc.py`.

    POST /    one notification, as in `crm.py`

What it answers:

- 200: every write is durable in Verbatim (or was there before: a notification may come any number of times).
- 4xx: coming again as it is would not help. The body names the fields at fault, in the notification's own words.
- 503 with Retry-After: come again later; what was kept by then stays, and is not kept twice.

It keeps nothing itself, so it may be stopped at any moment. It has no TLS and does not know who calls: keep it behind
something that does.
"""

from __future__ import annotations

import argparse
import json
import math
import signal
import sys
import threading
from collections.abc import Callable
from decimal import Decimal
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer

import crm
from crm import Unfit
from door import Door
from door import Refused
from door import patiently

# Less than the service takes, since an email grows by a third on its way there.
BODY_BYTES_MAX = 700 * 1024
# How long a CRM may take to send its notification.
SENDING_S = 10.0
COME_AGAIN_S = 5.0

# What the CRM is told when the service refuses for good.
STATUSES = {
    "invalid_argument": 422,
    "not_found": 404,
    "already_exists": 409,
    "failed_precondition": 409,
    "aborted": 409,
    "resource_exhausted": 413,
}


class Answer(Exception):
    """What the CRM is told."""

    def __init__(self, status: int, told: dict, retry_after: float | None = None):
        super().__init__(status)
        self.status, self.told, self.retry_after = status, told, retry_after


def keep(door: Door, notification: dict, patience_s: float, log: Callable[[str], None]) -> Answer:
    """Writes what the notification says and returns once all of it is durable; raises any other answer."""
    try:
        writes = crm.writes(notification)
    except Unfit as unfit:
        raise unfit_fields(str(unfit), unfit.violations) from unfit
    told = []
    for write in writes:
        try:
            answer = patiently(
                lambda: door.call(write.call, write.request),
                patience_s,
                lambda refused, wait: log(f"{write.call}: {refused}; again in {wait:.1f} s"),
            )
        except Refused as refused:
            log(f"{write.call}: {refused}")
            raise refusal(write, refused) from refused
        told.append({"call": write.call, "revision": answer["revision"]})
    return Answer(200, {"writes": told})


def refusal(write: crm.Write, refused: Refused) -> Answer:
    if refused.passes:
        told = {"error": "Verbatim cannot take it now; come again", "because": str(refused)}
        return Answer(503, told, refused.retry_after or COME_AGAIN_S)
    if refused.violations:
        return unfit_fields(refused.message, [(write.blamed(field), allowed) for field, allowed in refused.violations])
    # What is none of the CRM's doing is not told as its fault, so that nothing is thrown away for it.
    status = STATUSES.get(refused.code, 503)
    told = {"error": refused.message, "reason": refused.reason, **refused.metadata}
    return Answer(status, told, COME_AGAIN_S if status == 503 else None)


def unfit_fields(error: str, violations: list[tuple[str, str]]) -> Answer:
    fields = [{"field": field, "allowed": allowed} for field, allowed in violations]
    return Answer(422, {"error": error, "fields": fields})


class Handler(BaseHTTPRequestHandler):
    """One connection of the CRM."""

    protocol_version = "HTTP/1.1"
    timeout = SENDING_S
    server: Webhook

    def do_POST(self) -> None:
        try:
            answer = keep(self.server.door, self.notification(), self.server.patience_s, self.note)
        except Answer as other:
            answer = other
        except OSError:
            # The CRM has gone, or sends too slowly; it will come again.
            self.close_connection = True
            return
        self.send(answer)

    def notification(self) -> dict:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit():
            self.close_connection = True
            raise Answer(411, {"error": "content-length must be set"})
        if BODY_BYTES_MAX < int(length):
            self.close_connection = True
            raise Answer(413, {"error": f"a notification has at most {BODY_BYTES_MAX} bytes"})
        try:
            # Amounts are kept as they are written: 0.1 is not what a float makes of it.
            notification = json.loads(self.rfile.read(int(length)), parse_float=Decimal)
        except (ValueError, RecursionError) as error:
            raise Answer(400, {"error": f"the body must be JSON: {error}"}) from error
        if not isinstance(notification, dict):
            raise Answer(400, {"error": "the body must be a JSON object"})
        return notification

    def send(self, answer: Answer) -> None:
        body = json.dumps(answer.told, ensure_ascii=False).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if answer.retry_after is not None:
            self.send_header("Retry-After", str(max(1, math.ceil(answer.retry_after))))
        self.end_headers()
        self.wfile.write(body)

    def note(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)


class Webhook(ThreadingHTTPServer):
    daemon_threads = False

    def __init__(self, address: tuple[str, int], door: Door, patience_s: float):
        super().__init__(address, Handler)
        self.door, self.patience_s = door, patience_s


def main(door_to: Callable[[str], Door], about: str) -> int:
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--server", default="http://127.0.0.1:7450", help="Verbatim; default: %(default)s")
    parser.add_argument("--host", default="127.0.0.1", help="where to listen; default: %(default)s")
    parser.add_argument("--port", type=int, default=7470, help="0: a free one; default: %(default)s")
    parser.add_argument(
        "--patience",
        type=float,
        default=5.0,
        help="seconds to try each write before the CRM is told to come again; less than the CRM waits; default: %(default)s",
    )
    args = parser.parse_args()
    try:
        webhook = Webhook((args.host, args.port), door_to(args.server), args.patience)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    host, port = webhook.server_address[:2]
    print(f"webhook listens on http://{host}:{port}, writes to {args.server}", file=sys.stderr, flush=True)
    # Ends once the notifications under way are answered. `shutdown` waits for the loop, so it has a thread of its own.
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: threading.Thread(target=webhook.shutdown).start())
    with webhook:
        webhook.serve_forever(poll_interval=0.1)
    return 0
