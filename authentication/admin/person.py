"""The page of one person, and the pages that ask once before something is done."""

import uuid
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from authentication.api.admin_proof import ask_for_proof, has_recent_proof
from authentication.exceptions import PermissionRefused
from authentication.models import User, UserSession
from authentication.services.admin_pages import (
    END_DEVICE,
    STAFF_ACTIONS,
    StaffAction,
    address_of,
    consents_of,
    devices_of,
    end_device,
    events_of,
    last_seen_of,
    mails_to,
    moment,
    name_of,
    notes_about,
    removal_of,
    states_of,
)
from authentication.services.ranks import has_rights_beyond
from authentication.services.staff_roles import name_of_role

from .account_forms import StaffActionForm
from .base import acted_by
from .people import PeopleSearchAdmin, person_url

_PARTS = (
    (_("Devices"), "authentication.view_usersession", devices_of, _("No device is signed in.")),
    (_("Latest events"), "authentication.view_auditlog", events_of, _("Nothing has happened yet.")),
    (_("Latest mails"), "authentication.view_outgoingemail", mails_to, _("No mail was sent.")),
    (_("Notes"), "authentication.view_staffnote", notes_about, _("No note was written.")),
    (_("Consents"), "authentication.view_consent", consents_of, _("Nothing was agreed to.")),
)


class PersonAdmin(PeopleSearchAdmin):
    """The page of one person."""

    def get_urls(self) -> list[URLPattern]:
        person = "<uuid:user_id>/person/"
        return [
            self._page(person, self.person_view, "person"),
            self._page(f"{person}<slug:name>/", self.action_view, "action"),
            self._page(f"{person}devices/<uuid:session_id>/", self.device_view, "device"),
            *super().get_urls(),
        ]

    def person_view(self, request: Any, user_id: uuid.UUID) -> HttpResponse:
        """Show who a person is, what is so about the account, and what can be done."""
        user, now = self._person(request, user_id), timezone.now()
        parts = [
            (title, read(user, at=now), empty)
            for title, permission, read, empty in _PARTS
            if _may(request, permission)
        ]
        context = {
            **self._context(request, user),
            "title": name_of(user),
            "username": "" if user.username.startswith("member-") else user.username,
            "address": address_of(user),
            "states": states_of(user, at=now),
            "created": moment(user.created_at, at=now),
            "seen": moment(last_seen_of([user])[user.pk], at=now),
            "staff_actions": self._offered(request, user),
            "role": name_of_role(user) if user.is_staff else "",
            "removal": removal_of(user),
            "may_end": _may(request, END_DEVICE) and not has_rights_beyond(user, request.user),
            "parts": parts,
        }
        return TemplateResponse(request, "admin/person.html", context)

    def action_view(self, request: HttpRequest, user_id: uuid.UUID, name: str) -> HttpResponse:
        """Ask once whether something is to be done, then do it."""
        user, action = self._person(request, user_id), STAFF_ACTIONS.get(name)
        if action is None:
            raise Http404
        return self._ask(request, user, action)

    def device_view(
        self, request: HttpRequest, user_id: uuid.UUID, session_id: uuid.UUID
    ) -> HttpResponse:
        """Ask once whether a device is to be signed out, then do it."""
        user = self._person(request, user_id)
        devices = UserSession.objects.filter(user=user).live(at=timezone.now())
        session = devices.select_related("user").filter(pk=session_id).first()
        if session is None:
            self.message_user(request, _("This device is signed out already."), messages.WARNING)
            return HttpResponseRedirect(person_url(user.pk))
        return self._ask(request, user, end_device(session))

    def _ask(self, request: Any, user: User, action: StaffAction) -> HttpResponse:
        if not self._may_do(request, action, user):
            raise PermissionDenied
        if action.needs_proof and not has_recent_proof(request):
            return ask_for_proof(request)
        form = StaffActionForm(action, request.user, request.POST or None)
        if request.method == "POST" and form.is_valid():
            self._do(request, action, user, form.cleaned_data)
            return HttpResponseRedirect(person_url(user.pk))
        context = {
            **self._context(request, user),
            "title": f"{action.label}: {name_of(user)}?",
            "action": action,
            "address": address_of(user),
            "form": form,
        }
        return TemplateResponse(request, "admin/staff_action.html", context)

    def _do(
        self, request: HttpRequest, action: StaffAction, user: User, given: dict[str, str]
    ) -> None:
        """Do it, tell what was done, and write it into the history of the account."""
        reason = given.get("reason", "")
        asked = [given[name] for name in ("new_email", "role", "note") if name in given]
        by = acted_by(request, reason, permission=action.permission)
        try:
            action.act(user, *asked, by=by)
        except PermissionRefused as refusal:
            self.message_user(request, refusal.detail, messages.ERROR)
            return
        # Without the name: messages are kept in a cookie until the next page, which has it.
        self.message_user(request, action.done, messages.SUCCESS)
        # Stored in the language of the site, as the audit log is.
        with override(settings.LANGUAGE_CODE):
            self.log_change(request, user, f"{action.done} {reason}".strip())

    def _person(self, request: HttpRequest, user_id: uuid.UUID) -> User:
        self.check_viewer(request)
        user: User | None = User.objects.filter(pk=user_id).first()
        if user is None:
            raise Http404
        return user

    def _context(self, request: HttpRequest, user: User) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "person": user,
            "name": name_of(user),
            "person_url": person_url(user.pk),
        }

    def _may_do(self, request: Any, action: StaffAction, user: User) -> bool:
        """Return whether the member of staff may do this to this account."""
        return request.user.has_perm(action.permission) and not has_rights_beyond(
            user, request.user
        )

    def _offered(self, request: Any, user: User) -> list[StaffAction]:
        """Return what suits an account and the member of staff may do."""
        if has_rights_beyond(user, request.user):
            return []
        now, actor = timezone.now(), request.user
        return [
            it
            for it in STAFF_ACTIONS.values()
            if actor.has_perm(it.permission) and it.suits(user, now) and it.is_for(actor, user)
        ]


def _may(request: HttpRequest, permission: str) -> bool:
    user: Any = request.user
    return bool(user.has_perm(permission))
