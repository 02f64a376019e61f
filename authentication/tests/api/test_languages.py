"""The language of an answer: that of the profile, else of the request, else of the site."""

from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from authentication.models import User
from authentication.tests.clients import Tokens
from authentication.tests.conftest import API, BROWSER, ME, bearer

pytestmark = pytest.mark.django_db

ENGLISH = "You are not signed in. Please sign in to continue."
GERMAN = "Du bist nicht angemeldet. Bitte melde dich an, um weiterzumachen."
PAGE = "/account/forgot-password/"


def asked(client: APIClient, header: str = "", **headers: str) -> Any:
    """Ask for the profile; in a language, if the header names one."""
    named = {"Accept-Language": header} if header else {}
    return client.get(ME, headers={**named, **headers})


def choose(api: APIClient, tokens: Tokens, language: Any, **headers: str) -> Any:
    """Choose a language in the profile."""
    body = {"language": language}
    return api.patch(ME, body, format="json", headers={**bearer(tokens["access"]), **headers})


@pytest.mark.parametrize(
    ("header", "language", "detail"),
    [
        ("de", "de", GERMAN),
        ("de-AT,de;q=0.9,en;q=0.8", "de", GERMAN),
        ("fr-FR, de;q=0.5", "de", GERMAN),
        ("DE", "de", GERMAN),
        ("en;q=0.5, de;q=0.4", "en", ENGLISH),
        ("fr", "en", ENGLISH),
        ("*", "en", ENGLISH),
        ("", "en", ENGLISH),
        ("de;q=", "en", ENGLISH),
        ("de, " * 1000, "en", ENGLISH),
        ("\u00e4\x00../de", "en", ENGLISH),
    ],
)
def test_an_answer_is_in_the_language_that_is_asked_for(
    api: APIClient, header: str, language: str, detail: str
) -> None:
    answer = asked(api, header)

    assert (answer.json()["detail"], answer.json()["code"]) == (detail, "token_invalid")
    assert answer["Content-Language"] == language
    assert "Accept-Language" in answer["Vary"]


def test_the_site_has_a_language_for_people_who_ask_for_no_other(
    api: APIClient, settings: Any
) -> None:
    settings.LANGUAGE_CODE = "de"

    assert asked(api).json()["detail"] == GERMAN
    assert asked(api, "fr").json()["detail"] == GERMAN
    assert asked(api, "en").json()["detail"] == ENGLISH


def test_a_language_ends_with_its_request(api: APIClient) -> None:
    asked(api, "de")

    assert asked(api).json()["detail"] == ENGLISH


def test_fields_are_refused_in_the_language_too(api: APIClient) -> None:
    body = {"email": "x", "password": "short"}

    answer = api.post(f"{API}/register/", body, headers={"Accept-Language": "de"}).json()

    assert answer["errors"]["email"] == ["Bitte gib eine gültige E-Mail-Adresse ein."]
    # Django's own sentence, from its own catalogue.
    assert "Dieses Passwort ist zu kurz" in answer["errors"]["password"][0]
    assert answer["errors"]["password"][-1] == (
        "Im Passwort fehlt noch: ein Großbuchstabe, eine Ziffer, ein Sonderzeichen."
    )
    assert answer["detail"] == answer["error"] == "Bitte prüfe die markierten Felder."
    assert (answer["code"], answer["title"]) == ("validation_error", "Ungültige Eingabe")


class TestProfile:
    def test_its_language_goes_before_that_of_the_request(
        self, api: APIClient, signed_in: Tokens
    ) -> None:
        changed = choose(api, signed_in, "de")

        assert (changed.status_code, changed.json()["language"]) == (200, "de")
        assert changed["Content-Language"] == "de"
        refused = choose(api, signed_in, "xx", **{"Accept-Language": "en"})
        assert refused.json()["errors"]["language"] == [
            "Bitte wähle eine davon: en, de. Leer heißt: wie im Browser."
        ]

    @pytest.mark.parametrize("language", ["fr", "DE", "de-AT", "english", 1, ["de"], {}])
    def test_a_language_that_is_not_offered_is_refused(
        self, api: APIClient, signed_in: Tokens, person: User, language: Any
    ) -> None:
        answer = choose(api, signed_in, language)

        assert (answer.status_code, list(answer.json()["errors"])) == (400, ["language"])
        person.refresh_from_db()
        assert person.language == ""

    def test_an_empty_one_follows_the_request_again(
        self, api: APIClient, signed_in: Tokens
    ) -> None:
        choose(api, signed_in, "de")

        answer = choose(api, signed_in, "", **{"Accept-Language": "en"})

        assert (answer.status_code, answer.json()["language"]) == (200, "")
        assert answer["Content-Language"] == "en"

    def test_null_counts_as_absent(self, api: APIClient, signed_in: Tokens) -> None:
        choose(api, signed_in, "de")

        assert choose(api, signed_in, None).json()["language"] == "de"

    def test_one_that_the_site_has_given_up_is_as_none(
        self, api: APIClient, signed_in: Tokens, person: User
    ) -> None:
        User.objects.filter(pk=person.pk).update(language="fr")

        answer = asked(api, "de", **bearer(signed_in["access"]))

        assert (answer.status_code, answer["Content-Language"]) == (200, "de")


class TestPages:
    def test_a_page_is_in_the_language_of_the_browser(self, client: Client) -> None:
        page = client.get(PAGE, headers={"Accept-Language": "de"})

        assert '<html lang="de">' in page.content.decode()
        assert "Neues Passwort anfordern" in page.content.decode()
        assert page["Content-Language"] == "de"
        assert {"Accept-Language", "Cookie"} <= {it.strip() for it in page["Vary"].split(",")}

    def test_a_browser_is_told_the_choice_of_its_person(
        self, api: APIClient, signed_in: Tokens, client: Client
    ) -> None:
        answer = choose(api, signed_in, "de", **BROWSER)

        cookie = answer.cookies["language"]
        assert (cookie.value, cookie["httponly"], cookie["samesite"]) == ("de", True, "Lax")
        client.cookies["language"] = "de"
        assert client.get(PAGE, headers={"Accept-Language": "en"})["Content-Language"] == "de"
        again = asked(api, **BROWSER, **bearer(signed_in["access"]))
        assert "language" not in again.cookies

    def test_the_next_person_of_a_browser_has_their_own(
        self, api: APIClient, signed_in: Tokens
    ) -> None:
        api.cookies["language"] = "de"

        answer = asked(api, **BROWSER, **bearer(signed_in["access"]))

        assert answer.cookies["language"]["max-age"] == 0

    @pytest.mark.parametrize("headers", [{}, {**BROWSER, "Sec-Fetch-Site": "cross-site"}])
    def test_apps_and_other_sites_get_no_cookie(
        self, api: APIClient, signed_in: Tokens, headers: dict[str, str]
    ) -> None:
        choose(api, signed_in, "de")

        answer = asked(api, **headers, **bearer(signed_in["access"]))

        assert "language" not in answer.cookies

    @pytest.mark.parametrize("value", ["fr", "../../etc", "de\\x00", "DE-de-de", '"'])
    def test_a_cookie_that_names_no_language_is_ignored(self, client: Client, value: str) -> None:
        client.cookies["language"] = value

        assert client.get(PAGE).status_code == 200


def test_static_files_have_no_language(client: Client) -> None:
    answer = client.get("/static/account/words/de.json")

    answer.close()
    assert "Content-Language" not in answer
    assert "Accept-Language" not in answer.get("Vary", "")


def test_the_description_of_the_api_is_english(client: Client) -> None:
    answer = client.get("/api/schema/", headers={"Accept-Language": "de"})

    assert "Du bist nicht angemeldet" not in answer.content.decode()
    assert answer["Content-Language"] == "en"
