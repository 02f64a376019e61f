"""What SendGrid says became of mails: signed by it, in Anymail's words."""

import dataclasses
import datetime as dt
import warnings
from collections.abc import Iterator
from typing import Any

from anymail.exceptions import AnymailWebhookValidationFailure
from anymail.signals import EventType, RejectReason
from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from authentication.exceptions import MalformedRequest, NotFound, PayloadTooLarge, PermissionRefused

BOUNCED, COMPLAINED = "bounced", "complained"
LARGEST_BYTES = 1024 * 1024
# The provider sends again for a day what was not taken, with a new time; what is older was recorded
# by somebody.
_FRESH = dt.timedelta(minutes=10)
_TIME = "X-Twilio-Email-Event-Webhook-Timestamp"


@dataclasses.dataclass(frozen=True, slots=True)
class MailEvent:
    """That an address takes no mail, or that its reader called ours unwanted."""

    kind: str
    address: str
    at: dt.datetime


def parse_events(request: HttpRequest) -> list[MailEvent]:
    """Return what a genuine call tells of addresses that should not be written to any more.

    Raises NotFound where no key is set, PermissionRefused for a signature that is wrong or old,
    PayloadTooLarge, and MalformedRequest.
    """
    if not settings.SENDGRID_WEBHOOK_KEY:
        raise NotFound
    body = request.read(LARGEST_BYTES + 1)
    if len(body) > LARGEST_BYTES:
        raise PayloadTooLarge
    # Events come in batches that are larger than any body of a client may be.
    request._body = body  # noqa: SLF001 -- where Django keeps what was read
    hook = _hook()
    try:
        hook.validate_request(request)
    except (AnymailWebhookValidationFailure, ValueError):
        raise PermissionRefused from None
    sent_at = request.headers.get(_TIME, "")
    if (
        not sent_at.isdigit()
        or abs(timezone.now().timestamp() - int(sent_at)) > _FRESH.total_seconds()
    ):
        raise PermissionRefused
    try:
        return list(_told(hook.parse_events(request)))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise MalformedRequest from None


def _hook() -> Any:
    with warnings.catch_warnings():
        # Anymail says that it has no account at SendGrid any more to test with; its signature check
        # is tested here.
        warnings.simplefilter("ignore")
        from anymail.webhooks.sendgrid import SendGridTrackingWebhookView

        return SendGridTrackingWebhookView(
            tracking_webhook_verification_key=settings.SENDGRID_WEBHOOK_KEY
        )


def _told(events: list[Any]) -> Iterator[MailEvent]:
    for event in events:
        kind = _kind_of(event)
        if kind and isinstance(event.recipient, str):
            yield MailEvent(kind, event.recipient, event.timestamp or timezone.now())


def _kind_of(event: Any) -> str | None:
    if event.event_type == EventType.COMPLAINED:
        return COMPLAINED
    if event.event_type == EventType.BOUNCED:
        # A "blocked" one is the server's mood and not the address's end.
        return None if event.esp_event.get("type") == "blocked" else BOUNCED
    if event.event_type != EventType.REJECTED:
        return None
    return BOUNCED if event.reject_reason in {RejectReason.BOUNCED, RejectReason.INVALID} else None
