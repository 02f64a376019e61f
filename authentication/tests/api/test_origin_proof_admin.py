"""The admin takes no proof of origin: its forms need Django's CSRF token."""

import pytest
from django.test import Client

from authentication.models import User
from authentication.tests.answers import TOKEN_INVALID, refusal_of
from authentication.tests.clients import EVIL
from authentication.tests.conftest import ME
from authentication.tests.factories import PASSWORD, UserFactory

from .origin import FRONT_END

LOGIN = "/admin/login/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(db: None) -> User:
    """Return a member of staff."""
    return UserFactory(email="root@example.org", is_staff=True, is_superuser=True)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://testserver"},
        {"Origin": FRONT_END},
    ],
    ids=str,
)
def test_a_form_without_djangos_token_is_refused(
    visitor: Client, admin: User, headers: dict[str, str]
) -> None:
    visitor.get(LOGIN)

    answer = visitor.post(LOGIN, {"username": admin.email, "password": PASSWORD}, headers=headers)

    assert answer.status_code == 403
    assert answer["Content-Type"] == "text/html; charset=utf-8"
    assert "_auth_user_id" not in visitor.session


@pytest.mark.parametrize("origin", [EVIL, "null"])
def test_a_form_of_a_foreign_page_is_refused_with_djangos_token(
    visitor: Client, admin: User, origin: str
) -> None:
    visitor.get(LOGIN)
    form = {
        "username": admin.email,
        "password": PASSWORD,
        "csrfmiddlewaretoken": visitor.cookies["csrftoken"].value,
    }

    answer = visitor.post(LOGIN, form, headers={"Origin": origin})

    assert answer.status_code == 403
    assert "_auth_user_id" not in visitor.session


def test_an_admin_session_does_not_open_the_api(visitor: Client, admin: User) -> None:
    visitor.force_login(admin)

    answer = visitor.get(ME)

    assert refusal_of(answer) == TOKEN_INVALID


def test_the_referrer_policy_lets_a_browser_send_the_true_origin(visitor: Client) -> None:
    # With `no-referrer` a browser sends `Origin: null`, which Django refuses.
    assert visitor.get(LOGIN)["Referrer-Policy"] == "same-origin"
