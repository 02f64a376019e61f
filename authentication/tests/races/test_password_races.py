"""Password changes and resets beside sign-ins and refreshes."""

import datetime as dt
import threading
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import (
    AuditLog,
    OutgoingEmail,
    PasswordHistory,
    PasswordResetToken,
    User,
    UserSession,
)
from authentication.models.user_queries import UserQuerySet
from authentication.services.acted_by import ActedBy
from authentication.services.administration import AdministrationService
from authentication.services.sign_in.exchange import ExchangeTokenService
from authentication.tests.clients import REFRESH, Tokens, sign_in, use_access, use_refresh
from authentication.tests.conftest import API, bearer
from authentication.tests.factories import PASSWORD, UserFactory

from .crowd import all_at_once, posts, statuses

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

LOGIN = f"{API}/login/"
CHANGE = f"{API}/password/change/"
CONFIRM = f"{API}/password/reset/confirm/"
CROWD, ROUNDS = 16, 4


def numbered(number: int) -> str:
    return f"Another-Horse-{number}"


def log_in(person: User, password: str = PASSWORD) -> Any:
    return APIClient().post(LOGIN, {"email": person.email, "password": password})


def change(tokens: Tokens, new_password: str) -> Any:
    asked = {"old_password": PASSWORD, "new_password": new_password}
    return APIClient().post(CHANGE, asked, headers=bearer(tokens["access"]))


def refresh(tokens: Tokens) -> Any:
    return APIClient().post(REFRESH, {"refresh": tokens["refresh"]})


def reset_token(person: User) -> str:
    return PasswordResetToken.objects.issue(User.objects.get(pk=person.pk), at=timezone.now())


def reset(token: str, new_password: str) -> Any:
    return APIClient().post(CONFIRM, {"token": token, "new_password": new_password})


def exchange(token: str) -> Any:
    return APIClient().post(f"{API}/exchange-token/", {"exchange_token": token})


def tokens_in(answers: list[Any]) -> list[Tokens]:
    return [answer.json() for answer in answers if answer.status_code == 200]


def assert_all_dead(api: APIClient, *tokens: Tokens) -> None:
    assert [use_access(api, it) for it in tokens] == [401] * len(tokens)
    assert [use_refresh(api, it) for it in tokens] == [401] * len(tokens)


def the_one_that_signs_in(person: User, *passwords: str) -> str:
    """Return the only one of these passwords that signs in."""
    fits = [
        password
        for password in passwords
        if User.objects.get(pk=person.pk).check_password(password)
    ]
    assert len(fits) == 1, fits
    assert log_in(person, fits[0]).status_code == 200
    return fits[0]


class TestOneResetToken:
    def test_sixteen_concurrent_resets_set_one_password(self, api: APIClient, person: User) -> None:
        before = sign_in(api, person)
        token = reset_token(person)

        answers = posts(
            CROWD, CONFIRM, lambda number: {"token": token, "new_password": numbered(number)}
        )

        assert statuses(answers) == {200: 1, 400: CROWD - 1}
        assert {answer.json()["code"] for answer in answers if answer.status_code == 400} == {
            "token_invalid"
        }
        winner = next(number for number, answer in enumerate(answers) if answer.status_code == 200)
        passwords = [PASSWORD, *map(numbered, range(CROWD))]
        assert the_one_that_signs_in(person, *passwords) == numbered(winner)
        assert_all_dead(api, before)
        assert AuditLog.objects.filter(event_type="password_reset").count() == 1
        assert AuditLog.objects.filter(event_type="password_reset_failed").count() == CROWD - 1
        assert OutgoingEmail.objects.filter(kind="password_changed").count() == 1

    def test_concurrent_with_a_newer_token_sets_one_password(self, person: User) -> None:
        for _ in range(ROUNDS):
            user = UserFactory()
            older = reset_token(user)

            answers = all_at_once(partial(reset, older, numbered(1)), partial(reset_token, user))

            assert answers[0].status_code in {200, 400}
            the_one_that_signs_in(user, PASSWORD, numbered(1))
            assert PasswordResetToken.objects.unused().filter(user=user).count() <= 1

    def test_against_a_change_leaves_one_password_and_no_older_token(self, api: APIClient) -> None:
        for _ in range(ROUNDS):
            person = UserFactory()
            tokens, token = sign_in(api, person), reset_token(person)

            by_change, by_reset = all_at_once(
                partial(change, tokens, numbered(1)), partial(reset, token, numbered(2))
            )

            assert sorted((by_change.status_code, by_reset.status_code)) in ([200, 400], [200, 401])
            wanted = numbered(1) if by_change.status_code == 200 else numbered(2)
            assert the_one_that_signs_in(person, PASSWORD, numbered(1), numbered(2)) == wanted
            assert_all_dead(api, tokens)

    def test_during_a_password_change_causes_no_server_error(
        self, api: APIClient, person: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tokens, token = sign_in(api, person), reset_token(person)
        changed, store = threading.Event(), UserQuerySet.change_password

        def store_after_the_change(people: UserQuerySet, user: User, *, since: dt.datetime) -> bool:
            if user._password == numbered(2):
                changed.wait(timeout=1)
            stored = store(people, user, since=since)
            changed.set()
            return stored

        monkeypatch.setattr(UserQuerySet, "change_password", store_after_the_change)

        by_change, by_reset = all_at_once(
            partial(change, tokens, numbered(1)), partial(reset, token, numbered(2))
        )

        assert sorted((by_change.status_code, by_reset.status_code)) in ([200, 400], [200, 401])
        the_one_that_signs_in(person, PASSWORD, numbered(1), numbered(2))


class TestAChange:
    def test_against_a_refresh_leaves_no_older_token_alive(self, api: APIClient) -> None:
        for _ in range(ROUNDS):
            person = UserFactory()
            mine, other = sign_in(api, person), sign_in(api, person)

            changed, *refreshes = all_at_once(
                partial(change, mine, numbered(1)),
                *[partial(refresh, it) for it in (mine, other, other)],
            )

            assert changed.status_code == 200
            assert set(statuses(refreshes)) <= {200, 401}
            assert_all_dead(api, mine, other, *tokens_in(refreshes))
            newest = changed.json()
            assert (use_access(api, newest), use_refresh(api, newest)) == (200, 200)
            assert UserSession.objects.filter(user=person, is_active=True).count() == 1

    def test_concurrent_with_another_leaves_one_password_and_session(self, api: APIClient) -> None:
        for _ in range(ROUNDS):
            person = UserFactory()
            devices = [sign_in(api, person) for _ in range(3)]

            answers = all_at_once(
                *[partial(change, it, numbered(n)) for n, it in enumerate(devices)]
            )

            assert statuses(answers) in (
                {200: 1, 401: 2},
                {200: 1, 400: 2},
                {200: 1, 400: 1, 401: 1},
            )
            winner = next(n for n, answer in enumerate(answers) if answer.status_code == 200)
            assert User.objects.get(pk=person.pk).check_password(numbered(winner))
            assert_all_dead(api, *devices)
            assert [use_access(api, it) for it in tokens_in(answers)] == [200]
            assert UserSession.objects.filter(user=person, is_active=True).count() == 1
            assert AuditLog.objects.filter(user=person, event_type="password_change").count() == 1
            assert OutgoingEmail.objects.filter(user=person, kind="password_changed").count() == 1
            newest = PasswordHistory.objects.filter(user=person).latest("created_at")
            assert newest.password_hash == User.objects.get(pk=person.pk).password

    def test_against_sign_ins_with_the_old_password_leaves_none_of_their_sessions(
        self, api: APIClient
    ) -> None:
        for _ in range(ROUNDS):
            person = UserFactory()
            mine = sign_in(api, person)

            changed, *sign_ins = all_at_once(
                partial(change, mine, numbered(1)), *[partial(log_in, person)] * 4
            )

            assert changed.status_code == 200
            assert set(statuses(sign_ins)) <= {200, 401}
            assert_all_dead(api, mine, *tokens_in(sign_ins))
            assert use_access(api, changed.json()) == 200
            assert UserSession.objects.filter(user=person, is_active=True).count() == 1

    def test_is_not_undone_by_a_sign_in_that_hashes_the_old_password_anew(
        self, api: APIClient, settings: Settings
    ) -> None:
        for _ in range(ROUNDS):
            person = UserFactory()
            mine = sign_in(api, person)
            User.objects.filter(pk=person.pk).update(password=make_password(PASSWORD))
            settings.ARGON2_MEMORY_KIB += 8

            changed, *sign_ins = all_at_once(
                partial(change, mine, numbered(1)), *[partial(log_in, person)] * 4
            )

            survivor = numbered(1) if changed.status_code == 200 else PASSWORD
            assert User.objects.get(pk=person.pk).check_password(survivor)
            if changed.status_code == 200:
                assert_all_dead(api, mine, *tokens_in(sign_ins))


class TestDisabling:
    @pytest.fixture
    def superuser(self) -> User:
        return UserFactory(is_staff=True, is_superuser=True)

    def disable(self, person: User, actor: User) -> None:
        AdministrationService.disable(person, by=ActedBy(actor))

    def test_against_refreshes_leaves_no_live_token(self, api: APIClient, superuser: User) -> None:
        for _ in range(ROUNDS):
            person = UserFactory()
            mine, other = sign_in(api, person), sign_in(api, person)

            _, *answers = all_at_once(
                partial(self.disable, person, superuser),
                *[partial(refresh, it) for it in (mine, mine, other)],
            )

            assert set(statuses(answers)) <= {200, 401}
            self.assert_shut_out(api, person, mine, other, *tokens_in(answers))

    def test_against_sign_ins_leaves_no_live_token(self, api: APIClient, superuser: User) -> None:
        for _ in range(ROUNDS):
            person = UserFactory()

            _, *answers = all_at_once(
                partial(self.disable, person, superuser), *[partial(log_in, person)] * 4
            )

            assert set(statuses(answers)) <= {200, 401, 403}
            self.assert_shut_out(api, person, *tokens_in(answers))

    def test_against_a_change_or_an_exchange_leaves_no_live_token(
        self, api: APIClient, superuser: User
    ) -> None:
        for _ in range(ROUNDS):
            person = UserFactory()
            mine, token = sign_in(api, person), ExchangeTokenService.create(user_id=person.pk)

            _, *answers = all_at_once(
                partial(self.disable, person, superuser),
                partial(change, mine, numbered(1)),
                partial(exchange, token),
            )

            assert set(statuses(answers)) <= {200, 400, 401}
            self.assert_shut_out(api, person, mine, *tokens_in(answers))

    def assert_shut_out(self, api: APIClient, person: User, *tokens: Tokens) -> None:
        assert_all_dead(api, *tokens)
        assert not UserSession.objects.filter(user=person, is_active=True).exists()
        # The account is open again: what was issued before stays dead all the same.
        User.objects.filter(pk=person.pk).update(is_active=True)
        assert_all_dead(api, *tokens)
