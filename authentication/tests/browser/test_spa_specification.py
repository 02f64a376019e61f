"""An SPA of another origin that uses the specification's client and its interceptor."""

import pytest

from .conftest import VisitSpa
from .front_ends import Spa, at_once
from .service import wait_for

pytestmark = pytest.mark.clients

WRONG = "That email, username or password is wrong. Please check and try again."


def sign_in(visit_spa: VisitSpa, address: str, path: str) -> Spa:
    spa = visit_spa("/login")
    spa.sign_in(address)
    spa.shows("Signed in on 1")
    spa.path = path
    spa.page.goto(path)
    spa.shows("Signed in on 1")
    return spa


@pytest.mark.parametrize("path", ["/as-written", "/mended"])
def test_reload_refresh_in_two_tabs_and_sign_out(visit_spa: VisitSpa, ruth: str, path: str) -> None:
    spa = sign_in(visit_spa, ruth, path)
    other = spa.tab()
    spa.shows("Signed in on 1", other)

    assert at_once(spa.page, other, script="authClient.refreshToken()") == ["ok", "ok"]
    for tab in (spa.page, other):
        tab.reload()
        spa.shows("Signed in on 1", tab)

    before = len(spa.refreshes)
    spa.page.evaluate("authClient.accessToken = 'eyJ.eyJ.stale'")
    assert len(spa.page.evaluate("authClient.getSessions()")) == 1
    assert spa.refreshes[before:] == [200]

    spa.page.get_by_role("button", name="Sign out").click()
    spa.shows("Signed out")
    assert spa.refresh_cookie() is None


def test_the_mended_interceptor_shows_that_a_password_is_wrong(
    visit_spa: VisitSpa, ruth: str
) -> None:
    spa = visit_spa("/mended")
    spa.page.wait_for_url("**/login")
    spa.page.goto("/mended-login")
    before = len(spa.refreshes)

    spa.sign_in(ruth, "wrong")

    spa.shows(WRONG)
    assert spa.refreshes[before:] == []


def test_the_interceptor_as_written_refreshes_for_ever_without_a_session(
    visit_spa: VisitSpa, ruth: str
) -> None:
    """The fault that docs/quickstarts/spa.md tells how to mend."""
    spa = visit_spa("/as-written-login")

    spa.sign_in(ruth, "wrong")

    wait_for(lambda: spa.page.title() and len(spa.refreshes) > 5, what="refreshes")
    assert set(spa.refreshes) == {401}
    spa.shows("Signed out")
