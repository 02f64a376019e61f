"""What the clients take from the API's document is fresh, and their lists name no host."""

import json
import re
from typing import Any

import pytest
import yaml

from clients import generate

LOCK = generate.CLIENTS / "typescript/package-lock.json"
PUBLIC = "https://registry.npmjs.org/"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(generate.DOCUMENT.read_text(encoding="utf-8"))
    return found


@pytest.mark.slow
def test_what_is_written_from_the_document_is_fresh() -> None:
    stale = [
        str(path.relative_to(generate.CLIENTS))
        for path, text in generate.files().items()
        if path.read_text(encoding="utf-8") != text
    ]

    assert stale == [], "run make clients"


@pytest.mark.slow
def test_an_operation_needs_a_token_unless_anyone_may_call_it(document: dict[str, Any]) -> None:
    routes = generate.routes(document)

    assert routes["session_terminate"] == ("DELETE", "auth/sessions/{session_id}/", True)
    assert routes["login"] == ("POST", "auth/login/", False)
    assert routes["token_refresh"] == ("POST", "auth/token/refresh/", False)


def test_the_lockfile_names_no_host_but_the_public_registry() -> None:
    text = LOCK.read_text(encoding="utf-8")
    packages = json.loads(text)["packages"]
    installed = {name: it for name, it in packages.items() if name}

    assert all(it.get("resolved", PUBLIC).startswith(PUBLIC) for it in installed.values())
    assert all("integrity" in it for it in installed.values())
    assert re.findall(r'"(?:file:|/)[^"]*"', text) == []
