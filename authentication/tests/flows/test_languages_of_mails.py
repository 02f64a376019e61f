"""A mail is in the language of its reader, and says nothing of who caused it."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from authentication.models import User
from authentication.tests.api.contests import to
from authentication.tests.api.registration import NEWCOMER
from authentication.tests.clients import Tokens
from authentication.tests.conftest import API, ME, Deliver, bearer, token_in
from authentication.tests.factories import PASSWORD

pytestmark = pytest.mark.django_db

NAOMI = NEWCOMER["email"]
GERMAN, ENGLISH = {"Accept-Language": "de"}, {"Accept-Language": "en"}


def post(api: APIClient, path: str, body: dict[str, str], headers: dict[str, str]) -> Any:
    return api.post(f"{API}/{path}/", body, format="json", headers=headers)


def register(api: APIClient, headers: dict[str, str], **fields: str) -> None:
    assert post(api, "register", {**NEWCOMER, **fields}, headers).status_code == 201


def reset_subject(api: APIClient, address: str, delivered: Deliver) -> str:
    post(api, "password/reset", {"email": address}, ENGLISH)
    return str(to(delivered, address)[-1].subject)


def test_a_stranger_does_not_decide_the_language_of_the_owners_mail(
    api: APIClient, delivered: Deliver
) -> None:
    register(api, GERMAN)

    assert reset_subject(api, NAOMI, delivered) == "Wähle ein neues Passwort"
    register(api, ENGLISH)
    (first, *_) = to(delivered, NAOMI)
    assert first.subject == "Bestätige deine E-Mail-Adresse"
    assert '<html lang="de">' in str(first.alternatives[0][0])  # type: ignore[attr-defined]
    assert first.extra_headers["Content-Language"] == "de"


def test_the_choice_of_the_profile_goes_before_the_registration(
    api: APIClient, signed_in: Tokens, person: User, delivered: Deliver
) -> None:
    headers = {**bearer(signed_in["access"]), **ENGLISH}
    api.patch(ME, {"language": "de"}, format="json", headers=headers)

    assert reset_subject(api, person.email, delivered) == "Wähle ein neues Passwort"


def test_an_account_without_a_language_gets_mails_in_that_of_the_site(
    api: APIClient, person: User, delivered: Deliver, settings: Any
) -> None:
    settings.LANGUAGE_CODE = "de"

    assert reset_subject(api, person.email, delivered) == "Wähle ein neues Passwort"


def test_the_owner_of_a_taken_address_reads_their_own_language(
    api: APIClient, signed_in: Tokens, person: User, delivered: Deliver
) -> None:
    register(api, GERMAN)
    post(api, "email/verify", {"token": token_in(to(delivered, NAOMI)[-1])}, ENGLISH)

    headers = {**bearer(signed_in["access"]), **ENGLISH}
    post(api, "account/email", {"email": NAOMI}, headers)

    assert to(delivered, NAOMI)[-1].subject == "Du hast schon ein Konto"
    assert to(delivered, person.email)[-1].subject == "Your email address is about to change"


def test_a_contested_account_has_the_language_of_who_proves_the_address(
    api: APIClient, delivered: Deliver
) -> None:
    register(api, ENGLISH)
    register(api, GERMAN, password="Threshing-Floor-9")

    post(api, "email/verify", {"token": token_in(to(delivered, NAOMI)[-1])}, GERMAN)

    assert to(delivered, NAOMI)[-1].subject == "Bitte wähle ein Passwort"


def test_times_and_devices_are_in_the_words_of_the_language(
    api: APIClient, delivered: Deliver
) -> None:
    register(api, GERMAN, timezone="Europe/Berlin")
    post(api, "email/verify", {"token": token_in(to(delivered, NAOMI)[-1])}, GERMAN)
    for agent in ("curl/8.1", "VineyardApp/1.4 (Linux; Android 14)"):
        api.cookies.clear()
        headers = {**ENGLISH, "User-Agent": agent}
        post(api, "login", {"email": NAOMI, "password": PASSWORD}, headers)

    mail = to(delivered, NAOMI)[-1]
    text = str(mail.body)
    assert mail.subject == "Neue Anmeldung in deinem Konto"
    assert "Gerät: Vineyard-App auf einem Android-Gerät" in text
    assert " Uhr (Berlin)" in text
    assert "Zeit: " in text


@pytest.mark.security
@pytest.mark.parametrize("headers", [GERMAN, ENGLISH], ids=["de", "en"])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("login", {"password": "Wrong-Harvest-7"}),
        ("password/reset", {}),
        ("email/resend", {}),
        ("register", {"password": PASSWORD}),
    ],
)
def test_known_and_unknown_addresses_get_one_answer_in_every_language(
    api: APIClient, person: User, path: str, body: dict[str, str], headers: dict[str, str]
) -> None:
    User.objects.filter(pk=person.pk).update(language="de", registered_language="de")

    def answer(address: str) -> Any:
        found = post(api, path, {**body, "email": address}, headers)
        told = dict(found.json())
        for name in ("correlation_id", "user_id", "email"):
            told.pop(name, None)
        return found.status_code, told, found["Content-Language"], found["Vary"]

    assert answer(person.email) == answer("unknown@example.org")
