"""Query plans on PostgreSQL: each lookup uses an index."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from authentication.models import (
    ActionToken,
    AuditLog,
    EmailChange,
    EmailVerificationToken,
    KnownDevice,
    OutgoingEmail,
    PasswordResetToken,
    TokenBlacklist,
    User,
    UsernameHold,
    UserProfile,
    UserSession,
)
from authentication.services import EmailService
from authentication.services.admin_pages.waiting import STRANGERS_SHOWN, _unusual
from authentication.services.anomalies.crowds import report_crowds
from authentication.services.anomalies.examination import _STEP
from authentication.services.anomalies.uses import _pages
from authentication.services.operations.gauges import _dead_mails, _waiting_mails
from authentication.services.operations.retention import (
    BATCH,
    _expired_sessions,
)
from authentication.services.operations.retention_of_audit import surplus_failures
from authentication.services.operators import Operator
from authentication.services.sign_in import LockExplanationService, LockReportService
from authentication.tests.clients import REFRESH, VERIFY, Tokens, sign_in
from authentication.tests.conftest import API, ME, bearer
from authentication.tests.factories import PASSWORD
from authentication.utils.client import ClientInfo

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

PEOPLE, ROWS = 20_000, 5_000
INDEXES = (
    # The indexes for beginnings find whole names, too.
    "user_email_(canonical_unique|begins)",
    "user_username_(canonical_unique|begins)",
    "authentication_usersession_pkey",
    "authentication_tokenblacklist_jti",
    "authentication_emailverificationtoken_token",
    "authentication_passwordresettoken_token",
    "email_change_from",
    "authentication_actiontoken_token",
    "known_device_unique",
    "session_live",
    "outbox_due",
    "outbox_status",
    "audit_name",
    "audit_actor",
    "audit_user_shown",
    "audit_without_account",
    "user_locked",
)


def fill(row: Model, *, rows: int = ROWS, **changed: str) -> None:
    """Copy a row many times; `changed` are the columns that differ, as SQL of the number `n`."""
    table = row._meta.db_table
    every = [field.column for field in row._meta.local_concrete_fields if field.column]
    columns = [column for column in every if changed.get(column) != ""]
    values = ", ".join(changed.get(column, f'"{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    numbers = f"generate_series(1, {rows}) AS n"
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{table}" ({names})'  # noqa: S608
            f' SELECT {values} FROM "{table}", {numbers}'
            f" WHERE {table}.{row._meta.pk.column} = %s",
            [row.pk],
        )


@pytest.fixture
def crowded(api: APIClient, person: User) -> Tokens:
    """A person's tokens, among those of twenty thousand people."""
    now, tokens = timezone.now(), sign_in(api, person)
    hexadecimal = "md5(n::text)"
    fill(
        person,
        rows=PEOPLE,
        id="gen_random_uuid()",
        email="'other' || n || '@example.org'",
        email_canonical="'other' || n || '@example.org'",
        username="'other' || n",
        username_canonical="'other' || n",
        username_skeleton="'other' || n",
    )
    others = "(SELECT id FROM authentication_user WHERE username_canonical = 'other' || n)"
    fill(UserProfile.objects.get(), user_id=others)
    fill(
        UserSession.objects.get(),
        id="gen_random_uuid()",
        user_id=others,
        refresh_token_jti=hexadecimal,
    )
    later = now + dt.timedelta(days=1)
    revoked = TokenBlacklist.objects.create(jti="revoked", user=person, expires_at=later)
    fill(revoked, id="", jti=hexadecimal, user_id=others)
    proof = EmailVerificationToken.objects.create(
        user=person, email=person.email, token="x", expires_at=later
    )
    fill(proof, id="", token=hexadecimal, user_id=others)
    reset = PasswordResetToken.objects.create(user=person, token="x")
    fill(reset, id="", token=hexadecimal, user_id=others)
    moved = EmailChange.objects.create(
        user=person, old_email="a@example.org", new_email=person.email, confirmed_at=now
    )
    fill(
        moved,
        id="gen_random_uuid()",
        user_id=others,
        old_email_canonical="'former' || n || '@example.org'",
    )
    link = ActionToken.objects.create(
        action="disown_session", user=person, token="x", expires_at=later
    )
    fill(link, id="", token=hexadecimal, user_id=others)
    fill(KnownDevice.objects.get(), id="", user_id=others)
    mail = OutgoingEmail.objects.create(
        user=person, kind="verification", status="sent", sent_at=now
    )
    fill(mail, id="gen_random_uuid()", user_id=others)
    fill_log_and_holds(others, at=now)
    analyze()
    return tokens


def fill_log_and_holds(others: str, *, at: dt.datetime) -> None:
    """Half of the events have no account, as failures under names have none."""
    number = "md5(n::text)"
    metadata = f"jsonb_build_object('name', {number}, 'actor', {number})"
    half = f"CASE WHEN mod(n, 2) = 0 THEN {others} END"
    fill(AuditLog.objects.get(), id="gen_random_uuid()", user_id=half, metadata=metadata)
    UsernameHold.objects.claim("held", user_id=None, at=at)
    fill(UsernameHold.objects.get(), id="gen_random_uuid()", name=number, skeleton=number)


def analyze() -> None:
    """Count the rows, so that PostgreSQL plans for as many."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def plans_of(captured: CaptureQueriesContext) -> dict[str, str]:
    """Return the plan of every statement of a capture that looks for rows."""
    found = {}
    with connection.cursor() as cursor:
        for query in captured.captured_queries:
            if (
                re.match(r"\(?(SELECT|UPDATE|DELETE)", query["sql"])
                and "authentication_" in query["sql"]
            ):
                cursor.execute("EXPLAIN " + query["sql"].replace("%", "%%"), [])
                found[query["sql"]] = "\n".join(line for (line,) in cursor.fetchall())
    return found


def assert_indexed(captured: CaptureQueriesContext, name: str) -> list[str]:
    plans = plans_of(captured)

    assert plans, name
    for statement, plan in plans.items():
        assert "Seq Scan" not in plan, f"{statement}\n{plan}"
        assert "Index" in plan, f"{statement}\n{plan}"
    return list(plans.values())


def test_every_lookup_goes_by_an_index(api: APIClient, person: User, crowded: Tokens) -> None:
    """One test, for filling the tables takes longer than asking them."""
    access, refresh = bearer(crowded["access"]), crowded["refresh"]
    requests: dict[str, Callable[[], Any]] = {
        "sign-in by address": lambda: api.post(
            f"{API}/login/", {"email": person.email, "password": PASSWORD}
        ),
        "sign-in by username": lambda: api.post(
            f"{API}/login/", {"username": person.username, "password": PASSWORD}
        ),
        "sign-in of nobody": lambda: api.post(
            f"{API}/login/", {"email": "nobody@example.org", "password": PASSWORD}
        ),
        "an access token": lambda: api.get(ME, headers=access),
        "an access token looked at": lambda: api.post(VERIFY, {"token": crowded["access"]}),
        "the list of devices": lambda: api.get(f"{API}/sessions/", headers=access),
        "a refresh": lambda: api.post(REFRESH, {"refresh": refresh}),
        "a refresh once more": lambda: api.post(REFRESH, {"refresh": refresh}),
        "ending the others": lambda: api.post(f"{API}/sessions/terminate-all/", headers=access),
        "a verification": lambda: api.post(f"{API}/email/verify/", {"token": "x" * 43}),
        "another mail": lambda: api.post(f"{API}/email/resend/", {"email": person.email}),
        "a registration": lambda: api.post(
            f"{API}/register/", {"email": "new@example.org", "password": PASSWORD}
        ),
        "a taken username": lambda: api.post(
            f"{API}/register/",
            {"email": "new2@example.org", "password": PASSWORD, "username": person.username},
        ),
        "a reset": lambda: api.post(
            f"{API}/password/reset/confirm/", {"token": "x" * 43, "new_password": PASSWORD}
        ),
        "a device disowned": lambda: api.post(
            f"{API}/account/disown-session/", {"token": "x" * 43}
        ),
        "what happened": lambda: api.get(f"{API}/account/activity/", headers=access),
        "sending mails": EmailService.sweep,
        "expired sessions": lambda: list(_expired_sessions(timezone.now())[:BATCH]),
        "counting mails for operations": lambda: [
            ask(timezone.now()) for ask in (_waiting_mails, _dead_mails)
        ],
        "events of a name": lambda: list(AuditLog.objects.of_names(["x" * 64])),
        "events of staff": lambda: list(AuditLog.objects.of_actor(person.pk)),
        "failures by made-up names": lambda: list(surplus_failures(timezone.now())[:BATCH]),
        "locks to report": LockReportService.report_due,
        "why a name is locked": lambda: LockExplanationService.explain(
            person.email, operator=Operator("Naomi"), client=ClientInfo()
        ),
        "unusual uses": lambda: list(_pages(timezone.now() - _STEP, timezone.now())),
        "crowds": lambda: report_crowds(at=timezone.now()),
        "what waits for staff": lambda: _unusual(timezone.now() - STRANGERS_SHOWN),
        "logging out": lambda: api.post(f"{API}/logout/", headers=access),
    }
    used = ""
    for name, ask in requests.items():
        with CaptureQueriesContext(connection) as captured:
            ask()
        used += "".join(assert_indexed(captured, name))

    for index in INDEXES:
        assert re.search(rf"(using|Index Scan on) {index}", used), index
