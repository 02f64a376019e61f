"""User-Agent headers, and the device that each one means."""

import dataclasses
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Agent:
    """A User-Agent header, and the name, type, browser and system of its device."""

    header: str
    name: str
    type: str
    browser: str
    system: str


def _agents() -> dict[str, Agent]:
    """Return the agents of agents.txt: of each a title, the header and the words for it."""
    lines = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    found = {}
    for title, header, words in zip(lines[::3], lines[1::3], lines[2::3], strict=True):
        name, kind, browser, system = (it.strip() for it in words.split("|"))
        found[title] = Agent(header.strip(), name, kind, browser, system)
    return found


AGENTS = _agents()
