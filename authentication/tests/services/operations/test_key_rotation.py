"""`manage.py reencrypt`: rotating the keys of encrypted secrets."""

import io

import pytest
from django.core.management import call_command
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import SecondFactor, User
from authentication.services.operations.key_rotation import EncryptionService
from authentication.tests.clients import sign_in
from authentication.tests.factories import UserFactory, give_factor
from authentication.utils.encryption import DecryptionError, encrypt, newest_key_id

OLD, NEW = (
    "the old key, of more than thirty-two characters",
    "the new key, of more than thirty-two characters",
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _the_old_key(settings: Settings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [OLD]


def reencrypt() -> str:
    written = io.StringIO()
    call_command("reencrypt", stdout=written, stderr=io.StringIO())
    return written.getvalue()


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

    assert EncryptionService.renew() == 0
    assert SecondFactor.objects.get().seed == fresh


def test_a_missing_old_key_stops_the_rotation_without_a_change(
    person: User, settings: Settings
) -> None:
    give_factor(person)
    before = SecondFactor.objects.get().seed
    settings.FIELD_ENCRYPTION_KEYS = [NEW]

    with pytest.raises(DecryptionError):
        reencrypt()

    assert SecondFactor.objects.get().seed == before
