"""Who may raise whom, and what a form at the desk leaves alone."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from authentication.models import AuditLog, User
from authentication.tests.clients import NEW_PASSWORD
from authentication.tests.conftest import CHROME
from authentication.tests.factories import PASSWORD, UserFactory

from .conftest import Clerk, Desk

USERS = "/admin/authentication/user/"
GROUPS = "/admin/auth/group/"
NAMES = {"first_name": "Ruth", "last_name": "Moab"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def group(db: None) -> Group:
    """Return a group that may do much."""
    found = Group.objects.create(name="keepers")
    found.permissions.set(Permission.objects.filter(codename__in=["change_user", "change_group"]))
    return found


@pytest.fixture
def officer(clerk: Clerk) -> User:
    """Return somebody who may change accounts, by every permission that staff can have for it."""
    return clerk(
        "view_user",
        "add_user",
        "change_user",
        "delete_user",
        "change_group",
        "add_group",
        "view_group",
    )


def save(client: Client, user: User, **fields: Any) -> Any:
    return client.post(f"{USERS}{user.pk}/change/", {**NAMES, **fields, "_save": "Save"})


def powers(user: User) -> tuple[bool, bool, bool, list[Group], list[Permission]]:
    found = User.objects.get(pk=user.pk)
    return (
        found.is_active,
        found.is_staff,
        found.is_superuser,
        list(found.groups.all()),
        list(found.user_permissions.order_by("pk")),
    )


class TestStaffWhoMayChangeAccounts:
    @pytest.mark.parametrize("target", ["self", "other", "colleague"])
    def test_give_nobody_any_power(
        self, desk: Desk, officer: User, clerk: Clerk, group: Group, target: str
    ) -> None:
        user = (
            officer
            if target == "self"
            else UserFactory()
            if target == "other"
            else clerk("view_user")
        )
        before = powers(user)
        client = desk(officer)

        save(
            client,
            user,
            is_superuser="on",
            is_staff="on",
            is_active="",
            groups=[group.pk],
            user_permissions=[it.pk for it in Permission.objects.all()[:5]],
        )
        save(client, user, is_superuser="true", is_staff="1", groups=str(group.pk))

        assert powers(user) == before
        assert not Group.objects.get(pk=group.pk).user_set.exists()

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("email", "mine@example.org"),
            ("email_canonical", "mine@example.org"),
            ("username", "mine"),
            ("username_canonical", "mine"),
            ("password", "argon2$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$x"),
            ("email_verified", ""),
            ("email_verified_at", "2020-01-01"),
            ("password_changed_at_0", "2020-01-01"),
            ("password_breached_at_0", "2020-01-01"),
            ("failed_login_attempts", "0"),
            ("locked_until_0", ""),
            ("created_at_0", "2020-01-01"),
            ("last_login_0", "2020-01-01"),
            ("id", "00000000-0000-0000-0000-000000000000"),
        ],
    )
    @pytest.mark.parametrize("who", ["officer", "superuser"])
    def test_nor_does_anybody_else_change_more_than_the_name_by_hand(
        self, request: pytest.FixtureRequest, desk: Desk, *, who: str, field: str, value: str
    ) -> None:
        user = UserFactory()
        user.lock_account()
        User.objects.filter(pk=user.pk).update(failed_login_attempts=5)
        before = User.objects.filter(pk=user.pk).values().get()
        powers_kept = {} if who == "officer" else {"is_staff": ""}

        answer = save(desk(request.getfixturevalue(who)), user, **{field: value}, **powers_kept)

        assert answer.status_code == 302
        assert User.objects.filter(pk=user.pk).values().get() == before

    def test_do_not_touch_those_above_them(
        self, desk: Desk, officer: User, superuser: User
    ) -> None:
        before = User.objects.filter(pk=superuser.pk).values().get()
        client = desk(officer)

        answer = save(client, superuser, first_name="Mallory")

        assert answer.status_code == 403
        assert User.objects.filter(pk=superuser.pk).values().get() == before
        assert "_save" not in client.get(f"{USERS}{superuser.pk}/change/").content.decode()

    def test_do_not_touch_groups(self, desk: Desk, officer: User, group: Group) -> None:
        officer.groups.add(group)
        client = desk(officer)
        everything = {
            "name": "mine",
            "permissions": [it.pk for it in Permission.objects.all()],
            "_save": "Save",
        }

        for path in (
            GROUPS,
            f"{GROUPS}add/",
            f"{GROUPS}{group.pk}/change/",
            f"{GROUPS}{group.pk}/delete/",
        ):
            assert client.get(path).status_code == 403
            assert client.post(path, everything).status_code == 403

        group.refresh_from_db()
        assert (group.name, group.permissions.count(), Group.objects.count()) == ("keepers", 2, 1)

    def test_make_no_accounts(self, desk: Desk, officer: User) -> None:
        asked = {
            "email": "x@example.org",
            "username": "mallory",
            "password": PASSWORD,
            "is_superuser": "on",
        }

        assert desk(officer).post(f"{USERS}add/", asked).status_code == 403
        assert not User.objects.filter(username="mallory").exists()

    def test_choose_no_password(self, desk: Desk, officer: User, person: User) -> None:
        typed = {"password": NEW_PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}

        for path in (f"{USERS}{person.pk}/password/", f"{USERS}{person.pk}/change/password/"):
            assert desk(officer).post(path, typed).status_code in {302, 404}
        save(desk(officer), person, **typed)

        person.refresh_from_db()
        assert person.check_password(PASSWORD)

    def test_may_not_do_even_that_without_being_staff(
        self, desk: Desk, officer: User, person: User
    ) -> None:
        User.objects.filter(pk=officer.pk).update(is_staff=False)

        answer = save(desk(officer), person, first_name="Mallory")

        person.refresh_from_db()
        assert answer.status_code == 302
        assert "/admin/login/" in answer["Location"]
        assert person.first_name == "Ruth"


class TestSuperusers:
    def test_give_power_and_take_it(self, desk: Desk, superuser: User, group: Group) -> None:
        user = UserFactory()
        client = desk(superuser)
        permission = Permission.objects.get(codename="view_user")

        save(client, user, is_staff="on", groups=[group.pk], user_permissions=[permission.pk])
        given = powers(user)
        opened = desk(User.objects.get(pk=user.pk)).get(USERS).status_code
        save(client, user)
        taken = powers(user)

        assert given == (True, True, False, [group], [permission])
        assert opened == 200
        assert taken == (True, False, False, [], [])
        assert desk(User.objects.get(pk=user.pk)).get(USERS).status_code == 302

    def test_are_audited_for_it(self, desk: Desk, superuser: User, group: Group) -> None:
        user = UserFactory()

        save(
            desk(superuser),
            user,
            first_name="Naomi",
            is_staff="on",
            is_superuser="on",
            groups=[group.pk],
        )

        row = AuditLog.objects.get(event_type="admin_action")
        assert (row.user, row.metadata["actor"], row.metadata["action"]) == (
            user,
            str(superuser.pk),
            "change",
        )
        assert row.metadata["fields"] == ["first_name", "groups", "is_staff", "is_superuser"]
        assert (row.ip_address, row.user_agent) == ("8.8.4.4", CHROME)
        assert LogEntry.objects.get().user == superuser

    def test_are_audited_for_what_a_group_may_do(
        self, desk: Desk, superuser: User, group: Group
    ) -> None:
        permissions = [it.pk for it in Permission.objects.filter(codename__endswith="_user")]

        answer = desk(superuser).post(
            f"{GROUPS}{group.pk}/change/", {"name": "keepers", "permissions": permissions}
        )

        assert answer.status_code == 302
        assert group.permissions.count() == len(permissions)
        assert AuditLog.objects.get(event_type="admin_action").metadata["actor"] == str(
            superuser.pk
        )


class TestANameIsCorrected:
    @pytest.mark.parametrize("who", ["officer", "superuser"])
    def test_it_is_stored_and_audited(
        self, request: pytest.FixtureRequest, desk: Desk, person: User, who: str
    ) -> None:
        actor = request.getfixturevalue(who)

        answer = save(desk(actor), person, first_name="Naomi")

        person.refresh_from_db()
        row = AuditLog.objects.get()
        assert answer.status_code == 302
        assert (person.first_name, person.last_name) == ("Naomi", "Moab")
        assert (row.event_type, row.user, row.metadata["actor"]) == (
            "admin_action",
            person,
            str(actor.pk),
        )
        assert row.metadata["fields"] == ["first_name"]
        assert "Naomi" not in str(row.metadata)

    @pytest.mark.parametrize("who", ["officer", "superuser"])
    def test_what_happens_to_the_account_meanwhile_stays(
        self,
        request: pytest.FixtureRequest,
        desk: Desk,
        person: User,
        monkeypatch: pytest.MonkeyPatch,
        *,
        who: str,
    ) -> None:
        until = timezone.now() + dt.timedelta(minutes=30)
        happened = {
            "locked_until": until,
            "failed_login_attempts": 5,
            "password": "changed meanwhile",
            "password_changed_at": until,
            "is_active": False,
            "email": "new@example.org",
            "last_name": "Bethlehem",
        }
        client, plain_save = desk(request.getfixturevalue(who)), User.save

        def save_late(user: User, *args: Any, **kwargs: Any) -> None:
            User.objects.filter(pk=person.pk).update(**happened)
            plain_save(user, *args, **kwargs)

        monkeypatch.setattr(User, "save", save_late)

        save(client, person, first_name="Naomi")

        stored = User.objects.filter(pk=person.pk).values(*happened, "first_name").get()
        assert stored == {**happened, "first_name": "Naomi"}

    def test_nothing_changed_is_nothing_written(
        self, desk: Desk, officer: User, person: User
    ) -> None:
        before = User.objects.filter(pk=person.pk).values().get()

        save(desk(officer), person)

        assert User.objects.filter(pk=person.pk).values().get() == before

    @pytest.mark.parametrize("name", ["x" * 151, "a\x00b"], ids=ascii)
    def test_what_the_column_cannot_hold_is_refused(
        self, desk: Desk, officer: User, person: User, name: str
    ) -> None:
        answer = save(desk(officer), person, first_name=name)

        person.refresh_from_db()
        assert answer.status_code == 200
        assert person.first_name == "Ruth"


class TestWhereSuperusersComeFrom:
    def test_none_comes_with_the_service(self, db: None) -> None:
        assert not User.objects.exists()
        assert not Group.objects.exists()

    @pytest.mark.parametrize("weak", ["admin", "Short-9", "P@ssw0rd", "Boss-Example-1"])
    def test_none_is_made_with_a_weak_password(
        self, monkeypatch: pytest.MonkeyPatch, weak: str
    ) -> None:
        monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", weak)

        with pytest.raises(CommandError):
            call_command("createsuperuser", "--noinput", email="boss.example@example.org")

        assert not User.objects.exists()

    def test_one_is_made_with_a_strong_password(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)

        call_command("createsuperuser", "--noinput", email="boss@example.org", verbosity=0)

        answer = client.post(
            "/admin/login/", {"username": "boss@example.org", "password": PASSWORD}
        )
        assert answer.status_code == 302
        assert User.objects.get().is_superuser
