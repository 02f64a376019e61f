"""Secrets that the admin does not show."""

import itertools
import re

import pytest
from django.db.models import Model
from django.test import Client

from authentication.models import AuditLog, OutgoingEmail, TokenBlacklist, User, UserSession
from authentication.tests.answers import unexpected
from authentication.tests.factories import PASSWORD, UserFactory

from .tables import CANARY, OWN_TABLES, SECRETS, TABLES, make_row, page_url, result_count

pytestmark = pytest.mark.django_db


def tells(client: Client, table: type[Model], lookup: str, right: str, wrong: str) -> bool:
    """Return whether a list filtered by a right guess differs from one by a wrong guess."""
    answers = [client.get(page_url(table), {lookup: guess}) for guess in (right, wrong)]
    shown = [
        (it.status_code, result_count(it) if it.status_code == 200 else None) for it in answers
    ]
    return shown[0] != shown[1]


class TestSecrets:
    @pytest.mark.slow
    def test_no_page_shows_a_secret(self, superuser_client: Client, viewer: Client) -> None:
        made = [(table, make_row(table)) for table in TABLES]
        pages = [page_url(table) for table in TABLES]
        pages += [
            page_url(table, page, row.pk)
            for table, row in made
            for page in ("change", "history", "delete")
        ]
        pages += [page_url(table, "add") for table in TABLES]

        for client in (superuser_client, viewer):
            for path in ("/admin/", *pages):
                assert CANARY not in client.get(path).content.decode(), path

    def test_every_listed_secret_is_stored(self, db: None) -> None:
        for table, field in SECRETS:
            assert str(getattr(make_row(table), field)).startswith(CANARY)

    def test_every_column_named_like_a_secret_is_listed(self) -> None:
        telling = re.compile(
            r"password$|password_hash|^token$|binding|secret|session_key|digest|^content$"
        )

        found = {
            (table, field.name)
            for table in OWN_TABLES
            for field in table._meta.get_fields()
            if telling.search(field.name)
        }

        assert found == set(SECRETS)

    @pytest.mark.slow
    def test_a_filter_does_not_tell_whether_a_guess_is_right(self, viewer: Client) -> None:
        def telling(case: tuple[type[Model], str]) -> list[str]:
            table, field = case
            secret = str(getattr(make_row(table), field))
            guesses = {
                "startswith": (secret[:8], "x"),
                "contains": (secret[2:8], "\u00fc"),
                "gt": ("A", "z"),
                "exact": (secret, "x"),
                "regex": (f"^{secret[:8]}", "^x"),
                "in": (f"{secret},x", "x,y"),
            }
            return [
                lookup
                for lookup, pair in guesses.items()
                if tells(viewer, table, f"{field}__{lookup}", *pair)
            ]

        assert unexpected(SECRETS, telling, []) == {}

    def test_a_filter_through_another_table_does_not_tell_either(self, viewer: Client) -> None:
        tables = (AuditLog, UserSession, OutgoingEmail, TokenBlacklist)
        fields = ("user__password", "user__sessions__session_key")
        for table in tables:
            make_row(table)

        def telling(case: tuple[type[Model], str]) -> bool:
            return tells(viewer, case[0], f"{case[1]}__startswith", CANARY, "x")

        assert unexpected(itertools.product(tables, fields), telling, expected=False) == {}

    def test_a_search_finds_no_secret(self, viewer: Client) -> None:
        def found(case: tuple[type[Model], str]) -> int:
            secret = str(getattr(make_row(case[0]), case[1]))
            return result_count(viewer.get(page_url(case[0]), {"q": secret}))

        assert unexpected(SECRETS, found, 0) == {}

    def test_an_account_page_shows_no_password_hash(self, superuser_client: Client) -> None:
        user = UserFactory()

        text = superuser_client.get(page_url(User, "change", user.pk)).content.decode()

        assert user.check_password(PASSWORD)
        assert user.password not in text
        assert "argon2" not in text
        assert 'type="password"' not in text
