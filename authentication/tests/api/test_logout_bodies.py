"""POST /api/v1/auth/logout/: it works whatever the body is."""

from typing import Any, ClassVar

import pytest
from rest_framework.test import APIClient

from authentication.models import User, UserSession
from authentication.tests.answers import (
    CLEARED,
    TOKEN_INVALID,
    cookie_of,
    refusal_of,
    rows,
    unexpected,
)
from authentication.tests.clients import Tokens, log_in, post_json, use_access
from authentication.tests.conftest import bearer

from .test_logout import LOGGED_OUT, URL

pytestmark = pytest.mark.django_db


class TestMalformedBody:
    VALUES: ClassVar[list[Any]] = [None, 1, True, [], ["x"], {}, "a\x00b", "a\ud800b"]
    BODIES: ClassVar[list[tuple[str, str]]] = [
        ("{", "application/json"),
        ("[]", "application/json"),
        ("<logout/>", "application/xml"),
        ("x" * 70_000, "application/json"),
        ("refresh=" + "x" * 70_000, "application/x-www-form-urlencoded"),
        ("x", "multipart/form-data"),
    ]

    def test_a_refresh_token_that_is_no_text_counts_as_none(
        self, api: APIClient, signed_in: Tokens
    ) -> None:
        before = rows()

        assert (
            unexpected(
                self.VALUES,
                lambda it: refusal_of(post_json(api, URL, {"refresh": it})),
                TOKEN_INVALID,
            )
            == {}
        )
        assert rows() == before

    @pytest.mark.parametrize("body", BODIES, ids=lambda it: it[0][:9] + it[1])
    def test_whatever_the_body_is_the_session_of_the_access_token_ends(
        self, api: APIClient, signed_in: Tokens, body: tuple[str, str]
    ) -> None:
        content, kind = body
        headers = bearer(signed_in["access"])

        answer = api.generic("POST", URL, content, content_type=kind, headers=headers)

        assert (answer.status_code, answer.json()) == (200, LOGGED_OUT)
        assert use_access(api, signed_in) == 401

    def test_a_body_that_cannot_be_read_leaves_the_cookie_to_decide(
        self, browser: APIClient, person: User
    ) -> None:
        log_in(browser, person)

        answer = browser.generic("POST", URL, "{", content_type="application/json")

        assert (answer.status_code, cookie_of(answer)) == (200, CLEARED)
        assert not UserSession.objects.get().is_active
