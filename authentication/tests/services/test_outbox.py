"""The outbox: from a mail's intent to its arrival."""

import datetime as dt
import email
import re
import smtplib
import stat
import uuid
from collections.abc import Callable, Sequence
from email import policy
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.db import IntegrityError, transaction
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import (
    AccountExport,
    EmailChange,
    EmailVerificationToken,
    OutgoingEmail,
    User,
)
from authentication.services import EmailService
from authentication.tests.clients import NOON
from authentication.tests.conftest import API, deliver_due, token_in
from authentication.tests.factories import UserFactory
from authentication.utils.crypto import digest

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]

Kind = OutgoingEmail.Kind


class BrokenServer(BaseEmailBackend):
    """A mail server that hangs up, naming the person in its last words."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        raise smtplib.SMTPRecipientsRefused({email_messages[0].to[0]: (550, b"no such person")})


@pytest.fixture
def broken(settings: Settings) -> Callable[[], None]:
    """The mail server is down; the function returned repairs it."""
    working = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = f"{__name__}.BrokenServer"

    def repair() -> None:
        settings.EMAIL_BACKEND = working

    return repair


def queued(kind: str = Kind.ACCOUNT_LOCKED, *, user: User | None, **context: Any) -> OutgoingEmail:
    before = set(OutgoingEmail.objects.values_list("pk", flat=True))
    EmailService.queue(kind, user_id=user.pk if user else None, **context)
    return OutgoingEmail.objects.exclude(pk__in=before).get()


def states() -> list[tuple[str, int]]:
    return list(
        OutgoingEmail.objects.order_by("created_at", "pk").values_list("status", "attempts")
    )


# Delivery.


def test_a_mails_intent_is_a_row_without_secrets(person: User) -> None:
    mail = queued(Kind.TOKEN_REUSE, user=person, device="Ruth's phone")

    assert OutgoingEmail.objects.values().get() == {
        "id": mail.pk,
        "user_id": person.pk,
        "kind": "token_reuse",
        "context": {"device": "Ruth's phone"},
        "status": "queued",
        "attempts": 0,
        "last_error": "",
        "created_at": NOON,
        "next_attempt_at": NOON,
        "sent_at": None,
    }


def test_a_mail_is_sent_once_as_text_and_html(
    person: User, mailoutbox: list[EmailMessage], settings: Settings
) -> None:
    mail = queued(user=person)

    EmailService.deliver(mail.pk)
    EmailService.deliver(str(mail.pk))

    (message,) = mailoutbox
    assert isinstance(message, EmailMultiAlternatives)
    assert message.to == [person.email]
    assert message.reply_to == [settings.SUPPORT_EMAIL]
    assert message.extra_headers == {"Auto-Submitted": "auto-generated"}
    assert "\n" not in message.subject
    ((html, kind),) = message.alternatives
    assert (kind, str(html).lstrip()[:9].lower()) == ("text/html", "<!doctype")
    mail.refresh_from_db()
    assert (mail.status, mail.attempts, mail.sent_at, mail.last_error) == ("sent", 1, NOON, "")


def test_mail_goes_to_the_address_as_typed(mailoutbox: list[EmailMessage]) -> None:
    person = UserFactory(email="R.uth+Moab@GoogleMail.com")

    EmailService.deliver(queued(user=person).pk)

    assert mailoutbox[0].to == ["R.uth+Moab@GoogleMail.com"]


@pytest.mark.parametrize("kind", sorted(Kind.values))
def test_there_is_a_mail_of_every_kind(
    person: User, mailoutbox: list[EmailMessage], kind: str
) -> None:
    User.objects.filter(pk=person.pk).update(email_verified=False)
    change = EmailChange.objects.create(
        user=person, old_email=person.email, new_email="naomi@example.org"
    )
    export = AccountExport.objects.create(user=person, ready_at=NOON)
    mail = queued(kind, user=person, change=str(change.pk), export=str(export.pk))

    EmailService.deliver(mail.pk)

    mail.refresh_from_db()
    assert (mail.status, mail.last_error) == ("sent", "")
    assert len(mailoutbox) == 1


def test_an_intent_is_undone_with_what_caused_it(person: User) -> None:
    with transaction.atomic():
        EmailService.queue(Kind.ACCOUNT_LOCKED, user_id=person.pk)
        transaction.set_rollback(rollback=True)

    assert not OutgoingEmail.objects.exists()


def test_a_sweep_sends_all_that_is_due_the_oldest_first(
    time_machine: TimeMachineFixture, mailoutbox: list[EmailMessage]
) -> None:
    people = [UserFactory() for _ in range(3)]
    for person in people:
        queued(user=person)
        time_machine.shift(1)
    OutgoingEmail.objects.filter(user=people[2]).update(
        next_attempt_at=NOON + dt.timedelta(hours=1)
    )

    deliver_due()

    assert [message.to[0] for message in mailoutbox] == [person.email for person in people[:2]]


def test_one_faulty_mail_does_not_hold_up_the_others(
    person: User, mailoutbox: list[EmailMessage]
) -> None:
    faulty = queued(user=person)
    OutgoingEmail.objects.filter(pk=faulty.pk).update(kind="nonsense")
    queued(user=person)

    deliver_due()

    assert sorted(states()) == [("queued", 1), ("sent", 1)]
    assert len(mailoutbox) == 1


@pytest.mark.parametrize("name", [uuid.UUID(int=0), str(uuid.UUID(int=0))])
def test_a_mail_that_is_gone_is_no_fault(
    name: uuid.UUID | str, mailoutbox: list[EmailMessage]
) -> None:
    EmailService.deliver(name)

    assert mailoutbox == []


def test_a_closed_account_is_not_mailed(person: User, mailoutbox: list[EmailMessage]) -> None:
    User.objects.filter(pk=person.pk).update(is_active=False)
    queued(user=person)

    deliver_due()

    assert (states(), mailoutbox) == ([("suppressed", 1)], [])


def test_an_address_that_was_proven_meanwhile_is_not_asked_again(
    person: User, mailoutbox: list[EmailMessage]
) -> None:
    queued(Kind.VERIFICATION, user=person)

    deliver_due()

    assert (states(), mailoutbox) == ([("suppressed", 1)], [])


def test_mails_go_with_their_person(person: User, mailoutbox: list[EmailMessage]) -> None:
    queued(user=person)

    person.delete()
    deliver_due()

    assert (states(), mailoutbox) == ([], [])


# Decoys.


def test_a_decoy_leaves_no_row_and_sends_nothing(mailoutbox: list[EmailMessage]) -> None:
    decoy = queued(Kind.VERIFICATION, user=None)

    EmailService.deliver(decoy.pk)

    assert not OutgoingEmail.objects.exists()
    assert not EmailVerificationToken.objects.exists()
    assert mailoutbox == []


def test_an_unknown_address_leaves_nothing_behind(
    api: APIClient, person: User, delivered: Callable[[], list[EmailMessage]]
) -> None:
    api.post(f"{API}/email/resend/", {"email": "nobody@example.org"})

    assert delivered() == []
    assert not OutgoingEmail.objects.exists()


# Failures.


def test_a_failure_is_tried_again_with_growing_pauses_and_dead_after_eight_tries(
    time_machine: TimeMachineFixture, person: User, broken: object, mailoutbox: list[EmailMessage]
) -> None:
    mail, pauses = queued(user=person), []
    for _ in range(8):
        EmailService.deliver(mail.pk)
        mail.refresh_from_db()
        pause = mail.next_attempt_at - timezone.now()
        pauses.append(pause.total_seconds())
        time_machine.shift(pause - dt.timedelta(seconds=1))
        deliver_due()
        time_machine.shift(1)

    assert pauses[:7] == [30, 60, 120, 240, 480, 960, 1920]
    assert states() == [("dead", 8)]
    time_machine.shift(dt.timedelta(days=30))
    deliver_due()
    assert states() == [("dead", 8)]
    assert mailoutbox == []


def test_a_failure_that_passes_costs_no_mail(
    time_machine: TimeMachineFixture,
    person: User,
    broken: Callable[[], None],
    mailoutbox: list[EmailMessage],
) -> None:
    mail = queued(user=person)
    for _ in range(7):
        EmailService.deliver(mail.pk)
        time_machine.shift(dt.timedelta(hours=1))
    broken()

    deliver_due()

    mail.refresh_from_db()
    assert (mail.status, mail.attempts, len(mailoutbox)) == ("sent", 8, 1)


def test_an_error_is_kept_by_its_class_and_not_by_its_words(person: User, broken: object) -> None:
    EmailService.deliver(queued(user=person).pk)

    assert OutgoingEmail.objects.get().last_error == "SMTPRecipientsRefused"


def test_a_dead_letter_is_sent_again_when_asked(
    person: User, broken: Callable[[], None], mailoutbox: list[EmailMessage]
) -> None:
    mail = queued(user=person)
    assert EmailService.send_again(mail.pk) is False
    OutgoingEmail.objects.update(status="dead", attempts=8)
    broken()

    assert EmailService.send_again(mail.pk) is True
    deliver_due()

    assert (states(), len(mailoutbox)) == ([("sent", 1)], 1)


# Claims.


def test_a_mail_that_is_being_sent_is_left_alone_and_taken_up_after_the_lease(
    time_machine: TimeMachineFixture, person: User, mailoutbox: list[EmailMessage]
) -> None:
    mail = queued(user=person)
    assert OutgoingEmail.objects.claim(mail.pk, at=timezone.now())
    time_machine.shift(119)
    deliver_due()
    EmailService.deliver(mail.pk)
    assert (states(), mailoutbox) == ([("queued", 1)], [])
    time_machine.shift(1)

    deliver_due()

    assert (states(), len(mailoutbox)) == ([("sent", 2)], 1)


@pytest.mark.parametrize("status", ["sent", "suppressed", "dead"])
def test_what_is_done_is_claimed_by_nobody(
    person: User, status: str, mailoutbox: list[EmailMessage]
) -> None:
    mail = queued(user=person)
    OutgoingEmail.objects.update(status=status, sent_at=NOON)

    EmailService.deliver(mail.pk)
    deliver_due()

    assert (states(), mailoutbox) == ([(status, 0)], [])


# Limits.


def test_three_mails_of_a_kind_an_hour_go_to_one_person(
    time_machine: TimeMachineFixture, person: User, mailoutbox: list[EmailMessage]
) -> None:
    for _ in range(5):
        EmailService.deliver(queued(user=person).pk)
        time_machine.shift(60)
    assert [status for status, _ in states()] == ["sent"] * 3 + ["suppressed"] * 2

    time_machine.move_to(NOON + dt.timedelta(hours=1))
    EmailService.deliver(queued(user=person).pk)
    EmailService.deliver(queued(user=person).pk)

    assert len(mailoutbox) == 4


def test_five_mails_that_wait_together_are_three(
    person: User, mailoutbox: list[EmailMessage]
) -> None:
    for _ in range(5):
        queued(user=person)

    deliver_due()

    assert sorted(status for status, _ in states()) == ["sent"] * 3 + ["suppressed"] * 2
    assert len(mailoutbox) == 3


def test_the_limit_is_each_persons_and_each_kinds(
    person: User, mailoutbox: list[EmailMessage]
) -> None:
    for user in (person, UserFactory()):
        for kind in (Kind.ACCOUNT_LOCKED, Kind.ACCOUNT_EXISTS):
            for _ in range(3):
                EmailService.deliver(queued(kind, user=user).pk)

    assert len(mailoutbox) == 12


def test_mails_that_failed_for_good_take_no_room(
    person: User, mailoutbox: list[EmailMessage]
) -> None:
    for _ in range(5):
        queued(user=person)
    OutgoingEmail.objects.update(status="dead", attempts=8)

    EmailService.deliver(queued(user=person).pk)

    assert len(mailoutbox) == 1


def test_asking_for_the_link_again_and_again_is_silently_limited(
    api: APIClient, settings: Settings, delivered: Callable[[], list[EmailMessage]]
) -> None:
    settings.RATELIMIT_ENABLE = False
    person = UserFactory(email="r.uth@gmail.com", email_verified=False, email_verified_at=None)
    spellings = (
        "r.uth@gmail.com",
        "ruth@gmail.com",
        "RUTH+a@googlemail.com",
        "ru.th+b@gmail.com",
        person.email,
    )

    answers = [api.post(f"{API}/email/resend/", {"email": spelling}) for spelling in spellings]

    assert {(answer.status_code, answer.content) for answer in answers} == {
        (200, b'{"message":"Verification email sent if account exists"}')
    }
    assert len(delivered()) == 3


# Tokens.


@pytest.fixture
def unproven() -> User:
    return UserFactory(email_verified=False, email_verified_at=None)


def test_a_token_is_made_when_its_mail_is_sent_and_stored_hashed(
    time_machine: TimeMachineFixture, unproven: User, mailoutbox: list[EmailMessage]
) -> None:
    mail = queued(Kind.VERIFICATION, user=unproven)
    assert not EmailVerificationToken.objects.exists()
    time_machine.shift(3600)

    deliver_due()

    token, stored = token_in(mailoutbox[0]), EmailVerificationToken.objects.get()
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
    assert (stored.token, stored.email) == (digest(token), unproven.email)
    assert stored.expires_at == NOON + dt.timedelta(hours=25)
    mail.refresh_from_db()
    assert token not in str(OutgoingEmail.objects.values().get())


def test_the_link_is_the_settings_and_the_same_in_text_and_html(
    unproven: User, mailoutbox: list[EmailMessage], settings: Settings
) -> None:
    settings.EMAIL_VERIFICATION_URL = "https://www.example.org/#/verify/{token}/now"
    queued(Kind.VERIFICATION, user=unproven)

    deliver_due()

    (message,) = mailoutbox
    assert isinstance(message, EmailMultiAlternatives)
    (link,) = set(
        re.findall(r"https://www\.example\.org/#/verify/[\w-]{43}/now", str(message.body))
    )
    assert link in str(message.alternatives[0][0])
    assert EmailVerificationToken.objects.get().token == digest(link.split("/")[-2])


def test_a_newer_mail_voids_the_token_of_the_older(
    api: APIClient, unproven: User, mailoutbox: list[EmailMessage]
) -> None:
    for _ in range(2):
        EmailService.deliver(queued(Kind.VERIFICATION, user=unproven).pk)
    older, newer = (token_in(message) for message in mailoutbox)

    answers = [
        api.post(f"{API}/email/verify/", {"token": token}).status_code for token in (older, newer)
    ]

    assert answers == [400, 200]


def test_a_mail_that_failed_and_is_sent_again_holds_a_token_that_works(
    time_machine: TimeMachineFixture,
    api: APIClient,
    unproven: User,
    broken: Callable[[], None],
    mailoutbox: list[EmailMessage],
) -> None:
    queued(Kind.VERIFICATION, user=unproven)
    deliver_due()
    broken()
    time_machine.shift(30)

    deliver_due()

    assert api.post(f"{API}/email/verify/", {"token": token_in(mailoutbox[0])}).status_code == 200


# Mail as files.


def test_without_a_mail_server_a_mail_is_a_file_for_its_owners_eyes(
    person: User, settings: Settings, tmp_path: Path
) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = (
        "authentication.services.mail.file_backend.FileMailbox",
        tmp_path / "a" / "mail",
    )

    EmailService.deliver(queued(user=person).pk)
    EmailService.deliver(queued(Kind.ACCOUNT_EXISTS, user=person).pk)

    files = sorted((tmp_path / "a" / "mail").iterdir())
    assert [
        re.fullmatch(r"20261122-120000-[0-9a-f]{8}\.eml", path.name) is not None for path in files
    ] == [True] * 2
    assert [stat.S_IMODE(path.stat().st_mode) for path in files] == [0o600] * 2
    message = email.message_from_bytes(files[0].read_bytes(), policy=policy.default)
    assert message["To"] == person.email
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    assert [status for status, _ in states()] == ["sent"] * 2


def test_a_folder_that_cannot_be_written_to_is_a_failure_like_any_other(
    person: User, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "mail").write_text("a file where the folder should be", encoding="utf-8")
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = (
        "authentication.services.mail.file_backend.FileMailbox",
        tmp_path / "mail",
    )

    EmailService.deliver(queued(user=person).pk)

    assert states() == [("queued", 1)]


# What the database refuses.


def test_a_mail_that_was_sent_has_a_time(person: User) -> None:
    queued(user=person)

    with pytest.raises(IntegrityError), transaction.atomic():
        OutgoingEmail.objects.update(status="sent")
