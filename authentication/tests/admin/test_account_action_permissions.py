"""Actions on accounts: who may run them on which account."""

from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from authentication.models import AuditLog, OutgoingEmail, TokenBlacklist, User, UserSession
from authentication.tests.answers import unexpected
from authentication.tests.clients import Tokens, sign_in
from authentication.tests.conftest import bearer
from authentication.tests.factories import unverified_user

from .staff import (
    ACCOUNT_ACTIONS,
    REVOKE_TOKEN,
    SESSIONS,
    USERS,
    ClientOf,
    MakeStaff,
    refusals_of,
    run_action,
    run_bulk,
)

pytestmark = pytest.mark.django_db

EDITORS = {"view_user", "change_user", "add_bulkaction"}


def state() -> tuple[Any, ...]:
    """Return all rows that an action could change."""
    tables = (User, UserSession, OutgoingEmail, TokenBlacklist, AuditLog)
    return tuple(list(table._default_manager.order_by("pk").values()) for table in tables)


class TestActionPermissions:
    def test_staff_cannot_disable_their_own_account(
        self, superuser_client: Client, superuser: User
    ) -> None:
        answer = run_bulk(superuser_client, "disable", superuser)

        superuser.refresh_from_db()
        assert superuser.is_active
        assert refusals_of(answer) == [
            "This is your own account. Another member of staff has to do this."
        ]

    @pytest.mark.parametrize("missing", ["change_user", "add_bulkaction"])
    def test_staff_without_a_permission_run_no_action(
        self,
        client_of: ClientOf,
        make_staff: MakeStaff,
        person: User,
        signed_in: Tokens,
        missing: str,
    ) -> None:
        client = client_of(make_staff(*EDITORS - {missing}))
        before = state()

        def changes_something(action: str) -> bool:
            run_bulk(client, action, person)
            return state() != before

        assert unexpected(ACCOUNT_ACTIONS, changes_something, expected=False) == {}
        page = client.get(USERS).content.decode()
        assert [action for action in ACCOUNT_ACTIONS if f'value="{action}"' in page] == []

    def test_staff_cannot_act_on_a_superuser(
        self, client_of: ClientOf, make_staff: MakeStaff, api: APIClient, superuser: User
    ) -> None:
        sign_in(api, superuser)
        superuser.refresh_from_db()
        superuser.lock_account()
        client = client_of(make_staff(*EDITORS))
        before = state()[:-1]

        def outcome(action: str) -> tuple[list[str], bool]:
            return refusals_of(run_bulk(client, action, superuser)), state()[:-1] == before

        refused = ["You are not allowed to do this."]
        assert unexpected(ACCOUNT_ACTIONS, outcome, (refused, True)) == {}
        assert not AuditLog.objects.filter(user=superuser, event_type="admin_action").exists()

    def test_a_refused_account_does_not_stop_the_others(
        self, client_of: ClientOf, make_staff: MakeStaff, superuser: User, person: User
    ) -> None:
        answer = run_bulk(client_of(make_staff(*EDITORS)), "disable", superuser, person)

        superuser.refresh_from_db()
        person.refresh_from_db()
        assert (superuser.is_active, person.is_active) == (True, False)
        assert refusals_of(answer) == ["You are not allowed to do this."]
        assert answer.context["counts"]["done"] == 1

    @pytest.mark.parametrize("action", ACCOUNT_ACTIONS)
    def test_a_superuser_may_act_on_another_superuser(
        self, superuser_client: Client, action: str
    ) -> None:
        answer = run_bulk(
            superuser_client, action, unverified_user(is_superuser=True, is_staff=True)
        )

        assert answer.context["counts"]["done"] == 1

    def test_a_get_request_runs_no_action(self, superuser_client: Client, person: User) -> None:
        before = state()

        def changes_something(action: str) -> bool:
            superuser_client.get(USERS, {"action": action, "_selected_action": str(person.pk)})
            return state() != before

        assert unexpected(ACCOUNT_ACTIONS, changes_something, expected=False) == {}

    def test_an_unknown_action_changes_nothing(
        self, superuser_client: Client, person: User
    ) -> None:
        before = state()

        for action in ("delete_selected", "save_model", "confirm-removal", "correct-address", ""):
            run_action(superuser_client, action, person)

        assert state() == before


def test_a_disabled_member_of_staff_is_signed_out_of_the_admin(
    client_of: ClientOf, make_staff: MakeStaff, superuser_client: Client
) -> None:
    colleague = make_staff("view_user")
    client = client_of(colleague)
    assert client.get(USERS).status_code == 200

    run_bulk(superuser_client, "disable", colleague)

    assert client.get(USERS).status_code == 302


def test_an_access_token_does_not_authorize_admin_actions(
    api: APIClient, signed_in: Tokens, person: User
) -> None:
    User.objects.filter(pk=person.pk).update(is_staff=True, is_superuser=True)

    for path in (USERS, SESSIONS, REVOKE_TOKEN):
        assert api.post(
            path, {"action": "disable"}, headers=bearer(signed_in["access"])
        ).status_code in {302, 403}
