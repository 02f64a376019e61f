"""Everything that meets input before it is refused takes linear time: 64 KiB in 50 ms of CPU."""

import ast
import contextlib
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.conf import settings
from django.test import RequestFactory
from pytest_django import Settings
from rest_framework import serializers

from authentication.api.parsers import _depth
from authentication.management.commands import verify_audit_log
from authentication.serializers import choice_fields, fields
from authentication.services.admin_pages import people
from authentication.services.mail import mailbox
from authentication.templatetags import mail_text
from authentication.utils import (
    apps,
    client,
    client_hints,
    device_words,
    devices,
    identifiers,
    legacy_hashes,
    one_time_codes,
    pwned,
    tokens,
)
from authentication.view_modules import index
from vineyard_group_fellowship import env_file, logs
from vineyard_group_fellowship.handler import ServiceRequest
from vineyard_group_fellowship.middleware import correlation
from vineyard_group_fellowship.server import environ

env = sys.modules["vineyard_group_fellowship.settings.env"]
origins = sys.modules["vineyard_group_fellowship.settings.origins"]
SIZE = 64 * 1024
SECONDS = 0.05

# Combining marks that are stored in the reverse of their canonical order.
MARKS = "\u0345\u0301\u0316\u0334"
PIECES = [
    *(
        "a",
        "A",
        "0",
        " ",
        "\n",
        "\t",
        "\x00",
        "\\",
        '"',
        "'",
        "[",
        "]",
        "{",
        "}",
        "(",
        ".",
        ",",
        ";",
    ),
    *(":", "=", "/", "?", "-", "_", "@", "%", "\ufdfa", "\u0660", "\u200b", "\U0001f468", MARKS),
    *('\\"', '["\\"', '[{"\\', '{"":', '";"', '\\";', "a=b;", "a,b", "1.1.1.1", "::", "[:", "]:"),
    *("a.", ".a", "xn--a.", "a@", "DETAIL:\n", "\n\n", "Invalid request '", "? ?", "\r\n", "a b "),
]
TEXTS = [
    (piece * (SIZE // len(piece) + 1))[: SIZE - 2] + end
    for piece in PIECES
    for end in ("", "x!", '"')
]


def cpu(call: Callable[[], object]) -> float:
    """Return the least CPU time of three calls in seconds; a refusal is an answer as well."""
    spent = []
    for _ in range(3):
        started = time.process_time()
        with contextlib.suppress(ValueError, serializers.ValidationError, tokens.InvalidToken):
            call()
        spent.append(time.process_time() - started)
        if spent[-1] < SECONDS:
            break
    return min(spent)


def too_slow(call: Callable[[str], object], *, texts: list[str] = TEXTS) -> dict[str, float]:
    found = {ascii(text[:12]): cpu(lambda text=text: call(text)) for text in texts}  # type: ignore[misc]
    return {text: seconds for text, seconds in found.items() if seconds >= SECONDS}


MODULES = [
    apps,
    env_file,
    client,
    client_hints,
    correlation,
    device_words,
    devices,
    env,
    environ,
    fields,
    identifiers,
    index,
    legacy_hashes,
    logs,
    mail_text,
    mailbox,
    one_time_codes,
    origins,
    people,
    pwned,
    tokens,
    verify_audit_log,
]
PATTERNS = {
    f"{module.__name__}.{name}": pattern
    for module in MODULES
    for name, pattern in vars(module).items()
    if isinstance(pattern, re.Pattern)
}
# What a text may begin with, so that a pattern goes beyond its own beginning.
BEGINNINGS = ["0" * 35 + ":", "DETAIL:", "a.a.", '"']
METHODS = ("fullmatch", "match", "search", "findall", "split")


def methods_of(name: str) -> list[Callable[[str], object]]:
    """Return what the module does with its pattern; another method could be slower."""
    module, _, constant = name.rpartition(".")
    source = Path(str(sys.modules[module].__file__)).read_text(encoding="utf-8")
    pattern = PATTERNS[name]
    used = [getattr(pattern, it) for it in METHODS if f"{constant}.{it}(" in source]
    return used + ([lambda text: pattern.sub("", text)] if f"{constant}.sub(" in source else [])


@pytest.mark.slow
@pytest.mark.parametrize("name", PATTERNS)
def test_a_regular_expression_takes_linear_time(name: str) -> None:
    texts = [beginning + text for beginning in BEGINNINGS for text in TEXTS[::3]] + TEXTS
    methods = methods_of(name)

    assert methods
    assert [too_slow(method, texts=texts) for method in methods] == [{}] * len(methods)


def test_every_module_with_a_regular_expression_is_measured() -> None:
    root = Path(settings.BASE_DIR)
    compiled = {
        path.relative_to(root).with_suffix("").as_posix().replace("/", ".")
        for package in ("authentication", "vineyard_group_fellowship")
        for path in (root / package).rglob("*.py")
        if "tests" not in path.parts
        and any(
            isinstance(node, ast.Call) and ast.unparse(node.func) == "re.compile"
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        )
    }

    # The parser's is measured by its only caller.
    assert compiled - {"authentication.api.parsers"} == {it.__name__ for it in MODULES}


HINTS = ("PLATFORM", "PLATFORM_VERSION", "MODEL", "MOBILE")


def meta() -> dict[str, Any]:
    return RequestFactory().get("/").META


def field(kind: type[Any], **options: Any) -> Callable[[str], object]:
    return lambda text: kind(**options).run_validation(text)


LOOPS: dict[str, Callable[[str], object]] = {
    # So many brackets that the text is scanned.
    "the depth of JSON": lambda text: _depth("[" * 21 + text),
    "an address": field(fields.EmailAddressField),
    "a username": field(fields.UsernameField),
    "a text": field(fields.TextField, max_length=100),
    "a password": field(fields.PasswordField),
    "a code": field(fields.CodeField),
    "a device's name": field(fields.DeviceNameField),
    "a time zone": field(choice_fields.TimezoneField),
    "a token of a session": field(fields.SessionTokenField),
    "a recovery code": one_time_codes.canonical_recovery_code,
    "a code as typed": one_time_codes.canonical_code,
    "claims": lambda text: tokens.Claims.read(tokens.AccessToken, text),
    "device secrets": devices.device_secrets,
    "the products of a user agent": apps._products,
    "the name of an app": lambda text: apps._named([(text, "1.0"), ("a", text)]),
    "a recognisable name": apps.recognisable,
    "a device": lambda text: devices.device_of(text[:512]),
    "a string of a hint": lambda text: client_hints._string(f'"{text}"'),
    "client hints": lambda text: devices.device_of(
        "", client_hints.ClientHints.of({f"HTTP_SEC_CH_UA_{name}": text for name in HINTS})
    ),
    "an address of a peer": client.parse_ip,
    "cookies": lambda text: client.cookie_values(mock.Mock(META={"HTTP_COOKIE": text}), "device"),
    "a user agent": lambda text: client.ClientInfo.of(
        mock.Mock(META={"REMOTE_ADDR": "", "HTTP_USER_AGENT": text})
    ),
    "a content type": lambda text: ServiceRequest(
        {**meta(), "CONTENT_TYPE": f"application/json;{text}"}
    ),
    "escaping of a log line": logs.escape,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LOOPS)
def test_a_loop_takes_linear_time(name: str) -> None:
    assert too_slow(LOOPS[name]) == {}


def test_forwarded_addresses_take_linear_time(settings: Settings) -> None:
    settings.TRUSTED_PROXY_COUNT = 2

    assert too_slow(lambda text: client.client_address({"HTTP_X_FORWARDED_FOR": text})) == {}


@pytest.mark.django_db
def test_a_password_of_combining_marks_is_not_normalized(person: Any) -> None:
    with mock.patch("authentication.models.user.check_password", return_value=False):
        assert too_slow(person.check_password) == {}
