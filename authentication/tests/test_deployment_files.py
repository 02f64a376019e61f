"""What the deployment files say; authentication/tests/faults does it."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from celery import current_app
from django.conf import settings as service

from authentication.tests.test_architecture import read_by_settings

ROOT = Path(service.BASE_DIR)
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
RAILWAY: dict[str, Any] = json.loads((ROOT / "railway.json").read_text(encoding="utf-8"))
NIXPACKS: dict[str, Any] = tomllib.loads((ROOT / "nixpacks.toml").read_text(encoding="utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
OURS = ("migrate", "web", "worker", "mailer", "beat")


def queues_of(name: str) -> list[str]:
    """Return the queues a worker of docker-compose.yml takes tasks from."""
    command: list[str] = COMPOSE["services"][name]["command"]
    return command[command.index("-Q") + 1].split(",")


def test_the_image_is_pinned_and_runs_as_nobody_in_particular() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    user = DOCKERFILE.index("USER app")

    assert bases == ["python:3.13.9-slim-bookworm"] * 2
    assert DOCKERFILE.index("COPY . .") < user < DOCKERFILE.index("\nCMD")
    assert "--require-hashes" in DOCKERFILE
    assert "HEALTHCHECK" in DOCKERFILE


def test_nothing_private_goes_into_the_image() -> None:
    left_out = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()

    assert {".git", ".env", ".env.*", "var"} <= set(left_out)
    assert not re.search(r"^(ENV|ARG).*(KEY|PASSWORD|TOKEN|DSN)", DOCKERFILE, re.MULTILINE)


@pytest.mark.parametrize("name", OURS)
def test_every_variable_that_compose_sets_is_one_of_ours(name: str) -> None:
    assert set(COMPOSE["services"][name]["environment"]) <= read_by_settings()


def test_nobody_outside_this_machine_reaches_a_port() -> None:
    ports = [port for it in COMPOSE["services"].values() for port in it.get("ports", [])]

    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_mailpit_catches_what_has_no_other_way_and_nothing_of_productions() -> None:
    told = COMPOSE["services"]["mailer"]["environment"]

    assert told["EMAIL_CATCHER"] == "mail:1025"
    assert not {"EMAIL_HOST", "EMAIL_PORT", "SENDGRID_API_KEY"} & set(told)


@pytest.mark.parametrize("name", OURS)
def test_our_containers_write_to_memory_alone_and_may_do_nothing_special(name: str) -> None:
    service = COMPOSE["services"][name]

    assert (service["read_only"], service["tmpfs"], service["cap_drop"]) == (
        True,
        ["/tmp"],  # noqa: S108 -- the container's own
        ["ALL"],
    )


def test_every_service_of_compose_has_a_pinned_image_or_is_built_here() -> None:
    images = {name: it["image"] for name, it in COMPOSE["services"].items() if "build" not in it}

    assert all(re.search(r":v?\d", image) for image in images.values()), images


def test_redis_wants_a_password_keeps_what_it_has_and_throws_nothing_out() -> None:
    command = " ".join(COMPOSE["services"]["redis"]["command"])

    for flag in ("--requirepass", "--appendonly yes", "--maxmemory-policy noeviction"):
        assert flag in command
    assert COMPOSE["services"]["redis"]["volumes"]


def test_nothing_starts_before_what_it_needs() -> None:
    waits = {name: COMPOSE["services"][name]["depends_on"] for name in OURS}

    assert waits.pop("migrate") == {"database": {"condition": "service_healthy"}}
    for needs in waits.values():
        assert needs["migrate"] == {"condition": "service_completed_successfully"}
        assert needs["redis"] == {"condition": "service_healthy"}
        # It is not there unless its profile is.
        assert needs["pgbouncer"] == {"condition": "service_healthy", "required": False}


def test_a_migration_goes_past_pgbouncer_and_takes_its_time() -> None:
    told = COMPOSE["services"]["migrate"]["environment"]

    assert (told["DB_HOST"], told["PGBOUNCER"], told["DB_STATEMENT_TIMEOUT_MS"]) == (
        "database",
        "False",
        0,
    )
    assert RAILWAY["deploy"]["preDeployCommand"] == [
        "env DB_STATEMENT_TIMEOUT_MS=0 python manage.py migrate --noinput"
    ]


def test_whoever_stops_the_server_waits_longer_than_it_drains() -> None:
    drain = int(
        re.findall(
            r"graceful_timeout = (\d+)", (ROOT / "gunicorn.conf.py").read_text(encoding="utf-8")
        )[0]
    )

    assert int(COMPOSE["services"]["web"]["stop_grace_period"].removesuffix("s")) > drain
    assert RAILWAY["deploy"]["drainingSeconds"] > drain


def test_the_queues_of_the_workers_are_all_there_are(settings: Any) -> None:
    taken = {queue for name in ("worker", "mailer") for queue in queues_of(name)}
    routed = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}

    assert taken == routed | {settings.CELERY_TASK_DEFAULT_QUEUE}


def test_a_worker_that_is_told_of_no_queue_takes_them_all_and_each_task_goes_into_one() -> None:
    # As `make worker` starts one.
    consumed = current_app.amqp.Queues(current_app.conf.task_queues).consume_from

    assert consumed.keys() == {queue for name in ("worker", "mailer") for queue in queues_of(name)}
    assert {queue.exchange.name: queue.routing_key for queue in consumed.values()} == {
        name: name for name in consumed
    }


def test_railway_and_nixpacks_start_the_same_server() -> None:
    docker = " ".join(json.loads(re.findall(r"^CMD (.*)$", DOCKERFILE, re.MULTILINE)[0]))

    assert RAILWAY["deploy"]["startCommand"] == NIXPACKS["start"]["cmd"] == docker
    assert RAILWAY["deploy"]["healthcheckPath"] == "/api/v1/auth/health/"
    assert set(NIXPACKS["variables"]) - {"PATH"} <= read_by_settings()
