"""Celery tasks. Each calls one service function, may run twice and takes no secret as argument."""

from typing import Any

from celery import Task, shared_task

from authentication.services.accounts import DeletionService, ExportService
from authentication.services.admin_pages import BulkActionService
from authentication.services.admin_pages import count_events as count_new_events
from authentication.services.anomalies import AnomalyService
from authentication.services.audit import AuditSealService
from authentication.services.background import record_failed_task
from authentication.services.mail import EmailService
from authentication.services.operations import RetentionService, mail_newest_seal
from authentication.services.passwords import check_breach as check
from authentication.services.sign_in import LockReportService, SecondFactorRemovalService
from authentication.utils.pwned import Unavailable

_CLEANING_SECONDS = _COUNTING_SECONDS = 20


class ServiceTask(Task):
    """A task that is recorded when it fails for good."""

    abstract = True

    def on_failure(
        self, exc: BaseException, task_id: str, args: Any, kwargs: Any, einfo: Any
    ) -> None:
        record_failed_task(self.name, args, error=exc)


@shared_task(base=ServiceTask)
def deliver_email(email_id: str) -> None:
    """Send a mail of the outbox."""
    EmailService.deliver(email_id)


@shared_task(base=ServiceTask)
def sweep_outbox() -> None:
    """Send the mails that are due."""
    EmailService.sweep()


# The export's lease is longer (models/account_export.py).
@shared_task(base=ServiceTask, soft_time_limit=15 * 60, time_limit=16 * 60)
def build_export(export_id: str) -> None:
    """Build a copy of a user's personal data."""
    ExportService.build(export_id)


@shared_task(base=ServiceTask)
def sweep_exports() -> None:
    """Start the builds of copies that were interrupted."""
    ExportService.sweep()


@shared_task(base=ServiceTask)
def erase_account(user_id: str) -> None:
    """Erase an account that could not be erased before."""
    DeletionService.erase(user_id)


@shared_task(base=ServiceTask)
def remove_second_factors() -> None:
    """Carry out the removals of second factors that are due."""
    SecondFactorRemovalService.carry_out_due()


@shared_task(base=ServiceTask)
def report_locks() -> None:
    """Tell owners of the locks of their accounts that no answer shows."""
    LockReportService.report_due()


@shared_task(base=ServiceTask)
def seal_audit_log() -> None:
    """Seal the newest events of the audit log; once a week, mail the newest seal."""
    AuditSealService.seal(seconds=_CLEANING_SECONDS)
    mail_newest_seal()


@shared_task(base=ServiceTask)
def count_events() -> None:
    """Count the new events of the audit log by hour."""
    count_new_events(seconds=_COUNTING_SECONDS)


@shared_task(base=ServiceTask)
def find_anomalies() -> None:
    """Look for unusual uses of accounts in the new events of the audit log."""
    AnomalyService.examine(seconds=_COUNTING_SECONDS)


@shared_task(base=ServiceTask)
def carry_out_bulk_action(bulk_id: str) -> None:
    """Do what staff have started for many people; what 20 seconds do not suffice for, later."""
    BulkActionService.carry_out(bulk_id, seconds=_CLEANING_SECONDS)


@shared_task(base=ServiceTask)
def sweep_bulk_actions() -> None:
    """Go on with the bulk actions that were interrupted."""
    BulkActionService.sweep()


@shared_task(base=ServiceTask)
def clean(rule: str) -> None:
    """Carry out a retention rule; what 20 seconds do not suffice for is left to another task."""
    RetentionService.clean_a_while(rule, seconds=_CLEANING_SECONDS)


# Seven tries in about two minutes. Each pause is shorter than the broker's visibility timeout.
@shared_task(
    base=ServiceTask,
    autoretry_for=(Unavailable,),
    retry_backoff=2,
    retry_backoff_max=60,
    max_retries=6,
)
def check_breach(user_id: str, changed_at: str, prefix: str, salt: str, mac: str) -> None:
    """Look a password up among breached ones."""
    check(user_id=user_id, changed_at=changed_at, prefix=prefix, salt=salt, mac=mac)
