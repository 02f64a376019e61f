"""Two superusers who leave at the same moment: one stays."""

from functools import partial
from typing import Any

import pytest
from rest_framework.test import APIClient

from authentication.models import User
from authentication.services.acted_by import ActedBy
from authentication.services.administration import AdministrationService
from authentication.tests.clients import sign_in
from authentication.tests.conftest import API, bearer
from authentication.tests.factories import UserFactory

from .crowd import all_at_once

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


def delete(access: str) -> Any:
    return APIClient().post(f"{API}/account/delete/", headers=bearer(access))


@pytest.mark.parametrize("_", range(5))
def test_of_two_who_delete_their_accounts_one_stays(api: APIClient, _: int) -> None:
    owners = [UserFactory(is_staff=True, is_superuser=True) for _ in range(2)]
    accesses = [sign_in(api, owner)["access"] for owner in owners]

    all_at_once(*[partial(delete, access) for access in accesses])

    assert User.objects.owners().exists()


@pytest.mark.parametrize("_", range(5))
def test_of_two_who_disable_each_other_one_stays(_: int) -> None:
    owners = [UserFactory(is_staff=True, is_superuser=True) for _ in range(2)]

    def disable(actor: User, target: User) -> None:
        try:
            AdministrationService.disable(target, by=ActedBy(actor))
        except Exception:  # noqa: BLE001 -- a refusal, or a deadlock that PostgreSQL ended
            return

    all_at_once(partial(disable, *owners), partial(disable, *reversed(owners)))

    assert User.objects.owners().exists()
