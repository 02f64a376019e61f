"""An SPA of another origin that uses the client in TypeScript, with cookies."""

import pytest

from .codes import code_of
from .conftest import VisitSpa
from .front_ends import Spa, at_once
from .service import App, Service, unique_address

pytestmark = pytest.mark.clients

REFRESH = 'import("/example/session.js").then(({ client }) => client.refreshToken())'


@pytest.fixture
def spa(visit_spa: VisitSpa, ruth: str) -> Spa:
    spa = visit_spa()
    spa.sign_in(ruth)
    spa.shows("Signed in as Ruth M.")
    return spa


def test_sign_in_and_reloads(visit_spa: VisitSpa, ruth: str) -> None:
    spa = visit_spa()
    spa.shows("Signed out")
    spa.sign_in(ruth, "wrong")
    spa.shows("That email, username or password is wrong. Please check and try again.")
    # A refresh without a session would count against the address, which a hall shares.
    assert spa.refreshes == []

    spa.sign_in(ruth)
    spa.shows("Signed in as Ruth M.")
    for _ in range(2):
        spa.page.reload()
        spa.shows("Signed in as Ruth M.")

    assert spa.refreshes == [200, 200]
    stored = spa.page.evaluate("JSON.stringify([{ ...localStorage }, document.cookie])")
    assert "eyJ" not in stored
    assert spa.refresh_cookie()


def test_a_second_factor_is_asked_for(visit_spa: VisitSpa, ruth: str, trusting: Service) -> None:
    app = App(trusting)
    app.log_in(ruth)
    password = {"password": "Barley-Harvest-7"}
    secret = app.send("POST", "auth/2fa/totp/setup/", password).json()["secret"]
    confirmed = app.send("POST", "auth/2fa/totp/confirm/", {"otp": code_of(secret)}).json()
    spa = visit_spa()

    spa.sign_in(ruth)
    spa.shows("Enter the code of your app")
    spa.page.get_by_label("Code").fill(confirmed["recovery_codes"][0])
    spa.page.get_by_role("button", name="Go on").click()

    spa.shows("Signed in as Ruth M.")


def test_tabs_of_a_browser_without_locks_stay_too(visit_spa: VisitSpa, ruth: str) -> None:
    spa = visit_spa()
    spa.context.add_init_script(
        'Object.defineProperty(navigator, "locks", { value: undefined });'
        'Object.defineProperty(window, "BroadcastChannel", { value: undefined });'
    )
    spa.page.reload()
    spa.sign_in(ruth)
    spa.shows("Signed in as Ruth M.")
    other = spa.tab()
    spa.shows("Signed in as Ruth M.", other)

    assert at_once(spa.page, other, script=REFRESH) == ["ok", "ok"]

    for tab in (spa.page, other):
        tab.reload()
        spa.shows("Signed in as Ruth M.", tab)


def test_two_tabs_refresh_at_once_and_sign_out_together(spa: Spa) -> None:
    other = spa.tab()
    spa.shows("Signed in as Ruth M.", other)
    before = len(spa.refreshes)

    assert at_once(spa.page, other, script=REFRESH) == ["ok", "ok"]

    assert spa.refreshes[before:] == [200]
    for tab in (spa.page, other):
        tab.reload()
        spa.shows("Signed in as Ruth M.", tab)

    spa.page.get_by_role("button", name="Sign out").click()

    spa.shows("Signed out")
    spa.shows("Signed out", other)
    assert spa.refresh_cookie() is None
    other.reload()
    spa.shows("Signed out", other)


def test_another_person_in_another_tab_replaces_the_first(spa: Spa, trusting: Service) -> None:
    second = unique_address("naomi")
    App(trusting).register(second, display_name="Naomi M.")
    other = spa.tab()
    spa.shows("Signed in as Ruth M.", other)

    spa.sign_in(second, page=other)

    spa.shows("Signed in as Naomi M.", other)
    spa.shows("Signed in as Naomi M.")
