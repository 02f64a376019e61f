"""The client in Python: tokens, steps and errors, against a service in memory."""

import stat
import threading
from pathlib import Path

import anyio
import httpx
import pytest
import time_machine

from clients import generate
from vineyard_auth import (
    AsyncAuthClient,
    AuthClient,
    ConsentRequired,
    DeletionPending,
    EmailNotVerified,
    FileStorage,
    MemoryStorage,
    MfaRequired,
    ProblemError,
    SignedOutError,
)
from vineyard_auth._routes import ROUTES

from .fake_service import BASE, FakeService, refusal

PASSWORD = "Barley-Harvest-7"
REFRESH = "auth/token/refresh/"


@pytest.fixture
def service() -> FakeService:
    return FakeService()


@pytest.fixture
def storage() -> MemoryStorage:
    return MemoryStorage()


@pytest.fixture
def client(service: FakeService, storage: MemoryStorage) -> AuthClient:
    return connect(service, storage)


def connect(service: FakeService, storage: MemoryStorage | FileStorage) -> AuthClient:
    return AuthClient(BASE, storage=storage, transport=httpx.MockTransport(service.handle))


def test_a_refused_access_token_is_renewed_once_and_the_request_repeated(
    client: AuthClient, service: FakeService
) -> None:
    client.login("ruth", PASSWORD)
    service.live = "another"

    assert client.get_sessions() == []

    assert (service.asked()[REFRESH], service.asked()["auth/sessions/"]) == (1, 2)


def test_a_second_refusal_is_the_answer(client: AuthClient, service: FakeService) -> None:
    client.login("ruth", PASSWORD)
    service.plan("auth/sessions/", *(refusal(401, "token_invalid") for _ in range(2)))

    with pytest.raises(ProblemError, match="token_invalid"):
        client.get_sessions()

    assert service.asked()[REFRESH] == 1


def test_wrong_passwords_and_codes_are_no_reason_to_refresh(
    client: AuthClient, service: FakeService
) -> None:
    client.login("ruth", PASSWORD)
    service.plan("auth/login/", refusal(401, "invalid_credentials"))
    service.plan("auth/reauthenticate/", refusal(401, "code_invalid"))

    with pytest.raises(ProblemError, match="invalid_credentials"):
        client.login("ruth", "no")
    with pytest.raises(ProblemError, match="code_invalid"):
        client.reauthenticate(otp="000000")

    assert service.asked()[REFRESH] == 0


def test_a_refused_refresh_is_not_repeated(
    client: AuthClient, service: FakeService, storage: MemoryStorage
) -> None:
    client.login("ruth", PASSWORD)
    service.plan(REFRESH, refusal(401, "token_invalid"))

    with pytest.raises(SignedOutError):
        client.refresh_token()
    with pytest.raises(SignedOutError):
        client.get_profile()

    assert service.asked()[REFRESH] == 1
    assert (client.access_token, storage.get("refresh")) == (None, None)


def test_a_refresh_that_fails_for_another_reason_ends_nothing(
    client: AuthClient, service: FakeService
) -> None:
    client.login("ruth", PASSWORD)
    service.live = "another"
    service.plan(REFRESH, refusal(429, "rate_limited"))

    with pytest.raises(ProblemError) as refused:
        client.get_profile()

    assert refused.value.retry_after == 60
    assert client.get_profile()["email"] == "ruth@example.org"


def test_the_access_token_is_renewed_at_80_percent_of_its_life(
    client: AuthClient, service: FakeService
) -> None:
    with time_machine.travel(0, tick=False) as clock:
        client.login("ruth", PASSWORD)
        clock.move_to(719)
        client.get_profile()
        assert service.asked()[REFRESH] == 0

        clock.move_to(721)
        client.get_profile()
        assert service.asked()[REFRESH] == 1


def test_a_token_in_the_last_fifth_of_its_life_is_used_on_if_it_cannot_be_renewed(
    client: AuthClient, service: FakeService
) -> None:
    with time_machine.travel(0, tick=False) as clock:
        client.login("ruth", PASSWORD)
        service.plan(REFRESH, refusal(503, "service_unavailable"))
        clock.move_to(800)

        client.get_profile()
        client.get_profile()

    assert service.asked()[REFRESH] == 1


def test_what_cannot_be_stored_is_not_used(
    client: AuthClient,
    service: FakeService,
    storage: MemoryStorage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client.login("ruth", PASSWORD)
    service.live = "another"

    def fail(key: str, value: str) -> None:
        raise OSError

    monkeypatch.setattr(storage, "set", fail)
    with pytest.raises(OSError):  # noqa: PT011 -- the storage's own error
        client.get_sessions()

    assert service.asked()["auth/sessions/"] == 1


def test_threads_share_one_refresh(client: AuthClient, service: FakeService) -> None:
    client.login("ruth", PASSWORD)
    service.live = "another"

    threads = [threading.Thread(target=client.get_profile) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert service.asked()[REFRESH] == 1


def test_tasks_share_one_refresh(service: FakeService) -> None:
    async def story() -> None:
        transport = httpx.MockTransport(service.handle)
        async with AsyncAuthClient(BASE, transport=transport) as client:
            await client.login("ruth", PASSWORD)
            service.live = "another"
            async with anyio.create_task_group() as tasks:
                for _ in range(8):
                    tasks.start_soon(client.get_profile)

    anyio.run(story)

    assert service.asked()[REFRESH] == 1


def test_the_steps_of_a_sign_in_follow_each_other(client: AuthClient, service: FakeService) -> None:
    service.plan(
        "auth/login/",
        refusal(403, "account_deletion_pending", deletion_at="2026-12-06T15:30:00Z"),
        refusal(403, "consent_required", documents={"terms": "2"}),
        refusal(403, "mfa_required", mfa_token="challenge", mfa_methods=["totp"]),
    )

    pending = client.login("ruth", PASSWORD)
    assert isinstance(pending, DeletionPending)
    consent = pending.restore()
    assert isinstance(consent, ConsentRequired)
    code = consent.accept()
    assert isinstance(code, MfaRequired)
    assert "challenge" not in repr(code)

    assert code.verify("123456")["user"]["email"] == "ruth@example.org"
    _, body, _ = service.seen[2]
    assert (body["restore"], body["terms_accepted"], body["privacy_policy_accepted"]) == (True,) * 3
    assert service.seen[3][1] == {"mfa_token": "challenge", "otp": "123456"}


def test_an_address_that_is_not_verified_is_a_step(
    client: AuthClient, service: FakeService
) -> None:
    service.plan("auth/login/", refusal(403, "email_not_verified"))

    assert client.login("ruth", PASSWORD) == EmailNotVerified("Refused.")


def test_a_known_device_names_itself_and_no_cookie_is_kept(
    client: AuthClient, service: FakeService
) -> None:
    client.login("ruth", PASSWORD)
    client.logout()
    client.login("ruth", PASSWORD)

    headers = [it for path, _, it in service.seen if path == "auth/login/"]
    assert [it.get("X-Device-Id") for it in headers] == [None, "device-1"]
    assert not any("cookie" in it for _, _, it in service.seen)


def test_the_token_is_sent_to_the_service_alone(client: AuthClient, service: FakeService) -> None:
    client.login("ruth", PASSWORD)
    service.live = "another"

    for elsewhere in ("https://elsewhere.example/", "../../steal/"):
        with pytest.raises(ValueError, match="not below"):
            client.request("GET", elsewhere)
    assert client.request("GET", "groups/", params={"page": 2}).status_code == 200

    assert service.asked()["groups/"] == 2


def test_a_program_that_starts_again_goes_on(service: FakeService, tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    connect(service, FileStorage(file)).login("ruth", PASSWORD)

    assert connect(service, FileStorage(file)).resume() is True
    assert connect(service, MemoryStorage()).resume() is False
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_page_of_a_proxy_is_an_error_too(client: AuthClient, service: FakeService) -> None:
    service.plan("auth/health/", httpx.Response(502, text="<html>"))

    with pytest.raises(ProblemError) as refused:
        client.get_health()

    assert (refused.value.status, refused.value.code) == (502, "unknown")


@pytest.mark.parametrize("half", ["_async", "_sync"])
def test_every_operation_of_the_document_has_a_method(half: str) -> None:
    source = "".join(it.read_text() for it in (generate.PYTHON / half).glob("*.py"))

    assert [it for it in ROUTES if f'"{it}"' not in source] == []
