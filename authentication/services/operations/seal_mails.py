"""Mails the newest seal of the audit log to the owners, once a week."""

import datetime as dt

from django.db import transaction
from django.utils import timezone

from authentication.models import AuditSeal, User
from authentication.services.mail import EmailService, Kind

_WEEK = dt.timedelta(days=7)


def mail_newest_seal() -> int:
    """Mail the newest seal to each superuser if a week has passed; return how many mails."""
    now = timezone.now()
    newest = AuditSeal.objects.order_by("-number").first()
    mailed = AuditSeal.objects.filter(mailed_at__isnull=False).order_by("-number").first()
    if newest is None or (mailed and mailed.mailed_at and mailed.mailed_at > now - _WEEK):
        return 0
    with transaction.atomic():
        # Of two callers at once, one claims the seal.
        if not AuditSeal.objects.filter(pk=newest.pk, mailed_at=None).update(mailed_at=now):
            return 0
        owners = User.objects.filter(is_superuser=True, is_active=True).values_list("pk", flat=True)
        for owner in owners:
            EmailService.queue(
                Kind.AUDIT_SEAL, user_id=owner, seal=str(newest), when=newest.sealed_at.isoformat()
            )
    return len(owners)
