"""Mail: the outbox, rendering, delivery, bounces and unsubscribing."""

from .deliverability import DeliverabilityService
from .file_backend import delete_mail_files
from .mailbox import Mail, MailboxService
from .outbox import EmailService, Kind
from .unsubscribe import read_unsubscribe_token

__all__ = [
    "DeliverabilityService",
    "EmailService",
    "Kind",
    "Mail",
    "MailboxService",
    "delete_mail_files",
    "read_unsubscribe_token",
]
