"""/metrics: what is counted, and that it contains no personal data."""

import contextlib
import datetime as dt
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings as service
from django.db import OperationalError, transaction
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import FailedTask, OutgoingEmail, TokenBlacklist, User, UserSession
from authentication.services.audit import events as audit
from authentication.services.operations import metrics
from authentication.tests.clients import LOGIN, WRONG_PASSWORD, log_in, refreshed, sign_in
from authentication.tests.conftest import API
from authentication.tests.factories import PASSWORD
from authentication.tests.limits import set_limits
from authentication.utils.client import ClientInfo


class StatementTimeoutError(Exception):
    """The error of PostgreSQL's driver for a statement that timed out."""

    sqlstate = metrics._QUERY_CANCELED


DOCS = Path(service.BASE_DIR) / "docs"

pytestmark = pytest.mark.django_db


@pytest.fixture
def _committed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count at once: the transaction of a test is never committed."""
    monkeypatch.setattr(audit, "on_commit", lambda count: count())


def scraped() -> dict[str, float]:
    """Return every sample by its name and labels."""
    answer = Client().get("/metrics")
    assert answer.status_code == 200, answer.content
    samples = (
        line.rpartition(" ")
        for line in answer.content.decode().splitlines()
        if not line.startswith("#")
    )
    return {name: float(value) for name, _, value in samples}


@pytest.fixture
def grown() -> Callable[[str], float]:
    """Return a function for the growth of a sample since the test began."""
    before = scraped()
    return lambda sample: scraped().get(sample, 0) - before.get(sample, 0)


@pytest.mark.usefixtures("_committed")
class TestCounters:
    def test_sign_ins_are_counted_by_outcome(
        self, api: APIClient, person: User, grown: Any
    ) -> None:
        sign_in(api, person)
        log_in(api, person, WRONG_PASSWORD)
        api.post(LOGIN, {"email": "nobody@example.org", "password": WRONG_PASSWORD})

        assert grown('auth_login_attempts_total{status="success"}') == 1
        assert grown('auth_login_attempts_total{status="failed"}') == 2
        assert grown("auth_login_duration_seconds_count") == 3
        durations = (
            'http_request_duration_seconds_count{endpoint="login",method="POST",status="%s"}'
        )
        assert (grown(durations % "2xx"), grown(durations % "4xx")) == (1, 2)

    def test_refreshes_and_reuse_are_counted(
        self, api: APIClient, person: User, grown: Any
    ) -> None:
        tokens = sign_in(api, person)
        refreshed(api, refreshed(api, tokens["refresh"])["refresh"])
        api.post(f"{API}/token/refresh/", {"refresh": tokens["refresh"]})

        assert grown("auth_tokens_refreshed_total") == 2
        assert grown("auth_token_reuse_detected_total") == 1

    def test_lockouts_resets_and_limits_are_counted(
        self, api: APIClient, person: User, settings: Settings, grown: Any
    ) -> None:
        set_limits(settings, login="5/h")
        for _ in range(7):
            log_in(api, person, WRONG_PASSWORD)
        api.post(f"{API}/password/reset/", {"email": person.email})

        assert grown("auth_account_lockouts_total") == 1
        assert grown('auth_rate_limited_total{limit="login"}') == 2
        assert grown("auth_password_reset_requests_total") == 1

    def test_rows_of_tables_are_counted(self, api: APIClient, person: User) -> None:
        sign_in(api, person)
        OutgoingEmail.objects.create(
            user=person, kind="verification", created_at=timezone.now() - dt.timedelta(seconds=90)
        )
        OutgoingEmail.objects.create(user=person, kind="verification", status="dead")
        FailedTask.objects.create(task="authentication.tasks.clean", error="OSError")
        TokenBlacklist.objects.create(
            jti="a", user=person, expires_at=timezone.now() - dt.timedelta(days=3)
        )

        found = scraped()

        assert found["auth_active_sessions_total"] == 1
        assert found["auth_outbox_depth"] == 1
        assert 90 <= found["auth_outbox_oldest_seconds"] < 95
        assert found["auth_outbox_dead_letters"] == 1
        assert 259_200 <= found["auth_retention_lag_seconds"] < 259_205
        assert found['auth_failed_tasks{task="authentication.tasks.clean"}'] == 1

    def test_counters_work_without_the_database(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def gone(**_: Any) -> Any:
            raise OperationalError

        monkeypatch.setattr(UserSession.objects, "live", gone)

        found = scraped()

        assert "auth_outbox_depth" not in found
        assert "auth_tokens_refreshed_total" in found

    def test_slow_table_keeps_the_other_metrics(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def slow(**_: Any) -> Any:
            raise OperationalError from StatementTimeoutError()

        monkeypatch.setattr(UserSession.objects, "live", slow)

        found = scraped()

        assert "auth_active_sessions_total" not in found
        assert found["auth_outbox_depth"] == 0

    def test_an_unreachable_database_is_queried_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[str] = []

        def gone(**_: Any) -> Any:
            asked.append("sessions")
            raise OperationalError

        monkeypatch.setattr(UserSession.objects, "live", gone)
        monkeypatch.setattr(OutgoingEmail.objects, "waiting", lambda: asked.append("mails"))

        scraped()

        assert asked == ["sessions"]

    def test_an_event_that_was_rolled_back_is_not_counted(
        self, person: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.undo()
        before = scraped()

        with contextlib.suppress(LookupError), transaction.atomic():
            audit.record(audit.Event.TOKEN_REFRESH, user_id=person.pk, client=ClientInfo())
            raise LookupError

        assert scraped()["auth_tokens_refreshed_total"] == before["auth_tokens_refreshed_total"]

    def test_a_task_that_was_run_again_still_counts_as_failed(self, db: None) -> None:
        for sent_again_at in (None, timezone.now()):
            FailedTask.objects.create(
                task="authentication.tasks.clean", error="OSError", sent_again_at=sent_again_at
            )

        found = scraped()

        assert found['auth_task_failures_total{task="authentication.tasks.clean"}'] == 2
        assert found['auth_failed_tasks{task="authentication.tasks.clean"}'] == 1

    def test_the_admin_is_one_endpoint(self, grown: Any) -> None:
        for page in ("", "authentication/user/", "authentication/user/1/change/"):
            Client().get(f"/admin/{page}")

        assert (
            grown('http_request_duration_seconds_count{endpoint="admin",method="GET",status="3xx"}')
            == 3
        )

    def test_no_label_takes_a_value_from_a_client(self, api: APIClient) -> None:
        before = len(scraped())
        for number in range(5):
            Client().generic(f"MADE{number}", f"/made-up-{number}/")
            api.get(f"/api/made-up-{number}/")

        assert len(scraped()) - before <= 60
        assert not [sample for sample in scraped() if "made" in sample.lower()]


def test_metrics_contain_no_personal_data(api: APIClient, person: User) -> None:
    tokens = sign_in(api, person, device_name="Ruth's phone")
    api.post(f"{API}/register/", {"email": "naomi@example.org", "password": PASSWORD})
    answer = Client().get("/metrics").content.decode()

    for secret in (
        person.email,
        person.username,
        str(person.pk),
        "naomi",
        "Ruth",
        tokens["access"],
        "127.0.0.1",
    ):
        assert secret not in answer


@pytest.mark.usefixtures("_committed")
class TestDocuments:
    NAMES = re.compile(r"\b(?:auth|http)_[a-z_]+\b")

    def known(self) -> set[str]:
        return {sample.partition("{")[0] for sample in scraped()} | {
            "auth_failed_tasks",
            "auth_task_failures_total",
            # With a broker, and with a limit of Redis.
            "auth_processes",
            "auth_cache_memory_ratio",
        }

    def test_the_dashboard_uses_existing_metrics(self, api: APIClient, person: User) -> None:
        sign_in(api, person)
        dashboard = json.loads(
            (DOCS / "grafana" / "authentication.json").read_text(encoding="utf-8")
        )

        asked = {
            name
            for panel in dashboard["panels"]
            for it in panel["targets"]
            for name in self.NAMES.findall(it["expr"])
        }

        assert asked - self.known() == {"auth_rate_limited_total"} - self.known()
        assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])

    def test_the_alerts_use_existing_metrics_and_are_explained(
        self, api: APIClient, person: User
    ) -> None:
        sign_in(api, person)
        (group,) = yaml.safe_load((DOCS / "alerts.yml").read_text(encoding="utf-8"))["groups"]
        explained = (DOCS / "operations.md").read_text(encoding="utf-8")

        asked = {name for rule in group["rules"] for name in self.NAMES.findall(rule["expr"])}

        assert asked <= self.known()
        assert [
            rule["alert"] for rule in group["rules"] if f"### {rule['alert']}" not in explained
        ] == []
