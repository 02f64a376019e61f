"""Parser of SendGrid's signed event webhook: bounces and spam complaints."""

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

from authentication.exceptions import MalformedRequest, NotFound, PermissionRefused

BOUNCED, COMPLAINED = "bounced", "complained"
LARGEST_BYTES = 1024 * 1024
"""The size of the largest batch of events: more than the bodies of clients may have."""
# SendGrid retries for a day and signs each attempt with a new time. An older signature is a replay.
_FRESH = dt.timedelta(minutes=10)
_TIME = "X-Twilio-Email-Event-Webhook-Timestamp"


@dataclasses.dataclass(frozen=True, slots=True)
class MailEvent:
    """A bounce or a spam complaint of an address."""

    kind: str
    address: str
    at: dt.datetime


def parse_events(request: HttpRequest) -> list[MailEvent]:
    """Return the bounces and complaints in a webhook request.

    Raises NotFound if no key is configured, PermissionRefused if the signature is wrong or older
    than 10 minutes, and MalformedRequest.
    """
    if not settings.SENDGRID_WEBHOOK_KEY:
        raise NotFound
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
        return list(_relevant(hook.parse_events(request)))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise MalformedRequest from None


def _hook() -> Any:
    with warnings.catch_warnings():
        # Anymail warns that it no longer tests against SendGrid. Our tests cover the signature
        # check.
        warnings.simplefilter("ignore")
        from anymail.webhooks.sendgrid import SendGridTrackingWebhookView

        return SendGridTrackingWebhookView(
            tracking_webhook_verification_key=settings.SENDGRID_WEBHOOK_KEY
        )


def _relevant(events: list[Any]) -> Iterator[MailEvent]:
    for event in events:
        kind = _kind_of(event)
        if kind and isinstance(event.recipient, str):
            yield MailEvent(kind, event.recipient, event.timestamp or timezone.now())


def _kind_of(event: Any) -> str | None:
    if event.event_type == EventType.COMPLAINED:
        return COMPLAINED
    if event.event_type == EventType.BOUNCED:
        # "blocked" is a temporary refusal by the mail server. The address still exists.
        return None if event.esp_event.get("type") == "blocked" else BOUNCED
    if event.event_type != EventType.REJECTED:
        return None
    return BOUNCED if event.reject_reason in {RejectReason.BOUNCED, RejectReason.INVALID} else None
