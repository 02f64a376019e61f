"""Failed sign-ins on unknown devices do not affect known ones."""

import datetime as dt

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import (
    AuditLog,
    KnownDevice,
    OutgoingEmail,
    User,
    UserSession,
)
from authentication.services.acted_by import ActedBy
from authentication.services.administration import AdministrationService
from authentication.tests.clients import NEW_PASSWORD, Tokens, sign_in
from authentication.tests.conftest import API, BROWSER, bearer
from authentication.tests.factories import PASSWORD, UserFactory

from .lockout import FAILED, LOCKED, attempt, fail, known_device, reset

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_own_clock")]
YEAR_AND_MORE = 400 * 24 * 60 * 60


class TestTheId:
    def test_a_browser_gets_it_in_an_http_only_cookie_alone(
        self, browser: APIClient, person: User
    ) -> None:
        answer = browser.post(f"{API}/login/", {"email": person.email, "password": PASSWORD})

        cookie = answer.cookies["device"]
        attributes = {it: cookie[it] for it in ("path", "samesite", "httponly", "max-age")}
        assert attributes == {
            "path": "/",
            "samesite": "Lax",
            "httponly": True,
            "max-age": YEAR_AND_MORE,
        }
        assert "device_id" not in answer.json()

    def test_an_app_gets_it_in_the_body_too(self, api: APIClient, person: User) -> None:
        answer = api.post(f"{API}/login/", {"email": person.email, "password": PASSWORD})

        assert answer.json()["device_id"] == answer.cookies["device"].value

    def test_without_cookies_every_client_gets_it_in_the_body(
        self, browser: APIClient, person: User, settings: Settings
    ) -> None:
        settings.ENABLE_COOKIE_REFRESH_TOKEN = False

        answer = browser.post(f"{API}/login/", {"email": person.email, "password": PASSWORD})

        assert len(answer.json()["device_id"]) == 43
        assert "device" not in answer.cookies

    def test_only_a_hash_of_it_is_stored_and_the_session_holds_that(
        self, api: APIClient, person: User
    ) -> None:
        device = known_device(api, person)

        stored = KnownDevice.objects.get()
        assert UserSession.objects.get().device_fingerprint == stored.digest
        assert device not in str(list(KnownDevice.objects.values()))

    def test_it_outlives_a_sign_out(self, browser: APIClient, person: User) -> None:
        browser.post(f"{API}/login/", {"email": person.email, "password": PASSWORD})

        answer = browser.post(f"{API}/logout/")

        assert answer.status_code == 200
        assert "device" not in answer.cookies
        assert browser.cookies["device"].value

    def test_it_stays_the_same_at_the_next_sign_in(self, api: APIClient, person: User) -> None:
        device = known_device(api, person)

        again = sign_in(api, person, headers={"X-Device-Id": device})

        assert again["device_id"] == device
        assert KnownDevice.objects.count() == 1

    def test_people_who_share_a_browser_each_have_a_secret_in_it(
        self, browser: APIClient, person: User
    ) -> None:
        people = [person, UserFactory()]

        for it in people * 2:
            browser.post(f"{API}/login/", {"email": it.email, "password": PASSWORD})

        assert [KnownDevice.objects.filter(user=it).count() for it in people] == [1, 1]
        assert len(browser.cookies["device"].value.split(".")) == 2

    def test_a_secret_that_the_client_brings_is_never_adopted(
        self, api: APIClient, person: User
    ) -> None:
        planted = known_device(api, UserFactory())

        mine = sign_in(api, person, headers={"X-Device-Id": planted})["device_id"]

        assert mine.split(".")[0] != planted
        assert fail(api, person.email, 5, device=planted) == [FAILED] * 5
        assert attempt(api, person.email, PASSWORD, device=planted).status_code == 403

    @pytest.mark.parametrize(
        "garbage", ["", ".", "x" * 5000, "A" * 42, "é" * 43, "A" * 43 + "." * 99]
    )
    def test_garbage_is_an_unknown_device(self, api: APIClient, person: User, garbage: str) -> None:
        answer = attempt(api, person.email, PASSWORD, device=garbage.encode().decode("latin-1"))

        assert answer.status_code == 200
        assert KnownDevice.objects.count() == 1

    def test_the_first_five_secrets_of_an_id_are_looked_up(
        self, api: APIClient, person: User
    ) -> None:
        known = known_device(api, person)
        fail(api, person.email, 5)
        others = [letter * 43 for letter in "ABCDE"]

        statuses = [
            attempt(api, person.email, PASSWORD, device=".".join(secrets)).status_code
            for secrets in ([*others, known], [*others[:4], known])
        ]

        assert statuses == [403, 200]


class TestTheLock:
    def test_failures_on_unknown_devices_do_not_lock_a_known_one(
        self, api: APIClient, person: User
    ) -> None:
        device = known_device(api, person)
        fail(api, person.email, 6)
        fail(api, person.username, 6)

        answers = [
            attempt(api, name, PASSWORD, device=device) for name in (person.email, person.username)
        ]

        assert [it.status_code for it in answers] == [200, 200]

    def test_failures_on_a_known_device_lock_it_alone(self, api: APIClient, person: User) -> None:
        device, other = known_device(api, person), known_device(api, person)

        codes = fail(api, person.email, 6, device=device)

        person.refresh_from_db()
        assert codes == [FAILED] * 5 + [LOCKED]
        assert attempt(api, person.email, PASSWORD, device=device).status_code == 403
        assert attempt(api, person.email, PASSWORD, device=other).status_code == 200
        assert attempt(api, person.email, PASSWORD).status_code == 200
        assert (person.failed_login_attempts, person.locked_until) == (0, None)

    def test_its_lock_is_audited_and_mailed_once(self, api: APIClient, person: User) -> None:
        device = known_device(api, person)

        fail(api, person.email, 7, device=device)

        assert AuditLog.objects.filter(event_type="account_locked", user=person).count() == 1
        assert OutgoingEmail.objects.filter(kind="account_locked", user=person).count() == 1

    def test_its_lock_ends_after_half_an_hour(
        self, time_machine: TimeMachineFixture, api: APIClient, person: User
    ) -> None:
        device = known_device(api, person)
        fail(api, person.email, 5, device=device)
        refused = attempt(api, person.email, device=device)

        time_machine.shift(dt.timedelta(minutes=30))

        assert refused["Retry-After"] == "1800"
        assert fail(api, person.email, 6, device=device) == [FAILED] * 5 + [LOCKED]

    def test_a_right_password_resets_its_count(self, api: APIClient, person: User) -> None:
        device = known_device(api, person)
        fail(api, person.email, 4, device=device)

        assert attempt(api, person.email, PASSWORD, device=device).status_code == 200
        assert fail(api, person.email, 5, device=device) == [FAILED] * 5

    def test_wrong_old_passwords_lock_the_session_and_not_its_device(
        self, api: APIClient, person: User
    ) -> None:
        tokens = sign_in(api, person)
        wrong = {"old_password": "Wrong-Horse-9", "new_password": NEW_PASSWORD}
        fail(api, person.email, 6)

        answers = [
            api.post(f"{API}/password/change/", wrong, headers=bearer(tokens["access"]))
            for _ in range(6)
        ]

        assert [it.status_code for it in answers] == [400] * 5 + [403]
        assert attempt(api, person.email, PASSWORD, device=tokens["device_id"]).status_code == 200

    @pytest.mark.parametrize("by", ["staff", "reset"])
    def test_staff_and_a_reset_lift_its_lock(self, api: APIClient, person: User, by: str) -> None:
        device = known_device(api, person)
        fail(api, person.email, 5, device=device)
        password = PASSWORD
        if by == "staff":
            AdministrationService.unlock(person, by=ActedBy(None))
        else:
            reset(api, person, device)
            password = NEW_PASSWORD

        assert attempt(api, person.email, password, device=device).status_code == 200


class TestTheWarning:
    def test_a_sign_in_on_an_unknown_device_is_mailed(self, api: APIClient, person: User) -> None:
        known = known_device(api, person)
        sign_in(api, person, headers={"X-Device-Id": known})
        assert not OutgoingEmail.objects.exists()

        known_device(api, person)

        assert OutgoingEmail.objects.get().kind == "new_device"

    def test_a_browser_is_known_by_its_cookie(self, browser: APIClient, person: User) -> None:
        for agent in (BROWSER["User-Agent"], "Another browser"):
            credentials = {"email": person.email, "password": PASSWORD}
            browser.post(f"{API}/login/", credentials, headers={"User-Agent": agent})

        assert not OutgoingEmail.objects.exists()

    def test_a_changed_password_warns_of_nothing(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        change = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}

        answer = api.post(f"{API}/password/change/", change, headers=bearer(signed_in["access"]))

        assert answer.status_code == 200
        assert not OutgoingEmail.objects.filter(kind="new_device").exists()
