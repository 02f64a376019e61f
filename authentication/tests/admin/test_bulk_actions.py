"""What staff do for many people: the question, the number, the progress, the end."""

import datetime as dt
import re
import sys
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from authentication.models import AuditLog, BulkAction, User

from .bulk import after_the_second, carry_out, disabled, people, start
from .staff import REASON, USERS, messages_of, run_action

pytestmark = pytest.mark.django_db


class TestQuestion:
    def test_it_shows_count_and_names_and_does_nothing(self, superuser_client: Client) -> None:
        found = people(3)

        question = run_action(superuser_client, "disable", *found)

        page = question.content.decode()
        assert "Disable the account: 3 people?" in page
        assert [f"Ruth Moab{number}" in page for number in range(3)] == [True] * 3
        assert "number" not in question.context["form"].fields
        carry_out(question)
        assert disabled(found) == 0

    @pytest.mark.parametrize(("typed", "done"), [("21", 21), ("20", 0), ("", 0), ("21 ppl", 0)])
    def test_the_number_is_typed_above_20(
        self, superuser_client: Client, typed: str, done: int
    ) -> None:
        found = people(21)

        question = run_action(superuser_client, "disable", *found)
        answer = start(superuser_client, question, number=typed)
        carry_out(question)

        assert disabled(found) == done
        assert ("Please type 21: the" in answer.content.decode()) == (typed in {"20", "21 ppl"})

    def test_a_reason_is_needed_where_one_person_needs_one(self, superuser_client: Client) -> None:
        found = people(2)
        question = run_action(superuser_client, "disable", *found)

        answer = start(superuser_client, question, reason=" ")

        carry_out(question)
        assert "This field is required." in answer.content.decode()
        assert disabled(found) == 0

    def test_more_than_500_people_are_refused(self, superuser_client: Client) -> None:
        User.objects.bulk_create(
            User(username=f"many{it}", email=f"many{it}@example.org") for it in range(501)
        )

        form = {"action": "disable", "whole_list": "on"}
        answer = superuser_client.post(USERS, form, follow=True)

        assert messages_of(answer) == ["This can be done for at most 500 people at once."]
        assert not BulkAction.objects.exists()

    def test_an_empty_list_is_refused(self, superuser_client: Client) -> None:
        url = f"{USERS}?is_active__exact=0"

        answer = superuser_client.post(url, {"action": "disable", "whole_list": "on"}, follow=True)

        assert messages_of(answer) == ["The list is empty."]

    def test_the_whole_list_is_what_its_filters_show(self, superuser_client: Client) -> None:
        found = people(60)
        User.objects.filter(pk__in=[it.pk for it in found]).update(email_verified=False)
        people(2)
        url = f"{USERS}?email_verified__exact=0"

        form = {"action": "disable", "whole_list": "on"}
        question = superuser_client.post(url, form, follow=True)

        assert question.context["counts"]["total"] == 60


class TestCost:
    def test_the_pages_need_few_queries_for_many_people(
        self, superuser_client: Client, django_assert_max_num_queries: Any
    ) -> None:
        question = run_action(superuser_client, "end-sessions", *people(50))
        pages = [question.request["PATH_INFO"], question.context["urls"]["progress"]]

        for page in pages:
            with django_assert_max_num_queries(15):
                assert superuser_client.get(page).status_code == 200
        with django_assert_max_num_queries(20):
            start(superuser_client, question, number="50")
        with django_assert_max_num_queries(15):
            superuser_client.get(pages[0])


class TestProgress:
    def test_it_is_done_once_however_often_it_is_started(self, superuser_client: Client) -> None:
        question = run_action(superuser_client, "end-sessions", *people(3))

        for _ in range(2):
            start(superuser_client, question)
            carry_out(question)

        events = AuditLog.objects.filter(event_type="admin_action")
        assert events.filter(metadata__action="end_sessions").count() == 3
        assert events.get(metadata__action="start_bulk").metadata["count"] == 3
        assert {it.metadata["reason"] for it in events} == {REASON}
        assert len(set(events.values_list("correlation_id", flat=True)) - {""}) == 1

    def test_the_rest_is_done_later(self, superuser_client: Client) -> None:
        found = people(3)
        question = run_action(superuser_client, "disable", *found)
        start(superuser_client, question)

        carry_out(question, seconds=-1)
        assert disabled(found) == 0
        page = superuser_client.get(question.context["urls"]["progress"]).json()
        assert page == {"handled": 0, "total": 3, "refused": 0, "is_over": False}
        carry_out(question)

        assert disabled(found) == 3
        page = superuser_client.get(question.context["urls"]["progress"]).json()
        assert page == {"handled": 3, "total": 3, "refused": 0, "is_over": True}

    def test_it_goes_on_after_its_process_died(
        self, superuser_client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found = people(3)
        question = run_action(superuser_client, "disable", *found)
        start(superuser_client, question)
        after_the_second(monkeypatch, sys.exit)

        with pytest.raises(SystemExit):
            carry_out(question)
        assert disabled(found) == 1
        monkeypatch.undo()
        carry_out(question)
        assert disabled(found) == 1, "the lease still holds"
        BulkAction.objects.update(leased_until=timezone.now() - dt.timedelta(seconds=1))
        carry_out(question)

        assert disabled(found) == 3
        assert AuditLog.objects.filter(metadata__action="disable").count() == 3

    def test_stop_keeps_what_is_done(
        self, superuser_client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found = people(3)
        question = run_action(superuser_client, "disable", *found)
        start(superuser_client, question)
        stop = question.context["urls"]["stop"]
        after_the_second(monkeypatch, lambda: superuser_client.post(stop))

        carry_out(question)

        page = superuser_client.get(question.request["PATH_INFO"])
        text = re.sub(r"\s+", " ", page.content.decode())
        assert disabled(found) == 2, "the one at work is finished"
        assert "Stopped. Done for 2 of 3." in text
        assert AuditLog.objects.filter(metadata__action="stop_bulk").count() == 1

    def test_an_action_that_was_stopped_is_not_started(self, superuser_client: Client) -> None:
        found = people(1)
        question = run_action(superuser_client, "disable", *found)

        superuser_client.post(question.context["urls"]["stop"])
        start(superuser_client, question)
        carry_out(question)

        assert disabled(found) == 0
