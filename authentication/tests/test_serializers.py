"""Names that serializers accept and refuse; what endpoints do with the values is in api/."""

import pytest

from authentication.serializers.authentication import LoginSerializer

SECRET = "Secure-Vine-123!"


@pytest.mark.parametrize("name", ["email_or_username", "email", "username"])
def test_a_sign_in_takes_the_identifier_under_each_name(name: str) -> None:
    serializer = LoginSerializer(data={name: "ruth@example.org", "password": SECRET})

    assert serializer.is_valid(), serializer.errors


@pytest.mark.parametrize("body", [{}, {"password": SECRET}, {"email": "ruth@example.org"}])
def test_a_sign_in_without_identifier_or_password_is_refused(body: dict[str, str]) -> None:
    assert not LoginSerializer(data=body).is_valid()


def test_a_number_is_no_password() -> None:
    serializer = LoginSerializer(data={"email": "ruth@example.org", "password": 12345678})

    assert not serializer.is_valid()
    assert list(serializer.errors) == ["password"]
