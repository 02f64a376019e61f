"""Finding a person from any page of the admin, while a name or an address is typed."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext

from authentication.api.limits import count
from authentication.exceptions import RateLimited
from authentication.models import User
from authentication.services.admin_pages import (
    address_of,
    find_people,
    last_seen_of,
    locked_people,
    moment,
    name_of,
    states_of,
)

from .lookups import StrictLookupAdmin

_SUGGESTED, _LISTED = 10, 50
_SHORTEST = 2


def person_url(user_id: object) -> str:
    """Return the path of a person's page."""
    return reverse("admin:authentication_user_person", args=[user_id])


def by_staff(request: Any) -> str:
    """Count searches by the member of staff."""
    return f"staff:{request.user.pk}"


class PeopleSearchAdmin(StrictLookupAdmin):
    """The search for people: a page that needs no script, and suggestions for one.

    What is typed comes in the body: names and addresses in a URL would be in the logs of proxies.
    """

    def get_urls(self) -> list[URLPattern]:
        return [
            self._page("find/", self.find_view, "find"),
            self._page("find/suggestions/", self.suggestions_view, "suggestions"),
            *super().get_urls(),
        ]

    def _page(self, route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
        return path(route, self.admin_site.admin_view(view), name=f"authentication_user_{name}")

    def check_viewer(self, request: HttpRequest, user: User | None = None) -> None:
        """Raise PermissionDenied unless the member of staff may see accounts."""
        if not self.has_view_or_change_permission(request, user):
            raise PermissionDenied

    def find_view(self, request: HttpRequest) -> HttpResponse:
        """Show the people that a text means; with `state=locked`, those who are locked."""
        self.check_viewer(request)
        text, now = request.POST.get("q", "").strip(), timezone.now()
        context = {**self.admin_site.each_context(request), "q": text, "opts": self.opts}
        if request.GET.get("state") == "locked":
            found = locked_people(at=now, limit=_LISTED + 1)
            context["title"] = gettext("People who are locked out now")
        elif not text:
            found = []
            context["title"] = gettext("Find a person")
        else:
            try:
                count("staff_search", request, by_staff)
            except RateLimited as refusal:
                return self._refused(request, context, refusal)
            found = find_people(text, limit=_LISTED + 1)
            context["title"] = gettext("People found for “{text}”").format(text=text)
            if len(found) == 1:
                return HttpResponseRedirect(person_url(found[0].pk))
        seen = last_seen_of(found[:_LISTED])
        context["people"] = [
            {
                "url": person_url(user.pk),
                "name": name_of(user),
                "address": address_of(user),
                "states": states_of(user, at=now),
                "seen": moment(seen[user.pk], at=now),
            }
            for user in found[:_LISTED]
        ]
        context["has_more"] = len(found) > _LISTED
        return TemplateResponse(request, "admin/find.html", context)

    def suggestions_view(self, request: HttpRequest) -> HttpResponse:
        """Return the first people that a text means, for the field in the header."""
        self.check_viewer(request)
        text, now = request.POST.get("q", "").strip(), timezone.now()
        try:
            count("staff_search", request, by_staff)
        except RateLimited as refusal:
            return JsonResponse(
                {"error": refusal.detail}, status=refusal.status, headers=refusal.headers
            )
        found = find_people(text, limit=_SUGGESTED) if len(text) >= _SHORTEST else []
        people = [
            {
                "url": person_url(user.pk),
                "name": name_of(user),
                "about": ", ".join(
                    [address_of(user), *(it.text for it in states_of(user, at=now))]
                ),
            }
            for user in found
        ]
        return JsonResponse({"people": people})

    def _refused(
        self, request: HttpRequest, context: dict[str, Any], refusal: RateLimited
    ) -> HttpResponse:
        context |= {"title": refusal.title, "detail": refusal.detail}
        return TemplateResponse(
            request, "admin/busy.html", context, status=refusal.status, headers=refusal.headers
        )
