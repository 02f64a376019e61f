"""/api/v1/auth/2fa/: the status, new recovery codes, and disabling."""

import pytest
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import (
    AuditLog,
    OutgoingEmail,
    RecoveryCode,
    SecondFactor,
    User,
)
from authentication.tests.answers import (
    TOKEN_INVALID,
    assert_problem,
    refusal_of,
    rows,
)
from authentication.tests.clients import (
    NOON,
    Tokens,
    log_in,
    post_as,
    sign_in,
    use_access,
)
from authentication.tests.conftest import Deliver
from authentication.tests.factories import give_factor

from .second_factor import (
    CONFIRM,
    DISABLE,
    RENEW,
    SETUP,
    STATUS,
    STEP,
    get_status,
    set_up_factor,
)

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


class TestDisabling:
    def test_the_password_alone_signs_in_again_and_other_sessions_end(
        self, api: APIClient, person: User, delivered: Deliver, time_machine: TimeMachineFixture
    ) -> None:
        factor = give_factor(person)
        other = sign_in(api, person, otp=factor.code())
        time_machine.shift(STEP)
        tokens = sign_in(api, person, otp=factor.code())

        answer = post_as(api, tokens, DISABLE)

        assert answer.status_code == 200
        assert answer.json() == {
            "message": "Two-step sign-in is off. Every other device was signed out."
        }
        assert (use_access(api, other), use_access(api, tokens)) == (401, 200)
        assert get_status(api, tokens)["enabled"] is False
        assert sign_in(api, person)
        assert not RecoveryCode.objects.exists()
        assert (SecondFactor.objects.get().seed, SecondFactor.objects.get().pending_seed) == (
            "",
            "",
        )
        assert AuditLog.objects.get(event_type="second_factor_disabled").user == person
        assert any("only your password" in str(mail.body) for mail in delivered())

    def test_an_account_without_a_factor_has_nothing_to_disable(
        self, api: APIClient, signed_in: Tokens
    ) -> None:
        answers = [post_as(api, signed_in, DISABLE), post_as(api, signed_in, RENEW)]

        for answer in answers:
            assert_problem(answer, 404, "not_found")
        assert not OutgoingEmail.objects.exists()

    def test_a_new_factor_can_be_set_up_afterwards(
        self, api: APIClient, person: User, time_machine: TimeMachineFixture
    ) -> None:
        tokens = sign_in(api, person, otp=give_factor(person).code())
        post_as(api, tokens, DISABLE)
        time_machine.shift(STEP)

        assert len(set_up_factor(api, tokens).recovery_codes) == 10


class TestRecoveryCodes:
    def test_new_codes_void_the_former_ones(
        self, api: APIClient, person: User, delivered: Deliver, time_machine: TimeMachineFixture
    ) -> None:
        factor = give_factor(person)
        tokens = sign_in(api, person, otp=factor.code())

        answer = post_as(api, tokens, RENEW)

        codes = answer.json()["recovery_codes"]
        assert (answer.status_code, answer["Cache-Control"], len(set(codes))) == (
            200,
            "no-store",
            10,
        )
        used = [
            log_in(api, person, otp=code).status_code
            for code in (factor.recovery_codes[0], codes[0])
        ]
        assert used == [401, 200]
        assert get_status(api, tokens)["recovery_codes_left"] == 9
        assert AuditLog.objects.filter(event_type="recovery_codes_renewed").count() == 1
        assert any("New recovery codes" in str(mail.body) for mail in delivered())


@pytest.mark.parametrize(
    ("method", "url"),
    [("get", STATUS), ("post", SETUP), ("post", CONFIRM), ("post", DISABLE), ("post", RENEW)],
)
def test_a_request_without_a_session_is_refused(
    api: APIClient, person: User, method: str, url: str
) -> None:
    give_factor(person)
    before = rows()

    assert refusal_of(getattr(api, method)(url)) == TOKEN_INVALID
    assert rows() == before


def test_the_status_without_a_factor_is_disabled(api: APIClient, signed_in: Tokens) -> None:
    assert get_status(api, signed_in) == {
        "enabled": False,
        "enabled_at": None,
        "recovery_codes_left": 0,
        "session_verified": False,
    }
