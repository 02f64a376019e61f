"""/metrics: who may read it."""

import pytest
from django.test import Client
from pytest_django import Settings

pytestmark = pytest.mark.django_db


class TestWhoMayRead:
    def test_this_machine_may(self) -> None:
        assert Client().get("/metrics").status_code == 200

    @pytest.mark.parametrize(
        "told",
        [
            {"REMOTE_ADDR": "198.51.100.7"},
            {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
            {"HTTP_X_REAL_IP": "127.0.0.1"},
            {"HTTP_FORWARDED": "for=127.0.0.1"},
            {"REMOTE_ADDR": ""},
        ],
    )
    def test_other_clients_may_not(self, told: dict[str, str]) -> None:
        answer = Client().get("/metrics", **told)  # type: ignore[arg-type]  # what a server tells of a request

        assert (answer.status_code, answer.content) == (401, b"Not for you.\n")

    def test_behind_a_proxy_the_reported_address_counts(self, settings: Settings) -> None:
        settings.CLIENT_IP_HEADER = "X-Real-IP"

        assert Client().get("/metrics", HTTP_X_REAL_IP="198.51.100.7").status_code == 401
        assert Client().get("/metrics").status_code == 401

    def test_the_header_of_the_edge_counts_and_not_the_address(self, settings: Settings) -> None:
        settings.CLIENT_IP_HEADER = "CF-Connecting-IP"

        told = {"HTTP_CF_CONNECTING_IP": "127.0.0.1"}
        assert Client().get("/metrics", REMOTE_ADDR="198.51.100.7", **told).status_code == 401  # type: ignore[arg-type]  # as above
        assert Client().get("/metrics", **told).status_code == 200  # type: ignore[arg-type]  # as above

    @pytest.mark.parametrize(
        ("header", "status"),
        [
            ("Bearer a-token-of-operations", 200),
            ("Bearer a-token-of-operation", 401),
            ("", 401),
            ("Bearer \xff", 401),
        ],
    )
    def test_with_a_token_set_only_its_holder_may(
        self, settings: Settings, header: str, status: int
    ) -> None:
        settings.METRICS_TOKEN = "a-token-of-operations"

        assert Client().get("/metrics", HTTP_AUTHORIZATION=header).status_code == status
