"""Forms of account pages that a browser sends twice."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, User
from authentication.tests.clients import (
    NEW_PASSWORD,
    NOON,
    Tokens,
    hidden_fields,
    page_browser,
    send_form,
    sign_in,
)
from authentication.tests.conftest import API, Deliver, token_in
from authentication.tests.factories import unverified_user
from authentication.view_modules.form_outcomes import FormOutcome

from .email_changes import request_links

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]

Link = Callable[[str], str]
PASSWORDS = {"new_password": NEW_PASSWORD, "new_password_confirm": NEW_PASSWORD}
PAGES = {
    "verify-email": "Email address confirmed",
    "reset-password": "Your password was changed",
    "confirm-email": "Email address changed",
    "undo-email": "",
    "not-me": "",
}


@pytest.fixture
def link(api: APIClient, person: User, signed_in: Tokens, delivered: Deliver) -> Link:
    """Return a function that mails a link and returns its token."""

    def make(page: str) -> str:
        if page in {"confirm-email", "undo-email"}:
            links = request_links(api, person, signed_in, delivered)
            return links.confirm if page == "confirm-email" else links.undo
        if page == "verify-email":
            newcomer = unverified_user()
            api.post(f"{API}/email/resend/", {"email": newcomer.email})
        elif page == "reset-password":
            api.post(f"{API}/password/reset/", {"email": person.email})
        else:
            sign_in(api, person, headers={"User-Agent": "Another/1.0"})
        return token_in(delivered()[-1])

    return make


def form_of(visitor: Client, page: str, token: str) -> dict[str, str]:
    fields = hidden_fields(visitor.get(f"/account/{page}/", {"token": token}))
    return {**fields, **(PASSWORDS if page == "reset-password" else {})}


@pytest.mark.parametrize("page", PAGES)
def test_a_form_that_is_sent_twice_gets_the_first_answer_again(
    link: Link, page: str, settings: Settings
) -> None:
    visitor, url = page_browser(), f"/account/{page}/"
    form = form_of(visitor, page, link(page))

    first, second = (send_form(visitor, url, **form) for _ in range(2))

    assert (first.status_code, second.status_code) == (303, 303)
    assert not AuditLog.objects.filter(success=False).exists()
    if PAGES[page]:
        for answer in (first, second):
            after = visitor.get(answer["Location"])
            assert f"<h1>{PAGES[page]}</h1>" in after.content.decode()
        assert first.cookies.keys() == second.cookies.keys()
    else:
        assert first["Location"] == second["Location"]
        assert first["Location"].startswith(settings.PASSWORD_RESET_URL.partition("{")[0])


@pytest.mark.security
@pytest.mark.parametrize("page", PAGES)
def test_another_browser_with_the_same_token_is_refused(link: Link, page: str) -> None:
    visitor, other, url = page_browser(), page_browser(), f"/account/{page}/"
    token = link(page)
    form, others = form_of(visitor, page, token), form_of(other, page, token)

    answers = [send_form(visitor, url, **form), send_form(other, url, **others)]

    assert [answer.status_code for answer in answers] == [303, 400]


@pytest.mark.security
def test_a_reset_form_that_comes_later_is_refused_because_its_password_was_not_set(
    link: Link, person: User, time_machine: TimeMachineFixture
) -> None:
    visitor, url = page_browser(), "/account/reset-password/"
    form = form_of(visitor, "reset-password", link("reset-password"))
    send_form(visitor, url, **form)
    time_machine.shift(11)

    other = {"new_password": "Third-Horse-33", "new_password_confirm": "Third-Horse-33"}
    answer = send_form(visitor, url, **{**form, **other})

    assert answer.status_code == 400
    person.refresh_from_db()
    assert person.check_password(NEW_PASSWORD)


@pytest.mark.security
def test_an_exchange_token_is_handed_out_again_only_to_a_double_click(
    link: Link, settings: Settings, time_machine: TimeMachineFixture
) -> None:
    settings.EMAIL_VERIFIED_URL = "https://app.example.org/in#{exchange_token}"
    visitor, url = page_browser(), "/account/verify-email/"
    form = form_of(visitor, "verify-email", link("verify-email"))

    first, second = (send_form(visitor, url, **form) for _ in range(2))
    time_machine.shift(5)
    third = send_form(visitor, url, **form)

    assert first["Location"] == second["Location"]
    assert third["Location"].startswith("/account/verify-email/?done=")


@pytest.mark.security
def test_a_page_that_says_done_cannot_be_made_for_another_browser_or_page(link: Link) -> None:
    visitor = page_browser()
    form = form_of(visitor, "confirm-email", link("confirm-email"))
    done = send_form(visitor, "/account/confirm-email/", **form)["Location"]
    query = done.partition("?")[2]

    pages = [
        page_browser().get(done),
        visitor.get(f"/account/reset-password/?{query}"),
        visitor.get("/account/confirm-email/?done=x"),
    ]

    for page in pages:
        assert "<h1>This link is incomplete</h1>" in page.content.decode()


def test_a_form_that_arrives_during_the_first_waits_for_its_answer(
    link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor, url = page_browser(), "/account/confirm-email/"
    form = form_of(visitor, "confirm-email", link("confirm-email"))
    finish, waiting = FormOutcome.finish, threading.Event()
    answers: list[Any] = []

    def repeat() -> None:
        waiting.set()
        answers.append(send_form(visitor, url, **form))

    def slow(outcome: FormOutcome, response: Any) -> None:
        second = threading.Thread(target=repeat)
        second.start()
        waiting.wait()
        finish(outcome, response)
        second.join()

    monkeypatch.setattr(FormOutcome, "finish", slow)
    first = send_form(visitor, url, **form)

    assert [first.status_code, *(it.status_code for it in answers)] == [303, 303]


def test_pages_that_mail_a_link_redirect_too(person: User) -> None:
    for page in ("forgot-password", "resend-verification"):
        visitor, url = page_browser(), f"/account/{page}/"
        form = {**hidden_fields(visitor.get(url)), "email": person.email}

        answer = send_form(visitor, url, **form)

        assert answer.status_code == 303
        assert "<h1>Check your email</h1>" in visitor.get(answer["Location"]).content.decode()


def test_without_a_cache_a_form_works_and_its_repetition_is_refused(
    link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object, **__: object) -> None:
        raise ConnectionError

    visitor, url = page_browser(), "/account/confirm-email/"
    form = form_of(visitor, "confirm-email", link("confirm-email"))
    monkeypatch.setattr("authentication.view_modules.form_outcomes.cache.add", down)

    first, second = (send_form(visitor, url, **form) for _ in range(2))

    assert (first.status_code, second.status_code) == (303, 400)
