"""Where people are signed in: in their lists, in mails and in the admin."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import AuditLog, User, UserSession
from authentication.services.admin_pages import count_events
from authentication.tests.clients import Tokens, get_as, log_in, refreshed, sign_in
from authentication.tests.conftest import API, Deliver, queries
from authentication.tests.factories import UserFactory
from authentication.tests.places import BERLIN, LONDON, MUNICH, SWEDEN, UNLISTED

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("places_file")]

GERMAN = {"Accept-Language": "de"}


@pytest.fixture
def staff_client() -> Client:
    """Return the browser of a superuser in the admin."""
    client = Client()
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client


def sign_in_at(api: APIClient, person: User, address: str, **extra: Any) -> Tokens:
    api.defaults["REMOTE_ADDR"] = address
    return sign_in(api, person, **extra)


def session_place(api: APIClient, tokens: Tokens) -> tuple[str, str]:
    (shown,) = get_as(api, tokens, f"{API}/sessions/").json()["sessions"]
    return shown["city"], shown["country"]


def event_place(api: APIClient, tokens: Tokens) -> tuple[str, str]:
    shown = get_as(api, tokens, f"{API}/account/activity/").json()["events"][0]
    return shown["city"], shown["country"]


class TestOwner:
    @pytest.mark.parametrize(
        ("address", "place"),
        [(BERLIN, ("Berlin", "Germany")), (SWEDEN, ("", "Sweden")), (UNLISTED, ("", ""))],
    )
    def test_sessions_and_events_have_places(
        self, api: APIClient, person: User, address: str, place: tuple[str, str]
    ) -> None:
        tokens = sign_in_at(api, person, address)

        assert session_place(api, tokens) == place
        assert event_place(api, tokens) == place

    def test_countries_are_named_in_the_language_of_the_answer(
        self, api: APIClient, person: User
    ) -> None:
        tokens = sign_in_at(api, person, BERLIN)
        User.objects.filter(pk=person.pk).update(language="de")

        assert session_place(api, tokens) == ("Berlin", "Deutschland")
        assert event_place(api, tokens) == ("Berlin", "Deutschland")

    def test_the_place_of_staff_is_not_shown(self, api: APIClient, person: User) -> None:
        tokens = sign_in_at(api, person, BERLIN)
        AuditLog.log_event(
            "admin_action", user=person, ip_address=LONDON, metadata={"actor": str(person.pk)}
        )

        assert event_place(api, tokens) == ("", "")

    def test_a_session_keeps_the_place_of_its_sign_in(self, api: APIClient, person: User) -> None:
        tokens = sign_in_at(api, person, BERLIN)
        api.defaults["REMOTE_ADDR"] = LONDON

        assert session_place(api, refreshed(api, tokens["refresh"])) == ("Berlin", "Germany")

    def test_a_smaller_detail_hides_what_was_stored(
        self, api: APIClient, person: User, settings: Settings
    ) -> None:
        tokens = sign_in_at(api, person, BERLIN)

        settings.LOCATION_DETAIL = "country"
        assert session_place(api, tokens) == event_place(api, tokens) == ("", "Germany")
        settings.LOCATION_DETAIL = "off"
        assert session_place(api, tokens) == event_place(api, tokens) == ("", "")

    @pytest.mark.parametrize(
        ("detail", "stored"),
        [("off", ("", "")), ("country", ("", "DE")), ("city", ("Berlin", "DE"))],
    )
    def test_no_more_is_stored_than_the_settings_allow(
        self, api: APIClient, person: User, settings: Settings, detail: str, stored: Any
    ) -> None:
        settings.LOCATION_DETAIL = detail
        sign_in_at(api, person, BERLIN)

        session = UserSession.objects.get()
        assert (session.city, session.country) == stored
        assert "Berlin" not in str(AuditLog.objects.values_list("metadata", "description"))


class TestMail:
    def test_a_mail_about_a_new_device_says_where_it_is(
        self, api: APIClient, person: User, delivered: Deliver
    ) -> None:
        sign_in_at(api, person, BERLIN)
        sign_in_at(api, person, MUNICH)

        (message,) = delivered()
        assert isinstance(message, mail.EmailMultiAlternatives)
        assert f"Address: {MUNICH} (Munich, Germany)" in str(message.body)
        assert "(Munich, Germany)" in str(message.alternatives[0][0])

    def test_it_is_in_the_language_of_its_reader(
        self, api: APIClient, person: User, delivered: Deliver
    ) -> None:
        User.objects.filter(pk=person.pk).update(language="de")
        sign_in_at(api, person, BERLIN)
        sign_in_at(api, person, MUNICH)

        (message,) = delivered()
        assert f"{MUNICH} (München, Deutschland)" in " ".join(str(message.body).split())

    def test_without_a_place_it_has_the_address_alone(
        self, api: APIClient, person: User, delivered: Deliver
    ) -> None:
        sign_in_at(api, person, BERLIN)
        sign_in_at(api, person, UNLISTED)

        (message,) = delivered()
        assert f"Address: {UNLISTED}\n" in str(message.body)


class TestStaff:
    def test_the_page_of_a_person_shows_places(
        self, api: APIClient, person: User, staff_client: Client
    ) -> None:
        sign_in_at(api, person, BERLIN)

        page = staff_client.get(f"/admin/authentication/user/{person.pk}/person/")

        places = [line.more for _, lines, _ in page.context["parts"] for line in lines]
        assert sum(f"Berlin, Germany, {BERLIN}" in it for it in places) == 2

    def test_lists_show_places(self, api: APIClient, person: User, staff_client: Client) -> None:
        sign_in_at(api, person, BERLIN)

        for table in ("auditlog", "usersession"):
            page = staff_client.get(f"/admin/authentication/{table}/")
            assert b"Berlin, Germany" in page.content

    def test_the_front_page_counts_devices_by_country(
        self, api: APIClient, person: User, staff_client: Client, settings: Settings
    ) -> None:
        for address in (BERLIN, MUNICH, LONDON, UNLISTED):
            sign_in_at(api, person, address)
        count_events(seconds=10)

        shown = staff_client.get("/admin/").context["countries"]
        assert [(it.label, it.count) for it in shown] == [("Germany", "2"), ("United Kingdom", "1")]
        settings.LOCATION_DETAIL = "off"
        assert staff_client.get("/admin/").context["countries"] == []

    def test_the_command_that_lists_sessions_shows_places(
        self, api: APIClient, person: User
    ) -> None:
        sign_in_at(api, person, BERLIN)
        printed = StringIO()

        call_command("list_sessions", person.email, stdout=printed)

        assert "(Berlin, Germany)" in printed.getvalue()


def test_places_cost_no_statement(api: APIClient, person: User, settings: Settings) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert log_in(api, person).status_code == 200
        return len(queries(captured))

    api.defaults["REMOTE_ADDR"] = BERLIN
    statements()
    with_places = statements()
    settings.GEOIP_PATH = None

    assert statements() == with_places


@pytest.mark.parametrize("content", [None, b"<html>"])
def test_a_sign_in_needs_no_file(
    api: APIClient, person: User, settings: Settings, tmp_path: Path, content: bytes | None
) -> None:
    settings.GEOIP_PATH = tmp_path / "other.mmdb"
    if content:
        settings.GEOIP_PATH.write_bytes(content)

    assert session_place(api, sign_in_at(api, person, BERLIN)) == ("", "")
