"""/metrics: who may read it."""

import pytest
from django.test import Client
from pytest_django import Settings

pytestmark = pytest.mark.django_db


class TestAccess:
    def test_this_machine_may_read(self) -> None:
        assert Client().get("/metrics").status_code == 200

    @pytest.mark.parametrize(
        "request_meta",
        [
            {"REMOTE_ADDR": "198.51.100.7"},
            {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
            {"HTTP_X_REAL_IP": "127.0.0.1"},
            {"HTTP_FORWARDED": "for=127.0.0.1"},
            {"REMOTE_ADDR": ""},
        ],
    )
    def test_other_clients_may_not_read(self, request_meta: dict[str, str]) -> None:
        answer = Client().get("/metrics", **request_meta)  # type: ignore[arg-type]

        assert (answer.status_code, answer.content) == (401, b"Not for you.\n")

    def test_behind_a_proxy_the_reported_address_counts(self, settings: Settings) -> None:
        settings.CLIENT_IP_HEADER = "X-Real-IP"

        assert Client().get("/metrics", HTTP_X_REAL_IP="198.51.100.7").status_code == 401
        assert Client().get("/metrics").status_code == 401

    def test_the_header_of_the_edge_counts_and_not_the_address(self, settings: Settings) -> None:
        settings.CLIENT_IP_HEADER = "CF-Connecting-IP"

        from_loopback = Client(HTTP_CF_CONNECTING_IP="127.0.0.1")
        assert from_loopback.get("/metrics", REMOTE_ADDR="198.51.100.7").status_code == 401
        assert from_loopback.get("/metrics").status_code == 200

    @pytest.mark.parametrize(
        ("header", "status"),
        [
            ("Bearer a-token-of-operations", 200),
            ("Bearer a-token-of-operation", 401),
            ("", 401),
            ("Bearer \xff", 401),
        ],
    )
    def test_a_configured_token_is_required(
        self, settings: Settings, header: str, status: int
    ) -> None:
        settings.METRICS_TOKEN = "a-token-of-operations"

        assert Client().get("/metrics", HTTP_AUTHORIZATION=header).status_code == status
