"""The API's description: its examples are what the service answers."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.api.examples import USER_ID
from authentication.models import User, UserSession
from authentication.services.accounts.personal_data import personal_data
from authentication.tests.clients import log_in, sign_in
from authentication.tests.conftest import BROWSER, bearer
from authentication.tests.factories import UserFactory, give_factor

PROBLEM = "application/problem+json"
# Operations that accept an empty body need another invalid one.
INVALID_BODIES: dict[str, dict[str, Any]] = {
    "logout": {"refresh": 5},
    "token_refresh": {"refresh": 5},
    "token_verify": {"token": 5},
    "profile_update": {"timezone": "Mars"},
}
# Operations that need a recent proof for some bodies only.
SENSITIVE_BODIES: dict[str, dict[str, Any]] = {
    "profile_update": {"username": "another.name"},
    "notices_update": {"notices": False},
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


def example_of_problem(operation: Operation, status: int, code: str) -> dict[str, Any] | None:
    """Return the example of a refusal, or None where the operation has none."""
    content = operation["responses"].get(str(status), {}).get("content", {}).get(PROBLEM, {})
    found = [
        it["value"] for it in content.get("examples", {}).values() if it["value"]["code"] == code
    ]
    return found[0] if found else None


def without_correlation_id(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "correlation_id"}


def send_refused_request(
    operation: Operation, method: str, path: str, *, code: str, headers: dict[str, str]
) -> Any:
    """Send the request that is refused with the code."""
    bodies: dict[str, dict[str, Any]] = {
        "validation_error": INVALID_BODIES.get(operation["operationId"], {}),
        "reauthentication_required": SENSITIVE_BODIES.get(operation["operationId"], {}),
        "token_invalid": {"token": "no", "mfa_token": "no", "otp": "123456"},
        "payload_too_large": {"token": "x" * 65_536},
        "not_found": {"device_name": "Phone"},
    }
    if code == "not_found":
        path += "?cursor=unknown"
    if code == "csrf_failed":
        headers |= {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    kind = "text/plain" if code == "unsupported_media_type" else "application/json"
    return APIClient().generic(
        method, path, json.dumps(bodies.get(code, {})), content_type=kind, headers=headers
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "validation_error"),
        (401, "token_invalid"),
        (403, "csrf_failed"),
        (403, "reauthentication_required"),
        (404, "not_found"),
        (413, "payload_too_large"),
        (415, "unsupported_media_type"),
    ],
)
def test_a_refusal_equals_its_example(
    status: int, code: str, person: User, settings: Settings, subtests: pytest.Subtests
) -> None:
    settings.RATELIMIT_ENABLE = False
    checked = 0

    for method, path, operation in operations():
        example = example_of_problem(operation, status, code)
        if example is not None:
            checked += 1
            with subtests.test(operation["operationId"]):
                signs_in = code != "token_invalid" and "bearer" in str(operation["security"])
                headers = bearer(sign_in(APIClient(), person)["access"]) if signs_in else {}
                if code == "reauthentication_required":
                    UserSession.objects.update(reauthenticated_at=None)

                answer = send_refused_request(
                    operation, method.upper(), path, code=code, headers=headers
                )

                assert (answer.status_code, without_correlation_id(answer.json())) == (
                    status,
                    without_correlation_id(example),
                )
    assert checked


def login() -> Operation:
    return next(
        operation for _, _, operation in operations() if operation["operationId"] == "login"
    )


def documented_members() -> set[str]:
    """Return the members that a problem may have."""
    return set(document()["components"]["schemas"]["Problem"]["properties"])


def test_a_refused_sign_in_has_the_members_of_its_example(
    api: APIClient, settings: Settings
) -> None:
    deleting, factored, without_consent = UserFactory(), UserFactory(), UserFactory()
    User.objects.request_deletion(deleting.pk, at=timezone.now())
    give_factor(factored)

    for person, code in (
        (deleting, "account_deletion_pending"),
        (factored, "mfa_required"),
        (without_consent, "consent_required"),
    ):
        settings.REQUIRE_CURRENT_CONSENT = person == without_consent

        answer = log_in(api, person).json()

        assert answer["code"] == code
        example = example_of_problem(login(), 403, code)
        assert example is not None
        assert answer.keys() == example.keys() <= documented_members()
        assert {name: type(it) for name, it in answer.items()} == {
            name: type(it) for name, it in example.items()
        }


@pytest.mark.parametrize(("name", "headers"), [("App", {}), ("Browser", BROWSER)])
def test_each_kind_of_client_has_an_example_with_its_answer(
    person: User, name: str, headers: dict[str, str]
) -> None:
    answer = log_in(APIClient(headers=headers), person)

    examples = login()["responses"]["200"]["content"]["application/json"]["examples"]
    assert answer.json().keys() == examples[name]["value"].keys()


def test_the_example_of_an_export_names_every_part(person: User) -> None:
    example = next(it for _, _, it in operations() if it["operationId"] == "export_download")[
        "responses"
    ]["200"]

    shown = example["content"]["application/json"]["examples"]["Answer"]["value"]
    assert shown.keys() - {"made_at"} == dict(personal_data(person)).keys()


def test_every_answer_that_asks_to_wait_documents_retry_after() -> None:
    waits = {"account_locked", "rate_limited", "service_unavailable"}
    documented = []

    for _, _, operation in operations():
        for answer in operation["responses"].values():
            examples = answer.get("content", {}).get(PROBLEM, {}).get("examples", {}).values()
            if waits & {it["value"]["code"] for it in examples}:
                documented.append("Retry-After" in answer["headers"])

    assert documented
    assert all(documented)


def test_a_body_has_one_media_type_for_generated_clients() -> None:
    bodies = [
        operation["requestBody"]["content"]
        for _, _, operation in operations()
        if "requestBody" in operation
    ]

    assert bodies
    assert all(list(content) == ["application/json"] for content in bodies)


def test_no_error_is_both_derived_and_listed() -> None:
    for _, _, operation in operations():
        for answer in operation["responses"].values():
            errors = answer["description"].split("; ")

            assert len(errors) == len(set(errors)), operation["operationId"]
