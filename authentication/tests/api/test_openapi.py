"""The API's description: what its examples show is what comes back."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.api.schema import USER_ID
from authentication.models import User
from authentication.services import DeletionService
from authentication.services.accounts.personal_data import collect_personal_data
from authentication.tests.clients import sign_in
from authentication.tests.conftest import API, BROWSER, bearer
from authentication.tests.factories import PASSWORD, UserFactory, give_factor
from authentication.utils.client import ClientInfo

PROBLEM = "application/problem+json"
# What an operation cannot take that can take an empty body.
WRONG: dict[str, dict[str, Any]] = {
    "logout": {"refresh": 5},
    "token_refresh": {"refresh": 5},
    "token_verify": {"token": 5},
    "profile_update": {"timezone": "Mars"},
}

Operation = dict[str, Any]

pytestmark = pytest.mark.django_db


@cache
def document() -> dict[str, Any]:
    answer = APIClient().get("/api/schema/?format=json")
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def operations() -> Iterator[tuple[str, str, Operation]]:
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            yield method, re.sub(r"{\w+}", USER_ID, path), operation


def problem(operation: Operation, status: int, code: str) -> dict[str, Any] | None:
    """Return the example of a refusal, or None where the operation has none."""
    content = operation["responses"].get(str(status), {}).get("content", {}).get(PROBLEM, {})
    found = [
        it["value"] for it in content.get("examples", {}).values() if it["value"]["code"] == code
    ]
    return found[0] if found else None


def without_id(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "correlation_id"}


def ask(operation: Operation, method: str, path: str, *, code: str, headers: dict[str, str]) -> Any:
    """Send the request that is refused with the code."""
    bodies: dict[str, dict[str, Any]] = {
        "validation_error": WRONG.get(operation["operationId"], {}),
        "token_invalid": {"token": "no", "mfa_token": "no", "otp": "123456"},
    }
    if code == "csrf_failed":
        headers |= {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    kind = "text/plain" if code == "unsupported_media_type" else "application/json"
    return APIClient().generic(
        method, path, json.dumps(bodies.get(code, {})), content_type=kind, headers=headers
    )


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "validation_error"),
        (401, "token_invalid"),
        (403, "csrf_failed"),
        (415, "unsupported_media_type"),
    ],
)
def test_a_refusal_is_the_one_of_its_example(
    status: int, code: str, person: User, settings: Settings, subtests: pytest.Subtests
) -> None:
    settings.RATELIMIT_ENABLE = False

    for method, path, operation in operations():
        example = problem(operation, status, code)
        if example is not None:
            with subtests.test(operation["operationId"]):
                signs_in = code != "token_invalid" and "bearer" in str(operation["security"])
                headers = bearer(sign_in(APIClient(), person)["access"]) if signs_in else {}

                answer = ask(operation, method.upper(), path, code=code, headers=headers)

                assert (answer.status_code, without_id(answer.json())) == (
                    status,
                    without_id(example),
                )


def login() -> Operation:
    return next(
        operation for _, _, operation in operations() if operation["operationId"] == "login"
    )


def sign_in_with_the_password(api: APIClient, person: User) -> Any:
    return api.post(f"{API}/login/", {"email": person.email, "password": PASSWORD})


def documented() -> set[str]:
    """Return the members a problem may have."""
    return set(document()["components"]["schemas"]["Problem"]["properties"])


def test_a_refused_sign_in_says_what_its_example_says(api: APIClient, settings: Settings) -> None:
    leaving, factored, asked = UserFactory(), UserFactory(), UserFactory()
    DeletionService.request(leaving, client=ClientInfo())
    give_factor(factored)

    for person, code in (
        (leaving, "account_deletion_pending"),
        (factored, "mfa_required"),
        (asked, "consent_required"),
    ):
        settings.REQUIRE_CURRENT_CONSENT = person == asked

        answer = sign_in_with_the_password(api, person).json()

        assert answer["code"] == code
        example = problem(login(), 403, code)
        assert example is not None
        assert answer.keys() == example.keys() <= documented()
        assert {name: type(it) for name, it in answer.items()} == {
            name: type(it) for name, it in example.items()
        }


@pytest.mark.parametrize(("name", "headers"), [("App", {}), ("Browser", BROWSER)])
def test_each_kind_of_client_finds_its_own_answer(
    person: User, name: str, headers: dict[str, str]
) -> None:
    answer = sign_in_with_the_password(APIClient(headers=headers), person)

    examples = login()["responses"]["200"]["content"]["application/json"]["examples"]
    assert answer.json().keys() == examples[name]["value"].keys()


def test_the_example_of_a_copy_names_every_part_of_one(person: User) -> None:
    example = next(it for _, _, it in operations() if it["operationId"] == "export_download")[
        "responses"
    ]["200"]

    shown = example["content"]["application/json"]["examples"]["Answer"]["value"]
    assert shown.keys() - {"made_at"} == collect_personal_data(person).keys()


def test_who_must_wait_is_told_for_how_long() -> None:
    waits = {"account_locked", "rate_limited", "service_unavailable"}

    for _, _, operation in operations():
        for answer in operation["responses"].values():
            examples = answer.get("content", {}).get(PROBLEM, {}).get("examples", {}).values()
            if waits & {it["value"]["code"] for it in examples}:
                assert "Retry-After" in answer["headers"]


def test_a_body_is_described_in_one_way_for_clients_made_from_the_document() -> None:
    bodies = [
        operation["requestBody"]["content"]
        for _, _, operation in operations()
        if "requestBody" in operation
    ]

    assert bodies
    assert all(list(content) == ["application/json"] for content in bodies)
