"""POST /api/v1/auth/password/reset/confirm/."""

import datetime as dt
import json
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import (
    AuditLog,
    EmailVerificationToken,
    OutgoingEmail,
    PasswordHistory,
    PasswordResetToken,
    User,
    UserSession,
)
from authentication.services import ExchangeTokenService
from authentication.services.passwords import password as service
from authentication.tests.answers import LINK_INVALID, cookie_of, invalid, refusal_of
from authentication.tests.clients import (
    NEW_PASSWORD,
    NOON,
    Tokens,
    set_password,
    sign_in,
    use_access,
    use_refresh,
)
from authentication.tests.conftest import API, CHROME, bearer, token_in
from authentication.tests.factories import PASSWORD, UserFactory

URL = f"{API}/password/reset/confirm/"
LOGIN = f"{API}/login/"
DONE = {"message": "Password reset successfully"}
WEAK = {
    "too short": "Short-9",
    "no uppercase letter": "correct-horse-9",
    "no lowercase letter": "CORRECT-HORSE-9",
    "no digit": "Correct-Horse-Nine",
    "no special character": "CorrectHorse9",
    "common": "P@ssw0rd",
    "the address": "Naomi.Moabite@Example.org1",
    "the address's local part": "Naomi.Moabite1",
    "the username": "Gleaner-77!",
    "the first name": "Naomi-Ruth-1",
    "the last name": "Bethlehem-1",
    "the community's name": "My-Vineyard-42",
    "the one they have": PASSWORD,
}

Deliver = Callable[[], list[EmailMessage]]

pytestmark = pytest.mark.django_db


@pytest.fixture
def token(person: User) -> str:
    """Return the token of the mail the person got."""
    return mailed_token(person)


def mailed_token(user: User) -> str:
    return PasswordResetToken.objects.issue(User.objects.get(pk=user.pk), at=timezone.now())


def confirm(api: APIClient, token: object, new_password: object = NEW_PASSWORD, **more: Any) -> Any:
    return api.post(URL, {"token": token, "new_password": new_password, **more})


def signs_in(api: APIClient, person: User, password: str) -> bool:
    status = api.post(LOGIN, {"email": person.email, "password": password}).status_code
    api.cookies.clear()
    return bool(status == 200)


def assert_unchanged(person: User) -> None:
    stored, changed_at = person.password, person.password_changed_at
    person.refresh_from_db()
    assert (person.password, person.password_changed_at) == (stored, changed_at)
    assert not OutgoingEmail.objects.exists()
    assert not AuditLog.objects.filter(event_type="password_reset").exists()
    assert not PasswordHistory.objects.exists()
    assert not UserSession.objects.filter(is_active=False).exists()


class TestSuccess:
    def test_only_the_new_password_signs_in(self, api: APIClient, person: User, token: str) -> None:
        answer = confirm(api, token)

        assert (answer.status_code, answer.json()) == (200, DONE)
        assert signs_in(api, person, NEW_PASSWORD)
        assert not signs_in(api, person, PASSWORD)

    @pytest.mark.parametrize("client", ["api", "browser"])
    def test_nobody_is_signed_in_by_it(
        self, request: pytest.FixtureRequest, token: str, client: str
    ) -> None:
        answer = confirm(request.getfixturevalue(client), token)

        assert answer.json() == DONE
        assert not answer.cookies
        assert not UserSession.objects.exists()

    def test_every_session_ends(
        self, api: APIClient, person: User, signed_in: Tokens, token: str
    ) -> None:
        other = sign_in(api, person)

        confirm(api, token)

        assert [use_access(api, it) for it in (signed_in, other)] == [401, 401]
        assert [use_refresh(api, it) for it in (signed_in, other)] == [401, 401]
        assert set(UserSession.objects.values_list("is_active", "end_reason")) == {
            (False, "password_reset")
        }

    def test_a_thief_keeps_no_way_in_by_mail(
        self, api: APIClient, person: User, signed_in: Tokens, delivered: Deliver
    ) -> None:
        api.post(
            f"{API}/account/email/",
            {"email": "thief@example.net"},
            headers=bearer(signed_in["access"]),
        )
        sign_in(api, person, headers={"User-Agent": CHROME})
        mails = delivered()
        move = token_in(next(mail for mail in mails if mail.to == ["thief@example.net"]))
        disown = token_in(next(mail for mail in mails if "New sign-in" in mail.subject))
        confirm(api, mailed_token(person))

        answers = [
            api.post(f"{API}/account/email/confirm/", {"token": move}),
            api.post(f"{API}/account/disown-session/", {"token": disown}),
        ]

        assert [refusal_of(answer) for answer in answers] == [LINK_INVALID] * 2
        assert User.objects.get(pk=person.pk).email == person.email

    def test_an_exchange_token_from_before_opens_nothing(
        self, api: APIClient, person: User, token: str
    ) -> None:
        exchange = ExchangeTokenService.create(user_id=person.pk)
        confirm(api, token)

        answer = api.post(f"{API}/exchange-token/", {"exchange_token": exchange})

        assert refusal_of(answer) == LINK_INVALID
        assert not UserSession.objects.exists()

    def test_other_people_keep_their_sessions_and_links(self, api: APIClient, token: str) -> None:
        other = UserFactory()
        tokens, theirs = sign_in(api, other), mailed_token(other)

        confirm(api, token)

        assert use_access(api, tokens) == 200
        assert confirm(api, theirs).status_code == 200

    def test_a_lock_is_lifted(self, api: APIClient, person: User, token: str) -> None:
        for _ in range(5):
            signs_in(api, person, "Wrong-Horse-9")
        assert not signs_in(api, person, PASSWORD)

        answer = confirm(api, token)

        assert answer.status_code == 200
        assert signs_in(api, person, NEW_PASSWORD)
        person.refresh_from_db()
        assert (person.failed_login_attempts, person.locked_until) == (0, None)

    def test_an_unproven_address_is_proven_by_it(
        self, api: APIClient, time_machine: TimeMachineFixture, db: None
    ) -> None:
        time_machine.move_to(NOON, tick=False)
        newcomer = UserFactory(email_verified=False, email_verified_at=None)

        confirm(api, mailed_token(newcomer))

        newcomer.refresh_from_db()
        assert (newcomer.email_verified, newcomer.email_verified_at) == (True, NOON)
        assert signs_in(api, newcomer, NEW_PASSWORD)

    def test_the_owner_gets_one_mail(
        self, api: APIClient, person: User, token: str, delivered: Deliver
    ) -> None:
        confirm(api, token)

        [message] = delivered()
        text = message.message().as_string()
        assert (message.to, message.subject) == ([person.email], "Your password was changed")
        assert not any(secret in text for secret in (token, PASSWORD, NEW_PASSWORD))

    def test_it_is_audited_once_without_a_secret(
        self, api: APIClient, person: User, token: str
    ) -> None:
        asked = {"token": token, "new_password": NEW_PASSWORD}

        answer = api.post(URL, asked, headers={"User-Agent": CHROME}, REMOTE_ADDR="8.8.4.4")

        row = AuditLog.objects.get()
        text = json.dumps(AuditLog.objects.values().get(), default=str)
        assert (row.event_type, row.user, row.success) == ("password_reset", person, True)
        assert (row.ip_address, row.user_agent) == ("8.8.4.4", CHROME)
        assert row.correlation_id == answer["X-Correlation-ID"]
        assert not any(secret in text for secret in (token, PASSWORD, NEW_PASSWORD))

    def test_the_new_hash_is_remembered_and_the_breach_forgotten(
        self, api: APIClient, person: User, token: str
    ) -> None:
        User.objects.filter(pk=person.pk).update(password_breached_at=person.created_at)

        confirm(api, token)

        person.refresh_from_db()
        assert PasswordHistory.objects.latest("created_at").password_hash == person.password
        assert person.password_breached_at is None

    def test_a_second_factors_proof_is_not_given_by_it(
        self, api: APIClient, person: User, token: str
    ) -> None:
        confirm(api, token)
        signs_in(api, person, NEW_PASSWORD)

        assert not UserSession.objects.get().is_verified

    @pytest.mark.parametrize("header", ["Bearer stale.access.token", "Basic dXNlcjpwYXNz"])
    def test_a_stale_access_token_is_never_in_the_way(
        self, api: APIClient, token: str, header: str
    ) -> None:
        asked = {"token": token, "new_password": NEW_PASSWORD}

        assert api.post(URL, asked, headers={"Authorization": header}).status_code == 200


class TestTokensThatAreNoneAnyMore:
    """They all get one and the same answer."""

    def refused(self, api: APIClient, person: User, token: object, *, audits: int = 1) -> None:
        person.refresh_from_db()
        before = person.password

        answer = confirm(api, token, "Last-Horse-55")

        person.refresh_from_db()
        assert refusal_of(answer) == LINK_INVALID
        assert person.password == before
        assert not signs_in(api, person, "Last-Horse-55")
        assert (
            AuditLog.objects.filter(event_type="password_reset_failed", success=False).count()
            == audits
        )
        assert str(token) not in json.dumps(list(AuditLog.objects.values()), default=str)

    def test_a_used_one(self, api: APIClient, person: User, token: str) -> None:
        confirm(api, token)

        self.refused(api, person, token)

    @pytest.mark.parametrize(
        ("seconds", "status"), [(3599, 200), (3600, 400), (3601, 400), (3 * 86_400, 400)]
    )
    def test_one_an_hour_old(
        self,
        api: APIClient,
        person: User,
        time_machine: TimeMachineFixture,
        seconds: int,
        status: int,
    ) -> None:
        time_machine.move_to(NOON, tick=False)
        token = mailed_token(person)
        time_machine.shift(seconds)

        answer = confirm(api, token)

        assert answer.status_code == status
        if status == 400:
            assert refusal_of(answer) == LINK_INVALID
            assert_unchanged(person)

    def test_one_that_a_newer_one_replaced(self, api: APIClient, person: User, token: str) -> None:
        newer = mailed_token(person)

        self.refused(api, person, token)
        assert confirm(api, newer).status_code == 200

    def test_one_from_before_a_change_of_the_password(
        self, api: APIClient, person: User, signed_in: Tokens, token: str
    ) -> None:
        asked = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}
        assert (
            api.post(
                f"{API}/password/change/", asked, headers=bearer(signed_in["access"])
            ).status_code
            == 200
        )

        self.refused(api, person, token)

    def test_one_from_before_a_password_that_django_set(
        self, api: APIClient, person: User, token: str
    ) -> None:
        set_password(person)

        self.refused(api, person, token)

    def test_one_from_before_a_change_of_the_address(
        self, api: APIClient, person: User, token: str
    ) -> None:
        person.email = "elsewhere@example.org"
        person.save()

        self.refused(api, person, token)

    def test_one_of_a_disabled_account(self, api: APIClient, person: User, token: str) -> None:
        User.objects.filter(pk=person.pk).update(is_active=False)

        self.refused(api, person, token)

    @pytest.mark.parametrize(
        "tamper",
        [
            lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
            lambda token: token[:-1],
            lambda token: f"{token}A",
            lambda token: f"{token}=",
            lambda token: token.swapcase(),
            lambda token: token[::-1],
            lambda _: "' OR 1=1 --",
            lambda _: "x" * 128,
            lambda _: "x" * 60_000,
            lambda _: "\u00fc" * 43,
        ],
        ids=[
            "last letter",
            "shorter",
            "longer",
            "padded",
            "case",
            "reversed",
            "SQL",
            "made up",
            "endless",
            "other script",
        ],
    )
    def test_one_that_was_tampered_with(
        self, api: APIClient, person: User, token: str, tamper: Callable[[str], str]
    ) -> None:
        self.refused(api, person, tamper(token))
        assert confirm(api, token).status_code == 200

    def test_the_stored_digest_or_binding(self, api: APIClient, person: User, token: str) -> None:
        row = PasswordResetToken.objects.get()

        self.refused(api, person, row.token)
        self.refused(api, person, row.binding, audits=2)

    def test_a_token_of_another_kind(self, api: APIClient, person: User, signed_in: Tokens) -> None:
        verification = EmailVerificationToken.objects.issue(
            person.pk, email=person.email, at=timezone.now()
        )

        self.refused(api, person, verification)
        for foreign in (signed_in["access"], signed_in["refresh"]):
            assert confirm(api, foreign).status_code == 400
        assert signs_in(api, person, PASSWORD)

    def test_another_persons_changes_only_that_persons(self, api: APIClient, person: User) -> None:
        other = UserFactory()

        confirm(api, mailed_token(other))

        assert signs_in(api, person, PASSWORD)
        assert signs_in(api, other, NEW_PASSWORD)

    def test_one_that_a_change_at_the_same_time_voids(
        self, api: APIClient, person: User, token: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def somebody_is_faster(*_: object, **__: object) -> None:
            set_password(User.objects.get(pk=person.pk), "Faster-Horse-1")

        monkeypatch.setattr(service, "check_password_policy", somebody_is_faster)

        answer = confirm(api, token)

        assert refusal_of(answer) == LINK_INVALID
        assert signs_in(api, person, "Faster-Horse-1")
        assert PasswordResetToken.objects.get().used_at is None
        assert not OutgoingEmail.objects.exists()


class TestTheNewPassword:
    @pytest.mark.parametrize("why", WEAK)
    def test_a_weak_one_is_refused_and_does_not_burn_the_token(
        self, api: APIClient, db: None, why: str
    ) -> None:
        naomi = UserFactory(
            email="naomi.moabite@example.org",
            username="gleaner77",
            first_name="NaomiRuth",
            last_name="Bethlehem",
        )
        token = mailed_token(naomi)

        answer = confirm(api, token, WEAK[why])

        body = answer.json()
        assert (answer.status_code, body["code"], body["errors"].keys()) == (
            400,
            "validation_error",
            {"new_password"},
        )
        assert_unchanged(naomi)
        assert confirm(api, token).status_code == 200

    def test_two_that_differ_are_refused_and_do_not_burn_the_token(
        self, api: APIClient, person: User, token: str
    ) -> None:
        answer = confirm(api, token, new_password_confirm=PASSWORD)

        assert refusal_of(answer) == invalid(
            new_password_confirm=["The two passwords are not the same."]
        )
        assert_unchanged(person)
        assert confirm(api, token, new_password_confirm=NEW_PASSWORD).status_code == 200

    @pytest.mark.parametrize(
        "kept",
        [" Another-Horse-7", "Another-Horse-7  ", "Correct-Horse-7-" * 8, "Aa1\U0001f40e" * 3],
        ids=ascii,
    )
    def test_it_is_taken_exactly_as_it_comes(
        self, api: APIClient, person: User, token: str, kept: str
    ) -> None:
        assert confirm(api, token, kept).status_code == 200

        assert signs_in(api, person, kept)
        assert not signs_in(api, person, kept[:-1])
        assert not signs_in(api, person, kept.lower())

    def test_an_accented_letter_is_one_however_a_keyboard_makes_it(
        self, api: APIClient, person: User, token: str
    ) -> None:
        composed = "Ann\u00e9e-Fran\u00e7aise-7"

        confirm(api, token, unicodedata.normalize("NFD", composed))

        assert signs_in(api, person, composed)


class TestMalformed:
    @pytest.mark.parametrize("field", ["token", "new_password"])
    def test_both_must_be_there(self, api: APIClient, person: User, token: str, field: str) -> None:
        asked = {"token": token, "new_password": NEW_PASSWORD}
        del asked[field]

        answer = api.post(URL, asked)

        assert refusal_of(answer) == invalid(**{field: ["This field is required."]})
        assert_unchanged(person)

    @pytest.mark.parametrize("field", ["token", "new_password"])
    @pytest.mark.parametrize(
        "value",
        [None, 12345678, 1.5, True, [], {}, ["x"], "", "Another\x00Horse-7", "\udfff"],
        ids=ascii,
    )
    def test_only_a_string_without_control_characters_will_do(
        self, api: APIClient, person: User, token: str, field: str, value: object
    ) -> None:
        asked = json.dumps({"token": token, "new_password": NEW_PASSWORD, field: value})

        answer = api.post(URL, asked, content_type="application/json")

        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
        assert answer.json()["errors"].keys() == {field}
        assert_unchanged(person)

    def test_129_characters_are_too_many(self, api: APIClient, person: User, token: str) -> None:
        answer = confirm(api, token, "Correct-Horse-7-" * 8 + "x")

        assert answer.status_code == 400
        assert answer.json()["errors"].keys() == {"new_password"}
        assert_unchanged(person)

    def test_a_token_in_the_address_is_no_token(
        self, api: APIClient, person: User, token: str
    ) -> None:
        answer = api.post(f"{URL}?token={token}", {"new_password": NEW_PASSWORD})

        assert answer.status_code == 400
        assert_unchanged(person)


def test_ten_tries_an_hour_are_allowed(api: APIClient, person: User, token: str) -> None:
    tries = [confirm(api, "x" * 43).status_code for _ in range(10)]

    answer = confirm(api, token)

    assert tries == [400] * 10
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert 0 < int(answer["Retry-After"]) <= 3600
    assert_unchanged(person)


class TestSomebodyElseRegisteredTheAddressFirst:
    """A victim's address, with a password the attacker knows (REG-04)."""

    ATTACKERS = "Attackers-Horse-1"

    @pytest.fixture
    def victim(self, api: APIClient, settings: Settings, db: None) -> User:
        settings.REQUIRE_EMAIL_VERIFICATION = False
        asked = {"email": "victim@example.org", "password": self.ATTACKERS}
        assert api.post(f"{API}/register/", asked).status_code == 201
        found: User = User.objects.get(email_canonical="victim@example.org")
        return found

    def test_the_attackers_password_and_sessions_are_dead_after_the_victims_reset(
        self, api: APIClient, victim: User, delivered: Deliver
    ) -> None:
        tokens = api.post(LOGIN, {"email": victim.email, "password": self.ATTACKERS}).json()
        api.cookies.clear()
        api.post(f"{API}/password/reset/", {"email": victim.email})
        [token] = [
            token_in(message) for message in delivered() if message.subject == "Reset your password"
        ]

        assert confirm(api, token).status_code == 200

        assert (use_access(api, tokens), use_refresh(api, tokens)) == (401, 401)
        assert not signs_in(api, victim, self.ATTACKERS)
        assert signs_in(api, victim, NEW_PASSWORD)

    def test_the_attackers_password_may_not_come_back(self, api: APIClient, victim: User) -> None:
        confirm(api, mailed_token(victim))

        answer = confirm(api, mailed_token(victim), self.ATTACKERS)

        assert answer.status_code == 400
        assert answer.json()["errors"].keys() == {"new_password"}

    def test_an_unproven_address_keeps_the_attacker_out_until_then(
        self, api: APIClient, victim: User, settings: Settings
    ) -> None:
        settings.REQUIRE_EMAIL_VERIFICATION = True

        answer = api.post(LOGIN, {"email": victim.email, "password": self.ATTACKERS})

        assert (answer.status_code, answer.json()["code"]) == (403, "email_not_verified")
        assert cookie_of(answer) is None


def test_a_lifetime_of_the_settings_holds(
    api: APIClient, person: User, time_machine: TimeMachineFixture, settings: Settings
) -> None:
    settings.PASSWORD_RESET_TIMEOUT = 5 * 60
    time_machine.move_to(NOON, tick=False)
    token = mailed_token(person)
    time_machine.shift(dt.timedelta(minutes=5))

    assert refusal_of(confirm(api, token)) == LINK_INVALID
