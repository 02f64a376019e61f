"""What the pages make of the answers of the API that refuse or are missing."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from .visitors import Visitor, settle

pytestmark = pytest.mark.browser

LOGIN, EXCHANGE = "**/api/v1/auth/login/", "**/api/v1/auth/exchange-token/"


def mailed_link(visitor: Visitor) -> str:
    """Return the address of the page that leads to the welcome page."""
    return f"{visitor.service.url}/account/verify-email/?token=x"


def refuse(status: int, *, headers: dict[str, str] | None = None, **body: Any) -> Any:
    """Return what answers a request with a problem."""

    def answer(route: Route) -> None:
        route.fulfill(status=status, json={"detail": "No.", **body}, headers=headers or {})

    return answer


def test_a_csrf_token_is_sent_where_the_origin_is_no_proof(visitor: Visitor, address: str) -> None:
    sent: list[str] = []

    def behind_a_proxy(route: Route) -> None:
        sent.append(route.request.headers.get("x-csrftoken", ""))
        if sent[-1]:
            route.continue_()
        else:
            refuse(403, code="csrf_failed")(route)

    visitor.page.route(LOGIN, behind_a_proxy)

    visitor.sign_in(address)

    visitor.is_at("Your account")
    assert len(sent) == 2
    assert len(sent[1]) >= 32


@pytest.mark.parametrize(
    ("seconds", "words"),
    [("720", "12 minutes"), ("40", "40 seconds"), ("1", "1 second"), ("7200", "2 hours")],
)
def test_a_limit_says_how_long_to_wait(visitor: Visitor, seconds: str, words: str) -> None:
    page = visitor.open("/account/check-email/")
    limited = refuse(429, code="rate_limited", headers={"Retry-After": seconds})
    page.route("**/email/resend/", limited)
    page.get_by_label("Email address").fill("ruth@example.org")
    page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 1)

    page.get_by_role("button", name="Send me a link").click()

    expect(page.get_by_role("timer")).to_have_text(f"You can try again in {words}.")


def test_new_terms_are_accepted_at_the_sign_in(visitor: Visitor, address: str) -> None:
    sent: list[Any] = []

    def ask_first(route: Route) -> None:
        sent.append(route.request.post_data_json)
        if len(sent) == 1:
            documents = {"terms": "2"}
            refuse(403, code="consent_required", documents=documents)(route)
        else:
            route.continue_()

    visitor.page.route(LOGIN, ask_first)
    visitor.sign_in(address)
    expect(visitor.page.get_by_label("I accept the privacy policy")).to_have_count(0)

    visitor.page.get_by_label("I accept the terms").check()
    visitor.page.get_by_role("button", name="Accept and sign in").click()

    visitor.is_at("Your account")
    assert sent[1]["terms_accepted"] is True


def test_a_link_that_has_verified_but_cannot_sign_in_leads_to_the_sign_in(
    visitor: Visitor,
) -> None:
    visitor.page.goto("/account/welcome/#exchange_token=spent", referer=mailed_link(visitor))

    visitor.is_at("Email address confirmed")
    visitor.page.get_by_role("link", name="Sign in").click()
    visitor.is_at("Sign in")
    assert visitor.refused == [(400, "auth/exchange-token/")]


@pytest.mark.parametrize("referer", [None, "https://elsewhere.example/account/verify-email/"])
def test_a_link_of_a_stranger_does_not_sign_in(visitor: Visitor, referer: str | None) -> None:
    visitor.page.goto("/account/welcome/#exchange_token=theirs", referer=referer)

    visitor.is_at("Email address confirmed")
    expect(visitor.page.get_by_role("link", name="Sign in")).to_be_visible()
    assert visitor.refused == []


def test_a_link_that_has_verified_asks_for_the_code_of_the_second_factor(
    visitor: Visitor,
) -> None:
    visitor.page.route(EXCHANGE, refuse(403, code="mfa_required", mfa_token="spent"))
    page = visitor.page
    page.goto("/account/welcome/#exchange_token=x", referer=mailed_link(visitor))

    page.get_by_label("Code from your authenticator app").fill("123456")
    page.get_by_role("button", name="Sign in").click()

    visitor.is_at("Sign in")
    expect(page.get_by_role("status")).to_contain_text("That took too long.")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda route: route.abort(), "We can't reach the service."),
        (refuse(429, code="rate_limited", detail="That was too often."), "That was too often."),
        (lambda route: route.fulfill(status=404, body="<html>"), "We can't reach the service."),
    ],
    ids=["offline", "limited", "a proxy's page"],
)
def test_a_page_that_cannot_be_filled_can_be_tried_again(
    member: Visitor, answer: Callable[[Route], None], said: str
) -> None:
    page = member.page
    page.route("**/api/v1/auth/sessions/", answer)
    page.get_by_role("link", name="Your devices").click()
    expect(page.get_by_role("alert")).to_contain_text(said)
    page.unroute("**/api/v1/auth/sessions/")
    member.faults.clear()

    page.get_by_role("button", name="Try again").click()

    member.is_at("Your devices")


def test_an_unreachable_service_does_not_end_the_session(member: Visitor) -> None:
    page = member.page
    page.route("**/token/refresh/", lambda route: route.abort())
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("We can't reach the service.")
    page.unroute("**/token/refresh/")
    member.faults.clear()

    page.get_by_role("button", name="Try again").click()

    settle(page)
    member.is_at("Your account")
