"""A copy of the data that a thief asked for ends when the owner takes the account back."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import AccountExport, ActionToken, PasswordResetToken, User
from authentication.services import ExportService
from authentication.tests.api.email_changes import NEW
from authentication.tests.api.passwords import confirm_reset
from authentication.tests.api.taking_back import move, notice, undo_email
from authentication.tests.clients import Tokens, post_as, sign_in
from authentication.tests.conftest import API, Deliver, token_in
from authentication.tests.factories import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.security]

PAGE = "/account/download-export/"
Remedy = Callable[[APIClient, User, Deliver], None]


@pytest.fixture(autouse=True)
def _no_limits(settings: Settings) -> None:
    settings.RATELIMIT_ENABLE = False


def undo(api: APIClient, person: User, delivered: Deliver) -> None:
    undo_email(api, notice(delivered(), person.email))


def reset(api: APIClient, person: User, delivered: Deliver) -> None:
    delivered()
    person.refresh_from_db()
    token = PasswordResetToken.objects.issue(person, at=timezone.now())
    assert confirm_reset(api, token).status_code == 200


def export_mailed_to_the_thief(api: APIClient, thief: Tokens, delivered: Deliver) -> str:
    move(api, thief, NEW, delivered)
    post_as(api, thief, f"{API}/account/export/")
    ExportService.build(AccountExport.objects.get().pk)
    (mail,) = [it for it in delivered() if it.to == [NEW] and "copy" in it.subject]
    return token_in(mail)


@pytest.mark.parametrize("remedy", [undo, reset])
def test_its_link_gives_nothing(
    api: APIClient, person: User, delivered: Deliver, remedy: Remedy
) -> None:
    token = export_mailed_to_the_thief(api, sign_in(api, person), delivered)

    remedy(api, person, delivered)

    answer: Any = Client().post(PAGE, {"token": token, "password": PASSWORD})
    assert not answer.streaming
    assert ActionToken.objects.get(action="download_export").voided_at
    assert not AccountExport.objects.exists()


@pytest.mark.parametrize("remedy", [undo, reset])
def test_one_that_is_not_made_yet_is_never_mailed(
    api: APIClient, person: User, delivered: Deliver, remedy: Remedy
) -> None:
    thief = sign_in(api, person)
    move(api, thief, NEW, delivered)
    post_as(api, thief, f"{API}/account/export/")
    export = AccountExport.objects.get()

    remedy(api, person, delivered)
    ExportService.build(export.pk)

    assert not [mail for mail in delivered() if "copy" in mail.subject]
