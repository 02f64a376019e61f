"""The copy of a person's data has every field about them."""

from django.apps import apps
from django.db.models import Model

from authentication.models import User
from authentication.services.accounts.personal_data import _ACCOUNT, _PROFILE, _TABLES

# Why a field is not in the copy.
SECRET = "a secret, or what finds it"
FORM = "another form of a value that is in the copy"
KEY = "a number of the row"
WORK = "how the service does its work"
OTHERS = "it is about another person"
LEFT_OUT = {
    "AccountExport": {
        "id": KEY,
        "content": SECRET,
        "leased_until": WORK,
        "parts": WORK,
        "tries": WORK,
    },
    "ActionToken": {"id": KEY, "token": SECRET, "subject": KEY},
    "AuditLog": {"id": KEY},
    "BulkAction": {"*": "what staff did in the admin, about others"},
    "BulkActionPerson": {"*": "what was done is in the events"},
    "Consent": {"id": KEY},
    "EmailChange": {"id": KEY, "old_email_canonical": FORM, "new_email_canonical": FORM},
    "EmailVerificationToken": {"id": KEY, "token": SECRET},
    "Invitation": {
        "id": KEY,
        "email_canonical": FORM,
        "token": SECRET,
        "invited_by_id": OTHERS,
        "voided_at": WORK,
    },
    "KnownCountry": {"id": KEY},
    "KnownDevice": {"id": KEY, "digest": SECRET},
    "LogEntry": {"*": "what staff did in the admin, about others"},
    "OutgoingEmail": {
        "id": KEY,
        "context": KEY,
        "attempts": WORK,
        "last_error": WORK,
        "next_attempt_at": WORK,
    },
    "PasswordHistory": {"id": KEY, "password_hash": SECRET},
    "PasswordResetToken": {"id": KEY, "token": SECRET, "binding": SECRET},
    "RecoveryCode": {"id": KEY, "digest": SECRET},
    "SecondFactor": {"seed": SECRET, "pending_seed": SECRET, "last_step": SECRET},
    "SecondFactorRemoval": {
        "id": KEY,
        "factor_since": FORM,
        "requested_by_id": OTHERS,
        "confirmed_by_id": OTHERS,
        "session_hash": SECRET,
    },
    "SensitiveChange": {"id": KEY},
    "SignInChallenge": {
        "id": KEY,
        "token": SECRET,
        "password_changed_at": FORM,
        "voided_at": WORK,
    },
    "StaffNote": {"id": KEY, "author_id": OTHERS},
    "TokenBlacklist": {"id": KEY, "jti": SECRET, "token": SECRET},
    "User": {
        "password": SECRET,
        "admin_session_salt": SECRET,
        "erasure_key": SECRET,
        "deletion_receipt": FORM,
        "email_canonical": FORM,
        "username_canonical": FORM,
        "username_skeleton": FORM,
        "contested_at": OTHERS,
        "erasure_failures": WORK,
        "erasure_retry_at": WORK,
        # In the consents.
        "terms_accepted_at": FORM,
        "terms_version": FORM,
        "privacy_policy_accepted_at": FORM,
        "privacy_policy_version": FORM,
    },
    "UserSession": {
        "last_client_digest": FORM,
        "session_key": SECRET,
        "refresh_token_jti": SECRET,
        "previous_refresh_token_jti": SECRET,
        "successor_seen": WORK,
    },
    "UsernameHold": {"id": KEY, "name": FORM, "skeleton": FORM},
}


def fields_about_a_person() -> dict[str, set[str]]:
    """Return the fields of every table with a row for a user, by the table's name."""
    tables: list[type[Model]] = [
        it
        for it in apps.get_models()
        if it is User or any(field.related_model is User for field in it._meta.fields)
    ]
    return {
        it.__name__: {field.attname for field in it._meta.concrete_fields} - {"user_id"}
        for it in tables
    }


def test_every_field_is_in_the_copy_or_has_a_reason_not_to_be() -> None:
    shown = {table.__name__: set(fields) for table, fields in _TABLES.values()}
    shown |= {"User": set(_ACCOUNT), "UserProfile": set(_PROFILE)}
    missing = {
        name: fields - shown.get(name, set()) for name, fields in fields_about_a_person().items()
    }

    left_out = {name: reasons for name, reasons in LEFT_OUT.items() if "*" not in reasons}
    whole = set(LEFT_OUT) - set(left_out)
    found = {name: fields for name, fields in missing.items() if fields and name not in whole}
    assert found == {name: set(reasons) for name, reasons in left_out.items()}
