"""Actions on accounts: what they do."""

from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from authentication.models import AuditLog, User, UserSession
from authentication.tests.answers import problem_code
from authentication.tests.clients import (
    NEW_PASSWORD,
    WRONG_PASSWORD,
    Tokens,
    log_in,
    sign_in,
    use_access,
    use_refresh,
)
from authentication.tests.conftest import API, Deliver, token_in
from authentication.tests.factories import UserFactory, unverified_user
from authentication.tests.sealing import tamper

from .staff import ACCOUNT_ACTIONS, api_login_status, assert_audited, refusals_of, run_bulk

pytestmark = pytest.mark.django_db


class TestAccountActions:
    def test_unlock_lets_the_person_sign_in_at_once(
        self, superuser_client: Client, superuser: User, api: APIClient, person: User
    ) -> None:
        for _ in range(5):
            api_login_status(api, person, WRONG_PASSWORD)
        assert api_login_status(api, person) == 403

        answer = run_bulk(superuser_client, "unlock", person)

        assert answer.context["counts"]["done"] == 1
        assert_audited("account_unlocked", actor=superuser, target=person)
        assert api_login_status(api, person) == 200

    def test_end_sessions_revokes_every_token_of_the_account(
        self,
        superuser_client: Client,
        superuser: User,
        api: APIClient,
        person: User,
        signed_in: Tokens,
    ) -> None:
        other, bystander = sign_in(api, person), sign_in(api, UserFactory())

        run_bulk(superuser_client, "end-sessions", person)

        tokens = (signed_in, other, bystander)
        assert [use_access(api, it) for it in tokens] == [401, 401, 200]
        assert [use_refresh(api, it) for it in tokens] == [401, 401, 200]
        assert_audited(
            "admin_action", actor=superuser, target=person, action="end_sessions", count=2
        )

    def test_resend_verification_sends_a_new_mail(
        self, superuser_client: Client, superuser: User, api: APIClient, delivered: Deliver
    ) -> None:
        newcomer = unverified_user()

        run_bulk(superuser_client, "send-verification", newcomer)

        [message] = delivered()
        assert message.to == [newcomer.email]
        assert api.post(f"{API}/email/verify/", {"token": token_in(message)}).status_code == 200
        assert_audited(
            "admin_action", actor=superuser, target=newcomer, action="resend_verification"
        )

    def test_send_reset_link_mails_the_link_only_to_the_account(
        self,
        superuser_client: Client,
        superuser: User,
        api: APIClient,
        person: User,
        delivered: Deliver,
    ) -> None:
        answer = run_bulk(superuser_client, "send-reset", person)

        [message] = delivered()
        token = token_in(message)
        assert message.to == [person.email]
        assert token not in answer.content.decode()
        assert api_login_status(api, person) == 200
        form = {"token": token, "new_password": NEW_PASSWORD}
        assert api.post(f"{API}/password/reset/confirm/", form).status_code == 200
        assert_audited("admin_action", actor=superuser, target=person, action="send_reset_link")

    def test_disable_ends_sessions_and_refuses_sign_in(
        self,
        superuser_client: Client,
        superuser: User,
        api: APIClient,
        person: User,
        signed_in: Tokens,
    ) -> None:
        assert use_access(api, signed_in) == 200

        run_bulk(superuser_client, "disable", person)

        answer = log_in(api, person)
        assert (use_access(api, signed_in), use_refresh(api, signed_in)) == (401, 401)
        assert (answer.status_code, problem_code(answer)) == (403, "account_disabled")
        assert UserSession.objects.get().end_reason == "admin"
        assert_audited(
            "admin_action", actor=superuser, target=person, action="disable", risk="medium"
        )

    def test_enable_allows_sign_in_but_revives_no_token(
        self,
        superuser_client: Client,
        superuser: User,
        api: APIClient,
        person: User,
        signed_in: Tokens,
    ) -> None:
        run_bulk(superuser_client, "disable", person)
        tamper(AuditLog.objects.all())

        run_bulk(superuser_client, "enable", person)

        assert (use_access(api, signed_in), use_refresh(api, signed_in)) == (401, 401)
        assert api_login_status(api, person) == 200
        assert_audited("admin_action", actor=superuser, target=person, action="enable")

    @pytest.mark.parametrize("action", ACCOUNT_ACTIONS)
    def test_every_selected_account_is_changed_and_audited(
        self, superuser_client: Client, superuser: User, action: str
    ) -> None:
        people = [unverified_user() for _ in range(3)]

        answer = run_bulk(superuser_client, action, *people)

        rows = AuditLog.objects.filter(metadata__actor=str(superuser.pk), user__isnull=False)
        assert answer.context["counts"]["done"] == 3
        assert {row.user for row in rows} == set(people)
        assert rows.count() == 3

    @pytest.mark.parametrize(
        ("action", "state", "why"),
        [
            ("send-verification", {}, "This address is verified already."),
            (
                "send-verification",
                {"email_verified": False, "email_verified_at": None, "is_active": False},
                "This account is disabled, and gets no mail.",
            ),
            (
                "send-reset",
                {"is_active": False},
                "This account is disabled, and gets no mail.",
            ),
        ],
    )
    def test_mail_actions_explain_why_they_send_nothing(
        self,
        superuser_client: Client,
        delivered: Deliver,
        action: str,
        state: dict[str, Any],
        why: str,
    ) -> None:
        user = UserFactory(**state)

        answer = run_bulk(superuser_client, action, user)

        assert (refusals_of(answer), answer.context["counts"]["done"]) == ([why], 0)
        assert delivered() == []
        assert not AuditLog.objects.filter(event_type="admin_action", user=user).exists()
