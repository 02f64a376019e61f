"""Every operation of the OpenAPI document answers any input as the document describes.

FUZZ_EXAMPLES sets the number of generated inputs per operation.
"""

import copy
import os
import re
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from pytest_django import Settings
from rest_framework.test import APIClient
from schemathesis import APIOperation, BaseSchema, CheckContext, Response
from schemathesis.core import NOT_SET
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.core.result import Ok
from schemathesis.generation.hypothesis.builder import (
    HypothesisTestConfig,
    HypothesisTestMode,
    create_test,
)
from schemathesis.openapi.checks import RejectedPositiveData
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from authentication.models import AuditLog, UserSession
from authentication.tests.factories import give_factor
from vineyard_group_fellowship.wsgi import application

from .bodies import ACCEPTED_BODIES, WITHOUT_BODY, signed_in

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "5"))
# A long run looks for new inputs; the short one is deterministic.
SETTINGS = hypothesis.settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)

# Messages of rules that a schema cannot express.
RULES = (
    "Please remove line breaks and invisible characters.",
    "This field may not be blank.",
    "Enter a valid email address.",
    "Enter a time zone such as",
    "Choose a username of",
    "Please choose at least one document.",
    "Use ",
    "This username is ",
    "Please accept this to continue.",
    "The password must ",
    "The password is too similar",
    "This password is too",
    "The two passwords are not the same.",
    "This is not your current password.",
    "This code is not valid.",
    "Enter the six digits",
    "Please give ",
    "Send either otp or recovery_code.",
    "Please enter a name.",
    "This differs from visibility.",
)
NO_IDENTIFIER = ["This field is required."]
# An empty text for one of them counts as absent.
ALTERNATIVES = ("email_or_username", "email", "username", "identifier", "otp", "recovery_code")

Case = schemathesis.Case[Any]
Operation = APIOperation[Any, Any, Any, Any]

pytestmark = [pytest.mark.services, pytest.mark.security]


def with_forms(document_data: dict[str, Any]) -> dict[str, Any]:
    """Add the media types of forms, which are accepted but not in the document.

    A form has no null. The codes of errors are an enum here: the service knows no other.
    """
    schemas = document_data["components"]["schemas"]
    code = schemas["Problem"]["properties"]["code"]
    code["enum"] = code.pop("x-extensible-enum")
    for name in [it for it in schemas if it.endswith("Request")]:
        form = schemas[f"{name}Form"] = copy.deepcopy(schemas[name])
        for field in form["properties"].values():
            field.pop("nullable", None)
    for operation in (
        it
        for path in document_data["paths"].values()
        for it in path.values()
        if "requestBody" in it
    ):
        content = operation["requestBody"]["content"]
        for kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
            reference = content["application/json"]["schema"]["$ref"]
            content[kind] = {"schema": {"$ref": f"{reference}Form"}}
    return document_data


@pytest.fixture
def document(db: None, settings: Settings) -> Iterator[BaseSchema]:
    assert connection.vendor == "postgresql", "These tests need PostgreSQL: set DATABASE_URL."
    settings.RATELIMIT_ENABLE = False
    document_data = schemathesis.openapi.from_dict(
        with_forms(APIClient().get("/api/schema/?format=json").json())
    )
    document_data.app = application
    # These requests do not come from Django's test client and would close the connection of the
    # test's transaction.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield document_data
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def operations(document: BaseSchema) -> list[Operation]:
    found = [result.ok() for result in document.get_all_operations() if isinstance(result, Ok)]
    assert found, "The document is empty or malformed."
    return found


class FreshSession:
    """Signs in the requests that need a session."""

    def get(self, case: Case, context: schemathesis.AuthContext) -> Any:
        return signed_in()

    def set(self, case: Case, data: Any, context: schemathesis.AuthContext) -> None:
        case.headers["Authorization"] = f"Bearer {data.tokens.access}"
        case.cookies["refresh_token"] = data.tokens.refresh
        # Half of the ids become those of the user; the others stay unknown.
        own = {
            "session_id": data.session.pk,
            "event_id": AuditLog.objects.get(user=data.user, event_type="login").pk,
        }
        for name in own.keys() & case.path_parameters.keys():
            if re.fullmatch(
                r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{11}[0-7]", str(case.path_parameters[name])
            ):
                case.path_parameters[name] = str(own[name])


def check_accepted(context: CheckContext, response: Response, case: Case) -> bool | None:
    try:
        return positive_data_acceptance(context, response, case)
    except RejectedPositiveData:
        if not is_explained(response.json()):
            raise
        return None


def is_explained(problem: dict[str, Any]) -> bool:
    # Only the database can tell that a well-formed token is not valid.
    if (problem["status"], problem["code"]) == (400, "token_invalid"):
        return True
    errors = dict(problem.get("errors", {}))
    for name in ("email_or_username", "identifier"):
        if errors.get(name) == NO_IDENTIFIER:
            del errors[name]
    messages = [message for found in errors.values() for message in found]
    return "errors" in problem and all(message.startswith(RULES) for message in messages)


def check_refused(context: CheckContext, response: Response, case: Case) -> bool | None:
    try:
        return negative_data_rejection(context, response, case)
    except AcceptedNegativeData:
        # Signing out is served whatever the body is.
        is_served = case.operation.definition.raw["operationId"] == "logout"
        if not (is_served or is_valid_as_form(case) or has_empty_alternative(case)):
            raise
        return None


def has_empty_alternative(case: Case) -> bool:
    return isinstance(case.body, dict) and any(case.body.get(name) == "" for name in ALTERNATIVES)


def is_valid_as_form(case: Case) -> bool:
    # An empty field of a form counts as left out. A form has no types: 0 and 1 mean no and yes.
    is_form = case.media_type in {"application/x-www-form-urlencoded", "multipart/form-data"}
    return is_form and (
        not isinstance(case.body, dict) or bool({"", "0", "1"} & set(map(str, case.body.values())))
    )


def send(case: Case) -> None:
    case.call_and_validate(
        additional_checks=[check_accepted, check_refused],
        # The two checks above replace them.
        excluded_checks=[positive_data_acceptance, negative_data_rejection],
    )


def fuzz(operation: Operation, document: BaseSchema) -> None:
    config = HypothesisTestConfig(
        project=document.config, modes=list(HypothesisTestMode), settings=SETTINGS
    )
    create_test(operation=operation, test_func=send, config=config)()


def test_requests_without_a_session_get_described_answers(
    document: BaseSchema, subtests: pytest.Subtests
) -> None:
    for operation in operations(document):
        with subtests.test(operation.label):
            fuzz(operation, document)


def test_requests_with_a_session_get_described_answers(
    document: BaseSchema, subtests: pytest.Subtests
) -> None:
    document.auth(refresh_interval=None)(FreshSession)

    for operation in operations(document):
        # Public operations do not read the session.
        if list(operation.security.iter_parameters()):
            with subtests.test(operation.label):
                fuzz(operation, document)


def test_accepted_bodies_get_described_answers(
    document: BaseSchema, subtests: pytest.Subtests
) -> None:
    for operation in operations(document):
        name = operation.definition.raw["operationId"]
        with subtests.test(name):
            login = signed_in()
            if name in {"second_factor_disable", "recovery_codes"}:
                give_factor(login.user)
                UserSession.objects.filter(pk=login.session.pk).update(is_verified=True)
            body = NOT_SET if name in WITHOUT_BODY else ACCEPTED_BODIES[name](login)
            media_type = None if body is NOT_SET else "application/json"
            case = operation.Case(
                body=body,
                media_type=media_type,
                path_parameters={
                    "session_id": str(login.session.pk),
                    "event_id": str(
                        AuditLog.objects.filter(user=login.user).values_list("pk", flat=True)[0]
                    ),
                },
            )
            FreshSession().set(
                case, login, schemathesis.AuthContext(operation=operation, app=application)
            )
            case._has_explicit_auth = True

            response = case.call_and_validate()

            assert 200 <= response.status_code < 300
