# Written by clients/generate.py from _async/.
"""The client of the authentication service."""

from http import HTTPStatus
from types import TracebackType
from typing import Any, Self, cast

import httpx

from vineyard_auth._problem import ProblemError, SignedOutError
from vineyard_auth._routes import ROUTES
from vineyard_auth._storage import MemoryStorage, TokenStorage
from vineyard_auth.types import Exchanged, LoginRequest, Message, PasswordChanged, SignedIn

from .account import AccountOperations
from .security import SecurityOperations
from .session import Session
from .steps import LoginStep, follow
from .transport import Transport

DEFAULT_BASE_URL = "http://localhost:8002/api/v1/auth"
DEFAULT_TIMEOUT = 30.0


class AuthClient(AccountOperations, SecurityOperations):
    """Signs a person in, keeps the session, and calls the operations of the API.

    `base_url` is the address of the service, up to and with `/api/v1/auth`. `storage` keeps the
    refresh token; by default it is gone with the program. `device_name` is what the list of devices
    calls this one.
    """

    def __init__(
        self,
        base_url: str = DEFAULT_BASE_URL,
        *,
        storage: TokenStorage | None = None,
        device_name: str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._transport = Transport(base_url, timeout=timeout, transport=transport)
        self._session = Session(self._transport, storage or MemoryStorage())
        self._device_name = device_name

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; the session goes on."""
        self._transport.close()

    @property
    def access_token(self) -> str | None:
        """The access token in memory, which may have expired."""
        return self._session.access_token

    def resume(self) -> bool:
        """Return whether the session in the storage goes on."""
        try:
            self._session.access()
        except SignedOutError:
            return False
        return True

    def login(
        self,
        email_or_username: str,
        password: str,
        *,
        remember_me: bool = False,
        otp: str | None = None,
    ) -> LoginStep:
        """Sign in; return the session, or the step that comes next."""
        body: LoginRequest = {
            "email_or_username": email_or_username,
            "password": password,
            "remember_me": remember_me,
            "device_name": self._device_name,
            "otp": otp,
        }
        return self._log_in(body)

    def verify_second_factor(self, mfa_token: str, code: str) -> SignedIn:
        """Finish a sign-in that stopped at the second factor."""
        body = {"mfa_token": mfa_token, "otp": code}
        signed_in: SignedIn = self._open("second_factor_verify", body)
        return signed_in

    def exchange_token(
        self,
        exchange_token: str,
        *,
        terms_accepted: bool | None = None,
        privacy_policy_accepted: bool | None = None,
    ) -> Exchanged:
        """Sign in by the exchange token of an address that has just been verified."""
        body = {
            "exchange_token": exchange_token,
            "terms_accepted": terms_accepted,
            "privacy_policy_accepted": privacy_policy_accepted,
        }
        exchanged: Exchanged = self._open("exchange_token", body)
        return exchanged

    def refresh_token(self) -> str:
        """Renew the access token and return it; raise SignedOutError if the session has ended."""
        return self._session.renew(self.access_token)

    def logout(self) -> Message | None:
        """End the session; return None if it had ended before."""

        def request(token: str | None, refresh: str | None) -> Any:
            return self._transport.send("logout", token=token, body={"refresh": refresh})

        answer: Message | None = self._session.end(request)
        return answer

    def change_password(self, old_password: str, new_password: str) -> PasswordChanged:
        """Choose a new password; every other session of the person ends."""
        body = {"old_password": old_password, "new_password": new_password}

        def change(token: str) -> PasswordChanged:
            changed: PasswordChanged = self._session.begin(
                lambda: self._transport.send("password_change", body=body, token=token)
            )
            return changed

        return self._session.authorized(change)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request to another app of the service as the signed-in person.

        The path is below `/api/v1/`. The options are those of httpx.
        """
        url = httpx.URL(self._transport.root).join(path)
        if not str(url).startswith(self._transport.root):
            message = f"{path} is not below {self._transport.root}"
            raise ValueError(message)
        refused: list[httpx.Response] = []

        def send(token: str) -> httpx.Response:
            answer = self._transport.request(method, str(url), token=token, **options)
            if answer.status_code == HTTPStatus.UNAUTHORIZED and not refused:
                refused.append(answer)
                raise ProblemError(HTTPStatus.UNAUTHORIZED, {"code": "token_invalid"})
            return answer

        return self._session.authorized(send)

    def call(self, operation: str, **parts: Any) -> Any:
        """Send any operation of the API, with the access token where it needs one."""
        if not ROUTES[operation][2]:
            return self._transport.send(operation, **parts)
        return self._session.authorized(
            lambda token: self._transport.send(operation, token=token, **parts)
        )

    def _log_in(self, body: LoginRequest) -> LoginStep:
        def again(more: dict[str, bool]) -> LoginStep:
            return self._log_in(cast("LoginRequest", {**body, **more}))

        try:
            signed_in: SignedIn = self._open("login", body)
        except ProblemError as error:
            return follow(error, verify=self.verify_second_factor, again=again)
        return signed_in

    def _open(self, operation: str, body: Any) -> Any:
        headers = self._session.device_headers()
        return self._session.begin(
            lambda: self._transport.send(operation, body=body, headers=headers)
        )
