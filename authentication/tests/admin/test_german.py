"""Staff read the admin in their own language."""

from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Field
from django.test import Client
from django.utils.translation import override

from authentication.models import AuditLog, OutgoingEmail, User
from authentication.services.admin_pages import (
    CHOICES,
    STAFF_ACTIONS,
    name_of,
    words_for,
    words_of_value,
)
from authentication.services.admin_pages.event_words import ACTIONS, STATES_OF_MAIL

TABLES_OF_OURS = [it for it in admin.site._registry if it._meta.app_label == "authentication"]
# Words that are the same in both languages.
_SAME = {"Name", "Person", "Version", "Tablets", "ID", "id", "browser", "jti"}


def is_translated(english: str, german: str) -> bool:
    return english != german or english in _SAME


@pytest.mark.parametrize("name", STAFF_ACTIONS)
def test_an_action_of_staff_has_german_texts(name: str) -> None:
    action = STAFF_ACTIONS[name]
    for text in (action.label, action.meaning, action.done):
        with override("en"):
            english = str(text)
        with override("de"):
            assert is_translated(english, str(text)), english


@pytest.mark.parametrize("event", AuditLog.Event.values)
def test_an_event_has_german_words(event: str) -> None:
    with override("en"):
        english = words_for(event)
    with override("de"):
        assert is_translated(english, words_for(event)), english


@pytest.mark.parametrize("text", [*ACTIONS.values(), *STATES_OF_MAIL.values()], ids=str)
def test_what_staff_did_and_states_of_mails_have_german_words(text: Any) -> None:
    with override("en"):
        english = str(text)
    with override("de"):
        assert is_translated(english, str(text))


def test_every_value_of_a_column_has_german_words() -> None:
    for model in TABLES_OF_OURS:
        for field in model._meta.fields:
            # Time zones and languages are names.
            if not field.choices or field.name in {"timezone", "language", "registered_language"}:
                continue
            for value, label in field.flatchoices:
                with override("en"):
                    english = words_of_value(field, value)
                with override("de"):
                    assert is_translated(english, words_of_value(field, value)), (field, label)


def test_every_table_and_column_of_ours_has_a_german_name() -> None:
    for model in TABLES_OF_OURS:
        hidden = set(admin.site.get_model_admin(model).exclude or ())
        columns = [it for it in model._meta.fields if it.name not in hidden]
        names: list[Any] = [model._meta, *columns]
        for it in names:
            with override("en"):
                english = str(it.verbose_name)
            with override("de"):
                name = str(it.verbose_name)
            assert is_translated(english, name), (model, english)


def test_names_of_columns_are_no_migration() -> None:
    field: Field[Any, Any] = OutgoingEmail._meta.get_field("kind")

    assert "verbose_name" not in field.deconstruct()[3]
    assert CHOICES


def test_the_language_of_the_profile_goes_before_that_of_the_browser(
    superuser_client: Client, superuser: User
) -> None:
    path, german = "/admin/", "Hier braucht es dich"
    asked = {"Accept-Language": "de"}
    assert german in superuser_client.get(path, headers=asked).text
    assert german not in superuser_client.get(path).text

    User.objects.filter(pk=superuser.pk).update(language="en")
    assert german not in superuser_client.get(path, headers=asked).text
    User.objects.filter(pk=superuser.pk).update(language="de")
    assert german in superuser_client.get(path).text


def test_facts_of_an_event_are_lines_with_names(superuser_client: Client, superuser: User) -> None:
    event = AuditLog.objects.create(
        event_type="admin_action",
        user=superuser,
        metadata={"action": "disable", "actor": str(superuser.pk), "reason": "left"},
    )

    page = superuser_client.get(
        f"/admin/authentication/auditlog/{event.pk}/change/", HTTP_ACCEPT_LANGUAGE="de"
    ).text

    assert "Mitarbeitende haben das Konto stillgelegt" in page
    assert "Grund: left" in page
    assert str(superuser.pk) not in page.replace(f"/{superuser.pk}/", "")
    assert "&#x27;actor&#x27;" not in page


def test_a_row_is_named_by_its_person(superuser_client: Client, person: User) -> None:
    event = AuditLog.objects.create(event_type="login", user=person)

    page = superuser_client.get(f"/admin/authentication/auditlog/{event.pk}/change/").text

    assert f"<h2>{name_of(person)}</h2>" in page
    assert str(event) not in page
