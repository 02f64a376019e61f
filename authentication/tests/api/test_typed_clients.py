"""What typed clients send: null, empty texts, device names, time zones, upper-case ids."""

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import User, UserProfile, UserSession
from authentication.serializers.authentication import LoginSerializer
from authentication.tests.answers import assert_invalid_fields
from authentication.tests.clients import (
    LOGIN,
    NEW_PASSWORD,
    Tokens,
    get_as,
    post_as,
    post_json,
    use_access,
)
from authentication.tests.conftest import API, ME, bearer
from authentication.tests.factories import PASSWORD, Factor
from authentication.tests.properties import thoroughly

from .second_factor import VERIFY, get_challenge
from .sessions import list_sessions, session_url

REGISTER = f"{API}/register/"
NEWCOMER = {"email": "naomi@example.org", "password": PASSWORD}

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_rate_limits")]


class TestAbsent:
    def test_null_for_an_optional_field_of_a_sign_in_is_as_if_absent(
        self, api: APIClient, person: User
    ) -> None:
        optional = [name for name, it in LoginSerializer().fields.items() if not it.required]
        body = {**dict.fromkeys(optional), "email": person.email, "password": PASSWORD}

        answer = post_json(api, LOGIN, body)

        assert answer.status_code == 200, answer.content
        assert UserSession.objects.get().remember_me is False

    @pytest.mark.parametrize("absent", [None, ""])
    @pytest.mark.parametrize("given", ["email_or_username", "email", "username"])
    def test_an_empty_name_beside_another_is_as_if_absent(
        self, api: APIClient, person: User, given: str, absent: str | None
    ) -> None:
        names = dict.fromkeys(("email_or_username", "email", "username"), absent)
        body = {**names, given: person.username, "password": PASSWORD}

        assert post_json(api, LOGIN, body).status_code == 200

    def test_a_form_may_have_empty_names_too(self, api: APIClient, person: User) -> None:
        body = {"email": "", "username": person.username, "password": PASSWORD}

        assert api.post(LOGIN, body, format="multipart").status_code == 200

    @pytest.mark.parametrize("absent", [None, ""])
    def test_a_sign_in_without_any_name_says_so(self, api: APIClient, absent: str | None) -> None:
        names = dict.fromkeys(("email_or_username", "email", "username"), absent)

        answer = post_json(api, LOGIN, {**names, "password": PASSWORD})

        assert_invalid_fields(answer, "email_or_username")

    def test_null_for_an_optional_field_of_a_registration_is_as_if_absent(
        self, api: APIClient
    ) -> None:
        fields = ("username", "password_confirm", "first_name", "last_name", "display_name")
        others = ("timezone", "terms_accepted", "privacy_policy_accepted")

        answer = post_json(api, REGISTER, {**NEWCOMER, **dict.fromkeys((*fields, *others))})

        user = User.objects.get()
        assert answer.status_code == 201, answer.content
        assert user.username.startswith("member-")
        assert (user.terms_accepted_at, user.first_name) == (None, "")

    def test_an_empty_username_is_generated(self, api: APIClient) -> None:
        assert api.post(REGISTER, {**NEWCOMER, "username": ""}).status_code == 201
        assert User.objects.get().username.startswith("member-")

    @pytest.mark.parametrize("absent", [None, ""])
    def test_the_code_that_is_not_given_may_be_null_or_empty(
        self, api: APIClient, person: User, factor: Factor, absent: str | None
    ) -> None:
        token = get_challenge(api, person)
        body = {"mfa_token": token, "otp": absent, "recovery_code": factor.recovery_codes[0]}

        assert post_json(api, VERIFY, body).status_code == 200

    @pytest.mark.parametrize("absent", [None, ""])
    def test_a_proof_beside_another_may_be_null_or_empty(
        self, api: APIClient, signed_in: Tokens, absent: str | None
    ) -> None:
        body = {"password": PASSWORD, "otp": absent}
        headers = bearer(signed_in["access"])

        assert post_json(api, f"{API}/reauthenticate/", body, **headers).status_code == 200

    def test_null_in_a_profile_changes_nothing(
        self, api: APIClient, signed_in: Tokens, person: User
    ) -> None:
        body: dict[str, Any] = dict.fromkeys(("username", "last_name", "timezone", "visibility"))
        content = json.dumps({**body, "first_name": "Naomi"})

        answer = api.patch(
            ME, content, content_type="application/json", headers=bearer(signed_in["access"])
        )

        assert answer.status_code == 200, answer.content
        assert answer.json()["username"] == person.username
        assert (answer.json()["first_name"], answer.json()["last_name"]) == ("Naomi", "Moab")

    def test_a_null_confirmation_is_not_compared(self, api: APIClient, signed_in: Tokens) -> None:
        body = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}
        headers = bearer(signed_in["access"])

        answer = post_json(
            api, f"{API}/password/change/", {**body, "new_password_confirm": None}, **headers
        )

        assert answer.status_code == 200


class TestDeviceNames:
    @pytest.mark.parametrize(
        ("sent", "kept"),
        [
            ("Ruth's\tphone", "Ruth'sphone"),
            ("\U0001f469\u200d\U0001f33e\ufe0f Ruth", "\U0001f469\U0001f33e Ruth"),
            ("a" * 101, "a" * 100),
            (" Laptop ", "Laptop"),
            ("a\x00b\u202ec\u2028d\ud800e\u3164f\U000e0041g", "abcdefg"),
            ("\u200b" * 50, "Unknown device"),
            ("", "Unknown device"),
            (None, "Unknown device"),
            (5, "Unknown device"),
            (["a"], "Unknown device"),
        ],
        ids=ascii,
    )
    def test_a_device_name_is_cleaned_and_cut_and_never_refused(
        self, api: APIClient, person: User, sent: object, kept: str
    ) -> None:
        body = {"email": person.email, "password": PASSWORD, "device_name": sent}

        answer = api.post(LOGIN, json.dumps(body), content_type="application/json")

        assert answer.status_code == 200, answer.content
        assert UserSession.objects.get().device_name == kept

    @thoroughly
    @given(name=st.text(max_size=300))
    def test_any_text_becomes_a_name_that_can_be_stored_and_shown(self, name: str) -> None:
        kept = LoginSerializer().fields["device_name"].run_validation(name)

        assert len(kept) <= 100
        assert not {unicodedata.category(it) for it in kept} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


class TestTimezones:
    @pytest.mark.parametrize("sent", ["Europe/Bethlehem", "", "x" * 65, "../../etc/passwd", "CEST"])
    def test_an_unknown_time_zone_at_registration_becomes_utc(
        self, api: APIClient, sent: str
    ) -> None:
        answer = api.post(REGISTER, {**NEWCOMER, "timezone": sent})

        assert answer.status_code == 201, answer.content
        assert UserProfile.objects.get().timezone == "UTC"

    def test_a_known_one_is_kept(self, api: APIClient) -> None:
        assert api.post(REGISTER, {**NEWCOMER, "timezone": "Europe/Berlin"}).status_code == 201
        assert UserProfile.objects.get().timezone == "Europe/Berlin"

    def test_an_unknown_one_in_a_profile_is_refused(
        self, api: APIClient, signed_in: Tokens
    ) -> None:
        headers = bearer(signed_in["access"])

        answer = api.patch(ME, {"timezone": "Europe/Bethlehem"}, headers=headers)

        assert_invalid_fields(answer, "timezone")


class TestIds:
    def test_ids_in_paths_may_be_upper_case(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        own = list_sessions(api, signed_in)[0]["id"]
        event = get_as(api, signed_in, f"{API}/account/activity/").json()["events"][0]["id"]

        shown = get_as(api, signed_in, f"{API}/sessions/{own.upper()}/")
        mixed = get_as(api, signed_in, f"{API}/sessions/{own[:9]}{own[9:].upper()}/")
        disowned = post_as(
            api, signed_in, f"{API}/account/activity/{event.upper()}/disown/"
        ).status_code

        assert (shown.json()["id"], mixed.status_code) == (own, 200)
        assert disowned == 200

    def test_a_session_is_ended_by_its_upper_case_id(
        self, api: APIClient, signed_in: Tokens
    ) -> None:
        url = session_url(signed_in)
        session = url.split("/")[-2]

        answer = api.delete(
            url.replace(session, session.upper()), headers=bearer(signed_in["access"])
        )

        assert answer.status_code == 200
        assert use_access(api, signed_in) == 401

    @pytest.mark.parametrize("spelling", ["{%s}", "urn:uuid:%s", "%s0", "%.8s"])
    def test_other_spellings_are_not_found(
        self, api: APIClient, signed_in: Tokens, spelling: str, settings: Settings
    ) -> None:
        own = list_sessions(api, signed_in)[0]["id"]

        assert get_as(api, signed_in, f"{API}/sessions/{spelling % own}/").status_code == 404
