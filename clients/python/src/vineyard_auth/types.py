"""The shapes of requests and answers. Written by clients/generate.py from docs/openapi.yaml."""

from typing import Literal, NotRequired, TypedDict

AcceptedVisibility = Literal["private", "members", "public", "community"]
BlankEnum = Literal[""]
ConsentDocument = Literal["terms", "privacy_policy"]
ExportStatus = Literal["none", "preparing", "failed", "ready", "downloaded"]
HealthStatus = Literal["healthy", "degraded", "unhealthy"]
LanguageEnum = Literal["en", "de"]
ProfileVisibility = Literal["private", "community", "public"]
Visibility = Literal["private", "members", "public"]


class Activity(TypedDict):
    """A page of events, newest first."""

    events: "list[ActivityEvent]"
    next: str | None
    previous: str | None


class ActivityEvent(TypedDict):
    """A security event of the account."""

    id: str
    event: str
    text: str
    success: bool
    risk_level: str
    ip_address: str | None
    city: str
    country: str
    device: str
    session: str | None
    is_current: bool
    timestamp: str


class Celery(TypedDict):
    """The state of each process of Celery, by its heartbeat."""

    mailer: str
    worker: str
    beat: str


class ConsentGiven(TypedDict):
    """A consent."""

    document: "ConsentDocument"
    version: str
    accepted_at: str
    ip_address: str | None
    user_agent: str


class ConsentHistory(TypedDict):
    """The current versions, those not accepted yet, and all consents, newest first."""

    current: "Versions"
    due: "Versions"
    history: "list[ConsentGiven]"


class Consents(TypedDict):
    """When each document was accepted; null if it was not."""

    terms_accepted_at: str | None
    privacy_policy_accepted_at: str | None


class ConsentsGiveRequest(TypedDict):
    """The documents that the user accepts, in their current version; at least one."""

    terms_accepted: NotRequired[bool | None]
    privacy_policy_accepted: NotRequired[bool | None]


class CsrfToken(TypedDict):
    """The token that a page sends in the X-CSRFToken header."""

    csrfToken: str


class Deletion(TypedDict):
    """The time at which the account will be erased."""

    message: str
    deletion_at: str


class DisownRequest(TypedDict):
    """The token from the mail about a new device."""

    token: str


class Disowned(TypedDict):
    """The device was signed out; the reset token sets a new password."""

    message: str
    reset_token: str


class EmailChangeRequest(TypedDict):
    """The new address."""

    email: str


class EmailChangeTokenRequest(TypedDict):
    """The token from the mail."""

    token: str


class EmailCorrectRequest(TypedDict):
    """The account, named as at a sign-in or as `identifier`, its password and its new address."""

    identifier: NotRequired[str | None]
    email_or_username: NotRequired[str | None]
    email: NotRequired[str | None]
    username: NotRequired[str | None]
    password: str
    new_email: str


class EmailResendRequest(TypedDict):
    """The address that needs a new verification mail."""

    email: str


class EmailState(TypedDict):
    """The current address, and the new one if it is not confirmed yet."""

    email: str
    pending: "PendingEmail | None"


class EmailUndone(TypedDict):
    """The change is undone; the reset token sets a new password."""

    message: str
    reset_token: str


class EmailVerified(TypedDict):
    """The address is verified; the exchange token signs in without a password."""

    message: str
    exchange_token: str | None


class EmailVerifyRequest(TypedDict):
    """The token from the verification mail."""

    token: str


class ExchangeTokenRequest(TypedDict):
    """The exchange token from the email verification."""

    exchange_token: str
    terms_accepted: NotRequired[bool | None]
    privacy_policy_accepted: NotRequired[bool | None]


class Exchanged(TypedDict):
    """New tokens for the one who has proven their address."""

    access_token: str
    access: str
    expires_in: int
    token_type: str
    refresh: NotRequired[str]
    device_id: NotRequired[str]
    user_id: str
    email: str
    first_login: bool
    message: str


class ExportDownloadRequest(TypedDict):
    """The token from the mail."""

    token: str


class ExportState(TypedDict):
    """The state of the export."""

    state: "ExportStatus"
    requested_at: str | None
    available_until: str | None


class Health(TypedDict):
    """The state of the service."""

    status: "HealthStatus"
    database: str
    cache: str
    timestamp: str
    checks: "HealthChecks"


class HealthChecks(TypedDict):
    """The state of each dependency."""

    database: str
    cache: str
    celery: "Celery"


class InvitationAcceptRequest(TypedDict):
    """The token from the mail, a password, and the consents that a registration asks for."""

    token: str
    password: str
    password_confirm: NotRequired[str | None]
    terms_accepted: NotRequired[bool | None]
    privacy_policy_accepted: NotRequired[bool | None]


class Live(TypedDict):
    """The process is running."""

    status: str


class LoginRequest(TypedDict):
    """A sign-in."""

    email_or_username: NotRequired[str | None]
    email: NotRequired[str | None]
    username: NotRequired[str | None]
    password: str
    remember_me: NotRequired[bool | None]
    device_name: NotRequired[str | None]
    otp: NotRequired[str | None]
    terms_accepted: NotRequired[bool | None]
    privacy_policy_accepted: NotRequired[bool | None]
    restore: NotRequired[bool | None]


class LogoutRequest(TypedDict):
    """The refresh token, if the access token has expired."""

    refresh: NotRequired[str | None]


class Message(TypedDict):
    """A message for the user."""

    message: str


class Notices(TypedDict):
    """Whether the user wants mails other than security mails."""

    notices: bool


class NoticesRequest(TypedDict):
    """Whether the user wants mails other than security mails."""

    notices: bool


class PasswordChangeRequest(TypedDict):
    """The current password and the new one."""

    new_password: str
    new_password_confirm: NotRequired[str | None]
    old_password: str


class PasswordChanged(TypedDict):
    """New tokens for the device that made the change; every older one is dead."""

    access_token: str
    access: str
    expires_in: int
    token_type: str
    refresh: NotRequired[str]
    device_id: NotRequired[str]
    message: str


class PasswordResetConfirmRequest(TypedDict):
    """The token from the mail, and the new password."""

    new_password: str
    new_password_confirm: NotRequired[str | None]
    token: str


class PasswordResetDone(TypedDict):
    """A sentence for the person, and what the device is known by from now on."""

    message: str
    device_id: NotRequired[str]


class PasswordResetRequest(TypedDict):
    """The address to send the reset link to."""

    email: str


class PatchedProfileUpdateRequest(TypedDict):
    """The fields to change; fields left out keep their values."""

    username: NotRequired[str | None]
    first_name: NotRequired[str | None]
    last_name: NotRequired[str | None]
    display_name: NotRequired[str | None]
    timezone: NotRequired[str | None]
    visibility: NotRequired["AcceptedVisibility | None"]
    profile_visibility: NotRequired["AcceptedVisibility | None"]
    language: NotRequired["str | None"]


class PatchedSessionRenameRequest(TypedDict):
    """Another name for a device."""

    device_name: str


class PendingEmail(TypedDict):
    """A new address that is not confirmed yet."""

    email: str
    requested_at: str


class Problem(TypedDict):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    error: str
    errors: NotRequired[dict[str, list[str]]]
    details: dict[str, list[str]]
    mfa_token: NotRequired[str]
    mfa_methods: NotRequired[list[str]]
    deletion_at: NotRequired[str]
    documents: NotRequired[dict[str, str]]
    correlation_id: str


class Profile(TypedDict):
    """The profile of the signed-in user."""

    id: str
    email: str
    username: str
    first_name: str
    last_name: str
    email_verified: bool
    display_name: str
    display_name_or_email: str
    timezone: str
    visibility: "Visibility"
    profile_visibility: "ProfileVisibility"
    language: str
    consents: "Consents"
    created_at: str
    date_joined: str


class ReauthenticateRequest(TypedDict):
    """A code if the account has a second factor, else the password."""

    password: NotRequired[str | None]
    otp: NotRequired[str | None]


class Reauthenticated(TypedDict):
    """For how long the proof of identity is valid."""

    message: str
    expires_in: int


class RecoveryCodes(TypedDict):
    """New recovery codes, for use without the app."""

    message: str
    recovery_codes: list[str]


class RegisterRequest(TypedDict):
    """The data of a new account."""

    email: str
    password: str
    password_confirm: NotRequired[str | None]
    username: NotRequired[str | None]
    first_name: NotRequired[str | None]
    last_name: NotRequired[str | None]
    display_name: NotRequired[str | None]
    timezone: NotRequired[str | None]
    terms_accepted: NotRequired[bool | None]
    privacy_policy_accepted: NotRequired[bool | None]


class Registered(TypedDict):
    """The response to a registration, the same for new and for taken addresses."""

    message: str
    user_id: str
    email: str


class SecondFactorConfirmRequest(TypedDict):
    """The first code from the app."""

    otp: str


class SecondFactorOffer(TypedDict):
    """A new secret for an authenticator app."""

    secret: str
    otpauth_url: str
    qr_svg: str


class SecondFactorRemovalTokenRequest(TypedDict):
    """The token from the mail about the removal."""

    token: str


class SecondFactorSetupRequest(TypedDict):
    """The current password."""

    password: str


class SecondFactorStatus(TypedDict):
    """The state of the second factor."""

    enabled: bool
    enabled_at: str | None
    recovery_codes_left: int
    session_verified: bool


class SecondFactorVerifyRequest(TypedDict):
    """The token of an unfinished sign-in, and one code."""

    mfa_token: str
    otp: NotRequired[str | None]
    recovery_code: NotRequired[str | None]


class Session(TypedDict):
    """A session: a device that is signed in."""

    id: str
    device_name: str
    device_type: str
    browser: str
    operating_system: str
    device_fingerprint: str
    user_agent: str
    ip_address: str | None
    city: str
    country: str
    is_active: bool
    is_current: bool
    created_at: str
    last_activity_at: str
    expires_at: str


class SessionList(TypedDict):
    """The active sessions, most recently used first."""

    sessions: "list[Session]"


class SignedIn(TypedDict):
    """New tokens, and whose they are."""

    access_token: str
    access: str
    expires_in: int
    token_type: str
    refresh: NotRequired[str]
    device_id: NotRequired[str]
    user: "SignedInUser"


class SignedInUser(TypedDict):
    """The user who signed in."""

    id: str
    email: str
    username: str
    first_name: str
    last_name: str
    email_verified: bool
    password_breached: NotRequired[bool]


class Terminated(TypedDict):
    """The number of ended sessions."""

    message: str
    terminated_count: int


class TokenPair(TypedDict):
    """New tokens."""

    access_token: str
    access: str
    expires_in: int
    token_type: str
    refresh: NotRequired[str]


class TokenRefreshRequest(TypedDict):
    """The refresh token of an app; browsers send it in a cookie."""

    refresh: NotRequired[str | None]


class TokenVerifyRequest(TypedDict):
    """The access token to verify."""

    token: NotRequired[str | None]


class Versions(TypedDict):
    """The version of each document."""

    terms: NotRequired[str]
    privacy_policy: NotRequired[str]
