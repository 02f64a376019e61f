"""What a thief can do who has stolen a session or the password."""

import base64
from typing import Any

from authentication.models import AccountExport
from authentication.services import ExportService
from authentication.tests.conftest import API, ME
from authentication.tests.factories import Factor

from .machine import pick
from .people import Link
from .stage import PAGES, Stage


class Thieves(Stage):
    """The acts of a thief. Each does nothing if the thief lacks what it needs."""

    def act(self, method: str, url: str, body: Any = None) -> Any:
        """Send a request with the thief's newest session; sign in and prove if it takes that.

        Returns None without a session.
        """
        answer = self.request(method, url, body)
        if answer is None or answer.status_code == 401:
            self.thief_signs_in(self.next_turn())
            answer = self.request(method, url, body)
        if answer is not None and answer.status_code == 403:
            self.thief_proves(self.next_turn())
            answer = self.request(method, url, body)
        return answer

    def request(self, method: str, url: str, body: Any = None) -> Any:
        stolen = self.thief.newest()
        if stolen is None:
            return None
        answer = self.send(method, url, body, stolen)
        if answer.status_code < 300 and method != "get":
            self.thief.acts.append(url)
        return answer

    def next_turn(self) -> int:
        self.turns += 1
        return self.turns

    def enter(self, answer: Any) -> None:
        """Keep the tokens of an answer."""
        if answer.status_code == 200:
            self.thief.sessions.append(answer.json())
            self.thief.device_id = answer.json().get("device_id", self.thief.device_id)
            self.thief.acts.append("login")

    def steal_the_session(self, number: int) -> None:
        if self.owner.tokens:
            self.thief.sessions.append(dict(self.owner.tokens))
            self.thief.has_stolen = True

    def learn_the_password(self, number: int) -> None:
        self.thief.passwords.append(self.owner.password)

    def thief_signs_in(self, number: int) -> None:
        if not self.thief.passwords:
            return
        extra: dict[str, Any] = {"restore": True} if number % 2 else {}
        if code := self.code_for(number):
            extra["otp"] = code
        device_id = self.thief.device_id if number % 3 else ""
        answer = self.sign_in(self.thief.password(), device_id, **extra)
        self.enter(answer)
        if token := answer.json().get("mfa_token"):
            self.thief.challenges.append(token)

    def code_for(self, number: int) -> str:
        """Return a code of the thief's factor, or one that the owner was talked into telling."""
        if self.thief.codes and number % 3 == 0:
            return self.thief.codes[-1]
        if self.thief.factor:
            return self.thief.factor.code()
        return self.fresh_code(self.owner.factor) if self.owner.factor and number % 4 else ""

    def thief_finishes_a_sign_in(self, number: int) -> None:
        if self.thief.challenges:
            body = {"mfa_token": pick(self.thief.challenges, number), "otp": self.code_for(number)}
            self.enter(self.send("post", f"{API}/2fa/verify/", body))

    def thief_proves(self, number: int) -> None:
        body = {"password": self.thief.password(), "otp": self.code_for(number)}
        given = {name: it for name, it in body.items() if it}
        self.request("post", f"{API}/reauthenticate/", given)

    def thief_refreshes(self, number: int) -> None:
        if stolen := pick(self.thief.sessions, number):
            answer = self.send("post", f"{API}/token/refresh/", {"refresh": stolen["refresh"]})
            if answer.status_code == 200:
                self.thief.sessions.append(answer.json())

    def thief_moves_the_address(self, number: int) -> None:
        address = self.thief.addresses[number % len(self.thief.addresses)]
        answer = self.act("post", f"{API}/account/email/", {"email": address})
        if answer is not None and answer.status_code == 200 and number % 3:
            self.mailboxes.fetch()
            if links := self.mailboxes.links(address, page="confirm-email"):
                self.open(links[-1])

    def thief_gives_the_move_up(self, number: int) -> None:
        self.act("delete", f"{API}/account/email/")

    def thief_opens_a_link(self, number: int) -> None:
        """Open a link in the thief's mailboxes; choose a password and sign in where it leads."""
        self.mailboxes.fetch()
        links = [it for it in self.thiefs_links() if it.page in PAGES]
        new_ones = [it for it in links if it not in self.opened]
        link = pick(new_ones if number % 4 else links, number)
        if link is None:
            return
        self.opened.add(link)
        is_of_another, new = self.is_of_another(link), self.next_password()
        extra = {"new_password": new} if link.page == "reset-password" else {}
        answer = self.open(link, **extra)
        if answer.status_code != 200 or is_of_another:
            return
        self.thief.acts.append(link.page)
        if extra:
            self.thief.passwords.append(new)
        if reset := answer.json().get("reset_token"):
            body = {"token": reset, "new_password": new}
            if self.send("post", PAGES["reset-password"], body).status_code == 200:
                self.thief.passwords.append(new)
        if exchange := answer.json().get("exchange_token"):
            self.thief.exchanges.append(exchange)

    def thiefs_links(self) -> list[Any]:
        return self.mailboxes.links(*self.thief.addresses)

    def thief_trades_a_token(self, number: int) -> None:
        if token := pick(self.thief.exchanges, number):
            self.enter(self.send("post", f"{API}/exchange-token/", {"exchange_token": token}))

    def thief_asks_for_a_reset(self, number: int) -> None:
        self.send("post", f"{API}/password/reset/", {"email": self.user().email})

    def thief_changes_the_password(self, number: int) -> None:
        new = self.next_password()
        body = {"old_password": self.thief.password() or "none", "new_password": new}
        answer = self.act("post", f"{API}/password/change/", body)
        if answer is not None and answer.status_code == 200:
            self.thief.passwords.append(new)
            self.enter(answer)

    def thief_offers_a_factor(self, number: int) -> Factor | None:
        body = {"password": self.thief.password() or "none"}
        answer = self.act("post", f"{API}/2fa/totp/setup/", body)
        if answer is None or answer.status_code != 200:
            return None
        return Factor(base64.b32decode(answer.json()["secret"]), [])

    def thief_enrols_a_factor(self, number: int) -> None:
        if factor := self.thief_offers_a_factor(number):
            body = {"otp": self.fresh_code(factor)}
            answer = self.act("post", f"{API}/2fa/totp/confirm/", body)
            if answer.status_code == 200:
                self.thief.factor = factor
                self.thief.codes += answer.json()["recovery_codes"]

    def thief_disables_the_factor(self, number: int) -> None:
        answer = self.act("post", f"{API}/2fa/disable/")
        if answer is not None and answer.status_code == 200:
            self.thief.factor = None

    def thief_renews_the_codes(self, number: int) -> None:
        answer = self.act("post", f"{API}/2fa/recovery-codes/")
        if answer is not None and answer.status_code == 200:
            self.thief.codes += answer.json()["recovery_codes"]

    def thief_changes_the_names(self, number: int) -> None:
        body = {"username": f"thief{number}"} if number % 3 else {"display_name": "Call 0190"}
        self.act("patch", ME, body)

    def thief_stops_the_notices(self, number: int) -> None:
        links = [it for it in self.thiefs_links() if it.page == "unsubscribe"]
        if number % 3 == 0 and links:
            self.unsubscribe(links[-1].token)
        else:
            self.act("put", f"{API}/account/notices/", {"notices": number % 5 == 0})

    def unsubscribe(self, token: str) -> None:
        self.send("post", f"/account/unsubscribe/?token={token}")

    def thief_consents(self, number: int) -> None:
        self.act("post", f"{API}/account/consents/", {"terms_accepted": True})

    def thief_asks_for_deletion(self, number: int) -> None:
        self.act("post", f"{API}/account/delete/")

    def thief_asks_for_an_export(self, number: int) -> None:
        answer = self.act("post", f"{API}/account/export/")
        if answer is not None and answer.status_code == 202:
            ExportService.build(AccountExport.objects.get(user=self.pk).pk)

    def thief_downloads(self, number: int) -> None:
        for link in self.thiefs_links():
            if link.page == "download-export":
                self.act("post", f"{API}/account/export/download/", {"token": link.token})
                self.download_by_mail(link, self.code_for(number))

    def download_by_mail(self, link: Link, code: str = "") -> Any:
        """Download on the page that a mail leads to, with the password and a code."""
        body = {"token": link.token, "password": self.thief.password(), "otp": code}
        self.tried.add(self.user().email)
        return self.send("post", "/account/download-export/", body)

    def thief_ends_a_session(self, number: int) -> None:
        if found := pick(self.listed(f"{API}/sessions/", "sessions"), number):
            self.act("delete", f"{API}/sessions/{found['id']}/")

    def thief_ends_the_other_sessions(self, number: int) -> None:
        self.act("post", f"{API}/sessions/terminate-all/")

    def thief_signs_out(self, number: int) -> None:
        self.act("post", f"{API}/logout/")

    def thief_disowns_a_device(self, number: int) -> None:
        if event := pick(self.listed(f"{API}/account/activity/", "events"), number):
            self.act("post", f"{API}/account/activity/{event['id']}/disown/")

    def listed(self, url: str, name: str) -> list[dict[str, Any]]:
        answer = self.act("get", url)
        found: list[dict[str, Any]] = answer.json().get(name, []) if answer is not None else []
        return found


THEFTS = ("steal_the_session", "learn_the_password", "learn_the_password")
THIEVES = (
    *("thief_signs_in", "thief_signs_in", "thief_signs_in", "thief_finishes_a_sign_in"),
    *("thief_proves", "thief_proves", "thief_proves", "thief_refreshes", "thief_trades_a_token"),
    *("thief_moves_the_address", "thief_moves_the_address", "thief_moves_the_address"),
    *("thief_opens_a_link", "thief_opens_a_link", "thief_opens_a_link", "thief_opens_a_link"),
    *("thief_gives_the_move_up", "thief_asks_for_a_reset", "thief_changes_the_password"),
    *("thief_offers_a_factor", "thief_enrols_a_factor", "thief_enrols_a_factor"),
    *("thief_disables_the_factor", "thief_renews_the_codes", "thief_changes_the_names"),
    *("thief_changes_the_names", "thief_stops_the_notices", "thief_stops_the_notices"),
    *("thief_consents", "thief_asks_for_deletion", "thief_asks_for_deletion"),
    *("thief_asks_for_an_export", "thief_downloads", "thief_ends_a_session"),
    *("thief_ends_the_other_sessions", "thief_signs_out", "thief_disowns_a_device"),
)
"""The acts of a thief; those listed more often are played more often."""
