"""Many accounts tried from one address, and many addresses for one account."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import AuditLog, User
from authentication.services.anomalies import crowds
from authentication.tests.clients import NOON, WRONG_PASSWORD, get_as, log_in, sign_in
from authentication.tests.conftest import API, queries
from authentication.tests.factories import UserFactory
from authentication.tests.limits import set_limits

from .unusual import Watch, found, mailed

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db,
    pytest.mark.time_machine(NOON, tick=False),
]

GUESSER, HALL = "198.51.100.7", "203.0.113.9"


@pytest.fixture(autouse=True)
def _no_limits(settings: Settings) -> None:
    set_limits(settings, login="10000/h")


def fail(api: APIClient, name: str, address: str, device: str = "") -> None:
    headers = {"X-Device-Id": device} if device else None
    body = {"email": name, "password": WRONG_PASSWORD}
    answer = api.post(f"{API}/login/", body, headers=headers, REMOTE_ADDR=address)
    assert answer.status_code in {401, 403}


def spray(api: APIClient, number: int, address: str = GUESSER) -> None:
    for count in range(number):
        fail(api, f"name{count}@example.org", address)


class TestManyAccounts:
    def test_names_with_and_without_accounts_count_alike(
        self, api: APIClient, watch: Watch
    ) -> None:
        members = [UserFactory() for _ in range(5)]
        for member in members:
            fail(api, member.email, GUESSER)
        spray(api, 14)
        watch.examine()
        assert found() == []

        fail(api, "one-more@example.org", GUESSER)
        watch.examine()

        assert found() == [("many_accounts_tried", "high", GUESSER)]
        event = AuditLog.objects.get(event_type="many_accounts_tried")
        assert (event.user_id, event.metadata) == (
            None,
            {"names": 20, "entered_on_new_devices": 0},
        )
        assert mailed() == []

    def test_it_is_reported_once_a_day(self, api: APIClient, watch: Watch) -> None:
        for _ in range(3):
            spray(api, 20)
            watch.examine()
            watch.wait(hours=2)
        assert len(found()) == 1

        watch.wait(hours=20)
        spray(api, 20)
        watch.examine()

        assert len(found()) == 2

    def test_there_are_not_more_reports_a_day_than_are_read(
        self, api: APIClient, watch: Watch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(crowds, "_REPORTS_A_DAY", 2)
        for number in range(3):
            spray(api, 20, f"198.51.100.{number}")
        watch.examine()
        watch.examine()

        assert len(found()) == 2

    def test_one_name_tried_often_is_one(self, api: APIClient, watch: Watch) -> None:
        for _ in range(25):
            fail(api, "name@example.org", GUESSER)
        watch.examine()

        assert found() == []

    def test_an_hour_ago_is_another_time(self, api: APIClient, watch: Watch) -> None:
        spray(api, 15)
        watch.wait(hours=1)
        spray(api, 19)
        watch.examine()

        assert found() == []

    def test_addresses_of_one_ipv6_network_are_one(self, api: APIClient, watch: Watch) -> None:
        for count in range(20):
            fail(api, f"name{count}@example.org", f"2001:db8:0:7::{count + 1:x}")
        watch.examine()

        assert len(found()) == 1

    def test_a_hall_where_many_mistype_and_then_sign_in_is_none(
        self, api: APIClient, watch: Watch
    ) -> None:
        members = [UserFactory() for _ in range(30)]
        api.defaults["REMOTE_ADDR"] = HALL
        for number, member in enumerate(members):
            fail(api, member.email, HALL)
            # Some mistype their address too, which has no account then.
            fail(api, f"{number}{member.email}", HALL)
            sign_in(api, member)
        watch.examine()

        assert found() == []

    def test_members_who_mistype_on_their_own_devices_are_none(
        self, api: APIClient, watch: Watch
    ) -> None:
        members = [UserFactory() for _ in range(25)]
        devices = [sign_in(api, member)["device_id"] for member in members]
        watch.wait(days=1)
        for member, device in zip(members, devices, strict=True):
            fail(api, member.email, HALL, device)
        watch.examine()

        assert found() == []

    def test_it_tells_how_many_accounts_the_guesser_has_entered(
        self, api: APIClient, watch: Watch, person: User
    ) -> None:
        sign_in(api, person)
        watch.wait(hours=2)
        spray(api, 20)
        api.defaults["REMOTE_ADDR"] = GUESSER
        sign_in(api, person)
        watch.examine()

        event = AuditLog.objects.get(event_type="many_accounts_tried")
        assert event.metadata["entered_on_new_devices"] == 1


class TestManyAddresses:
    def test_ten_networks_on_unknown_devices_are_many(
        self, api: APIClient, watch: Watch, person: User
    ) -> None:
        for number in range(9):
            fail(api, person.email, f"198.51.100.{number}")
        watch.examine()
        assert found() == []

        fail(api, person.email, "198.51.100.9")
        watch.examine()
        watch.examine()

        assert found() == [("many_addresses", "high", None)]
        event = AuditLog.objects.get(event_type="many_addresses")
        assert (event.user_id, event.metadata) == (person.pk, {"networks": 10})

    def test_the_owner_sees_it(self, api: APIClient, watch: Watch, person: User) -> None:
        tokens = sign_in(api, person)
        for number in range(10):
            fail(api, person.email, f"198.51.100.{number}")
        watch.examine()

        newest, *_ = get_as(api, tokens, f"{API}/account/activity/").json()["events"]
        assert newest["text"] == "Devices at many addresses tried to sign in to your account."

    def test_a_known_device_that_moves_is_none(
        self, api: APIClient, watch: Watch, person: User
    ) -> None:
        device = sign_in(api, person)["device_id"]
        for number in range(12):
            fail(api, person.email, f"198.51.100.{number}", device)
        watch.examine()

        assert found() == []

    def test_a_name_without_an_account_is_none(self, api: APIClient, watch: Watch) -> None:
        for number in range(12):
            fail(api, "name@example.org", f"198.51.100.{number}")
        watch.examine()

        assert found() == []


def test_no_flood_is_read_whole(
    api: APIClient, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    spray(api, 12)
    monkeypatch.setattr(crowds, "_READ", 5)
    monkeypatch.setattr(crowds, "MANY_NAMES", 5)
    watch.wait(minutes=3)

    with CaptureQueriesContext(connection) as captured:
        watch.examine()

    (read,) = (it for it in queries(captured) if "login_failed" in it and "SELECT" in it)
    assert "LIMIT 5" in read
    assert AuditLog.objects.get(event_type="many_accounts_tried").metadata["names"] == 5


def test_staff_see_both_first_and_a_stranger_sees_nothing(
    api: APIClient, watch: Watch, person: User
) -> None:
    def statements(name: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            fail(api, name, GUESSER)
        return len(queries(captured))

    spray(api, 20)
    for number in range(10):
        fail(api, person.email, f"198.51.100.{number}")
    watch.examine()
    watch.wait(hours=2)
    assert statements(UserFactory().email) == statements("stranger@example.org")
    client = Client()
    client.force_login(UserFactory(is_staff=True, is_superuser=True))

    tasks = client.get("/admin/").context["tasks"]

    assert [it.text for it in tasks if "many" in it.text] == [
        "1 account tried from many addresses this week.",
        "1 address failed to sign in to many accounts this week.",
    ]
    shown = [client.get(it.url).context["cl"].result_count for it in tasks if "many" in it.text]
    assert shown == [1, 1]
    assert log_in(api, UserFactory()).status_code == 200
