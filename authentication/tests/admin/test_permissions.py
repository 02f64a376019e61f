"""What staff and superusers may change about accounts and groups."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission

from authentication.models import AuditLog, User
from authentication.tests.answers import unexpected
from authentication.tests.clients import NEW_PASSWORD
from authentication.tests.conftest import CHROME
from authentication.tests.factories import PASSWORD, UserFactory

from .staff import ADDRESS, GROUPS, USERS, ClientOf, MakeStaff, save_name

pytestmark = pytest.mark.django_db


OTHER_FIELDS = {
    "email": "mine@example.org",
    "email_canonical": "mine@example.org",
    "username": "mine",
    "username_canonical": "mine",
    "password": "argon2$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$x",
    "email_verified": "",
    "email_verified_at": "2020-01-01",
    "password_changed_at_0": "2020-01-01",
    "password_breached_at_0": "2020-01-01",
    "failed_login_attempts": "0",
    "locked_until_0": "",
    "created_at_0": "2020-01-01",
    "last_login_0": "2020-01-01",
    "id": "00000000-0000-0000-0000-000000000000",
}
"""Fields of an account that its form does not offer, with a value for each."""


@pytest.fixture
def group(db: None) -> Group:
    """Return a group with permissions on accounts and groups."""
    found = Group.objects.create(name="keepers")
    found.permissions.set(Permission.objects.filter(codename__in=["change_user", "change_group"]))
    return found


def powers_of(user: User) -> tuple[bool, bool, bool, list[Group], list[Permission]]:
    """Return what decides what a user may do."""
    found = User.objects.get(pk=user.pk)
    return (
        found.is_active,
        found.is_staff,
        found.is_superuser,
        list(found.groups.all()),
        list(found.user_permissions.order_by("pk")),
    )


class TestAccountEditor:
    @pytest.mark.parametrize("target", ["self", "other", "colleague"])
    def test_account_editors_cannot_change_what_a_user_may_do(
        self,
        client_of: ClientOf,
        account_editor: User,
        make_staff: MakeStaff,
        group: Group,
        target: str,
    ) -> None:
        user = (
            account_editor
            if target == "self"
            else UserFactory()
            if target == "other"
            else make_staff("view_user")
        )
        before = powers_of(user)
        client = client_of(account_editor)

        save_name(
            client,
            user,
            is_superuser="on",
            is_staff="on",
            is_active="",
            groups=[group.pk],
            user_permissions=[it.pk for it in Permission.objects.all()[:5]],
        )
        save_name(client, user, is_superuser="true", is_staff="1", groups=str(group.pk))

        assert powers_of(user) == before
        assert not Group.objects.get(pk=group.pk).user_set.exists()

    @pytest.mark.parametrize("actor_name", ["account_editor", "superuser"])
    def test_staff_cannot_edit_other_fields(
        self, request: pytest.FixtureRequest, client_of: ClientOf, actor_name: str
    ) -> None:
        client = client_of(request.getfixturevalue(actor_name))
        user = UserFactory()
        user.lock_account()
        User.objects.filter(pk=user.pk).update(failed_login_attempts=5)
        before = User.objects.filter(pk=user.pk).values().get()
        powers_kept = {} if actor_name == "account_editor" else {"is_staff": ""}

        def outcome(field: str) -> tuple[int, bool]:
            status = save_name(
                client, user, **{field: OTHER_FIELDS[field]}, **powers_kept
            ).status_code
            return status, User.objects.filter(pk=user.pk).values().get() == before

        assert unexpected(OTHER_FIELDS, outcome, (302, True)) == {}

    def test_account_editors_cannot_edit_a_superuser(
        self, client_of: ClientOf, account_editor: User, superuser: User
    ) -> None:
        before = User.objects.filter(pk=superuser.pk).values().get()
        client = client_of(account_editor)

        answer = save_name(client, superuser, first_name="Mallory")

        assert answer.status_code == 403
        assert User.objects.filter(pk=superuser.pk).values().get() == before
        assert "_save" not in client.get(f"{USERS}{superuser.pk}/change/").content.decode()

    def test_account_editors_cannot_open_groups(
        self, client_of: ClientOf, account_editor: User, group: Group
    ) -> None:
        account_editor.groups.add(group)
        client = client_of(account_editor)
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
        assert (group.name, group.permissions.count()) == ("keepers", 2)
        assert Group.objects.filter(staff_role=None).count() == 1

    def test_account_editors_cannot_add_accounts(
        self, client_of: ClientOf, account_editor: User
    ) -> None:
        asked = {
            "email": "x@example.org",
            "username": "mallory",
            "password": PASSWORD,
            "is_superuser": "on",
        }

        assert client_of(account_editor).post(f"{USERS}add/", asked).status_code == 403
        assert not User.objects.filter(username="mallory").exists()

    def test_account_editors_cannot_set_a_password(
        self, client_of: ClientOf, account_editor: User, person: User
    ) -> None:
        typed = {"password": NEW_PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}

        for path in (f"{USERS}{person.pk}/password/", f"{USERS}{person.pk}/change/password/"):
            assert client_of(account_editor).post(path, typed).status_code in {302, 404}
        save_name(client_of(account_editor), person, **typed)

        person.refresh_from_db()
        assert person.check_password(PASSWORD)

    def test_permissions_without_is_staff_do_not_open_the_admin(
        self, client_of: ClientOf, account_editor: User, person: User
    ) -> None:
        User.objects.filter(pk=account_editor.pk).update(is_staff=False)

        answer = save_name(client_of(account_editor), person, first_name="Mallory")

        person.refresh_from_db()
        assert answer.status_code == 302
        assert "/admin/login/" in answer["Location"]
        assert person.first_name == "Ruth"


class TestSuperuser:
    def test_the_form_of_an_account_changes_no_privilege(
        self, client_of: ClientOf, superuser: User, person: User, group: Group
    ) -> None:
        before = powers_of(person)
        client = client_of(superuser)

        save_name(
            client,
            person,
            first_name="Naomi",
            is_staff="on",
            is_superuser="on",
            groups=[group.pk],
            user_permissions=[it.pk for it in Permission.objects.all()[:5]],
        )

        assert powers_of(person) == before
        row = AuditLog.objects.get(event_type="admin_action")
        assert (row.user, row.metadata["actor"], row.metadata["action"]) == (
            person,
            str(superuser.pk),
            "change",
        )
        assert row.metadata["fields"] == ["first_name"]
        assert (row.ip_address, row.user_agent) == (ADDRESS, CHROME)
        assert LogEntry.objects.get().user == superuser

    def test_a_change_of_a_groups_permissions_is_audited(
        self, client_of: ClientOf, superuser: User, group: Group
    ) -> None:
        permissions = [it.pk for it in Permission.objects.filter(codename__endswith="lock_user")]

        answer = client_of(superuser).post(
            f"{GROUPS}{group.pk}/change/", {"name": "keepers", "permissions": permissions}
        )

        assert answer.status_code == 302
        assert group.permissions.count() == len(permissions)
        assert AuditLog.objects.get(event_type="admin_action").metadata["actor"] == str(
            superuser.pk
        )

    def test_a_group_is_made_of_what_the_admin_asks_for_and_keeps_what_it_had(
        self, client_of: ClientOf, superuser: User, group: Group
    ) -> None:
        client, path = client_of(superuser), f"{GROUPS}{group.pk}/change/"

        def offered(url: str) -> set[str]:
            form = client.get(url).context["adminform"].form
            return {it.codename for it in form.fields["permissions"].queryset}

        new = offered(f"{GROUPS}add/")
        assert {"unlock_user", "view_user", "export_auditlog"} <= new
        assert not {"delete_user", "add_user", "change_group", "add_logentry"} & new
        assert offered(path) == new | {"change_group"}
        held = [it.pk for it in group.permissions.all()]
        stranger = Permission.objects.get(codename="delete_user").pk
        assert client.post(path, {"name": "k", "permissions": [*held, stranger]}).status_code == 200
        assert client.post(path, {"name": "k", "permissions": held}).status_code == 302
        assert {it.pk for it in group.permissions.all()} == set(held)

    def test_the_group_of_a_role_stays_and_the_end_of_another_is_audited(
        self, client_of: ClientOf, superuser: User, group: Group
    ) -> None:
        client, role = client_of(superuser), Group.objects.get(staff_role="helper")

        for row in (role, group):
            client.post(f"{GROUPS}{row.pk}/delete/", {"post": "yes"})
            form = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
            client.post(GROUPS, form)

        assert Group.objects.filter(pk=role.pk).exists()
        assert not Group.objects.filter(pk=group.pk).exists()
        assert AuditLog.objects.get(event_type="admin_action").metadata["group"] == "keepers"
