"""A code of a second factor works once, in one spelling, for its own account."""

import pytest
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import (
    RecoveryCode,
    SecondFactor,
    User,
    UserSession,
)
from authentication.tests.clients import (
    NOON,
    Tokens,
    log_in,
    post_as,
)
from authentication.tests.factories import Factor, UserFactory, give_factor
from authentication.utils.one_time_codes import matching_step

from .second_factor import (
    CONFIRM,
    STEP,
    begin_setup,
)

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


class TestCodes:
    SPELLINGS = (
        "{}",
        " {}",
        "{} ",
        "{0[0]}{0[1]}{0[2]} {0[3]}{0[4]}{0[5]}",
        "{}\u200b",
        "\u200f{}",
        "{0[0]}{0[1]}{0[2]}\u2013{0[3]}{0[4]}{0[5]}",
    )

    @pytest.mark.parametrize("spelling", SPELLINGS, ids=ascii)
    def test_a_used_code_is_refused_in_every_spelling(
        self, api: APIClient, person: User, factor: Factor, spelling: str
    ) -> None:
        code = factor.code()
        assert log_in(api, person, otp=code).status_code == 200

        assert log_in(api, person, otp=spelling.format(code)).status_code == 401
        assert UserSession.objects.count() == 1

    @pytest.mark.parametrize(
        "zero", ["\uff10", "\u0660", "\U0001d7ce"], ids=["full width", "Arabic", "bold"]
    )
    def test_a_code_in_digits_of_another_script_works_once(
        self, api: APIClient, person: User, factor: Factor, zero: str
    ) -> None:
        code = "".join(chr(ord(zero) + int(digit)) for digit in factor.code())

        assert log_in(api, person, otp=code).status_code == 200
        assert log_in(api, person, otp=factor.code()).status_code == 401
        assert log_in(api, person, otp=code).status_code == 401

    def test_a_number_is_not_a_code(self, api: APIClient, person: User, factor: Factor) -> None:
        assert log_in(api, person, otp=int(factor.code())).status_code == 400

    def test_an_earlier_code_is_refused_after_a_later_one(
        self, api: APIClient, person: User, factor: Factor, time_machine: TimeMachineFixture
    ) -> None:
        ahead, now, before = factor.code(steps=1), factor.code(), factor.code(steps=-1)
        assert log_in(api, person, otp=ahead).status_code == 200

        assert [log_in(api, person, otp=code).status_code for code in (ahead, now, before)] == [
            401
        ] * 3
        time_machine.shift(STEP)
        assert log_in(api, person, otp=ahead).status_code == 401
        time_machine.shift(STEP)
        assert log_in(api, person, otp=factor.code()).status_code == 200

    def test_a_clock_may_differ_by_thirty_seconds(
        self, api: APIClient, person: User, factor: Factor, time_machine: TimeMachineFixture
    ) -> None:
        assert log_in(api, person, otp=factor.code(steps=-2)).status_code == 401
        assert log_in(api, person, otp=factor.code(steps=2)).status_code == 401
        assert log_in(api, person, otp=factor.code(steps=-1)).status_code == 200
        assert log_in(api, person, otp=factor.code(steps=1)).status_code == 200

    def test_a_recovery_code_works_once_and_its_stored_digest_never(
        self, api: APIClient, person: User, factor: Factor
    ) -> None:
        code = factor.recovery_codes[0]
        stored = RecoveryCode.objects.values_list("digest", flat=True)[0]

        answers = [
            log_in(api, person, otp=it).status_code for it in (stored, code, code, code.upper())
        ]

        # The digest is no code at all.
        assert answers == [400, 200, 401, 401]

    def test_the_codes_of_another_user_are_refused(
        self, api: APIClient, person: User, factor: Factor
    ) -> None:
        other = give_factor(UserFactory())

        assert [
            log_in(api, person, otp=it).status_code
            for it in (other.code(), other.recovery_codes[0])
        ] == [401, 401]

    def test_the_seed_of_another_user_in_the_row_is_not_accepted(
        self, api: APIClient, person: User, factor: Factor
    ) -> None:
        stranger = UserFactory()
        theirs = give_factor(stranger)
        SecondFactor.objects.filter(user=person).update(
            seed=SecondFactor.objects.get(user=stranger).seed
        )

        assert log_in(api, person, otp=theirs.code()).status_code == 503
        assert not UserSession.objects.exists()


def replace_seed_meanwhile(monkeypatch: pytest.MonkeyPatch, module: str, *, column: str) -> None:
    """Replace the seed in the row while a code of the former one is checked."""

    def replace_first(seed: bytes, code: str, *, timestamp: float) -> int | None:
        SecondFactor.objects.update(**{column: "another"})
        return matching_step(seed, code, timestamp=timestamp)

    monkeypatch.setattr(f"authentication.services.{module}.matching_step", replace_first)


def test_a_code_of_a_seed_that_was_replaced_meanwhile_is_refused(
    api: APIClient, person: User, factor: Factor, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_seed_meanwhile(monkeypatch, "sign_in.second_factor_codes", column="seed")

    assert log_in(api, person, otp=factor.code()).status_code == 401
    assert not UserSession.objects.exists()


def test_a_code_does_not_confirm_a_newer_seed(
    api: APIClient, signed_in: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    factor = begin_setup(api, signed_in)
    replace_seed_meanwhile(monkeypatch, "sign_in.factor_enrolment", column="pending_seed")

    answer = post_as(api, signed_in, CONFIRM, {"otp": factor.code()})

    assert answer.status_code == 400
    assert User.objects.get().second_factor_at is None
