"""Any acts in any order, over HTTP: the service always agrees with a model of it."""

import collections

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule, run_state_machine_as_test
from pytest_django import Settings

from authentication.models import AuditLog, TokenBlacklist, User, UserSession
from authentication.tests.forging import claims_of
from vineyard_group_fellowship.settings.base import caches as local

from .acts import MailActs, PasswordActs, TokenActs
from .life import Session

PAUSES = (
    1,
    1,
    1,
    9,
    9,
    11,
    11,
    61,
    6 * 60,
    16 * 60,
    31 * 60,
    61 * 60,
    86_401,
    3 * 86_400,
    8 * 86_400,
)
# Acts that are listed more often run more often.
ACTS = (
    *(
        "time_passes",
        "time_passes",
        "time_passes",
        "refresh",
        "refresh",
        "refresh",
        "replay",
        "replay",
        "replay",
        "replay",
    ),
    *(
        "use_the_access_token",
        "use_the_access_token",
        "use_the_access_token",
        "log_in",
        "log_in",
        "guess",
        "guess_until_locked",
        "log_out",
    ),
    *(
        "change_the_password",
        "ask_for_a_new_password",
        "ask_for_a_new_password",
        "reset_the_password",
    ),
    *(
        "reset_the_password",
        "ask_for_the_link_again",
        "read_the_mail",
        "verify",
        "exchange",
        "register",
        "register_again",
    ),
)
STEPS = settings(
    # The first example of each part is the same shortest one.
    max_examples=11,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


class Life(MailActs, TokenActs, PasswordActs):
    """Up to two users with any number of devices, and their old tokens."""

    def teardown(self) -> None:
        try:
            for session in self.sessions:
                if session.key in self.checked_after_end:
                    self.try_the_tokens_of(session)
            self.every_event_is_audited_once()
        finally:
            self.roll_back()

    @initialize()
    def sign_in_on_two_devices(self) -> None:
        self.register(0)
        self.read_the_mail(0)
        self.verify(0)
        self.exchange(0)
        self.log_in(1)

    # With one rule per act, Hypothesis would favour some rules and keep lives short.
    @rule(act=st.sampled_from(ACTS), number=st.integers(min_value=0, max_value=99))
    def run_an_act(self, act: str, number: int) -> None:
        getattr(self, act)(number)

    def time_passes(self, number: int) -> None:
        self.clock.shift(PAUSES[number % len(PAUSES)])

    @invariant()
    def live_sessions_are_those_of_the_model(self) -> None:
        live = UserSession.objects.live(at=self.now).values_list("pk", flat=True)
        assert {str(key) for key in live} == {
            it.key for it in self.sessions if it.is_live(self.now)
        }

    @invariant()
    def a_session_has_at_most_one_refresh_token(self) -> None:
        revoked = set(TokenBlacklist.objects.values_list("jti", flat=True))
        for session in self.sessions:
            tokens = [claims_of(pair.refresh)["jti"] for pair in session.pairs]
            assert set(tokens[:-1]) <= revoked
            assert (tokens[-1] in revoked) == session.ended

    @invariant()
    def tokens_end_with_their_session(self) -> None:
        for session in self.sessions:
            if session.key not in self.checked_after_end and not session.is_live(self.now):
                self.checked_after_end.add(session.key)
                self.try_the_tokens_of(session)

    def try_the_tokens_of(self, session: Session) -> None:
        for pair in session.pairs:
            self.expect(self.post("token/refresh", {"refresh": pair.refresh}), 401)
            for access in pair.access:
                self.expect(self.post("token/verify", {"token": access}), 401)

    @invariant()
    def a_mailed_token_works_at_most_once(self) -> None:
        assert all(
            link.uses <= 1 for kind in ("verify", "reset", "exchange") for link in self.links(kind)
        )

    @invariant()
    def stored_accounts_are_those_of_the_model(self) -> None:
        for person in self.people:
            stored = User.objects.get(email=person.email)
            assert stored.email_verified == person.verified
            assert stored.is_account_locked() == person.account.is_locked(self.now)
            assert stored.locked_until == person.account.locked_until
            assert (stored.contested_at is not None) == person.contested
            assert stored.check_password(person.password) == bool(person.passwords)

    @invariant()
    def every_event_is_audited_once(self) -> None:
        assert (
            collections.Counter(AuditLog.objects.values_list("event_type", flat=True))
            == self.events
        )


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.integration
@pytest.mark.parametrize("part", range(4))
def test_the_service_agrees_with_the_model_after_any_acts(settings: Settings, part: int) -> None:
    settings.RATELIMIT_ENABLE = False
    # Redis would count by its own clock.
    settings.CACHES = local("")
    # Several parts, so that several processes share the examples.
    run_state_machine_as_test(seed(part)(type(f"Life{part}", (Life,), {})), settings=STEPS)
