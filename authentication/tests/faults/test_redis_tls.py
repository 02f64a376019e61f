"""Redis by TLS: certificates are verified, and connections without a password work."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django_redis import get_redis_connection
from kombu.connection import Connection
from kombu.exceptions import OperationalError
from pytest_django import Settings

from vineyard_group_fellowship.settings import base

from . import rig
from .redis_server import redis_server

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

VERIFIED = {"ssl_cert_reqs": "required", "ssl_check_hostname": True}
TRANSPORT = "vineyard_group_fellowship.broker:Transport"
USES = "critical,digitalSignature,keyEncipherment,keyCertSign"
CERTIFICATE = (
    *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=redis"),
    *("-addext", "subjectAltName=IP:127.0.0.1", "-addext", f"keyUsage={USES}"),
    *("-keyout", "key.pem", "-out", "certificate.pem"),
)


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Return the address of a Redis without a password, with a certificate it signed itself."""
    openssl, port = shutil.which("openssl"), rig.free_port()
    assert openssl, "OpenSSL is not installed (Debian: apt-get install openssl)."
    subprocess.run(  # noqa: S603 -- our own command
        [openssl, *CERTIFICATE], cwd=tmp_path, check=True, capture_output=True
    )
    files = (
        *("--tls-cert-file", "certificate.pem", "--tls-key-file", "key.pem"),
        *("--tls-ca-cert-file", "certificate.pem", "--tls-auth-clients", "no"),
    )
    # Redis has read the files before it changes its folder.
    told = [str(tmp_path / it) if it.endswith(".pem") else it for it in files]
    with redis_server(tmp_path, "--tls-port", str(port), *told):
        yield f"rediss://127.0.0.1:{port}/0"


def test_no_new_connection_of_the_cache_fails(
    address: str, tmp_path: Path, settings: Settings
) -> None:
    settings.CACHES = base.caches(f"{address}?ssl_ca_certs={tmp_path}/certificate.pem")

    def ping() -> bool:
        client = get_redis_connection("default")
        try:
            return bool(client.ping())
        finally:
            client.connection_pool.disconnect()

    assert all(ping() for _ in range(100))


def test_the_broker_is_connected_to_with_its_certificate_alone(
    address: str, tmp_path: Path
) -> None:
    def connect(url: str) -> None:
        # As Celery connects, with the settings of a rediss:// broker.
        made: Any = Connection
        with made(url, transport=TRANSPORT, ssl=VERIFIED) as broker:
            broker.default_channel.client.ping()

    connect(f"{address}?ssl_ca_certs={tmp_path}/certificate.pem")
    with pytest.raises(OperationalError, match="certificate verify failed"):
        connect(address)
