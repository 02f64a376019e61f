"""Importing accounts with their password hashes, and what becomes of the hashes."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import AuditLog, OutgoingEmail, PasswordHistory, User
from authentication.tests.clients import WRONG_PASSWORD, log_in
from authentication.tests.factories import PASSWORD, UserFactory
from authentication.tests.imported import bcrypt_sha256, declare, pbkdf2, plain_bcrypt
from authentication.utils.legacy_hashes import parsed

from .running import run_command

pytestmark = [pytest.mark.django_db, pytest.mark.security]

HEADER = "email,password_hash,username,first_name,last_name,verified"
MAKERS: dict[str, Callable[..., str]] = {
    "pbkdf2_sha256": pbkdf2,
    "bcrypt_sha256": bcrypt_sha256,
    "bcrypt": plain_bcrypt,
}


@pytest.fixture(autouse=True)
def _declared(settings: Settings) -> None:
    declare(settings)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "people.csv"


def run(path: Path, *rows: str, header: str = HEADER, dry_run: bool = False) -> str:
    path.write_text("\n".join([header, *rows]), encoding="utf-8")
    return run_command("import_users", str(path), by="Ruth", dry_run=dry_run)


def row(encoded: str, email: str = "naomi@example.org", verified: str = "yes") -> str:
    return f"{email},{encoded},naomi,Naomi,Moab,{verified}"


@pytest.mark.parametrize("algorithm", MAKERS)
def test_the_first_sign_in_replaces_the_hash(api: APIClient, path: Path, algorithm: str) -> None:
    encoded = MAKERS[algorithm]()

    assert run(path, row(encoded)) == "1 account(s) imported, 0 row(s) refused.\n"

    user = User.objects.get(email="naomi@example.org")
    assert (user.password, user.username, user.first_name) == (encoded, "naomi", "Naomi")
    assert log_in(api, user, WRONG_PASSWORD).status_code == 401
    user.refresh_from_db()
    assert user.password == encoded
    assert log_in(api, user).status_code == 200
    user.refresh_from_db()
    assert user.password.startswith("argon2$argon2id$")
    assert PasswordHistory.objects.get(user=user).password_hash == user.password
    assert log_in(api, user).status_code == 200


def test_a_password_that_bcrypt_cut_signs_in(api: APIClient, path: Path) -> None:
    long = "Barley-Harvest-7 " * 6
    run(path, row(plain_bcrypt(long)))

    assert log_in(api, User.objects.get(), long).status_code == 200
    # From then on every letter counts.
    assert log_in(api, User.objects.get(), long[:72]).status_code == 401


def test_it_is_audited_and_mails_no_one(path: Path) -> None:
    run(path, row(pbkdf2()))

    facts = AuditLog.objects.get().metadata
    assert (facts["action"], facts["operator"]) == ("import_user", "Ruth")
    assert not OutgoingEmail.objects.exists()


def test_an_address_that_was_not_proven_is_proven_first(api: APIClient, path: Path) -> None:
    run(path, row(pbkdf2(), verified="no"))

    answer = log_in(api, User.objects.get())
    assert (answer.status_code, answer.json()["code"]) == (403, "email_not_verified")


def test_a_dry_run_stores_nothing(path: Path) -> None:
    written = run(path, row(pbkdf2()), dry_run=True)

    assert written == "1 account(s) would be imported, 0 row(s) refused.\n"
    assert not User.objects.exists()


def test_it_can_be_run_again(path: Path) -> None:
    run(path, row(pbkdf2()))

    with pytest.raises(CommandError, match="Some rows were refused"):
        run(path, row(pbkdf2("Another-Horse-7")))
    assert User.objects.get().check_password(PASSWORD)


BAD: dict[str, str] = {
    "an absurd cost": row(plain_bcrypt().replace("$05$", "$31$")),
    "more than is declared": row(pbkdf2(iterations=3_001)),
    "no hash": row(""),
    "our own hash": row("argon2$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$x"),
    "a plain password": row("Correct-Horse-9"),
    "an unknown algorithm": row("md5$salt$0123456789abcdef0123456789abcdef"),
    "a cut hash": row(pbkdf2()[:-5]),
    "no cost": row(pbkdf2().replace("$2000$", "$0$")),
    "bcrypt below its lowest cost": row(plain_bcrypt().replace("$05$", "$03$")),
    "no address": row(pbkdf2(), email="x"),
    "neither yes nor no": row(pbkdf2(), verified="maybe"),
    "too many cells": row(pbkdf2()) + ",x",
}


@pytest.mark.parametrize("what", BAD)
def test_an_unusable_row_is_refused(path: Path, what: str) -> None:
    with pytest.raises(CommandError, match="Some rows were refused"):
        run(path, BAD[what])

    assert not User.objects.exists()


def test_the_others_are_imported_all_the_same(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    UserFactory(username="naomi")

    with pytest.raises(CommandError):
        run(path, row(pbkdf2()), f"orpah@example.org,{pbkdf2()},,,,yes")

    assert User.objects.filter(email="orpah@example.org").exists()
    assert not User.objects.filter(email="naomi@example.org").exists()


@pytest.mark.parametrize(
    ("header", "told"),
    [("email", "password_hash"), (f"{HEADER},phone", "not known: phone")],
)
def test_a_file_with_other_columns_is_refused(path: Path, header: str, told: str) -> None:
    with pytest.raises(CommandError, match=told):
        run(path, header=header)


def test_nothing_is_imported_that_is_not_declared(path: Path, settings: Settings) -> None:
    settings.LEGACY_PASSWORD_HASHES = {}

    with pytest.raises(CommandError):
        run(path, row(pbkdf2()))
    assert not User.objects.exists()


def test_a_hash_that_is_no_longer_declared_opens_nothing(
    api: APIClient, path: Path, settings: Settings
) -> None:
    run(path, row(pbkdf2()))
    assert "pbkdf2_sha256: 1" in run_command("import_users", remaining=True)
    settings.LEGACY_PASSWORD_HASHES = {}
    settings.PASSWORD_HASHERS = settings.PASSWORD_HASHERS[:1]

    assert log_in(api, User.objects.get()).status_code == 401


def test_the_forms_of_hashes() -> None:
    found = {name: parsed(make()) for name, make in MAKERS.items()}

    assert {name: it and (it.algorithm, it.cost) for name, it in found.items()} == {
        "pbkdf2_sha256": ("pbkdf2_sha256", 2_000),
        "bcrypt_sha256": ("bcrypt_sha256", 5),
        "bcrypt": ("bcrypt", 5),
    }
