"""Taking sensitive changes back: what is undone, and which links and sessions end with it.

The right to undo a change is older than everything done after the change. So it takes back all
later changes of its kind, or of all kinds if it is about the address or about a device. Links to
undo an earlier change stay valid.
"""

import dataclasses
import datetime as dt
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from authentication.exceptions import ValidationFailed
from authentication.models import ActionToken, EmailChange, SensitiveChange, User, UserSession
from authentication.models.sensitive_change import UNDO_LIFETIME
from authentication.services.revocation import void_exports
from authentication.services.sign_in import remove_second_factor, stop_pending_removal
from authentication.utils.clock import LEEWAY

from .addresses import move
from .reserved_usernames import rename

Kind = SensitiveChange.Kind
_Action = ActionToken.Action


@dataclasses.dataclass(slots=True)
class Reversal:
    """Since when the changes of each kind are undone, and since when sessions are not trusted."""

    user: User
    at: dt.datetime
    since: dict[str, dt.datetime] = dataclasses.field(default_factory=dict)
    opened_since: dt.datetime | None = None

    @classmethod
    def of_email_change(cls, change: EmailChange, *, at: dt.datetime) -> "Reversal":
        """Return the reversal of a change of address, of all since, and of its session's others."""
        reversal = cls(change.user, at)
        reversal._include_everything_since(change.requested_at)
        # Exactly: the change before it may be seconds older, and has a link of its own.
        reversal.since[Kind.EMAIL] = change.requested_at
        undoable = SensitiveChange.objects.undoable(change.user.pk, at=at)
        made = undoable.filter(kind=Kind.EMAIL, details__change=str(change.pk)).first()
        if made and made.session_id:
            others = undoable.filter(session_id=made.session_id).exclude(kind=Kind.EMAIL)
            reversal._include(others)
        return reversal

    @classmethod
    def of_session(
        cls, user: User, session_id: str | None, *, at: dt.datetime, but: uuid.UUID | None = None
    ) -> "Reversal":
        """Return the reversal of all changes made by a session, or since it was opened.

        With `but` it begins at the first of these that another session made.
        """
        reversal = cls(user, at)
        if not session_id:
            return reversal
        opened = UserSession.objects.filter(user=user, pk=session_id)
        created_at = opened.values_list("created_at", flat=True).first()
        begin = max(created_at or at, at - UNDO_LIFETIME)
        if but is None:
            reversal._include_everything_since(begin)
        made = Q(session_id=session_id) | Q(made_at__gte=begin - LEEWAY)
        kept = Q(session_id=but) & ~Q(session_id=session_id)
        undoable = SensitiveChange.objects.undoable(user.pk, at=at).filter(made)
        reversal._include(undoable.exclude(kept) if but else undoable)
        return reversal

    @classmethod
    def of_change(cls, change: SensitiveChange, *, at: dt.datetime) -> "Reversal":
        """Return the reversal of one change and of every later one of its kind."""
        reversal = cls(change.user, at)
        reversal._include([change])
        return reversal

    def _include_everything_since(self, moment: dt.datetime) -> None:
        self.opened_since = moment - LEEWAY
        self.since = dict.fromkeys(Kind.values, moment - LEEWAY)

    def _include(self, changes: Iterable[SensitiveChange]) -> None:
        for it in changes:
            begin = it.made_at - LEEWAY
            self.since[it.kind] = min(begin, self.since.get(it.kind, begin))

    def changes(self) -> QuerySet[SensitiveChange]:
        """Return the changes that are undone."""
        wanted = Q(pk=None)
        for kind, moment in self.since.items():
            wanted |= Q(kind=kind, made_at__gte=moment)
        found: QuerySet[SensitiveChange] = SensitiveChange.objects.undoable(
            self.user.pk, at=self.at
        ).filter(wanted)
        return found

    def email_changes(self) -> QuerySet[EmailChange]:
        """Return the changes of address that are undone, cancelled ones included.

        Not those that left an unproven address: it may be a stranger's, and free or taken by now.
        """
        moment = self.since.get(Kind.EMAIL)
        mine = EmailChange.objects.filter(user=self.user).exclude(
            confirmed_at__isnull=False, is_from_proven=False
        )
        return mine.filter(requested_at__gte=moment) if moment else mine.none()

    def sessions(self) -> Any:
        """Return the sessions that made the changes, others on their devices, and later ones."""
        makers = {it for it in self.changes().values_list("session_id", flat=True) if it}
        mine = UserSession.objects.filter(user=self.user)
        devices = set(mine.filter(pk__in=makers).values_list("device_fingerprint", flat=True))
        wanted = Q(pk__in=makers) | Q(device_fingerprint__in=devices - {""})
        if self.opened_since:
            wanted |= Q(created_at__gte=self.opened_since)
        return mine.filter(wanted)

    def void_links(self) -> None:
        """Void the links about what is undone: they were mailed later, some to other addresses."""
        if Kind.EMAIL in self.since:
            ActionToken.objects.of(_Action.CONFIRM_EMAIL).void(self.user.pk)
        void_exports(self.user.pk)
        void = {
            _Action.UNDO_EMAIL: ("change", self._ids(self.email_changes())),
            _Action.UNDO_CHANGE: ("change", self._ids(self.changes())),
            _Action.DISOWN_SESSION: ("session", self._ids(self._opened())),
        }
        tokens = ActionToken.objects.unused().filter(user=self.user, action__in=void)
        later = [
            token.pk
            for token in tokens
            if token.subject.get(void[token.action][0]) in void[token.action][1]
            or self._was_mailed_elsewhere(token)
        ]
        ActionToken.objects.filter(pk__in=later).update(voided_at=self.at)

    def _was_mailed_elsewhere(self, token: ActionToken) -> bool:
        """Return whether a link about a device may have gone to an address that is undone.

        Whichever device it is about, it leads to a new password.
        """
        moment = self.since.get(Kind.EMAIL)
        is_about_device = token.action == _Action.DISOWN_SESSION
        return is_about_device and moment is not None and token.created_at >= moment

    def _opened(self) -> Any:
        mine = UserSession.objects.filter(user=self.user)
        return mine.filter(created_at__gte=self.opened_since) if self.opened_since else mine.none()

    @staticmethod
    def _ids(rows: QuerySet[Any]) -> set[str]:
        return {str(pk) for pk in rows.values_list("pk", flat=True)}

    def carry_out(self) -> list[str]:
        """Undo the changes; return the kinds of which there was one.

        End the sessions first: a name is a key of the account's row, and a refresh that holds its
        session waits for such a key.
        """
        undone = [str(it) for it, undo in _UNDO.items() if it in self.since and undo(self)]
        self.changes().filter(undone_at=None).update(undone_at=self.at)
        return undone


def _restore_address(reversal: Reversal) -> bool:
    changes, user = reversal.email_changes().filter(undone_at=None), reversal.user
    left = changes.filter(confirmed_at__isnull=False).order_by("requested_at")
    old = left.values_list("old_email", flat=True).first()
    if not changes.update(undone_at=reversal.at):
        return False
    if old:
        move(user, old, at=reversal.at)
        # The link that stops it may have been mailed to the address that is left now.
        stop_pending_removal(user, at=reversal.at)
    return True


def _cancel_deletion(reversal: Reversal) -> bool:
    requested_at = reversal.user.deletion_requested_at
    if not requested_at or requested_at < reversal.since[Kind.DELETION]:
        return False
    return bool(User.objects.cancel_deletion(reversal.user.pk))


def _remove_second_factor(reversal: Reversal) -> bool:
    return remove_second_factor(reversal.user, since=reversal.since[Kind.SECOND_FACTOR])


def _restore_username(reversal: Reversal) -> bool:
    user, mine = reversal.user, reversal.changes().filter(kind=Kind.USERNAME, undone_at=None)
    first = mine.order_by("made_at").first()
    if first is None or first.details["from"] == user.username:
        return False
    names = ["username", "username_canonical", "username_skeleton"]
    try:
        with transaction.atomic():
            rename(user, first.details["from"], at=reversal.at)
            user.save(update_fields=names)
    except (IntegrityError, ValidationFailed):
        # Another account took the name before former names were held.
        user.refresh_from_db(fields=names)
        return False
    return True


def _restore_notices(reversal: Reversal) -> bool:
    stopped_at = reversal.user.notices_stopped_at
    if not stopped_at or stopped_at < reversal.since[Kind.NOTICES]:
        return False
    return bool(User.objects.want_notices(reversal.user.pk, wanted=True, at=reversal.at))


# The names last: see carry_out.
_UNDO: dict[str, Callable[[Reversal], bool]] = {
    Kind.DELETION: _cancel_deletion,
    Kind.SECOND_FACTOR: _remove_second_factor,
    Kind.NOTICES: _restore_notices,
    Kind.EMAIL: _restore_address,
    Kind.USERNAME: _restore_username,
}
