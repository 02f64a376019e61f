"""What an owner with her mailbox does, and what must be left of a thief after it."""

import base64
from typing import Any

from django.utils import timezone

from authentication.tests.conftest import API
from authentication.tests.factories import Factor

from .machine import pick
from .others import Squatters, Staff, holder_of
from .people import Link
from .remains import Remains
from .stage import REMEDIES

PAUSES = (1, 11, 61, 16 * 60, 61 * 60, 6 * 60 * 60, 86_400)
# The owner reads her mail within the seven days of its links.
LONGEST = 5 * 86_400


class Owners(Remains, Squatters, Staff):
    """The owner's acts, and her remedies."""

    def time_passes(self, number: int) -> None:
        pause = PAUSES[number % len(PAUSES)]
        if self.waited + pause <= LONGEST:
            self.waited += pause
            self.clock.shift(pause)

    def owner_signs_in(self, number: int) -> None:
        if not self.owner.is_in:
            return
        extra = {"otp": self.fresh_code(self.owner.factor)} if self.owner.factor else {}
        answer = self.sign_in(self.owner.password, self.owner.device_id, **extra)
        if answer.status_code == 200:
            self.owner.tokens = answer.json()
            self.owner.device_id = self.owner.tokens["device_id"]

    def owner_refreshes(self, number: int) -> None:
        if self.owner.tokens:
            body = {"refresh": self.owner.tokens["refresh"]}
            answer = self.send("post", f"{API}/token/refresh/", body)
            self.owner.tokens = {**self.owner.tokens, **answer.json()}
            if answer.status_code != 200:
                self.owner.tokens = {}

    def owner_enrols_a_factor(self, number: int) -> None:
        if self.thief.acts or self.owner.factor or not self.owner.tokens:
            return
        hers, proof = self.owner.tokens, {"password": self.owner.password}
        self.send("post", f"{API}/reauthenticate/", proof, hers)
        offer = self.send("post", f"{API}/2fa/totp/setup/", proof, hers)
        if offer.status_code == 200:
            factor = Factor(base64.b32decode(offer.json()["secret"]), [])
            body = {"otp": self.fresh_code(factor)}
            if self.send("post", f"{API}/2fa/totp/confirm/", body, hers).status_code == 200:
                self.owner.factor = factor
                self.mailboxes.fetch()
                self.owner.links = self.mailboxes.links(self.owner.address)[-1:]
                self.clock.shift(1)
                self.clean_since = timezone.now()

    def owner_opens_a_link(self, number: int) -> None:
        """Open a single link, however late, and choose a password only later."""
        self.mailboxes.fetch()
        links = self.mailboxes.links(self.owner.address)
        theirs = [it for it in links if it.page in REMEDIES and it not in self.owner.links]
        link = pick(theirs, number)
        if link:
            self.open_hers(link)

    def owner_disowns_in_the_list(self, number: int) -> None:
        """Tell the service, in a session of her own, that another sign-in was not her."""
        if not self.owner.tokens:
            return
        url = f"{API}/account/activity/"
        answer = self.send("get", url, None, self.owner.tokens)
        if answer.status_code == 200:
            theirs = [it for it in answer.json()["events"] if not it["is_current"]]
            if event := pick([it for it in theirs if it["event"] == "login"], number):
                disown = f"{url}{event['id']}/disown/"
                self.send("post", disown, None, self.owner.tokens)

    def owner_ends_the_other_sessions(self, number: int) -> None:
        if self.owner.tokens:
            self.send("post", f"{API}/sessions/terminate-all/", None, self.owner.tokens)

    def owner_follows_her_mails(self, number: int) -> None:
        if self.follow(number):
            self.assert_nothing_of_the_thief_is_left()
            self.settle()

    def follow(self, number: int) -> bool:
        """Do what the mails say that came since all was hers; return False if none did.

        Open every link that takes something back or stops something, then choose a password.
        """
        self.mailboxes.fetch()
        if not self.owner.is_in:
            self.claim(number)
            return True
        if not self.thief.acts or not self.is_warned():
            return False
        if number % 4 == 0 and self.user().email == self.owner.address:
            self.choose_a_password(self.reset_token())
            self.assert_no_move_is_pending()
            self.assert_the_sessions_are_over()
            self.assert_the_devices_are_hers()
        token = self.open_the_remedies(number)
        self.choose_a_password(token or self.reset_token())
        return True

    def is_warned(self) -> bool:
        return self.mailboxes.has_mail(self.owner.address, since=self.clean_since)

    def open_the_remedies(self, number: int) -> str:
        """Open the links; return the token of the last one that leads to a new password."""
        hers = self.mailboxes.links(self.owner.address)
        links = [it for it in hers if it.page in REMEDIES and it.arrived_at >= self.clean_since]
        token = ""
        for link in links if number % 2 else reversed(links):
            token = self.open_hers(link).get("reset_token", token)
        return token

    def open_hers(self, link: Link) -> Any:
        was_first = self.is_about_the_first_sign_in(link)
        answer = self.open(link, self.owner.device_id)
        if answer.status_code == 200:
            self.assert_the_remedy_worked(link, was_first=was_first)
        return answer.json()

    def choose_a_password(self, token: str) -> None:
        self.owner.password = self.next_password()
        link = Link("reset-password", token, timezone.now())
        answer = self.open(link, self.owner.device_id, new_password=self.owner.password)
        assert answer.status_code == 200, answer.content
        self.owner.device_id = answer.json()["device_id"]

    def reset_token(self) -> str:
        """Ask for a link to choose a new password, when its mail is not over the limit."""
        self.clock.shift(3601)
        self.send("post", f"{API}/password/reset/", {"email": self.owner.address})
        return self.newest("reset-password")

    def newest(self, page: str) -> str:
        self.mailboxes.fetch()
        links = self.mailboxes.links(self.owner.address, page=page)
        return links[-1].token if links else ""

    def claim(self, number: int) -> None:
        """Get an address that is squatted, by a registration or by a reset, as a new member does.

        If the account was moved away from her address, the mail about it brings it back. It may
        have left another one there, for those who registered the address again.
        """
        self.clock.shift(3601)
        if token := self.open_the_remedies(number):
            self.choose_a_password(token)
        found = holder_of(self.owner.address)
        if found is None or not found.email_verified:
            if found and number % 3 == 0:
                self.choose_a_password(self.reset_token())
            else:
                self.prove_the_address()
        account = holder_of(self.owner.address)
        assert account, "The owner has no account."
        assert account.email_verified
        # The names of a squatter are gone with a contested account; a name is public.
        self.pk, self.owner.username, self.owner.is_in = account.pk, account.username, True

    def prove_the_address(self) -> None:
        """Register, open the link, and choose a password if a mail says that none is hers."""
        self.owner.password = self.next_password()
        self.register(self.owner.address, self.owner.password)
        answer = self.open(Link("verify-email", self.newest("verify-email"), timezone.now()))
        assert answer.status_code == 200, answer.content
        account = holder_of(self.owner.address)
        if account is None or not account.check_password(self.owner.password):
            self.choose_a_password(self.newest("reset-password"))

    def settle(self) -> None:
        """Begin the next theft: all is the owner's, and the hour of the mails' limit is over."""
        self.clock.shift(3601)
        self.clean_since, self.waited, self.acts = timezone.now(), 0, 0
        self.thief.former += self.thief.sessions
        self.thief.sessions, self.thief.passwords, self.thief.acts = [], [], []
        self.thief.factor, self.thief.has_stolen, self.owner.tokens = None, False, {}
        self.owner_signs_in(0)
        assert self.owner.tokens, "The owner cannot sign in."


OWNER = (
    *("time_passes", "time_passes", "time_passes", "owner_signs_in", "owner_signs_in"),
    *("owner_refreshes", "owner_enrols_a_factor", "owner_opens_a_link", "owner_opens_a_link"),
    *("owner_disowns_in_the_list", "owner_ends_the_other_sessions"),
    *("owner_follows_her_mails", "steal_again"),
)
