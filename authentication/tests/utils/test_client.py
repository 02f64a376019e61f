"""utils/client.py: the address of a client, its network, and what a service may know of it."""

import ipaddress
from typing import Any

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from authentication.tests.properties import thoroughly
from authentication.utils.client import (
    CORRELATION_KEY,
    ClientInfo,
    client_address,
    is_browser,
    network_key,
    replace_control_characters,
)

V4, V6 = ipaddress.ip_address("198.51.100.7"), ipaddress.ip_address("2001:db8::7")
CLAIMED = {
    "HTTP_X_FORWARDED_FOR": "203.0.113.9",
    "HTTP_X_REAL_IP": "203.0.113.9",
    "HTTP_FORWARDED": "for=203.0.113.9",
    "HTTP_CLIENT_IP": "203.0.113.9",
    "HTTP_CF_CONNECTING_IP": "203.0.113.9",
    "HTTP_TRUE_CLIENT_IP": "203.0.113.9",
    "HTTP_X_CLIENT_IP": "203.0.113.9",
}

# The address.


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("198.51.100.7", V4),
        (" 198.51.100.7 ", V4),
        ("2001:db8::7", V6),
        ("2001:0DB8:0:0::0007", V6),
        ("fe80::1%eth0", ipaddress.ip_address("fe80::1")),
        ("::ffff:198.51.100.7", V4),
        ("::ffff:c633:6407", V4),
        ("", None),
        ("unix:", None),
        ("198.51.100.7:443", V4),
        ("198.51.100.7:", None),
        ("198.51.100.7:443:443", None),
        ("[2001:db8::7]:443", V6),
        ("[2001:db8::7]", V6),
        ("[fe80::1%eth0]:443", ipaddress.ip_address("fe80::1")),
        ("[::ffff:198.51.100.7]:443", V4),
        ("[2001:db8::7]443", None),
        ("[198.51.100.7", None),
        ("198.51.100.07", None),
        ("198.51.100", None),
        ("localhost", None),
        ("1.2.3.4, 5.6.7.8", None),
        ("\x00", None),
    ],
)
def test_the_address_is_that_of_the_peer(remote: str, address: object) -> None:
    assert client_address({"REMOTE_ADDR": remote}) == address


def test_a_request_without_an_address_has_none() -> None:
    assert client_address({}) is None


def test_no_header_changes_the_address() -> None:
    assert client_address({"REMOTE_ADDR": "198.51.100.7", **CLAIMED}) == V4


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (1, "198.51.100.7", V4),
        (1, "1.1.1.1, 198.51.100.7", V4),
        (1, "1.1.1.1,198.51.100.7", V4),
        (2, "1.1.1.1, 198.51.100.7, 10.0.0.1", V4),
        (2, "198.51.100.7, 10.0.0.1", V4),
        (1, "1.1.1.1, nonsense", None),
        (1, "1.1.1.1, ", None),
        (1, "", None),
        (2, "198.51.100.7", None),
        (3, "198.51.100.7, 10.0.0.1", None),
    ],
)
def test_behind_proxies_the_address_is_the_nth_from_the_right(
    settings: Settings, proxies: int, forwarded: str, address: object
) -> None:
    settings.TRUSTED_PROXY_COUNT = proxies

    assert client_address({"REMOTE_ADDR": "10.0.0.9", "HTTP_X_FORWARDED_FOR": forwarded}) == address


def test_behind_proxies_a_request_without_the_header_has_no_address(settings: Settings) -> None:
    settings.TRUSTED_PROXY_COUNT = 1

    assert client_address({"REMOTE_ADDR": "10.0.0.9"}) is None


@pytest.mark.parametrize("header", ["X-Real-IP", "x-real-ip", "X-REAL-IP"])
def test_a_configured_header_gives_the_address(settings: Settings, header: str) -> None:
    settings.CLIENT_IP_HEADER = header
    meta = {
        "REMOTE_ADDR": "10.0.0.9",
        "HTTP_X_REAL_IP": "198.51.100.7",
        "HTTP_X_FORWARDED_FOR": "203.0.113.9",
    }

    assert client_address(meta) == V4
    assert client_address({"REMOTE_ADDR": "10.0.0.9"}) is None


@thoroughly
@given(remote=st.text(max_size=60), forwarded=st.text(max_size=60))
def test_any_text_is_an_address_or_none(remote: str, forwarded: str) -> None:
    found = client_address({"REMOTE_ADDR": remote, "HTTP_X_FORWARDED_FOR": forwarded})

    assert found is None or ipaddress.ip_address(str(found)) == found


# The key of rate limits.


def test_an_ipv4_address_is_its_own_key() -> None:
    assert network_key(V4) == "198.51.100.7"


@pytest.mark.parametrize(
    "text",
    [
        "2001:db8:0:1::",
        "2001:db8:0:1::1",
        "2001:0DB8:0:1:1:2:3:4",
        "2001:db8:0:1:ffff:ffff:ffff:ffff",
    ],
)
def test_a_64_network_of_ipv6_has_one_key(text: str) -> None:
    assert network_key(client_address({"REMOTE_ADDR": text})) == "2001:db8:0:1::/64"


def test_the_next_64_network_has_another_key() -> None:
    assert network_key(ipaddress.ip_address("2001:db8:0:2::1")) != network_key(
        ipaddress.ip_address("2001:db8:0:1::1")
    )


def test_all_malformed_addresses_have_one_key() -> None:
    malformed = ("", "nonsense", "1.2.3", "1.2.3.4.5", "\x00", "::g")

    assert {network_key(client_address({"REMOTE_ADDR": text})) for text in malformed} == {"unknown"}


@thoroughly
@given(address=st.ip_addresses(v=4))
def test_a_mapped_ipv4_address_counts_as_itself(address: ipaddress.IPv4Address) -> None:
    mapped = client_address({"REMOTE_ADDR": f"::ffff:{address}"})

    assert network_key(mapped) == network_key(address) == str(address)


# Browsers.


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://www.example.org"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"},
    ],
)
def test_a_request_with_an_origin_or_sec_fetch_site_is_a_browsers(headers: dict[str, str]) -> None:
    assert is_browser(RequestFactory().post("/", headers=headers))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"User-Agent": "Mozilla/5.0"},
        {"Referer": "https://www.example.org/"},
        {"Sec-Ch-Ua": "Chrome"},
        {"Sec-Fetch-Mode": "cors"},
        {"Sec-Fetch-Dest": "empty"},
    ],
)
def test_other_requests_are_those_of_apps(headers: dict[str, str]) -> None:
    assert not is_browser(RequestFactory().post("/", headers=headers))


# ClientInfo.


def client_info(**meta: Any) -> ClientInfo:
    return ClientInfo.of(RequestFactory().post("/", **meta))


def test_client_info_holds_address_user_agent_and_correlation_id() -> None:
    found = client_info(
        REMOTE_ADDR="198.51.100.7", HTTP_USER_AGENT="curl/8", **{CORRELATION_KEY: "abc"}
    )

    assert found == ClientInfo(ip_address="198.51.100.7", user_agent="curl/8", correlation_id="abc")


def test_client_info_may_be_empty() -> None:
    assert client_info(REMOTE_ADDR="unix:") == ClientInfo(
        ip_address=None, user_agent="", correlation_id=""
    )


def test_no_header_sets_the_correlation_id() -> None:
    assert client_info(HTTP_AUTHENTICATION_CORRELATION_ID="mine").correlation_id == ""


def test_a_zone_is_removed_from_an_address() -> None:
    assert client_info(REMOTE_ADDR="fe80::1%eth0").ip_address == "fe80::1"


def test_a_long_user_agent_is_cut() -> None:
    assert client_info(HTTP_USER_AGENT="x" * 5000).user_agent == "x" * 512


@pytest.mark.parametrize(
    "character",
    ["\x00", "\x1b", "\r", "\n", "\x7f", "\x85", "\u2028", "\u202e", "\u2066", "\ud800"],
)
def test_control_characters_are_replaced(character: str) -> None:
    assert replace_control_characters(f"a{character}b") == "a\ufffdb"


@thoroughly
@given(text=st.text(max_size=100))
def test_replaced_text_is_stable_and_can_be_stored(text: str) -> None:
    shown = replace_control_characters(text)

    assert replace_control_characters(shown) == shown
    assert len(shown) == len(text)
    assert "\x00" not in shown
    shown.encode("utf-8")
