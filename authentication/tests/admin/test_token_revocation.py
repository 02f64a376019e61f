"""Revoking a token by its identifier."""

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from authentication.models import AuditLog, TokenBlacklist, User, UserSession
from authentication.tests.clients import Tokens, sign_in, use_access, use_refresh
from authentication.tests.forging import claims_of

from .staff import REVOKE_TOKEN, TOKENS, ClientOf, MakeStaff, assert_audited, messages_of

pytestmark = pytest.mark.django_db


class TestTokenRevocation:
    @pytest.mark.parametrize("reason", ["compromised", "admin"])
    def test_a_revoked_refresh_token_ends_its_session(
        self,
        superuser_client: Client,
        superuser: User,
        api: APIClient,
        person: User,
        signed_in: Tokens,
        *,
        reason: str,
    ) -> None:
        jti = claims_of(signed_in["refresh"])["jti"]

        answer = superuser_client.post(REVOKE_TOKEN, {"jti": f" {jti} ", "reason": reason})

        assert (answer.status_code, answer["Location"]) == (302, TOKENS)
        assert (use_access(api, signed_in), use_refresh(api, signed_in)) == (401, 401)
        assert TokenBlacklist.objects.values_list("jti", "reason", "user").get() == (
            jti,
            reason,
            person.pk,
        )
        assert UserSession.objects.get().end_reason == reason
        assert_audited("token_revoked", actor=superuser, target=person, reason=reason, risk="high")

    def test_a_revoked_access_token_is_refused(
        self, superuser_client: Client, superuser: User, api: APIClient, signed_in: Tokens
    ) -> None:
        superuser_client.post(
            REVOKE_TOKEN, {"jti": claims_of(signed_in["access"])["jti"], "reason": "compromised"}
        )

        assert use_access(api, signed_in) == 401
        row = AuditLog.objects.get(event_type="token_revoked")
        assert (row.metadata["actor"], row.metadata["reason"]) == (str(superuser.pk), "compromised")

    def test_save_and_continue_opens_the_revoked_token(
        self, superuser_client: Client, signed_in: Tokens
    ) -> None:
        jti = claims_of(signed_in["refresh"])["jti"]

        answer = superuser_client.post(
            REVOKE_TOKEN, {"jti": jti, "reason": "admin", "_continue": "1"}, follow=True
        )

        pk = TokenBlacklist.objects.get(jti=jti).pk
        assert answer.redirect_chain[0][0] == reverse(
            "admin:authentication_tokenblacklist_change", args=[pk]
        )
        assert answer.status_code == 200

    @pytest.mark.parametrize(
        "form",
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
    def test_an_invalid_identifier_or_reason_is_refused(
        self, superuser_client: Client, form: dict[str, str]
    ) -> None:
        assert superuser_client.post(REVOKE_TOKEN, form).status_code == 200
        assert not TokenBlacklist.objects.exists()
        assert not AuditLog.objects.exists()

    def test_a_second_revocation_is_refused_and_keeps_the_reason(
        self, superuser_client: Client, signed_in: Tokens
    ) -> None:
        jti = claims_of(signed_in["refresh"])["jti"]
        superuser_client.post(REVOKE_TOKEN, {"jti": jti, "reason": "compromised"})

        answer = superuser_client.post(REVOKE_TOKEN, {"jti": jti, "reason": "admin"})

        assert answer.status_code == 200
        assert "already exists" in answer.content.decode()
        assert TokenBlacklist.objects.get().reason == "compromised"

    def test_staff_without_the_permission_revoke_no_token(
        self, client_of: ClientOf, make_staff: MakeStaff, api: APIClient, signed_in: Tokens
    ) -> None:
        client = client_of(
            make_staff("view_tokenblacklist", "change_tokenblacklist", "change_usersession")
        )

        answer = client.post(
            REVOKE_TOKEN, {"jti": claims_of(signed_in["refresh"])["jti"], "reason": "admin"}
        )

        assert answer.status_code == 403
        assert use_access(api, signed_in) == 200

    def test_staff_cannot_revoke_a_token_of_a_superuser(
        self, client_of: ClientOf, make_staff: MakeStaff, api: APIClient, superuser: User
    ) -> None:
        tokens = sign_in(api, superuser)
        client = client_of(make_staff("view_tokenblacklist", "add_tokenblacklist"))

        answer = client.post(
            REVOKE_TOKEN,
            {"jti": claims_of(tokens["refresh"])["jti"], "reason": "admin"},
            follow=True,
        )

        assert messages_of(answer) == ["You are not allowed to revoke this token."]
        assert use_access(api, tokens) == 200
        assert not TokenBlacklist.objects.exists()
