"""The errors of an operation in the OpenAPI document: their shape, descriptions and examples."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema_field
from rest_framework import serializers

from authentication import exceptions as failures
from authentication.exceptions import Problem

PROBLEM_TYPE = "application/problem+json"


def problem_kinds(kind: type[Problem] = Problem) -> list[type[Problem]]:
    """Return a class of errors and those below it."""
    return [kind, *(found for below in kind.__subclasses__() for found in problem_kinds(below))]


@extend_schema_field(
    {
        "type": "string",
        # Not an enum: clients compiled from one fail on a code that is added later.
        "x-extensible-enum": sorted({kind.code for kind in problem_kinds()}),
    }
)
class CodeField(serializers.CharField):
    """The code of an error."""


class ProblemSerializer(serializers.Serializer[Any]):
    """An error (RFC 9457)."""

    type = serializers.CharField(help_text="A stable URI reference for each code.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="A sentence for the person.")
    instance = serializers.CharField(help_text="The path of the request.")
    code = CodeField(
        help_text="A word for the machine. `/api/problems/` explains each; more may be added."
    )
    error = serializers.CharField(help_text="The same as detail.")
    # A member of the answer, not DRF's property.
    errors = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="On validation errors: messages by field, non_field_errors for the rest.",
    )
    details = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        help_text="The same as errors; where no field is to blame, detail as non_field_errors.",
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


def problem_responses(
    errors: Iterable[type[Problem]], *, invalid: Mapping[str, Sequence[str]]
) -> dict[tuple[int, str], OpenApiResponse]:
    """Return one response for each status, with an example of each error.

    `invalid` holds the messages by field for the example of ValidationFailed.
    """
    by_status: dict[int, list[type[Problem]]] = {}
    for error in errors:
        by_status.setdefault(error.status, []).append(error)
    return {
        (status, PROBLEM_TYPE): OpenApiResponse(
            ProblemSerializer,
            description="; ".join(f"`{error.code}`: {error.title}" for error in same_status),
            examples=[_example(error, invalid) for error in same_status],
        )
        for status, same_status in sorted(by_status.items())
    }


def _example(error: type[Problem], invalid: Mapping[str, Sequence[str]]) -> OpenApiExample:
    problem: dict[str, Any] = {
        "type": f"/api/problems/{error.code}/",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "instance": "",  # The hook `finish` fills in the path.
        "code": error.code,
        "error": error.detail,
        "details": {"non_field_errors": [error.detail]},
        "correlation_id": "4f9d1c0a7be24e0c9d3f6a1b2c3d4e5f",
    }
    errors = {name: list(messages) for name, messages in invalid.items()}
    members: dict[type[Problem], dict[str, Any]] = {
        failures.ValidationFailed: {"errors": errors, "details": errors},
        failures.MfaRequired: {
            "mfa_token": "<good for five minutes>",
            "mfa_methods": ["totp", "recovery_code"],
        },
        failures.AccountDeletionPending: {"deletion_at": "2026-12-06T15:30:00Z"},
        failures.ConsentRequired: {"documents": {"terms": "2"}},
    }
    problem |= members.get(error, {})
    return OpenApiExample(
        error.code, value=problem, response_only=True, status_codes=[str(error.status)]
    )
