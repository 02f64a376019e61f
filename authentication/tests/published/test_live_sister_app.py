"""The app of docs/quickstarts/sister-app.md, in a process of its own for its signals."""

import subprocess
import sys
from pathlib import Path

import pytest

from authentication.tests.browser.service import ROOT
from authentication.tests.settings.reader import clean_environment

pytestmark = pytest.mark.clients

SETTINGS = """
from vineyard_group_fellowship.settings.test import *

INSTALLED_APPS = [*INSTALLED_APPS, "groups"]
ROOT_URLCONF = "sister_urls"
DATABASES = {"default": {**DATABASES["default"], "NAME": "%s"}}
"""
URLS = """
from django.urls import include, path

urlpatterns = [
    path("api/v1/groups/", include("groups.urls")),
    path("", include("vineyard_group_fellowship.urls")),
]
"""
STORY = """
import datetime as dt

import django

django.setup()

from django.core.management import call_command
from django.utils import timezone
from rest_framework.test import APIClient

from authentication.models import User
from authentication.services.accounts.erasure import erase
from authentication.tests.clients import log_in
from authentication.tests.conftest import bearer
from authentication.tests.factories import UserFactory, give_factor
from groups.models import Membership
from groups.receivers import farewells

call_command("migrate", run_syncdb=True, verbosity=0)
client, person = APIClient(), UserFactory()
access = bearer(log_in(APIClient(), person).json()["access"])
groups, leadership = "/api/v1/groups/", "/api/v1/groups/leadership/"

refused = client.get(groups)
assert (refused.status_code, refused.json()["code"]) == (401, "token_invalid")
assert client.get(groups, headers=access).json() == {"groups": ["Newcomers"]}
refused = client.get(leadership, headers=access)
assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")

code = give_factor(person).code()
proven = log_in(APIClient(), person, otp=code, device_name="Ruth's phone").json()
assert client.get(leadership, headers=bearer(proven["access"])).json()["device"] == "Ruth's phone"

User.objects.filter(pk=person.pk).update(deletion_requested_at=timezone.now() - dt.timedelta(60))
assert erase(person.pk) is True
assert farewells == [str(person.pk)]
assert not Membership.objects.exists()
print("told")
"""


def test_a_sister_app_has_the_user_the_session_permissions_and_signals(tmp_path: Path) -> None:
    (tmp_path / "sister_settings.py").write_text(SETTINGS % (tmp_path / "db.sqlite3"))
    (tmp_path / "sister_urls.py").write_text(URLS)
    folders = [str(it) for it in (tmp_path, ROOT / "docs/quickstarts", ROOT)]

    done = subprocess.run(  # noqa: S603 -- our own story
        [sys.executable, "-c", STORY],
        env=clean_environment(
            DJANGO_SETTINGS_MODULE="sister_settings", PYTHONPATH=":".join(folders)
        ),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.stdout.endswith("told\n"), done.stderr
