"""Every operation of the OpenAPI document: no input gets an answer that the document does not describe.

FUZZ_EXAMPLES sets how many inputs are made up for an operation, beside those its description
suggests.
"""

import base64
import datetime as dt
import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient
from schemathesis import APIOperation, BaseSchema, CheckContext, Response
from schemathesis.core import NOT_SET
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.core.result import Ok
from schemathesis.generation.hypothesis.builder import (
    HypothesisTestConfig,
    HypothesisTestMode,
    create_test,
)
from schemathesis.openapi.checks import RejectedPositiveData
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from authentication.models import (
    AccountExport,
    ActionToken,
    AuditLog,
    EmailChange,
    EmailVerificationToken,
    PasswordResetToken,
    SignInChallenge,
    User,
    UserSession,
)
from authentication.services import (
    AuthenticationService,
    ExchangeTokenService,
    ExportService,
    SecondFactorService,
)
from authentication.tests.clients import NEW_PASSWORD
from authentication.tests.factories import PASSWORD, Factor, UserFactory, give_factor
from authentication.utils.client import ClientInfo
from vineyard_group_fellowship.wsgi import application

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "5"))
# A long run looks for what the short one has not found; the short one finds the same every time.
SETTINGS = hypothesis.settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)

# Rules that a value's type and length do not tell: each is a sentence in the answer.
RULES = (
    "Please remove line breaks and invisible characters.",
    "This field may not be blank.",
    "Enter a valid email address.",
    "Enter a time zone such as",
    "Choose a username of",
    "Please choose at least one document.",
    "Use ",
    "This username is ",
    "Please accept this to continue.",
    "The password must ",
    "The password is too similar",
    "This password is too",
    "The two passwords are not the same.",
    "This is not your current password.",
    "This code is not valid.",
    "Please give ",
    "Send either otp or recovery_code.",
)
ONE_OF_THREE_NAMES = {"email_or_username": ["This field is required."]}

Case = schemathesis.Case[Any]
Operation = APIOperation[Any, Any, Any, Any]

pytestmark = [pytest.mark.services, pytest.mark.security]


def with_forms(described: dict[str, Any]) -> dict[str, Any]:
    """Add to each body the forms that are read too, of which the document is silent."""
    for operation in (
        it for path in described["paths"].values() for it in path.values() if "requestBody" in it
    ):
        content = operation["requestBody"]["content"]
        for kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
            content[kind] = {"schema": content["application/json"]["schema"]}
    return described


@pytest.fixture
def document(db: None, settings: Settings) -> Iterator[BaseSchema]:
    assert connection.vendor == "postgresql", "These tests need PostgreSQL: set DATABASE_URL."
    settings.RATELIMIT_ENABLE = False
    described = schemathesis.openapi.from_dict(
        with_forms(APIClient().get("/api/schema/?format=json").json())
    )
    described.app = application
    # Requests that Django's own test client does not send would close the connection of the test's
    # transaction.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield described
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def operations(document: BaseSchema) -> list[Operation]:
    found = [result.ok() for result in document.get_all_operations() if isinstance(result, Ok)]
    assert found, "The document is empty or malformed."
    return found


def signed_in() -> Any:
    """Return a new person with a session: some requests end the one they come with."""
    person = UserFactory()
    return AuthenticationService.log_in(
        identifier=person.email, password=PASSWORD, client=ClientInfo()
    )


class FreshSession:
    """Signs a request in that wants somebody."""

    def get(self, case: Case, context: schemathesis.AuthContext) -> Any:
        return signed_in()

    def set(self, case: Case, data: Any, context: schemathesis.AuthContext) -> None:
        case.headers["Authorization"] = f"Bearer {data.tokens.access}"
        case.cookies["refresh_token"] = data.tokens.refresh
        # Half of those asked for are the person's own, the others nobody's.
        own = {
            "session_id": data.session.pk,
            "event_id": AuditLog.objects.get(user=data.user, event_type="login").pk,
        }
        for name in own.keys() & case.path_parameters.keys():
            if re.fullmatch(
                r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{11}[0-7]", str(case.path_parameters[name])
            ):
                case.path_parameters[name] = str(own[name])


def accepts_what_fits(context: CheckContext, response: Response, case: Case) -> bool | None:
    try:
        return positive_data_acceptance(context, response, case)
    except RejectedPositiveData:
        if not is_told_in_words(response.json()):
            raise
        return None


def is_told_in_words(problem: dict[str, Any]) -> bool:
    # Formally right and yet no live token: nothing but the database can tell.
    if (problem["status"], problem["code"]) == (400, "token_invalid"):
        return True
    errors = problem.get("errors", {})
    messages = [message for found in errors.values() for message in found]
    return errors == ONE_OF_THREE_NAMES or (
        bool(messages) and all(message.startswith(RULES) for message in messages)
    )


def refuses_what_does_not_fit(context: CheckContext, response: Response, case: Case) -> bool | None:
    try:
        return negative_data_rejection(context, response, case)
    except AcceptedNegativeData:
        if not fits_on_the_wire(case):
            raise
        return None


def fits_on_the_wire(case: Case) -> bool:
    # Browsers send the fields of a form that were left empty: they count as left out. A form is no
    # list, and knows no types: 0 and 1 are how it spells no and yes.
    is_form = case.media_type in {"application/x-www-form-urlencoded", "multipart/form-data"}
    return is_form and (
        not isinstance(case.body, dict) or bool({"", "0", "1"} & set(map(str, case.body.values())))
    )


def send(case: Case) -> None:
    case.call_and_validate(
        additional_checks=[accepts_what_fits, refuses_what_does_not_fit],
        # Replaced by those two, which know what a schema has no words for.
        excluded_checks=[positive_data_acceptance, negative_data_rejection],
    )


def fuzz(operation: Operation, document: BaseSchema) -> None:
    config = HypothesisTestConfig(
        project=document.config, modes=list(HypothesisTestMode), settings=SETTINGS
    )
    create_test(operation=operation, test_func=send, config=config)()


def test_a_stranger_gets_no_answer_but_those_described(
    document: BaseSchema, subtests: pytest.Subtests
) -> None:
    for operation in operations(document):
        with subtests.test(operation.label):
            fuzz(operation, document)


def test_whoever_is_signed_in_gets_no_answer_but_those_described(
    document: BaseSchema, subtests: pytest.Subtests
) -> None:
    document.auth(refresh_interval=None)(FreshSession)

    for operation in operations(document):
        # The public ones do not even read who is signed in.
        if list(operation.security.iter_parameters()):
            with subtests.test(operation.label):
                fuzz(operation, document)


def verification_token(person: User) -> str:
    User.objects.filter(pk=person.pk).update(email_verified=False, email_verified_at=None)
    return EmailVerificationToken.objects.issue(person.pk, email=person.email, at=timezone.now())


def export_token(person: User) -> str:
    export = AccountExport.objects.create(user=person)
    ExportService.build(export.pk)
    return ActionToken.objects.issue(
        ActionToken.Action.DOWNLOAD_EXPORT,
        user_id=person.pk,
        at=timezone.now(),
        lifetime=dt.timedelta(hours=1),
        export=str(export.pk),
    )


def change_token(person: User, action: str) -> str:
    change = EmailChange.objects.create(
        user=person, old_email=person.email, new_email=f"new-{person.email}"
    )
    return ActionToken.objects.issue(
        action,
        user_id=person.pk,
        at=timezone.now(),
        lifetime=dt.timedelta(days=1),
        change=str(change.pk),
    )


def offered_code(person: User) -> str:
    session = UserSession.objects.filter(user=person).latest("created_at")
    session.user = person
    offer = SecondFactorService.set_up(session, client=ClientInfo())
    return Factor(base64.b32decode(offer.secret), []).code()


def sign_in_stopped(person: User) -> dict[str, str]:
    code = give_factor(person).recovery_codes[0]
    token = SignInChallenge.objects.issue(person, at=timezone.now(), by_password=True)
    return {"mfa_token": token, "recovery_code": code}


# By operation: a body that is accepted from a person with a session.
LIVE: dict[str, Callable[[Any], dict[str, Any]]] = {
    "register": lambda _: {
        "email": "naomi@example.org",
        "password": PASSWORD,
        "password_confirm": PASSWORD,
        "username": "naomi",
        "first_name": "Naomi",
        "last_name": "",
        "display_name": "Naomi B.",
        "timezone": "Europe/Berlin",
        "terms_accepted": True,
        "privacy_policy_accepted": True,
    },
    "login": lambda it: {
        "email": it.user.email,
        "password": PASSWORD,
        "remember_me": True,
        "device_name": "a",
        "otp": "",
    },
    "logout": lambda _: {},
    "reauthenticate": lambda _: {"password": PASSWORD},
    "totp_confirm": lambda it: {"otp": offered_code(it.user)},
    "second_factor_verify": lambda it: sign_in_stopped(it.user),
    "token_refresh": lambda _: {},
    "token_verify": lambda it: {"token": it.tokens.access},
    "exchange_token": lambda it: {
        "exchange_token": ExchangeTokenService.create(user_id=it.user.pk)
    },
    "password_change": lambda _: {"old_password": PASSWORD, "new_password": NEW_PASSWORD},
    "password_reset": lambda it: {"email": it.user.email},
    "password_reset_confirm": lambda it: {
        "token": PasswordResetToken.objects.issue(it.user, at=timezone.now()),
        "new_password": NEW_PASSWORD,
    },
    "email_verify": lambda it: {"token": verification_token(it.user)},
    "email_resend": lambda it: {"email": it.user.email},
    "session_disown": lambda it: {
        "token": ActionToken.objects.issue(
            ActionToken.Action.DISOWN_SESSION,
            user_id=it.user.pk,
            at=timezone.now(),
            lifetime=dt.timedelta(days=1),
            session=str(it.session.pk),
        )
    },
    "account_email_change": lambda _: {"email": "naomi@example.net"},
    "account_email_confirm": lambda it: {
        "token": change_token(it.user, ActionToken.Action.CONFIRM_EMAIL)
    },
    "account_email_undo": lambda it: {
        "token": change_token(it.user, ActionToken.Action.UNDO_EMAIL)
    },
    "notices_update": lambda _: {"notices": False},
    "export_download": lambda it: {"token": export_token(it.user)},
    "consents_give": lambda _: {"terms_accepted": True, "privacy_policy_accepted": True},
    "profile_update": lambda _: {
        "username": "orpah",
        "timezone": "Asia/Tokyo",
        "visibility": "members",
    },
}
WITHOUT_BODY = {
    "second_factor",
    "totp_setup",
    "second_factor_disable",
    "recovery_codes",
    "csrf",
    "sessions",
    "sessions_terminate_all",
    "session",
    "session_terminate",
    "health",
    "live",
    "profile",
    "activity",
    "account_delete",
    "export",
    "export_request",
    "notices",
    "account_email",
    "account_email_cancel",
    "consents",
    "activity_disown",
}


def test_what_is_live_is_accepted_with_the_answer_described(
    document: BaseSchema, subtests: pytest.Subtests
) -> None:
    for operation in operations(document):
        name = operation.definition.raw["operationId"]
        with subtests.test(name):
            person = signed_in()
            if name in {"second_factor_disable", "recovery_codes"}:
                give_factor(person.user)
                UserSession.objects.filter(pk=person.session.pk).update(is_verified=True)
            body = NOT_SET if name in WITHOUT_BODY else LIVE[name](person)
            media_type = None if body is NOT_SET else "application/json"
            case = operation.Case(
                body=body,
                media_type=media_type,
                path_parameters={
                    "session_id": str(person.session.pk),
                    "event_id": str(
                        AuditLog.objects.filter(user=person.user).values_list("pk", flat=True)[0]
                    ),
                },
            )
            FreshSession().set(
                case, person, schemathesis.AuthContext(operation=operation, app=application)
            )
            case._has_explicit_auth = True

            response = case.call_and_validate()

            assert 200 <= response.status_code < 300
