# Written by clients/generate.py from _async/.
"""Operations on the account: its address, its profile, its data."""

from typing import Any, Unpack

from vineyard_auth.types import (
    ConsentHistory,
    CsrfToken,
    Deletion,
    EmailState,
    EmailUndone,
    EmailVerified,
    ExportState,
    Health,
    Live,
    Message,
    Notices,
    NoticesRequest,
    PatchedProfileUpdateRequest,
    Profile,
    Registered,
)

from .caller import Caller


class AccountOperations(Caller):
    """The account, its address, its profile and its data."""

    def register(
        self,
        email: str,
        password: str,
        first_name: str | None = None,
        last_name: str | None = None,
        *,
        username: str | None = None,
        display_name: str | None = None,
        timezone: str | None = None,
        terms_accepted: bool | None = None,
        privacy_policy_accepted: bool | None = None,
    ) -> Registered:
        """Create an account; a link to verify the address is mailed."""
        body = {
            "email": email,
            "password": password,
            "first_name": first_name,
            "last_name": last_name,
            "username": username,
            "display_name": display_name,
            "timezone": timezone,
            "terms_accepted": terms_accepted,
            "privacy_policy_accepted": privacy_policy_accepted,
        }
        answer: Registered = self.call("register", body=body)
        return answer

    def verify_email(self, token: str) -> EmailVerified:
        """Verify an address by the mailed token."""
        answer: EmailVerified = self.call("email_verify", body={"token": token})
        return answer

    def resend_verification(self, email: str) -> Message:
        """Mail the link again."""
        answer: Message = self.call("email_resend", body={"email": email})
        return answer

    def correct_email(self, identifier: str, password: str, new_email: str) -> Message:
        """Correct the address of an account that is not verified yet, by its password."""
        body = {
            "identifier": identifier,
            "password": password,
            "new_email": new_email,
        }
        answer: Message = self.call("email_correct", body=body)
        return answer

    def get_profile(self) -> Profile:
        """Return the person's profile."""
        answer: Profile = self.call("profile")
        return answer

    def update_profile(self, **fields: Unpack[PatchedProfileUpdateRequest]) -> Profile:
        """Change fields of the profile."""
        answer: Profile = self.call("profile_update", body=fields)
        return answer

    def get_consents(self) -> ConsentHistory:
        """Return what was agreed to."""
        answer: ConsentHistory = self.call("consents")
        return answer

    def give_consents(
        self,
        *,
        terms_accepted: bool | None = None,
        privacy_policy_accepted: bool | None = None,
    ) -> ConsentHistory:
        """Agree to the current documents."""
        body = {
            "terms_accepted": terms_accepted,
            "privacy_policy_accepted": privacy_policy_accepted,
        }
        answer: ConsentHistory = self.call("consents_give", body=body)
        return answer

    def get_email(self) -> EmailState:
        """Return the address, and the new one that is not confirmed yet."""
        answer: EmailState = self.call("account_email")
        return answer

    def change_email(self, email: str) -> EmailState:
        """Mail a link to a new address."""
        answer: EmailState = self.call("account_email_change", body={"email": email})
        return answer

    def cancel_email_change(self) -> EmailState:
        """Cancel the change of address."""
        answer: EmailState = self.call("account_email_cancel")
        return answer

    def confirm_email_change(self, token: str) -> Message:
        """Confirm the new address by the mailed token."""
        answer: Message = self.call("account_email_confirm", body={"token": token})
        return answer

    def undo_email_change(self, token: str) -> EmailUndone:
        """Restore the old address by the mailed token."""
        answer: EmailUndone = self.call("account_email_undo", body={"token": token})
        return answer

    def undo_change(self, token: str) -> EmailUndone:
        """Undo another sensitive change by the mailed token."""
        answer: EmailUndone = self.call("account_change_undo", body={"token": token})
        return answer

    def delete_account(self) -> Deletion:
        """Delete the account in two weeks."""
        answer: Deletion = self.call("account_delete")
        return answer

    def get_export(self) -> ExportState:
        """Return the state of the export of personal data."""
        answer: ExportState = self.call("export")
        return answer

    def request_export(self) -> ExportState:
        """Have the personal data prepared."""
        answer: ExportState = self.call("export_request")
        return answer

    def download_export(self, token: str) -> dict[str, Any]:
        """Return the personal data by the mailed token."""
        answer: dict[str, Any] = self.call("export_download", body={"token": token})
        return answer

    def get_notices(self) -> Notices:
        """Return which optional mails are on."""
        answer: Notices = self.call("notices")
        return answer

    def update_notices(self, **fields: Unpack[NoticesRequest]) -> Notices:
        """Turn optional mails on or off."""
        answer: Notices = self.call("notices_update", body=fields)
        return answer

    def get_csrf_token(self) -> CsrfToken:
        """Return a CSRF token; only browsers need one."""
        answer: CsrfToken = self.call("csrf")
        return answer

    def get_health(self) -> Health:
        """Return the state of the service."""
        answer: Health = self.call("health")
        return answer

    def get_liveness(self) -> Live:
        """Return that the process runs."""
        answer: Live = self.call("live")
        return answer
