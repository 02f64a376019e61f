"""Every revocation of a person's sessions ends those of the admin, at the next request."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from authentication.models import AuditLog, User, UserSession
from authentication.tests.api.email_changes import CONFIRM, UNDO, request_links
from authentication.tests.clients import NEW_PASSWORD, post_as, sign_in
from authentication.tests.commands.running import run_command
from authentication.tests.conftest import API, Deliver, token_in
from authentication.tests.factories import PASSWORD, UserFactory
from authentication.tests.fuzz.bodies import undo_token

from .staff import ADMIN_LOGIN, USERS, ClientOf, admin_login, run_bulk

pytestmark = [pytest.mark.django_db, pytest.mark.security]


@pytest.fixture
def boss(db: None) -> User:
    """Return a superuser, who acts on others and is not the one tested."""
    return UserFactory(is_staff=True, is_superuser=True)


def is_signed_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


class TestRevocation:
    @pytest.fixture
    def desk(self, client_of: ClientOf, superuser: User) -> Client:
        """Return the browser of a superuser who is signed in to the admin."""
        client = client_of(superuser)
        assert is_signed_in(client)
        return client

    @pytest.fixture
    def revocations(
        self, api: APIClient, superuser: User, boss: User, client_of: ClientOf, delivered: Deliver
    ) -> dict[str, Callable[[], Any]]:
        """Return everything that revokes all sessions of the superuser, by its name."""

        def act(path: str, **body: Any) -> Any:
            answer = post_as(api, sign_in(api, superuser), f"{API}/{path}/", body)
            assert answer.status_code in {200, 202}, answer.content
            return answer

        def reset() -> None:
            api.post(f"{API}/password/reset/", {"email": superuser.email})
            token = token_in(delivered()[-1])
            body = {"token": token, "new_password": NEW_PASSWORD}
            assert api.post(f"{API}/password/reset/confirm/", body).status_code == 200

        def disown_an_event() -> None:
            event = AuditLog.objects.create(user=superuser, event_type="admin_login")
            act(f"account/activity/{event.pk}/disown")

        def undo_a_change_of_address() -> None:
            tokens = sign_in(api, superuser)
            delivered().clear()
            links = request_links(api, superuser, tokens, delivered)
            for path, token in ((CONFIRM, links.confirm), (UNDO, links.undo)):
                assert api.post(path, {"token": token}).status_code == 200

        def undo_another_change() -> None:
            sign_in(api, superuser)
            token = undo_token(UserSession.objects.filter(user=superuser).latest("created_at"))
            answer = api.post(f"{API}/account/change/undo/", {"token": token})
            assert answer.status_code == 200, answer.content

        return {
            "the action of staff": lambda: run_bulk(client_of(boss), "end-sessions", superuser),
            "the command": lambda: run_command("revoke_sessions", superuser.email),
            "the command for all": lambda: run_command("revoke_sessions", everybody=True),
            "disabling, although enabled again": lambda: [
                run_bulk(client_of(boss), action, superuser) for action in ("disable", "enable")
            ],
            "ending all other sessions": lambda: act("sessions/terminate-all"),
            "a requested deletion": lambda: act("account/delete"),
            "a changed password": lambda: act(
                "password/change", old_password=PASSWORD, new_password=NEW_PASSWORD
            ),
            "a reset": reset,
            "an event that was not the person": disown_an_event,
            "an undone change of address": undo_a_change_of_address,
            "another undone change": undo_another_change,
        }

    @pytest.mark.parametrize(
        "name",
        [
            "the action of staff",
            "the command",
            "the command for all",
            "disabling, although enabled again",
            "ending all other sessions",
            "a requested deletion",
            "a changed password",
            "a reset",
            "an event that was not the person",
            "an undone change of address",
            "another undone change",
        ],
    )
    def test_it_ends_the_admin_session_at_the_next_request(
        self, desk: Client, revocations: dict[str, Callable[[], Any]], name: str
    ) -> None:
        revocations[name]()

        answer = desk.get(USERS)
        assert (answer.status_code, answer["Location"].split("?")[0]) == (302, ADMIN_LOGIN)

    def test_a_session_that_was_opened_during_the_revocation_is_over(
        self, client: Client, superuser: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sign_in_of_the_row = User.objects.sign_in

        def revoke_first(*given: Any, **named: Any) -> Any:
            done = sign_in_of_the_row(*given, **named)
            run_command("revoke_sessions", superuser.email)
            return done

        monkeypatch.setattr(User.objects, "sign_in", revoke_first)

        admin_login(client, superuser.email)

        assert not is_signed_in(client)

    def test_a_later_sign_in_opens_the_admin_again(
        self, desk: Client, client: Client, superuser: User
    ) -> None:
        run_command("revoke_sessions", superuser.email)

        admin_login(client, superuser.email)

        assert (is_signed_in(desk), is_signed_in(client)) == (False, True)

    def test_other_staff_stay_signed_in(
        self, desk: Client, boss: User, client_of: ClientOf, superuser: User
    ) -> None:
        other = client_of(boss)

        run_command("revoke_sessions", superuser.email)

        assert (is_signed_in(desk), is_signed_in(other)) == (False, True)


def test_a_former_member_of_staff_who_returns_has_to_sign_in(
    client_of: ClientOf, superuser: User, boss: User
) -> None:
    client, editor = client_of(boss), client_of(superuser)
    page = f"{USERS}{boss.pk}/change/"
    form = {"first_name": "Ruth", "last_name": "Moab", "is_superuser": "on", "_save": "Save"}

    editor.post(page, form)
    run_command("revoke_sessions", everybody=True)
    editor = client_of(User.objects.get(pk=superuser.pk))
    editor.post(page, {**form, "is_staff": "on"})

    boss.refresh_from_db()
    assert boss.is_staff
    assert not is_signed_in(client)


def test_revoking_everybody_needs_no_statement_for_people_without_sessions(db: None) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            run_command("revoke_sessions", everybody=True)
        return len(captured.captured_queries)

    UserFactory()
    few = statements()
    for _ in range(30):
        UserFactory()

    assert statements() == few
