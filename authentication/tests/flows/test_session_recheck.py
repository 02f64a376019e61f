"""A write changes nothing if its session, or its proof, ended after the request began."""

import dataclasses
import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from authentication.models import ActionToken, AuditLog, SecondFactor, User, UserSession
from authentication.services.sessions import TokenService
from authentication.tests.answers import (
    LINK_INVALID,
    TOKEN_INVALID,
    assert_problem,
    refusal_of,
    rows,
)
from authentication.tests.clients import NEW_PASSWORD, Tokens, set_password
from authentication.tests.conftest import API, ME, bearer
from authentication.tests.factories import PASSWORD, give_factor
from authentication.utils.encryption import encrypt

pytestmark = [pytest.mark.django_db, pytest.mark.security]


@dataclasses.dataclass(frozen=True)
class Write:
    """A write on behalf of a session."""

    method: str
    url: str
    body: dict[str, Any] = dataclasses.field(default_factory=dict)


WRITES = {
    "logout": Write("post", f"{API}/logout/"),
    "reauthenticate": Write("post", f"{API}/reauthenticate/", {"password": PASSWORD}),
    "password": Write(
        "post",
        f"{API}/password/change/",
        {"old_password": PASSWORD, "new_password": NEW_PASSWORD},
    ),
    "email": Write("post", f"{API}/account/email/", {"email": "new@example.org"}),
    "cancel email": Write("delete", f"{API}/account/email/"),
    "profile": Write("patch", ME, {"display_name": "R."}),
    "consents": Write("post", f"{API}/account/consents/", {"terms_accepted": True}),
    "username": Write("patch", ME, {"username": "another.name"}),
    "notices": Write("put", f"{API}/account/notices/", {"notices": False}),
    "export": Write("post", f"{API}/account/export/"),
    "download": Write("post", f"{API}/account/export/download/", {"token": "{export}"}),
    "delete": Write("post", f"{API}/account/delete/"),
    "set up a factor": Write("post", f"{API}/2fa/totp/setup/", {"password": PASSWORD}),
    "confirm a factor": Write("post", f"{API}/2fa/totp/confirm/", {"otp": "{otp}"}),
    "disable a factor": Write("post", f"{API}/2fa/disable/"),
    "recovery codes": Write("post", f"{API}/2fa/recovery-codes/"),
    "end a session": Write("delete", f"{API}/sessions/{{session}}/"),
    "end other sessions": Write("post", f"{API}/sessions/terminate-all/"),
    "not me": Write("post", f"{API}/account/activity/{{event}}/disown/"),
}
NEEDS_FACTOR = {"disable a factor", "recovery codes"}
NEEDS_PROOF = {
    "email",
    "username",
    "notices",
    "export",
    "download",
    "delete",
    "set up a factor",
    "confirm a factor",
    *NEEDS_FACTOR,
}


def log_out(session: UserSession) -> None:
    UserSession.objects.filter(pk=session.pk).update(is_active=False, ended_at=timezone.now())


def reset_password(session: UserSession) -> None:
    set_password(session.user, NEW_PASSWORD)


def disable_account(session: UserSession) -> None:
    User.objects.filter(pk=session.user_id).update(is_active=False)


def expire_proof(session: UserSession) -> None:
    UserSession.objects.filter(pk=session.pk).update(
        reauthenticated_at=timezone.now() - dt.timedelta(days=1)
    )


def filled_in(write: Write, person: User) -> Write:
    """Return the write with ids and secrets of this user."""
    now = timezone.now()
    other = UserSession(user=person, expires_at=now + dt.timedelta(days=1))
    other.save()
    event = AuditLog.log_event("login", user_id=person.pk, metadata={"session": str(other.pk)})
    export = ActionToken.objects.issue(
        ActionToken.Action.DOWNLOAD_EXPORT,
        user_id=person.pk,
        at=now,
        lifetime=dt.timedelta(hours=1),
        export=str(uuid.uuid4()),
    )
    otp = offered_code(person) if "{otp}" in write.body.values() else ""
    values = {"session": other.pk, "event": event.pk, "export": export, "otp": otp}
    body = {
        name: it.format(**values) if isinstance(it, str) else it for name, it in write.body.items()
    }
    return Write(write.method, write.url.format(**values), body)


def offered_code(person: User) -> str:
    factor = give_factor(person)
    User.objects.filter(pk=person.pk).update(second_factor_at=None)
    seed = encrypt(factor.seed, context=f"totp:{person.pk}")
    offered = {"pending_seed": seed, "pending_at": timezone.now(), "seed": ""}
    SecondFactor.objects.filter(user=person).update(**offered)
    return factor.code()


@pytest.mark.parametrize("end_session", [log_out, reset_password, disable_account])
@pytest.mark.parametrize("name", WRITES)
def test_a_write_is_refused_if_its_session_ended_during_the_request(
    name: str,
    end_session: Callable[[UserSession], None],
    api: APIClient,
    person: User,
    signed_in: Tokens,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer, before = meanwhile(end_session, name, api, person, signed_in, monkeypatch)

    # The link of a disabled account is refused before its session is checked.
    assert refusal_of(answer) in (TOKEN_INVALID, LINK_INVALID)
    assert changed_since(before) <= {"AuditLog"}


@pytest.mark.parametrize("name", sorted(NEEDS_PROOF))
def test_a_write_is_refused_if_its_proof_expired_during_the_request(
    name: str,
    api: APIClient,
    person: User,
    signed_in: Tokens,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer, before = meanwhile(expire_proof, name, api, person, signed_in, monkeypatch)

    assert_problem(answer, 403, "reauthentication_required")
    assert changed_since(before) <= {"AuditLog"}


def meanwhile(
    event: Callable[[UserSession], None],
    name: str,
    api: APIClient,
    person: User,
    signed_in: Tokens,
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[Any, dict[str, Any]]:
    """Return the answer to a write during which an event happens, and all rows after the event.

    The request has the session as it was before the event.
    """
    write, before = filled_in(WRITES[name], person), dict[str, Any]()
    if name in NEEDS_FACTOR:
        give_factor_and_proof(person)
    genuine = TokenService.authenticate

    def authenticate(*, access: str, **options: Any) -> UserSession:
        session = genuine(access=access, **options)
        event(UserSession.objects.select_related("user").get(pk=session.pk))
        before.update(rows())
        return session

    monkeypatch.setattr(TokenService, "authenticate", authenticate)
    act = getattr(api, write.method)
    return act(write.url, write.body, headers=bearer(signed_in["access"])), before


def changed_since(before: dict[str, Any]) -> set[str]:
    """Return the tables that a refused write changed."""
    after = rows()
    # A password was right, and is counted as such, before the session is checked again.
    for device in [*after["KnownDevice"], *before["KnownDevice"]]:
        del device["last_used_at"]
    return {table for table in after if after[table] != before[table]}


def give_factor_and_proof(person: User) -> None:
    SecondFactor.objects.filter(user=person).delete()
    give_factor(person)
    UserSession.objects.filter(user=person).update(is_verified=True)
