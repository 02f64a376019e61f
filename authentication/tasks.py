"""What Celery runs. Each task calls one service function; no argument is a secret."""

from celery import shared_task

from .services.breach import check_breach as check
from .services.email import EmailService
from .utils.pwned import Unavailable


@shared_task
def deliver_email(email_id: str) -> None:
    """Send a mail of the outbox."""
    EmailService.deliver(email_id)


@shared_task
def sweep_outbox() -> None:
    """Send what is due and was left lying."""
    EmailService.sweep()


# Seven tries in about two minutes; each pause is shorter than the broker's visibility timeout.
@shared_task(autoretry_for=(Unavailable,), retry_backoff=2, retry_backoff_max=60, max_retries=6)
def check_breach(user_id: str, changed_at: str, prefix: str, salt: str, mac: str) -> None:
    """Look a password up among those known from breaches."""
    check(user_id=user_id, changed_at=changed_at, prefix=prefix, salt=salt, mac=mac)
