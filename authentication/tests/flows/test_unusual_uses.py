"""Uses of accounts in new countries."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import AuditLog, KnownCountry, OutgoingEmail, User
from authentication.services.accounts.erasure import erase
from authentication.services.accounts.personal_data import personal_data
from authentication.tests.clients import NOON, get_as, page_browser, post_as, submit_form
from authentication.tests.conftest import API, Deliver, token_in
from authentication.tests.factories import UserFactory
from authentication.tests.places import (
    BERLIN,
    LONDON,
    MUNICH,
    NETWORKS,
    NEW_YORK,
    write_places,
)

from .unusual import Watch, found, mailed, refresh_at, sign_in_at

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db,
    pytest.mark.time_machine(NOON, tick=False),
    pytest.mark.usefixtures("places_file"),
]


def countries() -> set[str]:
    return set(KnownCountry.objects.values_list("country", flat=True))


def test_the_first_country_is_not_new(at_home: Any) -> None:
    assert (found(), mailed(), countries()) == ([], [], {"DE"})


class TestNewCountry:
    def test_a_refresh_there_is_reported_and_mailed_once(
        self, api: APIClient, at_home: Any, watch: Watch, delivered: Deliver
    ) -> None:
        watch.wait(hours=7)
        tokens = refresh_at(api, at_home, LONDON)
        watch.examine()
        for _ in range(3):
            watch.wait(days=1)
            tokens = refresh_at(api, tokens, LONDON)
            watch.examine()

        assert found() == [("new_country", "medium", LONDON)]
        (mail,) = delivered()
        text = " ".join(str(mail.body).split())
        assert mail.subject == "Your account was used in another country"
        assert "New country: United Kingdom" in text
        assert "Time: Sunday 22 November, 19:06 (UTC)" in text
        assert f"Address: {LONDON} (London, United Kingdom)" in text
        assert "too far away" not in text
        assert "List-Unsubscribe" in mail.extra_headers

    def test_a_file_that_moves_a_network_says_nothing_about_people(
        self,
        api: APIClient,
        at_home: Any,
        watch: Watch,
        settings: Settings,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        moved = {**NETWORKS["91.64.0.0/16"], "country": {"iso_code": "AT"}}
        monkeypatch.setitem(NETWORKS, "91.64.0.0/16", moved)
        settings.GEOIP_PATH = write_places(tmp_path / "newer.mmdb")
        watch.wait(hours=7)
        refresh_at(api, at_home, "91.64.9.9")
        watch.examine()

        assert (found(), mailed(), countries()) == ([], [], {"DE", "AT"})

    def test_the_link_of_the_mail_ends_that_session_and_forgets_the_country(
        self, api: APIClient, person: User, at_home: Any, watch: Watch, delivered: Deliver
    ) -> None:
        watch.wait(hours=7)
        thief = sign_in_at(api, person, BERLIN, device=at_home["device_id"])
        watch.wait(hours=7)
        thief = refresh_at(api, thief, LONDON)
        watch.examine()
        (mail,) = delivered()

        submit_form(page_browser(), "/account/not-me/", {"token": token_in(mail)})

        assert get_as(api, thief, f"{API}/sessions/").status_code == 401
        assert countries() == {"DE"}

    def test_the_link_about_a_sign_in_to_the_admin_closes_the_admin(
        self, person: User, at_home: Any, watch: Watch, delivered: Deliver
    ) -> None:
        staff = Client()
        User.objects.filter(pk=person.pk).update(is_staff=True)
        staff.force_login(User.objects.get(pk=person.pk))
        assert staff.get("/admin/").status_code == 200
        AuditLog.log_event("admin_login", user=person, ip_address=LONDON)
        watch.examine()
        (mail,) = delivered()

        submit_form(page_browser(), "/account/not-me/", {"token": token_in(mail)})

        assert staff.get("/admin/").status_code == 302

    def test_a_sign_in_on_a_new_device_has_one_mail_that_says_it(
        self, api: APIClient, person: User, at_home: Any, watch: Watch, delivered: Deliver
    ) -> None:
        watch.wait(hours=7)
        sign_in_at(api, person, LONDON)
        watch.examine()

        assert mailed() == ["new_device"]
        assert "New country: United Kingdom" in str(delivered()[0].body)
        assert found() == [("new_country", "medium", LONDON)]
        event = AuditLog.objects.filter(event_type="login").latest("timestamp")
        assert (event.risk_level, event.metadata["new_device"]) == ("medium", True)

    def test_a_new_device_in_a_known_country_is_not_said_to_be_in_a_new_one(
        self, api: APIClient, person: User, at_home: Any, delivered: Deliver
    ) -> None:
        sign_in_at(api, person, MUNICH)

        assert "New country" not in str(delivered()[0].body)

    def test_a_sign_in_on_a_known_device_is_mailed(
        self, api: APIClient, person: User, at_home: Any, watch: Watch
    ) -> None:
        watch.wait(hours=7)
        sign_in_at(api, person, LONDON, device=at_home["device_id"])
        watch.examine()

        assert mailed() == ["new_country"]

    def test_the_mail_is_in_the_language_of_its_reader(
        self, api: APIClient, person: User, at_home: Any, watch: Watch, delivered: Deliver
    ) -> None:
        User.objects.filter(pk=person.pk).update(language="de")
        watch.wait(hours=1)
        refresh_at(api, at_home, NEW_YORK)
        watch.examine()

        text = " ".join(str(delivered()[0].body).split())
        assert "Neues Land: Vereinigte Staaten" in text
        assert "Zuvor: Deutschland" in text
        assert f"{NEW_YORK} (New York, Vereinigte Staaten)" in text

    def test_who_wants_no_notices_gets_none(
        self, api: APIClient, person: User, at_home: Any, watch: Watch, delivered: Deliver
    ) -> None:
        User.objects.filter(pk=person.pk).update(notices_stopped_at=NOON)
        watch.wait(hours=7)
        refresh_at(api, at_home, LONDON)
        watch.examine()

        assert delivered() == []
        assert OutgoingEmail.objects.get(kind="new_country").status == "suppressed"

    def test_the_owner_sees_it_among_the_events_and_can_disown_it(
        self, api: APIClient, at_home: Any, watch: Watch
    ) -> None:
        watch.wait(hours=7)
        tokens = refresh_at(api, at_home, LONDON)
        watch.examine()

        newest, *_ = get_as(api, tokens, f"{API}/account/activity/").json()["events"]
        assert newest["text"] == (
            "Your account was used in a country where it had not been used before."
        )
        assert (newest["country"], newest["is_current"]) == ("United Kingdom", True)
        url = f"{API}/account/activity/{newest['id']}/disown/"
        assert post_as(api, tokens, url).status_code == 200
        assert get_as(api, tokens, f"{API}/sessions/").status_code == 401


class TestPersonalData:
    def test_a_copy_has_the_countries_and_an_erasure_deletes_them(
        self, at_home: Any, person: User
    ) -> None:
        (row,) = dict(personal_data(person))["known_countries"]
        assert (row["country"], row["ip_address"]) == ("DE", BERLIN)

        User.objects.filter(pk=person.pk).update(deletion_requested_at=NOON)
        assert erase(person.pk)
        assert not KnownCountry.objects.exists()


def test_staff_see_what_is_unusual_first(
    api: APIClient, at_home: Any, watch: Watch, person: User
) -> None:
    watch.wait(hours=1)
    refresh_at(api, at_home, NEW_YORK)
    watch.examine()
    client = Client()
    client.force_login(UserFactory(is_staff=True, is_superuser=True))

    (task,) = (it for it in client.get("/admin/").context["tasks"] if "apart" in it.text)

    assert task.text == "1 account used at places too far apart for the time between this week."
    assert client.get(task.url).context["cl"].result_count == 1
