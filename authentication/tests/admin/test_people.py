"""Finding a person in the admin, and how lists name people."""

import datetime as dt
import itertools
import re
import uuid
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from authentication.models import AuditLog, OutgoingEmail, User, UserSession
from authentication.tests.answers import unexpected
from authentication.tests.factories import UserFactory, unverified_user
from authentication.tests.limits import set_limits

from .roles import staff_with
from .staff import USERS, ClientOf, MakeStaff
from .tables import page_url
from .test_table_lookups import HOSTILE

pytestmark = pytest.mark.django_db

FIND = f"{USERS}find/"
SUGGESTIONS = f"{FIND}suggestions/"


@pytest.fixture
def naomi(db: None) -> User:
    """Return an account to be found."""
    return UserFactory(
        email="Naomi.Ben@gmail.com",
        username="bethlehem",
        first_name="Naomi",
        last_name="Elimelech",
    )


def suggested(client: Client, text: str) -> list[dict[str, str]]:
    """Return what the field in the header suggests."""
    answer = client.post(SUGGESTIONS, {"q": text})
    assert answer.status_code == 200, answer.content
    people: list[dict[str, str]] = answer.json()["people"]
    return people


class TestFinding:
    @pytest.mark.parametrize(
        "text",
        [
            "nao",
            "NAOMI eli",
            "elim",
            "beth",
            "Bethlehem",
            "naomi.b",
            "naomiben@g",
            "na.omi.ben+church@gmail.com",
            "  naomi.ben@googlemail.com ",
        ],
    )
    def test_a_person_is_found_by_names_and_addresses(
        self, superuser_client: Client, naomi: User, text: str
    ) -> None:
        UserFactory(first_name="Orpah", last_name="Moab", email="orpah@example.org")

        found = suggested(superuser_client, text)

        assert [it["name"] for it in found] == ["Naomi Elimelech"]
        assert found[0]["url"] == f"{USERS}{naomi.pk}/person/"

    def test_a_person_is_found_by_ids_and_by_the_address_of_a_device(
        self, superuser_client: Client, naomi: User
    ) -> None:
        request, mail = uuid.uuid4(), "mobile-app.0123456789"
        AuditLog.log_event(
            "login", user=naomi, ip_address="2001:db8::7", correlation_id=request.hex
        )
        OutgoingEmail.objects.create(user=naomi, kind="new_device", correlation_id=mail)

        for text in (str(naomi.pk), naomi.pk.hex, str(request), request.hex, mail, "2001:db8:0::7"):
            assert [it["name"] for it in suggested(superuser_client, text)] == [
                "Naomi Elimelech"
            ], text
        for text in (str(uuid.uuid4()), "2001:db8::8", "8.8.8.8"):
            assert suggested(superuser_client, text) == []

    def test_at_most_ten_are_suggested_and_the_page_lists_the_rest(
        self, superuser_client: Client
    ) -> None:
        for _ in range(12):
            UserFactory(first_name="Boaz")

        page = superuser_client.post(FIND, {"q": "boa"})

        assert len(suggested(superuser_client, "boa")) == 10
        assert page.content.decode().count("/person/") == 12

    def test_one_letter_suggests_nobody(self, superuser_client: Client, naomi: User) -> None:
        assert suggested(superuser_client, "n") == []

    def test_the_page_goes_to_the_only_person(self, superuser_client: Client, naomi: User) -> None:
        answer = superuser_client.post(FIND, {"q": "nao"})

        assert (answer.status_code, answer["Location"]) == (302, f"{USERS}{naomi.pk}/person/")

    def test_the_page_says_that_nobody_was_found(self, superuser_client: Client) -> None:
        assert "Nobody was found." in superuser_client.post(FIND, {"q": "x y z"}).content.decode()

    def test_the_locked_are_listed(self, superuser_client: Client, naomi: User) -> None:
        later = timezone.now() + dt.timedelta(minutes=9)
        User.objects.filter(pk=naomi.pk).update(locked_until=later, lock_reason="guessed")
        UserFactory(first_name="Orpah")

        page = superuser_client.get(FIND, {"state": "locked"}).content.decode()

        assert ("Naomi Elimelech" in page, "Orpah" in page) == (True, False)
        assert f"locked until {timezone.localtime(later):%H:%M}" in page

    @pytest.mark.security
    def test_no_text_fails_the_server(self, superuser_client: Client) -> None:
        superuser_client.raise_request_exception = False
        texts = (*HOSTILE, "%", "_", "a" * 300, "'; --", "a@b@c", "@", "++@gmail.com", "\u202e")
        cases = itertools.product((FIND, SUGGESTIONS), texts)

        def status(case: tuple[str, str]) -> bool:
            answer = superuser_client.post(case[0], {"q": case[1]})
            return answer.status_code in {200, 302, 400}

        assert unexpected(cases, status, expected=True) == {}

    @pytest.mark.security
    def test_what_is_typed_is_in_no_url(self, superuser_client: Client, naomi: User) -> None:
        form = re.search(
            r'<form class="find".*?>', superuser_client.get("/admin/").content.decode()
        )
        by_url = superuser_client.get(f"{FIND}?q=nao")

        assert form
        assert 'method="post"' in form[0]
        assert by_url.status_code == 200
        assert "Naomi" not in by_url.content.decode()
        assert superuser_client.get(f"{SUGGESTIONS}?q=nao").json() == {"people": []}

    @pytest.mark.security
    def test_marks_of_a_pattern_match_themselves_alone(
        self, superuser_client: Client, naomi: User
    ) -> None:
        assert suggested(superuser_client, "%%") == suggested(superuser_client, "na_mi") == []


@pytest.mark.security
class TestPermission:
    def test_only_staff_who_may_see_accounts_find_people(
        self, client_of: ClientOf, make_staff: MakeStaff, naomi: User
    ) -> None:
        def statuses(client: Client) -> list[int]:
            found = [client.post(path, {"q": "nao"}) for path in (FIND, SUGGESTIONS)]
            answers = [*found, client.get(f"{USERS}{naomi.pk}/person/")]
            return [answer.status_code for answer in answers]

        assert statuses(client_of(make_staff("view_auditlog"))) == [403] * 3
        assert statuses(client_of(make_staff("view_user"))) == [302, 200, 200]
        assert statuses(Client()) == [302] * 3

    def test_the_field_is_shown_to_nobody_else(
        self, client_of: ClientOf, make_staff: MakeStaff
    ) -> None:
        def has_field(client: Client) -> bool:
            return 'role="search"' in client.get("/admin/").content.decode()

        assert has_field(client_of(make_staff("view_user")))
        assert not has_field(client_of(make_staff("view_auditlog")))
        assert 'role="search"' not in Client().get("/admin/login/").content.decode()

    def test_searches_are_limited_for_each_member_of_staff(
        self, client_of: ClientOf, make_staff: MakeStaff, settings: Settings, naomi: User
    ) -> None:
        settings.RATELIMIT_ENABLE = True
        set_limits(settings, staff_search="2/h")
        client, other = (client_of(make_staff("view_user")) for _ in range(2))

        answers = [client.post(SUGGESTIONS, {"q": "nao"}) for _ in range(3)]

        assert [it.status_code for it in answers] == [200, 200, 429]
        assert int(answers[2]["Retry-After"]) > 0
        assert client.post(FIND, {"q": "nao"}).status_code == 429
        assert other.post(SUGGESTIONS, {"q": "nao"}).status_code == 200


class TestLists:
    def test_accounts_are_listed_with_name_state_and_last_use(
        self, superuser_client: Client, naomi: User
    ) -> None:
        now = timezone.now()
        UserSession.objects.create(user=naomi, expires_at=now + dt.timedelta(days=1))
        unproven = unverified_user()
        User.objects.filter(pk=unproven.pk).update(first_name="", last_name="", is_active=False)

        page = superuser_client.get(USERS).content.decode()
        rows = {row.split("</a>")[0].rpartition(">")[2]: row for row in page.split("<tr>")[2:]}

        assert "verified" in rows["Naomi Elimelech"]
        assert f"today, {now:%H:%M}"[:6] in rows["Naomi Elimelech"]
        assert "disabled, not verified" in rows[unproven.email]
        assert "never" in rows[unproven.email]

    def test_lists_name_people_to_staff_who_may_see_accounts(
        self, client_of: ClientOf, make_staff: MakeStaff, naomi: User
    ) -> None:
        UserSession.objects.create(user=naomi, expires_at=timezone.now() + dt.timedelta(days=1))
        AuditLog.log_event("login", user=naomi)

        def names(*permissions: str) -> Any:
            client = client_of(make_staff("view_usersession", "view_auditlog", *permissions))
            pages = [client.get(page_url(it)).content.decode() for it in (UserSession, AuditLog)]
            return [sorted(set(re.findall("Naomi Elimelech|bethlehem", page))) for page in pages]

        assert names("view_user") == [["Naomi Elimelech"]] * 2
        assert names() == [["bethlehem"]] * 2


def test_no_title_names_a_person(superuser_client: Client) -> None:
    """The history of a browser keeps titles."""
    person = UserFactory(first_name="Orpah", last_name="Chilion")
    page = f"/admin/authentication/user/{person.pk}"
    answers = [
        *(superuser_client.get(f"{page}/{it}/") for it in ("person", "person/disable", "change")),
        superuser_client.get(f"{page}/history/"),
        superuser_client.post(FIND, {"q": "chi"}, follow=True),
        superuser_client.post(FIND, {"q": "chilion x"}),
    ]

    titles = [re.findall("<title>(.*?)</title>", it.content.decode(), re.S)[0] for it in answers]
    assert not [it for it in titles if "hilion" in it or "Orpah" in it]


def test_a_page_that_a_role_does_not_allow_says_so(client_of: ClientOf) -> None:
    answer = client_of(staff_with("helper")).get("/admin/authentication/invitation/")

    assert answer.status_code == 403
    assert "Your role does not allow this." in answer.content.decode()
    assert 'href="/admin/"' in answer.content.decode()
