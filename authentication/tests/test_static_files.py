"""The static files of production: modules of JavaScript import files whose names are hashes."""

import re
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import Settings

IMPORT = re.compile(r"""(?:from|import)\s*\(?\s*"(\.[^"]+)\"""")
HASHED = re.compile(r"\.[0-9a-f]{12}\.js$")


@pytest.mark.slow
def test_every_module_imports_modules_of_the_same_version(
    settings: Settings, tmp_path: Path
) -> None:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "vineyard_group_fellowship.static_files.HashedFiles"},
    }

    call_command("collectstatic", interactive=False, verbosity=0)

    modules = [it for it in (tmp_path / "account/js").rglob("*.js") if HASHED.search(it.name)]
    imports = [
        module.parent / name
        for module in modules
        for name in IMPORT.findall(module.read_text(encoding="utf-8"))
    ]
    assert len(imports) > len(modules) > 20
    assert [it for it in imports if not (HASHED.search(it.name) and it.is_file())] == []
