"""Creating the first superuser."""

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from authentication.models import User
from authentication.tests.factories import PASSWORD

pytestmark = pytest.mark.django_db


class TestSuperuserCreation:
    def test_migrations_create_no_accounts(self, db: None) -> None:
        assert not User.objects.exists()

    @pytest.mark.parametrize("weak", ["admin", "Short-9", "P@ssw0rd", "Boss-Example-1"])
    def test_createsuperuser_refuses_a_weak_password(
        self, monkeypatch: pytest.MonkeyPatch, weak: str
    ) -> None:
        monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", weak)

        with pytest.raises(CommandError):
            call_command("createsuperuser", "--noinput", email="boss.example@example.org")

        assert not User.objects.exists()

    def test_createsuperuser_accepts_a_strong_password(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)

        call_command("createsuperuser", "--noinput", email="boss@example.org", verbosity=0)

        answer = client.post(
            "/admin/login/", {"username": "boss@example.org", "password": PASSWORD}
        )
        assert answer.status_code == 302
        assert User.objects.get().is_superuser
