"""Many accounts tried from one address, and many addresses for one account.

Both are found in the newest events of an hour, which two statements read: 20,000 at most of failed
sign-ins, and of sign-ins. So it takes no counter in a request.
"""

import collections
import contextlib
import datetime as dt
import uuid
from typing import Any

from authentication.models import AuditLog, User
from authentication.services.acting import locked_account
from authentication.services.audit import Event, Risk, record
from authentication.utils.client import ClientInfo, network_key, parse_ip

_HOUR = dt.timedelta(hours=1)
_REPORTED_ONCE_IN = dt.timedelta(days=1)
_READ = 20_000
# All are read, so that none is repeated.
_REPORTS_A_DAY = 1_000
# An address has 25 attempts an hour on unknown devices (RATELIMIT_LOGIN).
MANY_NAMES = 20
MANY_NETWORKS = 10
# Other reasons are of a right password.
_WRONG = {"credentials", "locked"}


class Crowds:
    """What an hour's sign-ins have in common."""

    def __init__(self, *, at: dt.datetime) -> None:
        self._at = at
        # By network: its newest address, who signed in there, and there on a new device.
        self._addresses: dict[str, str] = {}
        self._entered: dict[str, set[uuid.UUID]] = collections.defaultdict(set)
        self._entered_anew: dict[str, set[uuid.UUID]] = collections.defaultdict(set)
        # By network: the accounts and the names without one that failed on unknown devices.
        self._failed: dict[str, set[uuid.UUID | str]] = collections.defaultdict(set)
        # By account: the networks of unknown devices.
        self._networks: dict[uuid.UUID, set[str]] = collections.defaultdict(set)
        self._read_sign_ins()
        self._read_failures()

    def tried(self) -> dict[str, int]:
        """Return the addresses from which many accounts and names failed, and how many did.

        An account is not counted that signed in from the same network. Where as many
        people sign in as fail, as in a hall, the failures are theirs.
        """
        found = {}
        for network, failed in self._failed.items():
            entered = self._entered[network]
            count = len(failed - entered)
            if count >= MANY_NAMES and count > len(entered):
                found[self._addresses[network]] = count
        return found

    def entered_anew(self, address: str) -> int:
        """Return how many accounts signed in on a new device from an address's network."""
        return len(self._entered_anew[network_key(parse_ip(address))])

    def spread(self) -> dict[uuid.UUID, int]:
        """Return the accounts that unknown devices of many networks tried, and of how many."""
        return {
            user_id: len(networks)
            for user_id, networks in self._networks.items()
            if len(networks) >= MANY_NETWORKS
        }

    def _read_sign_ins(self) -> None:
        for address, user_id, facts in self._newest(Event.LOGIN):
            network = self._network_of(address)
            self._entered[network].add(user_id)
            if facts.get("new_device"):
                self._entered_anew[network].add(user_id)
                self._networks[user_id].add(network)

    def _read_failures(self) -> None:
        for address, user_id, facts in self._newest(Event.LOGIN_FAILED):
            if facts.get("reason") not in _WRONG or facts.get("known_device"):
                continue
            network = self._network_of(address)
            self._failed[network].add(user_id or str(facts.get("name")))
            if user_id:
                self._networks[user_id].add(network)

    def _newest(self, event_type: str) -> Any:
        events = AuditLog.objects.filter(
            event_type=event_type,
            timestamp__gt=self._at - _HOUR,
            timestamp__lte=self._at,
            ip_address__isnull=False,
        )
        newest = events.order_by("-timestamp")
        return newest.values_list("ip_address", "user_id", "metadata")[:_READ]

    def _network_of(self, address: str) -> str:
        network = network_key(parse_ip(address))
        self._addresses.setdefault(network, address)
        return network


def report_crowds(*, at: dt.datetime) -> None:
    """Report crowds of the last hour, each once a day. Call it while no other worker does."""
    crowds = Crowds(at=at)
    if tried := crowds.tried():
        _report_addresses(crowds, tried, at=at)
    for user_id, number in crowds.spread().items():
        _report_account(user_id, number, at=at)


def _report_addresses(crowds: Crowds, tried: dict[str, int], *, at: dt.datetime) -> None:
    reports = _reports(Event.MANY_ACCOUNTS_TRIED, at).order_by("-timestamp")
    reported = list(reports.values_list("ip_address", flat=True)[:_REPORTS_A_DAY])
    networks = {network_key(parse_ip(it or "")) for it in reported}
    new = [it for it in tried if network_key(parse_ip(it)) not in networks]
    for address in new[: _REPORTS_A_DAY - len(reported)]:
        record(
            Event.MANY_ACCOUNTS_TRIED,
            user_id=None,
            client=ClientInfo(address),
            risk=Risk.HIGH,
            success=False,
            names=tried[address],
            entered_on_new_devices=crowds.entered_anew(address),
        )


def _report_account(user_id: uuid.UUID, number: int, *, at: dt.datetime) -> None:
    with contextlib.suppress(User.DoesNotExist), locked_account(user_id):
        if not _reports(Event.MANY_ADDRESSES, at).filter(user_id=user_id).exists():
            record(
                Event.MANY_ADDRESSES,
                user_id=user_id,
                client=ClientInfo(),
                risk=Risk.HIGH,
                networks=number,
            )


def _reports(event_type: str, at: dt.datetime) -> Any:
    since = at - _REPORTED_ONCE_IN
    return AuditLog.objects.filter(event_type=event_type, timestamp__gt=since)
