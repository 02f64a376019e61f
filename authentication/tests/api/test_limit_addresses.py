"""Which clients share a rate limit: their addresses, proxies, and the allowlist."""

import ipaddress

import pytest
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, User, UserSession
from authentication.tests.answers import unexpected
from authentication.tests.clients import LOGIN
from authentication.tests.conftest import forget_cached
from authentication.tests.factories import PASSWORD
from authentication.tests.limits import CSRF, csrf_status, set_limits

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _stopped_clock(time_machine: TimeMachineFixture) -> None:
    """Stop the clock, so that no window ends in the middle of a test."""
    time_machine.move_to(timezone.now().replace(microsecond=0), tick=False)


SAME_CLIENT = [
    ("192.0.2.1", "192.0.2.1"),
    ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"),
    ("2001:db8:1:2::1", "2001:DB8:1:2::2"),
    ("::ffff:192.0.2.1", "192.0.2.1"),
    ("::ffff:c000:201", "192.0.2.1"),
    ("fe80::1%eth0", "fe80::2%eth1"),
    (" 192.0.2.1 ", "192.0.2.1"),
    ("", "nonsense"),
    ("unix:", "1.2.3.4.5"),
    ("192.0.2.1:1234", "192.0.2.1:1235"),
    ("192.0.2.1:1234", "192.0.2.1"),
    ("[2001:db8:1:2::1]:443", "2001:db8:1:2::2"),
    ("[2001:db8:1:2::1]", "[2001:db8:1:2::1]:80"),
    ("192.0.2.1:port", "999.1.1.1:80"),
]
OTHER_CLIENT = [
    ("192.0.2.1", "192.0.2.2"),
    ("2001:db8:1:2::1", "2001:db8:1:3::1"),
    ("::ffff:192.0.2.1", "::ffff:192.0.2.2"),
    ("2001:db8::1", "192.0.2.1"),
    ("nonsense", "192.0.2.1"),
]


class TestAddresses:
    @pytest.fixture(autouse=True)
    def _one_an_hour(self, settings: Settings) -> None:
        set_limits(settings, csrf="1/h")

    @pytest.mark.parametrize(
        ("pairs", "second"), [(SAME_CLIENT, 429), (OTHER_CLIENT, 200)], ids=["same", "other"]
    )
    def test_an_address_is_counted_in_all_its_spellings_and_an_ipv6_network_as_one(
        self, api: APIClient, pairs: list[tuple[str, str]], second: int
    ) -> None:
        def outcome(pair: tuple[str, str]) -> list[int]:
            forget_cached()
            return [csrf_status(api, REMOTE_ADDR=address) for address in pair]

        assert unexpected(pairs, outcome, [200, second]) == {}

    def test_a_malformed_address_is_stored_as_none(self, api: APIClient, person: User) -> None:
        addresses = [
            *("", "nonsense", "\x00", "\u00fc", "::g", "1.2.3"),
            *("x" * 9000, "%", "[::1", "[::1]:x", "01.2.3.4"),
        ]
        body = {"email": person.email, "password": PASSWORD}

        def outcome(address: str) -> int:
            return int(api.post(LOGIN, body, REMOTE_ADDR=address).status_code)

        assert unexpected(addresses, outcome, 200) == {}
        assert UserSession.objects.filter(ip_address=None).count() == len(addresses)
        logins = AuditLog.objects.filter(event_type="login")
        assert logins.filter(ip_address=None).count() == logins.count() == len(addresses)

    def test_a_header_of_the_client_does_not_change_its_address(self, api: APIClient) -> None:
        values = ["203.0.113.1", "203.0.113.2", "for=203.0.113.3", "127.0.0.1"]

        def outcome(name: str) -> list[int]:
            forget_cached()
            return [csrf_status(api, headers={name: value}) for value in values]

        names = [
            *("X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Client-IP", "True-Client-IP"),
            *("CF-Connecting-IP", "X-Forwarded-Host", "Via", "User-Agent", "Origin"),
        ]
        assert unexpected(names, outcome, [200, 429, 429, 429]) == {}

    def test_an_address_that_a_client_claims_is_not_stored(
        self, api: APIClient, person: User
    ) -> None:
        forged = {"X-Forwarded-For": "203.0.113.1", "X-Real-IP": "203.0.113.1"}
        body = {"email": person.email, "password": PASSWORD}

        api.post(LOGIN, body, headers=forged, REMOTE_ADDR="192.0.2.1")

        assert UserSession.objects.get().ip_address == "192.0.2.1"


class TestProxies:
    @pytest.fixture(autouse=True)
    def _one_an_hour(self, settings: Settings) -> None:
        set_limits(settings, csrf="1/h")

    def test_the_client_is_the_nth_forwarded_address_from_the_right(
        self, api: APIClient, person: User, settings: Settings
    ) -> None:
        body = {"email": person.email, "password": PASSWORD}

        def stored_address(count: int, forwarded: str) -> str | None:
            settings.TRUSTED_PROXY_COUNT = count
            headers = {"X-Forwarded-For": forwarded}
            answer = api.post(LOGIN, body, headers=headers, REMOTE_ADDR="10.0.0.1")
            assert answer.status_code == 200
            session = UserSession.objects.get()
            session.delete()
            return session.ip_address

        expected = {
            (1, "192.0.2.1"): "192.0.2.1",
            (1, "203.0.113.9, 192.0.2.1"): "192.0.2.1",
            (1, "203.0.113.9,203.0.113.8,192.0.2.1"): "192.0.2.1",
            (2, "203.0.113.9, 192.0.2.1, 10.0.0.1"): "192.0.2.1",
            (2, "192.0.2.1, 10.0.0.1"): "192.0.2.1",
            (1, "::ffff:192.0.2.1"): "192.0.2.1",
            (1, "2001:db8::1"): "2001:db8::1",
            (2, "192.0.2.1"): None,
            (1, ""): None,
            (1, "nonsense"): None,
            (1, "192.0.2.1:50000"): "192.0.2.1",
            (1, "[2001:db8::1]:50000"): "2001:db8::1",
            (2, "203.0.113.9:1, 192.0.2.1:50000, 10.0.0.1:80"): "192.0.2.1",
            (1, "192.0.2.1,"): None,
            (3, ",,"): None,
        }
        assert {case: stored_address(*case) for case in expected} == expected

    def test_addresses_that_the_client_puts_first_change_nothing(
        self, api: APIClient, settings: Settings
    ) -> None:
        settings.TRUSTED_PROXY_COUNT = 1

        forged = [f"203.0.113.{n}, 192.0.2.1" for n in range(4)]

        assert [csrf_status(api, headers={"X-Forwarded-For": value}) for value in forged] == [
            200,
            429,
            429,
            429,
        ]

    def test_clients_behind_one_proxy_are_counted_apart(
        self, api: APIClient, settings: Settings
    ) -> None:
        settings.TRUSTED_PROXY_COUNT = 1

        statuses = [
            csrf_status(api, headers={"X-Forwarded-For": f"192.0.2.{n}"}, REMOTE_ADDR="10.0.0.1")
            for n in range(3)
        ]

        assert statuses == [200, 200, 200]

    def test_requests_that_bypass_the_proxy_share_one_limit(
        self, api: APIClient, settings: Settings
    ) -> None:
        settings.TRUSTED_PROXY_COUNT = 2

        statuses = [
            csrf_status(api, headers={"X-Forwarded-For": value})
            for value in ("192.0.2.1", "192.0.2.2", "", "x")
        ]

        assert statuses == [200, 429, 429, 429]

    def test_the_header_of_the_edge_names_the_client(
        self, api: APIClient, person: User, settings: Settings
    ) -> None:
        settings.CLIENT_IP_HEADER = "X-Real-IP"
        headers = {"X-Real-IP": "192.0.2.1", "X-Forwarded-For": "203.0.113.1"}

        body = {"email": person.email, "password": PASSWORD}

        api.post(LOGIN, body, headers=headers, REMOTE_ADDR="10.0.0.1")

        assert UserSession.objects.get().ip_address == "192.0.2.1"

    def test_the_header_of_the_edge_is_counted(self, api: APIClient, settings: Settings) -> None:
        settings.CLIENT_IP_HEADER = "X-Real-IP"
        first, pair = "192.0.2.1", "192.0.2.1, 192.0.2.3"
        values = [first, "192.0.2.2", f"{first}:443", "nonsense", "", pair]

        statuses = [
            csrf_status(api, headers={"X-Real-IP": value, "X-Forwarded-For": value * 2})
            for value in values
        ]

        assert statuses == [200, 200, 429, 200, 429, 429]


class TestAllowlist:
    @pytest.fixture(autouse=True)
    def _one_an_hour(self, settings: Settings) -> None:
        set_limits(settings, csrf="1/h")
        settings.RATELIMIT_ALLOWLIST = [
            ipaddress.ip_network(net) for net in ("192.0.2.0/24", "2001:db8::/32")
        ]

    def test_an_address_on_the_list_is_not_limited(self, api: APIClient) -> None:
        def outcome(address: str) -> list[tuple[int, bool]]:
            answers = [api.get(CSRF, REMOTE_ADDR=address) for _ in range(3)]
            return [(answer.status_code, "RateLimit" in answer.headers) for answer in answers]

        addresses = ["192.0.2.1", "192.0.2.255", "::ffff:192.0.2.1", "2001:db8:ffff::1"]
        assert unexpected(addresses, outcome, [(200, False)] * 3) == {}

    def test_an_address_that_is_not_on_the_list_is_limited(self, api: APIClient) -> None:
        def outcome(address: str) -> list[int]:
            forget_cached()
            return [csrf_status(api, REMOTE_ADDR=address) for _ in range(2)]

        addresses = ["192.0.3.1", "2001:db9::1", "::1", "", "nonsense", "::ffff:192.0.3.1"]
        assert unexpected(addresses, outcome, [200, 429]) == {}

    def test_a_client_cannot_claim_an_address_on_the_list(self, api: APIClient) -> None:
        statuses = [
            csrf_status(api, headers={"X-Forwarded-For": "192.0.2.1"}, REMOTE_ADDR="203.0.113.1")
            for _ in range(2)
        ]

        assert statuses == [200, 429]
