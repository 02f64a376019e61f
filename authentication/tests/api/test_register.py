"""POST /api/v1/auth/register/."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core.mail import EmailMessage
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import (
    AuditLog,
    OutgoingEmail,
    PasswordHistory,
    User,
    UserProfile,
    UserSession,
)
from authentication.tests.conftest import API, bearer, token_in
from authentication.tests.factories import PASSWORD, UserFactory

URL = f"{API}/register/"
LOGIN = f"{API}/login/"
MESSAGE = "Registration successful. Please check your email to verify your account."
NEWCOMER = {
    "email": "naomi@example.org",
    "password": PASSWORD,
    "first_name": "Naomi",
    "last_name": "Bethlehem",
}
TEXTS = [
    "email",
    "password",
    "password_confirm",
    "username",
    "first_name",
    "last_name",
    "display_name",
    "timezone",
]
FLAGS = ["terms_accepted", "privacy_policy_accepted"]

Deliver = Callable[[], list[EmailMessage]]

pytestmark = pytest.mark.django_db


def assert_refused(answer: Any, *fields: str) -> None:
    body = answer.json()
    assert (answer.status_code, body["code"]) == (400, "validation_error"), body
    assert body["errors"].keys() == set(fields)
    assert "refresh_token" not in answer.cookies
    assert not UserSession.objects.exists()


def assert_nobody_joined() -> None:
    assert not User.objects.exists()
    assert not UserProfile.objects.exists()
    assert not OutgoingEmail.objects.exists()


def test_the_specifications_request_makes_an_account(api: APIClient) -> None:
    consents = {"terms_accepted": True, "privacy_policy_accepted": True}
    asked = {**NEWCOMER, "username": "naomi", "password_confirm": PASSWORD, **consents}

    answer = api.post(URL, asked)

    user = User.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "message": MESSAGE,
        "user_id": str(user.pk),
        "email": "naomi@example.org",
    }
    assert (user.email, user.username, user.first_name, user.last_name) == (
        "naomi@example.org",
        "naomi",
        "Naomi",
        "Bethlehem",
    )
    assert user.terms_accepted_at == user.privacy_policy_accepted_at == user.created_at
    assert (user.email_verified, user.email_verified_at) == (False, None)
    assert (user.is_active, user.is_staff, user.is_superuser) == (True, False, False)
    assert UserProfile.objects.get().user == user
    assert PasswordHistory.objects.get().password_hash == user.password
    assert AuditLog.objects.get(event_type="registration").user == user


def test_four_fields_are_enough(api: APIClient) -> None:
    answer = api.post(URL, NEWCOMER)

    user = User.objects.get()
    assert answer.status_code == 201
    assert user.username.startswith("member-")
    assert "naomi" not in user.username
    assert (user.terms_accepted_at, user.privacy_policy_accepted_at) == (None, None)


def test_optional_fields_are_kept(api: APIClient) -> None:
    answer = api.post(URL, {**NEWCOMER, "timezone": "Europe/Berlin", "display_name": "Naomi B."})

    profile = UserProfile.objects.get()
    assert answer.status_code == 201
    assert (profile.timezone, profile.display_name, profile.visibility) == (
        "Europe/Berlin",
        "Naomi B.",
        "private",
    )


def test_names_may_be_empty(api: APIClient) -> None:
    answer = api.post(URL, {**NEWCOMER, "first_name": "", "last_name": "  ", "display_name": ""})

    user = User.objects.get()
    assert answer.status_code == 201
    assert (user.first_name, user.last_name) == ("", "")


@pytest.mark.parametrize("form", ["json", "multipart", "form"])
def test_json_and_forms_are_read(api: APIClient, form: str) -> None:
    yes = True if form == "json" else "true"
    asked = {**NEWCOMER, "terms_accepted": yes, "privacy_policy_accepted": yes}

    if form == "form":
        text = "&".join(f"{name}={value}" for name, value in asked.items())
        answer = api.post(URL, text, content_type="application/x-www-form-urlencoded")
    else:
        answer = api.post(URL, asked, format=form)

    assert answer.status_code == 201, answer.content
    assert User.objects.get().terms_accepted_at


def test_a_link_that_proves_the_address_is_mailed(api: APIClient, delivered: Deliver) -> None:
    api.post(URL, NEWCOMER)

    [message] = delivered()
    verified = api.post(f"{API}/email/verify/", {"token": token_in(message)})
    assert message.to == ["naomi@example.org"]
    assert verified.status_code == 200
    assert User.objects.get().email_verified


def test_the_mail_goes_to_the_address_as_typed(api: APIClient, delivered: Deliver) -> None:
    api.post(URL, {**NEWCOMER, "email": "Naomi.B+vineyard@GMail.com"})

    [message] = delivered()
    assert message.to == ["Naomi.B+vineyard@GMail.com"]
    assert User.objects.get().email_canonical == "naomib@gmail.com"


def test_the_mailed_link_does_not_follow_the_requests_host(
    api: APIClient, delivered: Deliver, settings: Settings
) -> None:
    settings.ALLOWED_HOSTS = ["*"]

    api.post(URL, NEWCOMER, headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})

    [message] = delivered()
    assert settings.BACKEND_URL in str(message.body)
    assert "evil.example" not in str(message.message())


def test_registering_signs_nobody_in(api: APIClient) -> None:
    answer = api.post(URL, NEWCOMER)

    assert "refresh_token" not in answer.cookies
    assert not UserSession.objects.exists()


def test_the_password_is_stored_as_argon2id(api: APIClient) -> None:
    api.post(URL, NEWCOMER)

    user = User.objects.get()
    assert user.password.startswith("argon2$argon2id$")
    assert user.check_password(PASSWORD)


def test_unknown_fields_give_nobody_rights(api: APIClient) -> None:
    wishes = {
        "is_staff": True,
        "is_superuser": True,
        "email_verified": True,
        "is_active": False,
        "id": str(uuid.uuid4()),
    }

    answer = api.post(
        URL, {**NEWCOMER, **wishes, "groups": [1], "email_canonical": "x@example.org"}
    )

    user = User.objects.get()
    assert answer.status_code == 201
    assert (user.is_staff, user.is_superuser, user.email_verified, user.is_active) == (
        False,
        False,
        False,
        True,
    )
    assert str(user.pk) != wishes["id"]
    assert user.email_canonical == "naomi@example.org"


@pytest.mark.parametrize(
    "header", ["Bearer stale.access.token", "Bearer", "Basic dXNlcjpwYXNz", "Bearer \u00fc"]
)
def test_the_authorization_header_is_not_even_read(api: APIClient, header: str) -> None:
    answer = api.post(URL, NEWCOMER, headers={"Authorization": header})

    assert answer.status_code == 201


def test_a_signed_in_person_may_register_somebody_else(
    api: APIClient, signed_in: dict[str, Any]
) -> None:
    answer = api.post(URL, NEWCOMER, headers=bearer(signed_in["access"]))

    assert answer.status_code == 201
    assert User.objects.count() == 2


class TestTakenAddress:
    @pytest.mark.parametrize(
        ("owned", "asked"),
        [
            ("naomi@example.org", "naomi@example.org"),
            ("naomi@example.org", "NAOMI@Example.ORG"),
            ("naomi@example.org", " naomi@example.org "),
            ("naomi@example.org", "\uff4eaomi@example.org"),
            ("naomi.b@gmail.com", "NaomiB+anything@googlemail.com"),
            ("naomi@b\u00fccher.example", "naomi@xn--bcher-kva.example"),
        ],
    )
    def test_it_is_answered_as_a_new_one_and_its_owner_told(
        self, api: APIClient, delivered: Deliver, owned: str, asked: str
    ) -> None:
        owner = UserFactory(email=owned)

        answer = api.post(URL, {**NEWCOMER, "email": asked})

        body = answer.json()
        [message] = delivered()
        assert answer.status_code == 201
        assert body.keys() == {"message", "user_id", "email"}
        assert body["message"] == MESSAGE
        assert uuid.UUID(body["user_id"]) != owner.pk
        assert User.objects.get() == owner
        assert UserProfile.objects.count() == 1
        assert message.to == [owner.email]
        assert OutgoingEmail.objects.get().kind == "account_exists"
        assert AuditLog.objects.get().event_type == "registration_duplicate"

    def test_it_leaves_the_owner_as_they_are(self, api: APIClient, person: User) -> None:
        before = User.objects.filter(pk=person.pk).values().get()

        api.post(URL, {**NEWCOMER, "email": person.email, "password": "Another-Horse-9"})

        assert User.objects.filter(pk=person.pk).values().get() == before

    def test_known_and_unknown_addresses_are_answered_alike(
        self, api: APIClient, person: User
    ) -> None:
        known = api.post(URL, {**NEWCOMER, "email": person.email})
        unknown = api.post(URL, {**NEWCOMER, "email": "orpah@example.org"})

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

    def test_what_is_wrong_with_the_rest_is_told_alike(self, api: APIClient, person: User) -> None:
        known = api.post(URL, {**NEWCOMER, "email": person.email, "password": "weak"})
        unknown = api.post(URL, {**NEWCOMER, "email": "orpah@example.org", "password": "weak"})

        assert known.status_code == unknown.status_code == 400
        assert known.json()["errors"] == unknown.json()["errors"]
        assert not OutgoingEmail.objects.exists()

    def test_it_is_named_where_enumeration_is_allowed(
        self, api: APIClient, person: User, settings: Settings
    ) -> None:
        settings.PREVENT_EMAIL_ENUMERATION = False

        answer = api.post(URL, {**NEWCOMER, "email": person.email.upper()})

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
    def test_good_ones_are_taken(self, api: APIClient, username: str) -> None:
        answer = api.post(URL, {**NEWCOMER, "username": username})

        assert answer.status_code == 201, answer.content
        assert User.objects.get().username == username

    @pytest.mark.parametrize(
        "username",
        [
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
        ],
        ids=lambda it: ascii(it)[:24],
    )
    def test_bad_ones_are_refused(self, api: APIClient, username: str) -> None:
        answer = api.post(URL, {**NEWCOMER, "username": username})

        assert_refused(answer, "username")
        assert_nobody_joined()

    @pytest.mark.parametrize("username", ["Coco", "COCO", "\uff43oco", "\u0441\u043e\u0441\u043e"])
    def test_a_taken_one_is_named_whatever_its_case_or_letters(
        self, api: APIClient, username: str
    ) -> None:
        owner = UserFactory(username="coco")

        answer = api.post(URL, {**NEWCOMER, "username": username})

        assert_refused(answer, "username")
        assert answer.json()["errors"] == {"username": ["This username is taken."]}
        assert User.objects.get() == owner
        assert not OutgoingEmail.objects.exists()

    @pytest.mark.parametrize("taken", ["yes", "no"])
    def test_one_asked_for_with_a_taken_address_is_as_good_as_given(
        self, api: APIClient, person: User, taken: str
    ) -> None:
        email = person.email if taken == "yes" else "orpah@example.org"
        api.post(URL, {**NEWCOMER, "email": email, "username": "Naomi.B"})

        answer = api.post(URL, {**NEWCOMER, "username": "naomi.b"})

        assert answer.status_code == 400
        assert answer.json()["errors"] == {"username": ["This username is taken."]}
        assert not User.objects.filter(email="naomi@example.org").exists()

    def test_a_taken_one_is_named_before_a_taken_address(
        self, api: APIClient, person: User
    ) -> None:
        answer = api.post(URL, {**NEWCOMER, "email": person.email, "username": person.username})

        assert_refused(answer, "username")
        assert not OutgoingEmail.objects.exists()


class TestPasswords:
    @pytest.mark.parametrize(
        "password",
        [
            "Sh0rt!a",
            "no-upper-case-1",
            "NO-LOWER-CASE-1",
            "No-Digit-At-All",
            "NoSpecial1Letter",
            "P@ssw0rd",
            "Naomi@example1",
            "Bethlehem-1",
        ],
    )
    def test_weak_ones_are_refused(self, api: APIClient, password: str) -> None:
        answer = api.post(URL, {**NEWCOMER, "password": password})

        assert_refused(answer, "password")
        assert answer.json()["errors"]["password"]
        assert password not in answer.content.decode()
        assert_nobody_joined()

    def test_every_broken_rule_is_named_at_once(self, api: APIClient) -> None:
        answer = api.post(URL, {**NEWCOMER, "password": "aaa"})

        assert_refused(answer, "password")
        assert len(answer.json()["errors"]["password"]) >= 2

    @pytest.mark.parametrize(
        "password",
        [
            " Correct-Horse-9 ",
            "Correct Horse 9 Battery",
            "\u041f\u0430\u0440\u043e\u043b\u044c-9-\u0434\u043b\u044f-\u0420\u0443\u0444\u0438",
            "Aa1-" + "\U0001f40e" * 20,
            "Aa1-" + "x" * 124,
        ],
    )
    def test_good_ones_are_used_exactly_as_sent(
        self, api: APIClient, settings: Settings, password: str
    ) -> None:
        settings.REQUIRE_EMAIL_VERIFICATION = False

        answer = api.post(URL, {**NEWCOMER, "password": password})

        login = {"email": NEWCOMER["email"]}
        assert answer.status_code == 201, answer.content
        assert api.post(LOGIN, {**login, "password": password.swapcase()}).status_code == 401
        assert api.post(LOGIN, {**login, "password": password}).status_code == 200

    def test_one_is_the_same_however_its_letters_are_composed(
        self, api: APIClient, settings: Settings
    ) -> None:
        settings.REQUIRE_EMAIL_VERIFICATION = False
        composed, decomposed = "Stra\u00dfen-\u00dc9", "Stra\u00dfen-U\u03089"

        api.post(URL, {**NEWCOMER, "password": decomposed})

        assert (
            api.post(LOGIN, {"email": NEWCOMER["email"], "password": composed}).status_code == 200
        )

    def test_one_of_129_characters_is_too_long(self, api: APIClient) -> None:
        answer = api.post(URL, {**NEWCOMER, "password": "Aa1-" + "x" * 125})

        assert_refused(answer, "password")
        assert_nobody_joined()

    def test_the_confirmation_must_be_the_same_when_sent(self, api: APIClient) -> None:
        answer = api.post(URL, {**NEWCOMER, "password_confirm": PASSWORD + " "})

        assert_refused(answer, "password_confirm")
        assert_nobody_joined()


class TestConsent:
    @pytest.mark.parametrize("flag", FLAGS)
    def test_saying_no_is_not_registering(self, api: APIClient, flag: str) -> None:
        answer = api.post(URL, {**NEWCOMER, flag: False})

        assert_refused(answer, flag)
        assert_nobody_joined()

    @pytest.mark.parametrize("missing", [FLAGS, FLAGS[:1], FLAGS[1:]])
    def test_it_is_mandatory_where_the_settings_say_so(
        self, api: APIClient, settings: Settings, missing: list[str]
    ) -> None:
        settings.REQUIRE_CONSENT = True

        answer = api.post(
            URL, {**NEWCOMER, **{flag: True for flag in FLAGS if flag not in missing}}
        )

        assert_refused(answer, *missing)
        assert_nobody_joined()

    def test_it_is_enough_where_it_is_mandatory(self, api: APIClient, settings: Settings) -> None:
        settings.REQUIRE_CONSENT = True

        answer = api.post(
            URL, {**NEWCOMER, "terms_accepted": True, "privacy_policy_accepted": True}
        )

        assert answer.status_code == 201

    def test_one_consent_alone_is_stamped_alone(self, api: APIClient) -> None:
        api.post(URL, {**NEWCOMER, "terms_accepted": True})

        user = User.objects.get()
        assert user.terms_accepted_at is not None
        assert user.privacy_policy_accepted_at is None


class TestMalformed:
    @pytest.fixture(autouse=True)
    def _unlimited(self, settings: Settings) -> None:
        settings.RATELIMIT_ENABLE = False

    @pytest.mark.parametrize("field", ["email", "password"])
    def test_what_is_needed_must_be_there(self, api: APIClient, field: str) -> None:
        answer = api.post(URL, {name: value for name, value in NEWCOMER.items() if name != field})

        assert_refused(answer, field)
        assert_nobody_joined()

    @pytest.mark.parametrize(
        "field", ["email", "password", "password_confirm", "username", "timezone"]
    )
    def test_empty_is_as_good_as_missing(self, api: APIClient, field: str) -> None:
        answer = api.post(URL, {**NEWCOMER, field: ""})

        assert_refused(answer, field)
        assert_nobody_joined()

    @pytest.mark.parametrize("field", [*TEXTS, *FLAGS])
    def test_null_is_no_value(self, api: APIClient, field: str) -> None:
        answer = api.post(URL, {**NEWCOMER, field: None})

        assert_refused(answer, field)
        assert_nobody_joined()

    @pytest.mark.parametrize("field", TEXTS)
    def test_only_a_string_is_a_text(self, api: APIClient, field: str) -> None:
        for value in (1, 1.5, True, [], ["text"], {}, {"text": "text"}):
            answer = api.post(URL, {**NEWCOMER, field: value})

            assert_refused(answer, field)
        assert_nobody_joined()

    @pytest.mark.parametrize("field", FLAGS)
    def test_only_true_is_consent(self, api: APIClient, field: str) -> None:
        values: list[object] = ["true", "yes", 1, 0, [], [True], {}]
        for value in values:
            answer = api.post(URL, {**NEWCOMER, field: value})

            assert_refused(answer, field)
        assert_nobody_joined()

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("email", "a" * 243 + "@example.org"),
            ("email", "a" * 60_000 + "@example.org"),
            ("first_name", "x" * 151),
            ("last_name", "x" * 151),
            ("display_name", "x" * 81),
            ("timezone", "x" * 65),
            ("timezone", "Europe/Bethlehem"),
            ("timezone", "../../etc/passwd"),
            ("password_confirm", "x" * 129),
        ],
        ids=lambda it: ascii(it)[:24],
    )
    def test_lengths_and_choices_are_bounded(self, api: APIClient, field: str, value: str) -> None:
        answer = api.post(URL, {**NEWCOMER, field: value})

        assert_refused(answer, field)
        assert_nobody_joined()

    @pytest.mark.parametrize(
        "email",
        [
            "naomi",
            "naomi@",
            "@example.org",
            "naomi@example",
            "na omi@example.org",
            "naomi@exa mple.org",
            "naomi@@example.org",
            "naomi@example.org, orpah@example.org",
            "Naomi <naomi@example.org>",
            "n\u00e4omi@example.org",
            "naomi@[127.0.0.1]",
            ".@gmail.com",
            "+tag@gmail.com",
            "naomi@example.org\r\nBcc: everyone@example.org",
        ],
    )
    def test_an_address_nobody_can_write_to_is_refused(self, api: APIClient, email: str) -> None:
        answer = api.post(URL, {**NEWCOMER, "email": email})

        assert_refused(answer, "email")
        assert_nobody_joined()

    @pytest.mark.parametrize("field", TEXTS)
    def test_control_characters_and_surrogates_are_refused(
        self, api: APIClient, field: str
    ) -> None:
        good = {"email": "naomi@example.org", "timezone": "UTC", "username": "naomi"}.get(
            field, PASSWORD
        )

        for character in ("\x00", "\x07", "\x1b", "\x7f", "\u0085", "\u202e", "\u2028", "\ud800"):
            asked = json.dumps({**NEWCOMER, field: good[:3] + character + good[3:]})
            answer = api.post(URL, asked, content_type="application/json")

            assert_refused(answer, field)
        assert_nobody_joined()

    def test_all_faults_are_named_at_once(self, api: APIClient) -> None:
        answer = api.post(URL, {"email": "naomi", "username": "x", "terms_accepted": False})

        assert_refused(answer, "email", "username", "terms_accepted", "password")
        assert_nobody_joined()
