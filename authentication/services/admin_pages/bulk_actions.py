"""What staff do for many people: asked about first, then done by a task that can be stopped."""

import time
import uuid
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from authentication.exceptions import PermissionRefused
from authentication.models import BulkAction, BulkActionPerson, User
from authentication.services.acted_by import ActedBy, is_session_of
from authentication.services.acting import locked_account
from authentication.services.background import enqueue
from authentication.services.operators import checked_reason
from authentication.utils.client import ClientInfo

from .staff_action import StaffAction
from .staff_actions import STAFF_ACTIONS

MOST_PEOPLE = 500
TYPED_ABOVE = 20
"""The number of people is typed if there are more of them."""
PERMISSION = "authentication.add_bulkaction"
BULK_ACTIONS = {it.name: it for it in STAFF_ACTIONS.values() if it.is_for_many}

_TASK = "authentication.tasks.carry_out_bulk_action"
_NO_ONE = _("The list is empty.")
_TOO_MANY = _("This can be done for at most {count} people at once.")
_OVER = _("This was started or stopped already.")


def may_do_for_many(actor: User | None, action: StaffAction) -> bool:
    """Return whether a user is a member of staff now who may do this for many people."""
    if actor is None or not (actor.is_active and actor.is_staff):
        return False
    return bool(actor.has_perms((PERMISSION, action.permission)))


class BulkActionService:
    """Bulk actions."""

    @staticmethod
    def prepare(action: StaffAction, user_ids: Sequence[uuid.UUID], *, actor: User) -> BulkAction:
        """Store what is to be done for whom, so that a page can ask about it.

        Raises PermissionRefused if there is no one, or more than MOST_PEOPLE people.
        """
        if not user_ids:
            raise PermissionRefused(_NO_ONE)
        if len(user_ids) > MOST_PEOPLE:
            raise PermissionRefused(_TOO_MANY.format(count=MOST_PEOPLE))
        with transaction.atomic():
            bulk = BulkAction.objects.create(action=action.name, actor=actor)
            BulkActionPerson.objects.bulk_create(
                BulkActionPerson(bulk=bulk, number=number, user_id=user_id)
                # The actor comes last: what ends the actor's sessions ends the action.
                for number, user_id in enumerate(sorted(user_ids, key=actor.pk.__eq__), start=1)
            )
        return bulk

    @staticmethod
    def start(bulk: BulkAction, *, by: ActedBy) -> None:
        """Start an action; only the member of staff who was asked can do so.

        Raises PermissionRefused, with the reason for staff, also if it was started before.
        """
        action, actor, client = BULK_ACTIONS[bulk.action], by.staff, by.client
        if bulk.actor_id != actor.pk or not may_do_for_many(actor, action):
            raise PermissionRefused
        is_given = action.needs_reason or by.reason.strip()
        reason = checked_reason(by.reason) if is_given else ""
        with transaction.atomic():
            if not BulkAction.objects.start(bulk.pk, reason=reason, at=timezone.now()):
                raise PermissionRefused(_OVER)
            BulkAction.objects.filter(pk=bulk.pk).update(
                session_hash=actor.get_session_auth_hash(),
                ip_address=client.ip_address,
                user_agent=client.user_agent,
                correlation_id=client.correlation_id,
            )
            count = BulkActionPerson.objects.filter(bulk=bulk).count()
            by.note("start_bulk", None, bulk=bulk.action, count=count, bulk_id=str(bulk.pk))
            enqueue(_TASK, str(bulk.pk))

    @staticmethod
    def stop(bulk: BulkAction, *, by: ActedBy) -> bool:
        """Stop an action; what is done stays done. False if it was over."""
        with transaction.atomic():
            is_stopped = BulkAction.objects.stop(bulk.pk, at=timezone.now())
            if is_stopped and bulk.started_at:
                by.note("stop_bulk", None, bulk=bulk.action)
        return is_stopped

    @staticmethod
    def sweep() -> None:
        """Go on with the actions whose process has died."""
        unattended = BulkAction.objects.unattended(at=timezone.now())
        for pk in unattended.values_list("pk", flat=True)[:10]:
            enqueue(_TASK, str(pk))

    @staticmethod
    def carry_out(bulk_id: str, *, seconds: float) -> None:
        """Do an action for one person after the other; what time does not suffice for, later."""
        pk, deadline = uuid.UUID(bulk_id), time.monotonic() + seconds
        if not BulkAction.objects.claim(pk, at=timezone.now()):
            return
        bulk = BulkAction.objects.get(pk=pk)
        while person := BulkActionPerson.objects.next_of(pk):
            if time.monotonic() > deadline:
                BulkAction.objects.release(pk)
                enqueue(_TASK, bulk_id)
                return
            if not BulkAction.objects.renew(pk, at=timezone.now()):
                return
            _handle(bulk, person)
        BulkAction.objects.finish(pk, at=timezone.now())


def _handle(bulk: BulkAction, person: BulkActionPerson) -> None:
    """Do an action for one person, once, whatever runs beside it."""
    now, action = timezone.now(), BULK_ACTIONS[bulk.action]
    actor = _acting_for(bulk)
    if actor is None:
        BulkAction.objects.stop(bulk.pk, at=now)
        return
    try:
        with locked_account(person.user_id) as user:
            if BulkActionPerson.objects.claim(person.pk, at=now):
                _act(action, user, bulk, actor)
    except PermissionRefused as refusal:
        if _acting_for(bulk) is None:
            BulkAction.objects.stop(bulk.pk, at=now)
            return
        BulkActionPerson.objects.refuse(person.pk, refusal=str(refusal.detail), at=now)
    except User.DoesNotExist:
        return  # Erased, and with it the row of the person.


def _acting_for(bulk: BulkAction) -> User | None:
    """Return who started an action, as they are now; None if they may not go on with it.

    The session of the admin that started it may have ended because it was a thief's.
    """
    actor: User | None = User.objects.filter(pk=bulk.actor_id).first()
    if actor is None or not may_do_for_many(actor, BULK_ACTIONS[bulk.action]):
        return None
    return actor if is_session_of(actor, bulk.session_hash) else None


def _act(action: StaffAction, user: User, bulk: BulkAction, actor: User) -> None:
    client = ClientInfo(
        ip_address=bulk.ip_address,
        user_agent=bulk.user_agent,
        correlation_id=bulk.correlation_id,
    )
    by = ActedBy(actor, client, bulk.reason, permission=action.permission, bulk_id=str(bulk.pk))
    action.act(user, by=by)
