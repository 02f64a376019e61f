"""`python -m authentication.tests.upgrading`: rows of every version, migrated to this one.

It runs on an empty database: after each migration it adds rows as that version would. At the end
every user signs in, and everybody's data are collected. It prints how many rows each step added.
"""

import datetime as dt
import json
from typing import Any

import django
from django.contrib.auth.hashers import make_password
from django.db import connection, models
from django.db.migrations.executor import MigrationExecutor

APP, PASSWORD = "authentication", "Barley-Harvest-7"


def add_rows(apps: Any, version: str) -> int:
    """Add a user, and a row of each table of this version that belongs to a user."""
    user_model = apps.get_model(APP, "User")
    name = f"ruth.{version[:4]}"
    values = {"email": f"{name}@example.org", "username": name.replace(".", "_")}
    user = user_model.objects.create(
        **values,
        password=make_password(PASSWORD),
        email_verified=True,
        email_verified_at=dt.datetime.now(dt.UTC),
    )
    tables = [model for model in apps.get_app_config(APP).get_models() if model is not user_model]
    owned = [model for model in tables if _owner(model, user_model)]
    # A row that belongs to another one comes after it.
    owned.sort(key=lambda it: sum(field.is_relation for field in _needed(it)))
    for model in owned:
        model.objects.create(**{it.name: _value(it, user, version) for it in _needed(model)})
    return 1 + len(owned)


def _owner(model: Any, user_model: Any) -> str:
    """Return the name of the field that says whose row it is; empty if there is none."""
    names = [it.name for it in model._meta.fields if it.related_model is user_model]
    return "user" if "user" in names else "".join(names[:1])


def _needed(model: Any) -> list[Any]:
    """Return the fields without a default, and the user."""
    return [
        it
        for it in model._meta.fields
        if it.name == "user"
        or not (it.has_default() or it.null or it.blank or it.primary_key or it.has_db_default())
        or (it.primary_key and it.is_relation)
    ]


def _value(field: Any, user: Any, version: str) -> Any:
    if field.is_relation:
        related = field.related_model
        if related is type(user):
            return user
        return related.objects.get(**{_owner(related, type(user)): user})
    if field.choices:
        return field.choices[0][0]
    kinds: dict[type, Any] = {
        models.EmailField: user.email,
        models.DateTimeField: dt.datetime.now(dt.UTC) + dt.timedelta(days=1),
        models.IntegerField: 1,
        models.BooleanField: False,
        models.GenericIPAddressField: "203.0.113.9",
        models.JSONField: {},
        models.UUIDField: user.pk,
        models.CharField: f"{field.name}-{version}"[: field.max_length],
        models.TextField: "text",
    }
    found = [value for kind, value in kinds.items() if isinstance(field, kind)]
    assert found, f"{field} has a type that {__name__} does not know."
    return found[0]


def walk() -> dict[str, int]:
    """Migrate step by step, and add rows after each; return how many."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    added: dict[str, int] = {}
    state = None
    for migration, _ in plan:
        state = executor.migrate(None, plan=[(migration, False)], state=state)
        if migration.app_label == APP:
            added[migration.name] = add_rows(state.apps, migration.name)
    return added


def sign_in_all() -> list[int]:
    """Return the answers to a sign-in of each user."""
    from django.conf import settings
    from rest_framework.test import APIClient

    from authentication.models import User

    names = User.objects.filter(second_factor_at=None).values_list("email", flat=True)
    client = APIClient(headers={"Host": settings.ALLOWED_HOSTS[0], "X-Forwarded-Proto": "https"})
    path = "/api/v1/auth/login/"
    return [
        client.post(path, {"email": name, "password": PASSWORD}, format="json").status_code
        for name in names
    ]


if __name__ == "__main__":
    django.setup()
    print(json.dumps({"added": walk(), "signed in": sign_in_all()}))  # noqa: T201 -- for the test
