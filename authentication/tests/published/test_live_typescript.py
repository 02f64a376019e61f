"""The client in TypeScript, in Node, against the running service."""

import os
import subprocess

import pytest

from authentication.tests.browser.service import ROOT, Service

pytestmark = pytest.mark.clients


def test_the_client_in_typescript_works_with_the_service(service: Service) -> None:
    script = ROOT / "clients/typescript/build/test/live.js"
    done = subprocess.run(  # noqa: S603 -- our own command
        ["node", "--test", str(script)],  # noqa: S607 -- from the PATH, as npm is
        env={"PATH": os.environ["PATH"], "SERVICE_URL": service.url, "MAILS": str(service.mails)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stdout
    assert "# pass 4" in done.stdout, done.stdout
