"""The shape of the code: what docs/architecture.md promises."""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
CODE = [
    path
    for package in ("authentication", "vineyard_group_fellowship")
    for path in sorted((ROOT / package).rglob("*.py"))
    if not {"tests", "migrations"} & set(path.relative_to(ROOT).parts)
]
LONGEST_FILE, LONGEST_FUNCTION = 250, 40


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def in_area(*areas: str) -> list[Path]:
    return [path for path in CODE if name_of(path).startswith(areas)]


def imports_of(path: Path) -> set[str]:
    """Return what a module imports when it runs, by its full names."""
    found = set()
    package = path.parent.relative_to(ROOT).parts
    for node in _running(parsed(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else ()
            module = ".".join([*above, *([node.module] if node.module else [])])
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found


def _running(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        is_for_types = isinstance(child, ast.If) and ast.unparse(child.test).endswith(
            "TYPE_CHECKING"
        )
        if not is_for_types:
            yield child
            yield from _running(child)


def found_in(imports: set[str], *forbidden: str) -> set[str]:
    return {
        name for name in imports if any(name == it or name.startswith(f"{it}.") for it in forbidden)
    }


def functions_of(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_no_file_is_too_long() -> None:
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in CODE}

    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_no_function_is_too_long() -> None:
    lengths = {
        f"{name_of(path)}::{it.name}": (it.end_lineno or it.lineno) - it.lineno + 1
        for path in CODE
        for it in functions_of(path)
    }

    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION} == {}


def test_every_module_has_a_docstring() -> None:
    silent = [path for path in CODE if path.stat().st_size and not ast.get_docstring(parsed(path))]

    assert [name_of(path) for path in silent] == []


# Services under the names of the specification. The import linter keeps them from use within.
FOR_OTHER_APPS = {f"authentication/utils/{name}.py" for name in ("auth", "sessions", "email")}


@pytest.mark.parametrize(
    ("areas", "forbidden"),
    [
        (
            ("services/", "models/"),
            ("rest_framework", "django.http", "django.views", "django.shortcuts"),
        ),
        (("view_modules/", "views"), ("authentication.models", "django.db")),
        (("serializers/",), ("authentication.models", "authentication.services", "django.db")),
        (("utils/",), ("authentication.models", "authentication.services", "django.db")),
    ],
    ids=[
        "services know no requests",
        "views know no tables",
        "serializers do not act",
        "utilities have no database",
    ],
)
def test_calls_go_downward(areas: tuple[str, ...], forbidden: tuple[str, ...]) -> None:
    paths = [
        path
        for path in in_area(*(f"authentication/{area}" for area in areas))
        if name_of(path) not in FOR_OTHER_APPS
    ]
    upward = {name_of(path): found_in(imports_of(path), *forbidden) for path in paths}

    assert paths
    assert {name: found for name, found in upward.items() if found} == {}


# One module compares passwords, so that every failure is counted, audited and locks. The model and
# the password policy compare them on its behalf.
MAY_COMPARE_PASSWORDS = {
    "authentication/models/user.py",
    "authentication/services/sign_in/credentials.py",
    "authentication/services/passwords/validators.py",
}
_SHARED_SERVICES = {"EmailService", "TokenService"}


def test_areas_of_services_are_used_through_their_exports() -> None:
    areas = {path.name for path in (ROOT / "authentication/services").iterdir() if path.is_dir()}
    trespasses = {
        (name_of(path), name)
        for path in CODE
        for name in imports_of(path)
        if len(parts := name.removeprefix("authentication.services.").split(".")) > 1
        and name.startswith("authentication.services.")
        and parts[0] in areas
        and path.parent.name != parts[0]
        and (ROOT / "authentication/services" / parts[0] / f"{parts[1]}.py").exists()
    }

    assert trespasses == set()


def test_use_cases_do_not_call_use_cases() -> None:
    paths = in_area("authentication/services/")
    defined = {path: services_in(path) for path in paths}
    services = set().union(*defined.values()) - _SHARED_SERVICES
    calls = {
        (name_of(path), used)
        for path, own in defined.items()
        if own and path.name != "__init__.py"
        for used in {name.rpartition(".")[2] for name in imports_of(path)} & services - own
    }

    assert services
    assert calls == set()


def services_in(path: Path) -> set[str]:
    classes = {it.name for it in ast.walk(parsed(path)) if isinstance(it, ast.ClassDef)}
    return {name for name in classes if name.endswith("Service")}


def test_only_these_modules_compare_passwords() -> None:
    deciding = {name_of(path) for path in CODE if _compares_passwords(path)}

    assert deciding == MAY_COMPARE_PASSWORDS


def _compares_passwords(path: Path) -> bool:
    calls = {
        ast.unparse(node.func) for node in ast.walk(parsed(path)) if isinstance(node, ast.Call)
    }
    names = {call.rpartition(".")[2] for call in calls}
    signs_in = found_in(
        imports_of(path), "django.contrib.auth.authenticate", "django.contrib.auth.login"
    )
    return bool(signs_in or names & {"check_password", "verify_password"})


def test_only_the_settings_read_the_environment() -> None:
    readers = [name_of(path) for path in CODE if _reads_environment(path)]

    assert [name for name in readers if "/settings/" not in name] == []


def _reads_environment(path: Path) -> bool:
    # Setting the default of DJANGO_SETTINGS_MODULE reads nothing.
    text = path.read_text(encoding="utf-8").replace("os.environ.setdefault(", "")
    return "os.environ" in text or "os.getenv" in text
