"""The database settings."""

import ast
from typing import Any

from .reader import DEVELOPMENT, read_all


class TestPostgreSQL:
    AT = {
        **DEVELOPMENT,
        "DATABASE_URL": "postgres://ruth:moab@db.internal:5432/vgf",
    }

    def databases(self, **changed: str) -> dict[str, Any]:
        (outcome,) = read_all([{**self.AT, **changed}], "DATABASES", "REPORTS_DATABASE")
        found: dict[str, Any] = ast.literal_eval(outcome["DATABASES"])
        return {**found, "for reports": ast.literal_eval(outcome["REPORTS_DATABASE"])}

    def test_statements_and_locks_have_a_timeout(self) -> None:
        default = self.databases(DB_STATEMENT_TIMEOUT_MS="7000", DB_LOCK_TIMEOUT_MS="900")[
            "default"
        ]

        options = "-c statement_timeout=7000 -c lock_timeout=900 -c random_page_cost=1.1"
        assert default["OPTIONS"]["options"] == options
        assert (default["CONN_MAX_AGE"], default["CONN_HEALTH_CHECKS"]) == (600, True)

    def test_a_pool_keeps_the_connections_itself(self) -> None:
        default = self.databases(DB_POOL_SIZE="12")["default"]

        assert default["OPTIONS"]["pool"] == {
            "min_size": 2,
            "max_size": 12,
            "timeout": 2,
            "reconnect_timeout": 5,
        }
        assert default["CONN_MAX_AGE"] == 0

    def test_a_server_that_disappears_is_noticed(self) -> None:
        options = self.databases()["default"]["OPTIONS"]

        assert (options["connect_timeout"], options["tcp_user_timeout"]) == (3, 10_000)
        assert (
            options["keepalives_idle"]
            + options["keepalives_interval"] * options["keepalives_count"]
            < 20
        )

    def test_only_a_server_that_takes_writes_is_used(self) -> None:
        at = "postgres://ruth:moab@replica.internal:5432/vgf"
        found = self.databases(DATABASE_REPLICA_URL=at)

        assert found["default"]["OPTIONS"]["target_session_attrs"] == "read-write"
        assert "target_session_attrs" not in found["reports"]["OPTIONS"]

    def test_behind_pgbouncer_no_state_outlives_a_transaction(self) -> None:
        default = self.databases(PGBOUNCER="True")["default"]

        assert default["OPTIONS"]["prepare_threshold"] is None
        assert "options" not in default["OPTIONS"]
        assert default["DISABLE_SERVER_SIDE_CURSORS"] is True

    def test_reports_read_from_the_replica_where_there_is_one(self) -> None:
        with_one = self.databases(
            DATABASE_REPLICA_URL="postgres://ruth:moab@replica.internal:5432/vgf"
        )

        assert self.databases()["for reports"] == "default"
        assert with_one["for reports"] == "reports"
        assert (with_one["reports"]["HOST"], with_one["default"]["HOST"]) == (
            "replica.internal",
            "db.internal",
        )
        assert with_one["reports"]["ENGINE"] == with_one["default"]["ENGINE"]

    def test_the_replica_is_never_written(self) -> None:
        at = "postgres://ruth:moab@replica.internal:5432/vgf?sslmode=require"

        options = self.databases(DATABASE_REPLICA_URL=at)["reports"]["OPTIONS"]

        assert "-c default_transaction_read_only=on" in options["options"]
        assert options["sslmode"] == "require"
