"""Requests for existing and unknown names, to compare the answers."""

import dataclasses
from collections.abc import Callable, Set
from typing import Any
from unittest import mock

import pytest
from rest_framework.test import APIClient

from authentication.services.passwords.hashers import ServiceArgon2Hasher
from authentication.tests.answers import PER_REQUEST
from authentication.tests.clients import WRONG_PASSWORD
from authentication.tests.conftest import API
from authentication.tests.factories import PASSWORD

# They have the same length, so that Content-Length does not differ.
KNOWN, UNKNOWN = "ruth@example.org", "noah@example.org"
KNOWN_NAME, UNKNOWN_NAME = "ruth-moab", "noah-moab"


@dataclasses.dataclass(frozen=True)
class Question:
    """A request about an address or a name that needs no sign-in."""

    path: str
    body: Callable[[str], dict[str, Any]]
    known: str = KNOWN
    unknown: str = UNKNOWN

    def ask(self, about: str, address: str = "198.51.100.7") -> Any:
        return APIClient().post(f"{API}/{self.path}/", self.body(about), REMOTE_ADDR=address)


def with_password(field: str) -> Callable[[str], dict[str, Any]]:
    return lambda about: {field: about, "password": WRONG_PASSWORD}


QUESTIONS = {
    "login by address": Question("login", with_password("email")),
    "login by name": Question(
        "login",
        with_password("username"),
        known=KNOWN_NAME,
        unknown=UNKNOWN_NAME,
    ),
    "register": Question("register", lambda about: {"email": about, "password": PASSWORD}),
    "correct by address": Question(
        "email/correct",
        lambda about: {"email": about, "password": WRONG_PASSWORD, "new_email": "new@example.org"},
    ),
    "correct by name": Question(
        "email/correct",
        lambda about: {
            "username": about,
            "password": WRONG_PASSWORD,
            "new_email": "new@example.org",
        },
        known=KNOWN_NAME,
        unknown=UNKNOWN_NAME,
    ),
    "password reset": Question("password/reset", lambda about: {"email": about}),
    "resend": Question("email/resend", lambda about: {"email": about}),
}
for_every_question = pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS.keys())


def visible(answer: Any, *, ignore: Set[str] = PER_REQUEST) -> dict[str, Any]:
    """Return what a client can compare of an answer about a known and an unknown name."""
    body = {
        name: value
        for name, value in answer.json().items()
        if name not in {"correlation_id", "user_id"}
    }
    # An answer may repeat the name it was asked about.
    text = repr(body).replace(KNOWN, "<about>").replace(UNKNOWN, "<about>")
    return {
        "status": answer.status_code,
        "body": text,
        "headers": {name: value for name, value in answer.headers.items() if name not in ignore},
        "cookies": sorted(answer.cookies),
    }


def hashes(question: Question, about: str) -> int:
    with (
        mock.patch.object(
            ServiceArgon2Hasher, "encode", autospec=True, side_effect=ServiceArgon2Hasher.encode
        ) as made,
        mock.patch.object(
            ServiceArgon2Hasher, "verify", autospec=True, side_effect=ServiceArgon2Hasher.verify
        ) as seen,
    ):
        question.ask(about)
    return made.call_count + seen.call_count
