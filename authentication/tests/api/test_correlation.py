"""Headers that name a request and tell how long it took."""

import re

import pytest
from django.test import Client
from rest_framework.test import APIClient

from authentication.models import AuditLog, User
from authentication.tests.answers import unexpected
from authentication.tests.clients import LOGIN
from authentication.tests.conftest import API, ME
from authentication.tests.factories import PASSWORD

CSRF = f"{API}/csrf/"
TICKET = {"X-Correlation-ID": "ticket-7"}

pytestmark = pytest.mark.django_db


class TestCorrelationId:
    def test_a_short_plain_id_of_the_client_is_kept(self, api: APIClient) -> None:
        ids = ["a", "0", "order-66_v1.2", "x" * 64, "4f9d1c0a7be24e0c9d3f6a1b2c3d4e5f"]

        for name in ids:
            answer = api.get(ME, headers={"X-Correlation-ID": name})
            assert answer["X-Correlation-ID"] == answer.json()["correlation_id"] == name

    def test_any_other_id_of_the_client_is_replaced(self, api: APIClient) -> None:
        def outcome(name: str) -> tuple[bool, bool]:
            answer = api.get(ME, headers={"X-Correlation-ID": name})
            found = answer["X-Correlation-ID"]
            ours = re.fullmatch(r"[0-9a-f]{32}", found) is not None
            return ours, answer.json()["correlation_id"] == found

        ids = [
            *("", "x" * 65, "a b", "a\tb", "a/b", "a;b", "<b>", "a\x00b", "\u00fc", "a\n", "{}"),
            "${jndi:ldap://x}",
            "' OR 1=1",
        ]
        assert unexpected(ids, outcome, (True, True)) == {}

    def test_every_request_has_its_own_id(self, api: APIClient) -> None:
        names = {api.get(CSRF)["X-Correlation-ID"] for _ in range(5)}

        assert len(names) == 5

    def test_an_audit_event_stores_the_id_of_its_request(
        self, api: APIClient, person: User
    ) -> None:
        api.post(LOGIN, {"email": person.email, "password": PASSWORD}, headers=TICKET)

        assert AuditLog.objects.get(event_type="login").correlation_id == "ticket-7"

    def test_a_page_has_the_id_too(self, client: Client) -> None:
        def outcome(path: str) -> str:
            return client.get(path, headers=TICKET)["X-Correlation-ID"]

        paths = ["/", "/admin/login/", "/nowhere/", "/account/verify-email/"]
        assert unexpected(paths, outcome, "ticket-7") == {}

    def test_a_request_for_a_wrong_host_has_the_id_too(self, client: Client) -> None:
        answer = client.get(ME, headers={"Host": "evil.example", **TICKET})

        assert answer["X-Correlation-ID"] == answer.json()["correlation_id"] == "ticket-7"


class TestResponseTime:
    def test_every_answer_has_its_response_time(self, client: Client) -> None:
        def outcome(path: str) -> bool:
            return re.fullmatch(r"\d+\.\d{3}s", client.get(path)["X-Response-Time"]) is not None

        paths = [CSRF, ME, "/api/nowhere/", "/", "/admin/login/"]
        assert unexpected(paths, outcome, expected=True) == {}

    def test_a_crash_has_its_response_time(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def crash(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr("authentication.view_modules.csrf.get_token", crash)

        answer = client.get(CSRF)

        assert answer.status_code == 500
        assert re.fullmatch(r"\d+\.\d{3}s", answer["X-Response-Time"])
