"""Proving an email address."""

from typing import NoReturn

from django.db import transaction
from django.utils import timezone

from authentication.exceptions import LinkInvalid, ServiceUnavailable
from authentication.models import EmailVerificationToken, User
from authentication.services.audit import Event, Risk, record
from authentication.services.mail import EmailService, Kind
from authentication.services.sign_in import new_exchange_token, remember_network
from authentication.utils.client import ClientInfo
from authentication.utils.crypto import digest
from authentication.utils.identifiers import canonical_email


class EmailVerificationService:
    """Proving an email address."""

    @staticmethod
    def verify(*, token: str, client: ClientInfo) -> str | None:
        """Spend the token of a mail, mark its address as proven, and return an exchange token.

        None stands for the exchange token while it cannot be kept; the person signs in with their
        password then.

        Raises LinkInvalid if the token is unknown, used, voided or expired, or was for an address
        since changed.
        """
        now = timezone.now()
        found = (
            EmailVerificationToken.objects.select_related("user")
            .filter(token=digest(token))
            .first()
        )
        if (
            found is None
            or not found.user.is_active
            or canonical_email(found.email) != found.user.email_canonical
        ):
            _refuse(client)
        with transaction.atomic():
            # The account before its tokens, as everybody does it: the next link, being mailed now,
            # voids this one.
            User.objects.hold(found.user_id)
            spent = EmailVerificationToken.objects.spend(token, at=now)
            if spent:
                User.objects.verify_email(found.user_id, at=now)
                record(Event.EMAIL_VERIFIED, user_id=found.user_id, client=client)
        if not spent:
            _refuse(client)
        remember_network(found.user, client)
        try:
            return new_exchange_token(found.user)
        except ServiceUnavailable:
            return None

    @staticmethod
    def resend(*, email: str, client: ClientInfo) -> None:
        """Mail the link once more if an account waits for it; the same work is done if none does."""
        user = User.objects.identified_by(canonical_email(email)).only("pk").first()
        user_id = user.pk if user else None
        with transaction.atomic():
            record(Event.EMAIL_RESEND, user_id=user_id, client=client)
            EmailService.queue(Kind.VERIFICATION, user_id=user_id)


def _refuse(client: ClientInfo) -> NoReturn:
    record(
        Event.EMAIL_VERIFICATION_FAILED,
        user_id=None,
        client=client,
        risk=Risk.MEDIUM,
        success=False,
    )
    raise LinkInvalid
