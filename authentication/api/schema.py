"""The API's description in OpenAPI: what each operation takes, answers and can refuse."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers

from authentication import exceptions as failures
from authentication.exceptions import Problem

Handler = TypeVar("Handler", bound=Callable[..., Any])

READS_INPUT: tuple[type[Problem], ...] = (
    failures.ValidationFailed,
    failures.CsrfFailed,
    failures.PayloadTooLarge,
    failures.UnsupportedMediaType,
)
"""What any operation with a body can refuse."""

ACCESS_TOKEN = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.<claims>.<signature>"  # noqa: S105 -- an example
REFRESH_TOKEN = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.<other claims>.<signature>"  # noqa: S105 -- an example
# What a browser gets by cookie.
_COOKIES = {"refresh", "device_id"}
_PROBLEM = "application/problem+json"
_COMES_BACK = {
    kind.code
    for kind in (failures.AccountLocked, failures.RateLimited, failures.ServiceUnavailable)
}
_RETRY_AFTER = {
    "description": "Seconds to wait before the next try.",
    "schema": {"type": "integer", "minimum": 1},
}
USER_ID = "0c5ad2c5-0f9e-4a53-a4c5-2b4d6cbf8f10"
TOKENS = {
    "access_token": ACCESS_TOKEN,
    "access": ACCESS_TOKEN,
    "expires_in": 900,
    "token_type": "Bearer",
    "refresh": REFRESH_TOKEN,
}
NEW_SESSION = {**TOKENS, "device_id": "<43 characters>"}
USER = {
    "id": USER_ID,
    "email": "ruth@example.org",
    "username": "ruth",
    "first_name": "Ruth",
    "last_name": "Moab",
    "email_verified": True,
}


class ProblemSerializer(serializers.Serializer[Any]):
    """An error (RFC 9457)."""

    type = serializers.CharField(help_text="A stable URI reference for each code.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="A sentence for the person.")
    instance = serializers.CharField(help_text="The path of the request.")
    code = serializers.CharField(help_text="A word for the machine.")
    error = serializers.CharField(help_text="The same as detail.")
    errors = serializers.DictField(  # type: ignore[assignment]  # a member of the answer, not DRF's property
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="On validation errors: messages by field, non_field_errors for the rest.",
    )
    mfa_token = serializers.CharField(
        required=False, help_text="On mfa_required: goes to 2fa/verify/ with a code."
    )
    mfa_methods = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="On mfa_required: totp, recovery_code.",
    )
    deletion_at = serializers.DateTimeField(
        required=False, help_text="On account_deletion_pending: until when."
    )
    documents = serializers.DictField(
        child=serializers.CharField(),
        required=False,
        help_text="On consent_required: the versions to be agreed to, of terms and privacy_policy.",
    )
    correlation_id = serializers.CharField(
        help_text="Quote it to support: it finds the request in the logs."
    )


class ServiceSchema(AutoSchema):
    """A view's docstring is its text: the first line the summary, the rest the description."""

    def get_summary(self) -> str:
        return self._text().partition("\n")[0].rstrip(".")

    def get_description(self) -> str:  # type: ignore[override]  # drf-spectacular's signature
        return self._text().partition("\n")[2].strip()

    def map_parsers(self) -> list[str]:
        """Describe bodies as JSON alone: clients made from three types of one body send all three at once."""
        return ["application/json"]

    def _text(self) -> str:
        return str(super().get_description())


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its base class has no types
    """The access token in the Authorization header."""

    target_class = "authentication.api.bearer.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "`Authorization: Bearer <access token>`",
        }


def authentication_schema(
    operation: str,
    *,
    tag: str,
    answers: Mapping[int, type[serializers.Serializer[Any]] | OpenApiTypes | OpenApiResponse],
    answer: Mapping[str, Any],
    errors: Sequence[type[Problem]] = (),
    request: type[serializers.Serializer[Any]] | None = None,
    example: Mapping[str, Any] | None = None,
    security: Sequence[str] = (),
    query: Mapping[str, str] | None = None,
    invalid: Mapping[str, Sequence[str]] | None = None,
) -> Callable[[Handler], Handler]:
    """Describe an operation: its input and answer, an example of each, and every failure it can answer with.

    `invalid` holds what it says of a body that it cannot take, by field; unless given, what it says
    of an empty one.
    """
    status = next(iter(answers))
    shown = [
        OpenApiExample(name, value=value, response_only=True, status_codes=[str(status)])
        for name, value in _by_client(answer).items()
    ]
    if example is not None:
        shown.append(OpenApiExample("request", value=dict(example), request_only=True))
    describe: Callable[[Handler], Handler] = extend_schema(
        operation_id=operation,
        tags=[tag],
        request=request,
        responses={**answers, **_refusals(errors, invalid=invalid or _missing_in(request))},
        examples=shown,
        parameters=[
            OpenApiParameter(name, str, description=text) for name, text in (query or {}).items()
        ],
        # The document wants requirement objects, whatever the annotation says.
        auth=[{name: []} for name in security] or None,  # type: ignore[misc]
    )
    return describe


def _by_client(answer: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    by_cookie = {name: value for name, value in answer.items() if name not in _COOKIES}
    if by_cookie == answer:
        return {"answer": dict(answer)}
    return {"app": dict(answer), "browser": by_cookie}


def _missing_in(request: type[serializers.Serializer[Any]] | None) -> dict[str, list[str]]:
    fields = request().get_fields() if request else {}
    return {name: ["This field is required."] for name, field in fields.items() if field.required}


def _refusals(
    errors: Sequence[type[Problem]], *, invalid: Mapping[str, Sequence[str]]
) -> dict[tuple[int, str], OpenApiResponse]:
    by_status: dict[int, list[type[Problem]]] = {}
    for error in errors:
        by_status.setdefault(error.status, []).append(error)
    return {
        (status, _PROBLEM): OpenApiResponse(
            ProblemSerializer,
            description="; ".join(f"`{kind.code}`: {kind.title}" for kind in kinds),
            examples=[_example(kind, invalid) for kind in kinds],
        )
        for status, kinds in sorted(by_status.items())
    }


def _example(kind: type[Problem], invalid: Mapping[str, Sequence[str]]) -> OpenApiExample:
    problem: dict[str, Any] = {
        "type": f"/api/problems/{kind.code}/",
        "title": kind.title,
        "status": kind.status,
        "detail": kind.detail,
        "instance": "",  # The path, which the operation does not know yet: finish() does.
        "code": kind.code,
        "error": kind.detail,
        "correlation_id": "4f9d1c0a7be24e0c9d3f6a1b2c3d4e5f",
    }
    members: dict[type[Problem], dict[str, Any]] = {
        failures.ValidationFailed: {
            "errors": {name: list(messages) for name, messages in invalid.items()}
        },
        failures.MfaRequired: {
            "mfa_token": "<good for five minutes>",
            "mfa_methods": ["totp", "recovery_code"],
        },
        failures.AccountDeletionPending: {"deletion_at": "2026-12-06T15:30:00Z"},
        failures.ConsentRequired: {"documents": {"terms": "2"}},
    }
    problem |= members.get(kind, {})
    return OpenApiExample(
        kind.code, value=problem, response_only=True, status_codes=[str(kind.status)]
    )


def finish(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add what a single operation cannot say: a hook for drf-spectacular.

    The refresh cookie beside the bearer token, the path in each example of a problem, when to come
    back, and a word for each status.
    """
    result["components"]["securitySchemes"]["refreshCookie"] = {
        "type": "apiKey",
        "in": "cookie",
        "name": "refresh_token",
        "description": "The refresh token, set by sign-in and read by no script.",
    }
    for path, status, answer in _answers(result):
        answer["description"] = answer.get("description") or HTTPStatus(int(status)).phrase
        examples = [
            it["value"]
            for it in answer.get("content", {}).get(_PROBLEM, {}).get("examples", {}).values()
        ]
        for problem in examples:
            problem["instance"] = re.sub(r"{\w+}", USER_ID, path)
        if any(it["code"] in _COMES_BACK for it in examples):
            answer["headers"] = {"Retry-After": _RETRY_AFTER}
    return result


def _answers(result: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in result["paths"].items():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                yield path, status, answer
