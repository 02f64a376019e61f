"""Devices on the page of a person: one is signed out."""

import pytest
from django.test import Client
from rest_framework.test import APIClient

from authentication.models import User, UserSession
from authentication.tests.clients import sign_in, use_access

from .roles import page_of
from .staff import ClientOf, MakeStaff, assert_audited, messages_of

pytestmark = pytest.mark.django_db

WHY = "They called the office."


class TestDevices:
    def test_one_device_is_signed_out_and_the_others_stay(
        self, superuser_client: Client, superuser: User, api: APIClient, person: User
    ) -> None:
        lost, kept = sign_in(api, person), sign_in(api, person)
        session = UserSession.objects.filter(user=person).earliest("created_at")
        page = f"{page_of(person)}devices/{session.pk}/"
        assert page in superuser_client.get(page_of(person)).content.decode()
        assert "Sign out this device" in superuser_client.get(page).content.decode()

        answer = superuser_client.post(page, {"reason": WHY}, follow=True)

        assert messages_of(answer) == ["The device is signed out."]
        assert [use_access(api, it) for it in (lost, kept)] == [401, 200]
        assert_audited(
            "admin_action", actor=superuser, target=person, action="end_session", reason=WHY
        )
        again = superuser_client.post(page, {"reason": WHY}, follow=True)
        assert messages_of(again) == ["This device is signed out already."]

    def test_a_device_of_another_person_or_of_a_superuser_is_not(
        self,
        superuser_client: Client,
        client_of: ClientOf,
        make_staff: MakeStaff,
        superuser: User,
        api: APIClient,
        person: User,
    ) -> None:
        tokens, others = sign_in(api, superuser), sign_in(api, person)
        session = UserSession.objects.get(user=superuser)
        editor = client_of(make_staff("view_user", "view_usersession", "change_usersession"))
        viewer = client_of(make_staff("view_user", "view_usersession"))
        own = UserSession.objects.get(user=person)

        for client, user, device in (
            (superuser_client, person, session),
            (editor, superuser, session),
            (viewer, person, own),
        ):
            client.post(f"{page_of(user)}devices/{device.pk}/", {"reason": WHY})

        assert [use_access(api, it) for it in (tokens, others)] == [200, 200]
        assert "Sign out this device" not in viewer.get(page_of(person)).content.decode()
