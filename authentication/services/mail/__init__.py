"""Mail: the outbox, rendering, delivery, bounces and unsubscribing."""

from .deliverability import DeliverabilityService
from .file_backend import forget_mails
from .outbox import EmailService, Kind
from .unsubscribe import person_of

__all__ = [
    "DeliverabilityService",
    "EmailService",
    "Kind",
    "forget_mails",
    "person_of",
]
