"""Searching the lists of the admin."""

import itertools
import re

import pytest
from django.db.models import Model
from django.test import Client

from authentication.models import AuditLog, BulkAction, FailedTask, User, name_search
from authentication.tests.answers import unexpected
from authentication.tests.factories import UserFactory

from .tables import OWN_TABLES, make_row, page_url, result_count

pytestmark = pytest.mark.django_db


class TestSearch:
    @pytest.fixture
    def ruth(self, db: None) -> User:
        return UserFactory(email="ruth.moab+vineyard@gmail.com", username="Ruth.Moab")

    @pytest.mark.parametrize(
        "term",
        [
            "ruth.moab+vineyard@gmail.com",
            "RuthMoab@GoogleMail.com",
            " r.u.t.h.moab@gmail.com ",
            "ruth.moab",
            "RUTH.MOAB",
        ],
    )
    def test_an_account_is_found_by_its_names_in_any_spelling(
        self, viewer: Client, ruth: User, term: str
    ) -> None:
        answer = viewer.get(page_url(User), {"q": term})

        assert list(answer.context["cl"].result_list) == [ruth]

    def test_rows_are_found_by_the_names_of_their_account(self, viewer: Client) -> None:
        tables = [table for table in OWN_TABLES if table not in {FailedTask, BulkAction}]

        def outcome(case: tuple[type[Model], str]) -> tuple[bool, bool]:
            table, name = case
            row = make_row(table)
            owner = (
                row if isinstance(row, User) else User.objects.get(pk=getattr(row, "user_id", None))
            )
            make_row(table)
            answer = viewer.get(page_url(table), {"q": f" {getattr(owner, name).upper()} "})
            hint = r"Enter a complete [\w ,]*(email address|username)"
            return (
                re.search(hint, answer.content.decode()) is not None,
                [found.pk for found in answer.context["cl"].result_list] == [row.pk],
            )

        cases = itertools.product(tables, ("email", "username"))
        assert unexpected(cases, outcome, (True, True)) == {}

    @pytest.mark.parametrize(
        "name",
        ["\u041f\u0451\u0442\u0440", "\u039d\u03b1\u03c9\u03bc\u03b9", "Ru\u00dfland"],
        ids=ascii,
    )
    def test_names_of_every_alphabet_are_found(self, viewer: Client, name: str) -> None:
        person = UserFactory(username=name)

        answer = viewer.get(page_url(User), {"q": name})

        assert list(answer.context["cl"].result_list) == [person]

    @pytest.mark.parametrize(
        "term",
        [
            "dinah",
            "DINAH vale",
            "va di",
            "Di",
            "orchard",
            "orch",
            "dinah, vale",
            "\uff24inah",
            "o'va",
        ],
    )
    @pytest.mark.parametrize("few", [0, 3000])
    def test_accounts_are_found_by_words_that_their_names_begin_with(
        self, viewer: Client, monkeypatch: pytest.MonkeyPatch, term: str, few: int
    ) -> None:
        monkeypatch.setattr(name_search, "_FEW", few)
        dinah = UserFactory(first_name="Dinah", last_name="O'Vale Vale", username="x1.orchard-y")
        UserFactory(first_name="Nadine", last_name="Lovat", username="hopcorch")

        answer = viewer.get(page_url(User), {"q": term})

        assert list(answer.context["cl"].result_list) == [dinah]

    def test_a_name_that_an_account_has_finds_that_account_alone(self, viewer: Client) -> None:
        ruth = UserFactory(first_name="Ruth", username="ruth")
        UserFactory(first_name="Ruth", username="ruth.moab")

        answer = viewer.get(page_url(User), {"q": "Ruth"})

        assert list(answer.context["cl"].result_list) == [ruth]

    @pytest.mark.parametrize("address", ["8.8.4.4", "2001:db8::1"])
    def test_events_are_found_by_ip_address(self, viewer: Client, address: str) -> None:
        row = AuditLog.objects.create(event_type="login", ip_address=address)
        AuditLog.objects.create(event_type="login", ip_address="203.0.113.1")

        answer = viewer.get(page_url(AuditLog), {"q": address})

        assert list(answer.context["cl"].result_list) == [row]

    @pytest.mark.slow
    def test_a_search_for_any_text_answers(self, viewer: Client) -> None:
        texts = ("x", "@", "'", '"', "%", "' OR 1=1 --", "\u202e", "x" * 5000)
        for table in OWN_TABLES:
            make_row(table)

        def found(case: tuple[type[Model], str]) -> int:
            return result_count(viewer.get(page_url(case[0]), {"q": case[1]}))

        def status_for_nul(table: type[Model]) -> int:
            return viewer.get(page_url(table), {"q": "\x00"}).status_code

        assert unexpected(itertools.product(OWN_TABLES, texts), found, 0) == {}
        assert unexpected(OWN_TABLES, status_for_nul, 200) == {}


class TestTermsInLinks:
    """A term comes in the body, and no link of the list shows it."""

    def test_the_form_leads_to_a_list_whose_links_hide_the_term(
        self, superuser_client: Client
    ) -> None:
        people = [UserFactory(last_name="Bethlehem") for _ in range(51)]

        page = superuser_client.post(
            f"{page_url(User)}?is_active__exact=1&q=old&after=x", {"q": " Bethlehem "}, follow=True
        )

        assert result_count(page) == 50
        assert page.context["cl"].query == "Bethlehem"
        query = page.request["QUERY_STRING"]
        assert query.startswith("is_active__exact=1&q=sealed%3A")
        links = re.findall(r'href="(\?[^"]*)"', page.content.decode())
        assert len(links) > 5
        assert not [it for it in (query, *links) if "ethlehem" in it]
        following = superuser_client.get(page_url(User) + page.context["cl"].next_page_link)
        assert result_count(following) == len(people) - 50

    def test_an_empty_search_shows_all(self, superuser_client: Client) -> None:
        answer = superuser_client.post(f"{page_url(User)}?q=old", {"q": " "})

        assert answer["Location"] == f"{page_url(User)}?"

    @pytest.mark.parametrize("term", ["sealed:", "sealed:x.y", "another's"])
    def test_a_term_that_another_person_sealed_opens_nothing(
        self, superuser_client: Client, viewer: Client, term: str
    ) -> None:
        if term == "another's":
            found = viewer.post(page_url(User), {"q": "ruth@example.org"})
            page = superuser_client.get(found["Location"])
        else:
            page = superuser_client.get(page_url(User), {"q": term})

        assert page.status_code == 200
        assert result_count(page) == 0
        assert "ruth@example.org" not in page.content.decode()
