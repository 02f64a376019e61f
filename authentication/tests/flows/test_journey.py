"""The life of an account in an app, in a browser, and with the specification's client."""

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import pytest
import requests
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer
from rest_framework.test import APIClient

from authentication.models import AuditLog, User, UserProfile, UserSession
from authentication.tests.answers import CLEARED, cookie_of
from authentication.tests.clients import NEW_PASSWORD
from authentication.tests.conftest import API, BROWSER, CHROME, ME, Deliver, bearer, token_in
from authentication.tests.factories import PASSWORD

from . import spec_client

EMAIL = "Naomi.Bethlehem@example.org"
MODES = ["an app", "a browser", "the frontend"]
HEADERS = {
    "an app": {"User-Agent": "VineyardApp/1.0 (iPhone; iOS 18.1)"},
    "a browser": BROWSER,
    "the frontend": {
        "Origin": "http://localhost:3000",
        "Sec-Fetch-Site": "same-site",
        "User-Agent": CHROME,
    },
}

pytestmark = pytest.mark.integration


@dataclasses.dataclass
class Device:
    """A client that keeps its tokens as its kind does."""

    api: APIClient
    keeps_refresh: bool
    access: str = ""
    refresh: str = ""

    @classmethod
    def of(cls, mode: str) -> "Device":
        return cls(api=APIClient(headers=HEADERS[mode]), keeps_refresh=mode == "an app")

    def post(
        self, path: str, body: dict[str, Any] | None = None, *, signed_in: bool = False
    ) -> Any:
        """Send a request and keep the tokens it gives."""
        answer = self.api.post(
            f"{API}/{path}/", body or {}, headers=bearer(self.access) if signed_in else {}
        )
        if self.keeps_refresh:
            self.api.cookies.clear()
        tokens = answer.json()
        self.access = tokens.get("access", self.access)
        self.refresh = tokens.get("refresh", self.refresh)
        assert ("refresh" in tokens) == (self.keeps_refresh and "access" in tokens)
        return answer

    def renew(self) -> Any:
        """Refresh the tokens as this kind of client does."""
        return self.post("token/refresh", {"refresh": self.refresh} if self.keeps_refresh else {})

    def log_in(self, password: str, **extra: Any) -> Any:
        return self.post(
            "login", {"email_or_username": EMAIL.lower(), "password": password, **extra}
        )

    def me(self) -> int:
        return int(self.api.get(ME, headers=bearer(self.access)).status_code)

    def sessions(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self.api.get(
            f"{API}/sessions/", headers=bearer(self.access)
        ).json()["sessions"]
        return listed


@pytest.mark.django_db
@pytest.mark.parametrize("mode", MODES)
def test_an_account_works_from_registration_to_sign_out(mode: str, delivered: Deliver) -> None:
    phone, laptop = Device.of(mode), Device.of(mode)

    join(phone, delivered)
    renew_tokens(phone)
    sign_in_on_another_device(laptop)
    end_all_other_sessions(laptop, phone)
    change_the_password(laptop, phone)
    sign_out(laptop, phone)

    events = set(AuditLog.objects.values_list("event_type", flat=True))
    assert events >= {
        *(
            "registration",
            "email_verified",
            "token_exchange",
            "token_refresh",
            "login",
            "login_failed",
        ),
        *("sessions_terminated", "password_change", "logout"),
    }
    assert not AuditLog.objects.filter(user=None).exists()


def join(phone: Device, delivered: Deliver) -> None:
    names = {"first_name": "Naomi", "last_name": "Bethlehem"}
    registered = phone.post("register", {"email": EMAIL, "password": PASSWORD, **names})
    too_early = phone.log_in(PASSWORD)
    verified = phone.post("email/verify", {"token": token_in(delivered()[-1])})
    exchanged = phone.post("exchange-token", {"exchange_token": verified.json()["exchange_token"]})

    assert registered.status_code == 201
    assert (too_early.status_code, too_early.json()["code"]) == (403, "email_not_verified")
    assert exchanged.json()["first_login"] is True
    assert exchanged.json()["user_id"] == registered.json()["user_id"] == str(User.objects.get().pk)
    assert phone.me() == 200


def renew_tokens(phone: Device) -> None:
    old = phone.access

    renewed = phone.renew()

    assert renewed.status_code == 200
    assert phone.access != old
    assert phone.me() == 200


def sign_in_on_another_device(laptop: Device) -> None:
    laptop.log_in(PASSWORD, remember_me=True, device_name="Naomi's laptop")

    devices = laptop.sessions()

    assert [device["is_current"] for device in devices] == [True, False]
    assert devices[0]["device_name"] == "Naomi's laptop"
    assert {device["id"] for device in devices} == {
        str(session.pk) for session in UserSession.objects.all()
    }


def end_all_other_sessions(laptop: Device, phone: Device) -> None:
    ended = laptop.post("sessions/terminate-all", signed_in=True)

    assert ended.json() == {
        "message": "All sessions terminated successfully",
        "terminated_count": 1,
    }
    assert (phone.me(), phone.renew().status_code, laptop.me()) == (401, 401, 200)


def change_the_password(laptop: Device, phone: Device) -> None:
    changed = laptop.post(
        "password/change", {"old_password": PASSWORD, "new_password": NEW_PASSWORD}, signed_in=True
    )

    assert changed.status_code == 200
    assert laptop.me() == 200
    assert (phone.log_in(PASSWORD).status_code, phone.log_in(NEW_PASSWORD).status_code) == (
        401,
        200,
    )
    assert len(laptop.sessions()) == 2


def sign_out(laptop: Device, phone: Device) -> None:
    signed_out = laptop.post("logout", signed_in=True)

    assert signed_out.json() == {"message": "Logged out successfully"}
    assert cookie_of(signed_out) == CLEARED
    assert (laptop.me(), laptop.renew().status_code) == (401, 401)
    assert (phone.me(), phone.renew().status_code) == (200, 200)


@pytest.mark.django_db
@pytest.mark.parametrize("mode", MODES)
def test_a_forgotten_password_is_reset_by_mail(mode: str, delivered: Deliver) -> None:
    device = Device.of(mode)
    device.post("register", {"email": EMAIL, "password": PASSWORD})
    device.post("email/verify", {"token": token_in(delivered()[-1])})
    device.log_in(PASSWORD)

    device.post("password/reset", {"email": EMAIL.upper()})
    link_token = token_in(delivered()[-1])
    reset = device.post(
        "password/reset/confirm", {"token": link_token, "new_password": NEW_PASSWORD}
    )

    assert reset.json()["message"] == "Password reset successfully"
    assert (device.me(), device.renew().status_code) == (401, 401)
    assert device.log_in(PASSWORD).status_code == 401
    assert device.log_in(NEW_PASSWORD).status_code == 200
    assert device.me() == 200


@pytest.mark.django_db
@pytest.mark.parametrize("mode", MODES)
def test_a_lost_link_is_sent_again(mode: str, delivered: Deliver) -> None:
    device = Device.of(mode)
    device.post("register", {"email": EMAIL, "password": PASSWORD})
    lost = token_in(delivered()[-1])

    device.post("email/resend", {"email": EMAIL})
    found = token_in(delivered()[-1])

    assert found != lost
    assert device.post("email/verify", {"token": lost}).status_code == 400
    assert device.post("email/verify", {"token": found}).status_code == 200
    assert device.log_in(PASSWORD).status_code == 200


def test_the_specifications_client_is_an_exact_copy() -> None:
    copied = (
        Path(spec_client.__file__).read_text(encoding="utf-8").partition("# auth_client.py\n")[2]
    )

    digest = hashlib.sha256(copied.encode()).hexdigest()

    assert digest == "c07928bf7387dc218cdfb2deed213d5058e71d6d90c7f2d337d15562433ed960"


@pytest.fixture
def spec_api(
    live_server: LiveServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> spec_client.AuthClient:
    """Return the specification's client, for a server that needs no verified address."""
    settings.REQUIRE_EMAIL_VERIFICATION = False
    # Threads that send mails would compete with the server for the in-memory database.
    monkeypatch.setattr("authentication.services.background.queue._pool.submit", lambda *_: None)
    return spec_client.AuthClient(base_url=f"{live_server.url}{API}")


@pytest.mark.django_db(transaction=True)
def test_the_specifications_client_signs_in_and_lists_its_sessions(
    spec_api: spec_client.AuthClient,
) -> None:
    registered = spec_api.register("user@example.com", "Password123!", "John", "Doe")
    signed_in = spec_api.login("user@example.com", "Password123!")
    sessions = spec_api.get_sessions()

    user = User.objects.get()
    assert registered.keys() == {"message", "user_id", "email"}
    assert registered["user_id"] == signed_in["user"]["id"] == str(user.pk)
    assert (user.first_name, user.last_name) == ("John", "Doe")
    assert UserProfile.objects.get().user == user
    assert [session["is_current"] for session in sessions] == [True]


@pytest.mark.django_db(transaction=True)
def test_the_specifications_client_refreshes_by_cookie_until_it_signs_out(
    spec_api: spec_client.AuthClient,
) -> None:
    spec_api.register("user@example.com", "Password123!", "John", "Doe")
    spec_api.login("user@example.com", "Password123!")

    access = [spec_api.access_token, spec_api.refresh_token(), spec_api.refresh_token()]
    listed = spec_api.get_sessions()
    signed_out = spec_api.logout()

    assert len(set(access)) == 3
    assert len(listed) == 1
    assert signed_out == {"message": "Logged out successfully"}
    assert "refresh_token" not in spec_api.session.cookies
    for call in (spec_api.refresh_token, spec_api.logout, spec_api.get_sessions):
        with pytest.raises(requests.HTTPError) as refused:
            call()
        answer = refused.value.response
        assert answer is not None
        assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")
