"""When the removal of a second factor by staff is carried out, and how the user stops it."""

import datetime as dt

import pytest
from django.test import Client
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, User
from authentication.tasks import remove_second_factors
from authentication.tests.answers import assert_problem
from authentication.tests.clients import (
    NOON,
    Tokens,
    hidden_fields,
    log_in,
    post_as,
    sign_in,
    use_access,
)
from authentication.tests.conftest import API, Deliver
from authentication.tests.factories import Factor, give_factor
from authentication.tests.removals import (
    admin_of,
    boss,
    decide,
    has_factor,
    outcome,
    request_by_mail,
    request_removal,
)

PAGE, STOP = "/account/keep-second-factor/", f"{API}/2fa/removal/stop/"
DAY = 86_400

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.security,
    pytest.mark.time_machine(NOON, tick=False),
]


@pytest.fixture
def staff(db: None) -> User:
    return boss(email="boss@example.org")


@pytest.fixture
def requested(staff: User, person: User, delivered: Deliver) -> str:
    """Request the removal of the person's factor; return the token of the mail."""
    return request_by_mail(staff, person, delivered)


class TestDelay:
    def test_it_is_carried_out_after_24_hours_and_not_before(
        self,
        requested: str,
        api: APIClient,
        person: User,
        time_machine: TimeMachineFixture,
        delivered: Deliver,
    ) -> None:
        assert_problem(log_in(api, person), 403, "mfa_required")
        time_machine.shift(DAY - 1)
        remove_second_factors()
        assert (has_factor(person), outcome()) == (True, "")

        time_machine.shift(1)
        remove_second_factors()
        remove_second_factors()

        assert (has_factor(person), outcome()) == (False, "carried_out")
        assert log_in(api, person).status_code == 200
        event = AuditLog.objects.get(event_type="second_factor_disabled")
        assert (event.user, event.metadata["change"]) == (person, "removed")
        told = [mail for mail in delivered() if "Our support turned off" in str(mail.body)]
        assert [mail.to for mail in told] == [[person.email]]

    def test_it_waits_while_no_mail_reaches_the_user(
        self, staff: User, person: User, time_machine: TimeMachineFixture
    ) -> None:
        give_factor(person)
        request_removal(staff, person)
        time_machine.shift(3 * DAY)

        remove_second_factors()
        assert has_factor(person)

        decide(boss(), "confirm")
        assert not has_factor(person)

    def test_every_session_of_the_user_ends(
        self, api: APIClient, person: User, staff: User, delivered: Deliver
    ) -> None:
        factor: Factor = give_factor(person)
        tokens: Tokens = sign_in(api, person, otp=factor.code())
        browser = admin_of(User.objects.get(pk=person.pk))
        User.objects.filter(pk=person.pk).update(is_staff=True)
        assert browser.get("/admin/").status_code == 200
        request_removal(staff, person)

        decide(boss(), "confirm")

        assert use_access(api, tokens) == 401
        assert browser.get("/admin/").status_code == 302

    def test_a_factor_that_was_set_up_since_stays(
        self, requested: str, person: User, staff: User, time_machine: TimeMachineFixture
    ) -> None:
        time_machine.shift(60)
        User.objects.filter(pk=person.pk).update(second_factor_at=NOON + dt.timedelta(seconds=60))
        time_machine.shift(DAY)

        remove_second_factors()

        assert (has_factor(person), outcome()) == (True, "obsolete")
        assert "waits for 24 hours" in request_removal(staff, person)[0]


class TestStop:
    def test_the_link_of_the_mail_stops_it_for_good(
        self, requested: str, api: APIClient, person: User, time_machine: TimeMachineFixture
    ) -> None:
        assert api.post(STOP, {"token": requested}).status_code == 200
        time_machine.shift(2 * DAY)
        remove_second_factors()

        assert (has_factor(person), outcome()) == (True, "stopped")
        event = AuditLog.objects.get(event_type="second_factor_removal_stopped")
        assert (event.user, event.risk_level) == (person, "high")
        assert "over already" in decide(boss(), "confirm")[0]
        assert api.post(STOP, {"token": requested}).status_code == 400

    def test_the_page_stops_it_by_its_button_and_not_by_opening(
        self, requested: str, visitor: Client, person: User
    ) -> None:
        form = hidden_fields(visitor.get(PAGE, {"token": requested}))
        assert outcome() == ""

        sent = [
            visitor.post(PAGE, form, headers={"Origin": "http://testserver"}, follow=True)
            for _ in range(2)
        ]

        assert outcome() == "stopped"
        for page in sent:
            assert page.redirect_chain[0][1] == 303
            assert "Your two-step sign-in stays on" in page.content.decode()

    def test_a_link_that_comes_too_late_says_so(
        self, requested: str, api: APIClient, person: User
    ) -> None:
        decide(boss(), "confirm")

        assert_problem(api.post(STOP, {"token": requested}), 400, "token_invalid")

    def test_the_users_own_removal_leaves_nothing_to_remove(
        self, api: APIClient, staff: User, person: User, delivered: Deliver
    ) -> None:
        factor = give_factor(person)
        tokens = sign_in(api, person, otp=factor.code())
        request_removal(staff, person)
        assert post_as(api, tokens, f"{API}/2fa/disable/").status_code == 200

        decide(boss(), "confirm")

        assert outcome() == "obsolete"
        assert AuditLog.objects.filter(event_type="second_factor_disabled").count() == 1
        assert use_access(api, tokens) == 200
