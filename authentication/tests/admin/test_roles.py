"""Giving roles: who may give which, and what a lost right ends."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError

from authentication.models import AuditLog, StaffRole, User
from authentication.services.ranks import has_rights_beyond
from authentication.services.staff_roles import role_of
from authentication.tests.commands.running import run_command
from authentication.tests.conftest import Deliver
from authentication.tests.factories import UserFactory, give_factor, unverified_user

from .roles import BELOW_OWNER, WHY, actions_on, give, give_on_page, page_of, staff_with
from .staff import USERS, ClientOf, MakeStaff, assert_audited, messages_of, run_bulk, save_name

pytestmark = [pytest.mark.django_db, pytest.mark.security]


def state_of(user: User) -> tuple[str, bool, bool]:
    found = User.objects.get(pk=user.pk)
    return role_of(found), found.is_staff, found.is_superuser


@pytest.mark.parametrize("role", [*BELOW_OWNER, "owner"])
def test_an_owner_gives_and_takes_every_role(
    client_of: ClientOf, superuser: User, person: User, role: str
) -> None:
    client = client_of(superuser)

    given = give_on_page(client, person, role)

    assert messages_of(given) == ["The role is given."]
    assert state_of(person) == (role, True, role == "owner")
    facts = {"action": "give_role", "old": "none", "new": role, "reason": WHY, "risk": "high"}
    assert_audited("admin_action", actor=superuser, target=person, **facts)
    assert client_of(User.objects.get(pk=person.pk)).get("/admin/").status_code == 200
    assert f"Role: {role.capitalize()}" in client.get(page_of(person)).content.decode()

    give_on_page(client, person, "none")
    assert state_of(person) == ("none", False, False)


def test_an_administrator_gives_a_role_with_fewer_rights(client_of: ClientOf, person: User) -> None:
    client = client_of(staff_with("administrator"))

    page = client.get(f"{page_of(person)}role/").content.decode()
    for role in ("administrator", "auditor", "owner", "group-1", "x"):
        assert f'value="{role}"' not in page
        assert give_on_page(client, person, role).status_code == 200
        assert state_of(person) == ("none", False, False)
    for role in ("helper", "none"):
        give_on_page(client, person, role)
        assert state_of(person) == (role, role == "helper", False)


def test_of_two_administrators_none_decides_about_the_other(client_of: ClientOf) -> None:
    first, second = staff_with("administrator"), staff_with("administrator")
    client = client_of(first)

    assert not {"role", "delete"} & actions_on(client.get(page_of(second)))
    for role in ("none", "helper"):
        assert "as many rights" in messages_of(give_on_page(client, second, role))[0]
    User.objects.filter(pk=second.pk).update(is_active=False)
    page = client.get(page_of(second))
    assert "enable" not in actions_on(page)
    answer = client.post(f"{page_of(second)}enable/", {"reason": WHY}, follow=True)
    assert "as many rights" in messages_of(answer)[0]
    run_bulk(client, "enable", second)

    assert state_of(second) == ("administrator", True, False)
    assert not User.objects.get(pk=second.pk).is_active


def test_an_administrator_takes_back_their_own_role(client_of: ClientOf) -> None:
    user = staff_with("administrator")

    give_on_page(client_of(user), user, "helper")

    assert state_of(user) == ("helper", True, False)


def test_a_new_role_is_mailed_to_the_person_and_the_owners(
    superuser: User, person: User, delivered: Deliver
) -> None:
    User.objects.filter(pk=superuser.pk).update(language="de")
    other = UserFactory(is_staff=True, is_superuser=True)

    give(person, "helper", actor=superuser)

    mails = {it.to[0]: it for it in delivered()}
    assert set(mails) == {superuser.email, person.email, other.email}
    assert mails[person.email].subject == "Your role in the admin was changed"
    assert mails[other.email].subject == "A role in the admin was changed"
    assert "Jetzt: Hilfe" in str(mails[superuser.email].body)
    for mail in (mails[superuser.email], mails[other.email]):
        assert not [it for it in (person.email, person.username) if it in str(mail.body)]


def test_the_service_refuses_what_the_form_does_not_offer(person: User) -> None:
    administrator = staff_with("administrator")
    group = Group.objects.create(name="keepers")

    for role in ("administrator", "auditor", "owner", f"group-{group.pk}"):
        with pytest.raises(Exception, match=r"Someone with more rights|no such role"):
            give(person, role, actor=administrator)


@pytest.mark.parametrize("role", ["auditor", "owner"])
def test_an_administrator_reaches_nobody_with_rights_that_they_lack(
    client_of: ClientOf, role: str
) -> None:
    administrator, other = staff_with("administrator"), staff_with(role)
    client = client_of(administrator)
    before = User.objects.filter(pk=other.pk).values().get()

    assert give_on_page(client, other, "none").status_code == 403
    assert actions_on(client.get(page_of(other))) == set()
    assert save_name(client, other, first_name="Mallory").status_code == 403
    run_bulk(client, "disable", other)

    assert User.objects.filter(pk=other.pk).values().get() == before


def test_a_helper_does_nothing_to_an_administrator_disabled_or_not(client_of: ClientOf) -> None:
    helper, administrator = staff_with("helper"), staff_with("administrator")

    assert client_of(helper).post(f"{page_of(administrator)}unlock/").status_code == 403
    User.objects.filter(pk=administrator.pk).update(is_active=False)
    administrator.refresh_from_db()
    assert has_rights_beyond(administrator, helper)
    assert client_of(helper).post(f"{page_of(administrator)}unlock/").status_code == 403


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        ("helper", "administrator", 200),
        ("administrator", "helper", 302),
        ("administrator", "auditor", 302),
        ("owner", "administrator", 302),
        ("helper", "owner", 200),
        ("auditor", "none", 302),
    ],
)
def test_a_lost_right_ends_the_sessions_of_the_admin(
    client_of: ClientOf, superuser: User, old: str, new: str, status: int
) -> None:
    user = staff_with(old)
    client = client_of(user)
    assert client.get("/admin/").status_code == 200

    give_on_page(client_of(superuser), user, new)

    assert client.get("/admin/").status_code == status
    give(user, "auditor" if new != "auditor" else "none")
    give(user, "helper")
    assert client.get("/admin/").status_code == 302


def test_a_role_takes_rights_and_groups_of_their_own(
    client_of: ClientOf, superuser: User, make_staff: MakeStaff
) -> None:
    user, group = make_staff("change_user", "view_user"), Group.objects.create(name="keepers")
    user.groups.add(group)
    client = client_of(superuser)
    assert "Role: Rights of their own" in client.get(page_of(user)).content.decode()

    give_on_page(client, user, "helper")

    assert state_of(user) == ("helper", True, False)
    assert not user.user_permissions.exists()
    assert [it.staff_role.key for it in user.groups.all()] == ["helper"]
    assert AuditLog.objects.get().metadata["old"] == "own rights"


def test_a_superuser_gives_a_group_of_the_installation(
    client_of: ClientOf, superuser: User, person: User
) -> None:
    group = Group.objects.create(name="keepers")
    client = client_of(superuser)

    assert "The group “keepers”" in client.get(f"{page_of(person)}role/").content.decode()
    give_on_page(client, person, f"group-{group.pk}")

    assert state_of(person) == (f"group-{group.pk}", True, False)
    assert "Role: keepers" in client.get(page_of(person)).content.decode()


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"email_verified": False}, "confirmed their address"),
        ({"is_active": False}, "disabled or being deleted"),
        ({"deletion_requested_at": "2026-11-29T12:00:00Z"}, "disabled or being deleted"),
    ],
)
def test_no_role_for_an_account_that_may_become_another_persons(
    client_of: ClientOf, superuser: User, fields: dict[str, object], told: str
) -> None:
    user = unverified_user()
    User.objects.filter(pk=user.pk).update(
        **{"email_verified": True, "email_verified_at": "2026-11-29T12:00:00Z", **fields}
    )

    answer = give_on_page(client_of(superuser), user, "helper")

    assert told in messages_of(answer)[0]
    assert "role" not in actions_on(answer)
    assert state_of(user) == ("none", False, False)


def test_a_role_that_they_have_is_not_given_again(client_of: ClientOf, superuser: User) -> None:
    user = staff_with("helper")

    assert "that they have" in messages_of(give_on_page(client_of(superuser), user, "helper"))[0]


def test_staff_who_could_change_accounts_still_can(
    client_of: ClientOf, make_staff: MakeStaff, person: User
) -> None:
    page = client_of(make_staff("view_user", "change_user")).get(page_of(person))

    assert actions_on(page) == {"unlock", "send-reset", "end-sessions", "disable"}


class TestCommand:
    def test_it_gives_a_role_and_names_who_ran_it(self, person: User) -> None:
        written = run_command("set_role", person.email, "auditor", "--operator", "Naomi")

        assert written == f"{person.username} has the role: auditor.\n"
        assert state_of(person) == ("auditor", True, False)
        facts = AuditLog.objects.get().metadata
        assert (facts["actor"], facts["operator"]) == ("command line", "Naomi")
        assert (facts["old"], facts["new"]) == ("none", "auditor")

    def test_it_refuses_as_the_page_does(self, db: None) -> None:
        user = unverified_user()

        with pytest.raises(CommandError, match="confirmed their address"):
            run_command("set_role", user.email, "helper", by="Naomi")
        with pytest.raises(CommandError, match="No account"):
            run_command("set_role", "x@example.org", "helper", by="Naomi")


def test_the_list_names_no_action_that_is_refused(client_of: ClientOf) -> None:
    assert 'name="action"' not in client_of(staff_with("auditor")).get(USERS).content.decode()


def test_an_account_that_is_gone_has_no_role(superuser: User) -> None:
    gone = UserFactory()
    User.objects.filter(pk=gone.pk).delete()

    with pytest.raises(Exception, match="disabled or being deleted"):
        give(gone, "helper", actor=superuser)


def test_one_administrator_is_not_two(client_of: ClientOf, person: User) -> None:
    giver, second = staff_with("administrator"), UserFactory()
    give_factor(person)
    confirming = Permission.objects.get(codename="change_secondfactorremoval")
    StaffRole.objects.get(key="helper").group.permissions.add(confirming)
    give(second, "helper", actor=giver)
    request = {"reason": WHY}
    client_of(giver).post(f"{page_of(person)}remove-factor/", request)

    second.refresh_from_db()
    answer = client_of(second).post(f"{page_of(person)}confirm-removal/", request, follow=True)

    assert "less than seven days old" in messages_of(answer)[0]
    assert User.objects.get(pk=person.pk).second_factor_at
