"""Everything that the page of one person shows."""

import dataclasses
import datetime as dt
from collections.abc import Collection

from django.utils.translation import gettext

from authentication.models import (
    AuditLog,
    Consent,
    OutgoingEmail,
    SecondFactorRemoval,
    StaffNote,
    User,
    UserSession,
)
from authentication.utils.device_words import spoken
from authentication.utils.places import words_of, words_of_address

from .choice_words import words_of_choice
from .event_words import STATES_OF_MAIL, text_of
from .facts import names_of
from .words import day, moment, name_of

_DEVICES, _EVENTS, _MAILS, _CONSENTS, _NOTES = 50, 20, 10, 10, 20


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One row of a part of the page."""

    when: str
    text: str
    more: str = ""
    is_grave: bool = False
    session: str = ""
    """The id of the device's session."""


def devices_of(user: User, *, at: dt.datetime) -> list[Line]:
    """Return where a person is signed in, the latest used first."""
    live = UserSession.objects.filter(user=user).live(at=at)
    return [
        Line(
            moment(it.last_activity_at, at=at),
            spoken(it.device_name or it.browser) or gettext("Unknown device"),
            _joined(
                spoken(it.browser),
                it.operating_system,
                words_of(country=it.country, city=it.city),
                it.ip_address,
            ),
            session=str(it.pk),
        )
        for it in live.order_by("-last_activity_at")[:_DEVICES]
    ]


def events_of(user: User, *, at: dt.datetime) -> list[Line]:
    """Return the latest events of an account, with who acted and why if staff did."""
    events = list(AuditLog.objects.filter(user=user).shown().order_by("-timestamp")[:_EVENTS])
    return described(events, at=at)


def described(events: Collection[AuditLog], *, at: dt.datetime) -> list[Line]:
    """Return events in words, with who acted and why if staff did."""
    actors = names_of({str(it.metadata.get("actor", "")) for it in events})
    return [
        Line(
            moment(it.timestamp, at=at),
            text_of(it),
            _about(it, actors),
            is_grave=it.risk_level in {AuditLog.Risk.HIGH, AuditLog.Risk.CRITICAL},
        )
        for it in events
    ]


def mails_to(user: User, *, at: dt.datetime) -> list[Line]:
    """Return the latest mails to a person."""
    mails = OutgoingEmail.objects.filter(user=user).order_by("-created_at")[:_MAILS]
    return [
        Line(
            moment(it.sent_at or it.created_at, at=at),
            words_of_choice(it.get_kind_display()),
            str(STATES_OF_MAIL.get(it.status, it.status)),
            is_grave=it.status == OutgoingEmail.Status.DEAD,
        )
        for it in mails
    ]


def consents_of(user: User, *, at: dt.datetime) -> list[Line]:
    """Return what a person has agreed to."""
    found = Consent.objects.filter(user=user).order_by("-accepted_at")[:_CONSENTS]
    return [
        Line(
            day(it.accepted_at, at=at),
            words_of_choice(it.get_document_display()),
            gettext("version {version}").format(version=it.version),
        )
        for it in found
    ]


def notes_about(user: User, *, at: dt.datetime) -> list[Line]:
    """Return the latest notes of staff about a person."""
    notes = StaffNote.objects.filter(user=user).select_related("author").order_by("-written_at")
    return [
        Line(
            moment(it.written_at, at=at),
            it.text,
            _by(name_of(it.author)) if it.author else gettext("by a former member of staff"),
        )
        for it in notes[:_NOTES]
    ]


def removal_of(user: User) -> SecondFactorRemoval | None:
    """Return the removal of the second factor that waits for a second member of staff."""
    pending = SecondFactorRemoval.objects.pending().filter(user=user)
    return pending.select_related("requested_by").first()


def _about(event: AuditLog, actors: dict[str, str]) -> str:
    facts = event.metadata
    by = str(facts.get("actor", ""))
    name = actors.get(by)
    actor = name if by == "command line" or not name else _by(name)
    # Without an actor it is no sentence of staff, but a word of the service.
    reason = f"“{facts['reason']}”" if actor and "reason" in facts else ""
    where = words_of_address(event.ip_address)
    return _joined(actor, reason, spoken(str(facts.get("device", ""))), where, event.ip_address)


def _by(name: str) -> str:
    return gettext("by {name}").format(name=name)


def _joined(*parts: object) -> str:
    return ", ".join(str(it) for it in parts if it)
