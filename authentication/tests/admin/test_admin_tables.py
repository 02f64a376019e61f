"""The desk's tables: what they show, to whom, at what cost; and what they never show."""

import datetime as dt
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from authentication.models import (
    AccountExport,
    ActionToken,
    AuditLog,
    Consent,
    EmailChange,
    EmailVerificationToken,
    FailedTask,
    OutgoingEmail,
    PasswordHistory,
    PasswordResetToken,
    TokenBlacklist,
    User,
    UserProfile,
    UserSession,
)
from authentication.tests.conftest import queries
from authentication.tests.factories import PASSWORD, UserFactory

from .conftest import Clerk, Desk

CANARY = "Canary"
SECRETS: tuple[tuple[type[Model], str], ...] = (
    (User, "password"),
    (UserSession, "session_key"),
    (PasswordHistory, "password_hash"),
    (PasswordResetToken, "token"),
    (PasswordResetToken, "binding"),
    (EmailVerificationToken, "token"),
    (AccountExport, "content"),
    (ActionToken, "token"),
    (TokenBlacklist, "token"),
)
TABLES = sorted(admin.site._registry, key=lambda table: table.__name__)
OURS = [table for table in TABLES if table is not Group]
MOST_QUERIES = 15

every_table = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
every_table_of_ours = pytest.mark.parametrize("table", OURS, ids=lambda table: table.__name__)

pytestmark = pytest.mark.django_db


def make(table: type[Model]) -> Model:
    """Store a row; its secrets, if it has any, begin with the word CANARY."""
    if table is Group:
        return Group.objects.create(name=f"group {uuid.uuid4()}")
    if table is FailedTask:
        return FailedTask.objects.create(
            task="authentication.tasks.clean", arguments=["audit"], error="OSError"
        )
    user = UserFactory()
    User.objects.filter(pk=user.pk).update(password=f"{CANARY}{uuid.uuid4().hex}")
    user.refresh_from_db()
    secret, later = f"{CANARY}{uuid.uuid4().hex}", timezone.now() + dt.timedelta(days=1)
    fields: dict[type[Model], dict[str, Any]] = {
        AccountExport: {"content": secret},
        ActionToken: {"action": "disown_session", "token": secret, "expires_at": later},
        AuditLog: {"event_type": "login", "ip_address": "8.8.4.4", "metadata": {"session": "x"}},
        Consent: {"document": "terms", "version": "1"},
        EmailChange: {"old_email": user.email, "new_email": "naomi@example.org"},
        EmailVerificationToken: {"email": user.email, "token": secret},
        OutgoingEmail: {"kind": "password_reset", "status": "dead"},
        PasswordHistory: {"password_hash": secret},
        PasswordResetToken: {"token": secret, "binding": f"{CANARY}{uuid.uuid4().hex}"},
        TokenBlacklist: {"jti": uuid.uuid4().hex, "token": secret, "expires_at": later},
        UserSession: {"session_key": secret, "expires_at": later, "device_name": "Ruth's phone"},
    }
    if table in fields:
        return table._default_manager.create(user=user, **fields[table])
    return user if table is User else table._default_manager.get(user=user)


def url(table: type[Model], page: str = "changelist", *args: object) -> str:
    return reverse(f"admin:{table._meta.app_label}_{table._meta.model_name}_{page}", args=args)


def result_count(answer: Any) -> int:
    assert answer.status_code == 200, answer.content
    return len(answer.context["cl"].result_list)


def query_count(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(path)
    assert answer.status_code == 200
    return len(queries(captured))


@pytest.fixture
def viewer(clerk: Clerk, desk: Desk) -> Client:
    """Return the desk of somebody who may look at everything of ours and change nothing."""
    return desk(clerk(*(f"view_{table._meta.model_name}" for table in OURS)))


@pytest.fixture
def boss(desk: Desk, superuser: User) -> Client:
    """Return the desk of a superuser."""
    return desk(superuser)


class TestLooking:
    @every_table
    def test_a_superuser_sees_list_row_and_history(self, boss: Client, table: type[Model]) -> None:
        row = make(table)

        assert result_count(boss.get(url(table))) >= 1
        assert boss.get(url(table, "change", row.pk)).status_code == 200
        assert boss.get(url(table, "history", row.pk)).status_code == 200

    @every_table_of_ours
    def test_staff_who_may_look_see_list_row_and_history(
        self, viewer: Client, table: type[Model]
    ) -> None:
        row = make(table)

        assert result_count(viewer.get(url(table))) >= 1
        assert viewer.get(url(table, "change", row.pk)).status_code == 200
        assert viewer.get(url(table, "history", row.pk)).status_code == 200

    @every_table
    def test_staff_who_may_not_look_see_nothing(
        self, desk: Desk, clerk: Clerk, table: type[Model]
    ) -> None:
        row = make(table)
        client = desk(clerk())

        for path in (url(table), url(table, "change", row.pk), url(table, "history", row.pk)):
            assert client.get(path).status_code == 403

    def test_groups_are_for_superusers_alone(self, desk: Desk, clerk: Clerk) -> None:
        client = desk(clerk("view_group", "add_group", "change_group", "delete_group"))
        row = make(Group)

        for path in (
            url(Group),
            url(Group, "add"),
            url(Group, "change", row.pk),
            url(Group, "delete", row.pk),
        ):
            assert client.get(path).status_code == 403
            assert client.post(path, {"name": "mine", "post": "yes"}).status_code == 403
        assert url(Group) not in client.get("/admin/").content.decode()

    @every_table_of_ours
    def test_a_row_that_is_not_there_is_no_fault(self, boss: Client, table: type[Model]) -> None:
        for pk in (
            "0",
            "x",
            "00000000-0000-0000-0000-000000000000",
            "' OR 1=1 --",
            "_00",
            "9" * 40,
        ):
            assert boss.get(url(table, "change", pk)).status_code == 302, pk

    def test_whatever_a_list_is_filtered_by_is_no_fault(self, viewer: Client) -> None:
        make(AuditLog)

        for name, value in {
            "event_type__exact": "\x00",
            "ip_address": "x",
            "id": "x",
            "timestamp__gte": "yesterday",
            "success__exact": "perhaps",
            "nothing": "x",
            "p": "99",
            "o": "99.-1",
            "e": "1",
        }.items():
            assert viewer.get(url(AuditLog), {name: value}).status_code < 500, name


class TestCost:
    @every_table
    def test_a_list_costs_the_same_however_long(self, boss: Client, table: type[Model]) -> None:
        make(table)
        query_count(boss, url(table))
        few = query_count(boss, url(table))
        for _ in range(8):
            make(table)

        many = query_count(boss, url(table))

        assert many == few <= MOST_QUERIES

    @every_table_of_ours
    def test_a_row_costs_little(self, viewer: Client, table: type[Model]) -> None:
        assert query_count(viewer, url(table, "change", make(table).pk)) <= MOST_QUERIES

    @pytest.mark.parametrize("who", ["boss", "viewer"])
    def test_an_account_with_many_permissions_costs_no_more(
        self, request: pytest.FixtureRequest, clerk: Clerk, who: str
    ) -> None:
        client, one = request.getfixturevalue(who), clerk("view_user")
        many = UserFactory(is_staff=True)
        many.user_permissions.set(Permission.objects.all()[:30])
        path = url(User, "change", one.pk)
        query_count(client, path)

        assert (
            query_count(client, url(User, "change", many.pk))
            <= query_count(client, path)
            <= MOST_QUERIES
        )


class TestSearching:
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
        answer = viewer.get(url(User), {"q": term})

        assert list(answer.context["cl"].result_list) == [ruth]

    @pytest.mark.parametrize("name", ["email", "username"])
    @pytest.mark.parametrize(
        "table", [it for it in OURS if it is not FailedTask], ids=lambda it: it.__name__
    )
    def test_what_belongs_to_an_account_is_found_by_its_names_and_the_page_says_so(
        self, viewer: Client, table: type[Model], name: str
    ) -> None:
        row = make(table)
        owner = row if isinstance(row, User) else User.objects.get(pk=getattr(row, "user_id", None))
        make(table)

        answer = viewer.get(url(table), {"q": f" {getattr(owner, name).upper()} "})

        assert re.search(
            r"Enter a complete [\w ,]*(email address|username)", answer.content.decode()
        )
        assert [found.pk for found in answer.context["cl"].result_list] == [row.pk]

    @pytest.mark.parametrize(
        "name",
        ["\u041f\u0451\u0442\u0440", "\u039d\u03b1\u03c9\u03bc\u03b9", "Ru\u00dfland"],
        ids=ascii,
    )
    def test_names_of_every_alphabet_are_found(self, viewer: Client, name: str) -> None:
        person = UserFactory(username=name)

        answer = viewer.get(url(User), {"q": name})

        assert list(answer.context["cl"].result_list) == [person]

    @pytest.mark.parametrize("address", ["8.8.4.4", "2001:db8::1"])
    def test_events_are_found_by_their_address(self, viewer: Client, address: str) -> None:
        row = AuditLog.objects.create(event_type="login", ip_address=address)
        AuditLog.objects.create(event_type="login", ip_address="203.0.113.1")

        answer = viewer.get(url(AuditLog), {"q": address})

        assert list(answer.context["cl"].result_list) == [row]

    @every_table_of_ours
    def test_whatever_is_searched_for_is_no_fault(self, viewer: Client, table: type[Model]) -> None:
        make(table)

        for term in ("x", "@", "'", '"', "%", "' OR 1=1 --", "\u202e", "x" * 5000):
            assert result_count(viewer.get(url(table), {"q": term})) == 0, term
        assert viewer.get(url(table), {"q": "\x00"}).status_code == 200


class TestSecrets:
    def test_none_is_on_any_page(self, boss: Client, viewer: Client) -> None:
        made = [(table, make(table)) for table in TABLES]
        pages = [url(table) for table in TABLES]
        pages += [
            url(table, page, row.pk)
            for table, row in made
            for page in ("change", "history", "delete")
        ]
        pages += [url(table, "add") for table in TABLES]

        for client in (boss, viewer):
            for path in ("/admin/", *pages):
                assert CANARY not in client.get(path).content.decode(), path

    def test_every_one_of_them_is_stored(self, db: None) -> None:
        for table, field in SECRETS:
            assert str(getattr(make(table), field)).startswith(CANARY)

    def test_no_column_that_could_be_one_is_shown_by_mistake(self) -> None:
        telling = re.compile(
            r"password$|password_hash|^token$|binding|secret|session_key|digest|^content$"
        )

        found = {
            (table, field.name)
            for table in OURS
            for field in table._meta.get_fields()
            if telling.search(field.name)
        }

        assert found == set(SECRETS)

    @pytest.mark.parametrize(
        ("table", "field"), SECRETS, ids=lambda it: getattr(it, "__name__", it)
    )
    def test_none_is_told_letter_by_letter_to_who_filters_by_it(
        self, viewer: Client, table: type[Model], field: str
    ) -> None:
        secret = str(getattr(make(table), field))
        guesses = {
            "startswith": (secret[:8], "x"),
            "contains": (secret[2:8], "\u00fc"),
            "gt": ("A", "z"),
            "exact": (secret, "x"),
            "regex": (f"^{secret[:8]}", "^x"),
            "in": (f"{secret},x", "x,y"),
        }

        for lookup, (right, wrong) in guesses.items():
            told = [
                shown(viewer.get(url(table), {f"{field}__{lookup}": guess}))
                for guess in (right, wrong)
            ]
            assert told[0] == told[1], lookup

    @pytest.mark.parametrize("field", ["user__password", "user__sessions__session_key"])
    @pytest.mark.parametrize(
        "table", [AuditLog, UserSession, OutgoingEmail, TokenBlacklist], ids=lambda it: it.__name__
    )
    def test_none_is_told_through_another_table(
        self, viewer: Client, table: type[Model], field: str
    ) -> None:
        make(table)

        told = [
            shown(viewer.get(url(table), {f"{field}__startswith": guess}))
            for guess in (CANARY, "x")
        ]

        assert told[0] == told[1]

    @pytest.mark.parametrize(
        ("table", "field"), SECRETS, ids=lambda it: getattr(it, "__name__", it)
    )
    def test_none_is_found_by_a_search(
        self, viewer: Client, table: type[Model], field: str
    ) -> None:
        secret = str(getattr(make(table), field))

        assert result_count(viewer.get(url(table), {"q": secret})) == 0

    def test_a_real_hash_is_on_no_page_of_its_owner(self, boss: Client) -> None:
        user = UserFactory()

        text = boss.get(url(User, "change", user.pk)).content.decode()

        assert user.check_password(PASSWORD)
        assert user.password not in text
        assert "argon2" not in text
        assert 'type="password"' not in text


def shown(answer: Any) -> tuple[int, int | None]:
    """Return the answer's status, and how many rows it shows if it shows any."""
    return answer.status_code, len(
        answer.context["cl"].result_list
    ) if answer.status_code == 200 else None


class TestNothingIsDoneByHand:
    @every_table_of_ours
    def test_nothing_is_deleted_even_by_a_superuser(self, boss: Client, table: type[Model]) -> None:
        row = make(table)
        before = table._default_manager.count()
        bulk = {"action": "delete_selected", "_selected_action": [str(row.pk)], "post": "yes"}

        assert boss.get(url(table, "delete", row.pk)).status_code == 403
        assert boss.post(url(table, "delete", row.pk), {"post": "yes"}).status_code == 403
        boss.post(url(table), bulk)

        assert table._default_manager.count() == before
        assert "delete_selected" not in boss.get(url(table)).content.decode()

    @pytest.mark.parametrize(
        "table",
        [table for table in OURS if table is not TokenBlacklist],
        ids=lambda table: table.__name__,
    )
    def test_nothing_is_added_even_by_a_superuser(self, boss: Client, table: type[Model]) -> None:
        before = table._default_manager.count()

        assert boss.get(url(table, "add")).status_code == 403
        assert (
            boss.post(
                url(table, "add"), {"email": "x@example.org", "event_type": "login"}
            ).status_code
            == 403
        )
        assert table._default_manager.count() == before

    @pytest.mark.parametrize(
        "table", [table for table in OURS if table is not User], ids=lambda table: table.__name__
    )
    def test_nothing_but_accounts_is_changed_even_by_a_superuser(
        self, boss: Client, table: type[Model]
    ) -> None:
        row = make(table)
        before = table._default_manager.filter(pk=row.pk).values().get()

        answer = boss.post(
            url(table, "change", row.pk),
            {"event_type": "logout", "is_active": "on", "_save": "Save"},
        )

        assert answer.status_code == 403
        assert table._default_manager.filter(pk=row.pk).values().get() == before

    def test_the_audit_log_offers_nothing_but_looking(self, boss: Client) -> None:
        row = make(AuditLog)

        page = boss.get(url(AuditLog, "change", row.pk)).content.decode()

        assert not re.search(r'name="_save|name="action"|deletelink|<textarea|<select', page)
        for method in ("put", "patch", "delete"):
            getattr(boss, method)(url(AuditLog, "change", row.pk))
        assert AuditLog.objects.filter(pk=row.pk, event_type="login").exists()

    def test_every_model_of_ours_is_at_the_desk(self) -> None:
        here: set[type[Model]] = {
            AccountExport,
            ActionToken,
            AuditLog,
            Consent,
            EmailChange,
            EmailVerificationToken,
            FailedTask,
            Group,
            OutgoingEmail,
            PasswordHistory,
            PasswordResetToken,
            TokenBlacklist,
            User,
            UserProfile,
            UserSession,
        }

        assert set(TABLES) == here


def test_what_a_client_wrote_is_text_at_the_desk(boss: Client) -> None:
    evil = "<script>alert(1)</script>"
    user = UserFactory(first_name=evil, last_name=evil)
    UserSession.objects.create(
        user=user, device_name=evil, user_agent=evil, expires_at=timezone.now() + dt.timedelta(1)
    )
    AuditLog.objects.create(
        user=user, event_type="login", user_agent=evil, metadata={"device": evil}
    )
    UserProfile.objects.filter(user=user).update(display_name=evil)
    rows: list[Callable[[], Model]] = [
        table._default_manager.get for table in (UserSession, AuditLog)
    ]
    paths = [url(type(row()), "change", row().pk) for row in rows]

    for path in (
        *paths,
        url(User, "change", user.pk),
        url(UserProfile, "change", user.pk),
        url(UserSession),
    ):
        assert evil not in boss.get(path).content.decode()
