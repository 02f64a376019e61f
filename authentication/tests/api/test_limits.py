"""How often each endpoint may be called, and which calls count."""

import datetime as dt
import uuid
from typing import Any, NamedTuple

import pytest
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import User, UserSession
from authentication.tests.answers import (
    assert_problem,
    comparable,
    cookie_of,
    problem_code,
    rows,
    unexpected,
)
from authentication.tests.clients import LOGIN, REFRESH, WRONG_PASSWORD, Tokens, log_in, sign_in
from authentication.tests.conftest import API, ME, bearer
from authentication.tests.factories import PASSWORD
from authentication.tests.limits import CSRF, csrf_status, set_limits

HOUR = 3600

pytestmark = pytest.mark.django_db


class Limited(NamedTuple):
    """An endpoint with a limit: requests an hour, counted by session or else by address."""

    name: str
    quota: int
    method: str
    url: str
    by_session: bool = False
    body: dict[str, str] = {}

    def call(self, api: APIClient, tokens: Tokens, **extra: Any) -> Any:
        """Call the endpoint with these tokens."""
        words = {**tokens, "unique": uuid.uuid4().hex}
        filled = {field: value.format(**words) for field, value in self.body.items()}
        return getattr(api, self.method)(
            self.url, filled, headers=bearer(tokens["access"]), **extra
        )


NEW_ACCOUNT = {"email": "{unique}@example.org", "password": PASSWORD}
LIMITED = [
    # The limits of the specification.
    Limited("register", 5, "post", f"{API}/register/", body=NEW_ACCOUNT),
    Limited("register_malformed", 60, "post", f"{API}/register/"),
    Limited("login", 25, "post", LOGIN),
    Limited("token_refresh", 60, "post", REFRESH, by_session=True, body={"refresh": "{refresh}"}),
    Limited("token_verify", 100, "post", f"{API}/token/verify/"),
    Limited("exchange_token", 10, "post", f"{API}/exchange-token/"),
    Limited("password_change", 10, "post", f"{API}/password/change/", by_session=True),
    Limited("password_reset", 5, "post", f"{API}/password/reset/"),
    Limited("password_reset_confirm", 10, "post", f"{API}/password/reset/confirm/"),
    Limited("invitation_accept", 10, "post", f"{API}/invitations/accept/"),
    Limited("email_verify", 10, "post", f"{API}/email/verify/"),
    Limited("email_resend", 5, "post", f"{API}/email/resend/"),
    Limited("sessions", 30, "get", f"{API}/sessions/", by_session=True),
    Limited(
        "sessions_terminate",
        30,
        "delete",
        f"{API}/sessions/0c5ad2c5-0f9e-4a53-a4c5-2b4d6cbf8f10/",
        by_session=True,
    ),
    Limited(
        "sessions_terminate_all", 10, "post", f"{API}/sessions/terminate-all/", by_session=True
    ),
    Limited("csrf", 6000, "get", CSRF),
    # The limits of further endpoints.
    Limited("activity", 60, "get", f"{API}/account/activity/", by_session=True),
    Limited(
        "activity_disown",
        30,
        "post",
        f"{API}/account/activity/0c5ad2c5-0f9e-4a53-a4c5-2b4d6cbf8f10/disown/",
        by_session=True,
    ),
    Limited("consents", 30, "get", f"{API}/account/consents/", by_session=True),
    Limited("reauthenticate", 20, "post", f"{API}/reauthenticate/", by_session=True),
    Limited("second_factor", 30, "get", f"{API}/2fa/", by_session=True),
    Limited("second_factor_verify", 25, "post", f"{API}/2fa/verify/"),
    Limited("email_change", 5, "post", f"{API}/account/email/", by_session=True),
    Limited("account_data", 10, "post", f"{API}/account/export/", by_session=True),
    Limited("notices", 30, "put", f"{API}/account/notices/", by_session=True),
    Limited("email_correct", 5, "post", f"{API}/email/correct/"),
    Limited("profile", 60, "patch", ME, by_session=True),
    Limited("email_undo", 10, "post", f"{API}/account/email/undo/"),
    Limited("session_disown", 10, "post", f"{API}/account/disown-session/"),
]


@pytest.fixture(autouse=True)
def _stopped_clock(time_machine: TimeMachineFixture) -> None:
    """Stop the clock, so that no window ends in the middle of a test."""
    time_machine.move_to(timezone.now().replace(microsecond=0), tick=False)


class TestEndpoints:
    def test_the_settings_hold_the_limits_of_the_list(self, settings: Settings) -> None:
        listed = {each.name: f"{each.quota}/h" for each in LIMITED}

        # admin/test_people.py, admin/test_invitations.py
        of_the_admin = {"staff_search": "1200/h", "staff_invite": "100/h"}
        of_the_admin |= {"staff_import": "10/h", "staff_proof": "10/h"}
        assert {**listed, **of_the_admin} == settings.RATE_LIMITS

    @pytest.mark.parametrize("endpoint", LIMITED, ids=lambda it: f"{it.method} {it.name}")
    def test_a_request_over_the_limit_is_refused_and_changes_nothing(
        self, api: APIClient, signed_in: Tokens, settings: Settings, endpoint: Limited
    ) -> None:
        set_limits(settings, **{endpoint.name: "2/h"})

        allowed = [endpoint.call(api, signed_in) for _ in range(2)]
        before = rows()
        refused = endpoint.call(api, signed_in)

        policy = f'"{endpoint.name}";q=2;w={HOUR}'
        assert all(answer.status_code != 429 for answer in allowed)
        assert [answer["RateLimit-Policy"] for answer in allowed] == [policy, policy]
        assert [answer["RateLimit"].split(";")[1] for answer in allowed] == ["r=1", "r=0"]
        assert_problem(refused, 429, "rate_limited")
        assert 1 <= int(refused["Retry-After"]) <= HOUR
        assert refused["RateLimit-Policy"] == policy
        assert refused["RateLimit"] == f'"{endpoint.name}";r=0;t={refused["Retry-After"]}'
        assert cookie_of(refused) is None
        assert rows() == before

    @pytest.mark.parametrize("endpoint", LIMITED, ids=lambda it: f"{it.method} {it.name}")
    def test_each_endpoint_counts_either_by_session_or_by_address(
        self,
        api: APIClient,
        person: User,
        signed_in: Tokens,
        settings: Settings,
        endpoint: Limited,
    ) -> None:
        other = sign_in(api, person)
        set_limits(settings, **{endpoint.name: "1/h"})
        endpoint.call(api, signed_in, REMOTE_ADDR="192.0.2.1")

        same_session = endpoint.call(api, signed_in, REMOTE_ADDR="192.0.2.2")
        same_address = endpoint.call(api, other, REMOTE_ADDR="192.0.2.1")

        refused = [answer.status_code == 429 for answer in (same_session, same_address)]
        assert refused == [endpoint.by_session, not endpoint.by_session]

    def test_each_limit_is_counted_by_itself(self, api: APIClient, settings: Settings) -> None:
        set_limits(settings, csrf="1/h")
        csrf_status(api)

        assert csrf_status(api) == 429
        assert api.post(LOGIN, {}).status_code == 400

    def test_logout_has_no_limit(self, api: APIClient, person: User, settings: Settings) -> None:
        set_limits(settings, **dict.fromkeys(settings.RATE_LIMITS, "0/h"))

        answers = [api.post(f"{API}/logout/") for _ in range(5)]

        assert {answer.status_code for answer in answers} == {401}

    def test_the_26th_sign_in_within_an_hour_is_refused(self, api: APIClient, person: User) -> None:
        statuses = [log_in(api, person, WRONG_PASSWORD).status_code for _ in range(26)]

        assert 429 not in statuses[:25]
        assert statuses[25] == 429

    def test_the_right_password_over_the_limit_opens_no_session(
        self, api: APIClient, person: User, settings: Settings
    ) -> None:
        set_limits(settings, login="1/h")
        api.post(LOGIN, {"email": "nobody@example.org", "password": WRONG_PASSWORD})

        answer = log_in(api, person)

        assert answer.status_code == 429
        assert not UserSession.objects.exists()

    def test_known_and_unknown_names_get_the_same_refusal(
        self, api: APIClient, person: User, settings: Settings
    ) -> None:
        set_limits(settings, login="0/h")

        known = log_in(api, person)
        unknown = api.post(LOGIN, {"email": "nobody@example.org", "password": PASSWORD})

        assert_problem(known, 429, "rate_limited")
        assert comparable(known) == comparable(unknown)

    def test_a_malformed_request_counts_too(self, api: APIClient, settings: Settings) -> None:
        set_limits(settings, login="1/h")
        api.post(LOGIN, {"email": "x"})

        assert api.post(LOGIN, {"email": "ruth@example.org"}).status_code == 429


class TestPathsAndMethods:
    def test_another_spelling_of_a_path_is_not_found(self, api: APIClient, person: User) -> None:
        def outcome(path: str) -> str:
            body = {"email": person.email, "password": PASSWORD}
            return problem_code(api.post(f"{API}{path}", body))

        paths = [
            *("/login", "//login/", "/login//", "/LOGIN/", "/./login/"),
            *("/login/.", "/login/%20", "/login/%00", "/login/;x"),
        ]
        assert unexpected(paths, outcome, "not_found") == {}
        assert not UserSession.objects.exists()

    def test_spellings_of_the_same_path_share_one_limit(
        self, api: APIClient, settings: Settings
    ) -> None:
        set_limits(settings, login="1/h")
        api.post(LOGIN, {})
        override = {"X-HTTP-Method-Override": "GET", "X-Original-URL": "/", "X-Rewrite-URL": "/"}

        def outcome(path: str) -> int:
            return int(api.post(f"{API}{path}", {}, headers=override).status_code)

        paths = ["/login/", "/%6Cogin/", "/login%2F", "/login/?to=elsewhere"]
        assert unexpected(paths, outcome, 429) == {}

    def test_head_counts_like_get(self, api: APIClient, settings: Settings) -> None:
        set_limits(settings, csrf="1/h")

        assert api.head(CSRF).status_code == 200
        assert (api.head(CSRF).status_code, csrf_status(api)) == (429, 429)

    def test_no_other_method_gets_round_the_limit(
        self, api: APIClient, person: User, settings: Settings
    ) -> None:
        set_limits(settings, login="1/h")
        before = rows()
        body = f'{{"email": "{person.email}", "password": "{PASSWORD}"}}'

        def outcome(method: str) -> tuple[int, bool]:
            answer = api.generic(method, LOGIN, body)
            return answer.status_code, "access" in str(answer.content)

        methods = ["HEAD", "GET", "PUT", "PATCH", "DELETE", "TRACE"]
        assert unexpected(methods, outcome, (405, False)) == {}
        assert outcome("OPTIONS") == (200, False)
        assert rows() == before


class TestWindows:
    @pytest.mark.parametrize(
        ("rate", "seconds"),
        [("1/s", 1), ("1/m", 60), ("1/h", 3600), ("1/10m", 600), ("1/d", 86_400)],
    )
    def test_a_window_ends_at_the_time_that_the_answer_names(
        self,
        time_machine: TimeMachineFixture,
        api: APIClient,
        settings: Settings,
        rate: str,
        seconds: int,
    ) -> None:
        set_limits(settings, csrf=rate)
        csrf_status(api)
        refused = api.get(CSRF)

        wait = int(refused["Retry-After"])
        time_machine.shift(dt.timedelta(seconds=wait + 1))

        assert refused.status_code == 429
        assert refused["RateLimit-Policy"] == f'"csrf";q=1;w={seconds}'
        assert 1 <= wait <= seconds
        assert csrf_status(api) == 200

    def test_refused_requests_do_not_extend_the_window(
        self, time_machine: TimeMachineFixture, api: APIClient, settings: Settings
    ) -> None:
        set_limits(settings, csrf="1/m")
        csrf_status(api)
        wait = int(api.get(CSRF)["Retry-After"])

        for _ in range(wait):
            csrf_status(api)
            time_machine.shift(dt.timedelta(seconds=1))
        time_machine.shift(dt.timedelta(seconds=1))

        assert csrf_status(api) == 200

    def test_disabled_limits_count_nothing(self, api: APIClient, settings: Settings) -> None:
        set_limits(settings, csrf="1/h")
        settings.RATELIMIT_ENABLE = False

        answers = [api.get(CSRF) for _ in range(5)]

        assert {answer.status_code for answer in answers} == {200}
        assert "RateLimit" not in answers[-1].headers
