"""While hashes of an earlier installation are imported, no time tells whose they are."""

from collections.abc import Callable

import pytest
from pytest_django import Settings

from authentication.tests.imported import bcrypt_sha256, declare, pbkdf2

from . import test_timing
from .test_timing import _as_in_production, alike

pytestmark = [pytest.mark.services, pytest.mark.security, pytest.mark.django_db(transaction=True)]
__all__ = ["_as_in_production"]

# Below the highest cost that is declared: the rest is made up for.
HASHES: dict[str, Callable[[], str]] = {
    "pbkdf2_sha256": lambda: pbkdf2(iterations=100_000),
    "bcrypt_sha256": lambda: bcrypt_sha256(cost=8),
    "none": lambda: "",
}


@pytest.mark.parametrize("kind", HASHES)
@pytest.mark.parametrize("path", ["login", "register"])
def test_an_imported_account_takes_as_long_as_none(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, path: str, kind: str
) -> None:
    declare(settings, pbkdf2_sha256=200_000, bcrypt_sha256=9)
    encoded = HASHES[kind]()
    if encoded:
        monkeypatch.setattr(test_timing, "make_password", lambda _: encoded)

    passed, found = alike(path, lambda known, unknown: 0.8 <= known / unknown <= 1.25)

    assert passed, found
