"""The lists of endpoints and of problem types, the icon, and the page of an unexpected error."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client
from rest_framework.test import APIClient

from authentication.tests.clients import page_browser
from authentication.tests.conftest import API
from authentication.tests.routes import ROUTES
from authentication.view_modules.account_pages import HomePage


def test_the_index_lists_every_endpoint(api: APIClient) -> None:
    answer = api.get(f"{API}/")

    assert answer.status_code == 200
    listed = set(answer.json()["endpoints"].values())
    routes = {
        "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", route)
        for route in ROUTES
        if route.startswith("api/v1/") and route != "api/v1/auth/"
    }
    assert listed == routes
    assert answer.json()["endpoints"]["session"] == f"{API}/sessions/{{session_id}}/"


def test_the_documents_that_the_index_names_exist(api: APIClient) -> None:
    for path in api.get(f"{API}/").json()["documentation"].values():
        assert api.get(path).status_code == 200


def test_the_index_of_problems_lists_each_meaning_once(api: APIClient) -> None:
    problems = api.get("/api/problems/").json()["problems"]

    codes = [problem["code"] for problem in problems]
    assert codes == sorted(set(codes))
    for problem in problems:
        assert api.get(problem["type"]).json() == {
            "code": problem["code"],
            "meanings": problem["meanings"],
        }
        said = [(it["status"], it["title"]) for it in problem["meanings"]]
        assert len(said) == len(set(said)), problem
    (token_invalid,) = [it for it in problems if it["code"] == "token_invalid"]
    assert sorted(it["status"] for it in token_invalid["meanings"]) == [400, 401]


def test_the_icon_is_an_image(client: Client) -> None:
    answer = client.get("/favicon.ico")

    assert (answer.status_code, answer["Content-Type"]) == (200, "image/svg+xml")
    found = finders.find("account/favicon.svg")
    assert isinstance(found, str)
    assert answer.content == Path(found).read_bytes()


def test_the_page_of_an_unexpected_error_names_the_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def crash(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(HomePage, "get", crash)
    visitor = page_browser()
    visitor.raise_request_exception = False

    answer = visitor.get("/")

    assert answer.status_code == 500
    assert answer["X-Correlation-ID"] in answer.content.decode()
    assert "RuntimeError" not in answer.content.decode()


def document() -> dict[str, Any]:
    found: dict[str, Any] = APIClient().get("/api/schema/?format=json").json()
    return found


def test_the_document_names_its_server_and_the_codes_of_problems() -> None:
    schemas = document()["components"]["schemas"]

    assert [it["url"] for it in document()["servers"]] == [settings.BACKEND_URL, "/"]
    code = schemas["Problem"]["properties"]["code"]
    codes = {it["code"] for it in APIClient().get("/api/problems/").json()["problems"]}
    assert set(code["x-extensible-enum"]) == codes


def test_no_field_has_a_default_that_generators_take_for_mandatory() -> None:
    schemas = document()["components"]["schemas"]

    assert '"default"' not in json.dumps(schemas)
    remember_me = schemas["LoginRequest"]["properties"]["remember_me"]
    assert remember_me["description"].endswith("Default: false.")
    assert "remember_me" not in schemas["LoginRequest"]["required"]


def examples_of(path: str) -> dict[str, Any]:
    body = document()["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    return {name: it["value"] for name, it in body["examples"].items()}


@pytest.mark.django_db
def test_the_examples_of_registration_sign_in_and_refresh_work_in_a_browser(
    browser: APIClient, delivered: Any
) -> None:
    (registration,) = examples_of(f"{API}/register/").values()
    (login,) = examples_of(f"{API}/login/").values()
    refreshes = examples_of(f"{API}/token/refresh/")

    assert browser.post(f"{API}/register/", registration).status_code == 201
    token = re.search(r"token=([\w-]+)", str(delivered()[0].body))
    assert token
    assert browser.post(f"{API}/email/verify/", {"token": token.group(1)}).status_code == 200
    assert browser.post(f"{API}/login/", login).status_code == 200
    assert next(iter(refreshes)) == "Browser"
    assert browser.post(f"{API}/token/refresh/", refreshes["Browser"]).status_code == 200
