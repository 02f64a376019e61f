"""POST /login/ with User-Agent Client Hints: they name the device, and decide nothing else."""

import pytest
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import KnownDevice, OutgoingEmail, User
from authentication.tests.agents import AGENTS
from authentication.tests.clients import (
    NOON,
    REFRESH,
    refreshed,
    sign_in,
    use_access,
)
from authentication.tests.conftest import Deliver

from .sessions import list_sessions

WINDOWS = AGENTS["Chrome on Windows"].header
ANDROID = AGENTS["Chrome on Android"].header
TABLET = AGENTS["Chrome on an Android tablet"].header
MAC = AGENTS["Chrome on a Mac"].header

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


def hints(
    platform: str = "", version: str = "", model: str = "", *, mobile: str = "?0"
) -> dict[str, str]:
    """Return the hints as headers, exactly as they are given."""
    given = {"": platform, "-Version": version}
    return {
        **{f"Sec-CH-UA-Platform{name}": value for name, value in given.items() if value},
        **({"Sec-CH-UA-Model": model} if model else {}),
        "Sec-CH-UA-Mobile": mobile,
    }


def words_for(api: APIClient, person: User, agent: str, sent: dict[str, str]) -> tuple[str, ...]:
    tokens = sign_in(api, person, headers={"User-Agent": agent, **sent})
    (shown,) = list_sessions(api, tokens)
    return shown["device_name"], shown["device_type"], shown["operating_system"]


@pytest.mark.parametrize(
    ("agent", "sent", "words"),
    [
        (
            WINDOWS,
            hints('"Windows"', '"15.0.0"'),
            ("Chrome on Windows 11", "desktop", "Windows 11"),
        ),
        (
            WINDOWS,
            hints('"Windows"', '"10.0.0"'),
            ("Chrome on Windows 10", "desktop", "Windows 10"),
        ),
        (WINDOWS, hints('"Windows"', '"0.1.0"'), ("Chrome on Windows", "desktop", "Windows")),
        (WINDOWS, hints('"Windows"'), ("Chrome on Windows", "desktop", "Windows")),
        (MAC, hints('"macOS"', '"15.1.0"'), ("Chrome on Mac", "desktop", "macOS 15")),
        (
            ANDROID,
            hints('"Android"', '"16.0.0"', '"Pixel 9"', mobile="?1"),
            ("Chrome on Pixel 9", "mobile", "Android 16"),
        ),
        (
            ANDROID,
            hints('"Android"', '"14.0.0"', '"SM-S921B"', mobile="?1"),
            ("Chrome on a Samsung phone", "mobile", "Android 14"),
        ),
        (
            TABLET,
            hints('"Android"', '"14.0.0"', '"SM-X710"'),
            ("Chrome on a Samsung tablet", "tablet", "Android 14"),
        ),
        (
            TABLET,
            hints('"Android"', mobile="?1"),
            ("Chrome on an Android phone", "mobile", "Android"),
        ),
        ("", hints('"Chromium OS"'), ("Unknown app on Chromebook", "desktop", "Chrome OS")),
        (
            "",
            hints('"Android"', mobile="?1"),
            ("Unknown app on an Android phone", "mobile", "Android"),
        ),
    ],
)
def test_a_hint_names_what_the_user_agent_hides(
    api: APIClient, person: User, agent: str, sent: dict[str, str], words: tuple[str, ...]
) -> None:
    assert words_for(api, person, agent, sent) == words


MALFORMED = [
    "Pixel 9",
    '"Pixel 9',
    'Pixel 9"',
    "'Pixel 9'",
    '"Pixel "9"',
    '"Pixel\\ 9"',
    '"Pixel 9\\"',
    '"Pixel 9";v=1',
    '"Pixel 9", "Pixel 9"',
    '"Pixel\t9"',
    '"Pixel 9\x00"',
    '"Pix\xe9l 9"',
    f'"Pixel 9{" " * 60}"',
    '""',
    '"',
    "?1",
    '"' * 5000,
    '"\\' * 2500,
]


@pytest.mark.security
@pytest.mark.parametrize("text", MALFORMED)
def test_a_malformed_hint_is_ignored(api: APIClient, person: User, text: str) -> None:
    sent = hints('"Android"', '"16.0.0"', text, mobile=text)
    words = ("Chrome on an Android phone", "mobile", "Android 16")
    assert words_for(api, person, ANDROID, sent) == words


@pytest.mark.parametrize(
    "version", ['"1600.0"', '"x.1"', '"-1"', '" "', '"16', '"\u0661\u0666"', f'"{"9" * 5000}"']
)
def test_a_version_that_is_no_number_is_ignored(api: APIClient, person: User, version: str) -> None:
    sent = hints('"Windows"', version)

    assert words_for(api, person, WINDOWS, sent) == ("Chrome on Windows", "desktop", "Windows")


@pytest.mark.security
@pytest.mark.parametrize(
    "model",
    [
        "evil.example",
        "http://evil",
        "a@evil",
        "Call 1 800 555 0199 now",
        "Your account is closed today",
        '\\"Pixel\\"',
        "<b>Pixel</b>",
        "K",
        "22101320G",
    ],
)
def test_a_model_that_no_person_recognises_is_not_shown(
    api: APIClient, person: User, model: str
) -> None:
    sent = hints('"Android"', '"15.0.0"', f'"{model}"', mobile="?1")

    name, *_ = words_for(api, person, ANDROID, sent)

    assert name == "Chrome on an Android phone"


def test_the_name_that_an_app_gives_comes_first(api: APIClient, person: User) -> None:
    sent = {"User-Agent": WINDOWS, **hints('"Windows"', '"15.0.0"')}

    tokens = sign_in(api, person, headers=sent, device_name="Ruth's laptop")

    (shown,) = list_sessions(api, tokens)
    assert (shown["device_name"], shown["operating_system"]) == ("Ruth's laptop", "Windows 11")


@pytest.mark.security
def test_hints_do_not_make_a_device_known_or_new(api: APIClient, person: User) -> None:
    sent = {"User-Agent": WINDOWS, **hints('"Windows"', '"15.0.0"')}
    device = sign_in(api, person, headers=sent)["device_id"]

    other = {"User-Agent": ANDROID, **hints('"Android"', '"16.0.0"', '"Pixel 9"', mobile="?1")}
    sign_in(api, person, headers={**other, "X-Device-Id": device})
    assert KnownDevice.objects.count() == 1
    assert not OutgoingEmail.objects.exists()

    sign_in(api, person, headers=sent)
    assert KnownDevice.objects.count() == 2
    assert OutgoingEmail.objects.get().kind == "new_device"


class TestMails:
    def test_the_mail_about_a_new_device_has_the_words_of_the_hints(
        self, api: APIClient, person: User, delivered: Deliver
    ) -> None:
        sign_in(api, person)
        sign_in(api, person, headers={"User-Agent": WINDOWS, **hints('"Windows"', '"15.0.0"')})

        (mail,) = delivered()

        assert "\nDevice: Chrome on Windows 11\n" in str(mail.body)
        assert "Name given" not in str(mail.body)

    @pytest.mark.parametrize(
        ("given", "line"),
        [
            ("", "Device: Chrome on an Android phone\n"),
            (
                "Ruth's phone",
                'Device: Chrome on an Android phone\nName given to it: "Ruth\'s phone"',
            ),
        ],
    )
    def test_the_mail_about_reuse_does_not_take_our_words_for_a_name_given(
        self,
        api: APIClient,
        person: User,
        delivered: Deliver,
        time_machine: TimeMachineFixture,
        given: str,
        line: str,
    ) -> None:
        sent = hints('"Android"', '"16.0.0"', '"Pixel 9"', mobile="?1")
        stolen = sign_in(api, person, headers={"User-Agent": ANDROID, **sent}, device_name=given)
        use_access(api, refreshed(api, stolen["refresh"]))
        time_machine.shift(21)
        api.post(REFRESH, {"refresh": stolen["refresh"]})

        (mail,) = delivered()

        assert f"\n{line}" in str(mail.body)
        assert ("Name given" in str(mail.body)) == bool(given)
