"""The service as a process of its own, its mails, and an app that calls its API."""

import contextlib
import dataclasses
import email
import email.policy
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import requests
from django.conf import settings

from authentication.tests.faults.rig import free_port, is_up, until

ROOT = Path(settings.BASE_DIR)
PASSWORD, NEW_PASSWORD = "Barley-Harvest-7", "Threshing-Floor-9"
_TIMEOUT = 20


@dataclasses.dataclass(frozen=True)
class Service:
    """A running service: where it is, and where its mails are."""

    url: str
    mails: Path
    environment: dict[str, str] = dataclasses.field(default_factory=dict, repr=False)

    def make_superuser(self, address: str) -> None:
        """Create a superuser with the usual password and without a second factor."""
        command = ("manage.py", "create_verified_superuser", address, "--password-stdin")
        subprocess.run(  # noqa: S603 -- our own command
            [sys.executable, *command, "--by", "tests"],
            cwd=ROOT,
            env=self.environment,
            input=PASSWORD,
            text=True,
            check=True,
            capture_output=True,
        )

    def texts_to(self, address: str) -> list[str]:
        """Return the texts of the mails to an address, the oldest first."""
        found = []
        for path in sorted(self.mails.glob("*.eml"), key=lambda it: it.stat().st_mtime_ns):
            mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            body = mail.get_body(("plain",))
            if str(mail["To"]) == address and body:
                found.append(str(body.get_content()))
        return found

    def link(self, address: str, page: str) -> str:
        """Return the newest link to a page in the mails to an address; wait for the first one."""
        pattern = re.compile(rf"{re.escape(self.url)}/account/{page}/\?token=[\w-]+")

        def newest() -> str:
            found = [link for text in self.texts_to(address) for link in pattern.findall(text)]
            return found[-1] if found else ""

        return str(until(newest, seconds=_TIMEOUT, what=f"a mail with {page}"))


class App:
    """A client of the API that is no browser: another device of the same person."""

    def __init__(self, service: Service) -> None:
        self.service, self.tokens = service, dict[str, Any]()
        self._http = requests.Session()

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Return the answer to a request, with the access token if there is one."""
        access = self.tokens.get("access")
        return self._http.request(
            method,
            f"{self.service.url}/api/v1/{path}",
            json=body,
            headers={"Authorization": f"Bearer {access}"} if access else {},
            timeout=_TIMEOUT,
        )

    def register(self, address: str, **names: str) -> None:
        """Create an account whose address is verified."""
        body = {"email": address, "password": PASSWORD, **names}
        assert self.send("POST", "auth/register/", body).status_code == 201
        token = self.service.link(address, "verify-email").rpartition("=")[2]
        assert self.send("POST", "auth/email/verify/", {"token": token}).status_code == 200

    def log_in(self, address: str, **body: Any) -> Any:
        """Sign in; return the answer."""
        body = {"email": address, "password": PASSWORD, "device_name": "Ruth's phone", **body}
        answer = self.send("POST", "auth/login/", body)
        self.tokens = answer.json() if answer.ok else {}
        return answer


@contextlib.contextmanager
def running(folder: Path, **changed: str) -> Iterator[Service]:
    """Start the service as `make run` does, with its data in a folder, and stop it."""
    port = free_port()
    mails = folder / "mail"
    told = {
        "PATH": os.environ["PATH"],
        "DJANGO_ENVIRONMENT": "development",
        "PORT": str(port),
        "SQLITE_PATH": str(folder / "db.sqlite3"),
        "EMAIL_FILE_PATH": str(mails),
        "PROMETHEUS_MULTIPROC_DIR": str(folder),
        "HIBP_ENABLED": "False",
        "RATELIMIT_ENABLE": "False",
        "ARGON2_MEMORY_KIB": "19456",
        "ADMIN_REQUIRE_OTP": "True",
        **changed,
    }
    service = Service(url=f"http://localhost:{port}", mails=mails, environment=told)
    with (folder / "log").open("ab") as log:
        _start("manage.py", "migrate", "--verbosity", "0", env=told, log=log).wait()
        server = _start("serve.py", "--or-runserver", env=told, log=log)
    try:
        until(lambda: is_up(port), seconds=60, what="the service")
        yield service
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _start(*command: str, env: dict[str, str], log: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 -- our own command
        [sys.executable, *command],
        cwd=ROOT,
        env=env,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )


def wait_for(condition: Callable[[], Any], *, what: str) -> Any:
    """Wait for something to come true outside the browser, and return it."""
    return until(condition, seconds=_TIMEOUT, what=what)


def unique_address(name: str) -> str:
    """Return an address that no other test uses."""
    return f"{name}-{time.monotonic_ns()}@example.org"
