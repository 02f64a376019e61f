"""The methods that the specification names on models; tests of what they do are in models/."""

import pytest
from django.db.models import Model
from django.utils.module_loading import import_string

from authentication.models import (
    AuditLog,
    EmailVerificationToken,
    PasswordResetToken,
    TokenBlacklist,
    User,
    UserSession,
)
from authentication.services import EmailService

METHODS: dict[type[Model], str] = {
    User: "is_account_locked lock_account unlock_account record_failed_login"
    " record_successful_login is_verified",
    UserSession: "is_expired is_near_expiry needs_rotation mark_rotation deactivate extend_expiry"
    " cleanup_expired",
    TokenBlacklist: "is_token_blacklisted blacklist_token cleanup_expired",
    AuditLog: "log_event",
    EmailVerificationToken: "is_valid verify resend",
    PasswordResetToken: "is_valid",
}


@pytest.mark.parametrize("model", METHODS)
def test_a_model_has_the_specifications_methods(model: type[Model]) -> None:
    missing = [name for name in METHODS[model].split() if not callable(getattr(model, name, None))]

    assert missing == []


@pytest.mark.parametrize(
    "name",
    [
        "authentication.utils.auth.PasswordService",
        "authentication.utils.auth.EmailVerificationService",
        "authentication.utils.sessions.SessionService",
        "authentication.utils.cookies.set_refresh_cookie",
        "authentication.utils.email.EmailService",
    ],
)
def test_other_apps_find_services_under_the_specifications_names(name: str) -> None:
    assert callable(import_string(name))


def test_the_service_of_mail_has_the_specifications_method() -> None:
    assert callable(EmailService.send_verification_email)
