"""utils/one_time_codes.py: codes of authenticator apps and recovery codes."""

import base64
import re
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from authentication.utils.one_time_codes import (
    base32,
    canonical_recovery_code,
    is_totp_code,
    matching_step,
    new_recovery_codes,
    new_seed,
    otpauth_uri,
    totp_code,
)
from authentication.utils.qr import qr_svg

# RFC 6238, appendix B, lists them with eight digits; these are the last six.
RFC_SEED = b"12345678901234567890"
RFC_CODES = {
    59: "287082",
    1111111109: "081804",
    1234567890: "005924",
    2000000000: "279037",
    20000000000: "353130",
}
NOT_SIX_DIGITS = [
    "",
    "28708",
    "2870822",
    "287 082",
    " 287082",
    "287082\n",
    "\uff12\uff18\uff17\uff10\uff18\uff12",  # full width
    "\u0662\u0668\u0667\u0660\u0668\u0662",  # Arabic
    "28708\u00b2",
    "-87082",
    "2870.2",
]


@pytest.mark.parametrize(("timestamp", "code"), RFC_CODES.items())
def test_codes_are_those_of_the_rfc(timestamp: int, code: str) -> None:
    assert totp_code(RFC_SEED, timestamp // 30) == code
    assert matching_step(RFC_SEED, code, timestamp=timestamp) == timestamp // 30


def test_a_code_is_valid_in_its_step_and_the_neighbouring_ones() -> None:
    at, step = 1234567890, 1234567890 // 30

    found = [
        matching_step(RFC_SEED, RFC_CODES[at], timestamp=at + 30 * offset)
        for offset in (-2, -1, 0, 1, 2)
    ]

    assert found == [None, step, step, step, None]


@pytest.mark.parametrize("code", NOT_SIX_DIGITS, ids=ascii)
def test_only_six_ascii_digits_are_a_code(code: str) -> None:
    assert not is_totp_code(code)
    assert matching_step(RFC_SEED, code, timestamp=59) is None


def test_seeds_are_unique_and_have_160_bits() -> None:
    seeds = {new_seed() for _ in range(1000)}

    assert len(seeds) == 1000
    assert {len(seed) for seed in seeds} == {20}
    assert base64.b32decode(base32(RFC_SEED)) == RFC_SEED
    assert re.fullmatch(r"[A-Z2-7]{32}", base32(RFC_SEED))


def test_the_uri_holds_issuer_account_and_secret() -> None:
    address = urlsplit(
        otpauth_uri(RFC_SEED, issuer="Vineyard: Group", account="ruth+a@example.org")
    )

    assert (address.scheme, address.netloc) == ("otpauth", "totp")
    assert unquote(address.path) == "/Vineyard: Group:ruth+a@example.org"
    assert address.path.count(":") == 1
    assert parse_qs(address.query) == {
        "secret": [base32(RFC_SEED)],
        "issuer": ["Vineyard: Group"],
        "algorithm": ["SHA1"],
        "digits": ["6"],
        "period": ["30"],
    }


def test_a_qr_code_is_a_standalone_svg() -> None:
    image = qr_svg("otpauth://totp/x")

    assert image.startswith("<svg ")
    assert 'xmlns="http://www.w3.org/2000/svg"' in image
    assert "<script" not in image


class TestRecoveryCodes:
    def test_ten_codes_have_120_bits_each(self) -> None:
        codes = new_recovery_codes()

        assert len(set(codes)) == 10
        assert all(
            re.fullmatch(r"([0-9a-hjkmnp-tv-z]{6}-){3}[0-9a-hjkmnp-tv-z]{6}", code)
            for code in codes
        )

    def test_codes_are_unique(self) -> None:
        assert len({code for _ in range(100) for code in new_recovery_codes()}) == 1000

    @pytest.mark.parametrize(
        "typed",
        [
            "k7m2qx9fd0aat3ny8wh5c4r1",
            "K7M2QX-9FD0AA-T3NY8W-H5C4R1",
            " k7m2qx 9fd0aa t3ny8w h5c4r1 ",
            "k7m2qx-9fdOaa-t3ny8w-h5c4rI",
        ],
    )
    def test_spellings_of_a_code_are_accepted(self, typed: str) -> None:
        assert canonical_recovery_code(typed) == "k7m2qx9fd0aat3ny8wh5c4r1"

    @pytest.mark.parametrize(
        "typed",
        ["", "492039", "k7m2qx", "k7m2qx9fd0aat3ny8wh5c4r12", "\uff4b7m2qx9fd0aat3ny8wh5c4r1"],
    )
    def test_other_text_is_no_code(self, typed: str) -> None:
        assert canonical_recovery_code(typed) == ""
