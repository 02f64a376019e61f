"""A member of staff with a second factor, and what waits for them, in the service's database."""

import sqlite3

from playwright.sync_api import expect

from .codes import code_of
from .service import PASSWORD, App, Service
from .visitors import Visitor

_WAITING = (
    "INSERT INTO authentication_failedtask (id, task, arguments, error, failed_at)"
    " VALUES (lower(hex(randomblob(16))), 'authentication.tasks.clean', '[]', 'OSError',"
    " datetime('now'))"
)


def give_factor(service: Service, address: str) -> str:
    """Give an account a second factor; return its seed in base32."""
    app = App(service)
    app.log_in(address)
    offer = app.send("POST", "auth/2fa/totp/setup/", {"password": PASSWORD}).json()
    seed = str(offer["secret"])
    answer = app.send("POST", "auth/2fa/totp/confirm/", {"otp": code_of(seed)})
    assert answer.status_code == 200, answer.text
    return seed


def make_superuser(service: Service, address: str) -> str:
    """Give an account a second factor and every right; return the seed of the factor in base32."""
    seed = give_factor(service, address)
    change(
        service,
        "UPDATE authentication_user SET is_staff = 1, is_superuser = 1 WHERE email = ?",
        address,
    )
    return seed


def enter_admin(visitor: Visitor, address: str, seed: str) -> None:
    """Sign in to the admin with a password and a code."""
    page = visitor.page
    page.goto("/admin/")
    page.get_by_label("Email or username").fill(address)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Code").fill(code_of(seed, ahead=1))
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Needs a person")).to_be_visible()


def leave_work(service: Service) -> None:
    """Store what waits for a person."""
    change(service, _WAITING)


def change(service: Service, statement: str, *values: str) -> None:
    """Change the database of the running service."""
    connection = sqlite3.connect(service.mails.parent / "db.sqlite3", timeout=20)
    with connection:
        connection.execute(statement, values)
    connection.close()
