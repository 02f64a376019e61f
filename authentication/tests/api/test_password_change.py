"""POST /api/v1/auth/password/change/."""

import itertools
import json
import unicodedata
from collections.abc import Callable
from typing import Any, Literal

import pytest
from django.core.mail import EmailMessage
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import AuditLog, OutgoingEmail, PasswordHistory, User, UserSession
from authentication.services.passwords import password as service
from authentication.tests.answers import (
    LINK_INVALID,
    TOKEN_INVALID,
    cookie_of,
    invalid,
    refresh_cookie,
    refusal_of,
)
from authentication.tests.clients import (
    NEW_PASSWORD,
    Tokens,
    refreshed,
    set_password,
    sign_in,
    use_access,
    use_refresh,
    use_verify,
)
from authentication.tests.conftest import API, BROWSER, CHROME, bearer, token_in
from authentication.tests.factories import PASSWORD, UserFactory

from .passwords import (
    CHANGE,
    LOGIN,
    WEAK_PASSWORDS,
    WRONG_PASSWORD,
    can_sign_in,
    change_password,
    naomi,
)

CHANGED = "Password changed successfully"
WRONG_OLD = {"old_password": ["This is not your current password."]}
WRONG_TYPES = [None, 12345678, 1.5, True, [], [NEW_PASSWORD], {}, {"text": NEW_PASSWORD}]

Deliver = Callable[[], list[EmailMessage]]
Form = Literal["NFC", "NFD"]

pytestmark = pytest.mark.django_db


def assert_unchanged(api: APIClient, person: User, tokens: Tokens, *, answer: Any) -> None:
    stored = person.password
    person.refresh_from_db()
    assert person.password == stored
    assert not PasswordHistory.objects.exists()
    assert not OutgoingEmail.objects.exists()
    assert not AuditLog.objects.filter(event_type="password_change").exists()
    assert cookie_of(answer) is None
    assert UserSession.objects.filter(is_active=True).count() == UserSession.objects.count()
    assert (use_access(api, tokens), use_refresh(api, tokens)) == (200, 200)


class TestSuccess:
    def test_the_device_gets_new_tokens(self, api: APIClient, signed_in: Tokens) -> None:
        answer = change_password(api, signed_in)

        body = answer.json()
        assert answer.status_code == 200
        assert body.keys() == {
            "message",
            "access_token",
            "access",
            "expires_in",
            "token_type",
            "refresh",
        }
        assert (body["message"], body["token_type"], body["expires_in"]) == (CHANGED, "Bearer", 900)
        assert body["access_token"] == body["access"]
        assert answer["Cache-Control"] == "no-store"
        assert cookie_of(answer) == refresh_cookie(body["refresh"])
        assert (use_access(api, body), use_refresh(api, body)) == (200, 200)

    def test_a_browser_gets_its_refresh_token_in_the_cookie_only(
        self, browser: APIClient, signed_in: Tokens
    ) -> None:
        answer = change_password(browser, signed_in)

        cookie = cookie_of(answer)
        assert answer.json().keys() == {
            "message",
            "access_token",
            "access",
            "expires_in",
            "token_type",
        }
        assert cookie
        assert cookie == refresh_cookie(cookie["value"])
        assert cookie["value"] not in answer.content.decode()
        assert browser.post(f"{API}/token/refresh/").status_code == 200

    def test_a_browser_gets_a_new_csrf_token(self, browser: APIClient, signed_in: Tokens) -> None:
        browser.get(f"{API}/csrf/")
        before = browser.cookies["csrftoken"].value

        change_password(browser, signed_in)

        assert browser.cookies["csrftoken"].value != before

    @pytest.mark.parametrize("use", [use_access, use_refresh, use_verify])
    def test_every_older_token_is_refused(
        self,
        api: APIClient,
        person: User,
        signed_in: Tokens,
        use: Callable[[APIClient, Tokens], int],
    ) -> None:
        other = sign_in(api, person)
        newest = refreshed(api, other["refresh"])

        change_password(api, signed_in)

        assert [use(api, tokens) for tokens in (signed_in, other, newest)] == [401, 401, 401]

    def test_every_other_session_ends_and_this_one_keeps_its_name_and_lifetime(
        self, api: APIClient, person: User
    ) -> None:
        sign_in(api, person)
        mine = sign_in(api, person, device_name="Ruth's phone", remember_me=True)

        change_password(api, mine)

        live = UserSession.objects.get(is_active=True)
        assert (live.device_name, live.remember_me) == ("Ruth's phone", True)
        assert list(
            UserSession.objects.filter(is_active=False).values_list("end_reason", flat=True)
        ) == [
            "password_change",
            "password_change",
        ]

    def test_a_pending_email_change_is_cancelled(
        self, api: APIClient, person: User, signed_in: Tokens, delivered: Deliver
    ) -> None:
        api.post(
            f"{API}/account/email/",
            {"email": "thief@example.net"},
            headers=bearer(signed_in["access"]),
        )
        move = token_in(next(mail for mail in delivered() if mail.to == ["thief@example.net"]))
        renewed = change_password(api, signed_in).json()

        answer = api.post(f"{API}/account/email/confirm/", {"token": move})

        assert refusal_of(answer) == LINK_INVALID
        state = api.get(f"{API}/account/email/", headers=bearer(renewed["access"])).json()
        assert state == {"email": person.email, "pending": None}

    def test_other_users_stay_signed_in(self, api: APIClient, signed_in: Tokens) -> None:
        others = sign_in(api, UserFactory())

        change_password(api, signed_in)

        assert (use_access(api, others), use_refresh(api, others)) == (200, 200)

    def test_only_the_new_password_signs_in(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        change_password(api, signed_in)

        assert can_sign_in(api, person, NEW_PASSWORD)
        assert not can_sign_in(api, person, PASSWORD)

    def test_the_owner_gets_one_mail(
        self, api: APIClient, person: User, signed_in: Tokens, delivered: Deliver
    ) -> None:
        change_password(api, signed_in)

        [message] = delivered()
        assert (message.to, message.subject) == ([person.email], "Your password was changed")
        assert OutgoingEmail.objects.get().kind == "password_changed"
        assert not any(secret in str(message.message()) for secret in (PASSWORD, NEW_PASSWORD))

    def test_the_change_is_audited_once_with_user_and_address(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        body = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}
        headers = {**bearer(signed_in["access"]), "User-Agent": CHROME}

        answer = api.post(CHANGE, body, headers=headers, REMOTE_ADDR="8.8.4.4")

        row = AuditLog.objects.get(event_type="password_change")
        assert (row.user, row.success, row.risk_level) == (person, True, "medium")
        assert (row.ip_address, row.user_agent) == ("8.8.4.4", CHROME)
        assert row.correlation_id == answer["X-Correlation-ID"]
        assert not any(secret in json.dumps(row.metadata) for secret in (PASSWORD, NEW_PASSWORD))

    def test_the_new_hash_is_added_to_the_history(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        change_password(api, signed_in)

        person.refresh_from_db()
        newest = PasswordHistory.objects.latest("created_at")
        assert (newest.user, newest.password_hash) == (person, person.password)

    def test_the_breach_flag_is_cleared(self, api: APIClient, person: User) -> None:
        User.objects.filter(pk=person.pk).update(password_breached_at=person.created_at)
        tokens = sign_in(api, person)

        change_password(api, tokens)

        answer = api.post(LOGIN, {"email": person.email, "password": NEW_PASSWORD})
        assert "password_breached" not in answer.json()["user"]


class TestOldPassword:
    @pytest.mark.parametrize(
        "old",
        [
            WRONG_PASSWORD,
            PASSWORD.lower(),
            f"{PASSWORD} ",
            f" {PASSWORD}",
            PASSWORD[:-1],
            NEW_PASSWORD,
        ],
    )
    def test_a_password_that_differs_is_refused_and_changes_nothing(
        self, api: APIClient, person: User, signed_in: Tokens, old: str
    ) -> None:
        answer = change_password(api, signed_in, old_password=old)

        assert refusal_of(answer) == invalid(**WRONG_OLD)
        assert_unchanged(api, person, signed_in, answer=answer)

    def test_five_wrong_passwords_lock_the_account(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        wrong = [
            change_password(api, signed_in, old_password=WRONG_PASSWORD).status_code
            for _ in range(5)
        ]

        right = change_password(api, signed_in)

        assert wrong == [400] * 5
        assert (right.status_code, right.json()["code"]) == (403, "account_locked")
        assert 1700 < int(right["Retry-After"]) <= 1801
        assert not can_sign_in(api, person, PASSWORD)
        assert OutgoingEmail.objects.get().kind == "account_locked"
        assert AuditLog.objects.filter(event_type="account_locked").count() == 1
        assert not AuditLog.objects.filter(event_type="password_change").exists()

    def test_wrong_sign_ins_and_wrong_old_passwords_are_counted_together(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        for _ in range(3):
            can_sign_in(api, person, WRONG_PASSWORD)
        for _ in range(2):
            change_password(api, signed_in, old_password=WRONG_PASSWORD)

        assert change_password(api, signed_in).status_code == 403

    def test_the_right_password_resets_the_count(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        for _ in range(4):
            change_password(api, signed_in, old_password=WRONG_PASSWORD)

        change_password(api, signed_in, new_password="weak")

        person.refresh_from_db()
        assert (person.failed_login_attempts, person.locked_until) == (0, None)


class TestNewPassword:
    @pytest.mark.parametrize("why", WEAK_PASSWORDS)
    def test_a_weak_password_is_refused(self, api: APIClient, db: None, why: str) -> None:
        weak, complaint = WEAK_PASSWORDS[why]
        owner = naomi()
        tokens = sign_in(api, owner)

        answer = change_password(api, tokens, new_password=weak)

        body = answer.json()
        assert (answer.status_code, body["code"], body["errors"].keys()) == (
            400,
            "validation_error",
            {"new_password"},
        )
        assert complaint in " ".join(body["errors"]["new_password"])
        assert_unchanged(api, owner, tokens, answer=answer)

    def test_every_broken_rule_is_named_at_once(self, api: APIClient, signed_in: Tokens) -> None:
        answer = change_password(api, signed_in, new_password="short")

        assert answer.json()["errors"] == {
            "new_password": [
                "This password is too short. It must contain at least 8 characters.",
                "The password must contain an uppercase letter, a digit, a special character.",
            ]
        }

    def test_the_last_five_passwords_are_refused_and_the_sixth_is_accepted(
        self, api: APIClient, person: User, signed_in: Tokens, settings: Settings
    ) -> None:
        settings.RATELIMIT_ENABLE = False
        chosen = [PASSWORD, *(f"Another-Horse-{n}!" for n in range(5))]
        tokens = signed_in
        for old, new in itertools.pairwise(chosen):
            tokens = change_password(api, tokens, old_password=old, new_password=new).json()

        again = [
            change_password(api, tokens, old_password=chosen[-1], new_password=former)
            for former in chosen[1:]
        ]
        oldest = change_password(api, tokens, old_password=chosen[-1], new_password=PASSWORD)

        message = "Choose a password that is not one of your last 5."
        assert [answer.json().get("errors") for answer in again] == [
            {"new_password": [message]}
        ] * 5
        assert oldest.status_code == 200
        assert PasswordHistory.objects.filter(user=person).count() == 5

    def test_a_rehash_at_sign_in_takes_no_place_among_the_last_five(
        self, api: APIClient, person: User, signed_in: Tokens, settings: Settings
    ) -> None:
        settings.RATELIMIT_ENABLE = False
        chosen = [PASSWORD, *(f"Another-Horse-{n}!" for n in range(6))]
        tokens = signed_in
        for old, new in itertools.pairwise(chosen):
            settings.ARGON2_MEMORY_KIB += 8
            tokens = change_password(api, tokens, old_password=old, new_password=new).json()

        again = [
            change_password(api, tokens, old_password=chosen[-1], new_password=it).status_code
            for it in chosen[-5:]
        ]

        assert again == [400] * 5

    def test_the_first_password_of_an_account_is_refused_as_a_former_one(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        tokens = change_password(api, signed_in).json()

        answer = change_password(api, tokens, old_password=NEW_PASSWORD, new_password=PASSWORD)

        assert answer.status_code == 400
        assert answer.json()["errors"].keys() == {"new_password"}

    def test_a_different_confirmation_is_refused(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        answer = change_password(api, signed_in, new_password_confirm=f"{NEW_PASSWORD} ")

        assert refusal_of(answer) == invalid(
            new_password_confirm=["The two passwords are not the same."]
        )
        assert_unchanged(api, person, signed_in, answer=answer)

    def test_the_same_confirmation_is_accepted(self, api: APIClient, signed_in: Tokens) -> None:
        assert change_password(api, signed_in, new_password_confirm=NEW_PASSWORD).status_code == 200

    def test_128_characters_are_accepted_and_all_of_them_count(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        longest = "Correct-Horse-7-" * 8

        assert change_password(api, signed_in, new_password=longest).status_code == 200

        assert len(longest) == 128
        assert not can_sign_in(api, person, f"{longest[:-1]}x")
        assert can_sign_in(api, person, longest)

    def test_129_characters_are_refused(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        answer = change_password(api, signed_in, new_password="Correct-Horse-7-" * 8 + "x")

        assert answer.status_code == 400
        assert answer.json()["errors"].keys() == {"new_password"}
        assert_unchanged(api, person, signed_in, answer=answer)

    @pytest.mark.parametrize("kept", [" Another-Horse-7", "Another-Horse-7   ", "Another Horse 7"])
    def test_blanks_are_part_of_the_password(
        self, api: APIClient, person: User, signed_in: Tokens, kept: str
    ) -> None:
        change_password(api, signed_in, new_password=kept)

        assert can_sign_in(api, person, kept)
        assert not can_sign_in(api, person, kept.replace(" ", ""))
        assert not kept.endswith(" ") or not can_sign_in(api, person, kept.strip())

    @pytest.mark.parametrize(
        "strong", ["\u0391\u03b2\u03b3\u03b4-\u03b5\u03b6\u03b7 \u0664", "Aa1\U0001f40e" * 3]
    )
    def test_every_script_and_emoji_are_accepted(
        self, api: APIClient, person: User, signed_in: Tokens, strong: str
    ) -> None:
        assert change_password(api, signed_in, new_password=strong).status_code == 200

        assert can_sign_in(api, person, strong)

    @pytest.mark.parametrize(("chosen", "typed"), [("NFC", "NFD"), ("NFD", "NFC")])
    def test_composed_and_decomposed_letters_are_the_same(
        self, api: APIClient, person: User, signed_in: Tokens, chosen: Form, typed: Form
    ) -> None:
        word = "Ann\u00e9e-Fran\u00e7aise-7"

        tokens = change_password(
            api, signed_in, new_password=unicodedata.normalize(chosen, word)
        ).json()

        other_form = unicodedata.normalize(typed, word)
        assert can_sign_in(api, person, other_form)
        assert change_password(api, tokens, old_password=other_form).status_code == 200

    def test_a_combining_accent_is_not_a_special_character(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        word = "Ann\u00e9eFran\u00e7aise7"

        for form in (unicodedata.normalize("NFC", word), unicodedata.normalize("NFD", word)):
            answer = change_password(api, signed_in, new_password=form)

            assert answer.status_code == 400, ascii(form)
            assert_unchanged(api, person, signed_in, answer=answer)
            signed_in = sign_in(api, person)


class TestMalformed:
    @pytest.mark.parametrize("field", ["old_password", "new_password"])
    def test_both_fields_are_required(
        self, api: APIClient, person: User, signed_in: Tokens, field: str
    ) -> None:
        body = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}
        del body[field]

        answer = api.post(CHANGE, body, headers=bearer(signed_in["access"]))

        assert refusal_of(answer) == invalid(**{field: ["This field is required."]})
        assert_unchanged(api, person, signed_in, answer=answer)

    def test_a_field_takes_a_string_without_control_characters_only(
        self, api: APIClient, person: User, signed_in: Tokens, settings: Settings
    ) -> None:
        settings.RATELIMIT_ENABLE = False
        fields = ["old_password", "new_password", "new_password_confirm"]
        values = [*WRONG_TYPES, "", "Another\x00Horse-7", "Another\nHorse-7"]
        failures = {}

        for field, value in itertools.product(fields, values):
            answer = change_password(api, signed_in, **{field: value})
            if (answer.status_code, answer.json().get("errors", {}).keys()) != (400, {field}):
                failures[field, str(value)] = answer.json()

        assert failures == {}
        assert_unchanged(api, person, signed_in, answer=answer)
        assert person.failed_login_attempts == 0


class TestAccess:
    def test_a_request_without_an_access_token_is_refused(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        body = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}

        for headers in ({}, bearer(signed_in["refresh"]), bearer("stale")):
            answer = api.post(CHANGE, body, headers=headers)

            assert refusal_of(answer) == TOKEN_INVALID
        assert_unchanged(api, person, signed_in, answer=answer)

    def test_a_cross_site_request_is_refused(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}

        answer = change_password(api, signed_in, headers=foreign)

        assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")
        assert_unchanged(api, person, signed_in, answer=answer)

    def test_a_user_may_try_ten_times_an_hour(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        tries = [api.post(CHANGE, {}, headers=bearer(signed_in["access"])) for _ in range(10)]

        refused = change_password(api, signed_in)
        other = change_password(api, sign_in(api, UserFactory()))

        assert {answer.status_code for answer in tries} == {400}
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        assert 0 < int(refused["Retry-After"]) <= 3600
        assert refused["RateLimit-Policy"] == '"password_change";q=10;w=3600'
        assert other.status_code == 200
        person.refresh_from_db()
        assert person.check_password(PASSWORD)


def test_a_request_that_a_concurrent_change_overtakes_changes_nothing(
    api: APIClient, person: User, signed_in: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change_it_first(*_: object, **__: object) -> None:
        set_password(User.objects.get(pk=person.pk), "Faster-Horse-1")

    monkeypatch.setattr(service, "check_password_policy", change_it_first)

    answer = change_password(api, signed_in)

    person.refresh_from_db()
    assert refusal_of(answer) == TOKEN_INVALID
    assert person.check_password("Faster-Horse-1")
    assert not OutgoingEmail.objects.exists()
    assert not PasswordHistory.objects.exists()
    assert not AuditLog.objects.filter(
        event_type__in=["password_change", "session_renewed"]
    ).exists()
    assert UserSession.objects.count() == UserSession.objects.filter(is_active=True).count() == 1


def test_a_page_of_the_front_end_is_accepted(
    browser: APIClient, person: User, signed_in: Tokens
) -> None:
    headers = {**BROWSER, "Origin": "http://localhost:3000"}

    answer = change_password(browser, signed_in, headers=headers)

    assert (answer.status_code, answer.json()["message"]) == (200, CHANGED)
    assert can_sign_in(APIClient(), person, NEW_PASSWORD)
