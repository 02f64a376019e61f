"""What Celery runs. Each task calls one service function, may run twice, and has no secret among its arguments."""

from typing import Any

from celery import Task, shared_task

from authentication.services.accounts import DeletionService, ExportService
from authentication.services.background import bury
from authentication.services.mail import EmailService
from authentication.services.operations import RetentionService
from authentication.services.passwords import check_breach as check
from authentication.utils.pwned import Unavailable

_CLEANING_SECONDS = 20


class ServiceTask(Task):
    """A task that leaves a dead letter when it fails for good."""

    abstract = True

    def on_failure(
        self, exc: BaseException, task_id: str, args: Any, kwargs: Any, einfo: Any
    ) -> None:
        bury(self.name, args, error=exc)


@shared_task(base=ServiceTask)
def deliver_email(email_id: str) -> None:
    """Send a mail of the outbox."""
    EmailService.deliver(email_id)


@shared_task(base=ServiceTask)
def sweep_outbox() -> None:
    """Have everything sent that is due and was left lying."""
    EmailService.sweep()


@shared_task(base=ServiceTask)
def build_export(export_id: str) -> None:
    """Make a person's copy of their data."""
    ExportService.build(export_id)


@shared_task(base=ServiceTask)
def sweep_exports() -> None:
    """Have the copies made whose task was lost."""
    ExportService.sweep()


@shared_task(base=ServiceTask)
def erase_accounts() -> None:
    """Erase the accounts whose days of grace are over."""
    DeletionService.erase_due()


@shared_task(base=ServiceTask)
def clean(rule: str) -> None:
    """Forget what a rule of retention says; what takes long is gone on with by a task of its own."""
    RetentionService.clean_a_while(rule, seconds=_CLEANING_SECONDS)


# Seven tries in about two minutes; each pause is shorter than the broker's visibility timeout.
@shared_task(
    base=ServiceTask,
    autoretry_for=(Unavailable,),
    retry_backoff=2,
    retry_backoff_max=60,
    max_retries=6,
)
def check_breach(user_id: str, changed_at: str, prefix: str, salt: str, mac: str) -> None:
    """Look a password up among those known from breaches."""
    check(user_id=user_id, changed_at=changed_at, prefix=prefix, salt=salt, mac=mac)
