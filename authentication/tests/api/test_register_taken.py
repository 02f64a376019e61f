"""POST /api/v1/auth/register/: taken addresses and usernames."""

import uuid

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import (
    AuditLog,
    OutgoingEmail,
    User,
    UserProfile,
)
from authentication.tests.clients import NEW_PASSWORD
from authentication.tests.conftest import Deliver
from authentication.tests.factories import UserFactory

from .registration import (
    REGISTERED,
    assert_nothing_stored,
    assert_refused,
    not_refused,
    register,
)

INVALID_USERNAMES = [
    "ab",
    "a" * 31,
    "a" * 5000,
    "ru th",
    "ruth@home",
    "ruth!",
    "...",
    "admin",
    "ADMIN",
    "a.d-m_i.n",
    "\u0430dmin",  # a Cyrillic letter among Latin ones
    "r\u0443th",
    "<b>ruth</b>",
    "ruth/",
]
pytestmark = pytest.mark.django_db


class TestTakenAddress:
    @pytest.mark.parametrize(
        ("owned", "typed"),
        [
            ("naomi@example.org", "naomi@example.org"),
            ("naomi@example.org", "NAOMI@Example.ORG"),
            ("naomi@example.org", " naomi@example.org "),
            ("naomi@example.org", "\uff4eaomi@example.org"),
            ("naomi.b@gmail.com", "NaomiB+anything@googlemail.com"),
            ("naomi@b\u00fccher.example", "naomi@xn--bcher-kva.example"),
        ],
    )
    def test_a_taken_address_is_answered_like_a_new_one_and_its_owner_gets_a_mail(
        self, api: APIClient, delivered: Deliver, owned: str, typed: str
    ) -> None:
        owner = UserFactory(email=owned)

        answer = register(api, email=typed)

        body = answer.json()
        [message] = delivered()
        assert answer.status_code == 201
        assert body.keys() == {"message", "user_id", "email"}
        assert body["message"] == REGISTERED
        assert uuid.UUID(body["user_id"]) != owner.pk
        assert User.objects.get() == owner
        assert UserProfile.objects.count() == 1
        assert message.to == [owner.email]
        assert OutgoingEmail.objects.get().kind == "account_exists"
        assert AuditLog.objects.get().event_type == "registration_duplicate"

    def test_a_taken_address_leaves_the_account_unchanged(
        self, api: APIClient, person: User
    ) -> None:
        before = User.objects.filter(pk=person.pk).values().get()

        register(api, email=person.email, password=NEW_PASSWORD)

        assert User.objects.filter(pk=person.pk).values().get() == before

    def test_known_and_unknown_addresses_get_the_same_answer(
        self, api: APIClient, person: User
    ) -> None:
        known = register(api, email=person.email)
        unknown = register(api, email="orpah@example.org")

        named = {"user_id", "email"}
        assert known.status_code == unknown.status_code == 201
        assert known.headers.keys() == unknown.headers.keys()
        assert known.json().keys() == unknown.json().keys()
        assert {name: value for name, value in known.json().items() if name not in named} == {
            name: value for name, value in unknown.json().items() if name not in named
        }
        assert (
            uuid.UUID(known.json()["user_id"]).version
            == uuid.UUID(unknown.json()["user_id"]).version
        )

    def test_known_and_unknown_addresses_get_the_same_refusal(
        self, api: APIClient, person: User
    ) -> None:
        known = register(api, email=person.email, password="weak")
        unknown = register(api, email="orpah@example.org", password="weak")

        assert known.status_code == unknown.status_code == 400
        assert known.json()["errors"] == unknown.json()["errors"]
        assert not OutgoingEmail.objects.exists()

    def test_a_taken_address_is_named_where_enumeration_is_allowed(
        self, api: APIClient, person: User, settings: Settings
    ) -> None:
        settings.PREVENT_EMAIL_ENUMERATION = False

        answer = register(api, email=person.email.upper())

        assert_refused(answer, "email")
        assert answer.json()["errors"] == {
            "email": ["There is already an account with this email address."]
        }
        assert User.objects.get() == person


class TestUsernames:
    @pytest.mark.parametrize(
        "username",
        ["abc", "a" * 30, "r.u_t-h", "Ruth7", "\u05e8\u05d5\u05ea", "\u30eb\u30c4\u5b50"],
    )
    def test_a_valid_username_is_kept(self, api: APIClient, username: str) -> None:
        answer = register(api, username=username)

        assert answer.status_code == 201, answer.content
        assert User.objects.get().username == username

    def test_an_invalid_username_is_refused(self, api: APIClient, settings: Settings) -> None:
        settings.RATELIMIT_ENABLE = False

        assert not_refused(api, [("username", username) for username in INVALID_USERNAMES]) == {}
        assert_nothing_stored()

    @pytest.mark.parametrize("username", ["Coco", "COCO", "\uff43oco", "\u0441\u043e\u0441\u043e"])
    def test_a_taken_username_is_refused_in_every_case_and_script(
        self, api: APIClient, username: str
    ) -> None:
        owner = UserFactory(username="coco")

        answer = register(api, username=username)

        assert_refused(answer, "username")
        assert answer.json()["errors"] == {"username": ["This username is taken."]}
        assert User.objects.get() == owner
        assert not OutgoingEmail.objects.exists()

    @pytest.mark.parametrize("taken", ["yes", "no"])
    def test_a_username_sent_with_any_address_is_taken_afterwards(
        self, api: APIClient, person: User, taken: str
    ) -> None:
        email = person.email if taken == "yes" else "orpah@example.org"
        register(api, email=email, username="Naomi.B")

        answer = register(api, username="naomi.b")

        assert_refused(answer, "username")
        assert answer.json()["errors"] == {"username": ["This username is taken."]}
        assert not User.objects.filter(email="naomi@example.org").exists()

    def test_a_taken_username_is_refused_before_a_taken_address(
        self, api: APIClient, person: User
    ) -> None:
        answer = register(api, email=person.email, username=person.username)

        assert_refused(answer, "username")
        assert not OutgoingEmail.objects.exists()
