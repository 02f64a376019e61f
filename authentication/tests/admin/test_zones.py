"""The times of the admin: each page names their zone, which is that of the reader's profile."""

import pytest
from django.test import Client
from django.urls import reverse

from authentication.models import AuditLog, User, UserProfile
from authentication.tests.factories import UserFactory

from .paging import LISTED_AT_ONCE, shorten_pages, walk


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
def test_each_page_names_the_zone_of_its_reader(
    superuser: User, superuser_client: Client, zone: str
) -> None:
    UserProfile.objects.update_or_create(user=superuser, defaults={"timezone": zone})
    person = UserFactory()
    pages = [
        reverse("admin:index"),
        reverse("admin:authentication_auditlog_changelist"),
        reverse("admin:authentication_user_person", args=[person.pk]),
        reverse("admin:authentication_user_change", args=[person.pk]),
    ]

    for page in pages:
        assert f"time zone {zone}." in superuser_client.get(page).content.decode(), page


def test_the_pages_of_a_list_follow_each_other_in_any_zone(
    superuser: User, superuser_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    UserProfile.objects.update_or_create(user=superuser, defaults={"timezone": "Asia/Tokyo"})
    shorten_pages(monkeypatch)
    for _ in range(3 * LISTED_AT_ONCE):
        AuditLog.objects.create(event_type=AuditLog.Event.LOGIN, user=superuser)

    shown = [key for page in walk(superuser_client, AuditLog) for key in page]

    assert sorted(shown) == sorted(AuditLog.objects.values_list("pk", flat=True))
