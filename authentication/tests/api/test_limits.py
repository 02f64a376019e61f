"""How often each endpoint may be called, and who counts as whom (contract 9)."""

import datetime as dt
import ipaddress
from typing import Any, NamedTuple

import pytest
from django.conf import settings as service
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, User, UserSession
from authentication.tests.answers import cookie_of, rows
from authentication.tests.clients import Tokens, sign_in
from authentication.tests.conftest import API, BROWSER, bearer
from authentication.tests.factories import PASSWORD, UserFactory

LOGIN = f"{API}/login/"
CSRF = f"{API}/csrf/"
REFRESH = f"{API}/token/refresh/"


class Limited(NamedTuple):
    """A limited endpoint: its limit's name, requests an hour, method, address, body, and whom it counts."""

    name: str
    quota: int
    method: str
    url: str
    by_person: bool = False
    body: dict[str, str] = {}

    def call(self, api: APIClient, tokens: Tokens, **extra: Any) -> Any:
        """Call it as the person of some tokens."""
        filled = {field: value.format(**tokens) for field, value in self.body.items()}
        return getattr(api, self.method)(
            self.url, filled, headers=bearer(tokens["access"]), **extra
        )


LIMITED = [
    # The specification's table.
    Limited("register", 5, "post", f"{API}/register/"),
    Limited("login", 25, "post", LOGIN),
    Limited("token_refresh", 60, "post", REFRESH, by_person=True, body={"refresh": "{refresh}"}),
    Limited("token_verify", 100, "post", f"{API}/token/verify/"),
    Limited("exchange_token", 10, "post", f"{API}/exchange-token/"),
    Limited("password_change", 10, "post", f"{API}/password/change/", by_person=True),
    Limited("password_reset", 5, "post", f"{API}/password/reset/"),
    Limited("password_reset_confirm", 10, "post", f"{API}/password/reset/confirm/"),
    Limited("email_verify", 10, "post", f"{API}/email/verify/"),
    Limited("email_resend", 5, "post", f"{API}/email/resend/"),
    Limited("sessions", 30, "get", f"{API}/sessions/", by_person=True),
    Limited(
        "sessions",
        30,
        "delete",
        f"{API}/sessions/0c5ad2c5-0f9e-4a53-a4c5-2b4d6cbf8f10/",
        by_person=True,
    ),
    Limited("sessions_terminate_all", 10, "post", f"{API}/sessions/terminate-all/", by_person=True),
    Limited("csrf", 100, "get", CSRF),
    # What it does not know.
    Limited("activity", 60, "get", f"{API}/account/activity/", by_person=True),
    Limited("consents", 30, "get", f"{API}/account/consents/", by_person=True),
    Limited("reauthenticate", 20, "post", f"{API}/reauthenticate/", by_person=True),
    Limited("second_factor", 30, "get", f"{API}/2fa/", by_person=True),
    Limited("second_factor_verify", 25, "post", f"{API}/2fa/verify/"),
    Limited("email_change", 5, "post", f"{API}/account/email/", by_person=True),
    Limited("account_data", 10, "post", f"{API}/account/export/", by_person=True),
    Limited("notices", 30, "put", f"{API}/account/notices/", by_person=True),
    Limited("session_disown", 10, "post", f"{API}/account/disown-session/"),
]
HOUR = 3600

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _stopped_clock(time_machine: TimeMachineFixture) -> None:
    """Stop the clock, lest a window ends in the middle of a test."""
    time_machine.move_to(timezone.now().replace(microsecond=0), tick=False)


def limit(settings: Settings, **rates: str) -> None:
    settings.RATE_LIMITS = {**service.RATE_LIMITS, **rates}


def ask(api: APIClient, **extra: Any) -> int:
    """Ask for a CSRF token, which anybody may; return the answer's status."""
    return int(api.get(CSRF, **extra).status_code)


class TestEndpoints:
    def test_the_limits_are_those_listed(self) -> None:
        assert {each.name: f"{each.quota}/h" for each in LIMITED} == service.RATE_LIMITS

    @pytest.mark.parametrize("endpoint", LIMITED, ids=lambda it: f"{it.method} {it.name}")
    def test_the_one_over_the_limit_is_refused_and_changes_nothing(
        self, api: APIClient, signed_in: Tokens, settings: Settings, endpoint: Limited
    ) -> None:
        limit(settings, **{endpoint.name: "2/h"})

        allowed = [endpoint.call(api, signed_in) for _ in range(2)]
        before = rows()
        refused = endpoint.call(api, signed_in)

        policy = f'"{endpoint.name}";q=2;w={HOUR}'
        assert all(answer.status_code != 429 for answer in allowed)
        assert [answer["RateLimit-Policy"] for answer in allowed] == [policy, policy]
        assert [answer["RateLimit"].split(";")[1] for answer in allowed] == ["r=1", "r=0"]
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        assert 1 <= int(refused["Retry-After"]) <= HOUR
        assert refused["RateLimit-Policy"] == policy
        assert refused["RateLimit"] == f'"{endpoint.name}";r=0;t={refused["Retry-After"]}'
        assert refused["Content-Type"] == "application/problem+json"
        assert cookie_of(refused) is None
        assert rows() == before

    @pytest.mark.parametrize("endpoint", LIMITED, ids=lambda it: f"{it.method} {it.name}")
    def test_a_person_is_counted_wherever_they_are_and_an_address_whoever_asks(
        self, api: APIClient, signed_in: Tokens, settings: Settings, endpoint: Limited
    ) -> None:
        limit(settings, **{endpoint.name: "1/h"})
        other = sign_in(api, UserFactory())
        endpoint.call(api, signed_in, REMOTE_ADDR="192.0.2.1")

        same_person = endpoint.call(api, signed_in, REMOTE_ADDR="192.0.2.2")
        same_address = endpoint.call(api, other, REMOTE_ADDR="192.0.2.1")

        refused = [answer.status_code == 429 for answer in (same_person, same_address)]
        assert refused == [endpoint.by_person, not endpoint.by_person]

    def test_the_specifications_own_test_of_the_login_holds(
        self, api: APIClient, person: User
    ) -> None:
        statuses = [
            api.post(LOGIN, {"email": person.email, "password": "wrong"}).status_code
            for _ in range(26)
        ]

        assert 429 not in statuses[:25]
        assert statuses[25] == 429

    def test_a_correct_password_over_the_limit_opens_nothing(
        self, api: APIClient, person: User, settings: Settings
    ) -> None:
        limit(settings, login="1/h")
        api.post(LOGIN, {"email": "nobody@example.org", "password": "Wrong-Horse-9"})

        answer = api.post(LOGIN, {"email": person.email, "password": PASSWORD})

        assert answer.status_code == 429
        assert not UserSession.objects.exists()

    def test_known_and_unknown_names_are_refused_alike(
        self, api: APIClient, person: User, settings: Settings
    ) -> None:
        limit(settings, login="0/h")

        known = api.post(LOGIN, {"email": person.email, "password": PASSWORD})
        unknown = api.post(LOGIN, {"email": "nobody@example.org", "password": PASSWORD})

        told = [{**answer.json(), "correlation_id": ""} for answer in (known, unknown)]
        assert told[0] == told[1]
        assert known["Retry-After"] == unknown["Retry-After"]

    def test_what_is_malformed_counts_too(self, api: APIClient, settings: Settings) -> None:
        limit(settings, register="1/h")
        api.post(f"{API}/register/", {"email": "x"})

        answer = api.post(f"{API}/register/", {"email": "naomi@example.org", "password": PASSWORD})

        assert answer.status_code == 429
        assert not User.objects.exists()

    @pytest.mark.parametrize(
        "path",
        [
            "/login",
            "//login/",
            "/login//",
            "/LOGIN/",
            "/./login/",
            "/login/.",
            "/login/%20",
            "/login/%00",
            "/login/;x",
        ],
    )
    def test_another_spelling_of_a_path_leads_nowhere(
        self, api: APIClient, person: User, path: str
    ) -> None:
        answer = api.post(f"{API}{path}", {"email": person.email, "password": PASSWORD})

        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert not UserSession.objects.exists()

    @pytest.mark.parametrize("path", ["/login/", "/%6Cogin/", "/login%2F", "/login/?to=elsewhere"])
    def test_what_is_the_same_path_to_a_server_is_one_to_the_limit(
        self, api: APIClient, settings: Settings, path: str
    ) -> None:
        limit(settings, login="1/h")
        api.post(LOGIN, {})

        override = {"X-HTTP-Method-Override": "GET", "X-Original-URL": "/", "X-Rewrite-URL": "/"}

        assert api.post(f"{API}{path}", {}, headers=override).status_code == 429

    def test_reading_the_head_counts_like_reading_all(
        self, api: APIClient, settings: Settings
    ) -> None:
        limit(settings, csrf="1/h")

        assert api.head(CSRF).status_code == 200
        assert (api.head(CSRF).status_code, ask(api)) == (429, 429)

    @pytest.mark.parametrize(
        "method", ["head", "options", "get", "put", "patch", "delete", "trace"]
    )
    def test_no_other_method_reaches_what_is_limited(
        self, api: APIClient, person: User, settings: Settings, method: str
    ) -> None:
        limit(settings, login="1/h")
        before = rows()

        answer = api.generic(
            method.upper(), LOGIN, f'{{"email": "{person.email}", "password": "{PASSWORD}"}}'
        )

        assert (answer.status_code, "access" in str(answer.content)) == (
            200 if method == "options" else 405,
            False,
        )
        assert rows() == before

    def test_each_limit_is_counted_by_itself(self, api: APIClient, settings: Settings) -> None:
        limit(settings, csrf="1/h")
        ask(api)

        assert ask(api) == 429
        assert api.post(LOGIN, {}).status_code == 400

    def test_signing_out_is_never_limited(
        self, api: APIClient, person: User, settings: Settings
    ) -> None:
        limit(settings, **dict.fromkeys(service.RATE_LIMITS, "0/h"))

        answers = [api.post(f"{API}/logout/") for _ in range(5)]

        assert {answer.status_code for answer in answers} == {401}


class TestWindows:
    @pytest.mark.parametrize(
        ("rate", "seconds"),
        [("1/s", 1), ("1/m", 60), ("1/h", 3600), ("1/10m", 600), ("1/d", 86_400)],
    )
    def test_it_opens_again_when_the_answer_says(
        self,
        time_machine: TimeMachineFixture,
        api: APIClient,
        settings: Settings,
        rate: str,
        seconds: int,
    ) -> None:
        limit(settings, csrf=rate)
        ask(api)
        refused = api.get(CSRF)

        wait = int(refused["Retry-After"])
        time_machine.shift(dt.timedelta(seconds=wait + 1))

        assert refused.status_code == 429
        assert refused["RateLimit-Policy"] == f'"csrf";q=1;w={seconds}'
        assert 1 <= wait <= seconds
        assert ask(api) == 200

    def test_asking_while_it_is_closed_does_not_keep_it_closed(
        self, time_machine: TimeMachineFixture, api: APIClient, settings: Settings
    ) -> None:
        limit(settings, csrf="1/m")
        ask(api)
        wait = int(api.get(CSRF)["Retry-After"])

        for _ in range(wait):
            ask(api)
            time_machine.shift(dt.timedelta(seconds=1))
        time_machine.shift(dt.timedelta(seconds=1))

        assert ask(api) == 200

    def test_without_limits_nobody_is_counted(self, api: APIClient, settings: Settings) -> None:
        limit(settings, csrf="1/h")
        settings.RATELIMIT_ENABLE = False

        answers = [api.get(CSRF) for _ in range(5)]

        assert {answer.status_code for answer in answers} == {200}
        assert "RateLimit" not in answers[-1].headers


class TestAddresses:
    @pytest.fixture(autouse=True)
    def _one_an_hour(self, settings: Settings) -> None:
        limit(settings, csrf="1/h")

    @pytest.mark.parametrize(
        ("first", "second", "same"),
        [
            ("192.0.2.1", "192.0.2.1", True),
            ("192.0.2.1", "192.0.2.2", False),
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
            ("2001:db8:1:2::1", "2001:DB8:1:2::2", True),
            ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
            ("::ffff:192.0.2.1", "192.0.2.1", True),
            ("::ffff:c000:201", "192.0.2.1", True),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
            ("fe80::1%eth0", "fe80::2%eth1", True),
            ("2001:db8::1", "192.0.2.1", False),
            (" 192.0.2.1 ", "192.0.2.1", True),
            ("", "nonsense", True),
            ("unix:", "1.2.3.4.5", True),
            ("192.0.2.1:1234", "999.1.1.1", True),
            ("nonsense", "192.0.2.1", False),
        ],
    )
    def test_who_counts_as_whom(
        self, api: APIClient, first: str, second: str, *, same: bool
    ) -> None:
        statuses = [ask(api, REMOTE_ADDR=first), ask(api, REMOTE_ADDR=second)]

        assert statuses == [200, 429 if same else 200]

    @pytest.mark.parametrize(
        "address",
        ["", "nonsense", "\x00", "\u00fc", "::g", "1.2.3", "x" * 9000, "%", "[::1]", "01.2.3.4"],
        ids=lambda it: ascii(it)[:24],
    )
    def test_a_malformed_address_is_no_crash(
        self, api: APIClient, person: User, address: str
    ) -> None:
        answer = api.post(LOGIN, {"email": person.email, "password": PASSWORD}, REMOTE_ADDR=address)

        assert answer.status_code == 200
        assert UserSession.objects.get().ip_address is None
        assert AuditLog.objects.get(event_type="login").ip_address is None

    @pytest.mark.parametrize(
        "name",
        [
            "X-Forwarded-For",
            "X-Real-IP",
            "Forwarded",
            "X-Client-IP",
            "True-Client-IP",
            "CF-Connecting-IP",
            "X-Forwarded-Host",
            "Via",
            "User-Agent",
            "Origin",
        ],
    )
    def test_what_a_client_writes_changes_nothing(self, api: APIClient, name: str) -> None:
        values = ["203.0.113.1", "203.0.113.2", "for=203.0.113.3", "127.0.0.1"]

        statuses = [ask(api, headers={name: value}) for value in values]

        assert statuses == [200, 429, 429, 429]

    def test_what_a_client_writes_is_not_stored(self, api: APIClient, person: User) -> None:
        forged = {"X-Forwarded-For": "203.0.113.1", "X-Real-IP": "203.0.113.1"}

        api.post(
            LOGIN,
            {"email": person.email, "password": PASSWORD},
            headers=forged,
            REMOTE_ADDR="192.0.2.1",
        )

        assert UserSession.objects.get().ip_address == "192.0.2.1"


class TestProxies:
    @pytest.fixture(autouse=True)
    def _one_an_hour(self, settings: Settings) -> None:
        limit(settings, csrf="1/h")

    @pytest.mark.parametrize(
        ("count", "forwarded", "stored"),
        [
            (1, "192.0.2.1", "192.0.2.1"),
            (1, "203.0.113.9, 192.0.2.1", "192.0.2.1"),
            (1, "203.0.113.9,203.0.113.8,192.0.2.1", "192.0.2.1"),
            (2, "203.0.113.9, 192.0.2.1, 10.0.0.1", "192.0.2.1"),
            (2, "192.0.2.1, 10.0.0.1", "192.0.2.1"),
            (1, "::ffff:192.0.2.1", "192.0.2.1"),
            (1, "2001:db8::1", "2001:db8::1"),
            (2, "192.0.2.1", None),
            (1, "", None),
            (1, "nonsense", None),
            (1, "192.0.2.1,", None),
            (3, ",,", None),
        ],
    )
    def test_the_nth_from_the_right_is_the_client(
        self,
        api: APIClient,
        person: User,
        settings: Settings,
        count: int,
        forwarded: str,
        stored: str | None,
    ) -> None:
        settings.TRUSTED_PROXY_COUNT = count

        answer = api.post(
            LOGIN,
            {"email": person.email, "password": PASSWORD},
            headers={"X-Forwarded-For": forwarded},
            REMOTE_ADDR="10.0.0.1",
        )

        assert answer.status_code == 200
        assert UserSession.objects.get().ip_address == stored

    def test_what_a_client_puts_before_it_changes_nothing(
        self, api: APIClient, settings: Settings
    ) -> None:
        settings.TRUSTED_PROXY_COUNT = 1

        forged = [f"203.0.113.{n}, 192.0.2.1" for n in range(4)]

        assert [ask(api, headers={"X-Forwarded-For": value}) for value in forged] == [
            200,
            429,
            429,
            429,
        ]

    def test_clients_behind_one_proxy_are_told_apart(
        self, api: APIClient, settings: Settings
    ) -> None:
        settings.TRUSTED_PROXY_COUNT = 1

        statuses = [
            ask(api, headers={"X-Forwarded-For": f"192.0.2.{n}"}, REMOTE_ADDR="10.0.0.1")
            for n in range(3)
        ]

        assert statuses == [200, 200, 200]

    def test_who_comes_round_the_proxy_shares_one_bucket(
        self, api: APIClient, settings: Settings
    ) -> None:
        settings.TRUSTED_PROXY_COUNT = 2

        statuses = [
            ask(api, headers={"X-Forwarded-For": value})
            for value in ("192.0.2.1", "192.0.2.2", "", "x")
        ]

        assert statuses == [200, 429, 429, 429]

    def test_the_edges_own_header_is_the_client(
        self, api: APIClient, person: User, settings: Settings
    ) -> None:
        settings.CLIENT_IP_HEADER = "X-Real-IP"
        headers = {"X-Real-IP": "192.0.2.1", "X-Forwarded-For": "203.0.113.1"}

        api.post(
            LOGIN,
            {"email": person.email, "password": PASSWORD},
            headers=headers,
            REMOTE_ADDR="10.0.0.1",
        )

        assert UserSession.objects.get().ip_address == "192.0.2.1"

    def test_the_edges_own_header_is_counted(self, api: APIClient, settings: Settings) -> None:
        settings.CLIENT_IP_HEADER = "X-Real-IP"
        values = ["192.0.2.1", "192.0.2.2", "192.0.2.1", "nonsense", "", "192.0.2.1, 192.0.2.3"]

        statuses = [
            ask(api, headers={"X-Real-IP": value, "X-Forwarded-For": value * 2}) for value in values
        ]

        assert statuses == [200, 200, 429, 200, 429, 429]


class TestAllowlist:
    @pytest.fixture(autouse=True)
    def _one_an_hour(self, settings: Settings) -> None:
        limit(settings, csrf="1/h")
        settings.RATELIMIT_ALLOWLIST = [
            ipaddress.ip_network(net) for net in ("192.0.2.0/24", "2001:db8::/32")
        ]

    @pytest.mark.parametrize(
        "address", ["192.0.2.1", "192.0.2.255", "::ffff:192.0.2.1", "2001:db8:ffff::1"]
    )
    def test_who_is_on_it_is_exempt(self, api: APIClient, address: str) -> None:
        answers = [api.get(CSRF, REMOTE_ADDR=address) for _ in range(3)]

        assert {answer.status_code for answer in answers} == {200}
        assert "RateLimit" not in answers[-1].headers

    @pytest.mark.parametrize(
        "address", ["192.0.3.1", "2001:db9::1", "::1", "", "nonsense", "::ffff:192.0.3.1"]
    )
    def test_who_is_not_is_not(self, api: APIClient, address: str) -> None:
        assert [ask(api, REMOTE_ADDR=address) for _ in range(2)] == [200, 429]

    def test_nobody_can_claim_to_be_on_it(self, api: APIClient) -> None:
        statuses = [
            ask(api, headers={"X-Forwarded-For": "192.0.2.1"}, REMOTE_ADDR="203.0.113.1")
            for _ in range(2)
        ]

        assert statuses == [200, 429]


class TestRefresh:
    @pytest.fixture(autouse=True)
    def _two_an_hour(self, settings: Settings) -> None:
        limit(settings, token_refresh="2/h")

    def test_all_devices_of_a_person_are_counted_together(
        self, api: APIClient, browser: APIClient, person: User, signed_in: Tokens
    ) -> None:
        browser.post(LOGIN, {"email": person.email, "password": PASSWORD})
        by_body = api.post(REFRESH, {"refresh": signed_in["refresh"]}, REMOTE_ADDR="192.0.2.1")
        by_cookie = browser.post(REFRESH, REMOTE_ADDR="192.0.2.2")

        refused = browser.post(REFRESH, headers=BROWSER, REMOTE_ADDR="192.0.2.3")

        assert [answer.status_code for answer in (by_body, by_cookie, refused)] == [200, 200, 429]

    def test_people_behind_one_address_do_not_use_up_each_others(
        self, api: APIClient, db: None
    ) -> None:
        everybody = [sign_in(api, UserFactory()) for _ in range(4)]

        statuses = [
            api.post(REFRESH, {"refresh": tokens["refresh"]}).status_code for tokens in everybody
        ]

        assert statuses == [200] * 4

    def test_a_limited_refresh_spends_no_token_and_keeps_the_cookie(
        self, time_machine: TimeMachineFixture, browser: APIClient, person: User
    ) -> None:
        browser.post(LOGIN, {"email": person.email, "password": PASSWORD})
        for _ in range(2):
            browser.post(REFRESH)
        before = rows()

        refused = browser.post(REFRESH)

        assert refused.status_code == 429
        assert cookie_of(refused) is None
        assert rows() == before
        time_machine.shift(dt.timedelta(seconds=int(refused["Retry-After"]) + 1))
        assert browser.post(REFRESH).status_code == 200

    @pytest.mark.parametrize("token", ["forged", "", "a.b.c"])
    def test_without_a_genuine_token_the_address_is_counted(
        self, api: APIClient, signed_in: Tokens, token: str
    ) -> None:
        asked = {"refresh": token} if token else {}

        statuses = [api.post(REFRESH, asked).status_code for _ in range(3)]

        assert statuses == [401, 401, 429]
        assert api.post(REFRESH, {"refresh": signed_in["refresh"]}).status_code == 200

    def test_a_forged_token_naming_a_person_does_not_use_up_theirs(
        self, api: APIClient, signed_in: Tokens
    ) -> None:
        head, claims, signature = signed_in["refresh"].split(".")
        forged = f"{head}.{claims}.{signature[::-1]}"

        for _ in range(3):
            api.post(REFRESH, {"refresh": forged})

        assert api.post(REFRESH, {"refresh": signed_in["refresh"]}).status_code == 200
