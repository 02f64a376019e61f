"""The commands of the deployment files, run with the production settings on PostGIS."""

import contextlib
import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis as redis_client
from django.conf import settings
from django.db import connection

from authentication.tests.test_deployment_files import COMPOSE, RAILWAY, ROOT

from . import rig

HOST = "auth.example.org"
DEPLOY_CHECK = ["python", "manage.py", "check", "--deploy", "--fail-level", "WARNING"]

pytestmark = [pytest.mark.services]


class TestTheCommands:
    @pytest.fixture
    def environment(self, transactional_db: None) -> Iterator[dict[str, str]]:
        """Return a production environment on a database of its own, empty, and the test's Redis."""
        assert connection.vendor == "postgresql", "Deployment needs PostgreSQL: set DATABASE_URL."
        name = f"deployment_{os.getpid()}"
        server = rig.database_url().rpartition("/")[0]
        with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            admin.execute(f"CREATE DATABASE {name}")
            yield {
                "DJANGO_ENVIRONMENT": "production",
                "SECRET_KEY": secrets.token_urlsafe(48),
                "JWT_SIGNING_KEY": secrets.token_urlsafe(48),
                "FIELD_ENCRYPTION_KEYS": secrets.token_urlsafe(48),
                "DATABASE_URL": f"{server}/{name}",
                "ALLOWED_HOSTS": HOST,
                "BACKEND_URL": f"https://{HOST}",
                "CORS_ALLOWED_ORIGINS": "https://www.example.org",
                "CSRF_TRUSTED_ORIGINS": "https://www.example.org",
                "EMAIL_HOST": "127.0.0.1",
                "TRUSTED_PROXY_COUNT": "1",
                # Other tests start with neither.
                "RATELIMIT_ENABLE": "True",
                "HIBP_ENABLED": "True",
                "PORT": str(rig.free_port()),
            }
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def run(self, command: list[str], environment: dict[str, str]) -> str:
        module = [sys.executable] if command[0] == "python" else [sys.executable, "-m", command[0]]
        done = subprocess.run(  # noqa: S603 -- our own words
            [*module, *command[1:]],
            cwd=ROOT,
            env=rig.environment(**environment),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def ask(self, environment: dict[str, str], path: str, **headers: str) -> rig.Answer:
        return rig.asked(int(environment["PORT"]), "GET", path, headers={"Host": HOST, **headers})

    def test_web_worker_and_beat_run_as_the_files_say(
        self, environment: dict[str, str], tmp_path: Path
    ) -> None:
        services = COMPOSE["services"]
        self.run(["python", "manage.py", "collectstatic", "--noinput"], environment)
        self.run(services["migrate"]["command"], environment)
        # The tests' Redis has no password; nothing connects here.
        self.run(DEPLOY_CHECK, {**environment, "REDIS_PASSWORD": "moab"})
        beat = [*services["celery-beat"]["command"][:-1], str(tmp_path / "schedule")]
        server = redis_client.Redis.from_url(str(settings.CACHES["default"]["LOCATION"]))
        server.flushdb()
        log = tmp_path / "log"

        with contextlib.ExitStack() as running:
            commands = [
                shlex.split(RAILWAY["deploy"]["startCommand"]),
                services["celery"]["command"],
            ]
            for command in (*commands, services["mailer"]["command"], beat):
                running.enter_context(
                    rig.process(*command, log=log, **environment, EMAIL_SWEEP_SECONDS="1")
                )
            rig.until(
                lambda: rig.is_up(int(environment["PORT"]), headers={"Host": HOST}),
                seconds=40,
                what="the server",
            )
            rig.until(
                lambda: set(self.health(environment)["checks"]["celery"].values()) == {"active"},
                seconds=40,
                what="the workers",
            )
            rig.until(
                lambda: (tmp_path / "log").read_text(encoding="utf-8").count("sweep_outbox") > 2,
                seconds=40,
                what="beat",
            )
            self.assert_as_in_production(environment)

        with psycopg.connect(environment["DATABASE_URL"]) as database:
            assert database.execute(
                "SELECT extname FROM pg_extension WHERE extname = 'postgis'"
            ).fetchall()
        shutil.rmtree(settings.STATIC_ROOT)

    def health(self, environment: dict[str, str]) -> dict[str, Any]:
        time.sleep(0.2)
        body: dict[str, Any] = self.ask(environment, rig.HEALTH).json()
        return body

    def assert_as_in_production(self, environment: dict[str, str]) -> None:
        https = {"X-Forwarded-Proto": "https"}
        page = self.ask(environment, "/admin/login/", **https)
        sheets = re.findall(
            r'href="(/static/admin/css/base\.[0-9a-f]{12}\.css)"', page.content.decode()
        )

        assert self.health(environment)["status"] == "healthy"
        assert page.status == 200
        assert (
            page.headers["Strict-Transport-Security"]
            == "max-age=31536000; includeSubDomains; preload"
        )
        assert "Secure" in page.headers["Set-Cookie"]
        assert len(sheets) == 1
        sheet = self.ask(environment, sheets[0], **https)
        assert (sheet.status, "immutable" in sheet.headers["Cache-Control"]) == (200, True)
        plain = self.ask(environment, "/api/docs/")
        assert (plain.status, plain.headers["Location"]) == (301, f"https://{HOST}/api/docs/")
        assert self.ask(environment, "/api/docs/", **https).status == 200
        assert self.ask(environment, rig.LIVE, Host="evil.example").status == 400
