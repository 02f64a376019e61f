"""What the tests of unusual uses share."""

import datetime as dt
from typing import Any

from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, OutgoingEmail, User
from authentication.services.anomalies import AnomalyService
from authentication.tests.clients import Tokens, refreshed, sign_in

UNUSUAL = ("new_country", "impossible_travel", "many_accounts_tried", "many_addresses")


class Watch:
    """A clock and the task that looks for unusual uses."""

    def __init__(self, clock: TimeMachineFixture) -> None:
        self._clock = clock
        self.examine()

    def wait(self, **time: float) -> None:
        """Let time pass."""
        self._clock.shift(dt.timedelta(**time))

    def examine(self) -> None:
        """Run the task, three minutes after what happened."""
        self.wait(minutes=3)
        AnomalyService.examine(seconds=60)


def sign_in_at(api: APIClient, person: User, address: str, device: str = "") -> Tokens:
    """Sign in from an address, on a known device if its id is given."""
    api.defaults["REMOTE_ADDR"] = address
    return sign_in(api, person, headers={"X-Device-Id": device} if device else None)


def refresh_at(api: APIClient, tokens: Tokens, address: str) -> Tokens:
    """Refresh from an address."""
    api.defaults["REMOTE_ADDR"] = address
    return refreshed(api, tokens["refresh"])


def found() -> list[tuple[Any, ...]]:
    """Return the events about unusual uses: type, risk and address, the oldest first."""
    events = AuditLog.objects.filter(event_type__in=UNUSUAL).order_by("timestamp")
    return list(events.values_list("event_type", "risk_level", "ip_address"))


def mailed() -> list[str]:
    """Return the kinds of the mails that the places of people cause."""
    mails = OutgoingEmail.objects.filter(kind__in=("new_device", "new_country"))
    return list(mails.order_by("created_at").values_list("kind", flat=True))
