"""Roles on PostgreSQL: staff who act on each other, and replicas that migrate at once."""

import threading
import time
from collections.abc import Callable
from functools import partial

import pytest
from django.contrib.auth.models import Group
from django.db import connections, transaction

from authentication.exceptions import PermissionRefused
from authentication.models import StaffRole, User
from authentication.services.acted_by import ActedBy
from authentication.services.administration import AdministrationService
from authentication.services.role_groups import make_roles
from authentication.services.staff_roles import RoleService
from authentication.tests.factories import UserFactory

from .crowd import all_at_once

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


def take(actor: User, target: User) -> None:
    try:
        RoleService.give(target, "none", by=ActedBy(actor))
    except PermissionRefused:
        return


@pytest.mark.parametrize("_", range(5))
def test_of_two_owners_who_take_each_others_role_one_stays(_: int) -> None:
    owners = [UserFactory(is_staff=True, is_superuser=True) for _ in range(2)]

    all_at_once(partial(take, *owners), partial(take, *reversed(owners)))

    assert User.objects.owners().count() == 1


@pytest.mark.parametrize("_", range(5))
def test_several_replicas_make_each_role_once(_: int) -> None:
    Group.objects.all().delete()

    made = all_at_once(*[make_roles] * 6)

    assert StaffRole.objects.count() == Group.objects.count() == 3
    assert sorted(key for keys in made for key in keys) == ["administrator", "auditor", "helper"]


def demote(administrator: User, _: User) -> None:
    """Take the role of the member of staff who waits, on another connection."""
    all_at_once(lambda: RoleService.give(administrator, "none", by=ActedBy(None)))


def promote(_: User, person: User) -> None:
    """Make the person an owner, on the connection that holds the lock."""
    RoleService.give(person, "owner", by=ActedBy(None))


@pytest.mark.parametrize("meanwhile", [demote, promote])
def test_staff_who_waited_for_a_lock_are_judged_by_the_roles_of_now(
    meanwhile: Callable[[User, User], None],
) -> None:
    administrator, person = UserFactory(), UserFactory()
    RoleService.give(administrator, "administrator", by=ActedBy(None))
    administrator.refresh_from_db()
    UserFactory(is_staff=True, is_superuser=True)  # The last owner could not be disabled anyway.
    outcome: list[str] = []

    def disable() -> None:
        try:
            AdministrationService.disable(person, by=ActedBy(administrator))
            outcome.append("done")
        except PermissionRefused:
            outcome.append("refused")
        finally:
            connections.close_all()

    waiting = threading.Thread(target=disable)
    with transaction.atomic():
        User.objects.lock_row(person.pk)
        waiting.start()
        time.sleep(0.5)
        meanwhile(administrator, person)
        assert waiting.is_alive()
    waiting.join()

    assert outcome == ["refused"]
    assert User.objects.get(pk=person.pk).is_active
