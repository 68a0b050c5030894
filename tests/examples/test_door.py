"""How the examples wait, and what they make of answers that a healthy service never gives. Nothing is started."""

from __future__ import annotations

import threading
import unittest
from http.server import BaseHTTPRequestHandler
from http.server import HTTPServer

import service  # noqa: F401  (finds the examples)
from door import Refused
from door import patiently
from door_http import HttpDoor


class Time:
    """A clock that moves by the waiting alone."""

    def __init__(self):
        self.now = 0.0
        self.waits: list[float] = []

    def pause(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        return self.now


class Waiting(unittest.TestCase):
    def tried(self, refusals: list[Refused], patience_s: float) -> tuple[dict | Refused, list[float]]:
        time, left = Time(), list(refusals)

        def attempt() -> dict:
            if left:
                raise left.pop(0)
            return {"done": True}

        try:
            return patiently(attempt, patience_s, pause=time.pause, clock=time.clock), time.waits
        except Refused as refused:
            return refused, time.waits

    def test_it_waits_as_long_as_the_service_says_or_longer(self) -> None:
        answer, [wait] = self.tried([Refused("resource_exhausted", "", retry_after=3.0)], 10.0)
        self.assertEqual(answer, {"done": True})
        self.assertTrue(3.0 <= wait <= 4.5, wait)

    def test_without_a_word_it_waits_longer_each_time(self) -> None:
        _, waits = self.tried([Refused("unavailable", "")] * 6, 100.0)
        self.assertEqual(len(waits), 6)
        for number, wait in enumerate(waits):
            self.assertTrue(0.1 * 2**number <= wait <= 0.15 * 2**number, waits)

    def test_it_gives_up_rather_than_wait_beyond_its_patience(self) -> None:
        answer, waits = self.tried([Refused("unavailable", "", retry_after=8.0)], 5.0)
        self.assertIsInstance(answer, Refused)
        self.assertEqual(waits, [])

    def test_what_time_does_not_mend_is_not_tried_again(self) -> None:
        for code in ("invalid_argument", "already_exists", "failed_precondition", "resource_exhausted", "internal"):
            answer, waits = self.tried([Refused(code, "")], 5.0)
            self.assertIsInstance(answer, Refused)
            self.assertEqual(waits, [], code)


class Strange(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        status, headers, body = self.server.answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_) -> None:
        pass


class StrangeAnswers(unittest.TestCase):
    def setUp(self) -> None:
        self.server = HTTPServer(("127.0.0.1", 0), Strange)
        thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        thread.start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(thread.join)
        self.addCleanup(self.server.shutdown)
        self.door = HttpDoor("http://127.0.0.1:%d" % self.server.server_port)

    def refused(self, status: int, headers: dict, body: bytes) -> Refused:
        self.server.answer = (status, headers, body)
        with self.assertRaises(Refused) as caught:
            self.door.call("QualificationService/ScoreDeal", {})
        return caught.exception

    def test_a_proxy_that_is_busy_is_waited_for(self) -> None:
        refused = self.refused(503, {"Retry-After": "7"}, b"<html>")
        self.assertEqual((refused.code, refused.retry_after, refused.passes), ("unavailable", 7.0, True))

    def test_the_exact_delay_of_the_details_wins_over_the_header(self) -> None:
        info = b'{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.100s"}'
        body = b'{"code": "resource_exhausted", "message": "full", "details": [' + info + b"]}"
        self.assertEqual(self.refused(429, {"Retry-After": "1"}, body).retry_after, 0.1)

    def test_another_server_is_not_taken_for_the_service(self) -> None:
        self.assertFalse(self.refused(404, {}, b"not here").passes)
        self.assertTrue(self.refused(200, {}, b"<html>").code == "unknown")

    def test_a_stream_that_fails_at_its_end_says_so_after_its_messages(self) -> None:
        end = b'{"error": {"code": "unavailable", "message": "shutting down", "details": []}}\n'
        self.server.answer = (200, {}, b'{"heartbeat": {"token": "t"}}\n' + end)
        told = []
        with self.assertRaises(Refused) as caught:
            for item in self.door.stream("ForecastService/WatchDeals", {}):
                told.append(item)
        self.assertEqual(told, [{"heartbeat": {"token": "t"}}])
        self.assertEqual(str(caught.exception), "unavailable: shutting down")


if __name__ == "__main__":
    unittest.main()
