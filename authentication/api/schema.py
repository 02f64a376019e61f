"""The OpenAPI document: what each operation takes, answers and can refuse.

`@authentication_schema` states what only the author knows: the answer, the examples and the errors
of the service. `ServiceSchema` derives the rest from the view.
"""

import dataclasses
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS, IsAuthenticated

from authentication import exceptions as failures
from authentication.exceptions import Problem

from .examples import USER_ID
from .problem_schema import PROBLEM_TYPE, problem_responses

Handler = TypeVar("Handler", bound=Callable[..., Any])
Answer = type[serializers.Serializer[Any]] | OpenApiTypes | OpenApiResponse

# Browsers get these by cookie, other clients in the body.
_COOKIES = {"refresh", "device_id"}
_HAS_RETRY_AFTER = {
    error.code
    for error in (failures.AccountLocked, failures.RateLimited, failures.ServiceUnavailable)
}
_RETRY_AFTER = {
    "description": "Seconds to wait before the next try.",
    "schema": {"type": "integer", "minimum": 1},
}


@dataclasses.dataclass(frozen=True)
class authentication_schema:  # noqa: N801 -- used as a decorator
    """Describes an operation where its view does not show it.

    `answer` is the shape of the answer under `status`. `request` and `response` are example bodies.
    `invalid` is the example of a validation error, messages by field; by default the required
    fields are missing. `errors` lists the errors that `ServiceSchema.derived_errors` does not know.
    `security` names the schemes of a view that reads the token itself.
    """

    operation_id: str
    answer: Answer
    _: dataclasses.KW_ONLY
    status: int = 200
    request: Mapping[str, Any] | None = None
    response: Mapping[str, Any]
    other_answers: Mapping[int, Answer] = dataclasses.field(default_factory=dict)
    errors: Sequence[type[Problem]] = ()
    invalid: Mapping[str, Sequence[str]] | None = None
    security: Sequence[str] = ()
    query: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def __call__(self, handler: Handler) -> Handler:
        handler.stated = self  # type: ignore[attr-defined]
        describe: Callable[[Handler], Handler] = extend_schema(
            operation_id=self.operation_id,
            parameters=[
                OpenApiParameter(name, str, description=text) for name, text in self.query.items()
            ],
            examples=list(self._examples()),
            # The document needs requirement objects, which the annotation does not allow.
            auth=[{name: []} for name in self.security] or None,  # type: ignore[misc]
        )
        return describe(handler)

    def _examples(self) -> Iterator[OpenApiExample]:
        for name, body in _by_client(self.response).items():
            yield OpenApiExample(name, body, response_only=True, status_codes=[str(self.status)])
        # The first is what Swagger UI sends, from a browser.
        requests = {} if self.request is None else _by_client(self.request, alone="request")
        for name, body in sorted(requests.items(), reverse=True):
            yield OpenApiExample(name, body, request_only=True)


class ServiceSchema(AutoSchema):
    """Describes a view from its `@authentication_schema`, its class, its decorators and its path.

    The first line of the docstring is the summary, the rest the description. The body is the view's
    `serializer_class`, the tag its `tag`.
    """

    view: Any

    def get_tags(self) -> list[str]:
        return [self.view.tag]

    def get_summary(self) -> str:
        return self._text().partition("\n")[0].rstrip(".")

    def get_description(self) -> str:  # type: ignore[override]  # drf-spectacular's signature
        return self._text().partition("\n")[2].strip()

    def get_request_serializer(self) -> type[serializers.Serializer[Any]] | None:
        reads_body = self.method in {"POST", "PUT", "PATCH"}
        return self.view.serializer_class if reads_body else None

    def get_response_serializers(self) -> Any:
        stated = self.stated()
        invalid = stated.invalid or _missing_in(self.get_request_serializer())
        errors = (*self.derived_errors(), *stated.errors)
        answers = {stated.status: stated.answer, **stated.other_answers}
        return {**answers, **problem_responses(errors, invalid=invalid)}

    def map_parsers(self) -> list[str]:
        """Describe bodies as JSON alone.

        Clients generated from several media types of one body send all of them at once.
        """
        return ["application/json"]

    def stated(self) -> authentication_schema:
        """Return the handler's `@authentication_schema`."""
        stated: authentication_schema = self._handler().stated
        return stated

    def derived_errors(self) -> Iterator[type[Problem]]:
        """Yield the errors that follow from the view, in the order of the checks."""
        handler = self._handler()
        if self.method not in SAFE_METHODS:
            yield failures.CsrfFailed
        if IsAuthenticated in self.view.permission_classes:
            yield failures.TokenInvalid
        if hasattr(handler, "limit"):
            yield failures.RateLimited
        if getattr(handler, "needs_recent_proof", False):
            yield failures.ReauthenticationRequired
        if self.get_request_serializer() and not self.view.body_is_optional:
            yield from (
                failures.UnsupportedMediaType,
                failures.PayloadTooLarge,
                failures.ValidationFailed,
            )
        if "{" in self.path:  # The path has the id of a row.
            yield failures.NotFound

    def _handler(self) -> Any:
        return getattr(self.view, self.method.lower())

    def _text(self) -> str:
        return str(super().get_description())


def _by_client(body: Mapping[str, Any], *, alone: str = "answer") -> dict[str, dict[str, Any]]:
    for_browsers = {name: value for name, value in body.items() if name not in _COOKIES}
    if for_browsers == body:
        return {alone: dict(body)}
    return {"app": dict(body), "browser": for_browsers}


def _missing_in(request: type[serializers.Serializer[Any]] | None) -> dict[str, list[str]]:
    fields = request().get_fields() if request else {}
    return {name: ["This field is required."] for name, field in fields.items() if field.required}


# The base class has no types.
class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
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


def finish(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Complete the document: a hook for drf-spectacular.

    Adds the security scheme of the refresh cookie, the path in each example of an error, the header
    Retry-After, and a description for each status without one. Tells defaults in words, and that
    null stands for an absent field (`InputSerializer`).
    """
    _finish_shapes(result["components"]["schemas"])
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
            for it in answer.get("content", {}).get(PROBLEM_TYPE, {}).get("examples", {}).values()
        ]
        for problem in examples:
            problem["instance"] = re.sub(r"{\w+}", USER_ID, path)
        if any(it["code"] in _HAS_RETRY_AFTER for it in examples):
            answer["headers"] = {"Retry-After": _RETRY_AFTER}
    return result


def _finish_shapes(schemas: Mapping[str, Any]) -> None:
    # A PATCH with a field that must be there.
    schemas["PatchedSessionRenameRequest"]["required"] = ["device_name"]
    for name, schema in schemas.items():
        for field in schema.get("properties", {}).values():
            _describe_default(field)
        if name.endswith("Request"):
            _allow_null(schema)
        for field in schema.get("properties", {}).values():
            _give_nullable_a_type(field, schemas)


def _describe_default(field: dict[str, Any]) -> None:
    # Generators of TypeScript take a field with a default for one that is always there.
    default = field.pop("default", "")
    if default != "":
        sentences = (field.get("description", ""), f"Default: {json.dumps(default)}.")
        field["description"] = " ".join(filter(None, sentences))


def _allow_null(request: dict[str, Any]) -> None:
    fields = request.get("properties", {})
    for name in fields.keys() - set(request.get("required", ())):
        field = fields[name]
        # What stands beside a reference is ignored (OpenAPI 3.0.3, Reference Object).
        fields[name] = {"allOf": [field]} if "$ref" in field else field
        fields[name]["nullable"] = True


def _give_nullable_a_type(field: dict[str, Any], schemas: Mapping[str, Any]) -> None:
    # `nullable` counts only beside a type (OpenAPI 3.0.3, Schema Object).
    if field.get("nullable") and "type" not in field:
        first, *_ = field.get("allOf") or field["oneOf"]
        field["type"] = schemas[first["$ref"].rpartition("/")[2]]["type"]


def _answers(result: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in result["paths"].items():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                yield path, status, answer
