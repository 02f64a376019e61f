"""A contested account passes to the reader of its mail as if it were new."""

import datetime as dt

import pytest
from django.utils import timezone

from authentication.models import User, UserProfile
from authentication.services.address_proof import _CLEARED, prove_address
from authentication.tests.factories import UserFactory

KEY = "a number of the row"
NAME = "names are public: another one would tell that the address was proven"
ADDRESS = "about the address, which stays"
PASSWORD = "set with the new password"
SESSIONS = "set when all sessions end"
STAFF = "staff decide it, and give a role to a proven account alone"
FACTOR = "a second factor needs a proven address"
LOCK = "about guesses at the account, not about its person"
TIME = "a time of the account, not of its person"
KEPT = {
    "id": KEY,
    "erasure_key": KEY,
    "erasure_failures": KEY,
    "erasure_retry_at": KEY,
    "username": NAME,
    "username_canonical": NAME,
    "username_skeleton": NAME,
    "email": ADDRESS,
    "email_canonical": ADDRESS,
    "email_verified": ADDRESS,
    "email_verified_at": ADDRESS,
    "email_bounced_at": ADDRESS,
    "email_complained_at": ADDRESS,
    "notices_stopped_at": ADDRESS,
    "registered_language": "set to the language of the proof",
    "password": PASSWORD,
    "password_changed_at": PASSWORD,
    "password_breached_at": PASSWORD,
    "admin_session_salt": SESSIONS,
    "is_active": STAFF,
    "is_staff": STAFF,
    "is_superuser": STAFF,
    "second_factor_at": FACTOR,
    "failed_login_attempts": LOCK,
    "locked_until": LOCK,
    "lock_reason": LOCK,
    "unlocked_at": LOCK,
    "created_at": TIME,
    "last_login": TIME,
}
"""Why a field is not cleared."""


def test_every_field_of_the_account_is_cleared_or_has_a_reason_to_stay() -> None:
    fields = {field.attname for field in User._meta.concrete_fields}

    assert fields - set(_CLEARED) == set(KEPT)


@pytest.mark.django_db
def test_the_profile_is_as_new() -> None:
    now = timezone.now()
    user = UserFactory(email_verified=False, contested_at=now - dt.timedelta(days=1))
    fields = [field for field in UserProfile._meta.concrete_fields if not field.primary_key]
    strange = {"display_name": "Call 0190", "timezone": "Asia/Tokyo", "visibility": "members"}
    UserProfile.objects.update_or_create(user=user, defaults=strange)

    prove_address(user, at=now)

    profile = UserProfile.objects.get(user=user)
    assert strange.keys() == {field.attname for field in fields}
    for field in fields:
        assert getattr(profile, field.attname) == field.get_default()
