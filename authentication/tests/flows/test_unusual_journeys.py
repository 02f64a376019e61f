"""Uses of accounts at places too far apart for the time between."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from authentication.models import AuditLog, ExaminedUntil, User
from authentication.tests.clients import NOON, get_as, log_in
from authentication.tests.conftest import API, Deliver
from authentication.tests.places import (
    BERLIN,
    CHICAGO,
    LONDON,
    LOS_ANGELES,
    MUNICH,
    NEW_YORK,
)

from .unusual import Watch, found, mailed, refresh_at, sign_in_at

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db,
    pytest.mark.time_machine(NOON, tick=False),
    pytest.mark.usefixtures("places_file"),
]


class TestTravel:
    def test_an_impossible_one_is_reported_and_locks_nothing(
        self, api: APIClient, person: User, at_home: Any, watch: Watch, delivered: Deliver
    ) -> None:
        watch.wait(hours=1)
        tokens = refresh_at(api, at_home, NEW_YORK)
        watch.examine()

        assert found() == [("impossible_travel", "high", NEW_YORK)]
        facts = AuditLog.objects.get(event_type="impossible_travel").metadata
        # A minute more than an hour has passed, and three before.
        assert (facts["before"], facts["country"], facts["minutes"]) == ("DE", "US", 63)
        assert 6_200 < facts["kilometres"] < 6_300
        text = " ".join(str(delivered()[0].body).split())
        assert "The last use was too far away for a journey in the time between." in text
        assert "Before: Germany" in text
        assert get_as(api, tokens, f"{API}/sessions/").status_code == 200
        assert log_in(api, person).status_code == 200

    @pytest.mark.parametrize(
        ("address", "hours", "event"),
        [
            (LONDON, 1, "new_country"),
            (NEW_YORK, 7, "new_country"),
            (NEW_YORK, 6, "impossible_travel"),
        ],
    )
    def test_what_an_airliner_can_do_is_none(
        self, api: APIClient, at_home: Any, watch: Watch, address: str, hours: int, event: str
    ) -> None:
        watch.wait(hours=hours)
        refresh_at(api, at_home, address)
        watch.examine()

        assert [it[0] for it in found()] == [event]

    def test_near_places_are_none_however_fast(
        self, api: APIClient, person: User, at_home: Any, watch: Watch
    ) -> None:
        sign_in_at(api, person, MUNICH)
        watch.examine()

        assert found() == []

    @pytest.mark.parametrize(("address", "number"), [(CHICAGO, 0), (LOS_ANGELES, 1)])
    def test_within_a_country_only_far_ones_are_reported(
        self, api: APIClient, person: User, watch: Watch, address: str, number: int
    ) -> None:
        sign_in_at(api, person, NEW_YORK)
        watch.examine()
        sign_in_at(api, person, address)
        watch.examine()

        assert [it[0] for it in found()] == ["impossible_travel"] * number

    def test_a_vpn_that_is_turned_on_and_off_is_reported_once(
        self, api: APIClient, at_home: Any, watch: Watch
    ) -> None:
        tokens = at_home
        for address in (NEW_YORK, BERLIN) * 3:
            watch.wait(minutes=10)
            tokens = refresh_at(api, tokens, address)
            watch.examine()

        assert [it[0] for it in found()] == ["impossible_travel"]
        assert mailed() == ["new_country"]

    def test_a_new_device_far_away_is_reported_in_a_known_country_too(
        self, api: APIClient, person: User, at_home: Any, watch: Watch
    ) -> None:
        watch.wait(days=1)
        tokens = refresh_at(api, at_home, NEW_YORK)
        watch.examine()
        watch.wait(days=1)
        refresh_at(api, tokens, BERLIN)
        watch.examine()

        sign_in_at(api, person, NEW_YORK)
        watch.examine()

        assert [it[0] for it in found()] == ["new_country", "impossible_travel"]
        assert mailed() == ["new_country", "new_device"]
        # A worker that was taken for dead examines the same time again.
        ExaminedUntil.objects.update(moment=NOON)
        watch.examine()
        assert len(found()) == 2
