"""What staff do to accounts, sessions, tokens and mails at the desk."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from authentication.models import AuditLog, OutgoingEmail, TokenBlacklist, User, UserSession
from authentication.tests.clients import NEW_PASSWORD, Tokens, sign_in, use_access, use_refresh
from authentication.tests.conftest import API, CHROME, bearer, token_in
from authentication.tests.factories import PASSWORD, UserFactory
from authentication.tests.forging import claims_of

from .conftest import Clerk, Desk

USERS = "/admin/authentication/user/"
SESSIONS = "/admin/authentication/usersession/"
MAILS = "/admin/authentication/outgoingemail/"
TOKENS = "/admin/authentication/tokenblacklist/"
REVOKE = f"{TOKENS}add/"
LOGIN = f"{API}/login/"
ACTIONS = ("unlock", "end_sessions", "resend_verification", "send_reset_link", "disable", "enable")

UNPROVEN: dict[str, Any] = {"email_verified": False, "email_verified_at": None}

Deliver = Callable[[], list[EmailMessage]]

every_action = pytest.mark.parametrize("action", ACTIONS)

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(desk: Desk, superuser: User) -> Client:
    """Return the desk of a superuser."""
    return desk(superuser)


def act(client: Client, action: str, *rows: Any, at: str = USERS) -> Any:
    """Choose rows and an action in a list."""
    return client.post(
        at, {"action": action, "_selected_action": [str(row.pk) for row in rows]}, follow=True
    )


def told(answer: Any) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def status_of_login(api: APIClient, user: User, password: str = PASSWORD) -> int:
    status = api.post(LOGIN, {"email": user.email, "password": password}).status_code
    api.cookies.clear()
    return int(status)


def state() -> tuple[Any, ...]:
    """Return all that an action could change."""
    tables = (User, UserSession, OutgoingEmail, TokenBlacklist, AuditLog)
    return tuple(list(table._default_manager.order_by("pk").values()) for table in tables)


def assert_audited(event: str, *, actor: User, target: User, **facts: Any) -> None:
    row = AuditLog.objects.get(event_type=event)
    assert (row.user, row.metadata["actor"], row.success) == (target, str(actor.pk), True)
    assert (row.ip_address, row.user_agent) == ("8.8.4.4", CHROME)
    assert row.correlation_id
    assert facts.items() <= {**row.metadata, "risk": row.risk_level}.items()


class TestOnAccounts:
    def test_unlocking_lets_a_person_in_at_once(
        self, boss: Client, superuser: User, api: APIClient, person: User
    ) -> None:
        for _ in range(5):
            status_of_login(api, person, "Wrong-Horse-9")
        assert status_of_login(api, person) == 403

        answer = act(boss, "unlock", person)

        assert told(answer) == ["Done for 1 account(s)."]
        assert_audited("account_unlocked", actor=superuser, target=person)
        assert status_of_login(api, person) == 200

    def test_ending_all_sessions_kills_every_token_at_once(
        self, boss: Client, superuser: User, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        other, bystander = sign_in(api, person), sign_in(api, UserFactory())

        act(boss, "end_sessions", person)

        assert [use_access(api, it) for it in (signed_in, other, bystander)] == [401, 401, 200]
        assert [use_refresh(api, it) for it in (signed_in, other, bystander)] == [401, 401, 200]
        assert_audited(
            "admin_action", actor=superuser, target=person, action="end_sessions", count=2
        )

    def test_the_verification_mail_goes_again(
        self, boss: Client, superuser: User, api: APIClient, delivered: Deliver
    ) -> None:
        newcomer = UserFactory(**UNPROVEN)

        act(boss, "resend_verification", newcomer)

        [message] = delivered()
        assert message.to == [newcomer.email]
        assert api.post(f"{API}/email/verify/", {"token": token_in(message)}).status_code == 200
        assert_audited(
            "admin_action", actor=superuser, target=newcomer, action="resend_verification"
        )

    def test_a_link_to_reset_the_password_goes_to_its_owner_who_chooses(
        self, boss: Client, superuser: User, api: APIClient, person: User, delivered: Deliver
    ) -> None:
        answer = act(boss, "send_reset_link", person)

        [message] = delivered()
        token = token_in(message)
        assert message.to == [person.email]
        assert token not in answer.content.decode()
        assert status_of_login(api, person) == 200
        asked = {"token": token, "new_password": NEW_PASSWORD}
        assert api.post(f"{API}/password/reset/confirm/", asked).status_code == 200
        assert_audited("admin_action", actor=superuser, target=person, action="send_reset_link")

    def test_disabling_shuts_a_person_out_at_once(
        self, boss: Client, superuser: User, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        assert use_access(api, signed_in) == 200

        act(boss, "disable", person)

        answer = api.post(LOGIN, {"email": person.email, "password": PASSWORD})
        assert (use_access(api, signed_in), use_refresh(api, signed_in)) == (401, 401)
        assert (answer.status_code, answer.json()["code"]) == (403, "account_disabled")
        assert UserSession.objects.get().end_reason == "admin"
        assert_audited(
            "admin_action", actor=superuser, target=person, action="disable", risk="medium"
        )

    def test_enabling_lets_a_person_in_but_no_older_token(
        self, boss: Client, superuser: User, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        act(boss, "disable", person)
        AuditLog.objects.all().delete()

        act(boss, "enable", person)

        assert (use_access(api, signed_in), use_refresh(api, signed_in)) == (401, 401)
        assert status_of_login(api, person) == 200
        assert_audited("admin_action", actor=superuser, target=person, action="enable")

    @every_action
    def test_several_are_done_at_once_and_each_is_audited(
        self, boss: Client, superuser: User, action: str
    ) -> None:
        people = [UserFactory(**UNPROVEN) for _ in range(3)]

        answer = act(boss, action, *people)

        rows = AuditLog.objects.filter(metadata__actor=str(superuser.pk))
        assert told(answer) == ["Done for 3 account(s)."]
        assert {row.user for row in rows} == set(people)
        assert rows.count() == 3

    @pytest.mark.parametrize(
        ("action", "state", "why"),
        [
            ("resend_verification", {}, "This address is verified already."),
            (
                "resend_verification",
                {**UNPROVEN, "is_active": False},
                "This account is disabled, and gets no mail.",
            ),
            (
                "send_reset_link",
                {"is_active": False},
                "This account is disabled, and gets no mail.",
            ),
        ],
    )
    def test_what_would_mail_nothing_says_so(
        self, boss: Client, delivered: Deliver, action: str, state: dict[str, Any], why: str
    ) -> None:
        user = UserFactory(**state)

        answer = act(boss, action, user)

        assert told(answer) == [f"{user}: {why}", "Done for 0 account(s)."]
        assert delivered() == []
        assert not AuditLog.objects.filter(event_type="admin_action").exists()

    def test_nobody_shuts_themselves_out(self, boss: Client, superuser: User) -> None:
        answer = act(boss, "disable", superuser)

        superuser.refresh_from_db()
        assert superuser.is_active
        assert told(answer)[0] == "boss: This is your own account. Somebody else has to disable it."

    @every_action
    def test_who_may_only_look_may_not(
        self, desk: Desk, clerk: Clerk, person: User, signed_in: Tokens, action: str
    ) -> None:
        client = desk(clerk("view_user", "add_user", "delete_user", "change_usersession"))
        before = state()

        act(client, action, person)

        assert state() == before
        assert f'value="{action}"' not in client.get(USERS).content.decode()

    @every_action
    def test_staff_may_not_reach_above_themselves(
        self, desk: Desk, clerk: Clerk, api: APIClient, superuser: User, action: str
    ) -> None:
        sign_in(api, superuser)
        superuser.refresh_from_db()
        superuser.lock_account()
        client = desk(clerk("view_user", "change_user"))
        before = state()

        answer = act(client, action, superuser)

        assert state() == before
        assert told(answer) == ["boss: You are not allowed to do this.", "Done for 0 account(s)."]

    def test_the_others_of_a_choice_are_done_all_the_same(
        self, desk: Desk, clerk: Clerk, superuser: User, person: User
    ) -> None:
        answer = act(desk(clerk("view_user", "change_user")), "disable", superuser, person)

        superuser.refresh_from_db()
        person.refresh_from_db()
        assert (superuser.is_active, person.is_active) == (True, False)
        assert sorted(told(answer)) == [
            "Done for 1 account(s).",
            "boss: You are not allowed to do this.",
        ]

    @every_action
    def test_a_superuser_may_do_it_to_another(self, boss: Client, action: str) -> None:
        answer = act(boss, action, UserFactory(is_superuser=True, is_staff=True, **UNPROVEN))

        assert told(answer) == ["Done for 1 account(s)."]

    @every_action
    def test_opening_an_address_does_nothing(self, boss: Client, person: User, action: str) -> None:
        before = state()

        boss.get(USERS, {"action": action, "_selected_action": str(person.pk)})

        assert state() == before

    def test_an_action_nobody_offers_does_nothing(self, boss: Client, person: User) -> None:
        before = state()

        for action in ("delete_selected", "save_model", "_each", ""):
            act(boss, action, person)

        assert state() == before


class TestOnSessions:
    def test_a_session_is_ended_with_its_tokens(
        self, boss: Client, superuser: User, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        other = sign_in(api, person)
        session = UserSession.objects.get(pk=claims_of(signed_in["access"])["sid"])

        answer = act(boss, "end", session, at=SESSIONS)

        assert told(answer) == ["Ended 1 session(s)."]
        assert (use_access(api, signed_in), use_refresh(api, signed_in)) == (401, 401)
        assert use_access(api, other) == 200
        assert_audited(
            "admin_action",
            actor=superuser,
            target=person,
            action="end_session",
            session=str(session.pk),
        )

    def test_who_may_only_look_may_not(
        self, desk: Desk, clerk: Clerk, api: APIClient, signed_in: Tokens
    ) -> None:
        client = desk(clerk("view_usersession", "change_user"))

        act(client, "end", UserSession.objects.get(), at=SESSIONS)

        assert use_access(api, signed_in) == 200
        assert not AuditLog.objects.filter(event_type="admin_action").exists()

    def test_staff_may_not_reach_above_themselves(
        self, desk: Desk, clerk: Clerk, api: APIClient, superuser: User
    ) -> None:
        tokens = sign_in(api, superuser)
        client = desk(clerk("view_usersession", "change_usersession"))

        answer = act(client, "end", UserSession.objects.get(), at=SESSIONS)

        assert told(answer) == ["boss: You are not allowed to do this.", "Ended 0 session(s)."]
        assert use_access(api, tokens) == 200


class TestRevokingATokenByItsIdentifier:
    @pytest.mark.parametrize("reason", ["compromised", "admin"])
    def test_a_refresh_tokens_session_ends(
        self,
        boss: Client,
        superuser: User,
        api: APIClient,
        person: User,
        signed_in: Tokens,
        *,
        reason: str,
    ) -> None:
        jti = claims_of(signed_in["refresh"])["jti"]

        answer = boss.post(REVOKE, {"jti": f" {jti} ", "reason": reason})

        assert (answer.status_code, answer["Location"]) == (302, TOKENS)
        assert (use_access(api, signed_in), use_refresh(api, signed_in)) == (401, 401)
        assert TokenBlacklist.objects.values_list("jti", "reason", "user").get() == (
            jti,
            reason,
            person.pk,
        )
        assert UserSession.objects.get().end_reason == reason
        assert_audited("token_revoked", actor=superuser, target=person, reason=reason, risk="high")

    def test_an_access_token_is_dead(
        self, boss: Client, superuser: User, api: APIClient, signed_in: Tokens
    ) -> None:
        boss.post(REVOKE, {"jti": claims_of(signed_in["access"])["jti"], "reason": "compromised"})

        assert use_access(api, signed_in) == 401
        row = AuditLog.objects.get(event_type="token_revoked")
        assert (row.metadata["actor"], row.metadata["reason"]) == (str(superuser.pk), "compromised")

    def test_the_page_leads_to_what_was_revoked(self, boss: Client, signed_in: Tokens) -> None:
        jti = claims_of(signed_in["refresh"])["jti"]

        answer = boss.post(REVOKE, {"jti": jti, "reason": "admin", "_continue": "1"}, follow=True)

        pk = TokenBlacklist.objects.get(jti=jti).pk
        assert answer.redirect_chain[0][0] == reverse(
            "admin:authentication_tokenblacklist_change", args=[pk]
        )
        assert answer.status_code == 200

    @pytest.mark.parametrize(
        "asked",
        [
            {},
            {"jti": "", "reason": "admin"},
            {"jti": "abc"},
            {"jti": "abc", "reason": ""},
            {"jti": "abc", "reason": "rotation"},
            {"jti": "abc", "reason": "because"},
            {"jti": "nonsense", "reason": "admin"},
            {"jti": "x" * 65, "reason": "admin"},
            {"jti": "a\x00b", "reason": "admin"},
        ],
        ids=str,
    )
    def test_it_takes_an_identifier_and_one_of_two_reasons(
        self, boss: Client, asked: dict[str, str]
    ) -> None:
        assert boss.post(REVOKE, asked).status_code == 200
        assert not TokenBlacklist.objects.exists()
        assert not AuditLog.objects.exists()

    def test_twice_is_told(self, boss: Client, signed_in: Tokens) -> None:
        jti = claims_of(signed_in["refresh"])["jti"]
        boss.post(REVOKE, {"jti": jti, "reason": "compromised"})

        answer = boss.post(REVOKE, {"jti": jti, "reason": "admin"})

        assert answer.status_code == 200
        assert "already exists" in answer.content.decode()
        assert TokenBlacklist.objects.get().reason == "compromised"

    def test_who_may_only_look_may_not(
        self, desk: Desk, clerk: Clerk, api: APIClient, signed_in: Tokens
    ) -> None:
        client = desk(clerk("view_tokenblacklist", "change_tokenblacklist", "change_usersession"))

        answer = client.post(
            REVOKE, {"jti": claims_of(signed_in["refresh"])["jti"], "reason": "admin"}
        )

        assert answer.status_code == 403
        assert use_access(api, signed_in) == 200

    def test_staff_may_not_reach_above_themselves(
        self, desk: Desk, clerk: Clerk, api: APIClient, superuser: User
    ) -> None:
        tokens = sign_in(api, superuser)
        client = desk(clerk("view_tokenblacklist", "add_tokenblacklist"))

        answer = client.post(
            REVOKE, {"jti": claims_of(tokens["refresh"])["jti"], "reason": "admin"}, follow=True
        )

        assert told(answer) == ["You are not allowed to revoke this token."]
        assert use_access(api, tokens) == 200
        assert not TokenBlacklist.objects.exists()


class TestOnMails:
    @pytest.fixture
    def dead_letter(self, person: User) -> OutgoingEmail:
        return OutgoingEmail.objects.create(
            user=person,
            kind="account_locked",
            status="dead",
            attempts=8,
            last_error="SMTPServerDisconnected",
            next_attempt_at=timezone.now() - dt.timedelta(days=1),
        )

    def test_a_dead_letter_goes_again(
        self, boss: Client, dead_letter: OutgoingEmail, person: User, delivered: Deliver
    ) -> None:
        answer = act(boss, "send_again", dead_letter, at=MAILS)

        [message] = delivered()
        dead_letter.refresh_from_db()
        assert told(answer) == ["1 mail(s) will be sent again."]
        assert message.to == [person.email]
        assert (dead_letter.status, dead_letter.last_error) == ("sent", "")

    def test_that_is_audited(
        self, boss: Client, superuser: User, dead_letter: OutgoingEmail, person: User
    ) -> None:
        act(boss, "send_again", dead_letter, at=MAILS)

        assert_audited("admin_action", actor=superuser, target=person, action="send_again")

    @pytest.mark.parametrize("status", ["queued", "suppressed"])
    def test_only_dead_letters_do(
        self, boss: Client, dead_letter: OutgoingEmail, status: str
    ) -> None:
        OutgoingEmail.objects.update(status=status)
        before = OutgoingEmail.objects.values().get()

        act(boss, "send_again", dead_letter, at=MAILS)

        assert OutgoingEmail.objects.values().get() == before

    def test_who_may_only_look_may_not(
        self, desk: Desk, clerk: Clerk, dead_letter: OutgoingEmail
    ) -> None:
        client = desk(clerk("view_outgoingemail", "change_user"))

        act(client, "send_again", dead_letter, at=MAILS)

        dead_letter.refresh_from_db()
        assert dead_letter.status == "dead"


def test_the_desk_of_somebody_disabled_is_closed_at_once(
    desk: Desk, clerk: Clerk, boss: Client
) -> None:
    colleague = clerk("view_user")
    client = desk(colleague)
    assert client.get(USERS).status_code == 200

    act(boss, "disable", colleague)

    assert client.get(USERS).status_code == 302


def test_the_api_knows_none_of_it(api: APIClient, signed_in: Tokens, person: User) -> None:
    User.objects.filter(pk=person.pk).update(is_staff=True, is_superuser=True)

    for path in (USERS, SESSIONS, REVOKE):
        assert api.post(
            path, {"action": "disable"}, headers=bearer(signed_in["access"])
        ).status_code in {302, 403}
