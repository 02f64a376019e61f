"""django-otp's otp_required and user.is_verified() in the views of other apps."""

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path
from django_otp.decorators import otp_required
from pytest_django import Settings
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView

from authentication.api.bearer import BearerAuthentication
from authentication.models import User
from authentication.tests.admin.staff import admin_login
from authentication.tests.conftest import API, bearer
from authentication.tests.factories import PASSWORD, give_factor


def page(request: HttpRequest) -> HttpResponse:
    """Answer with the name of the user."""
    return HttpResponse(request.user.get_username())


class Level(APIView):
    """Tells whether the session is proven by a second factor."""

    authentication_classes = (BearerAuthentication,)
    permission_classes = (IsAuthenticated,)

    def get(self, request: Request) -> Response:
        user: Any = request.user
        return Response({"verified": user.is_verified()})


urlpatterns = [
    path("", include("vineyard_group_fellowship.urls")),
    path("page/", otp_required(page)),
    path("level/", Level.as_view()),
]


@pytest.fixture(autouse=True)
def _routes(db: None, settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__


@pytest.fixture
def boss(db: None) -> User:
    return User.objects.create_superuser("boss@example.org", PASSWORD, username="boss")


def test_a_page_refuses_anonymous_users_and_users_without_a_factor(
    client: Client, boss: User
) -> None:
    assert client.get("/page/").status_code == 302
    admin_login(client, "boss")
    assert client.get("/page/").status_code == 302


def test_a_page_answers_a_user_who_gave_a_code(client: Client, boss: User) -> None:
    admin_login(client, "boss", otp=give_factor(boss).code())

    assert client.get("/page/").content.decode() == boss.get_username()


def test_a_page_refuses_a_session_that_other_code_opened_without_a_code(
    client: Client, boss: User
) -> None:
    give_factor(boss)
    client.force_login(User.objects.get())

    assert client.get("/admin/").status_code == 200
    assert client.get("/page/").status_code == 302


def test_a_page_refuses_a_session_from_before_the_factor(client: Client, boss: User) -> None:
    admin_login(client, "boss")
    give_factor(boss)

    assert client.get("/page/").status_code == 302


@pytest.mark.parametrize("with_factor", [False, True])
def test_an_api_view_knows_the_level_of_the_session(
    api: APIClient, person: User, *, with_factor: bool
) -> None:
    body = {"email": person.email, "password": PASSWORD}
    if with_factor:
        body["otp"] = give_factor(person).code()
    access = api.post(f"{API}/login/", body).json()["access"]

    answer = api.get("/level/", headers=bearer(access))

    assert answer.json() == {"verified": with_factor}
