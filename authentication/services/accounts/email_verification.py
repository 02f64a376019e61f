"""Proving an email address."""

from django.db import transaction
from django.utils import timezone

from authentication.exceptions import ServiceUnavailable
from authentication.models import EmailVerificationToken, User
from authentication.services.attempt_limit import UNLIMITED, AttemptLimit, count_attempt
from authentication.services.audit import Event, record
from authentication.services.mail import EmailService, Kind
from authentication.services.redeem import Redemption
from authentication.services.sign_in import new_exchange_token
from authentication.utils.client import ClientInfo
from authentication.utils.identifiers import canonical_email


class EmailVerificationService:
    """Proving an email address."""

    @staticmethod
    def verify(*, token: str, client: ClientInfo, limit: AttemptLimit = UNLIMITED) -> str | None:
        """Spend a mailed token, store that its address is proven, and return an exchange token.

        None stands for the exchange token while the cache cannot keep one: the user signs in with
        the password then.

        Raises LinkInvalid if the token is unknown, used, void or expired, or of another address.
        """
        now = timezone.now()
        redemption = Redemption(
            EmailVerificationToken.objects.all(),
            token,
            failure=Event.EMAIL_VERIFICATION_FAILED,
            client=client,
            at=now,
            limit=limit,
        )
        with redemption.spend() as row:
            User.objects.verify_email(row.user_id, at=now)
            record(Event.EMAIL_VERIFIED, user_id=row.user_id, client=client)
        try:
            return new_exchange_token(row.user)
        except ServiceUnavailable:
            return None

    @staticmethod
    def resend(*, email: str, client: ClientInfo, limit: AttemptLimit = UNLIMITED) -> None:
        """Mail the link again to an account that waits for it; others cost the same work.

        Raises RateLimited.
        """
        user = User.objects.identified_by(canonical_email(email)).only("pk").first()
        user_id = user.pk if user else None
        count_attempt(limit, client, user_id)
        with transaction.atomic():
            record(Event.EMAIL_RESEND, user_id=user_id, client=client)
            EmailService.queue(Kind.VERIFICATION, user_id=user_id)
