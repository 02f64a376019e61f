"""What holds on every page, and pictures of them in var/screenshots."""

from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings

from .conftest import Visit
from .scenes import SCENES
from .service import App
from .visitors import overflow, reached_by_keyboard, settle

pytestmark = pytest.mark.browser

PICTURES = Path(settings.BASE_DIR) / "var/screenshots"
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
NARROW, PHONE, WIDE = 320, 390, 1280


@pytest.mark.parametrize("name", SCENES)
def test_a_page_is_readable_and_usable(name: str, visit: Visit, app: App) -> None:
    visitor, scene = visit(), SCENES[name]
    scene(visitor, app)
    page = visitor.page
    settle(page)
    faults = []

    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        for width in (NARROW, PHONE, WIDE):
            page.set_viewport_size({"width": width, "height": 860})
            if width != NARROW:
                page.screenshot(path=PICTURES / f"{name}-{width}-{scheme}.png", full_page=True)
            if width != PHONE:
                found = Axe().run(page, options={"resultTypes": ["violations"]}).response
                faults += [
                    (scheme, width, it["id"], [node["html"] for node in it["nodes"]])
                    for it in found["violations"]
                ]
            assert overflow(page) == "", width

    assert faults == []
    visitor.is_sound()
    wanted, reached = reached_by_keyboard(page)
    assert wanted - reached == set()
