"""The catalogues: complete, without doubts, and as `make messages` writes them."""

import io

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from django.conf import settings

from authentication.utils import apps, device_words, devices
from translations import catalogues, extract, review


def test_every_language_but_english_has_a_catalogue() -> None:
    assert catalogues.languages() == sorted(set(dict(settings.LANGUAGES)) - {"en"})


@pytest.mark.parametrize("language", catalogues.languages())
def test_a_catalogue_has_no_gaps_doubts_or_other_placeholders(language: str) -> None:
    assert review.faults_of(language) == []


@pytest.mark.slow
@pytest.mark.parametrize("language", catalogues.languages())
def test_a_catalogue_is_as_make_messages_writes_it(language: str) -> None:
    stale = [
        path.name
        for path, content in catalogues.files_of(language).items()
        if path.read_bytes() != content
    ]

    assert stale == []


@pytest.mark.slow
def test_a_new_language_begins_with_every_text_and_no_translation() -> None:
    files = {path.name: content for path, content in catalogues.files_of("fr").items()}
    texts = [
        message
        for name in ("django.po", "djangojs.po")
        for message in read_po(io.BytesIO(files[name]))
        if message.id
    ]

    assert len(texts) > 600
    assert [message for message in texts if any(message.string or ())] == []
    assert b"plural=(n > 1)" in files["django.po"]
    assert files["fr.json"] == b"{}\n"


@pytest.mark.parametrize(
    ("text", "translation", "fault"),
    [
        ("Hello {name}", "Hallo {nahme}", "other placeholders or markup:"),
        ("%(n)s left", "übrig", "other placeholders or markup:"),
        ('<a href="x">Go</a>', "Los", "other placeholders or markup:"),
        ("Key: ", "Schlüssel:", "other blanks or line breaks at the ends:"),
        ("Key:", "Schlüssel", "another end:"),
        ("Key", "", "untranslated:"),
        (("{n} day", "{n} days"), ("{n} Tag", ""), "untranslated:"),
        (("{n} day", "{n} days"), ("ein Tag", "Tage"), "other placeholders or markup:"),
    ],
)
def test_a_fault_is_found(text: str, translation: str, fault: str) -> None:
    assert fault in review.faults(Message(text, translation))


def test_a_doubt_is_found() -> None:
    assert list(review.faults(Message("Key", "Schlüssel", flags=["fuzzy"]))) == ["fuzzy:"]


def test_a_form_of_the_plural_may_say_its_number_in_a_word() -> None:
    assert list(review.faults(Message(("{n} day", "{n} days"), ("ein Tag", "{n} Tage")))) == []


def test_texts_are_found_in_calls_within_calls() -> None:
    found = {text for _, _, text, _ in extract.in_script('p(t("a {b}" +\n "c"), `${t("d")}`)', "x")}

    assert found == {"a {b}c", "d"}


def test_scripts_get_each_form_of_the_plural_by_its_name() -> None:
    catalog = Catalog(locale="de")

    assert catalogues.by_form(catalog, ("Tag", "Tage")) == {"one": "Tag", "other": "Tage"}


def test_the_words_for_devices_are_known() -> None:
    made = {*devices._TELEVISIONS.values(), "an iPhone or iPad", "an Amazon tablet"}
    phrases = {words for words in made if words.startswith(("a ", "an "))}

    assert phrases - device_words.PLACES == set()
    programs = [it for it in apps._PROGRAMS.values() if "program" in it]
    assert [it for it in programs if not device_words.PROGRAM.fullmatch(it)] == []
