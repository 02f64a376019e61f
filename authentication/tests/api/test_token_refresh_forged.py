"""POST /api/v1/auth/token/refresh/ with tokens that this service did not sign."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from authentication.models import TokenBlacklist
from authentication.tests.answers import TOKEN_INVALID, invalid, not_refused, refusal_of
from authentication.tests.clients import REFRESH, Tokens
from authentication.tests.forging import claims_of
from authentication.tests.properties import over_http

pytestmark = pytest.mark.usefixtures("without_rate_limits")


def test_a_forged_token_is_refused_and_changes_nothing(api: APIClient, signed_in: Tokens) -> None:
    def present(token: str) -> Any:
        return api.post(REFRESH, {"refresh": token})

    assert not_refused(present, claims_of(signed_in["refresh"])) == {}


@over_http
@given(data=st.data())
def test_a_token_with_a_flipped_bit_is_refused(
    api: APIClient, signed_in: Tokens, data: st.DataObject
) -> None:
    token = signed_in["refresh"].encode()
    place, bit = data.draw(st.integers(0, len(token) - 1)), data.draw(st.integers(0, 6))
    flipped = (token[:place] + bytes([token[place] ^ (1 << bit)]) + token[place + 1 :]).decode()

    answer = api.post(REFRESH, {"refresh": flipped})

    # A flip that makes a control character is refused as text.
    expected = (
        TOKEN_INVALID
        if flipped.isprintable()
        else invalid(refresh=["Please remove line breaks and invisible characters."])
    )
    assert refusal_of(answer) == expected
    assert not TokenBlacklist.objects.exists()


@over_http
@given(text=st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=300))
def test_any_other_text_is_refused(api: APIClient, db: None, text: str) -> None:
    answer = api.post(REFRESH, {"refresh": text})

    assert refusal_of(answer) == TOKEN_INVALID
