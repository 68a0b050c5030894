"""The webhooks: what a CRM sends arrives, once, and the CRM is told the truth about it."""

from __future__ import annotations

import sys
import threading
import unittest

from service import PYTHON
from service import Process
from service import folder
from service import free_port
from service import needs_grpc
from service import post
from service import started

DEAL = "006A1"
ANA = {"id": "003C1", "name": "Ana Ruiz"}

UPDATED = {
    "event": "opportunity.updated",
    "occurredAt": "2026-10-01T09:00:00Z",
    "opportunity": {
        "id": DEAL,
        "name": "Dock planning",
        "accountName": "Acme",
        "ownerName": "Nadia Brandt",
        "amount": "120000.50",
        "currency": "EUR",
        "stageName": "Qualification",
        "closeDate": "2026-12-18",
        "isClosed": False,
    },
}
ROLE = {
    "event": "contactRole.added",
    "occurredAt": "2026-10-01T09:05:00Z",
    "opportunityId": DEAL,
    "contact": {**ANA, "title": "CFO", "role": "Economic Buyer"},
}
NOTE = {
    "event": "call.noted",
    "occurredAt": "2026-10-02T14:00:00Z",
    "opportunityId": DEAL,
    "noteId": "00TN1",
    "contact": ANA,
    "text": "Every month on the old system costs us 40,000 euros.",
    "url": "https://crm.example.com/notes/00TN1",
}
BELIEF = {**NOTE, "noteId": "00TN2", "contact": None, "text": "I think the auditors worry her."}
EMAIL = {
    "event": "email.received",
    "occurredAt": "2026-10-03T08:00:00Z",
    "opportunityId": DEAL,
    "messageId": "02sM1",
    "from": {**ANA, "address": "ana@example.com"},
    "mime": "From: Ana Ruiz <ana@example.com>\r\nTo: nadia@example.org\r\nSubject: Dock planning\r\n"
    "Date: Sat, 03 Oct 2026 08:00:00 +0000\r\n\r\nWe cannot go on like this; it must be in place by the first of March.\r\n"
    "\r\n> On Friday Nadia wrote:\r\n> This price ends on Friday.\r\n",
    "url": "https://crm.example.com/emails/02sM1",
}
CLOSED = {
    "event": "opportunity.updated",
    "occurredAt": "2026-10-20T17:00:00Z",
    "opportunity": {"id": DEAL, "stageName": "Closed Lost", "isClosed": True, "lossReason": "No Decision"},
}
ALL = [UPDATED, ROLE, NOTE, BELIEF, EMAIL, CLOSED]


class Webhook:
    """What both webhooks do."""

    program: str

    def setUp(self) -> None:
        self.data = folder(self) / "data"

    def webhook(self, server: str, *arguments: str) -> Process:
        command = [sys.executable, str(PYTHON / self.program), "--server", server, "--port", "0", *arguments]
        webhook = Process(command)
        self.addCleanup(webhook.stop)
        return webhook

    def test_what_the_crm_tells_arrives(self) -> None:
        service = started(self, self.data)
        webhook = self.webhook(service.url)
        for notification in ALL:
            status, told, _ = post(webhook.url, notification)
            self.assertEqual(status, 200, told)

        kept = service.ask("DealService/GetDeal", {"dealId": DEAL})
        self.assertEqual(kept["deal"]["name"], "Dock planning")
        self.assertEqual(kept["deal"]["account"], "Acme")
        self.assertEqual(kept["deal"]["owner"], "Nadia Brandt")
        self.assertEqual(kept["deal"]["amount"], {"currencyCode": "EUR", "units": "120000", "nanos": 500_000_000})
        self.assertEqual(kept["deal"]["closeDate"], "2026-12-18")
        self.assertEqual(kept["deal"]["sellerStage"], "Closed Lost")
        self.assertEqual(kept["outcome"]["outcome"], "OUTCOME_LOST_TO_NO_DECISION")
        [ana] = kept["stakeholders"]
        self.assertEqual((ana["displayName"], ana["title"]), ("Ana Ruiz", "CFO"))
        self.assertEqual(ana["roles"], ["BUYING_ROLE_ECONOMIC_BUYER"])

        events = service.ask("DealService/ListDealHistory", {"dealId": DEAL})["events"]
        said = {each["statement"]["statementId"]: each["statement"] for each in events if "statement" in each}
        self.assertEqual(len(said), 3)
        self.assertEqual(said["00TN1"]["attribution"], "ATTRIBUTION_PARAPHRASED")
        self.assertEqual(said["00TN1"]["saidAt"], NOTE["occurredAt"])
        self.assertEqual(said["00TN2"]["attribution"], "ATTRIBUTION_INFERRED")
        self.assertNotIn("speaker", said["00TN2"])
        [email] = [each for name, each in said.items() if name.startswith("02sM1:")]
        self.assertEqual(email["attribution"], "ATTRIBUTION_VERBATIM")
        self.assertIn("cannot go on like this", email["quote"])
        self.assertNotIn("price ends", email["quote"])
        # The service has read the words itself.
        claims = said["00TN1"]["claims"]
        self.assertIn("TOPIC_CONSEQUENCE", [claim["topic"] for claim in claims])
        self.assertEqual({claim["source"] for claim in claims}, {"CLAIM_SOURCE_EXTRACTED"})

    def test_a_notification_that_comes_again_changes_nothing(self) -> None:
        service = started(self, self.data)
        webhook = self.webhook(service.url)
        for notification in ALL:
            self.assertEqual(post(webhook.url, notification)[0], 200)
        before = service.ask("DealService/ListDealHistory", {"dealId": DEAL, "pageSize": 1000})
        for notification in [*ALL, *reversed(ALL)]:
            status, told, _ = post(webhook.url, notification)
            self.assertEqual(status, 200, told)
        after = service.ask("DealService/ListDealHistory", {"dealId": DEAL, "pageSize": 1000})
        self.assertEqual(before, after)

    def test_fields_at_fault_are_named_as_the_crm_knows_them(self) -> None:
        service = started(self, self.data)
        webhook = self.webhook(service.url)
        opportunity = UPDATED["opportunity"]
        cases = [
            ({"event": "lead.created"}, {"event"}),
            ({**UPDATED, "occurredAt": "yesterday"}, {"occurredAt"}),
            ({**UPDATED, "occurredAt": "2150-01-01T00:00:00Z"}, {"occurredAt"}),
            # Several at once, found by the service.
            (
                {**UPDATED, "opportunity": {**opportunity, "id": "006/A1", "currency": "euro", "closeDate": "18.12.2026"}},
                {"opportunity.id", "opportunity.currency", "opportunity.closeDate"},
            ),
            ({**UPDATED, "opportunity": {**opportunity, "amount": "a lot"}}, {"opportunity.amount"}),
            ({**UPDATED, "opportunity": {**opportunity, "amount": "1e99999999"}}, {"opportunity.amount"}),
            ({**CLOSED, "opportunity": {**CLOSED["opportunity"], "lossReason": "Weather"}}, {"opportunity.lossReason"}),
            ({**ROLE, "contact": {**ROLE["contact"], "role": "King"}}, {"contact.role"}),
            ({**ROLE, "contact": {**ROLE["contact"], "title": "x" * 257}}, {"contact.title"}),
            ({**NOTE, "text": "x" * 4097}, {"text"}),
            ({**NOTE, "text": "half \ud83d"}, {"text"}),
            ({**NOTE, "noteId": "", "contact": {"name": "Ana"}}, {"noteId", "contact.id"}),
            ({**EMAIL, "from": {**EMAIL["from"], "address": "bea@example.com"}}, {"from.address"}),
        ]
        for notification, at_fault in cases:
            with self.subTest(at_fault=at_fault, text=str(notification)[:200]):
                status, told, _ = post(webhook.url, notification)
                self.assertEqual(status, 422, told)
                self.assertEqual({each["field"] for each in told["fields"]}, at_fault, told)
                self.assertTrue(all(each["allowed"] for each in told["fields"]), told)
        for body in (b"{", b"[]", b"7", b"\xff", b"[" * 100_000):
            self.assertEqual(post(webhook.url, body)[0], 400, body[:10])
        # Nothing of all this was kept, and the webhook goes on.
        status, _, _ = post(f"{service.url}/verbatim.v1.DealService/GetDeal", {"dealId": DEAL})
        self.assertEqual(status, 404)
        self.assertEqual(post(webhook.url, UPDATED)[0], 200)

    def test_what_contradicts_what_is_kept_is_a_conflict(self) -> None:
        service = started(self, self.data)
        webhook = self.webhook(service.url)
        self.assertEqual(post(webhook.url, NOTE)[0], 200)
        status, told, _ = post(webhook.url, {**NOTE, "text": "Something else."})
        self.assertEqual((status, told["reason"], told["differs"]), (409, "STATEMENT_DIFFERS", "quote"))
        self.assertEqual(post(webhook.url, CLOSED)[0], 200)
        late = {**NOTE, "noteId": "00TN9", "occurredAt": "2026-10-21T00:00:00Z"}
        status, told, _ = post(webhook.url, late)
        self.assertEqual((status, told["reason"]), (409, "DEAL_CLOSED"))

    def test_without_the_service_the_crm_is_told_to_come_again_and_then_it_is_kept(self) -> None:
        port = free_port()
        webhook = self.webhook(f"http://127.0.0.1:{port}", "--patience", "0.3")
        status, told, headers = post(webhook.url, UPDATED)
        self.assertEqual(status, 503, told)
        self.assertLess(0, int(headers["Retry-After"]))

        service = started(self, self.data, f"127.0.0.1:{port}")
        patient = self.webhook(service.url, "--patience", "30")
        self.assertEqual(post(patient.url, UPDATED)[0], 200)

        # And when it goes while both run.
        service.stop()
        self.assertEqual(post(webhook.url, ROLE)[0], 503)
        service = started(self, self.data, f"127.0.0.1:{port}")
        self.assertEqual(post(patient.url, ROLE)[0], 200)
        self.assertEqual(len(service.ask("DealService/GetDeal", {"dealId": DEAL})["stakeholders"]), 1)

    def test_a_service_that_comes_back_in_time_is_waited_for(self) -> None:
        port = free_port()
        webhook = self.webhook(f"http://127.0.0.1:{port}", "--patience", "50")
        answers = []
        sending = threading.Thread(target=lambda: answers.append(post(webhook.url, UPDATED)))
        sending.start()
        webhook.line_with("again in")
        service = started(self, self.data, f"127.0.0.1:{port}")
        sending.join()
        self.assertEqual([status for status, _, _ in answers], [200])
        self.assertEqual(service.ask("DealService/GetDeal", {"dealId": DEAL})["revision"], "1")


class ByHttp(Webhook, unittest.TestCase):
    program = "webhook_http.py"


@needs_grpc
class ByGrpc(Webhook, unittest.TestCase):
    program = "webhook_grpc.py"


if __name__ == "__main__":
    unittest.main()
