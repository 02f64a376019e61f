"""`manage.py reencrypt`: rotating the keys of encrypted secrets."""

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import AuditLog, SecondFactor, User
from authentication.services.operations import key_rotation
from authentication.services.operations.key_rotation import EncryptionService, Renewal
from authentication.services.operators import Operator
from authentication.tests.clients import sign_in
from authentication.tests.commands.terminals import Terminal
from authentication.tests.factories import UserFactory, give_factor
from authentication.utils.client import ClientInfo
from authentication.utils.encryption import encrypt, newest_key_id

OLD, NEW = (
    "the old key, of more than thirty-two characters",
    "the new key, of more than thirty-two characters",
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _the_old_key(settings: Settings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [OLD]


def reencrypt(**options: str) -> str:
    written = io.StringIO()
    call_command("reencrypt", stdout=written, stderr=io.StringIO(), **options)
    return written.getvalue()


def renew(**options: Any) -> Renewal:
    return EncryptionService.renew(operator=Operator("Naomi"), client=ClientInfo(), **options)


def test_the_old_key_is_not_needed_after_the_rotation(
    api: APIClient, person: User, settings: Settings
) -> None:
    factor, other = give_factor(person), UserFactory()
    give_factor(other)
    SecondFactor.objects.filter(user=other).update(
        pending_seed=encrypt(b"x", context=f"totp:{other.pk}")
    )
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]

    assert reencrypt() == "3 secrets encrypted with the newest key\n"
    assert reencrypt() == "0 secrets encrypted with the newest key\n"

    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    assert sign_in(api, person, otp=factor.code())
    stored = SecondFactor.objects.values_list("seed", "pending_seed")
    assert all(text.startswith(newest_key_id()) for row in stored for text in row if text)


def test_the_event_names_who_ran_it_and_how_much_was_done(person: User, settings: Settings) -> None:
    give_factor(person)
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]

    reencrypt(by="Naomi")

    event = AuditLog.objects.get(event_type="admin_action")
    assert event.description == "reencrypt"
    assert event.metadata == {
        "action": "reencrypt",
        "renewed": 1,
        "unreadable": 0,
        "actor": "command line",
        "operator": "Naomi",
    }


def test_a_seed_replaced_during_the_rotation_is_kept(
    person: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_factor(person)
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    fresh = encrypt(b"the new seed", context=f"totp:{person.pk}")

    def replace_the_seed_first(data: bytes, *, context: str) -> str:
        SecondFactor.objects.update(seed=fresh)
        return encrypt(data, context=context)

    monkeypatch.setattr(
        "authentication.services.operations.key_rotation.encrypt", replace_the_seed_first
    )

    assert renew().renewed == 0
    assert SecondFactor.objects.get().seed == fresh


@pytest.fixture
def unreadable(person: User, settings: Settings) -> User:
    """Return a person with a factor under a key that is gone."""
    settings.FIELD_ENCRYPTION_KEYS = ["a key that is lost, of more than thirty-two characters"]
    give_factor(person)
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    return person


def test_what_cannot_be_read_is_listed_and_stops_no_other(
    unreadable: User, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    before = SecondFactor.objects.get().seed
    others = [UserFactory() for _ in range(3)]
    for other in others:
        give_factor(other)
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]

    with pytest.raises(CommandError, match="1 secrets cannot be read") as refusal:
        call_command("reencrypt")

    assert refusal.value.returncode == 1
    assert capsys.readouterr().out == (
        f"3 secrets encrypted with the newest key\nunreadable: {unreadable.pk}\n"
    )
    assert SecondFactor.objects.get(user=unreadable).seed == before
    renewed = SecondFactor.objects.filter(seed__startswith=newest_key_id())
    assert renewed.count() == 3


def test_an_offered_seed_that_cannot_be_read_is_withdrawn(person: User, settings: Settings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = ["a key that is lost, of more than thirty-two characters"]
    SecondFactor.objects.offer(
        person.pk, seed=encrypt(b"x", context=f"totp:{person.pk}"), at=timezone.now()
    )
    settings.FIELD_ENCRYPTION_KEYS = [NEW]

    assert reencrypt() == "0 secrets encrypted with the newest key\n"

    assert SecondFactor.objects.get().pending_seed == ""


def test_a_run_commits_in_batches_and_goes_on_where_it_was_stopped(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        give_factor(UserFactory())
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    monkeypatch.setattr(key_rotation, "_BATCH", 2)

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        renew(on_batch=stop)
    sizes: list[int] = []

    assert SecondFactor.objects.filter(seed__startswith=newest_key_id()).count() == 2
    assert renew(on_batch=sizes.append).renewed == 3
    assert sizes == [2, 1]


def test_the_progress_is_shown_on_a_terminal(settings: Settings) -> None:
    give_factor(UserFactory())
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    screen = Terminal()

    call_command("reencrypt", stdout=io.StringIO(), stderr=screen, no_color=True)

    assert "100% 1/1" in screen.getvalue()
