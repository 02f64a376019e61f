"""Steps of the state machine."""

from typing import Any

from django.core import mail

from authentication.tests.clients import WRONG_PASSWORD
from authentication.tests.conftest import ME, bearer, deliver_due, token_in

from .life import DAY, LEEWAY, Link, Pair, Person
from .machine import MINUTES, ServiceMachine, pick

PAGES = {"verify": "/verify-email/?token=", "reset": "/reset-password/?token="}
LINK_LIVES = {"verify": DAY, "reset": 60 * MINUTES}


class MailActs(ServiceMachine):
    """Registration, and what mailed links do."""

    def register(self, _: int) -> None:
        if len(self.people) == 2:
            return
        person = Person(f"person{len(self.people)}@example.org", [self.new_password()])

        self.expect(
            self.post("register", {"email": person.email, "password": person.password}),
            201,
            "registration",
        )

        self.people.append(person)

    def register_again(self, number: int) -> None:
        person = self.person(number)
        is_same = number % 3 == 0
        password = person.password if is_same else self.new_password()

        body = {"email": person.email.upper(), "password": password}
        self.expect(self.post("register", body), 201, "registration_duplicate")

        person.contested |= not person.verified and not is_same

    def ask_for_a_new_password(self, number: int) -> None:
        self.expect(
            self.post("password/reset", {"email": self.person(number).email}),
            200,
            "password_reset_requested",
        )
        if number % 3:
            self.read_the_mail(0)

    def ask_for_the_link_again(self, number: int) -> None:
        self.expect(
            self.post("email/resend", {"email": self.person(number).email}), 200, "email_resend"
        )

    def read_the_mail(self, _: int) -> None:
        deliver_due()
        for message in mail.outbox:
            kind = next((it for it, page in PAGES.items() if page in str(message.body)), None)
            # The link about an unknown device is not part of the model.
            if kind:
                person = next(it for it in self.people if it.email == message.to[0])
                for older in person.links[kind]:
                    older.void = True
                person.links[kind].append(
                    Link(person, token_in(message), self.now + LINK_LIVES[kind])
                )
        mail.outbox.clear()

    def verify(self, number: int) -> None:
        link = pick(self.links("verify"), number)
        if link is None:
            return
        live = link.is_live(self.now)

        answer = self.post("email/verify", {"token": link.token})

        if not live:
            self.expect(answer, 400, "email_verification_failed")
            return
        token = self.expect(answer, 200, "email_verified")["exchange_token"]
        link.uses += 1
        link.owner.prove_address()
        link.owner.links["exchange"].append(Link(link.owner, token, self.now + MINUTES))

    def exchange(self, number: int) -> None:
        link, now = pick(self.links("exchange"), number), self.now
        if link is None:
            return
        live = link.is_live(now)

        answer = self.post("exchange-token", {"exchange_token": link.token})

        if live:
            link.gave = self.open_session(link.owner, self.expect(answer, 200, "token_exchange"))
            link.uses, link.spent_at = 1, now
            return
        self.expect(answer, 400, "token_exchange_failed")
        if (
            link.gave
            and link.spent_at
            and now < link.spent_at + 10 * MINUTES
            and not link.gave.ended
        ):
            link.gave.ended = True
            self.events["exchange_replayed"] += 1


class SignInActs(ServiceMachine):
    """Signing in with right and wrong passwords."""

    def log_in(self, number: int) -> None:
        person, remember = self.person(number // 2), bool(number % 2)
        body = {"email": person.email, "password": person.password, "remember_me": remember}

        answer = self.try_password(person, body)

        if answer is None:
            return
        if not person.verified:
            assert self.expect(answer, 403, "login_failed")["code"] == "email_not_verified"
        else:
            self.open_session(person, self.expect(answer, 200, "login"), remember=remember)

    def guess(self, number: int) -> None:
        person = self.person(number)

        answer = self.try_password(person, {"email": person.email, "password": WRONG_PASSWORD})

        assert answer is None

    def try_password(self, person: Person, body: dict[str, Any]) -> Any:
        """Sign in from an unknown device; return the answer if the password was compared and right.

        The name is counted first. An account that is locked under a name with room hashes only.
        """
        now, name, account = self.now, person.name, person.account
        answer = self.post("login", body)

        if name.is_locked(now):
            self.expect_locked(answer)
            return None
        name_locks = name.reserve(now)
        is_compared = not account.is_locked(now)
        if is_compared:
            account.reserve(now)
        if is_compared and person.passwords and body["password"] == person.password:
            account.clear()
            name.release(now, lock=name_locks)
            return answer
        self.expect(answer, 401, "login_failed")
        # A lock of the account alone is reported by schedule.
        self.events["account_locked"] += name_locks
        return None

    def expect_locked(self, answer: Any) -> None:
        assert self.expect(answer, 403)["code"] == "account_locked"
        self.events["login_failed"] += self.refusals.is_recorded(self.now)

    def guess_until_locked(self, number: int) -> None:
        for _ in range(5):
            self.guess(number)


class TokenActs(ServiceMachine):
    """Using, replaying and ending tokens."""

    def refresh(self, number: int) -> None:
        session, now = pick(self.sessions, number), self.now
        live = session.is_live(now)

        answer = self.post("token/refresh", {"refresh": session.pairs[-1].refresh})

        if not live:
            self.expect(answer, 401)
            return
        body = self.expect(answer, 200)
        is_first = len(session.pairs) == 1
        self.events["token_refresh"] += is_first or now.date() > session.rotated_at.date()
        assert body["refresh"] != session.pairs[-1].refresh
        expires_at = session.next_expiry(now)
        access = {body["access"]: min(now + 15 * MINUTES, expires_at)}
        session.pairs.append(Pair(body["refresh"], expires_at, access))
        session.rotated_at, session.successor_seen = now, False

    def replay(self, number: int) -> None:
        session = pick([session for session in self.sessions if len(session.pairs) > 1], number)
        if session is None:
            return
        pair, now = (
            session.pairs[-3 if number % 5 == 0 and len(session.pairs) > 2 else -2],
            self.now,
        )
        live, expired = session.is_live(now), pair.expires_at + LEEWAY <= now
        forgiven = live and session.is_in_grace(pair, now)

        answer = self.post("token/refresh", {"refresh": pair.refresh})

        if forgiven:
            body = self.expect(answer, 200)
            assert body["refresh"] == session.pairs[-1].refresh
            session.pairs[-1].access[body["access"]] = min(now + 15 * MINUTES, session.expires_at)
            return
        self.expect(answer, 401)
        if live and not expired:
            session.ended = True
            self.events["token_reuse_detected"] += 1

    def use_the_access_token(self, number: int) -> None:
        session, now = pick(self.sessions, number), self.now
        pair = session.pairs[-2 if number % 5 == 0 and len(session.pairs) > 1 else -1]
        access, expires_at = list(pair.access.items())[-1]
        works = session.is_live(now) and expires_at + LEEWAY > now

        answer = self.api.get(ME, headers=bearer(access))

        self.expect(answer, 200 if works else 401)
        if works and pair is session.pairs[-1]:
            session.successor_seen = True

    def log_out(self, number: int) -> None:
        session = pick(self.sessions, number)
        pair, live = session.pairs[-1], session.is_live(self.now)

        answer = self.post("logout", {"refresh": pair.refresh}, next(iter(pair.access)))

        self.expect(answer, 200 if live else 401, *(["logout"] if live else []))
        session.ended |= live


class PasswordActs(SignInActs):
    """Changing and resetting the password."""

    def change_the_password(self, number: int) -> None:
        session, now = pick(self.sessions, number), self.now
        person, pair, knows, again = (
            session.owner,
            session.pairs[-1],
            number % 5 > 0 and bool(session.owner.passwords),
            number % 7 == 0 and bool(session.owner.passwords),
        )
        access, expires_at = list(pair.access.items())[-1]
        password = pick(person.passwords[-5:], number) if again else self.new_password()
        body = {
            "old_password": person.password if knows else WRONG_PASSWORD,
            "new_password": password,
        }

        answer = self.post("password/change", body, access)

        if not session.is_live(now) or expires_at + LEEWAY <= now:
            self.expect(answer, 401)
            return
        session.successor_seen = True
        if session.device.is_locked(now):
            self.expect_locked(answer)
            return
        locks = session.device.reserve(now)
        if not knows:
            self.expect(answer, 400, "login_failed")
            self.events["account_locked"] += locks
            return
        session.device.clear()
        if again:
            self.expect(answer, 400)
            return
        person.change_password(password)
        renewed = self.expect(answer, 200, "password_change", "session_renewed")
        remember = session.lifetime > 7 * DAY
        self.open_session(person, renewed, remember=remember, device=session.device)

    def reset_the_password(self, number: int) -> None:
        link, password = pick(self.links("reset"), number), self.new_password()
        if link is None:
            return
        live = link.is_live(self.now)

        answer = self.post(
            "password/reset/confirm", {"token": link.token, "new_password": password}
        )

        if not live:
            self.expect(answer, 400, "password_reset_failed")
            return
        self.expect(answer, 200, "password_reset")
        link.uses += 1
        link.owner.prove_address()
        link.owner.change_password(password)
