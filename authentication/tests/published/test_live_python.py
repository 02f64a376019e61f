"""The client in Python against the running service."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import anyio
import pytest

from authentication.tests.browser.codes import code_of
from authentication.tests.browser.service import (
    NEW_PASSWORD,
    PASSWORD,
    ROOT,
    Service,
    unique_address,
)
from vineyard_auth import (
    AsyncAuthClient,
    AsyncMfaRequired,
    AuthClient,
    FileStorage,
    ProblemError,
    SignedOutError,
)

pytestmark = pytest.mark.clients


@pytest.fixture
def client(service: Service, tmp_path: Path) -> Iterator[AuthClient]:
    storage = FileStorage(tmp_path / "tokens.json")
    with AuthClient(api(service), storage=storage, device_name="Ruth's laptop") as client:
        yield client


def api(service: Service) -> str:
    return f"{service.url}/api/v1/auth"


def register(client: AuthClient, service: Service) -> tuple[str, str | None]:
    """Create an account; return its address and the exchange token."""
    address = unique_address("ruth")
    client.register(address, PASSWORD, "Ruth", "Moab")
    token = service.link(address, "verify-email").rpartition("=")[2]
    return address, client.verify_email(token)["exchange_token"]


def test_from_the_registration_to_the_sign_out(client: AuthClient, service: Service) -> None:
    address, exchange_token = register(client, service)
    assert client.exchange_token(exchange_token or "")["first_login"] is True
    assert client.get_profile()["first_name"] == "Ruth"
    client.logout()
    with pytest.raises(SignedOutError):
        client.get_profile()

    client.login(address, PASSWORD)
    before = client.access_token
    assert client.refresh_token() == client.access_token != before
    devices = [(it["device_name"], it["is_current"]) for it in client.get_sessions()]
    assert devices == [("Ruth's laptop", True)]
    assert client.update_profile(display_name="Ruth M.")["display_name"] == "Ruth M."
    assert client.request("GET", "auth/sessions/").status_code == 200

    assert client.change_password(PASSWORD, NEW_PASSWORD)["message"]
    assert client.get_health()["database"] == "connected"
    assert client.logout() is not None


def test_a_lost_answer_and_a_restart(client: AuthClient, service: Service, tmp_path: Path) -> None:
    address, _ = register(client, service)
    client.login(address, PASSWORD)
    storage = FileStorage(tmp_path / "tokens.json")
    lost = storage.get("refresh")
    client.refresh_token()
    # The program ended before it had stored the answer.
    storage.set("refresh", str(lost))

    with AuthClient(api(service), storage=storage) as restarted:
        assert restarted.resume() is True
        assert restarted.get_profile()["email"] == address


def test_a_second_factor_and_refusals_with_asyncio(client: AuthClient, service: Service) -> None:
    address, _ = register(client, service)
    client.login(address, PASSWORD)
    secret = client.set_up_totp(PASSWORD)["secret"]
    recovery = client.confirm_totp(code_of(secret))["recovery_codes"]

    async def story() -> None:
        async with AsyncAuthClient(api(service)) as other:
            step = await other.login(address, PASSWORD)
            assert isinstance(step, AsyncMfaRequired)
            assert step.methods == ["totp", "recovery_code"]
            with pytest.raises(ProblemError, match="code_invalid"):
                await step.verify("000000")
            assert (await step.verify(recovery[0]))["user"]["email"] == address
            assert len(await other.get_sessions()) == 2
            with pytest.raises(ProblemError) as refused:
                await other.update_profile(timezone="Mars")
            assert "timezone" in refused.value.errors
            await other.logout()

    # The thread of the tests may have the loop of a browser.
    with ThreadPoolExecutor() as threads:
        threads.submit(anyio.run, story).result()


def test_the_example_of_the_readme(
    client: AuthClient, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    address, _ = register(client, service)
    text = (ROOT / "clients/python/README.md").read_text(encoding="utf-8")
    example = text.partition("```python\n")[2].partition("```")[0]
    mine = example.replace("http://localhost:8002", service.url).replace(
        "ruth@example.org", address
    )

    exec(compile(mine, "README.md", "exec"), {})  # noqa: S102 -- our own example

    devices, refusal = capsys.readouterr().out.splitlines()
    assert devices.startswith("Backup script ")
    assert refusal.startswith("validation_error {'timezone': ")
