"""The service, the examples as their users run them, and plain HTTP, for the tests beside this file."""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import json
import os
import queue
import re
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
PYTHON = EXAMPLES / "python"
BINARY = Path(os.environ.get("BINARY_UNDER_TEST", ROOT / "target/debug/verbatim")).resolve()
# Longer than anything here takes on a busy machine; reached only by what hangs.
PATIENCE_S = 60.0

sys.path.insert(0, str(PYTHON))

MISSING = [name for name in ("grpc", "grpc_reflection", "grpc_status") if importlib.util.find_spec(name) is None]
# `run` sets the variable where it could not install what is pinned.
WITHOUT_GRPC = MISSING or "WITHOUT_GRPC" in os.environ
needs_grpc = unittest.skipIf(WITHOUT_GRPC, "the packages of examples/python/requirements.txt are not there")


class Process:
    """A program that says on standard error where it listens."""

    def __init__(self, command: list[str]):
        # A service takes its settings from these, and refuses those that it does not know, such as the tests' own.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("VERBATIM_")}
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
        self.lines: queue.Queue[str] = queue.Queue()
        self.reader = threading.Thread(target=self._read)
        self.reader.start()
        line = self.line_with("listens on")
        self.url = re.search(r"http://[0-9.:]+[0-9]", line).group()

    def line_with(self, part: str) -> str:
        """Waits for a line that has this part."""
        seen = []
        while part not in (line := self.lines.get(timeout=PATIENCE_S)):
            if line == "":
                raise AssertionError(f"ended without {part!r}: {''.join(seen)}")
            seen.append(line)
        return line

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self.reader.join()
            self.process.stderr.close()

    def _read(self) -> None:
        for line in self.process.stderr:
            self.lines.put(line)
        self.lines.put("")


class Service(Process):
    def __init__(self, data: Path, listen: str = "127.0.0.1:0"):
        super().__init__([str(BINARY), "serve", "--data", str(data), "--listen", listen])

    def ask(self, call: str, request: dict) -> dict:
        status, answer, _ = post(f"{self.url}/verbatim.v1.{call}", request)
        if status != 200:
            raise AssertionError(f"{call} {request}: {status} {answer}")
        return answer


def started(case: unittest.TestCase, data: Path, listen: str = "127.0.0.1:0") -> Service:
    service = Service(data, listen)
    case.addCleanup(service.stop)
    return service


def folder(case: unittest.TestCase) -> Path:
    home = tempfile.TemporaryDirectory(prefix="verbatim-examples-")
    case.addCleanup(home.cleanup)
    return Path(home.name)


def free_port() -> int:
    """One that nothing listens on."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        return taken.getsockname()[1]


def verbatim(*arguments: str) -> str:
    return ran([str(BINARY), *arguments])


def example(name: str, *arguments: str) -> str:
    return ran([sys.executable, str(PYTHON / name), *arguments])


def ran(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def post(url: str, body: dict | bytes) -> tuple[int, dict, http.client.HTTPMessage]:
    """The status, the JSON and the headers of the answer."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=PATIENCE_S)
    with contextlib.closing(connection):
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.request("POST", address.path or "/", sent, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, json.loads(response.read()), response.headers
