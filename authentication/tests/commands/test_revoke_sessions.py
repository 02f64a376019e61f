"""manage.py revoke_sessions: what lives on after it, and what does not."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from authentication.models import (
    AccountExport,
    ActionToken,
    AuditLog,
    EmailChange,
    KnownDevice,
    User,
)
from authentication.services import ExportService, revocation
from authentication.tests.api.email_changes import CONFIRM, UNDO, request_links
from authentication.tests.clients import NEW_PASSWORD, log_in, post_as, sign_in, use_access
from authentication.tests.conftest import API, Deliver, token_in
from authentication.tests.factories import UserFactory, give_factor, unverified_user

from .running import run_command

pytestmark = [pytest.mark.django_db, pytest.mark.security]

Revoke = Callable[[User], Any]


@pytest.fixture(params=["one account", "everybody"])
def revoke(request: pytest.FixtureRequest) -> Revoke:
    if request.param == "everybody":
        return lambda _: run_command("revoke_sessions", everybody=True)
    return lambda user: run_command("revoke_sessions", user.email)


def mailed_token(api: APIClient, user: User, delivered: Deliver, path: str) -> str:
    assert api.post(f"{API}/{path}/", {"email": user.email}).status_code in {200, 202}
    return token_in(delivered()[-1])


def test_a_reset_link_is_void(
    api: APIClient, person: User, delivered: Deliver, revoke: Revoke
) -> None:
    body = {
        "token": mailed_token(api, person, delivered, "password/reset"),
        "new_password": NEW_PASSWORD,
    }

    revoke(person)

    assert api.post(f"{API}/password/reset/confirm/", body).status_code == 400
    assert log_in(api, person).status_code == 200


def test_a_verification_link_is_void(api: APIClient, delivered: Deliver, revoke: Revoke) -> None:
    user = unverified_user()
    token = mailed_token(api, user, delivered, "email/resend")

    revoke(user)

    assert api.post(f"{API}/email/verify/", {"token": token}).status_code == 400
    assert not User.objects.get(pk=user.pk).email_verified


def test_a_sign_in_that_waits_for_its_code_is_void(
    api: APIClient, person: User, revoke: Revoke
) -> None:
    factor = give_factor(person)
    token = log_in(api, person).json()["mfa_token"]

    revoke(person)

    answer = api.post(f"{API}/2fa/verify/", {"mfa_token": token, "otp": factor.code()})
    assert answer.status_code == 401


def test_a_link_to_move_the_address_is_void_and_the_change_is_cancelled(
    api: APIClient, person: User, delivered: Deliver, revoke: Revoke
) -> None:
    links = request_links(api, person, sign_in(api, person), delivered)

    revoke(person)

    assert api.post(CONFIRM, {"token": links.confirm}).status_code == 400
    assert EmailChange.objects.get().undone_at is not None


def test_a_link_to_a_copy_of_the_data_is_void(
    api: APIClient, person: User, delivered: Deliver, revoke: Revoke
) -> None:
    at, secret = person.created_at, ActionToken.Action.DOWNLOAD_EXPORT
    ActionToken.objects.create(
        user=person, action=secret, token="x", created_at=at, expires_at=at.replace(year=2100)
    )

    revoke(person)

    assert ActionToken.objects.get().voided_at is not None


def test_a_copy_of_the_data_that_is_being_made_is_never_mailed(
    person: User, delivered: Deliver, revoke: Revoke
) -> None:
    export = AccountExport.objects.create(user=person)

    revoke(person)
    ExportService.build(export.pk)

    assert delivered() == []
    assert not AccountExport.objects.exists()


def test_a_link_that_protects_the_owner_lives_on(
    api: APIClient, person: User, delivered: Deliver, revoke: Revoke
) -> None:
    links = request_links(api, person, sign_in(api, person), delivered)
    assert api.post(CONFIRM, {"token": links.confirm}).status_code == 200
    old = person.email
    person.refresh_from_db()

    revoke(person)

    assert api.post(UNDO, {"token": links.undo}).status_code == 200
    person.refresh_from_db()
    assert person.email == old


@pytest.mark.parametrize(
    "action", ["undo_change", "undo_email", "disown_session", "stop_factor_removal"]
)
def test_no_link_that_takes_back_is_voided(person: User, revoke: Revoke, action: str) -> None:
    at = person.created_at
    ActionToken.objects.create(
        user=person, action=action, token="x", created_at=at, expires_at=at.replace(year=2100)
    )

    revoke(person)

    assert ActionToken.objects.get().voided_at is None


def test_everybody_means_those_without_a_session_too(api: APIClient, person: User) -> None:
    tokens = sign_in(api, person)
    post_as(api, tokens, f"{API}/logout/")
    assert KnownDevice.objects.exists()

    run_command("revoke_sessions", everybody=True)

    assert not KnownDevice.objects.exists()


def test_batches_reach_every_session(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revocation, "_BATCH", 2)
    tokens = [sign_in(api, UserFactory()) for _ in range(5)]
    sizes: list[int] = []

    ended = revocation.revoke_everybody(reason="admin", on_batch=sizes.append)

    assert ended == 5
    assert max(sizes) == 2
    assert {use_access(api, it) for it in tokens} == {401}


def test_the_event_names_who_ran_it(person: User, revoke: Revoke) -> None:
    revoke(person)
    run_command("revoke_sessions", everybody=True, by="Naomi")

    events = AuditLog.objects.filter(event_type="admin_action").order_by("timestamp")
    assert all(it.metadata["operator"] for it in events)
    assert list(events)[-1].metadata["operator"] == "Naomi"
