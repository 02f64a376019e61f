"""Roles on PostgreSQL: staff who act on each other, and replicas that migrate at once."""

from functools import partial

import pytest
from django.contrib.auth.models import Group

from authentication.exceptions import PermissionRefused
from authentication.models import StaffRole, User
from authentication.services.acted_by import ActedBy
from authentication.services.staff_roles import RoleService, make_roles
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
def test_of_two_administrators_who_take_each_others_role_one_stays(_: int) -> None:
    staff = [UserFactory() for _ in range(2)]
    for user in staff:
        RoleService.give(user, "administrator", by=ActedBy(None))
        user.refresh_from_db()

    all_at_once(partial(take, *staff), partial(take, *reversed(staff)))

    assert User.objects.filter(is_staff=True).count() == 1


@pytest.mark.parametrize("_", range(5))
def test_several_replicas_make_each_role_once(_: int) -> None:
    Group.objects.all().delete()

    made = all_at_once(*[make_roles] * 6)

    assert StaffRole.objects.count() == Group.objects.count() == 3
    assert sorted(key for keys in made for key in keys) == ["administrator", "auditor", "helper"]
