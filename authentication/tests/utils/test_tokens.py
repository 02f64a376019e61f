"""utils/tokens.py: signing and reading JSON web tokens."""

import datetime as dt
import uuid

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings
from time_machine import TimeMachineFixture

from authentication.tests.clients import NOON
from authentication.tests.forging import ATTACKERS_KEY, claims_of
from authentication.tests.forging import signed as forged
from authentication.tests.properties import thoroughly
from authentication.utils.tokens import (
    AccessToken,
    Claims,
    InvalidToken,
    Kind,
    RefreshToken,
    key_ring,
    sign_token,
)

SESSION, USER = uuid.UUID(int=1), uuid.UUID(int=2)
for_each_kind = pytest.mark.parametrize("kind", [AccessToken, RefreshToken])

pytestmark = pytest.mark.time_machine(NOON, tick=False)


def token_of(kind: Kind, *, minutes: int = 15) -> str:
    ends_at = NOON + dt.timedelta(minutes=minutes)
    return sign_token(
        kind, jti="jti", session_id=SESSION, user_id=USER, issued_at=NOON, expires_at=ends_at
    )


@for_each_kind
def test_a_signed_token_can_be_read(kind: Kind) -> None:
    assert Claims.read(kind, token_of(kind)) == Claims(
        jti="jti", session_id=SESSION, user_id=USER, issued_at=NOON, expired=False
    )


@for_each_kind
def test_a_token_holds_exactly_these_claims(kind: Kind) -> None:
    assert claims_of(token_of(kind)) == {
        "token_type": kind.token_type,
        "iss": "vineyard_group_fellowship",
        "jti": "jti",
        "sid": str(SESSION),
        "user_id": str(USER),
        "iat": int(NOON.timestamp()),
        "exp": int(NOON.timestamp()) + 900,
    }
    assert jwt.get_unverified_header(token_of(kind)) == {"alg": "HS256", "typ": "JWT"}


@for_each_kind
def test_the_same_claims_make_the_same_token(kind: Kind) -> None:
    assert token_of(kind) == token_of(kind)


@pytest.mark.parametrize(
    ("made", "read"), [(AccessToken, RefreshToken), (RefreshToken, AccessToken)]
)
def test_one_kind_of_token_is_refused_as_the_other(made: Kind, read: Kind) -> None:
    with pytest.raises(InvalidToken):
        Claims.read(read, token_of(made))


@for_each_kind
@pytest.mark.parametrize(
    ("seconds", "expired"), [(0, False), (900 + 9, False), (900 + 10, True), (10**6, True)]
)
def test_a_token_is_valid_until_ten_seconds_after_its_expiry(
    time_machine: TimeMachineFixture, kind: Kind, seconds: int, *, expired: bool
) -> None:
    token = token_of(kind)
    time_machine.shift(seconds)

    assert Claims.read(kind, token, expired=True).expired is expired
    if expired:
        with pytest.raises(InvalidToken):
            Claims.read(kind, token)
    else:
        assert Claims.read(kind, token).jti == "jti"


@for_each_kind
def test_a_token_issued_more_than_ten_seconds_ahead_is_refused(
    time_machine: TimeMachineFixture, kind: Kind
) -> None:
    token = token_of(kind)
    time_machine.shift(-10)
    assert Claims.read(kind, token).jti == "jti"
    time_machine.shift(-1)

    with pytest.raises(InvalidToken):
        Claims.read(kind, token)


@for_each_kind
def test_a_token_with_any_bit_flipped_is_refused(kind: Kind) -> None:
    token = token_of(kind).encode()
    accepted = []

    for place in range(len(token)):
        for bit in range(7):
            flipped = token[:place] + bytes([token[place] ^ (1 << bit)]) + token[place + 1 :]
            try:
                Claims.read(kind, flipped.decode())
            except InvalidToken:
                continue
            accepted.append((place, bit))

    assert accepted == []


@thoroughly
@given(text=st.text(max_size=200))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidToken):
        Claims.read(AccessToken, text)


@pytest.mark.parametrize(
    "text", ["", "\ud800", "a.\ud800.c", "\x00", "é.é.é", "." * 2048, "x" * 100_000]
)
def test_malformed_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidToken):
        Claims.read(RefreshToken, text)


def test_the_newest_key_signs_and_older_keys_verify(settings: Settings) -> None:
    old, oldest, newest = (
        settings.JWT_SIGNING_KEY,
        "an-oldest-key-of-more-than-32-letters",
        "a-newest-key-of-more-than-32-letters",
    )
    of_old = token_of(AccessToken)
    settings.JWT_SIGNING_KEY, settings.JWT_SIGNING_KEY_FALLBACKS = newest, [oldest, old]

    of_newest = token_of(AccessToken)

    assert Claims.read(AccessToken, of_old) == Claims.read(AccessToken, of_newest)
    assert (
        jwt.decode(of_newest, newest, algorithms=["HS256"], options={"verify_exp": False})["jti"]
        == "jti"
    )
    settings.JWT_SIGNING_KEY_FALLBACKS = [oldest]
    with pytest.raises(InvalidToken):
        Claims.read(AccessToken, of_old)


def test_an_expired_token_of_an_older_key_can_be_read(
    time_machine: TimeMachineFixture, settings: Settings
) -> None:
    token, old = token_of(RefreshToken), settings.JWT_SIGNING_KEY
    settings.JWT_SIGNING_KEY = "a-newest-key-of-more-than-32-letters"
    settings.JWT_SIGNING_KEY_FALLBACKS = [old]
    time_machine.shift(10_000)

    assert Claims.read(RefreshToken, token, expired=True).expired
    with pytest.raises(InvalidToken):
        Claims.read(RefreshToken, token)


@pytest.mark.parametrize(
    "change",
    [{"iss": "another"}, {"token_type": "access"}, {"jti": 1}, {"sid": "mine"}, {"exp": None}],
)
@pytest.mark.parametrize("key", ["", ATTACKERS_KEY])
def test_an_expired_token_must_be_valid_in_every_other_point(
    change: dict[str, object], key: str
) -> None:
    claims = claims_of(token_of(RefreshToken, minutes=-10))
    assert Claims.read(RefreshToken, forged(claims), expired=True).expired

    with pytest.raises(InvalidToken):
        Claims.read(RefreshToken, forged({**claims, **change}, key=key), expired=True)


@pytest.mark.parametrize("change", [{"iss": "another"}, {"token_type": "refresh"}, {"jti": 1}])
def test_an_older_key_relaxes_no_other_check(settings: Settings, change: dict[str, object]) -> None:
    claims = claims_of(token_of(AccessToken))
    token = jwt.encode({**claims, **change}, settings.JWT_SIGNING_KEY, algorithm="HS256")
    settings.JWT_SIGNING_KEY_FALLBACKS = [settings.JWT_SIGNING_KEY]
    settings.JWT_SIGNING_KEY = "a-newest-key-of-more-than-32-letters"

    with pytest.raises(InvalidToken):
        Claims.read(AccessToken, token)


def test_the_key_ring_is_cached_by_keys(settings: Settings) -> None:
    assert key_ring() is key_ring()

    before, settings.JWT_SIGNING_KEY = key_ring(), "a-newest-key-of-more-than-32-letters"

    assert key_ring() is not before
