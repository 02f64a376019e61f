"""Creates a superuser with a verified address, and with a second factor if asked to."""

import getpass
import sys
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from authentication.exceptions import ValidationFailed
from authentication.management.operator_arguments import add_operator_argument, operator_of
from authentication.services.sign_in import NewFactor
from authentication.services.superusers import SuperuserService
from authentication.utils.client import ClientInfo
from authentication.utils.identifiers import clean_email
from authentication.utils.qr import qr_text

_TRIES = 3


class Command(BaseCommand):
    """Reads secrets from the terminal or standard input: other users see command lines.

    What an app needs is written to standard output alone, and only to a terminal unless
    `--otp-stdin` says that the caller keeps it from logs.
    """

    help = "Create a superuser with a verified address; with --with-otp also a second factor."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument(
            "--password-stdin", action="store_true", help="read the password from standard input"
        )
        parser.add_argument(
            "--with-otp",
            action="store_true",
            help="set up an authenticator app: show a QR code, ask for a code",
        )
        parser.add_argument(
            "--otp-stdin",
            action="store_true",
            help="with --with-otp: read the code from standard input, write to any output",
        )
        add_operator_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        operator = operator_of(options)
        self._check_output(options)
        try:
            email = clean_email(options["email"])
            password = _line_of_input() if options["password_stdin"] else _ask_password()
            SuperuserService.check(email=email, password=password)
            factor = self._set_up(email, options) if options["with_otp"] else None
            codes = SuperuserService.create(
                email=email,
                password=password,
                factor=factor,
                operator=operator,
                client=ClientInfo(),
            )
        except ValueError as error:
            raise CommandError(str(error)) from None
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        except ValidationFailed as refusal:
            raise CommandError(
                " ".join(str(it) for found in (refusal.errors or {}).values() for it in found)
            ) from None
        self._show(codes)
        self.stdout.write("The account is created. Sign in at /admin/.")

    def _check_output(self, options: dict[str, Any]) -> None:
        if options["otp_stdin"] and not options["with_otp"]:
            raise CommandError("Use --otp-stdin with --with-otp.")
        if options["with_otp"] and not (options["otp_stdin"] or self.stdout.isatty()):
            raise CommandError(
                "The secret would be written to no terminal, perhaps to a log. Use a terminal, or"
                " --otp-stdin if you keep the output from logs."
            )

    def _set_up(self, email: str, options: dict[str, Any]) -> NewFactor:
        """Show a new seed and return it once a code has confirmed it; nothing is stored before."""
        factor = NewFactor()
        url = factor.otpauth_url(email)
        self.stdout.write("Scan this with your authenticator app, or enter the address below it.")
        self.stdout.write(qr_text(url))
        self.stdout.write(url)
        for _ in range(_TRIES):
            self.stdout.write("Code of the app: ", ending="")
            self.stdout.flush()
            code = _line_of_input() if options["otp_stdin"] else _ask("")
            if confirmed := factor.confirmed_by(code):
                return confirmed
            self.stdout.write("That code didn't work. Try the next one.")
        raise CommandError("No code was right. Nothing was created. Is the clock right?")

    def _show(self, codes: list[str]) -> None:
        if codes:
            self.stdout.write("Recovery codes. Each works once, and they are not shown again:")
            self.stdout.write("\n".join(f"  {code}" for code in codes))


def _line_of_input() -> str:
    line = sys.stdin.readline()
    if not line:
        raise CommandError("Standard input has ended.")
    return line.rstrip("\n")


def _ask_password() -> str:
    password, again = _ask("Password: "), _ask("Password again: ")
    if password != again:
        raise CommandError("The two passwords are not the same.")
    return password


def _ask(prompt: str) -> str:
    try:
        return getpass.getpass(prompt)
    except EOFError:
        raise CommandError(
            "There is no terminal to ask on. Use --password-stdin and --otp-stdin."
        ) from None
