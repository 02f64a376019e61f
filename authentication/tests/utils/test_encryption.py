"""utils/encryption.py: secrets encrypted in the database."""

import base64

import pytest
from pytest_django import Settings

from authentication.utils.encryption import DecryptionError, decrypt, encrypt, newest_key_id

SECRET = b"a seed of twenty byt"
OLD, NEW = (
    "the old key, of more than thirty-two characters",
    "the new key, of more than thirty-two characters",
)


def test_an_encrypted_secret_is_decrypted_in_its_context() -> None:
    assert decrypt(encrypt(SECRET, context="totp:1"), context="totp:1") == SECRET


def test_the_same_secret_is_encrypted_differently_every_time() -> None:
    assert len({encrypt(SECRET, context="totp:1") for _ in range(50)}) == 50


def test_the_ciphertext_does_not_contain_the_secret() -> None:
    text = encrypt(SECRET, context="totp:1")

    assert SECRET not in base64.urlsafe_b64decode(text.partition(".")[2])
    assert base64.b32encode(SECRET).decode() not in text


def test_another_context_cannot_decrypt() -> None:
    text = encrypt(SECRET, context="totp:1")

    with pytest.raises(DecryptionError):
        decrypt(text, context="totp:2")


@pytest.mark.parametrize("position", [0, 8, 9, 20, -1])
def test_an_altered_ciphertext_is_refused(position: int) -> None:
    text = encrypt(SECRET, context="totp:1")
    # Some bits of the last character are padding.
    other = "A" if text[position] not in "ABCD" else "z"
    altered = text[:position] + other + (text[position + 1 :] if position != -1 else "")

    with pytest.raises(DecryptionError):
        decrypt(altered, context="totp:1")


@pytest.mark.parametrize("text", ["", ".", "x", "x.y", "\u00e4.\u00e4"])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(DecryptionError):
        decrypt(text, context="totp:1")
    with pytest.raises(DecryptionError):
        decrypt(f"{newest_key_id()}.{text}", context="totp:1")


def test_keys_can_be_rotated(settings: Settings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    before = encrypt(SECRET, context="totp:1")
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    after = encrypt(SECRET, context="totp:1")

    assert [decrypt(text, context="totp:1") for text in (before, after)] == [SECRET] * 2
    assert after.startswith(newest_key_id())
    assert not before.startswith(newest_key_id())
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    assert decrypt(after, context="totp:1") == SECRET
    with pytest.raises(DecryptionError):
        decrypt(before, context="totp:1")
