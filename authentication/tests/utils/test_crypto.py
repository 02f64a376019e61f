"""utils/crypto.py: random tokens, digests and pseudonyms."""

import hashlib
import re

from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from authentication.tests.properties import thoroughly
from authentication.utils.crypto import derived_jti, digest, new_jti, new_token, pseudonym

any_text = st.text(max_size=50)


def test_a_token_holds_256_random_bits_and_fits_a_url() -> None:
    tokens = {new_token() for _ in range(200)}

    assert len(tokens) == 200
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", token) for token in tokens)


def test_an_identifier_holds_128_random_bits() -> None:
    identifiers = {new_jti() for _ in range(200)}

    assert len(identifiers) == 200
    assert all(re.fullmatch(r"[0-9a-f]{32}", identifier) for identifier in identifiers)


def test_a_digest_is_the_sha_256_of_the_secret() -> None:
    assert digest("token") == hashlib.sha256(b"token").hexdigest()


@thoroughly
@given(text=any_text)
def test_any_string_has_a_digest_of_64_letters(text: str) -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", digest(text))


def test_a_lone_surrogate_has_a_digest_and_a_pseudonym() -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", digest("\ud800"))
    assert re.fullmatch(r"[0-9a-f]{64}", pseudonym("purpose", "\ud800"))


@thoroughly
@given(text=any_text)
def test_a_pseudonym_is_stable_and_differs_by_purpose_and_from_the_digest(text: str) -> None:
    assert pseudonym("one", text) == pseudonym("one", text)
    assert len({pseudonym("one", text), pseudonym("two", text), digest(text)}) == 3


def test_a_pseudonym_cannot_be_recomputed_without_the_key(settings: Settings) -> None:
    before = pseudonym("purpose", "ruth@example.org")

    settings.SECRET_KEY = "another-key"

    assert pseudonym("purpose", "ruth@example.org") != before


def test_the_identifier_of_an_access_token_is_derived_from_key_and_refresh_token() -> None:
    derived = {derived_jti("key", "jti"), derived_jti("key", "jti2"), derived_jti("key2", "jti")}

    assert derived_jti("key", "jti") == derived_jti("key", "jti")
    assert len(derived | {"jti"}) == 4
    assert re.fullmatch(r"[0-9a-f]{32}", derived_jti("key", "jti"))
