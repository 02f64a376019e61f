"""Each role at each page and action of the admin: allowed, or 403."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from authentication.models import AuditLog, SecondFactorRemoval, User, UserProfile, UserSession
from authentication.services.admin_pages import BULK_ACTIONS, STAFF_ACTIONS
from authentication.tests.factories import UserFactory, unverified_user

from .roles import BELOW_OWNER, WHY, actions_on, page_of, staff_with
from .staff import (
    MAILS,
    REVOKE_TOKEN,
    SESSIONS,
    USERS,
    ClientOf,
    messages_of,
    run_action,
    run_bulk,
)
from .tables import TABLES, make_row, page_url

pytestmark = [pytest.mark.django_db, pytest.mark.security]

ROLES = (*BELOW_OWNER, "owner")
SEARCH = "/admin/authentication/auditlog/search/"
HELPING = {"unlock", "send-verification", "send-reset", "note"}
DONE: dict[str, set[str]] = {
    "helper": HELPING,
    "administrator": set(STAFF_ACTIONS),
    "auditor": set(),
    "owner": set(STAFF_ACTIONS),
}
"""What each role does on the page of a person."""
IN_LISTS: dict[str, set[str]] = {
    "helper": set(),
    "administrator": set(BULK_ACTIONS),
    "auditor": set(),
    "owner": set(BULK_ACTIONS),
}
SEEN: dict[str, Callable[[type[Model]], bool]] = {
    "helper": lambda table: table in {User, UserSession},
    "administrator": lambda table: table is not Group,
    "auditor": lambda table: table is not Group,
    "owner": lambda _: True,
}


@pytest.fixture(params=ROLES)
def role(request: pytest.FixtureRequest) -> str:
    """Return the name of a role."""
    return str(request.param)


@pytest.fixture
def staff(role: str) -> User:
    """Return a person with the role."""
    return staff_with(role)


@pytest.fixture
def client(client_of: ClientOf, staff: User) -> Client:
    """Return the browser of a person with the role."""
    return client_of(staff)


def targets() -> list[User]:
    """Return accounts, so that each action suits one of them."""
    now = timezone.now()
    with_factor, removed = UserFactory(second_factor_at=now), UserFactory(second_factor_at=now)
    SecondFactorRemoval.objects.create(
        user=removed,
        factor_since=now,
        reason="lost",
        requested_by=UserFactory(is_staff=True, is_superuser=True),
        requested_at=now,
    )
    closed = UserFactory(is_active=False)
    return [UserFactory(), unverified_user(), with_factor, removed, closed]


def test_each_page_of_an_action(role: str, client: Client, person: User) -> None:
    def status(name: str) -> int:
        return client.get(f"{page_of(person)}{name}/").status_code

    for name in STAFF_ACTIONS:
        assert status(name) == (200 if name in DONE[role] else 403), name


@pytest.mark.slow
def test_each_action_is_done_or_changes_nothing(role: str, client: Client) -> None:
    for name in STAFF_ACTIONS:
        before = AuditLog.objects.count()
        statuses = set()
        for user in targets():
            fields = {"reason": WHY, "role": "helper", "note": WHY}
            fields["new_email"] = f"new{user.pk}@example.org"
            statuses.add(client.post(f"{page_of(user)}{name}/", fields).status_code)
        has_happened = AuditLog.objects.count() > before
        expected = ({302}, True) if name in DONE[role] else ({403}, False)
        assert (statuses, has_happened) == expected, name


def test_buttons_are_shown_exactly_when_the_action_is_allowed(role: str, client: Client) -> None:
    shown: set[str] = set()
    for user in targets():
        page = client.get(page_of(user))
        assert page.status_code == 200
        shown |= actions_on(page)
        links = {
            name for name in STAFF_ACTIONS if f"{page_of(user)}{name}/" in page.content.decode()
        }
        assert links == actions_on(page)

    assert shown == DONE[role]


@pytest.mark.slow
def test_each_action_of_the_list(role: str, client: Client) -> None:
    page = client.get(USERS).content.decode()

    assert {it for it in BULK_ACTIONS if f'value="{it}"' in page} == IN_LISTS[role]
    for name in BULK_ACTIONS:
        before = AuditLog.objects.count()
        run_bulk(client, name, *targets(), reason=WHY)
        assert (AuditLog.objects.count() > before) == (name in IN_LISTS[role]), name


@pytest.mark.slow
def test_each_table(role: str, client: Client) -> None:
    def statuses(table: type[Model]) -> list[int]:
        row = make_row(table)
        pages = (page_url(table), *(page_url(table, it, row.pk) for it in ("change", "history")))
        return [client.get(page).status_code for page in pages]

    for table in TABLES:
        expected = [200] * 3 if SEEN[role](table) else [403] * 3
        if table is User and not SEEN[role](AuditLog):
            expected[2] = 403  # It has the reasons that staff gave.
        assert statuses(table) == expected, table


def test_each_other_page(role: str, client: Client, person: User) -> None:
    acts = role in {"administrator", "owner"}
    pages: dict[str, bool] = {
        "/admin/": True,
        f"{USERS}find/": True,
        f"{USERS}find/suggestions/": True,
        page_of(person): True,
        REVOKE_TOKEN: acts,
        SEARCH: role != "helper",
        f"{USERS}add/": False,
        f"{USERS}{person.pk}/delete/": False,
        page_url(Group, "add"): role == "owner",
        page_url(UserProfile, "add"): False,
    }

    for page, is_open in pages.items():
        assert client.get(page).status_code == (200 if is_open else 403), page


def test_a_name_is_saved_by_those_who_act(role: str, client: Client, person: User) -> None:
    form = {"first_name": "Naomi", "last_name": "Moab", "_save": "Save"}

    status = client.post(f"{USERS}{person.pk}/change/", form).status_code

    is_saved = User.objects.get(pk=person.pk).first_name == "Naomi"
    expected = (302, True) if role in {"administrator", "owner"} else (403, False)
    assert (status, is_saved) == expected


def test_sessions_and_mails_are_acted_on_by_those_who_act(
    role: str, client: Client, person: User
) -> None:
    session = UserSession.objects.create(
        user=person, expires_at=timezone.now() + dt.timedelta(days=1)
    )
    acts = role in {"administrator", "owner"}

    run_action(client, "end", session, at=SESSIONS)
    mails: Any = client.get(MAILS)

    assert UserSession.objects.get(pk=session.pk).is_active is not acts
    assert mails.status_code == (403 if role == "helper" else 200)
    assert (b"Send again" in mails.content) == acts


def test_the_log_is_exported_and_the_export_is_an_event(
    role: str, client: Client, staff: User, person: User
) -> None:
    AuditLog.log_event("login", user=person, user_agent="=cmd()")
    today = f"{timezone.localdate():%Y-%m-%d}"
    form = {"since": today, "until": today, "export": "csv"}

    answer: Any = client.post(SEARCH, form)
    page = client.get(SEARCH).content.decode()

    if role in {"auditor", "owner"}:
        text = b"".join(answer.streaming_content).decode()
        assert str(person.pk) in text
        assert "'=cmd()" in text
        assert answer["Content-Disposition"].startswith("attachment")
        event = AuditLog.objects.get(event_type="audit_log_exported")
        assert (event.metadata["actor"], event.risk_level) == (str(staff.pk), "high")
        assert "Export as CSV" in page
    else:
        assert answer.status_code == 403
        assert not AuditLog.objects.filter(event_type="audit_log_exported").exists()
        assert "Export as CSV" not in page


def test_a_refusal_of_the_service_is_told(client_of: ClientOf) -> None:
    administrator = staff_with("administrator")

    answer = client_of(administrator).post(
        f"{page_of(administrator)}disable/", {"reason": WHY}, follow=True
    )

    assert "This is your own account." in messages_of(answer)[0]
    assert "disable" not in actions_on(answer)
