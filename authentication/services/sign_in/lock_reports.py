"""Reports locks of accounts that no answer shows, by schedule and not within a request."""

from django.utils import timezone

from authentication.models import User
from authentication.services.acting import locked_account
from authentication.services.audit import Event, Risk, record
from authentication.services.mail import EmailService, Kind
from authentication.utils.client import ClientInfo


class LockReportService:
    """Reports of locks, to the audit log and to the owner."""

    @staticmethod
    def report_due() -> None:
        """Report the locks that wrong passwords set, by several names or over hours.

        The answers to those passwords look like any other. So must their time: the event and the
        mail would tell that the name has an account.
        """
        for user in User.objects.locks_to_report(at=timezone.now()):
            _report(user)


def _report(user: User) -> None:
    with locked_account(user.pk):
        # Another replica may have reported it, or a reset lifted it.
        if User.objects.locks_to_report(at=timezone.now()).filter(pk=user.pk).exists():
            record(Event.ACCOUNT_LOCKED, user_id=user.pk, client=ClientInfo(), risk=Risk.HIGH)
            EmailService.queue(Kind.ACCOUNT_LOCKED, user_id=user.pk)
