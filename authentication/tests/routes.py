"""Every route of the service: who may call it, and how often."""

import dataclasses
from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver


@dataclasses.dataclass(frozen=True)
class Access:
    """Who may call a route, and the rate limit of each of its methods."""

    who: str
    limits: dict[str, str | None]


def public(**limits: str | None) -> Access:
    return Access("public", limits)


def bearer(**limits: str | None) -> Access:
    return Access("bearer", limits)


ROUTES = {
    "api/v1/auth/": public(GET=None),
    "api/v1/auth/register/": public(POST="register"),
    "api/v1/auth/login/": public(POST="login"),
    # Without a valid signature it does nothing; with one it ends the session.
    "api/v1/auth/logout/": public(POST=None),
    "api/v1/auth/reauthenticate/": bearer(POST="reauthenticate"),
    "api/v1/auth/2fa/": bearer(GET="second_factor"),
    "api/v1/auth/2fa/totp/setup/": bearer(POST="second_factor"),
    "api/v1/auth/2fa/totp/confirm/": bearer(POST="second_factor"),
    "api/v1/auth/2fa/disable/": bearer(POST="second_factor"),
    "api/v1/auth/2fa/recovery-codes/": bearer(POST="second_factor"),
    "api/v1/auth/2fa/removal/stop/": public(POST="email_undo"),
    "api/v1/auth/2fa/verify/": public(POST="second_factor_verify"),
    "api/v1/auth/token/refresh/": public(POST="token_refresh"),
    "api/v1/auth/token/verify/": public(POST="token_verify"),
    "api/v1/auth/exchange-token/": public(POST="exchange_token"),
    "api/v1/auth/password/change/": bearer(POST="password_change"),
    "api/v1/auth/password/reset/": public(POST="password_reset"),
    "api/v1/auth/password/reset/confirm/": public(POST="password_reset_confirm"),
    "api/v1/auth/invitations/accept/": public(POST="invitation_accept"),
    "api/v1/auth/email/verify/": public(POST="email_verify"),
    "api/v1/auth/email/resend/": public(POST="email_resend"),
    "api/v1/auth/email/correct/": public(POST="email_correct"),
    "api/v1/auth/csrf/": public(GET="csrf"),
    "api/v1/auth/sessions/": bearer(GET="sessions"),
    "api/v1/auth/sessions/terminate-all/": bearer(POST="sessions_terminate_all"),
    "api/v1/auth/sessions/<id:session_id>/": bearer(
        GET="sessions", PATCH="sessions", DELETE="sessions_terminate"
    ),
    # Operations may ask as often as they like.
    "api/v1/auth/health/": public(GET=None),
    "api/v1/auth/health/live/": public(GET=None),
    "api/v1/auth/account/activity/": bearer(GET="activity"),
    "api/v1/auth/account/activity/<id:event_id>/disown/": bearer(POST="activity_disown"),
    "api/v1/auth/account/consents/": bearer(GET="consents", POST="consents"),
    "api/v1/auth/account/email/": bearer(GET=None, POST="email_change", DELETE=None),
    "api/v1/auth/account/email/confirm/": public(POST="email_verify"),
    "api/v1/auth/account/email/undo/": public(POST="email_undo"),
    "api/v1/auth/account/change/undo/": public(POST="session_disown"),
    "api/v1/auth/account/delete/": bearer(POST="account_data"),
    "api/v1/auth/account/export/": bearer(GET=None, POST="account_data"),
    "api/v1/auth/account/export/download/": bearer(POST="account_data"),
    "api/v1/auth/account/notices/": bearer(GET=None, PUT="notices"),
    # The provider signs its requests and sends as many as there are bounces.
    "api/v1/auth/mail-events/sendgrid/": public(POST=None),
    "api/v1/auth/account/disown-session/": public(POST="session_disown"),
    "api/v1/profiles/me/": bearer(GET=None, PATCH="profile"),
    "api/schema/": public(GET=None),
    "api/docs/": public(GET=None),
    "api/redoc/": public(GET=None),
    "api/problems/": public(GET=None),
    "api/problems/<slug:code>/": public(GET=None),
    "^api(/|$)": public(),
    "metrics": public(GET=None),
    **{
        f"account/{page}": public(GET=None)
        for page in (
            *("", "sign-up/", "check-email/", "welcome/", "sign-in/", "devices/", "password/"),
            *("email/", "profile/", "two-step/", "activity/", "notices/", "data/"),
        )
    },
    "account/verify-email/": public(GET=None, POST="email_verify"),
    "account/resend-verification/": public(GET=None, POST="email_resend"),
    "account/forgot-password/": public(GET=None, POST="password_reset"),
    "account/reset-password/": public(GET=None, POST="password_reset_confirm"),
    "account/confirm-email/": public(GET=None, POST="email_verify"),
    "account/undo-email/": public(GET=None, POST="email_undo"),
    "account/undo-change/": public(GET=None, POST="session_disown"),
    "account/download-export/": public(GET=None, POST="account_data"),
    "account/keep-second-factor/": public(GET=None, POST="email_undo"),
    "account/unsubscribe/": public(GET=None, POST="notices"),
    "account/accept-invitation/": public(GET=None, POST="invitation_accept"),
    "account/not-me/": public(GET=None, POST="session_disown"),
    ".well-known/change-password": public(GET=None),
    ".well-known/security.txt": public(GET=None),
    "favicon.ico": public(GET=None),
    "": public(GET=None),
}
ADMIN_SITE = {
    "admin/": "admin session",
    "admin/login/": "public",
    "admin/set-up-two-step/": "enrolment",
    "admin/confirm/": "admin session",
    "admin/logout/": "admin session",
    "admin/password_change/": "admin session",
    "admin/password_change/done/": "admin session",
    "admin/autocomplete/": "admin session",
    "admin/jsi18n/": "admin session",
    "admin/r/<path:content_type_id>/<path:object_id>/": "admin session",
    "admin/^(?P<app_label>authentication|auth)/$": "admin session",
    "admin/(?P<url>.*)$": "admin session",
}
ADMIN_TABLES = {
    "authentication/accountexport",
    "authentication/actiontoken",
    "authentication/auditlog",
    "authentication/bulkaction",
    "authentication/outgoingemail",
    "authentication/usersession",
    "authentication/tokenblacklist",
    "authentication/consent",
    "authentication/emailchange",
    "authentication/failedtask",
    "authentication/invitation",
    "authentication/emailverificationtoken",
    "authentication/passwordresettoken",
    "authentication/passwordhistory",
    "authentication/secondfactorremoval",
    "authentication/user",
    "authentication/sensitivechange",
    "authentication/userprofile",
    "auth/group",
}
TABLE_PAGES = (
    "",
    "add/",
    "<path:object_id>/",
    *(f"<path:object_id>/{it}/" for it in ("history", "delete", "change")),
)
PEOPLE_PAGES = (
    "find/",
    "find/suggestions/",
    "<uuid:user_id>/person/",
    "<uuid:user_id>/person/<slug:name>/",
    "<uuid:user_id>/person/devices/<uuid:session_id>/",
)
BULK_PAGES = ("start", "stop", "progress")
ADMIN_ROUTES = {
    **ADMIN_SITE,
    **{
        f"admin/authentication/bulkaction/<uuid:bulk_id>/{page}/": "admin session"
        for page in BULK_PAGES
    },
    "admin/authentication/auditlog/search/": "admin session",
    "admin/authentication/invitation/import/": "admin session",
    **{f"admin/authentication/user/{page}": "admin session" for page in PEOPLE_PAGES},
    **{f"admin/{table}/{page}": "admin session" for table in ADMIN_TABLES for page in TABLE_PAGES},
}


def routes() -> dict[str, URLPattern]:
    """Return every route of the service with its pattern."""
    return dict(_below(get_resolver().url_patterns, ""))


def _below(patterns: list[Any], prefix: str) -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        route = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from _below(pattern.url_patterns, route)
        else:
            yield route, pattern


def view_at(route: str) -> Any:
    answers: Any = routes()[route].callback
    return getattr(answers, "view_class", None) or answers.cls
