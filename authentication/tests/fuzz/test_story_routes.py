"""Every route that changes something is used by an act of the stories, or left out for a reason."""

import pytest
from pytest_django import Settings

from authentication.tests.routes import ROUTES
from vineyard_group_fellowship.settings.base import caches as local

from .others import OTHERS, SQUATS
from .owners import OWNER
from .test_stories import Story
from .thieves import THIEVES

_PAGE = "The form of an endpoint that is used: api/test_*_page*.py send it."
LEFT_OUT = {
    ("POST", "api/v1/auth/mail-events/sendgrid/"): "It takes the provider's signature.",
    ("PATCH", "api/v1/auth/sessions/<id:session_id>/"): "It names a device. No decision reads it.",
    ("POST", "account/verify-email/"): _PAGE,
    ("POST", "account/resend-verification/"): _PAGE,
    ("POST", "account/forgot-password/"): _PAGE,
    ("POST", "account/reset-password/"): _PAGE,
    ("POST", "account/confirm-email/"): _PAGE,
    ("POST", "account/undo-email/"): _PAGE,
    ("POST", "account/undo-change/"): _PAGE,
    ("POST", "account/keep-second-factor/"): _PAGE,
    ("POST", "account/not-me/"): _PAGE,
    ("POST", "account/accept-invitation/"): _PAGE,
    ("POST", "api/v1/auth/invitations/accept/"): "staff invite: api/test_invitations.py",
}
TALES: dict[str, tuple[tuple[str, int], ...]] = {
    "protected": (
        ("learn_the_password", 0),
        ("staff_ask_for_a_removal", 0),
        ("owner_opens_a_link", 0),
        ("thief_signs_in", 0),
        ("thief_finishes_a_sign_in", 1),
        *((act, 1) for act in dict.fromkeys((*THIEVES, *OTHERS, *OWNER))),
    ),
    "learn_the_password": (
        ("thief_changes_the_names", 1),
        ("thief_moves_the_address", 1),
        ("time_passes", 2),
        ("thief_signs_in", 3),
        ("thief_opens_a_link", 1),
        ("thief_stops_the_notices", 0),
        ("thief_asks_for_an_export", 0),
        ("thief_opens_a_link", 0),
        ("thief_downloads", 0),
        ("owner_follows_her_mails", 0),
    ),
    "squatted": (
        *((act, 1) for act in SQUATS),
        ("thief_opens_a_link", 2),
        ("thief_trades_a_token", 0),
    ),
}
"""Acts with their numbers, by the beginning of a story."""


def changing_routes() -> set[tuple[str, str]]:
    found = {(method, route) for route, it in ROUTES.items() for method in it.limits}
    return {(method, route) for method, route in found if method != "GET"}


def routes_of(beginning: str) -> set[tuple[str, str]]:
    """Play the acts of a tale; return the routes that they used."""
    story = Story()
    try:
        story.begin(beginning, 1)
        for act, number in TALES[beginning]:
            getattr(story, act)(number)
    finally:
        story.roll_back()
    return story.routes


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.security
def test_every_route_that_changes_something_is_used_or_left_out(settings: Settings) -> None:
    settings.RATELIMIT_ENABLE = False
    settings.CACHES = local("")

    used = set().union(*map(routes_of, TALES))

    assert changing_routes() - used == LEFT_OUT.keys()
    assert {"POST", "PUT", "PATCH", "DELETE"} == {method for method, _ in changing_routes()}
