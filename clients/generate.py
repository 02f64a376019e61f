"""Writes what the clients take from docs/openapi.yaml besides the shapes of its bodies.

Those are the path of each operation, whether it needs an access token, the codes of errors, and
the types of the client in Python, whose half without asyncio is written from the other.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

CLIENTS = Path(__file__).parent
DOCUMENT = CLIENTS.parent / "docs/openapi.yaml"
TYPESCRIPT = CLIENTS / "typescript/src/routes.ts"
PYTHON = CLIENTS / "python/src/vineyard_auth"
ROOT = "/api/v1/"
NOTE = "Written by clients/generate.py from docs/openapi.yaml."

Route = tuple[str, str, bool]


def routes(document: dict[str, Any]) -> dict[str, Route]:
    """Return the method and the path of each operation, and whether it needs an access token."""
    return {
        operation["operationId"]: (
            method.upper(),
            path.removeprefix(ROOT),
            {} not in operation["security"] and any("bearer" in it for it in operation["security"]),
        )
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }


def codes(document: dict[str, Any]) -> list[str]:
    """Return the codes of errors."""
    found: list[str] = document["components"]["schemas"]["Problem"]["properties"]["code"][
        "x-extensible-enum"
    ]
    return found


def typescript(document: dict[str, Any]) -> str:
    """Return the module for the client in TypeScript."""
    lines = [f"/** {NOTE} */", "", "export const routes = {"]
    for name, (method, path, needs_token) in routes(document).items():
        route = ", ".join(json.dumps(it) for it in (method, path, needs_token))
        lines.append(f"  {name}: [{route}],")
    lines += ["} as const;", "", "export const problemCodes = ["]
    lines += [f"  {json.dumps(it)}," for it in codes(document)]
    return "\n".join([*lines, "] as const;", ""])


def python(document: dict[str, Any]) -> str:
    """Return the module for the client in Python."""
    lines = [f'"""{NOTE}"""', "", "ROUTES: dict[str, tuple[str, str, bool]] = {"]
    for name, (method, path, needs_token) in routes(document).items():
        lines.append(f'    "{name}": ("{method}", "{path}", {needs_token}),')
    lines += ["}", "", "PROBLEM_CODES = ("]
    lines += [f'    "{it}",' for it in codes(document)]
    return "\n".join([*lines, ")", ""])


def types(document: dict[str, Any]) -> str:
    """Return the types of bodies for the client in Python.

    They are dicts: an answer may gain members.
    """
    lines = [f'"""The shapes of requests and answers. {NOTE}"""', ""]
    lines += ["from typing import Literal, NotRequired, TypedDict", ""]
    schemas = document["components"]["schemas"]
    enums = {name: it for name, it in schemas.items() if "enum" in it}
    for name, schema in enums.items():
        choices = ", ".join(json.dumps(it) for it in schema["enum"])
        lines.append(f"{name} = Literal[{choices}]")
    for name, schema in schemas.items():
        if name not in enums:
            lines += ["", "", *_typed_dict(name, schema)]
    return "\n".join([*lines, ""])


def _typed_dict(name: str, schema: dict[str, Any]) -> Iterator[str]:
    description = " ".join(schema.get("description", f"{name}.").split())
    yield f"class {name}(TypedDict):"
    yield f'    """{description.partition(". ")[0].rstrip(".")}."""'
    yield ""
    for field, shape in schema["properties"].items():
        # A reference may name a shape that follows.
        hint = f'"{_hint(shape)}"' if "$ref" in str(shape) else _hint(shape)
        is_required = field in schema.get("required", ())
        yield f"    {field}: {hint if is_required else f'NotRequired[{hint}]'}"


def _hint(shape: dict[str, Any]) -> str:
    if shape.get("nullable"):
        return f"{_hint({**shape, 'nullable': False})} | None"
    if "allOf" in shape:
        return _hint(shape["allOf"][0])
    if "$ref" in shape:
        return str(shape["$ref"].rpartition("/")[2])
    if shape.get("type") == "array":
        return f"list[{_hint(shape['items'])}]"
    if shape.get("type") == "object":
        return f"dict[str, {_hint(shape['additionalProperties'])}]"
    simple = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}
    return simple[shape["type"]]


# What differs between the halves, the longer text first.
_WITHOUT_ASYNC = (
    (r"anyio\.Lock", "threading.Lock"),
    (r"import anyio\n", "import threading\n"),
    (r"from collections\.abc import Awaitable, Callable", "from collections.abc import Callable"),
    (r"Awaitable\[((?:[^\[\]]|\[[^\[\]]*\])*)\]", r"\1"),
    (r"__aenter__", "__enter__"),
    (r"__aexit__", "__exit__"),
    (r"\baclose\b", "close"),
    (r"AsyncBaseTransport", "BaseTransport"),
    (r"\bAsync(?=[A-Z])", ""),
    (r"\basync (def|with)\b", r"\1"),
    (r"\bawait ", ""),
)


def without_async(source: str) -> str:
    """Return a module of the client in Python as it is without asyncio."""
    for pattern, replacement in _WITHOUT_ASYNC:
        source = re.sub(pattern, replacement, source)
    return _formatted(f"# Written by clients/generate.py from _async/.\n{source}")


def _formatted(source: str) -> str:
    for command in (("check", "--select=I", "--fix", "--quiet"), ("format", "--quiet")):
        done = subprocess.run(  # noqa: S603 -- our own command
            [sys.executable, "-m", "ruff", *command, "--stdin-filename=clients/module.py", "-"],
            cwd=CLIENTS.parent,
            input=source,
            capture_output=True,
            text=True,
            check=True,
        )
        source = done.stdout
    return source


def files() -> dict[Path, str]:
    """Return what is written, by its path."""
    document = yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))
    written = {
        TYPESCRIPT: typescript(document),
        PYTHON / "_routes.py": python(document),
        PYTHON / "types.py": types(document),
    }
    for module in sorted((PYTHON / "_async").glob("*.py")):
        target = PYTHON / "_sync" / module.name
        if module.name != "__init__.py":
            written[target] = without_async(module.read_text(encoding="utf-8"))
    return written


def main() -> None:
    """Write all of it."""
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
