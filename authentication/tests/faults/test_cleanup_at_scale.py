"""Sign-ins while the cleanup deletes very many rows."""

import threading
import time

import pytest
from django.db import connection, connections
from rest_framework.test import APIClient

from authentication.models import AuditLog, TokenBlacklist, User
from authentication.services.audit import AuditSealService
from authentication.services.operations.retention import RetentionService
from authentication.tests.conftest import API
from authentication.tests.factories import PASSWORD

pytestmark = [
    pytest.mark.services,
    pytest.mark.alone,
    pytest.mark.django_db(transaction=True),
]

TOKENS, EVENTS = 1_000_000, 250_000


def fill() -> None:
    """Write revoked tokens and audit events that are old enough to be deleted."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(
            "INSERT INTO authentication_tokenblacklist"
            " (jti, token, expires_at, blacklisted_at, reason)"
            " SELECT 'old' || n, '', now() - interval '1 day', now(), 'rotation'"
            " FROM generate_series(1, %s) AS n",
            [TOKENS],
        )
        cursor.execute(
            "INSERT INTO authentication_auditlog (id, event_type, description, user_agent,"
            " success, risk_level, metadata, correlation_id, timestamp)"
            " SELECT gen_random_uuid(), 'login', '', '', true, 'low', '{}', '',"
            " now() - interval '2 years' FROM generate_series(1, %s)",
            [EVENTS],
        )
        cursor.execute("ANALYZE authentication_tokenblacklist, authentication_auditlog")
        cursor.execute("RESET statement_timeout")
    # Retention deletes whole seals.
    while AuditSealService.seal(seconds=60):
        pass


def clean(failures: list[BaseException]) -> None:
    try:
        for rule in ("blacklist", "audit"):
            while not RetentionService.clean(rule, seconds=20).finished:
                pass
    except BaseException as failure:  # noqa: BLE001 -- raised again by the test
        failures.append(failure)
    finally:
        connections.close_all()


def wait_of_a_sign_in(api: APIClient, person: User) -> float:
    start = time.monotonic()
    answer = api.post(f"{API}/login/", {"email": person.email, "password": PASSWORD})
    assert answer.status_code == 200, answer.content
    return time.monotonic() - start


def test_sign_ins_are_not_slowed_by_a_cleanup_of_many_rows(api: APIClient, person: User) -> None:
    fill()
    # The duration of a sign-in on this machine while nothing is deleted.
    usual = max(wait_of_a_sign_in(api, person) for _ in range(20))
    failures: list[BaseException] = []
    cleaning = threading.Thread(target=clean, args=(failures,))
    waits: list[float] = []

    cleaning.start()
    while cleaning.is_alive():
        waits.append(wait_of_a_sign_in(api, person))
        time.sleep(0.1)
    cleaning.join()

    assert failures == []
    assert not TokenBlacklist.objects.filter(jti__startswith="old").exists()
    assert not AuditLog.objects.filter(timestamp__lt=person.created_at).exists()
    assert len(waits) > 10
    assert max(waits) < usual + 1, (usual, sorted(waits)[-5:])
