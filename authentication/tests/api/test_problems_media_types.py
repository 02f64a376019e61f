"""Bodies of another media type or charset are refused."""

import itertools
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from authentication.models import User
from authentication.tests.clients import LOGIN, Tokens

from .problems import (
    FORM,
    READERS,
    access_headers,
    credentials,
    mismatches,
    send,
    stored_without_sessions,
)

KINDS = ["application/json", FORM, "multipart/form-data; boundary=b"]
OTHER_CHARSETS = [
    "utf-7",
    "utf-16",
    "bz2_codec",
    "rot13",
    "hex",
    "idna",
    "latin-1",
    "cp037",
    "unheard-of",
]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_rate_limits")]


class TestMediaTypes:
    def test_a_body_of_another_media_type_is_refused(
        self, api: APIClient, signed_in: Tokens
    ) -> None:
        before = stored_without_sessions()
        failures = {}

        for (method, url, field), kind in itertools.product(
            READERS, ["text/plain", "application/xml"]
        ):
            answer = api.generic(
                method,
                url,
                f"{field}=x",
                content_type=kind,
                headers=access_headers(url, signed_in["access"]),
            )
            if wrong := mismatches(answer, 415, "unsupported_media_type"):
                failures[url, kind] = wrong

        assert failures == {}
        assert stored_without_sessions() == before

    def test_a_body_of_a_malformed_media_type_is_refused(self, lenient_api: APIClient) -> None:
        kinds = [
            "",
            "x",
            "/",
            "application/",
            "json",
            "application/jsonp",
            ";",
            "\x00",
            "text/json",
        ]

        failures = {
            kind: wrong
            for kind in kinds
            if (
                wrong := mismatches(
                    send(lenient_api, b"{}", content_type=kind), 415, "unsupported_media_type"
                )
            )
        }

        assert failures == {}

    def test_a_body_in_another_charset_is_refused(self, lenient_api: APIClient) -> None:
        failures = {}

        for charset, kind in itertools.product(OTHER_CHARSETS, KINDS):
            answer = send(lenient_api, b"email=x", content_type=f"{kind}; charset={charset}")
            if wrong := mismatches(answer, 415, "unsupported_media_type"):
                failures[charset, kind] = wrong

        assert failures == {}

    def test_the_charset_utf_8_is_accepted(self, lenient_api: APIClient, person: User) -> None:
        content = json.dumps(credentials(person.email)).encode()
        charsets = ["utf-8", "UTF8", '"utf-8"', "us-ascii", ""]

        statuses = {
            charset: send(
                lenient_api, content, content_type=f"application/json; charset={charset}"
            ).status_code
            for charset in charsets
        }

        assert statuses == dict.fromkeys(charsets, 200)

    def test_multipart_without_a_boundary_is_refused(self, lenient_api: APIClient) -> None:
        failures = {}

        for parameters in ("", "; boundary=", "; boundary=\xfc"):
            answer = send(lenient_api, b"email=x", content_type=f"multipart/form-data{parameters}")
            wrong = mismatches(answer, 400, "validation_error")
            if wrong or not answer.json()["errors"].keys() <= {"non_field_errors", "password"}:
                failures[parameters] = wrong or answer.json()

        assert failures == {}

    def test_a_file_is_not_text(self, api: APIClient) -> None:
        email = SimpleUploadedFile("a.txt", b"ruth@example.org")

        answer = api.post(LOGIN, {**credentials(""), "email": email}, format="multipart")

        assert mismatches(answer, 400, "validation_error", fields={"email"}) == {}
