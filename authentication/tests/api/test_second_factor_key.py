"""Codes of an app whose seed is encrypted under a key that is gone."""

import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import RecoveryCode, SecondFactor, User
from authentication.tests.answers import assert_problem
from authentication.tests.clients import NOON, log_in, post_as, sign_in
from authentication.tests.conftest import API
from authentication.tests.factories import PASSWORD, Factor, give_factor
from authentication.tests.flows.logged import logged

from .second_factor import CONFIRM, begin_setup, get_challenge, verify

EARLIER = "an earlier key, of more than thirty-two characters"
LATER = "a later key, of more than thirty-two characters"

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.security,
    pytest.mark.time_machine(NOON, tick=False),
]


@pytest.fixture
def factor(person: User, settings: Settings) -> Factor:
    """Return a person's factor; the key of its seed is gone."""
    settings.FIELD_ENCRYPTION_KEYS = [EARLIER]
    made = give_factor(person)
    settings.FIELD_ENCRYPTION_KEYS = [LATER]
    return made


def test_a_code_is_a_503_in_both_ways_to_sign_in(
    api: APIClient, person: User, factor: Factor
) -> None:
    answers = [
        log_in(api, person, otp=factor.code()),
        verify(api, get_challenge(api, person), factor.code()),
    ]

    for answer in answers:
        assert_problem(answer, 503, "service_unavailable")
        assert answer["Retry-After"] == "300"
        assert "recovery code" in answer.json()["detail"]


def test_a_right_and_a_wrong_code_are_told_apart_by_nothing(
    api: APIClient, person: User, factor: Factor
) -> None:
    answers = [log_in(api, person, otp=code) for code in (factor.code(), factor.code(steps=9))]

    assert [it.status_code for it in answers] == [503, 503]


def test_a_recovery_code_still_works(api: APIClient, person: User, factor: Factor) -> None:
    assert log_in(api, person, otp=factor.recovery_codes[0]).status_code == 200
    assert RecoveryCode.objects.filter(used_at=None).count() == 9


def test_a_proof_in_a_session_is_a_503_too(api: APIClient, person: User, factor: Factor) -> None:
    tokens = sign_in(api, person, otp=factor.recovery_codes[0])

    answer = post_as(api, tokens, f"{API}/reauthenticate/", {"otp": factor.code()})

    assert_problem(answer, 503, "service_unavailable")


def test_the_admin_says_so(client: Client, person: User, factor: Factor) -> None:
    User.objects.filter(pk=person.pk).update(is_staff=True)
    form = {"username": person.email, "password": PASSWORD, "otp": factor.code()}

    answer = client.post("/admin/login/", form)

    assert answer.status_code == 200
    assert b"A recovery code works." in answer.content


def test_no_try_is_spent_and_the_key_brings_the_factor_back(
    api: APIClient, person: User, factor: Factor, settings: Settings
) -> None:
    for _ in range(12):
        assert log_in(api, person, otp=factor.code()).status_code == 503
    settings.FIELD_ENCRYPTION_KEYS = [LATER, EARLIER]

    assert log_in(api, person, otp=factor.code()).status_code == 200


def test_an_offered_seed_is_a_503_at_its_confirmation(
    api: APIClient, person: User, settings: Settings
) -> None:
    tokens = sign_in(api, person)
    offered = begin_setup(api, tokens)
    settings.FIELD_ENCRYPTION_KEYS = [LATER]

    answer = post_as(api, tokens, CONFIRM, {"otp": offered.code()})

    assert_problem(answer, 503, "service_unavailable")


def test_the_log_names_the_setting_and_no_secret(
    api: APIClient, person: User, factor: Factor
) -> None:
    code = factor.code()
    with logged("json") as log:
        log_in(api, person, otp=code)

    lines: list[dict[str, Any]] = [json.loads(it) for it in log.getvalue().splitlines()]
    (line,) = (it for it in lines if it["event"] == "second_factor_unreadable")
    assert line["setting"] == "FIELD_ENCRYPTION_KEYS"
    assert line["user"] == str(person.pk)
    assert line["level"] == "critical"
    secrets = [code, LATER, PASSWORD, SecondFactor.objects.get().seed]
    assert [it for it in secrets if it in log.getvalue()] == []
