# Written by clients/generate.py from _async/.
"""Operations on what protects the account: password, devices, second factor."""

from vineyard_auth.types import (
    Activity,
    Disowned,
    Message,
    PasswordResetDone,
    Reauthenticated,
    RecoveryCodes,
    SecondFactorOffer,
    SecondFactorStatus,
    Session,
    SessionList,
    Terminated,
)

from .caller import Caller


class SecurityOperations(Caller):
    """The password, the devices, the second factor and the activity."""

    def request_password_reset(self, email: str) -> Message:
        """Mail a link to choose a new password."""
        answer: Message = self.call("password_reset", body={"email": email})
        return answer

    def confirm_password_reset(self, token: str, new_password: str) -> PasswordResetDone:
        """Choose a new password by the mailed token."""
        answer: PasswordResetDone = self.call(
            "password_reset_confirm", body={"token": token, "new_password": new_password}
        )
        return answer

    def accept_invitation(
        self,
        token: str,
        password: str,
        *,
        terms_accepted: bool | None = None,
        privacy_policy_accepted: bool | None = None,
    ) -> PasswordResetDone:
        """Make the account of an invitation by the mailed token."""
        body = {
            "token": token,
            "password": password,
            "terms_accepted": terms_accepted,
            "privacy_policy_accepted": privacy_policy_accepted,
        }
        answer: PasswordResetDone = self.call("invitation_accept", body=body)
        return answer

    def verify_token(self, token: str) -> None:
        """Raise ProblemError if an access token is not live."""
        self.call("token_verify", body={"token": token})

    def reauthenticate(
        self,
        *,
        password: str | None = None,
        otp: str | None = None,
    ) -> Reauthenticated:
        """Prove who is there, by a code if the account has a second factor."""
        answer: Reauthenticated = self.call(
            "reauthenticate", body={"password": password, "otp": otp}
        )
        return answer

    def get_sessions(self) -> list[Session]:
        """Return the devices on which the person is signed in."""
        found: SessionList = self.call("sessions")
        return found["sessions"]

    def get_session(self, session_id: str) -> Session:
        """Return one of them."""
        answer: Session = self.call("session", path={"session_id": session_id})
        return answer

    def rename_session(self, session_id: str, device_name: str) -> Session:
        """Give the device of a session another name."""
        answer: Session = self.call(
            "session_rename", path={"session_id": session_id}, body={"device_name": device_name}
        )
        return answer

    def terminate_session(self, session_id: str) -> Message:
        """End a session."""
        answer: Message = self.call("session_terminate", path={"session_id": session_id})
        return answer

    def terminate_all_sessions(self) -> Terminated:
        """End every session but this one."""
        answer: Terminated = self.call("sessions_terminate_all")
        return answer

    def get_second_factor(self) -> SecondFactorStatus:
        """Return whether a sign-in needs a code."""
        answer: SecondFactorStatus = self.call("second_factor")
        return answer

    def set_up_totp(self, password: str) -> SecondFactorOffer:
        """Return a secret for an authenticator app."""
        answer: SecondFactorOffer = self.call("totp_setup", body={"password": password})
        return answer

    def confirm_totp(self, otp: str) -> RecoveryCodes:
        """Turn the app on by a code of it."""
        answer: RecoveryCodes = self.call("totp_confirm", body={"otp": otp})
        return answer

    def disable_second_factor(self) -> Message:
        """Turn the second factor off."""
        answer: Message = self.call("second_factor_disable")
        return answer

    def renew_recovery_codes(self) -> RecoveryCodes:
        """Create new recovery codes."""
        answer: RecoveryCodes = self.call("recovery_codes")
        return answer

    def stop_second_factor_removal(self, token: str) -> Message:
        """Stop the removal of the second factor by staff, by the mailed token."""
        answer: Message = self.call("second_factor_removal_stop", body={"token": token})
        return answer

    def get_activity(
        self,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Activity:
        """Return the security events of the account."""
        pages = {"cursor": cursor, "limit": limit}
        answer: Activity = self.call(
            "activity", query={name: it for name, it in pages.items() if it is not None}
        )
        return answer

    def disown_activity(self, event_id: str) -> Message:
        """Report that it was somebody else: its session ends, its changes are undone."""
        answer: Message = self.call("activity_disown", path={"event_id": event_id})
        return answer

    def disown_session(self, token: str) -> Disowned:
        """Report the same by the link about a new device."""
        answer: Disowned = self.call("session_disown", body={"token": token})
        return answer
