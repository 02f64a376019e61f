"""The deployment files. authentication/tests/faults runs what they describe."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from celery import current_app
from django.conf import settings as service

from authentication.tests.settings.reader import read_by_settings
from vineyard_group_fellowship.server.limits import DRAIN_SECONDS

ROOT = Path(service.BASE_DIR)
COMPOSE_TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)
RAILWAY: dict[str, Any] = json.loads((ROOT / "railway.json").read_text(encoding="utf-8"))
NIXPACKS: dict[str, Any] = tomllib.loads((ROOT / "nixpacks.toml").read_text(encoding="utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
OWN_SERVICES = ("migrate", "web", "gunicorn", "celery", "mailer", "celery-beat")


def compose_with(**told: str) -> dict[str, Any]:
    """Return docker-compose.yml with these variables of its `.env`, as docker compose reads it."""
    text, before = COMPOSE_TEXT.replace("$$", "\0"), ""
    while text != before:
        # The innermost first; a default may be a variable.
        text, before = (
            re.sub(r"\$\{(\w+):-([^${}]*)\}", lambda it: told.get(it[1]) or it[2], text),
            text,
        )
    found: dict[str, Any] = yaml.safe_load(text.replace("\0", "$"))
    return found


def queues_of(name: str) -> list[str]:
    """Return the queues a worker of docker-compose.yml takes tasks from."""
    command: list[str] = COMPOSE["services"][name]["command"]
    return command[command.index("-Q") + 1].split(",")


def test_the_image_is_pinned_and_does_not_run_as_root() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    user = DOCKERFILE.index("USER app")

    assert bases == ["python:3.13.9-slim-bookworm"] * 2
    assert DOCKERFILE.index("COPY . .") < user < DOCKERFILE.index("\nCMD")
    assert "--require-hashes" in DOCKERFILE
    assert "HEALTHCHECK" in DOCKERFILE


def test_time_zones_are_installed_on_every_platform() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        (pinned,) = [line for line in lines if line.startswith("tzdata==")]

        # Without a marker such as `; sys_platform == 'win32'`.
        assert re.fullmatch(r"tzdata==\S+ \\", pinned), name


def test_the_image_contains_no_secrets() -> None:
    left_out = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()

    assert {".git", ".env", ".env.*", "var"} <= set(left_out)
    assert not re.search(r"^(ENV|ARG).*(KEY|PASSWORD|TOKEN|DSN)", DOCKERFILE, re.MULTILINE)


@pytest.mark.parametrize("name", OWN_SERVICES)
def test_compose_sets_only_variables_that_the_settings_read(name: str) -> None:
    assert set(COMPOSE["services"][name]["environment"]) <= read_by_settings()


def test_every_port_is_bound_to_localhost() -> None:
    ports = [port for it in COMPOSE["services"].values() for port in it.get("ports", [])]

    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_mailpit_is_the_only_mail_server_of_compose() -> None:
    environment = COMPOSE["services"]["mailer"]["environment"]

    assert environment["EMAIL_CATCHER"] == "mail:1025"
    assert not {"EMAIL_HOST", "EMAIL_PORT", "SENDGRID_API_KEY"} & set(environment)


@pytest.mark.parametrize("name", OWN_SERVICES)
def test_own_containers_are_read_only_and_have_no_capabilities(name: str) -> None:
    service = COMPOSE["services"][name]

    assert (service["read_only"], service["tmpfs"], service["cap_drop"]) == (
        True,
        ["/tmp"],  # noqa: S108 -- the container's own
        ["ALL"],
    )


def test_every_image_of_compose_is_pinned() -> None:
    images = {name: it["image"] for name, it in COMPOSE["services"].items() if "build" not in it}

    assert all(re.search(r":v?\d", image) for image in images.values()), images


def test_redis_needs_a_password_persists_and_evicts_nothing() -> None:
    command = " ".join(COMPOSE["services"]["redis"]["command"])

    for flag in ("--requirepass", "--appendonly yes", "--maxmemory-policy noeviction"):
        assert flag in command
    assert COMPOSE["services"]["redis"]["volumes"]


def test_every_service_waits_for_what_it_needs() -> None:
    waits = {name: COMPOSE["services"][name]["depends_on"] for name in OWN_SERVICES}

    assert waits.pop("migrate") == {"postgres": {"condition": "service_healthy"}}
    for needs in waits.values():
        assert needs["migrate"] == {"condition": "service_completed_successfully"}
        assert needs["redis"] == {"condition": "service_healthy"}
        # It runs only with its profile.
        assert needs["pgbouncer"] == {"condition": "service_healthy", "required": False}


ELSEWHERE = {"DB_HOST": "db.internal", "DB_PORT": "5433", "DB_NAME": "vgf", "DB_USER": "ruth"}


@pytest.mark.parametrize(
    "told",
    [{}, ELSEWHERE, {"DATABASE_URL": "postgres://ruth@db.internal/vgf"}],
    ids=["its own database", "by parts", "by URL"],
)
def test_migrate_goes_where_every_process_goes(told: dict[str, str]) -> None:
    services = compose_with(**told)["services"]
    names = ("DATABASE_URL", *ELSEWHERE, "DB_PASSWORD")

    found = [[services[it]["environment"][name] for name in names] for it in OWN_SERVICES]

    assert found == [found[0]] * len(OWN_SERVICES)
    at = dict(zip(names, map(str, found[0]), strict=True))
    assert {name: at[name] for name in told} == told


def test_composes_own_database_has_the_names_of_the_settings() -> None:
    services = compose_with(**ELSEWHERE)["services"]
    postgres = services["postgres"]

    assert postgres["environment"]["POSTGRES_DB"] == "vgf"
    assert postgres["environment"]["POSTGRES_USER"] == "ruth"
    assert postgres["healthcheck"]["test"][1:] == ["pg_isready", "-U", "ruth", "-d", "vgf"]


def test_a_pooler_stands_before_the_database_that_migrate_uses() -> None:
    pooler = {"DB_POOLER_HOST": "pgbouncer", "DB_POOLER_PORT": "6432", "PGBOUNCER": "True"}
    found = compose_with(**ELSEWHERE, **pooler)
    web, migrate = (found["services"][it]["environment"] for it in ("web", "migrate"))

    assert (web["DB_HOST"], str(web["DB_PORT"]), web["DB_NAME"]) == ("pgbouncer", "6432", "vgf")
    assert (migrate["DB_HOST"], migrate["DB_PORT"], migrate["DB_NAME"]) == (
        "db.internal",
        5433,
        "vgf",
    )
    assert "vgf = host=db.internal port=5433 " in found["configs"]["pgbouncer"]["content"]


def test_the_port_of_the_settings_is_the_one_that_is_published() -> None:
    found = compose_with(PORT="9000", WEB_CONCURRENCY="5", REDIS_URL="redis://cache.internal/1")
    web = found["services"]["web"]

    assert web["ports"] == ["127.0.0.1:9000:9000"]
    assert (web["environment"]["PORT"], web["environment"]["WEB_CONCURRENCY"]) == (9000, 5)
    assert web["environment"]["BACKEND_URL"] == "http://localhost:9000"
    assert web["environment"]["REDIS_URL"] == "redis://cache.internal/1"
    assert "proxy_pass http://gunicorn:9000;" in found["configs"]["proxy"]["content"]


def test_migrations_bypass_pgbouncer_and_have_no_timeout() -> None:
    environment = compose_with()["services"]["migrate"]["environment"]

    assert (
        environment["DB_HOST"],
        environment["PGBOUNCER"],
        environment["DB_STATEMENT_TIMEOUT_MS"],
    ) == (
        "postgres",
        "False",
        0,
    )
    assert RAILWAY["deploy"]["preDeployCommand"] == [
        "env DB_STATEMENT_TIMEOUT_MS=0 python manage.py migrate --noinput"
    ]


def test_the_stop_grace_period_is_longer_than_the_drain() -> None:
    for name in ("web", "gunicorn"):
        grace = int(COMPOSE["services"][name]["stop_grace_period"].removesuffix("s"))
        assert grace > DRAIN_SECONDS
    assert RAILWAY["deploy"]["drainingSeconds"] > DRAIN_SECONDS


def test_the_workers_take_tasks_from_every_queue(settings: Any) -> None:
    taken = {queue for name in ("celery", "mailer") for queue in queues_of(name)}
    routed = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}

    assert taken == routed | {settings.CELERY_TASK_DEFAULT_QUEUE}


def test_a_worker_without_named_queues_takes_all_of_them() -> None:
    # `make worker` names no queue.
    consumed = current_app.amqp.Queues(current_app.conf.task_queues).consume_from

    assert consumed.keys() == {queue for name in ("celery", "mailer") for queue in queues_of(name)}
    assert {queue.exchange.name: queue.routing_key for queue in consumed.values()} == {
        name: name for name in consumed
    }


def test_gunicorn_is_reached_through_a_proxy_that_buffers_alone() -> None:
    services = COMPOSE["services"]
    gunicorn, proxy = services["gunicorn"], services["proxy"]
    config = COMPOSE["configs"]["proxy"]["content"]

    assert gunicorn["command"] == ["gunicorn", "vineyard_group_fellowship.wsgi:application"]
    assert gunicorn["profiles"] == proxy["profiles"] == ["gunicorn"]
    assert "ports" not in gunicorn
    assert gunicorn["environment"]["CLIENT_IP_HEADER"] == "X-Real-IP"
    for line in (
        "proxy_request_buffering on;",
        "proxy_buffering on;",
        "client_header_timeout 5s;",
        "client_body_timeout 10s;",
        "proxy_set_header X-Real-IP $$remote_addr;",
    ):
        assert line in config


def test_railway_nixpacks_and_docker_start_the_same_server() -> None:
    docker = " ".join(json.loads(re.findall(r"^CMD (.*)$", DOCKERFILE, re.MULTILINE)[0]))

    migrate = RAILWAY["deploy"]["preDeployCommand"][0]
    assert RAILWAY["deploy"]["startCommand"] == docker
    assert NIXPACKS["start"]["cmd"] == f"{migrate} && exec {docker}"
    assert RAILWAY["deploy"]["healthcheckPath"] == "/api/v1/auth/health/"
    assert set(NIXPACKS["variables"]) - {"PATH"} <= read_by_settings()
