"""Bulk actions and the rights of their actors, and accounts that are erased meanwhile."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from authentication.models import BulkAction, User
from authentication.tests.clients import NEW_PASSWORD
from authentication.tests.commands.running import run_command
from authentication.tests.erasing import all_stored_text
from authentication.tests.sealing import findings, seal_now

from .bulk import EDITOR, after_the_second, carry_out, disabled, erase, people, start
from .staff import ClientOf, MakeStaff, messages_of, run_action

pytestmark = pytest.mark.django_db


class TestRights:
    def test_rights_taken_away_meanwhile_end_it(
        self, client_of: ClientOf, make_staff: MakeStaff, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        boaz, found = make_staff(*EDITOR), people(3)
        client = client_of(boaz)
        question = run_action(client, "disable", *found)
        start(client, question)
        after_the_second(monkeypatch, lambda: User.objects.filter(pk=boaz.pk).update(is_staff=0))

        carry_out(question)

        assert disabled(found) == 2
        assert BulkAction.objects.get().stopped_at

    @pytest.mark.parametrize(
        "throw_out",
        [
            lambda user: run_command("revoke_sessions", user.email),
            lambda user: (user.set_password(NEW_PASSWORD), user.save()),
            lambda user: User.objects.request_deletion(user.pk, at=timezone.now()),
        ],
        ids=["sessions ended", "new password", "deletion"],
    )
    def test_it_ends_when_the_owner_has_thrown_a_thief_out(
        self, superuser_client: Client, superuser: User, throw_out: Callable[[User], object]
    ) -> None:
        found = people(2)
        question = run_action(superuser_client, "disable", *found)
        start(superuser_client, question)

        throw_out(superuser)
        carry_out(question)

        assert disabled(found) == 0

    def test_the_actor_signs_out_last(self, superuser_client: Client, superuser: User) -> None:
        question = run_action(superuser_client, "end-sessions", superuser, *people(2))
        start(superuser_client, question)

        carry_out(question)

        page = BulkAction.objects.get()
        assert (page.finished_at is not None, page.people.filter(refusal="").count()) == (True, 3)

    def test_staff_do_not_stop_what_a_superuser_has_started(
        self, client_of: ClientOf, make_staff: MakeStaff, superuser_client: Client
    ) -> None:
        question = run_action(superuser_client, "disable", *people(1))
        start(superuser_client, question)

        stop = question.context["urls"]["stop"]
        assert client_of(make_staff(*EDITOR)).post(stop).status_code == 403

        assert BulkAction.objects.get().stopped_at is None

    def test_only_the_one_who_was_asked_starts_it(
        self, client_of: ClientOf, make_staff: MakeStaff, superuser_client: Client
    ) -> None:
        found = people(1)
        question = run_action(client_of(make_staff(*EDITOR)), "disable", *found)

        page = superuser_client.get(question.request["PATH_INFO"])
        assert "Disable the account</button>" not in page.content.decode()
        answer = start(superuser_client, question)

        carry_out(question)
        assert messages_of(answer) == ["You are not allowed to do this."]
        assert disabled(found) == 0

    def test_the_names_are_for_those_who_may_see_accounts(
        self, client_of: ClientOf, make_staff: MakeStaff, superuser_client: Client
    ) -> None:
        question = run_action(superuser_client, "disable", *people(1))
        url = question.request["PATH_INFO"]

        assert "Moab0" not in client_of(make_staff("view_bulkaction")).get(url).content.decode()
        assert client_of(make_staff("view_user")).get(url).status_code == 403
        for name in ("start", "stop", "progress"):
            page = question.context["urls"][name]
            assert client_of(make_staff("view_user")).post(page).status_code == 403


class TestErasure:
    def test_one_who_was_erased_is_left_out(self, superuser_client: Client) -> None:
        ruth, *rest = people(3)
        question = run_action(superuser_client, "end-sessions", *[ruth, *rest])
        start(superuser_client, question, reason="Ruth wrote a letter.")

        erase(ruth)

        assert BulkAction.objects.get().reason == ""
        assert "Ruth wrote" not in all_stored_text()
        carry_out(question)
        page = superuser_client.get(question.context["urls"]["progress"]).json()
        assert page == {"handled": 2, "total": 2, "refused": 0, "is_over": True}

    def test_what_was_done_for_others_keeps_no_reason_that_may_name_a_person(
        self, superuser_client: Client
    ) -> None:
        ruth, *rest = people(3)
        question = run_action(superuser_client, "end-sessions", ruth, *rest)
        start(superuser_client, question, reason="Ruth wrote a letter.")
        carry_out(question)
        seal_now()

        erase(ruth)

        assert "Ruth wrote" not in all_stored_text()
        assert findings() == []

    def test_those_of_a_former_member_of_staff_end(
        self, client_of: ClientOf, make_staff: MakeStaff
    ) -> None:
        boaz, found = make_staff(*EDITOR), people(1)
        question = run_action(client_of(boaz), "disable", *found)
        start(client_of(boaz), question)

        erase(boaz)
        carry_out(question)

        assert disabled(found) == 0
        assert not BulkAction.objects.exists()

    def test_an_account_being_deleted_is_not_enabled(self, superuser_client: Client) -> None:
        [ruth] = people(1)
        User.objects.filter(pk=ruth.pk).update(is_active=False, erasure_key="x" * 32)
        question = run_action(superuser_client, "enable", *[ruth])
        start(superuser_client, question)

        carry_out(question)

        page = superuser_client.get(question.request["PATH_INFO"]).content.decode()
        assert "Ruth Moab0" in page
        assert "This account is being deleted." in page
        assert disabled([ruth]) == 1
