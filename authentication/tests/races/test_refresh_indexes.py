"""The indexes that a refresh writes: each costs every refresh."""

import pytest
from django.db import connection

from authentication.models import TokenBlacklist, UserSession

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(
    ("table", "written"),
    [
        (
            UserSession,
            {
                ("id",): "the session of a token",
                ("refresh_token_jti",): "no two sessions have one token",
                ("user_id", "is_active"): "the sessions of an account",
                ("expires_at",): "cleanup, and the admin's list",
            },
        ),
        (
            TokenBlacklist,
            {
                ("id",): "the admin's list",
                ("jti",): "whether a token is revoked",
                ("user_id",): "the erasure of an account",
                ("expires_at",): "cleanup",
            },
        ),
    ],
)
def test_each_index_has_a_reader(
    table: type[UserSession | TokenBlacklist], written: dict[tuple[str, ...], str]
) -> None:
    name = table._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ARRAY(SELECT attname::text FROM unnest(indkey) WITH ORDINALITY AS k(number, n)"
            " JOIN pg_attribute ON attrelid = indrelid AND attnum = number ORDER BY n)"
            " FROM pg_index WHERE indrelid = %s::regclass AND indpred IS NULL",
            [name],
        )
        found = [tuple(columns) for (columns,) in cursor.fetchall()]

    assert sorted(found) == sorted(written)
