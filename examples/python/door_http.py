"""The way to the service by plain HTTP and JSON. Needs nothing but Python's standard library."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

from door import DEADLINE_S
from door import PACKAGE
from door import Refused
from door import refused_by

HEADERS = {"Content-Type": "application/json"}
# Of what stands between: none of it was the service, and all of it passes.
STATUS_OF_A_PROXY = {429: "unavailable", 502: "unavailable", 503: "unavailable", 504: "unavailable"}


class HttpDoor:
    """A connection a call: simple, and safe to share between threads."""

    def __init__(self, server: str):
        address = urlsplit(server)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ValueError(f"the server must be a URL such as http://127.0.0.1:7450, got {server}")
        self.kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        self.host, self.port = address.hostname, address.port

    def call(self, name: str, request: dict) -> dict:
        connection = self.kind(self.host, self.port, timeout=DEADLINE_S)
        try:
            return json.loads(asked(connection, name, request).read())
        except ValueError as error:
            raise Refused("unknown", "the answer is not JSON: this is not the service") from error
        except (OSError, http.client.HTTPException) as error:
            raise unreachable(error) from error
        finally:
            connection.close()

    def stream(self, name: str, request: dict) -> Iterator[dict]:
        connection = self.kind(self.host, self.port, timeout=DEADLINE_S)
        try:
            # A line is a message; a line {"error": …} is how the stream failed, since the HTTP status has gone ahead.
            for line in asked(connection, name, request):
                message = json.loads(line)
                if "error" in message and "code" in message["error"] and len(message) == 1:
                    raise refused_in(message["error"])
                yield message
        except (OSError, http.client.HTTPException) as error:
            raise unreachable(error) from error
        finally:
            connection.close()


def asked(connection: http.client.HTTPConnection, name: str, request: dict) -> http.client.HTTPResponse:
    connection.request("POST", f"/{PACKAGE}.{name}", json.dumps(request), HEADERS)
    response = connection.getresponse()
    if response.status == 200:
        return response
    after = response.getheader("Retry-After", "")
    text = response.read()
    try:
        raise refused_in(json.loads(text), float(after) if after.isdigit() else None)
    except (ValueError, KeyError, TypeError, AttributeError):
        # Not of the service: a proxy between, or another server.
        code = STATUS_OF_A_PROXY.get(response.status, "unknown")
        told = f"{response.status} {response.reason}"
        raise Refused(code, told, retry_after=float(after) if after.isdigit() else None) from None


def refused_in(error: dict, retry_after: float | None = None) -> Refused:
    return refused_by(error["code"], error["message"], error["details"], retry_after)


def unreachable(error: Exception) -> Refused:
    return Refused("unavailable", f"no answer: {error or type(error).__name__}")
