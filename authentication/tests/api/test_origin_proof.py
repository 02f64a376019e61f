"""Proof that a browser's request is ours (contract 5)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import EmailVerificationToken, PasswordResetToken, User
from authentication.services import ExchangeTokenService
from authentication.tests.answers import cookie_of, rows
from authentication.tests.conftest import API, CHROME, ME, bearer
from authentication.tests.factories import PASSWORD, UserFactory

LOGIN = f"{API}/login/"
OURS = "http://localhost:3000"
EVIL = "https://evil.example"

pytestmark = pytest.mark.django_db

Call = Callable[[APIClient, dict[str, str]], Any]


@pytest.fixture(autouse=True)
def _unlimited(settings: Settings) -> None:
    settings.RATELIMIT_ENABLE = False


@pytest.fixture
def world(api: APIClient, person: User) -> dict[str, Any]:
    """Return what each state-changing request needs to succeed."""
    newcomer = UserFactory(email_verified=False, email_verified_at=None)
    tokens, other = (
        api.post(LOGIN, {"email": person.email, "password": PASSWORD}).json() for _ in range(2)
    )
    api.cookies.clear()
    now = timezone.now()
    return {
        "access": tokens["access"],
        "refresh": tokens["refresh"],
        "session": api.get(f"{API}/sessions/", headers=bearer(other["access"])).json()["sessions"][
            0
        ]["id"],
        "email": person.email,
        "newcomer": newcomer.email,
        "verification": EmailVerificationToken.objects.issue(
            newcomer.pk, email=newcomer.email, at=now
        ),
        "reset": PasswordResetToken.objects.issue(person, at=now),
        "exchange": ExchangeTokenService.create(user_id=person.pk),
    }


# Every request that changes something: its method, address, body, and whether it needs the access
# token.
CHANGES: dict[str, tuple[str, str, dict[str, Any], bool]] = {
    "register": (
        "post",
        f"{API}/register/",
        {"email": "naomi@example.org", "password": PASSWORD},
        False,
    ),
    "login": ("post", LOGIN, {"email": "{email}", "password": PASSWORD}, False),
    "logout by access token": ("post", f"{API}/logout/", {}, True),
    "logout by refresh token": ("post", f"{API}/logout/", {"refresh": "{refresh}"}, False),
    "token refresh": ("post", f"{API}/token/refresh/", {"refresh": "{refresh}"}, False),
    "token verify": ("post", f"{API}/token/verify/", {"token": "{access}"}, False),
    "exchange token": ("post", f"{API}/exchange-token/", {"exchange_token": "{exchange}"}, False),
    "password change": (
        "post",
        f"{API}/password/change/",
        {"old_password": PASSWORD, "new_password": "Another-Horse-7"},
        True,
    ),
    "password reset": ("post", f"{API}/password/reset/", {"email": "{email}"}, False),
    "password reset confirm": (
        "post",
        f"{API}/password/reset/confirm/",
        {"token": "{reset}", "new_password": "Another-Horse-7"},
        False,
    ),
    "email verify": ("post", f"{API}/email/verify/", {"token": "{verification}"}, False),
    "email resend": ("post", f"{API}/email/resend/", {"email": "{newcomer}"}, False),
    "session terminate": ("delete", f"{API}/sessions/{{session}}/", {}, True),
    "sessions terminate all": ("post", f"{API}/sessions/terminate-all/", {}, True),
    "profile update": ("patch", ME, {"first_name": "Naomi"}, True),
}


def sent(
    api: APIClient, name: str, world: dict[str, Any], headers: dict[str, str], *, form: str = "json"
) -> Any:
    """Send a request of the table with some headers."""
    method, url, body, signed_in = CHANGES[name]
    filled = {
        field: value.format(**world) if isinstance(value, str) else value
        for field, value in body.items()
    }
    carried = bearer(world["access"]) if signed_in else {}
    return getattr(api, method)(
        url.format(**world), filled, format=form, headers={**carried, **headers}
    )


def assert_refused(answer: Any) -> None:
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed"), answer.content
    assert cookie_of(answer) is None
    assert "Retry-After" not in answer.headers


@pytest.mark.parametrize("name", CHANGES)
def test_a_foreign_page_changes_nothing(api: APIClient, world: dict[str, Any], name: str) -> None:
    before = rows()

    for headers in (
        {"Origin": EVIL, "Sec-Fetch-Site": "cross-site"},
        {"Origin": EVIL},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Mode": "no-cors"},
    ):
        assert_refused(sent(api, name, world, headers))
    assert rows() == before


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize(
    "headers",
    [{}, {"Sec-Fetch-Site": "same-origin"}, {"Origin": OURS, "Sec-Fetch-Site": "same-site"}],
    ids=["an app", "a page of the service's own", "a page of the front end's"],
)
def test_apps_and_pages_of_ours_pass(
    api: APIClient, world: dict[str, Any], name: str, headers: dict[str, str]
) -> None:
    answer = sent(api, name, world, headers)

    assert answer.status_code in {200, 201}, answer.content


@pytest.mark.parametrize("name", CHANGES)
def test_a_form_of_a_foreign_page_changes_nothing(
    api: APIClient, world: dict[str, Any], name: str
) -> None:
    before = rows()

    answer = sent(
        api, name, world, {"Origin": EVIL, "Sec-Fetch-Site": "cross-site"}, form="multipart"
    )

    assert_refused(answer)
    assert rows() == before


class TestProofs:
    """One proof suffices, and without one a browser is refused."""

    @pytest.mark.parametrize("csrf", [None, "valid", "stale"])
    @pytest.mark.parametrize("origin", [None, "http://testserver", OURS, EVIL, "null"])
    def test_any_one_of_them_lets_a_browser_in(
        self, api: APIClient, person: User, origin: str | None, csrf: str | None
    ) -> None:
        for site in (None, "same-origin", "none", "same-site", "cross-site", "SAME-ORIGIN"):
            given = {"Origin": origin, "Sec-Fetch-Site": site, "X-CSRFToken": _token(api, csrf)}
            headers = {name: value for name, value in given.items() if value is not None}
            is_app = origin is None and site is None
            is_ours = (
                site in {"same-origin", "none"}
                or origin in {"http://testserver", OURS}
                or csrf == "valid"
            )

            answer = api.post(LOGIN, {"email": person.email, "password": PASSWORD}, headers=headers)

            assert answer.status_code == (200 if is_app or is_ours else 403), headers

    @pytest.mark.parametrize(
        "origin",
        [
            "http://localhost:3001",
            "https://localhost:3000",
            "http://localhost",
            "http://localhost:3000.evil.example",
            "http://evil.example/http://localhost:3000",
            "http://localhost:3000@evil.example",
            "http://evil.example#http://localhost:3000",
            "http://localhost:3000/",
            "http://LOCALHOST:3000",
            " http://localhost:3000",
            "http://localhost:3000,http://evil.example",
            "http://xlocalhost:3000",
            "https://testserver",
            "http://testserver:8000",
            "http://testserver.evil.example",
            "http://sub.testserver",
            "localhost:3000",
            "*",
            "",
            "file://",
        ],
    )
    def test_an_origin_is_ours_to_the_letter_or_not_at_all(
        self, api: APIClient, person: User, origin: str
    ) -> None:
        answer = api.post(
            LOGIN, {"email": person.email, "password": PASSWORD}, headers={"Origin": origin}
        )

        assert_refused(answer)

    @pytest.mark.parametrize("name", ["CSRF_TRUSTED_ORIGINS", "CORS_ALLOWED_ORIGINS"])
    def test_either_list_of_origins_is_enough(
        self, api: APIClient, person: User, settings: Settings, name: str
    ) -> None:
        settings.CSRF_TRUSTED_ORIGINS = settings.CORS_ALLOWED_ORIGINS = []
        refused = api.post(
            LOGIN, {"email": person.email, "password": PASSWORD}, headers={"Origin": OURS}
        )
        setattr(settings, name, [OURS])

        passed = api.post(
            LOGIN, {"email": person.email, "password": PASSWORD}, headers={"Origin": OURS}
        )

        assert (refused.status_code, passed.status_code) == (403, 200)

    def test_the_services_own_origin_follows_its_scheme(self, api: APIClient, person: User) -> None:
        asked = {"email": person.email, "password": PASSWORD}

        secure = api.post(LOGIN, asked, headers={"Origin": "https://testserver"}, secure=True)
        downgraded = api.post(LOGIN, asked, headers={"Origin": "http://testserver"}, secure=True)

        assert (secure.status_code, downgraded.status_code) == (200, 403)

    @pytest.mark.parametrize(
        "token",
        ["", "x", "x" * 32, "x" * 64, "!" * 64, "\u00fc" * 64, "x" * 5000],
        ids=lambda it: ascii(it)[:24],
    )
    def test_a_token_that_is_none_proves_nothing(
        self, api: APIClient, person: User, token: str
    ) -> None:
        api.get(f"{API}/csrf/")

        answer = api.post(
            LOGIN,
            {"email": person.email, "password": PASSWORD},
            headers={"Origin": EVIL, "X-CSRFToken": token},
        )

        assert_refused(answer)

    def test_a_token_made_up_with_its_cookie_proves_nothing_without_the_header(
        self, api: APIClient, person: User
    ) -> None:
        api.get(f"{API}/csrf/")

        answer = api.post(
            LOGIN, {"email": person.email, "password": PASSWORD}, headers={"Origin": EVIL}
        )

        assert_refused(answer)

    def test_the_token_of_another_browser_proves_nothing(
        self, api: APIClient, person: User
    ) -> None:
        api.get(f"{API}/csrf/")
        other = APIClient().get(f"{API}/csrf/").json()["csrfToken"]

        answer = api.post(
            LOGIN,
            {"email": person.email, "password": PASSWORD},
            headers={"Origin": EVIL, "X-CSRFToken": other},
        )

        assert_refused(answer)

    def test_a_token_in_the_form_proves_nothing(self, api: APIClient, person: User) -> None:
        token = api.get(f"{API}/csrf/").json()["csrfToken"]
        asked = {"email": person.email, "password": PASSWORD, "csrfmiddlewaretoken": token}

        answer = api.post(LOGIN, asked, format="multipart", headers={"Origin": EVIL})

        assert_refused(answer)

    def test_an_access_token_proves_nothing(self, api: APIClient, world: dict[str, Any]) -> None:
        answer = api.post(f"{API}/logout/", headers={**bearer(world["access"]), "Origin": EVIL})

        assert_refused(answer)
        assert api.get(ME, headers=bearer(world["access"])).status_code == 200

    @pytest.mark.parametrize(
        "headers",
        [
            {"Referer": f"{EVIL}/page"},
            {"User-Agent": CHROME},
            {"X-Requested-With": "XMLHttpRequest"},
            {"Cookie": "a=b"},
        ],
        ids=str,
    )
    def test_apps_are_known_by_what_they_lack(
        self, api: APIClient, person: User, headers: dict[str, str]
    ) -> None:
        answer = api.post(LOGIN, {"email": person.email, "password": PASSWORD}, headers=headers)

        assert answer.status_code == 200

    def test_a_refused_sign_in_is_no_attempt(self, api: APIClient, person: User) -> None:
        for _ in range(10):
            api.post(
                LOGIN,
                {"email": person.email, "password": "Wrong-Horse-9"},
                headers={"Origin": EVIL},
            )

        person.refresh_from_db()
        assert (person.failed_login_attempts, person.locked_until) == (0, None)

    def test_a_refused_request_is_not_counted(
        self, api: APIClient, person: User, settings: Settings
    ) -> None:
        settings.RATELIMIT_ENABLE = True
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "login": "1/h"}
        asked = {"email": person.email, "password": PASSWORD}

        refused = api.post(LOGIN, asked, headers={"Origin": EVIL})
        answer = api.post(LOGIN, asked)

        assert_refused(refused)
        assert answer.status_code == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_needs_no_proof(api: APIClient, method: str) -> None:
    answer = api.generic(
        method, f"{API}/csrf/", headers={"Origin": EVIL, "Sec-Fetch-Site": "cross-site"}
    )

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "path", ["/api/nowhere/", "/api/schema/", "/api/docs/", "/api/problems/not_found/"]
)
def test_an_address_that_changes_nothing_is_guarded_all_the_same(api: APIClient, path: str) -> None:
    answer = api.post(path, {}, headers={"Origin": EVIL})

    assert_refused(answer)


@pytest.mark.parametrize(
    "path", ["/API/v1/auth/login/", "//api/v1/auth/login/", "/api/../api/v1/auth/login/"]
)
def test_no_spelling_of_a_path_leads_round_the_guard(
    api: APIClient, person: User, path: str
) -> None:
    before = rows()

    answer = api.post(path, {"email": person.email, "password": PASSWORD}, headers={"Origin": EVIL})

    assert answer.status_code in {403, 404}
    assert rows() == before


class TestAdmin:
    @pytest.fixture
    def visitor(self) -> Client:
        """Return a browser whose forms need Django's CSRF token."""
        return Client(enforce_csrf_checks=True)

    @pytest.fixture
    def admin(self, db: None) -> User:
        """Return a member of staff."""
        return UserFactory(email="root@example.org", is_staff=True, is_superuser=True)

    @pytest.mark.parametrize(
        "headers",
        [{}, {"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://testserver"}, {"Origin": OURS}],
        ids=str,
    )
    def test_its_forms_need_djangos_token_whatever_proves_an_api_request(
        self, visitor: Client, admin: User, headers: dict[str, str]
    ) -> None:
        visitor.get("/admin/login/")

        answer = visitor.post(
            "/admin/login/", {"username": admin.email, "password": PASSWORD}, headers=headers
        )

        assert answer.status_code == 403
        assert answer["Content-Type"] == "text/html; charset=utf-8"
        assert "_auth_user_id" not in visitor.session

    @pytest.mark.parametrize("origin", [EVIL, "null"])
    def test_a_foreign_page_may_not_send_them_even_with_a_token(
        self, visitor: Client, admin: User, origin: str
    ) -> None:
        visitor.get("/admin/login/")
        form = {
            "username": admin.email,
            "password": PASSWORD,
            "csrfmiddlewaretoken": visitor.cookies["csrftoken"].value,
        }

        answer = visitor.post("/admin/login/", form, headers={"Origin": origin})

        assert answer.status_code == 403
        assert "_auth_user_id" not in visitor.session

    def test_a_session_of_its_own_lets_nobody_into_the_api(
        self, visitor: Client, admin: User
    ) -> None:
        visitor.force_login(admin)

        answer = visitor.get(ME)

        assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")

    def test_a_browser_sends_its_forms_with_a_true_origin(self, visitor: Client) -> None:
        # Under no-referrer it would say `Origin: null`, and nobody could sign in.
        assert visitor.get("/admin/login/")["Referrer-Policy"] == "same-origin"


def _token(api: APIClient, kind: str | None) -> str | None:
    if kind is None:
        return None
    token: str = api.get(f"{API}/csrf/").json()["csrfToken"]
    if kind == "stale":
        api.cookies.clear()
        api.get(f"{API}/csrf/")
    return token
