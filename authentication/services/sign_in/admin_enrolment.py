"""The second factor of staff who lack one, set up on the way into the admin."""

import dataclasses
import datetime as dt
import uuid

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from authentication.exceptions import EmailNotVerified, SessionOver
from authentication.models import TokenBlacklist, User, UserSession
from authentication.services.acting import acting
from authentication.services.audit import Event
from authentication.utils.client import ClientInfo

from .admin_admission import FactorMissing, check_staff, record_admin_login
from .factor_enrolment import Offer, confirm_factor, offer_factor
from .opening import Opening, open_session


@dataclasses.dataclass(frozen=True, slots=True)
class Enrolment:
    """A second factor that waits for its first code, in a session without tokens."""

    session_id: uuid.UUID
    offer: Offer
    device_id: str


class AdminEnrolmentService:
    """Setting up a second factor with the password that the admin's sign-in has just proven.

    It is the API's own way: a session, whose unknown device is mailed, an offered seed that wants
    the password, and a change that is audited, mailed and can be undone.
    """

    @staticmethod
    def begin(missing: FactorMissing, *, password: str, client: ClientInfo) -> Enrolment:
        """Open a session for the enrolment and offer a seed.

        No client gets the session's tokens. It ends with the enrolment, or when the proof of the
        password is no longer recent.

        Raises EmailNotVerified, InvalidCredentials if the account has changed meanwhile.
        """
        user, now = missing.user, timezone.now()
        if not user.email_verified:
            raise EmailNotVerified
        opening = Opening(
            Event.LOGIN,
            proven_at=now,
            password_proven_at=now,
            is_sign_in=False,
            lifetime=settings.REAUTHENTICATION_LIFETIME,
        )
        with transaction.atomic():
            opened = open_session(user, opening, client=client, at=now)
        session = opened.session
        offer = offer_factor(session, password=password, client=client)
        return Enrolment(session.pk, offer, opened.device_id)

    @staticmethod
    def finish(session_id: uuid.UUID, *, otp: str, client: ClientInfo) -> tuple[User, list[str]]:
        """Put the factor in force; return the member of staff and the recovery codes.

        Raises SessionOver and ReauthenticationRequired if the enrolment is over, ValidationFailed
        for a wrong code, PermissionRefused for people who are no longer staff.
        """
        now = timezone.now()
        session = _session_of(session_id, at=now)
        check_staff(session.user, client=client, wants_factor=False)
        codes = confirm_factor(session, otp=otp, client=client)
        with acting(session) as user:
            UserSession.objects.filter(pk=session.pk).end(
                reason=TokenBlacklist.Reason.LOGOUT, at=timezone.now()
            )
            record_admin_login(user, client=client)
        user.proven_by_factor = True
        return user, codes


def _session_of(session_id: uuid.UUID, *, at: dt.datetime) -> UserSession:
    live = UserSession.objects.select_related("user").live(at=at)
    session: UserSession | None = live.filter(pk=session_id).first()
    if session is None:
        raise SessionOver
    return session
