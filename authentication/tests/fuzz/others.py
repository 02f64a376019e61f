"""What squatters, a second person and staff do beside."""

import contextlib
from collections.abc import Callable
from typing import Any

from authentication.exceptions import PermissionRefused
from authentication.models import User
from authentication.services import SecondFactorRemovalService
from authentication.services.acted_by import ActedBy
from authentication.services.administration import AdministrationService
from authentication.tests.conftest import API

from .stage import Stage

SQUATTERS = "Squatter-Horse-9"
STRANGERS = "Stranger-Vine-12"


class Squatters(Stage):
    """A person who registers an address that is not theirs."""

    def register(self, address: str, password: str, **extra: Any) -> None:
        body = {"email": address, "password": password, **extra}
        answer = self.send("post", f"{API}/register/", body)
        assert answer.status_code in {201, 400}, answer.content
        assert answer.status_code == 201 or extra, answer.content

    def squatter_registers(self, number: int) -> None:
        """Register the owner's address, with the same password as before or another."""
        password = self.next_password() if number % 3 == 0 else SQUATTERS
        names = {"first_name": "Call 0190", "terms_accepted": True} if number % 2 else {}
        self.register(self.owner.address, password, **names)

    def squatter_takes_the_username(self, number: int) -> None:
        """Register with the owner's name, which is taken or held whatever the thief did."""
        self.count += 1
        body = {"email": f"x{self.count}@thief.example", "password": SQUATTERS}
        answer = self.send("post", f"{API}/register/", {**body, "username": self.owner.username})
        assert answer.status_code == 400, answer.content

    def squatter_corrects_the_address(self, number: int) -> None:
        """Move an unproven account to another address: from the owner's, or to it."""
        mine, theirs = self.thief.addresses[number % 2], self.owner.address
        if number % 3 == 0:
            self.register(mine, SQUATTERS)
        here, there = (mine, theirs) if number % 3 == 0 else (theirs, mine)
        body = {"identifier": here, "password": SQUATTERS, "new_email": there}
        if self.send("post", f"{API}/email/correct/", body).status_code != 200:
            self.tried.add(here)

    def squatter_asks_for_the_link(self, number: int) -> None:
        address = (self.owner.address, *self.thief.addresses)[number % 3]
        self.send("post", f"{API}/email/resend/", {"email": address})


class SecondPerson(Stage):
    """A stranger who asks about addresses."""

    def second_person_asks(self, number: int) -> None:
        """Send each public request about an address of the account, and about one that is free."""
        self.count += 1
        member = (self.owner.address, self.user().email, *self.thief.addresses)[number % 4]
        questions, is_counted = _QUESTIONS[number % len(_QUESTIONS)]
        # Failures are counted by name, so both names need to have had the same.
        if is_counted and member in self.tried:
            return
        free = f"twin-{member}" if is_counted else f"free{self.count}@example.org"
        for path, body in questions:
            answers = [
                self.send("post", f"{API}/{path}/", {**body, "email": address})
                for address in (member, free)
            ]
            assert _shape(answers[0]) == _shape(answers[1]), (path, member)


class Staff(Stage):
    """What staff do of their own accord, or because a thief has persuaded them."""

    def attempt(self, act: Callable[..., Any], target: Any, *, by: int = 0, why: str = "") -> Any:
        with contextlib.suppress(PermissionRefused):
            return act(target, by=ActedBy(self.staff[by], reason=why))

    def staff_unlock(self, number: int) -> None:
        self.attempt(AdministrationService.unlock, self.user())
        self.tried |= {self.user().email, f"twin-{self.user().email}"}

    def staff_end_the_sessions(self, number: int) -> None:
        self.attempt(AdministrationService.end_sessions, self.user())
        self.owner.tokens = {}

    def staff_disable_and_enable(self, number: int) -> None:
        for act in (AdministrationService.disable, AdministrationService.enable):
            self.attempt(act, self.user())
        self.owner.tokens = {}

    def staff_send_a_link(self, number: int) -> None:
        service = AdministrationService
        act = service.send_reset_link if number % 2 else service.resend_verification
        self.attempt(act, self.user())

    def staff_ask_for_a_removal(self, number: int) -> None:
        """Ask for the removal of the factor, as a thief on the telephone has them do."""
        why = "The phone was lost."
        if self.attempt(SecondFactorRemovalService.request, self.user(), why=why):
            self.thief.acts.append("removal")

    def staff_decide_on_a_removal(self, number: int) -> None:
        """Confirm the removal as a second member of staff, cancel it, or wait until it is due."""
        service, pending = SecondFactorRemovalService, SecondFactorRemovalService.pending
        removal = pending(self.user())
        if removal and number % 3:
            act = service.cancel if number % 3 == 1 else service.confirm
            self.attempt(act, removal, by=1)
        service.carry_out_due()


_QUESTIONS: tuple[tuple[tuple[tuple[str, dict[str, str]], ...], bool], ...] = (
    ((("register", {"password": STRANGERS}), ("email/resend", {})), False),
    ((("password/reset", {}),), False),
    ((("login", {"password": "Wrong-Horse-9"}),), True),
    ((("email/correct", {"password": "Wrong-Horse-9", "new_email": "x@example.org"}),), True),
)
_OWN = {"user_id", "email", "correlation_id"}

SQUATS = (
    *("squatter_registers", "squatter_corrects_the_address", "squatter_asks_for_the_link"),
    *("thief_moves_the_address", "squatter_corrects_the_address"),
)
OTHERS = (
    *("second_person_asks", "second_person_asks", "squatter_takes_the_username"),
    *("staff_unlock", "staff_end_the_sessions", "staff_disable_and_enable", "staff_send_a_link"),
    *("staff_ask_for_a_removal", "staff_ask_for_a_removal", "staff_decide_on_a_removal"),
)


def _shape(answer: Any) -> tuple[int, dict[str, Any]]:
    """Return an answer without the values that differ between any two requests."""
    body = answer.json()
    return answer.status_code, {name: body[name] for name in body if name not in _OWN}


def holder_of(address: str) -> User | None:
    """Return the account that has an address."""
    found: User | None = User.objects.filter(email=address).first()
    return found
