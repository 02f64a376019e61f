"""What an error report holds: the place of the fault, and nothing of the person it happened to."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import sentry_sdk
from rest_framework.test import APIClient
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from authentication.services import AuthenticationService
from authentication.tests.conftest import API
from vineyard_group_fellowship.settings import monitoring

# A report quotes the lines of code around a fault: what stands in this file is no canary.
CANARIES = {
    name: f"{name}-{uuid.uuid4().hex}" for name in ("password", "refresh", "query", "cookie", "bearer", "agent")
}
EMAIL = f"{uuid.uuid4().hex}@example.org"


class _Kept(Transport):
    def __init__(self, options: dict[str, Any] | None = None) -> None:
        super().__init__(options)
        self.envelopes: list[Envelope] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.envelopes.append(envelope)


@pytest.fixture
def reports() -> Iterator[_Kept]:
    kept = _Kept()
    sentry_sdk.init(
        dsn="http://key@localhost:9/1", transport=kept, **{**monitoring.SENTRY_OPTIONS, "traces_sample_rate": 1.0}
    )
    yield kept
    sentry_sdk.init()


@pytest.mark.django_db
def test_an_error_report_holds_no_secret_and_no_person(
    api: APIClient, reports: _Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(**given: Any) -> None:
        raise RuntimeError(f"row of {given['identifier']}\ndetail {CANARIES['password']}")

    monkeypatch.setattr(AuthenticationService, "log_in", crash)
    api.cookies["refresh_token"] = CANARIES["cookie"]

    answer = api.post(
        f"{API}/login/?token={CANARIES['query']}",
        {"email": EMAIL, "password": CANARIES["password"], "refresh": CANARIES["refresh"]},
        headers={"Authorization": f"Bearer {CANARIES['bearer']}", "User-Agent": CANARIES["agent"]},
    )
    sentry_sdk.flush()

    sent = b"".join(envelope.serialize() for envelope in reports.envelopes).decode()
    assert answer.status_code == 500
    assert "RuntimeError" in sent
    assert [name for name, canary in {**CANARIES, "email": EMAIL}.items() if canary in sent] == []
