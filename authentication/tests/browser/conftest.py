"""The service, a browser, and people who use them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from .front_ends import FrontEnd, Spa, new_front_end
from .service import App, Service, running, unique_address
from .visitors import Visitor, chromium

Visit = Callable[..., Visitor]
"""The type of the fixture `visit`."""

VisitSpa = Callable[..., Spa]
"""The type of the fixture `visit_spa`."""


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return the running service; its data goes with the test run."""
    with running(tmp_path_factory.mktemp("service")) as started:
        yield started


@pytest.fixture(scope="session")
def chrome() -> Iterator[Browser]:
    """Return a running browser."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def visit(service: Service, chrome: Browser) -> Iterator[Visit]:
    """Return a function that gives a person a browser; at the end, each of them must be sound."""
    visitors: list[Visitor] = []

    def begin(**options: Any) -> Visitor:
        visitors.append(Visitor(chrome, service, **options))
        return visitors[-1]

    yield begin
    for it in visitors:
        it.context.close()
        assert it.faults == []


@pytest.fixture
def visitor(visit: Visit) -> Visitor:
    """Return a person at a browser, without an account."""
    return visit()


@pytest.fixture
def app(service: Service) -> App:
    """Return a client of the API that is no browser."""
    return App(service)


@pytest.fixture
def address(app: App) -> str:
    """Return the address of an account."""
    address = unique_address("ruth")
    app.register(address, first_name="Ruth", display_name="Ruth M.")
    return address


@pytest.fixture
def member(visitor: Visitor, address: str) -> Visitor:
    """Return a person who has signed in."""
    visitor.sign_in(address)
    visitor.is_at("Your account")
    return visitor


@pytest.fixture(scope="session")
def front_end() -> FrontEnd:
    """Return a front end of another origin."""
    return new_front_end()


@pytest.fixture(scope="session")
def trusting(front_end: FrontEnd, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return a running service that trusts the front end."""
    allowed = {"CORS_ALLOWED_ORIGINS": front_end.origin, "CSRF_TRUSTED_ORIGINS": front_end.origin}
    with (
        running(tmp_path_factory.mktemp("trusting"), **allowed) as started,
        front_end.serving(started),
    ):
        yield started


@pytest.fixture
def visit_spa(trusting: Service, front_end: FrontEnd, chrome: Browser) -> Iterator[VisitSpa]:
    """Return a function that gives a person a browser at a page of the front end."""
    visitors: list[Spa] = []

    def begin(path: str = "/") -> Spa:
        visitors.append(Spa(chrome, front_end, path))
        return visitors[-1]

    yield begin
    for it in visitors:
        it.context.close()


@pytest.fixture
def ruth(trusting: Service) -> str:
    """Return the address of an account of the service that trusts the front end."""
    address = unique_address("ruth")
    App(trusting).register(address, display_name="Ruth M.")
    return address
